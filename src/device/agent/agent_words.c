/* agent_words.c: a command cut into words, as a shell would, without any of its expansions. */
#include <string.h>

#include "device/agent/agent_child.h"

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/* One word from *from into *to; both move on. 0: a quote is left open. */
static int take_word(const char **from, char **to) {
  char quote = 0;
  const char *s = *from;
  for (; *s && (quote || !is_blank(*s)); s++) {
    if (*s == quote)
      quote = 0;
    else if (!quote && (*s == '\'' || *s == '"'))
      quote = *s;
    else if (*s == '\\' && quote != '\'' && s[1])
      *(*to)++ = *++s;
    else
      *(*to)++ = *s;
  }
  *(*to)++ = 0;
  *from = s;
  return !quote;
}

sloe_status sloe_agent_words(const char *command, sloe_arena *arena, char ***out, sloe_error *err) {
  const size_t len = strlen(command);
  char **words = SLOE_ARENA_NEW(arena, char *, len / 2 + 2);
  char *to = sloe_arena_alloc(arena, len + 2, 1);
  size_t n = 0;
  *out = NULL;
  if (!words || !to) return sloe_fail(err, SLOE_NOMEM, "out of memory reading a command");
  for (const char *s = command;;) {
    while (is_blank(*s)) s++;
    if (!*s) break;
    words[n++] = to;
    if (!take_word(&s, &to))
      return sloe_fail(err, SLOE_USAGE, "a quote is left open in '%.100s'", command);
  }
  if (!n || !*words[0])
    return sloe_fail(err, SLOE_USAGE,
                     "no command: agent:COMMAND, as in agent:ssh host sloe agent "
                     "-b BACKEND");
  *out = words;
  return SLOE_OK;
}
