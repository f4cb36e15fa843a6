/* Shape rules, tested by text: runs every tests/data/shape/<family>.test.
 *
 * A case is three lines; blank lines part cases, lines with # in front are remarks.
 *
 *     Conv strides=2,2 pads=3,3,3,3           the operator and its attributes
 *     1x3x224x224 64x3x7x7                    its inputs
 *     1x64x112x112                            its outputs, or `error: part of the message`
 *
 * Tensors. `1x3x4` is a float tensor; `i64[2x3]` one of another type (f16 bf16 f32 f64, i8 i16 i32
 * i64, u8 u16 u32 u64, bool); `f32[]` a scalar; `i64[2]={3,4}` a constant with its contents, or
 * such contents in an output. `?` is an unknown dim or element; `*` and `i64[*]` have an unknown
 * rank. `-` is an input or output left out; a lone `none` on the second line means no inputs. Of
 * outputs shape and type are compared, and contents where they are given.
 *
 * Attributes. `axis=1` int, `alpha=0.5` float (it has a point), `pads=1,1` and `axes=[1]` lists,
 * `value=@i64[1]={7}` a tensor; anything else is a string. `opset=11` is that of the net, 17
 * without it.
 *
 * Inputs without contents come from a node that sloe does not know, which hands on what a file
 * would declare of its outputs: so a test may feed unknown and impossible sizes. Every case of the
 * files not called goldens_* is also run with each allocation failing in turn.
 */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "unit/build.h"

enum { MOST_TOKENS = 64, MOST_FILES = 200 };

static const char *const FOLDER = SLOE_SOURCE_DIR "/tests/data/shape";

typedef struct block {
  const char *file;
  int line;
  char *op, *inputs, *outputs; /* lines */
} block;

/* ---- reading ---- */

static _Noreturn void complain(const block *b, const char *what, const char *text) {
  fail_msg("%s:%d: %s '%s'", b->file, b->line, what, text);
  exit(1); /* fail_msg does not return; it does not say so */
}

/* Split a line at blanks, in place. */
static size_t split(const block *b, char *line, char *tokens[MOST_TOKENS]) {
  size_t n = 0;
  for (char *s = line; *s;) {
    while (*s == ' ') *s++ = 0;
    if (!*s) break;
    if (n == MOST_TOKENS) complain(b, "too many words", s);
    tokens[n++] = s;
    while (*s && *s != ' ') s++;
  }
  return n;
}

static sloe_dtype dtype_of(const block *b, const char *s, size_t len) {
  static const struct {
    const char *name;
    sloe_dtype dtype;
  } names[] = {{"f32", SLOE_DT_FLOAT},     {"f16", SLOE_DT_FLOAT16}, {"f64", SLOE_DT_DOUBLE},
               {"bf16", SLOE_DT_BFLOAT16}, {"i8", SLOE_DT_INT8},     {"i16", SLOE_DT_INT16},
               {"i32", SLOE_DT_INT32},     {"i64", SLOE_DT_INT64},   {"u8", SLOE_DT_UINT8},
               {"u16", SLOE_DT_UINT16},    {"u32", SLOE_DT_UINT32},  {"u64", SLOE_DT_UINT64},
               {"bool", SLOE_DT_BOOL},     {"str", SLOE_DT_STRING}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i].name) == len && !memcmp(names[i].name, s, len)) return names[i].dtype;
  complain(b, "no such type", s);
}

static void *room(const block *b, sloe_net *net, size_t n, size_t size) {
  void *p = sloe_arena_alloc(&net->arena, n, size);
  if (!p) complain(b, "out of memory", "");
  return p;
}

/* Elements between `s` and `end`, parted by commas; real where asked for. */
static sloe_value *read_elements(const block *b, sloe_net *net, const char *s, const char *end,
                                 int real) {
  sloe_value *v = room(b, net, 1, sizeof *v);
  size_t most = (size_t)(end - s) + 1;
  v->real = real;
  v->i = room(b, net, most, sizeof *v->i);
  v->f = room(b, net, most, sizeof *v->f);
  while (s < end) {
    const char *comma = memchr(s, ',', (size_t)(end - s));
    size_t len = (size_t)((comma ? comma : end) - s);
    int unknown = len == 1 && *s == '?';
    v->i[v->n] = SLOE_ELEM_UNKNOWN;
    v->f[v->n] = (double)NAN;
    if (!unknown &&
        !(real ? sloe_parse_double(s, len, &v->f[v->n]) : sloe_parse_int(s, len, &v->i[v->n])))
      complain(b, "no number", s);
    v->n++;
    s += len + (comma != NULL);
  }
  return v;
}

static void read_shape(const block *b, const char *s, const char *end, sloe_shape *out) {
  *out = (sloe_shape){.rank = 0};
  if (end - s == 1 && *s == '*') *out = (sloe_shape){.rank = -1};
  while (s < end && out->rank >= 0) {
    const char *x = memchr(s, 'x', (size_t)(end - s));
    size_t len = (size_t)((x ? x : end) - s);
    if (out->rank == SLOE_MAX_RANK) complain(b, "too many dims", s);
    int64_t *dim = &out->dim[out->rank++];
    *dim = SLOE_DIM_UNKNOWN;
    if (!(len == 1 && *s == '?') && !sloe_parse_int(s, len, dim)) complain(b, "no shape", s);
    s += len + (x != NULL);
  }
}

/* Shape, type and contents of one tensor. */
static sloe_tensor read_tensor(const block *b, sloe_net *net, const char *s) {
  sloe_tensor t = {.dtype = SLOE_DT_FLOAT};
  const char *equals = strchr(s, '='), *end = equals ? equals : s + strlen(s);
  const char *open = memchr(s, '[', (size_t)(end - s));
  if (open) {
    if (end[-1] != ']') complain(b, "no closing bracket in", s);
    t.dtype = dtype_of(b, s, (size_t)(open - s));
    read_shape(b, open + 1, end - 1, &t.shape);
  } else {
    read_shape(b, s, end, &t.shape);
  }
  if (equals) {
    size_t len = strlen(equals);
    if (len < 3 || equals[1] != '{' || equals[len - 1] != '}') complain(b, "no contents in", s);
    t.value = read_elements(b, net, equals + 2, equals + len - 1, sloe_dtype_is_float(t.dtype));
    if (t.value->n != sloe_shape_elements(&t.shape)) complain(b, "count of elements in", s);
  }
  return t;
}

/* ---- building ---- */

static sloe_tid add_tensor(sloe_net *net, const char *prefix, size_t i, const sloe_tensor *like) {
  char name[32];
  snprintf(name, sizeof name, "%s%zu", prefix, i);
  sloe_tid t = build_tensor(net, name);
  if (!like) return t;
  net->tensors[t].shape = like->shape;
  net->tensors[t].dtype = like->dtype;
  net->tensors[t].value = like->value;
  return t;
}

static int wholly_known(const sloe_value *v) {
  for (size_t k = 0; v && k < v->n; k++)
    if (v->real ? isnan(v->f[k]) : v->i[k] == SLOE_ELEM_UNKNOWN) return 0;
  return v != NULL;
}

static sloe_tid add_input(const block *b, sloe_net *net, size_t i, const char *text) {
  if (!strcmp(text, "-")) return -1;
  sloe_tensor t = read_tensor(b, net, text);
  sloe_tid id = add_tensor(net, "in", i, &t);
  sloe_error err;
  if (wholly_known(t.value))
    net->tensors[id].flags |= SLOE_T_INIT | SLOE_T_CONST;
  else
    assert_ok(build_try(net, "test::Source", "", NULL, 0, id, NULL, 0, &err), err);
  return id;
}

/* A list of numbers, `[1]` or `1,2`: 0 where it is none. */
static int read_list(const block *b, sloe_net *net, const char *s, sloe_attr *out) {
  size_t len = strlen(s), numbers = strspn(s, "0123456789+-.,[]e");
  int bracket = *s == '[';
  if (numbers != len || (!bracket && !strchr(s, ','))) return 0;
  if (bracket && s[len - 1] != ']') complain(b, "no closing bracket in", s);
  int real = strpbrk(s, ".e") != NULL;
  sloe_value *v = read_elements(b, net, s + bracket, s + len - bracket, real);
  out->type = real ? SLOE_ATTR_FLOATS : SLOE_ATTR_INTS;
  out->n = v->n;
  out->ints = v->i;
  out->floats = v->f;
  return 1;
}

static void read_attr(const block *b, sloe_net *net, char *text, size_t i, sloe_attr *out) {
  char *equals = strchr(text, '=');
  if (!equals) complain(b, "an attribute without value", text);
  *out = (sloe_attr){.name = sloe_arena_strn(&net->arena, text, (size_t)(equals - text))};
  const char *s = equals + 1;
  if (read_list(b, net, s, out)) return;
  if (*s == '@') {
    sloe_tensor t = read_tensor(b, net, s + 1);
    out->type = SLOE_ATTR_TENSOR;
    out->tensor = add_tensor(net, "attr", i, &t);
    net->tensors[out->tensor].flags |= SLOE_T_CONST;
  } else if (sloe_parse_int(s, strlen(s), &out->i)) {
    out->type = SLOE_ATTR_INT;
  } else if (strchr(s, '.') && sloe_parse_double(s, strlen(s), &out->f)) {
    out->type = SLOE_ATTR_FLOAT;
  } else {
    out->type = SLOE_ATTR_STRING;
    out->s = sloe_arena_strn(&net->arena, s, strlen(s));
  }
}

typedef struct lines { /* a block's words */
  char *op[MOST_TOKENS], *in[MOST_TOKENS], *out[MOST_TOKENS];
  size_t n_op, n_in, n_out;
  const char *error; /* the wanted part of the message, NULL for success */
} lines;

static sloe_net *build(const block *b, const lines *w, sloe_tid *out) {
  sloe_net *net = build_net();
  sloe_attr attrs[MOST_TOKENS];
  sloe_tid in[MOST_TOKENS];
  sloe_error err;
  size_t n = 0;
  for (size_t i = 0; i < w->n_in; i++) in[i] = add_input(b, net, i, w->in[i]);
  for (size_t i = 1; i < w->n_op; i++) {
    read_attr(b, net, w->op[i], i, &attrs[n]);
    if (!strcmp(attrs[n].name, "opset"))
      net->opset = attrs[n].i;
    else
      n++;
  }
  for (size_t i = 0; i < w->n_out; i++)
    out[i] = !strcmp(w->out[i], "-") ? -1 : add_tensor(net, "out", i, NULL);
  sloe_attr *kept = room(b, net, n, sizeof *kept);
  if (n) memcpy(kept, attrs, n * sizeof *kept);
  sloe_node_spec spec = {.type = w->op[0],
                         .name = "tested",
                         .in = in,
                         .out = out,
                         .n_in = w->n_in,
                         .n_out = w->n_out,
                         .attrs = kept,
                         .n_attrs = n};
  assert_ok(sloe_net_add_node(net, &net->graph, &spec, &err), err);
  for (size_t i = 0; i < w->n_out; i++)
    if (out[i] >= 0) build_output(net, out[i]);
  return net;
}

/* ---- comparing ---- */

static void print_elements(const sloe_value *v, char *buf, size_t size) {
  size_t at = 0;
  buf[0] = 0;
  for (size_t k = 0; v && k < v->n && at + 40 < size; k++) {
    char number[SLOE_NUMBER_BUF];
    sloe_format_double(v->real ? v->f[k] : (double)v->i[k], number);
    int unknown = !v->real && v->i[k] == SLOE_ELEM_UNKNOWN;
    at += (size_t)snprintf(buf + at, size - at, "%s%s", k ? "," : "", unknown ? "?" : number);
  }
}

static int same_element(const sloe_value *a, const sloe_value *b, size_t k) {
  if (!a->real) return a->i[k] == b->i[k];
  return isnan(a->f[k]) ? isnan(b->f[k]) : fabs(a->f[k] - b->f[k]) <= 1e-6 * fabs(a->f[k]);
}

static int same_contents(const sloe_value *want, const sloe_value *got) {
  if (!got || want->n != got->n || want->real != got->real) return 0;
  for (size_t k = 0; k < want->n; k++)
    if (!same_element(want, got, k)) return 0;
  return 1;
}

/* 1 where output `t` is as `text` says. */
static int compare(const block *b, sloe_net *net, const sloe_tensor *t, const char *text) {
  sloe_tensor want = read_tensor(b, net, text);
  char s[SLOE_SHAPE_BUF], elements[400];
  int ok = t->shape.rank == want.shape.rank;
  for (int i = 0; ok && i < want.shape.rank; i++) ok = t->shape.dim[i] == want.shape.dim[i];
  if (ok && want.shape.rank >= 0) ok = t->dtype == want.dtype;
  if (ok && want.value) ok = same_contents(want.value, t->value);
  if (ok) return 1;
  print_elements(t->value, elements, sizeof elements);
  print_error("%s:%d: wanted %s, got %s[%s] {%s}\n", b->file, b->line, text,
              sloe_dtype_name(t->dtype), sloe_shape_print(&t->shape, s), elements);
  return 0;
}

static int check(const block *b, const lines *w) {
  sloe_tid out[MOST_TOKENS];
  sloe_error err = {0};
  sloe_net *net = build(b, w, out);
  sloe_status status = sloe_net_finish(net, NULL, &err);
  int ok = w->error ? status != SLOE_OK && strstr(err.msg, w->error) != NULL : status == SLOE_OK;
  if (!ok)
    print_error("%s:%d: wanted %s, got '%s'\n", b->file, b->line, w->error ? w->error : "success",
                status == SLOE_OK ? "success" : err.msg);
  for (size_t i = 0; ok && !w->error && i < w->n_out; i++)
    if (out[i] >= 0) ok = compare(b, net, &net->tensors[out[i]], w->out[i]);
  sloe_net_free(net);
  return ok;
}

/* Each allocation of finish in turn fails: NOMEM, nothing live. */
static int survives_lack_of_memory(const block *b, const lines *w) {
  long live = sloe_alloc_live();
  for (long n = 0;; n++) {
    sloe_tid out[MOST_TOKENS];
    sloe_error err = {0};
    sloe_net *net = build(b, w, out);
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_net_finish(net, NULL, &err);
    sloe_alloc_fail_after(-1);
    sloe_net_free(net);
    if (status != SLOE_NOMEM || sloe_alloc_live() != live) {
      int as_ever = (status == SLOE_OK) == !w->error && sloe_alloc_live() == live;
      if (!as_ever) print_error("%s:%d: allocation %ld failing\n", b->file, b->line, n);
      return as_ever;
    }
  }
}

static int run_block(const block *b) {
  lines w = {0};
  w.n_op = split(b, b->op, w.op);
  w.n_in = split(b, b->inputs, w.in);
  if (w.n_in == 1 && !strcmp(w.in[0], "none")) w.n_in = 0;
  if (!strncmp(b->outputs, "error: ", 7)) {
    w.error = b->outputs + 7;
    w.out[w.n_out++] = (char *)(uintptr_t) "out";
  } else {
    w.n_out = split(b, b->outputs, w.out);
  }
  int ok = check(b, &w);
  return ok && strncmp(b->file, "goldens_", 8) != 0 ? survives_lack_of_memory(b, &w) : ok;
}

/* The next line that is no remark, in place; NULL at the end. */
static char *next_line(char **at, int *line) {
  while (**at) {
    char *s = *at, *end = strchr(s, '\n');
    if (end) *end = 0;
    *at = end ? end + 1 : s + strlen(s);
    ++*line;
    if (*s != '#') return s;
  }
  return NULL;
}

static void run_file(void **state) {
  const char *name = *state;
  char path[512], *data;
  size_t len, n = 0, bad = 0;
  sloe_error err;
  int line = 0;
  snprintf(path, sizeof path, "%s/%s", FOLDER, name);
  assert_ok(sloe_file_read(path, 1 << 24, &data, &len, &err), err);
  char *at = data, *s;
  while ((s = next_line(&at, &line))) {
    if (!*s) continue;
    block b = {.file = name, .line = line, .op = s};
    b.inputs = next_line(&at, &line);
    b.outputs = b.inputs ? next_line(&at, &line) : NULL;
    if (!b.outputs || !*b.inputs || !*b.outputs) complain(&b, "a case of less than three lines", s);
    n++;
    bad += !run_block(&b);
  }
  sloe_dealloc(data);
  if (bad || !n) fail_msg("%s: %zu of %zu cases fail", name, bad, n);
}

/* ---- the files ---- */

static int by_name(const void *a, const void *b) {
  const struct CMUnitTest *x = a, *y = b;
  return strcmp(x->name, y->name);
}

static size_t list_files(struct CMUnitTest tests[MOST_FILES], char names[MOST_FILES][64]) {
  size_t n = 0;
  DIR *dir = opendir(FOLDER);
  for (struct dirent *e; dir && n < MOST_FILES && (e = readdir(dir));) {
    size_t len = strlen(e->d_name);
    if (len < 6 || len >= 64 || strcmp(e->d_name + len - 5, ".test") != 0) continue;
    memcpy(names[n], e->d_name, len + 1);
    tests[n] = (struct CMUnitTest){names[n], run_file, NULL, NULL, names[n]};
    n++;
  }
  if (dir) closedir(dir);
  qsort(tests, n, sizeof *tests, by_name);
  return n;
}

static void there_are_test_files(void **state) {
  assert_true(*(size_t *)*state > 0);
}

int main(void) {
  static struct CMUnitTest tests[MOST_FILES + 1];
  static char names[MOST_FILES][64];
  static size_t n;
  n = list_files(tests, names);
  tests[n] = (struct CMUnitTest){"there_are_test_files", there_are_test_files, NULL, NULL, &n};
  return _cmocka_run_group_tests("shape rules", tests, n + 1, NULL, NULL);
}
