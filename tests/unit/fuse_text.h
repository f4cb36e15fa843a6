/* fuse_text.h: nets written as text, for tests of fusion.
 *
 *   net TITLE                                begins a net
 *   input NAME 1x3x8x8
 *   const NAME 8x1x1 | const NAME scalar     a float constant
 *   ints NAME 1 -1                           a 1-d integer constant with its contents
 *   TYPE NODE IN... -> OUT... [key=value]    an op; "_" leaves an input out
 *   output NAME...                           default: what nothing reads
 *
 * Attributes have ONNX's names: axis=1, mode=constant, kernel_shape=3,3. Short forms for windows:
 * kernel=3 (or 1,7), stride=2, dilation=2, pad=1 (all sides). Conv and ConvTranspose with one input
 * and filters=N [group=G] get a weight NODE.weight, Gemm with units=N inner=M likewise, and
 * BatchNormalization its four statistics. */
#ifndef SLOE_TESTS_FUSE_TEXT_H
#define SLOE_TESTS_FUSE_TEXT_H

#include <stdlib.h>

#include "base/map.h"
#include "unit/build.h"

enum { TEXT_WORDS = 64, TEXT_TENSORS = 4096 };

typedef struct text_net {
  sloe_net *net;
  sloe_map names;
  int64_t channels[TEXT_TENSORS];
  int read[TEXT_TENSORS];
  int has_output;
} text_net;

static inline const char *text_keep(text_net *t, const char *s) {
  return sloe_arena_strn(&t->net->arena, s, strlen(s));
}

static inline sloe_tid text_tensor(text_net *t, const char *name) {
  int32_t at = sloe_map_get(&t->names, name);
  if (at < 0) {
    const char *kept = text_keep(t, name);
    at = build_tensor(t->net, kept);
    assert_true(at < TEXT_TENSORS);
    assert_true(sloe_map_put(&t->names, &t->net->arena, kept, at));
    t->net->tensors[at].dtype = SLOE_DT_UNDEFINED;
  }
  return at;
}

static inline sloe_shape text_shape(const char *s) {
  sloe_shape shape = {0};
  if (!strcmp(s, "scalar")) return shape;
  for (char *end; *s && shape.rank < SLOE_MAX_RANK; s = *end ? end + 1 : end)
    shape.dim[shape.rank++] = strtoll(s, &end, 10);
  return shape;
}

static inline sloe_tid text_const(text_net *t, const char *name, sloe_shape shape) {
  const sloe_tid at = text_tensor(t, name);
  t->net->tensors[at].shape = shape;
  t->net->tensors[at].dtype = SLOE_DT_FLOAT;
  t->net->tensors[at].flags |= SLOE_T_INIT;
  t->channels[at] = shape.rank > 0 ? shape.dim[0] : 0;
  return at;
}

static inline sloe_tid text_weight(text_net *t, const char *node, const char *what,
                                   sloe_shape shape) {
  char name[128];
  snprintf(name, sizeof name, "%s.%s", node, what);
  return text_const(t, name, shape);
}

static inline void text_ints(text_net *t, char **word, int n) {
  const sloe_tid at = text_tensor(t, word[1]);
  sloe_tensor *x = &t->net->tensors[at];
  sloe_value *value = SLOE_ARENA_NEW(&t->net->arena, sloe_value, 1);
  assert_non_null(value);
  value->n = (size_t)n - 2;
  value->i = SLOE_ARENA_NEW(&t->net->arena, int64_t, value->n + 1);
  for (int i = 2; i < n; i++) value->i[i - 2] = strtoll(word[i], NULL, 10);
  x->shape = (sloe_shape){1, {n - 2}};
  x->dtype = SLOE_DT_INT64;
  x->flags |= SLOE_T_INIT;
  x->value = value;
}

/* "3,3" -> a list, repeated to `least` elements where it is one number. */
static inline sloe_attr text_list(text_net *t, const char *name, const char *s, size_t least) {
  int64_t *v = SLOE_ARENA_NEW(&t->net->arena, int64_t, 16);
  size_t n = 0;
  for (char *end; *s && n < 16; s = *end ? end + 1 : end) v[n++] = strtoll(s, &end, 10);
  for (; n > 0 && n < least && n < 16; n++) v[n] = v[0];
  return (sloe_attr){.name = name, .type = SLOE_ATTR_INTS, .ints = v, .n = n};
}

static inline sloe_attr text_attr(text_net *t, const char *key, const char *value) {
  static const struct {
    const char *key, *name;
    size_t least;
  } WINDOW[] = {{"kernel", "kernel_shape", 2},
                {"stride", "strides", 2},
                {"dilation", "dilations", 2},
                {"pad", "pads", 4}};
  for (size_t i = 0; i < sizeof WINDOW / sizeof *WINDOW; i++)
    if (!strcmp(key, WINDOW[i].key)) return text_list(t, WINDOW[i].name, value, WINDOW[i].least);
  const char *name = text_keep(t, key);
  if (strchr(value, ',')) return text_list(t, name, value, 0);
  char *end;
  const long long number = strtoll(value, &end, 10);
  if (!*end) return (sloe_attr){.name = name, .type = SLOE_ATTR_INT, .i = number};
  return (sloe_attr){.name = name, .type = SLOE_ATTR_STRING, .s = text_keep(t, value)};
}

typedef struct text_op {
  sloe_tid in[TEXT_WORDS], out[8];
  sloe_attr attrs[16];
  size_t n_in, n_out, n_attrs;
  int64_t filters, group, units, inner, kernel[2];
} text_op;

static inline void text_take_attr(text_net *t, text_op *op, char *word) {
  char *value = strchr(word, '=');
  *value++ = 0;
  const int64_t n = strtoll(value, NULL, 10);
  if (!strcmp(word, "filters")) {
    op->filters = n;
  } else if (!strcmp(word, "units")) {
    op->units = n;
  } else if (!strcmp(word, "inner")) {
    op->inner = n;
  } else {
    if (!strcmp(word, "group")) op->group = n;
    assert_true(op->n_attrs < 16);
    op->attrs[op->n_attrs++] = text_attr(t, word, value);
    if (!strcmp(word, "kernel"))
      memcpy(op->kernel, op->attrs[op->n_attrs - 1].ints, sizeof op->kernel);
  }
}

/* Weights that the line leaves out; the channels of what it writes. */
static inline int64_t text_complete(text_net *t, const char *type, const char *name, text_op *op) {
  const int64_t c = op->n_in && op->in[0] >= 0 ? t->channels[op->in[0]] : 0;
  if (!strcmp(type, "Concat")) {
    int64_t sum = 0;
    for (size_t i = 0; i < op->n_in; i++) sum += t->channels[op->in[i]];
    return sum;
  }
  if (!strcmp(type, "Split")) return c / (int64_t)op->n_out;
  if (!strcmp(type, "BatchNormalization") && op->n_in == 1) {
    static const char *const PARTS[] = {"scale", "bias", "mean", "var"};
    for (int i = 0; i < 4; i++)
      op->in[op->n_in++] = text_weight(t, name, PARTS[i], (sloe_shape){1, {c}});
  }
  if (op->units && op->n_in == 1) {
    op->in[op->n_in++] = text_weight(t, name, "weight", (sloe_shape){2, {op->inner, op->units}});
    return op->units;
  }
  if (!strcmp(type, "Conv") && op->n_in > 1) return t->channels[op->in[1]];
  if (!op->filters) return c;
  const int64_t g = op->group, deconv = !strcmp(type, "ConvTranspose");
  if (op->n_in == 1)
    op->in[op->n_in++] =
        text_weight(t, name, "weight",
                    (sloe_shape){4,
                                 {deconv ? c : op->filters, deconv ? op->filters / g : c / g,
                                  op->kernel[0], op->kernel[1]}});
  return op->filters;
}

static inline void text_node(text_net *t, char **word, int n) {
  text_op op = {.group = 1};
  int after = 0;
  for (int i = 2; i < n; i++) {
    if (!strcmp(word[i], "->")) {
      after = 1;
    } else if (after && strchr(word[i], '=')) {
      text_take_attr(t, &op, word[i]);
    } else if (after) {
      assert_true(op.n_out < 8);
      op.out[op.n_out++] = text_tensor(t, word[i]);
    } else {
      const sloe_tid in = strcmp(word[i], "_") ? text_tensor(t, word[i]) : -1;
      if (in >= 0) t->read[in] = 1;
      op.in[op.n_in++] = in;
    }
  }
  if (!op.n_out) fail_msg("line of %s %s has no '-> OUT'", word[0], word[1]);
  const int64_t channels = text_complete(t, word[0], word[1], &op);
  for (size_t i = 0; i < op.n_out; i++) t->channels[op.out[i]] = channels;
  sloe_error err;
  const sloe_node_spec spec = {.type = text_keep(t, word[0]),
                               .name = text_keep(t, word[1]),
                               .in = op.in,
                               .out = op.out,
                               .n_in = op.n_in,
                               .n_out = op.n_out,
                               .attrs = op.attrs,
                               .n_attrs = op.n_attrs};
  assert_ok(sloe_net_add_node(t->net, &t->net->graph, &spec, &err), err);
}

/* Words of a line, cut in place; a # begins a comment. */
static inline int text_words(char *line, char *word[TEXT_WORDS]) {
  int n = 0;
  for (char *p = line; *p && n < TEXT_WORDS;) {
    while (*p == ' ' || *p == '\t' || *p == '\n') *p++ = 0;
    if (!*p || *p == '#') break;
    word[n++] = p;
    while (*p && *p != ' ' && *p != '\t' && *p != '\n') p++;
  }
  return n;
}

static inline text_net *text_begin(void) {
  text_net *t = calloc(1, sizeof *t);
  assert_non_null(t);
  t->net = build_net();
  return t;
}

static inline void text_line(text_net *t, char **word, int n) {
  sloe_error err;
  if (!strcmp(word[0], "input") && n == 3) {
    const sloe_tid x = text_tensor(t, word[1]);
    t->net->tensors[x].shape = text_shape(word[2]);
    t->net->tensors[x].dtype = SLOE_DT_FLOAT;
    t->channels[x] = t->net->tensors[x].shape.dim[1];
    assert_ok(sloe_graph_add_input(t->net, &t->net->graph, x, &err), err);
  } else if (!strcmp(word[0], "const") && n == 3) {
    text_const(t, word[1], text_shape(word[2]));
  } else if (!strcmp(word[0], "ints") && n >= 3) {
    text_ints(t, word, n);
  } else if (!strcmp(word[0], "output")) {
    for (int i = 1; i < n; i++) build_output(t->net, text_tensor(t, word[i]));
    t->has_output = 1;
  } else if (n >= 4) {
    text_node(t, word, n);
  } else {
    fail_msg("line begins with '%s' and has %d words", word[0], n);
  }
}

/* The finished net, whose owner is the caller; frees `t`. */
static inline sloe_net *text_end(text_net *t) {
  sloe_error err;
  sloe_net *net = t->net;
  for (size_t i = 0; !t->has_output && i < net->n_tensors; i++)
    if (net->tensors[i].producer >= 0 && !t->read[i]) build_output(net, (sloe_tid)i);
  free(t);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  return net;
}

static inline sloe_net *text_read(const char *path) {
  char line[1024], *word[TEXT_WORDS];
  FILE *in = fopen(path, "r");
  if (!in) fail_msg("cannot open %s", path);
  text_net *t = text_begin();
  while (fgets(line, sizeof line, in)) {
    const int n = text_words(line, word);
    if (n > 0 && strcmp(word[0], "net")) text_line(t, word, n);
  }
  fclose(in);
  return text_end(t);
}

#endif
