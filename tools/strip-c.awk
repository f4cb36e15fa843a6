# Blanks the comments and the insides of string and character literals of C, so that what is left
# can be searched for names. Lines keep their numbers. strip_c(line) is given the lines in order.
function strip_c(line,    out, at, c) {
  out = ""
  while (line != "") {
    if (in_comment) {
      at = index(line, "*/")
      if (!at) return out
      line = substr(line, at + 2)
      in_comment = 0
    } else if (match(line, /["']|\/\*|\/\//)) {
      out = out substr(line, 1, RSTART - 1)
      c = substr(line, RSTART, RLENGTH)
      line = substr(line, RSTART + RLENGTH)
      if (c == "//") return out
      if (c == "/*") { in_comment = 1; out = out " "; continue }
      at = c == "\"" ? match(line, /^([^"\\]|\\.)*"/) : match(line, /^([^'\\]|\\.)*'/)
      out = out c c
      line = at ? substr(line, RLENGTH + 1) : ""
    } else {
      return out line
    }
  }
  return out
}
