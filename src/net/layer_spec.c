/* layer_spec.c: specs as text, what is possible, what they count. */
#include "net/layer_spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "net/net.h"

enum { MAX_SIZE = 1 << 30 };

typedef struct op_row {
  const char *text, *keys;
} op_row;

static const op_row OPS[SLOE_SPEC_OP_COUNT] = {
#define SLOE_SPEC_OP_ROW(id, text, keys, doc) {text, keys},
    SLOE_SPEC_OP_MAP(SLOE_SPEC_OP_ROW)
#undef SLOE_SPEC_OP_ROW
};

static const char *const ACTS[SLOE_SPEC_ACT_COUNT] = {
#define SLOE_SPEC_ACT_ROW(id, text) text,
    SLOE_SPEC_ACT_MAP(SLOE_SPEC_ACT_ROW)
#undef SLOE_SPEC_ACT_ROW
};

static const char *const WITHS[SLOE_SPEC_WITH_COUNT] = {
#define SLOE_SPEC_WITH_ROW(id, text, doc) text,
    SLOE_SPEC_WITH_MAP(SLOE_SPEC_WITH_ROW)
#undef SLOE_SPEC_WITH_ROW
};

const char *sloe_spec_op_text(sloe_spec_op op) {
  return (unsigned)op < SLOE_SPEC_OP_COUNT ? OPS[op].text : "unknown";
}

const char *sloe_spec_act_text(sloe_spec_act act) {
  return (unsigned)act < SLOE_SPEC_ACT_COUNT ? ACTS[act] : "unknown";
}

sloe_layer_spec sloe_layer_spec_none(void) {
  return (sloe_layer_spec){.op = SLOE_SPEC_COPY,
                           .n = 1,
                           .c = 1,
                           .h = 1,
                           .w = 1,
                           .k = 1,
                           .kernel = {1, 1},
                           .stride = {1, 1},
                           .dilation = {1, 1},
                           .out = {1, 1},
                           .groups = 1,
                           .parts = 1};
}

int sloe_layer_spec_same(const sloe_layer_spec *a, const sloe_layer_spec *b) {
  for (int d = 0; d < 2; d++)
    if (a->kernel[d] != b->kernel[d] || a->stride[d] != b->stride[d] ||
        a->dilation[d] != b->dilation[d] || a->pad[d] != b->pad[d] || a->out[d] != b->out[d])
      return 0;
  return a->op == b->op && a->n == b->n && a->c == b->c && a->h == b->h && a->w == b->w &&
         a->k == b->k && a->groups == b->groups && a->parts == b->parts && a->act == b->act &&
         a->add == b->add && a->with == b->with && a->linear == b->linear && a->mixed == b->mixed;
}

/* ---- sizes ---- */

static int64_t reach(const sloe_layer_spec *s, int d) {
  return s->dilation[d] * (s->kernel[d] - 1) + 1;
}

static int64_t size_in(const sloe_layer_spec *s, int d) {
  return d == 0 ? s->h : s->w;
}

int64_t sloe_layer_spec_pad_end(const sloe_layer_spec *s, int d) {
  if (s->op == SLOE_SPEC_DECONV)
    return (size_in(s, d) - 1) * s->stride[d] + reach(s, d) - s->pad[d] - s->out[d];
  return (s->out[d] - 1) * s->stride[d] + reach(s, d) - size_in(s, d) - s->pad[d];
}

static int has_window(sloe_spec_op op) {
  return op == SLOE_SPEC_CONV || op == SLOE_SPEC_DECONV || op == SLOE_SPEC_MAXPOOL ||
         op == SLOE_SPEC_AVGPOOL;
}

int sloe_layer_spec_has_window(const sloe_layer_spec *s) {
  return has_window(s->op);
}

static int has_weights(sloe_spec_op op) {
  return op == SLOE_SPEC_CONV || op == SLOE_SPEC_DECONV || op == SLOE_SPEC_FC;
}

static int64_t default_pad(const sloe_layer_spec *s, int d) {
  return s->op == SLOE_SPEC_DECONV ? 0 : s->dilation[d] * (s->kernel[d] - 1) / 2;
}

static int64_t default_out(const sloe_layer_spec *s, int d) {
  if (s->op == SLOE_SPEC_GLOBALPOOL) return 1;
  if (!has_window(s->op)) return size_in(s, d);
  if (s->op == SLOE_SPEC_DECONV)
    return (size_in(s, d) - 1) * s->stride[d] + reach(s, d) - 2 * s->pad[d];
  const int64_t room = size_in(s, d) + 2 * s->pad[d] - reach(s, d);
  return room < 0 ? 0 : room / s->stride[d] + 1;
}

static uint64_t product(const int64_t *factor, size_t n) {
  uint64_t p = 1;
  for (size_t i = 0; i < n; i++) p = sloe_mul_sat(p, (uint64_t)factor[i]);
  return p;
}

uint64_t sloe_layer_spec_in_elements(const sloe_layer_spec *s) {
  const int64_t x[] = {s->n, s->c, s->h, s->w};
  uint64_t in = product(x, 4);
  if (s->op == SLOE_SPEC_SLICE) in = sloe_layer_spec_out_elements(s); /* the rest is not read */
  if (s->op == SLOE_SPEC_MATMUL) in = sloe_add_sat(in, product((int64_t[]){s->n, s->c, s->k}, 3));
  if (s->op == SLOE_SPEC_BINARY) switch (s->with) {
      case SLOE_SPEC_WITH_FULL: in = sloe_mul_sat(in, 2); break;
      case SLOE_SPEC_WITH_CHANNEL: in = sloe_add_sat(in, product(x, 2)); break;
      case SLOE_SPEC_WITH_ROW: in = sloe_add_sat(in, (uint64_t)s->w); break;
      default: in = sloe_add_sat(in, 1);
    }
  return s->add ? sloe_add_sat(in, sloe_layer_spec_out_elements(s)) : in;
}

uint64_t sloe_layer_spec_out_elements(const sloe_layer_spec *s) {
  switch (s->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return product((int64_t[]){s->n, s->k, s->out[0], s->out[1]}, 4);
    case SLOE_SPEC_FC: return product((int64_t[]){s->n, s->k}, 2);
    case SLOE_SPEC_MATMUL: return product((int64_t[]){s->n, s->h, s->k}, 3);
    case SLOE_SPEC_SLICE: return product((int64_t[]){s->n, s->k, s->h, s->w}, 4);
    case SLOE_SPEC_REDUCE: return product((int64_t[]){s->n, s->h, s->w}, 3);
    default: return product((int64_t[]){s->n, s->c, s->out[0], s->out[1]}, 4);
  }
}

uint64_t sloe_layer_spec_macs(const sloe_layer_spec *s) {
  switch (s->op) {
    case SLOE_SPEC_CONV:
      return sloe_mul_sat(sloe_layer_spec_out_elements(s),
                          product((int64_t[]){s->c / s->groups, s->kernel[0], s->kernel[1]}, 3));
    case SLOE_SPEC_DECONV:
      return product(
          (int64_t[]){s->n, s->c, s->h, s->w, s->k / s->groups, s->kernel[0], s->kernel[1]}, 7);
    case SLOE_SPEC_FC: return product((int64_t[]){s->n, s->c, s->k}, 3);
    case SLOE_SPEC_MATMUL: return product((int64_t[]){s->n, s->h, s->c, s->k}, 4);
    default: return 0;
  }
}

uint64_t sloe_layer_spec_weights(const sloe_layer_spec *s) {
  if (s->op == SLOE_SPEC_BATCHNORM) return sloe_mul_sat(2, (uint64_t)s->c);
  if (s->op == SLOE_SPEC_LAYERNORM) return sloe_mul_sat(2, (uint64_t)s->c);
  if (!has_weights(s->op)) return 0;
  const uint64_t w = product((int64_t[]){s->k, s->c / s->groups, s->kernel[0], s->kernel[1]}, 4);
  return sloe_add_sat(w, (uint64_t)s->k);
}

int sloe_layer_spec_is_depthwise(const sloe_layer_spec *s) {
  return (s->op == SLOE_SPEC_CONV || s->op == SLOE_SPEC_DECONV) && s->groups > 1 &&
         s->groups == s->c;
}

/* ---- what is possible ---- */

static sloe_status fail_window(const sloe_layer_spec *s, int d, sloe_error *err) {
  return sloe_fail(err, SLOE_USAGE, "layer: kernel: a window of %lld in an image of %s %lld",
                   (long long)reach(s, d), d == 0 ? "height" : "width", (long long)size_in(s, d));
}

static sloe_status check_window(const sloe_layer_spec *s, int d, sloe_error *err) {
  const int64_t end = sloe_layer_spec_pad_end(s, d);
  if (s->op == SLOE_SPEC_DECONV) {
    if (end <= -s->stride[d] || end > reach(s, d) || s->out[d] < 1)
      return sloe_fail(err, SLOE_USAGE, "layer: out: a %s of %lld cannot come of this deconv",
                       d == 0 ? "height" : "width", (long long)s->out[d]);
    return SLOE_OK;
  }
  if (reach(s, d) > size_in(s, d) + s->pad[d] + (end > 0 ? end : 0)) return fail_window(s, d, err);
  if (s->pad[d] >= reach(s, d) || end >= reach(s, d) || end <= -s->stride[d])
    return sloe_fail(err, SLOE_USAGE,
                     "layer: pad: %lld before and %lld behind do not fit a window of %lld of "
                     "stride %lld",
                     (long long)s->pad[d], (long long)end, (long long)reach(s, d),
                     (long long)s->stride[d]);
  return SLOE_OK;
}

static sloe_status check_sizes(const sloe_layer_spec *s, sloe_error *err) {
  const struct {
    const char *name;
    int64_t value, least;
  } sizes[] = {{"n", s->n, 1},
               {"c", s->c, 1},
               {"h", s->h, 1},
               {"w", s->w, 1},
               {"k", s->k, 1},
               {"kernel", s->kernel[0], 1},
               {"kernel", s->kernel[1], 1},
               {"stride", s->stride[0], 1},
               {"stride", s->stride[1], 1},
               {"dilation", s->dilation[0], 1},
               {"dilation", s->dilation[1], 1},
               {"pad", s->pad[0], 0},
               {"pad", s->pad[1], 0},
               {"out", s->out[0], 1},
               {"out", s->out[1], 1},
               {"groups", s->groups, 1},
               {"parts", s->parts, 1}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].value < sizes[i].least || sizes[i].value > MAX_SIZE)
      return sloe_fail(err, SLOE_USAGE, "layer: %s: %lld is not in %lld..%d", sizes[i].name,
                       (long long)sizes[i].value, (long long)sizes[i].least, MAX_SIZE);
  return SLOE_OK;
}

/* Products read rows, not images. */
static sloe_status check_rows(const sloe_layer_spec *s, sloe_error *err) {
  if (s->op == SLOE_SPEC_FC && s->h > 1)
    return sloe_fail(err, SLOE_USAGE, "layer: h: fc reads n rows of c, no h of %lld",
                     (long long)s->h);
  if ((s->op == SLOE_SPEC_FC || s->op == SLOE_SPEC_MATMUL) && s->w > 1)
    return sloe_fail(err, SLOE_USAGE, "layer: w: %s reads rows of c, no w of %lld", OPS[s->op].text,
                     (long long)s->w);
  return SLOE_OK;
}

sloe_status sloe_layer_spec_check(const sloe_layer_spec *s, sloe_error *err) {
  if ((unsigned)s->op >= SLOE_SPEC_OP_COUNT || (unsigned)s->act >= SLOE_SPEC_ACT_COUNT ||
      (unsigned)s->with >= SLOE_SPEC_WITH_COUNT)
    return sloe_fail(err, SLOE_USAGE, "layer: op %d, act %d or with %d is not known", (int)s->op,
                     (int)s->act, (int)s->with);
  SLOE_TRY(check_sizes(s, err));
  if (s->c % s->groups || (s->groups > 1 && s->k % s->groups))
    return sloe_fail(err, SLOE_USAGE, "layer: groups: %lld do not divide c=%lld and k=%lld",
                     (long long)s->groups, (long long)s->c, (long long)s->k);
  if (s->op == SLOE_SPEC_CONCAT && s->parts > s->c)
    return sloe_fail(err, SLOE_USAGE, "layer: parts: %lld of %lld channels", (long long)s->parts,
                     (long long)s->c);
  if (s->op == SLOE_SPEC_CONCAT && s->mixed && s->parts < 2)
    return sloe_fail(err, SLOE_USAGE, "layer: mixed: there is one part");
  if (s->op == SLOE_SPEC_SLICE && s->k >= s->c)
    return sloe_fail(err, SLOE_USAGE, "layer: k: %lld of %lld channels are no slice",
                     (long long)s->k, (long long)s->c);
  if (s->op == SLOE_SPEC_ACTIVATION && !s->act)
    return sloe_fail(err, SLOE_USAGE, "layer: act: an activation needs one");
  SLOE_TRY(check_rows(s, err));
  for (int d = 0; d < 2 && has_window(s->op); d++) SLOE_TRY(check_window(s, d, err));
  return SLOE_OK;
}

/* ---- text ---- */

/* Is `key` a word of the list? */
static int is_listed(const char *list, const char *key, size_t len) {
  for (const char *s = list; *s;) {
    const size_t n = strcspn(s, " ");
    if (n == len && !memcmp(s, key, len)) return 1;
    s += n + (s[n] == ' ');
  }
  return 0;
}

static int takes(sloe_spec_op op, const char *key) {
  return is_listed("n c h w", key, strlen(key)) || is_listed(OPS[op].keys, key, strlen(key));
}

typedef struct printer {
  char *at, *end;
} printer;

static void put(printer *p, const char *fmt, ...) SLOE_PRINTF(2, 3);

static void put(printer *p, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  const int n = vsnprintf(p->at, (size_t)(p->end - p->at), fmt, ap);
  va_end(ap);
  if (n > 0) p->at += n < p->end - p->at ? n : p->end - p->at - 1;
}

static void put_int(printer *p, const char *key, int64_t value, int64_t usual) {
  if (value != usual) put(p, ",%s=%lld", key, (long long)value);
}

static void put_pair(printer *p, const char *key, const int64_t value[2], int64_t first,
                     int64_t second) {
  if (value[0] == first && value[1] == second) return;
  if (value[0] == value[1])
    put(p, ",%s=%lld", key, (long long)value[0]);
  else
    put(p, ",%s=%lldx%lld", key, (long long)value[0], (long long)value[1]);
}

const char *sloe_layer_spec_print(const sloe_layer_spec *s, char buf[SLOE_SPEC_TEXT]) {
  printer p = {buf, buf + SLOE_SPEC_TEXT};
  const sloe_spec_op op = s->op;
  put(&p, "zoo:layer,op=%s", sloe_spec_op_text(op));
  put_int(&p, "n", s->n, 1);
  put_int(&p, "c", s->c, 1);
  put_int(&p, "h", s->h, 1);
  put_int(&p, "w", s->w, 1);
  if (takes(op, "k")) put_int(&p, "k", s->k, s->c);
  if (takes(op, "kernel")) put_pair(&p, "kernel", s->kernel, 1, 1);
  if (takes(op, "stride")) put_pair(&p, "stride", s->stride, 1, 1);
  if (takes(op, "pad")) put_pair(&p, "pad", s->pad, default_pad(s, 0), default_pad(s, 1));
  if (takes(op, "dilation")) put_pair(&p, "dilation", s->dilation, 1, 1);
  if (takes(op, "out")) put_pair(&p, "out", s->out, default_out(s, 0), default_out(s, 1));
  if (takes(op, "groups")) put_int(&p, "groups", s->groups, 1);
  if (takes(op, "parts")) put_int(&p, "parts", s->parts, 1);
  if (takes(op, "act") && s->act) put(&p, ",act=%s", ACTS[s->act]);
  if (takes(op, "add")) put_int(&p, "add", s->add, 0);
  if (takes(op, "with") && s->with) put(&p, ",with=%s", WITHS[s->with]);
  if (takes(op, "linear")) put_int(&p, "linear", s->linear, 0);
  if (takes(op, "mixed")) put_int(&p, "mixed", s->mixed, 0);
  return buf;
}

typedef struct token { /* key=value */
  const char *key, *value;
  size_t key_len, value_len;
} token;

static int cut(size_t len) {
  return len > 40 ? 40 : (int)len;
}

static sloe_status bad_value(const token *t, const char *rule, sloe_error *err) {
  return sloe_fail(err, SLOE_USAGE, "layer: %.*s: '%.*s' is not %s", cut(t->key_len), t->key,
                   cut(t->value_len), t->value, rule);
}

static sloe_status read_int(const token *t, int64_t *out, sloe_error *err) {
  if (!sloe_parse_int(t->value, t->value_len, out) || *out < 0 || *out > MAX_SIZE)
    return bad_value(t, "a whole number up to 2^30", err);
  return SLOE_OK;
}

static sloe_status read_pair(const token *t, int64_t out[2], sloe_error *err) {
  const char *x = memchr(t->value, 'x', t->value_len);
  const size_t first = x ? (size_t)(x - t->value) : t->value_len;
  const token a = {t->key, t->value, t->key_len, first};
  SLOE_TRY(read_int(&a, &out[0], err));
  out[1] = out[0];
  if (!x) return SLOE_OK;
  const token b = {t->key, x + 1, t->key_len, t->value_len - first - 1};
  return read_int(&b, &out[1], err);
}

static sloe_status read_name(const token *t, const char *const *names, size_t n, int *out,
                             sloe_error *err) {
  for (size_t i = 0; i < n; i++)
    if (strlen(names[i]) == t->value_len && !memcmp(names[i], t->value, t->value_len)) {
      *out = (int)i;
      return SLOE_OK;
    }
  return bad_value(t, "known", err);
}

static sloe_status read_flag(const token *t, int *out, sloe_error *err) {
  if (t->value_len != 1 || (t->value[0] != '0' && t->value[0] != '1'))
    return bad_value(t, "0 or 1", err);
  *out = t->value[0] == '1';
  return SLOE_OK;
}

enum {
  KEY_OP,
  KEY_N,
  KEY_C,
  KEY_H,
  KEY_W,
  KEY_K,
  KEY_KERNEL,
  KEY_STRIDE,
  KEY_DILATION,
  KEY_PAD,
  KEY_OUT,
  KEY_GROUPS,
  KEY_PARTS,
  KEY_ACT,
  KEY_ADD,
  KEY_WITH,
  KEY_LINEAR,
  KEY_MIXED,
  KEY_COUNT
};
static const char *const KEYS[KEY_COUNT] = {
    "op",  "n",   "c",      "h",     "w",   "k",   "kernel", "stride", "dilation",
    "pad", "out", "groups", "parts", "act", "add", "with",   "linear", "mixed"};

static sloe_status read_op(const token *t, sloe_layer_spec *s, sloe_error *err) {
  for (int op = 0; op < SLOE_SPEC_OP_COUNT; op++)
    if (strlen(OPS[op].text) == t->value_len && !memcmp(OPS[op].text, t->value, t->value_len)) {
      s->op = (sloe_spec_op)op;
      return SLOE_OK;
    }
  return bad_value(t, "an op", err);
}

static sloe_status read_key(const token *t, int key, sloe_layer_spec *s, sloe_error *err) {
  int index = 0;
  switch (key) {
    case KEY_OP: return read_op(t, s, err);
    case KEY_N: return read_int(t, &s->n, err);
    case KEY_C: return read_int(t, &s->c, err);
    case KEY_H: return read_int(t, &s->h, err);
    case KEY_W: return read_int(t, &s->w, err);
    case KEY_K: return read_int(t, &s->k, err);
    case KEY_KERNEL: return read_pair(t, s->kernel, err);
    case KEY_STRIDE: return read_pair(t, s->stride, err);
    case KEY_DILATION: return read_pair(t, s->dilation, err);
    case KEY_PAD: return read_pair(t, s->pad, err);
    case KEY_OUT: return read_pair(t, s->out, err);
    case KEY_GROUPS: return read_int(t, &s->groups, err);
    case KEY_PARTS: return read_int(t, &s->parts, err);
    case KEY_ACT:
      SLOE_TRY(read_name(t, ACTS, SLOE_SPEC_ACT_COUNT, &index, err));
      s->act = (sloe_spec_act)index;
      return SLOE_OK;
    case KEY_WITH:
      SLOE_TRY(read_name(t, WITHS, SLOE_SPEC_WITH_COUNT, &index, err));
      s->with = (sloe_spec_with)index;
      return SLOE_OK;
    case KEY_ADD: return read_flag(t, &s->add, err);
    case KEY_LINEAR: return read_flag(t, &s->linear, err);
    default: return read_flag(t, &s->mixed, err);
  }
}

static int find_key(const token *t) {
  for (int i = 0; i < KEY_COUNT; i++)
    if (strlen(KEYS[i]) == t->key_len && !memcmp(KEYS[i], t->key, t->key_len)) return i;
  return KEY_COUNT;
}

/* Splits off the next "key=value". */
static sloe_status next_token(const char **text, token *t, sloe_error *err) {
  const size_t len = strcspn(*text, ",");
  const char *equals = memchr(*text, '=', len);
  if (!equals) return sloe_fail(err, SLOE_USAGE, "layer: '%.*s' is no key=value", cut(len), *text);
  *t = (token){*text, equals + 1, (size_t)(equals - *text), len - (size_t)(equals - *text) - 1};
  *text += len + ((*text)[len] == ',');
  return SLOE_OK;
}

/* What is broadcast by nothing is of the same shape, what has one element is a scalar. */
static void settle_with(sloe_layer_spec *s) {
  const uint64_t all = product((int64_t[]){s->n, s->c, s->h, s->w}, 4);
  const uint64_t some = s->with == SLOE_SPEC_WITH_FULL      ? all
                        : s->with == SLOE_SPEC_WITH_CHANNEL ? product((int64_t[]){s->n, s->c}, 2)
                        : s->with == SLOE_SPEC_WITH_ROW     ? (uint64_t)s->w
                                                            : 1;
  if (some == all)
    s->with = SLOE_SPEC_WITH_FULL;
  else if (some == 1)
    s->with = SLOE_SPEC_WITH_SCALAR;
}

static sloe_status fill_defaults(sloe_layer_spec *s, unsigned seen, sloe_error *err) {
  for (int key = KEY_K; key < KEY_COUNT; key++)
    if (seen >> key & 1 && !takes(s->op, KEYS[key]))
      return sloe_fail(err, SLOE_USAGE, "layer: %s takes no '%s'", OPS[s->op].text, KEYS[key]);
  if (!(seen >> KEY_K & 1)) s->k = s->c;
  SLOE_TRY(check_sizes(s, err)); /* before anything is divided */
  for (int d = 0; d < 2; d++) {
    if (has_window(s->op) && !(seen >> KEY_PAD & 1)) s->pad[d] = default_pad(s, d);
    if (seen >> KEY_OUT & 1) continue;
    s->out[d] = default_out(s, d);
    if (s->out[d] < 1 && s->op != SLOE_SPEC_DECONV) return fail_window(s, d, err);
  }
  if (s->op == SLOE_SPEC_BINARY) settle_with(s);
  return sloe_layer_spec_check(s, err);
}

sloe_status sloe_layer_spec_parse(const char *text, sloe_layer_spec *out, sloe_error *err) {
  static const char prefix[] = "zoo:layer,";
  sloe_layer_spec s = sloe_layer_spec_none();
  unsigned seen = 0;
  *out = s;
  if (!strncmp(text, prefix, sizeof prefix - 1)) text += sizeof prefix - 1;
  do {
    token t = {0};
    SLOE_TRY(next_token(&text, &t, err));
    const int key = find_key(&t);
    if (key == KEY_COUNT)
      return sloe_fail(err, SLOE_USAGE, "layer: key '%.*s' is not known", cut(t.key_len), t.key);
    if (seen >> key & 1) return sloe_fail(err, SLOE_USAGE, "layer: '%s' stands twice", KEYS[key]);
    seen |= 1u << key;
    SLOE_TRY(read_key(&t, key, &s, err));
  } while (*text);
  if (!(seen & 1)) return sloe_fail(err, SLOE_USAGE, "layer: 'op' is missing");
  SLOE_TRY(fill_defaults(&s, seen, err));
  *out = s;
  return SLOE_OK;
}
