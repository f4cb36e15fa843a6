#include "campaign/engine_names.h"

#include <string.h>

enum { DEPTH_MOST = 64 };

/* ---- roles ---- */

const char *sloe_engine_role_text(sloe_engine_role role) {
  switch (role) {
    case SLOE_ENGINE_REFORMAT: return "reformat";
    case SLOE_ENGINE_QUANTIZE: return "quantize";
    case SLOE_ENGINE_COPY: return "copy";
    case SLOE_ENGINE_NOTHING: return "nothing";
    default: return "layer";
  }
}

static int begins(const char *s, const char *with) {
  return strncmp(s, with, strlen(with)) == 0;
}

/* Where " input reformatter 0" begins at the end of the name; NULL: it does not end so. */
static const char *old_reformatter(const char *name) {
  static const char *const words[] = {" input reformatter ", " output reformatter "};
  for (int i = 0; i < 2; i++) {
    const char *p = strstr(name, words[i]);
    if (p && strspn(p + strlen(words[i]), "0123456789") == strlen(p + strlen(words[i]))) return p;
  }
  return NULL;
}

static int ends(const char *s, const char *with) {
  const size_t n = strlen(s), m = strlen(with);
  return n > m && strcmp(s + n - m, with) == 0;
}

/* What TensorRT puts in itself, and no kernel does. */
static int is_nothing(const char *name, const char *type) {
  static const char *const words[] = {"reshape_after_", "squeeze_after_", "unsqueeze_node_after_",
                                      "copied_squeeze_after_", "dummy_shape_call_"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (begins(name, words[i])) return 1;
  return !strcmp(type, "NoOp") || !strcmp(type, "Constant") || !strcmp(type, "shape_call") ||
         !strcmp(type, "signal") || !strcmp(type, "wait");
}

static int is_quantize(const char *name) {
  return (begins(name, "QuantizeLinear") || begins(name, "DequantizeLinear")) &&
         !strstr(name, " + ");
}

sloe_engine_role sloe_engine_role_of(const char *name, const char *type, const char *origin) {
  if (is_nothing(name, type)) return SLOE_ENGINE_NOTHING;
  if (begins(name, "Reformatting CopyNode for ") || old_reformatter(name))
    return SLOE_ENGINE_REFORMAT;
  if (!strcmp(origin, "QDQ") || is_quantize(name)) return SLOE_ENGINE_QUANTIZE;
  if (!strcmp(type, "Reformat")) return SLOE_ENGINE_REFORMAT;
  return ends(name, " copy") ? SLOE_ENGINE_COPY : SLOE_ENGINE_LAYER;
}

const char *sloe_engine_owner(const char *name, size_t *len) {
  const char *end = old_reformatter(name);
  *len = end ? (size_t)(end - name) : strlen(name);
  if (!begins(name, "Reformatting CopyNode for ")) {
    if (!end && ends(name, " copy")) *len -= strlen(" copy");
    return name;
  }
  const char *to = strstr(name, " to ");
  if (!to) return name;
  *len = strlen(to + 4);
  return to + 4;
}

/* ---- parts ---- */

static int opens(char c) {
  return c == '(' || c == '[' || c == '{';
}

static int closes(char c) {
  return c == ')' || c == ']' || c == '}';
}

/* Where `word` stands outside all brackets; `len` where it does not. Names may hold brackets that
   do not close: then nothing is outside, and the name is one part. */
static size_t find_outside(const char *s, size_t len, const char *word) {
  const size_t n = strlen(word);
  int depth = 0;
  for (size_t i = 0; i + n <= len; i++) {
    if (depth == 0 && memcmp(s + i, word, n) == 0) return i;
    depth += opens(s[i]) - (closes(s[i]) && depth > 0);
  }
  return len;
}

typedef struct walk {
  sloe_engine_part_fn fn;
  void *context;
} walk;

static void split(const walk *w, const char *s, size_t len, int level, int depth);

/* "{ForeignNode[a...b]}"; 1 where it is one. */
static int foreign(const walk *w, const char *s, size_t len) {
  static const char word[] = "{ForeignNode[";
  const size_t n = strlen(word);
  if (len < n + 2 || memcmp(s, word, n) || s[len - 1] != '}') return 0;
  s += n;
  len -= n + (s[len - n - 2] == ']' ? 2 : 1);
  for (size_t i = 0; i + 3 <= len; i++)
    if (memcmp(s + i, "...", 3) == 0) {
      w->fn(w->context, s, i, 1);
      w->fn(w->context, s + i + 3, len - i - 3, 2);
      return 1;
    }
  w->fn(w->context, s, len, 0);
  return 1;
}

/* "[CONVOLUTION]-[aten_ops.convolution.default]-[/conv1/convolution]" -> the last. */
static void unwrap_torch(const char **s, size_t *len) {
  if (*len < 5 || (*s)[0] != '[' || (*s)[*len - 1] != ']') return;
  for (size_t i = *len - 1; i >= 3; i--)
    if (memcmp(*s + i - 2, "]-[", 3) == 0) {
      *len -= i + 2;
      *s += i + 1;
      return;
    }
}

static void leaf(const walk *w, const char *s, size_t len, int depth) {
  static const char unnamed[] = "(Unnamed Layer*", profile[] = " [profile ";
  while (len && *s == ' ') s++, len--;
  while (len && s[len - 1] == ' ') len--;
  const size_t at = find_outside(s, len, profile);
  len = at;
  if (!len || foreign(w, s, len)) return;
  if (len >= strlen(unnamed) && memcmp(s, unnamed, strlen(unnamed)) == 0) return;
  if (len > 5 && memcmp(s, "PWN(", 4) == 0 && s[len - 1] == ')' && depth < DEPTH_MOST) {
    split(w, s + 4, len - 5, 0, depth + 1);
    return;
  }
  unwrap_torch(&s, &len);
  w->fn(w->context, s, len, 0);
}

/* At " || ", then " + ", and inside of PWN at ", ". */
static void split(const walk *w, const char *s, size_t len, int level, int depth) {
  static const char *const words[] = {" || ", " + ", ", "};
  if (level == (depth ? 3 : 2)) {
    leaf(w, s, len, depth);
    return;
  }
  for (;;) {
    const size_t at = find_outside(s, len, words[level]);
    split(w, s, at, level + 1, depth);
    if (at == len) return;
    s += at + strlen(words[level]);
    len -= at + strlen(words[level]);
  }
}

void sloe_engine_parts(const char *name, size_t len, sloe_engine_part_fn fn, void *context) {
  const walk w = {fn, context};
  split(&w, name, len, 0, 0);
}
