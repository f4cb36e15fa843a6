/* zoo_layer.c: "zoo:layer,op=...": the network of just that layer.
 *
 * Fused again it gives back the spec that it was made of, under every runtime that fuses such an
 * activation or addition; where a runtime does not, it is two layers there. Whatever a layer reads
 * is an input of the graph: nothing can be folded away. */
#include <string.h>

#include "base/error.h"
#include "zoo/zoo_family.h"

enum { MOST_PARTS = 1000 };

typedef sloe_zoo_builder builder;
typedef sloe_layer_spec spec;

static sloe_tid input4(builder *b, const char *name, int64_t n, int64_t c, int64_t h, int64_t w) {
  return sloe_zoo_input(b, name, 4, (int64_t[]){n, c, h, w});
}

static sloe_tid input_of(builder *b, const spec *s) {
  return input4(b, "x", s->n, s->c, s->h, s->w);
}

/* ---- windows ---- */

enum { WINDOW_ATTRS = 4 };
typedef struct window {
  int64_t pads[4], more[2]; /* more: output_padding of a deconv */
} window;

/* What does not fit a window is left out at the end: no pad there, or rows that nothing wrote. */
static window window_of(const spec *s) {
  window w = {{s->pad[0], s->pad[1]}, {0}};
  for (int d = 0; d < 2; d++) {
    const int64_t end = sloe_layer_spec_pad_end(s, d);
    if (end > 0) w.pads[2 + d] = end;
    if (end < 0) w.more[d] = -end;
  }
  return w;
}

static void window_attrs(const spec *s, const window *w, sloe_attr attrs[WINDOW_ATTRS]) {
  attrs[0] = sloe_zoo_attr_ints("kernel_shape", 2, s->kernel);
  attrs[1] = sloe_zoo_attr_ints("strides", 2, s->stride);
  attrs[2] = sloe_zoo_attr_ints("dilations", 2, s->dilation);
  attrs[3] = sloe_zoo_attr_ints("pads", 4, w->pads);
}

static sloe_tid conv(builder *b, const spec *s) {
  const window w = window_of(s);
  const int turned = s->op == SLOE_SPEC_DECONV;
  sloe_attr attrs[WINDOW_ATTRS + 2];
  window_attrs(s, &w, attrs);
  attrs[4] = sloe_zoo_attr_int("group", s->groups);
  attrs[5] = sloe_zoo_attr_ints("output_padding", 2, w.more);
  const int64_t shape[] = {turned ? s->c : s->k, (turned ? s->k : s->c) / s->groups, s->kernel[0],
                           s->kernel[1]};
  const sloe_tid x = input_of(b, s), weight = sloe_zoo_weight(b, 4, shape);
  const sloe_tid in[] = {x, weight, sloe_zoo_weight(b, 1, &s->k)};
  return turned ? sloe_zoo_node(b, SLOE_OP_CONV_TRANSPOSE, in, 3, attrs, 6)
                : sloe_zoo_node(b, SLOE_OP_CONV, in, 3, attrs, 5);
}

static sloe_tid pool(builder *b, const spec *s) {
  const window w = window_of(s);
  sloe_attr attrs[WINDOW_ATTRS];
  const sloe_tid x = input_of(b, s);
  window_attrs(s, &w, attrs);
  return sloe_zoo_node(b, s->op == SLOE_SPEC_MAXPOOL ? SLOE_OP_MAX_POOL : SLOE_OP_AVERAGE_POOL, &x,
                       1, attrs, WINDOW_ATTRS);
}

/* ---- products ---- */

static sloe_tid fc(builder *b, const spec *s) {
  const sloe_attr turned = sloe_zoo_attr_int("transB", 1);
  const sloe_tid x = sloe_zoo_input(b, "x", 2, (int64_t[]){s->n, s->c});
  const sloe_tid weight = sloe_zoo_weight(b, 2, (int64_t[]){s->k, s->c});
  const sloe_tid in[] = {x, weight, sloe_zoo_weight(b, 1, &s->k)};
  return sloe_zoo_node(b, SLOE_OP_GEMM, in, 3, &turned, 1);
}

/* An input that is only ever a right operand would be taken for weights: it comes through a view.
 */
static sloe_tid matmul(builder *b, const spec *s) {
  const int64_t right[] = {s->n, s->c, s->k};
  const sloe_tid x = sloe_zoo_input(b, "x", 3, (int64_t[]){s->n, s->h, s->c});
  const sloe_tid y = sloe_zoo_input(b, "y", 3, right);
  const sloe_tid shape = sloe_zoo_ints(b, 3, right);
  const sloe_tid view = sloe_zoo_node(b, SLOE_OP_RESHAPE, (sloe_tid[]){y, shape}, 2, NULL, 0);
  return sloe_zoo_node(b, SLOE_OP_MATMUL, (sloe_tid[]){x, view}, 2, NULL, 0);
}

/* ---- element by element, along one axis ---- */

static sloe_tid simple(builder *b, const spec *s, sloe_op op) {
  const sloe_tid x = input_of(b, s);
  return sloe_zoo_node(b, op, &x, 1, NULL, 0);
}

static sloe_tid along_channels(builder *b, const spec *s, sloe_op op) {
  const sloe_attr axis = sloe_zoo_attr_int("axis", 1);
  const sloe_tid x = input_of(b, s);
  return sloe_zoo_node(b, op, &x, 1, &axis, 1);
}

static sloe_tid batchnorm(builder *b, const spec *s) {
  sloe_tid in[5] = {input_of(b, s), -1, -1, -1, -1};
  for (int i = 1; i < 5; i++) in[i] = sloe_zoo_weight(b, 1, &s->c);
  return sloe_zoo_node(b, SLOE_OP_BATCH_NORM, in, 5, NULL, 0);
}

/* LayerNormalization takes all that is behind its axis; across an image there is LpNormalization.
 */
static sloe_tid layernorm(builder *b, const spec *s) {
  if (s->h * s->w > 1) return along_channels(b, s, SLOE_OP_LP_NORM);
  const sloe_attr axis = sloe_zoo_attr_int("axis", -1);
  const sloe_tid x = sloe_zoo_input(b, "x", 2, (int64_t[]){s->n, s->c});
  const sloe_tid scale = sloe_zoo_weight(b, 1, &s->c);
  const sloe_tid in[] = {x, scale, sloe_zoo_weight(b, 1, &s->c)};
  return sloe_zoo_node(b, SLOE_OP_LAYER_NORM, in, 3, &axis, 1);
}

static sloe_tid lrn(builder *b, const spec *s) {
  const sloe_attr size = sloe_zoo_attr_int("size", 5);
  const sloe_tid x = input_of(b, s);
  return sloe_zoo_node(b, SLOE_OP_LRN, &x, 1, &size, 1);
}

/* A swish alone is one op here: com.microsoft has it. */
static sloe_tid activation(builder *b, const spec *s) {
  if (s->act == SLOE_SPEC_ACT_SWISH) return simple(b, s, SLOE_OP_MS_QUICK_GELU);
  return sloe_zoo_act(b, input_of(b, s), s->act);
}

static sloe_tid second_operand(builder *b, const spec *s) {
  switch (s->with) {
    case SLOE_SPEC_WITH_FULL: return input4(b, "y", s->n, s->c, s->h, s->w);
    case SLOE_SPEC_WITH_CHANNEL: return input4(b, "y", s->n, s->c, 1, 1);
    case SLOE_SPEC_WITH_ROW: return sloe_zoo_input(b, "y", 1, &s->w);
    default: return sloe_zoo_input(b, "y", 1, (int64_t[]){1});
  }
}

static sloe_tid binary(builder *b, const spec *s) {
  const sloe_tid x = input_of(b, s);
  return sloe_zoo_node(b, SLOE_OP_ADD, (sloe_tid[]){x, second_operand(b, s)}, 2, NULL, 0);
}

static sloe_tid reduce(builder *b, const spec *s) {
  const int64_t axis = 1;
  const sloe_attr axes = sloe_zoo_attr_ints("axes", 1, &axis);
  const sloe_tid x = input_of(b, s);
  return sloe_zoo_node(b, SLOE_OP_REDUCE_MEAN, &x, 1, &axes, 1);
}

static sloe_tid resize(builder *b, const spec *s) {
  const sloe_attr mode = sloe_zoo_attr_text("mode", s->linear ? "linear" : "nearest");
  const sloe_tid x = input_of(b, s);
  const sloe_tid sizes = sloe_zoo_ints(b, 4, (int64_t[]){s->n, s->c, s->out[0], s->out[1]});
  return sloe_zoo_node(b, SLOE_OP_RESIZE, (sloe_tid[]){x, -1, -1, sizes}, 4, &mode, 1);
}

/* ---- moves ---- */

static sloe_tid layout(builder *b, const char *what) {
  b->status = sloe_fail(b->err, SLOE_UNSUPPORTED,
                        "layer: %s: layouts are chosen by the runtime, no network holds one", what);
  return -1;
}

/* Equal parts; the first ones are a channel wider where they cannot be. */
static sloe_tid concat(builder *b, const spec *s) {
  const sloe_attr axis = sloe_zoo_attr_int("axis", 1);
  sloe_tid in[MOST_PARTS];
  if (s->mixed) return layout(b, "mixed=1");
  if (s->parts > MOST_PARTS) {
    b->status = sloe_fail(b->err, SLOE_UNSUPPORTED, "layer: parts: %lld, at most %d can be built",
                          (long long)s->parts, MOST_PARTS);
    return -1;
  }
  for (int64_t i = 0; i < s->parts; i++)
    in[i] = sloe_zoo_input(b, NULL, 4,
                           (int64_t[]){s->n, s->c / s->parts + (i < s->c % s->parts), s->h, s->w});
  return sloe_zoo_node(b, SLOE_OP_CONCAT, in, (size_t)s->parts, &axis, 1);
}

static sloe_tid slice(builder *b, const spec *s) {
  const int64_t start = 0, axis = 1;
  const sloe_tid x = input_of(b, s), from = sloe_zoo_ints(b, 1, &start);
  const sloe_tid to = sloe_zoo_ints(b, 1, &s->k);
  return sloe_zoo_node(b, SLOE_OP_SLICE, (sloe_tid[]){x, from, to, sloe_zoo_ints(b, 1, &axis)}, 4,
                       NULL, 0);
}

/* From channels last to channels first: what comes out is n x c x h x w. */
static sloe_tid transpose(builder *b, const spec *s) {
  const int64_t order[] = {0, 3, 1, 2};
  const sloe_attr perm = sloe_zoo_attr_ints("perm", 4, order);
  const sloe_tid x = input4(b, "x", s->n, s->h, s->w, s->c);
  return sloe_zoo_node(b, SLOE_OP_TRANSPOSE, &x, 1, &perm, 1);
}

/* A Pad by nothing moves everything. */
static sloe_tid copy(builder *b, const spec *s) {
  const int64_t none[8] = {0};
  const sloe_tid x = input_of(b, s);
  return sloe_zoo_node(b, SLOE_OP_PAD, (sloe_tid[]){x, sloe_zoo_ints(b, 8, none)}, 2, NULL, 0);
}

static sloe_tid build_op(builder *b, const spec *s) {
  switch (s->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return conv(b, s);
    case SLOE_SPEC_FC: return fc(b, s);
    case SLOE_SPEC_MATMUL: return matmul(b, s);
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL: return pool(b, s);
    case SLOE_SPEC_GLOBALPOOL: return simple(b, s, SLOE_OP_GLOBAL_AVERAGE_POOL);
    case SLOE_SPEC_BATCHNORM: return batchnorm(b, s);
    case SLOE_SPEC_LAYERNORM: return layernorm(b, s);
    case SLOE_SPEC_LRN: return lrn(b, s);
    case SLOE_SPEC_ACTIVATION: return activation(b, s);
    case SLOE_SPEC_BINARY: return binary(b, s);
    case SLOE_SPEC_SOFTMAX: return along_channels(b, s, SLOE_OP_SOFTMAX);
    case SLOE_SPEC_REDUCE: return reduce(b, s);
    case SLOE_SPEC_RESIZE: return resize(b, s);
    case SLOE_SPEC_CONCAT: return concat(b, s);
    case SLOE_SPEC_SLICE: return slice(b, s);
    case SLOE_SPEC_TRANSPOSE: return transpose(b, s);
    case SLOE_SPEC_COPY: return copy(b, s);
    default: return layout(b, "op=reorder");
  }
}

/* A second tensor of the output's shape, by the name of `z`. */
static sloe_tid add_residual(builder *b, const spec *s, sloe_tid t) {
  sloe_tid z;
  if (s->op == SLOE_SPEC_FC)
    z = sloe_zoo_input(b, "z", 2, (int64_t[]){s->n, s->k});
  else if (s->op == SLOE_SPEC_MATMUL)
    z = sloe_zoo_input(b, "z", 3, (int64_t[]){s->n, s->h, s->k});
  else
    z = input4(b, "z", s->n, s->k, s->out[0], s->out[1]);
  return sloe_zoo_node(b, SLOE_OP_ADD, (sloe_tid[]){t, z}, 2, NULL, 0);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const int64_t batch = call->batch;
  spec s;
  SLOE_TRY(sloe_layer_spec_parse(call->args, &s, b->err));
  if (batch > INT32_MAX / s.n)
    return sloe_fail(b->err, SLOE_USAGE, "layer: n: %lld times a batch of %lld", (long long)s.n,
                     (long long)batch);
  s.n *= batch;
  SLOE_TRY(sloe_layer_spec_check(&s, b->err));
  sloe_tid t = build_op(b, &s);
  if (s.add) t = add_residual(b, &s, t);
  if (s.op != SLOE_SPEC_ACTIVATION) t = sloe_zoo_act(b, t, s.act);
  sloe_zoo_output(b, t);
  return b->status;
}

#define WHOLE(key, standard, text) \
  { .name = key, .doc = text, .fallback = standard, .least = 1, .most = 1 << 30 }
#define PAIR(key, standard, text) \
  { .name = key, .doc = text, .takes = SLOE_ZOO_TEXT, .fallback = standard }
#define OP_WORD(id, text, keys, doc) "|" text
#define ACT_WORD(id, text)           "|" text
#define WITH_WORD(id, text, doc)     "|" text

/* As net/layer_spec.h says; each op takes some of them. */
static const sloe_zoo_key KEYS[] = {
    {.name = "op",
     .doc = "what the layer does",
     .takes = SLOE_ZOO_WORD,
     .words = SLOE_SPEC_OP_MAP(OP_WORD) + 1},
    WHOLE("n", "1", "images"),
    WHOLE("c", "1", "channels that are read"),
    WHOLE("h", "1", "height that is read"),
    WHOLE("w", "1", "width that is read"),
    WHOLE("k", "", "channels, units or columns that are written; c"),
    PAIR("kernel", "1", "3, or height x width"),
    PAIR("stride", "1", "of the windows"),
    PAIR("pad", "", "rows of zeros before; keeps the size at stride 1"),
    PAIR("dilation", "1", "of the windows"),
    PAIR("out", "", "height and width that are written"),
    WHOLE("groups", "1", "of a convolution"),
    WHOLE("parts", "1", "of a concat"),
    {.name = "act",
     .doc = "the activation behind it",
     .takes = SLOE_ZOO_WORD,
     .fallback = "none",
     .words = SLOE_SPEC_ACT_MAP(ACT_WORD) + 1},
    {.name = "add", .doc = "1: a tensor like the output is added", .fallback = "0", .most = 1},
    {.name = "with",
     .doc = "the second operand of a binary",
     .takes = SLOE_ZOO_WORD,
     .fallback = "full",
     .words = SLOE_SPEC_WITH_MAP(WITH_WORD) + 1},
    {.name = "linear", .doc = "of a resize: 1 linear, 0 nearest", .fallback = "0", .most = 1},
    {.name = "mixed",
     .doc = "of a concat: 1: the first part lies plain, another in blocks",
     .fallback = "0",
     .most = 1},
};

const sloe_zoo_entry sloe_zoo_family_layer = {
    {"layer", "one layer by itself; each op takes some of the keys", KEYS, SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    1};
