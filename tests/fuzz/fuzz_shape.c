/* fuzz_shape: a small net is made of the bytes: any operators, attributes, shapes and constants,
 * subgraphs too. Whatever comes, finishing it
 *  - gives a status that the error repeats, and a reason of one line on refusal;
 *  - gives the same twice: status, message, every shape and every total;
 *  - leaves no dim below "unknown", no share outside 0..1, no infinite feature;
 *  - lets every rule set fuse it, and no layer has more work than the whole net;
 *  - keeps to its memory limit, also when memory runs out on the way.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "net/net.h"

enum { MOST_NODES = 24, DEEPEST = 3, MEMORY = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

typedef struct maker {
  const uint8_t *p, *end;
  sloe_net *net;
  sloe_error err;
} maker;

static void require(int holds, const char *what, const sloe_error *err) {
  if (holds) return;
  fprintf(stderr, "property broken: %s; status %d, '%s'\n", what, (int)err->code, err->msg);
  abort();
}

static unsigned byte(maker *m) {
  return m->p < m->end ? *m->p++ : 0;
}

static int64_t number(maker *m) {
  static const int64_t odd[] = {0,
                                1,
                                2,
                                3,
                                4,
                                7,
                                8,
                                16,
                                32,
                                224,
                                -1,
                                -2,
                                -3,
                                -8,
                                65535,
                                65536,
                                65537,
                                INT32_MAX,
                                INT32_MIN,
                                (int64_t)1 << 31,
                                (int64_t)1 << 32,
                                (int64_t)1 << 62,
                                INT64_MAX,
                                INT64_MIN,
                                INT64_MIN + 1};
  unsigned b = byte(m);
  if (b < 128) return b % 9;
  return odd[b % (sizeof odd / sizeof *odd)];
}

static double real_number(maker *m) {
  static const double odd[] = {0, 1, 2, 0.5, -1, 1e-30, 1e30, 9.3e18, 0.1, 3};
  unsigned b = byte(m) % 14;
  return b < 10 ? odd[b] : b == 10 ? (double)INFINITY : b == 11 ? (double)NAN : (double)number(m);
}

static void *room(maker *m, size_t n, size_t size) {
  return sloe_arena_alloc(&m->net->arena, n, size);
}

static sloe_shape some_shape(maker *m) {
  sloe_shape s = {.rank = (int)(byte(m) % 10) - 1};
  if (s.rank > SLOE_MAX_RANK) s.rank = 4;
  for (int k = 0; k < s.rank; k++) {
    s.dim[k] = number(m);
    if (s.dim[k] < SLOE_DIM_UNKNOWN) s.dim[k] = 5;
  }
  return s;
}

static sloe_tid add_tensor(maker *m) {
  sloe_tid t = -1;
  char name[24];
  snprintf(name, sizeof name, "t%zu", m->net->n_tensors);
  return sloe_net_add_tensor(m->net, name, &t, &m->err) == SLOE_OK ? t : -1;
}

/* As a reader leaves an initializer: the shape is known, and agrees with the contents. */
static sloe_tid add_constant(maker *m) {
  static const sloe_dtype types[] = {SLOE_DT_INT64, SLOE_DT_FLOAT,  SLOE_DT_INT32, SLOE_DT_BOOL,
                                     SLOE_DT_UINT8, SLOE_DT_DOUBLE, SLOE_DT_INT64, SLOE_DT_INT64};
  sloe_tid id = add_tensor(m);
  if (id < 0) return -1;
  sloe_tensor *t = &m->net->tensors[id];
  t->flags |= SLOE_T_INIT | SLOE_T_CONST;
  t->dtype = types[byte(m) % 8];
  unsigned form = byte(m) % 8;
  if (form == 7) {
    t->shape = some_shape(m);
    if (t->shape.rank < 0) t->shape.rank = 0;
    for (int k = 0; k < t->shape.rank; k++)
      if (t->shape.dim[k] < 0) t->shape.dim[k] = 3;
    return id;
  }
  t->shape = (sloe_shape){.rank = form == 0 ? 0 : form == 6 ? 2 : 1, .dim = {form, 2}};
  sloe_value *v = room(m, 1, sizeof *v);
  size_t n = (size_t)sloe_shape_elements(&t->shape);
  if (!v) return -1;
  *v = (sloe_value){.n = n, .real = sloe_dtype_is_float(t->dtype)};
  if (v->real)
    v->f = room(m, n, sizeof *v->f);
  else
    v->i = room(m, n, sizeof *v->i);
  for (size_t k = 0; k < n && (v->i || v->f); k++) {
    if (v->real)
      v->f[k] = real_number(m);
    else
      v->i[k] = number(m);
  }
  if (v->i || v->f) t->value = v;
  return id;
}

/* A tensor of before, a new constant, or none. */
static sloe_tid some_tensor(maker *m) {
  unsigned b = byte(m);
  size_t n = m->net->n_tensors;
  if (b >= 250) return -1;
  if (b >= 150 || n == 0) return add_constant(m);
  return b < 100 ? (sloe_tid)(n - 1 - b % (n < 6 ? n : 6)) : (sloe_tid)(b % n);
}

static void add_nodes(maker *m, sloe_graph *graph, size_t n, int depth);

static sloe_graph *some_graph(maker *m, int depth) {
  sloe_graph *g = room(m, 1, sizeof *g);
  if (!g) return NULL;
  g->name = "sub";
  for (unsigned k = byte(m) % 5; k > 0; k--) {
    sloe_tid t = add_tensor(m);
    if (t < 0) return NULL;
    m->net->tensors[t].flags |= SLOE_T_LOCAL;
    if (sloe_graph_add_input(m->net, g, t, &m->err) != SLOE_OK) return NULL;
    m->net->tensors[t].flags &= ~(unsigned)SLOE_T_INPUT;
  }
  add_nodes(m, g, byte(m) % 5, depth + 1);
  for (unsigned k = byte(m) % 5; k > 0; k--) {
    sloe_tid t = some_tensor(m);
    if (t < 0 || sloe_graph_add_output(m->net, g, t, &m->err) != SLOE_OK) break;
    m->net->tensors[t].flags &= ~(unsigned)SLOE_T_OUTPUT;
  }
  return g;
}

static void fill_ints(maker *m, sloe_attr *a) {
  a->n = byte(m) % 10;
  int64_t *v = room(m, a->n, sizeof *v);
  for (size_t k = 0; v && k < a->n; k++) v[k] = number(m);
  if (!v) a->n = 0;
  a->ints = v;
}

static void fill_floats(maker *m, sloe_attr *a) {
  a->n = byte(m) % 6;
  double *v = room(m, a->n, sizeof *v);
  for (size_t k = 0; v && k < a->n; k++) v[k] = real_number(m);
  if (!v) a->n = 0;
  a->floats = v;
}

static sloe_attr some_attr(maker *m) {
  static const char *const names[] = {"allowzero",
                                      "auto_pad",
                                      "axes",
                                      "axis",
                                      "batch_dims",
                                      "block_shape",
                                      "blocksize",
                                      "broadcast",
                                      "ceil_mode",
                                      "channels_last",
                                      "coordinate_transformation_mode",
                                      "dilations",
                                      "direction",
                                      "dtype",
                                      "end",
                                      "ends",
                                      "equation",
                                      "fmod",
                                      "group",
                                      "height_scale",
                                      "hidden_size",
                                      "image_shape",
                                      "k",
                                      "keep_aspect_ratio_policy",
                                      "keepdims",
                                      "kernel_shape",
                                      "largest",
                                      "layout",
                                      "mode",
                                      "noop_with_empty_axes",
                                      "num_scan_inputs",
                                      "num_outputs",
                                      "onesided",
                                      "output_height",
                                      "output_padding",
                                      "output_shape",
                                      "output_width",
                                      "paddings",
                                      "pads",
                                      "perm",
                                      "pooled_shape",
                                      "reduction",
                                      "repeats",
                                      "sample_size",
                                      "scales",
                                      "scan_input_axes",
                                      "scan_output_axes",
                                      "shape",
                                      "size",
                                      "spatial",
                                      "split",
                                      "start",
                                      "starts",
                                      "steps",
                                      "strides",
                                      "to",
                                      "transA",
                                      "transB",
                                      "value",
                                      "value_ints",
                                      "value_int",
                                      "value_floats",
                                      "width_scale"};
  static const char *const texts[] = {"SAME_UPPER",
                                      "SAME_LOWER",
                                      "VALID",
                                      "constant",
                                      "edge",
                                      "reflect",
                                      "wrap",
                                      "half_pixel",
                                      "not_larger",
                                      "ij,jk->ik",
                                      "...ij,...jk->...ik",
                                      "ii->i",
                                      "bidirectional",
                                      "",
                                      "->",
                                      "a,a,a"};
  sloe_attr a = {.name = names[byte(m) % (sizeof names / sizeof *names)], .tensor = -1};
  switch (byte(m) % 8) {
    case 0:
    case 1:
    case 2:
      a.type = SLOE_ATTR_INT;
      a.i = number(m);
      break;
    case 3:
    case 4:
      a.type = SLOE_ATTR_INTS;
      fill_ints(m, &a);
      break;
    case 5:
      a.type = SLOE_ATTR_STRING;
      a.s = texts[byte(m) % 16];
      break;
    case 6:
      a.type = SLOE_ATTR_TENSOR;
      a.tensor = add_constant(m);
      break;
    default:
      a.type = byte(m) % 2 ? SLOE_ATTR_FLOAT : SLOE_ATTR_FLOATS;
      if (a.type == SLOE_ATTR_FLOAT) a.f = real_number(m);
      if (a.type == SLOE_ATTR_FLOATS) fill_floats(m, &a);
  }
  return a;
}

typedef struct arity {
  int fewest, most;
} arity;

static arity arity_of(unsigned op) {
  static const arity arities[SLOE_OP_COUNT] = {
      [0] = {0, 3},
#define OP(id, name, in_min, in_max, shape, cost, kind, role) [SLOE_OP_##id] = {in_min, in_max},
#include "net/ops.def"
#undef OP
  };
  return arities[op];
}

static void add_node(maker *m, sloe_graph *graph, int depth) {
  sloe_tid in[10], out[4];
  sloe_attr attrs[6];
  unsigned op = (byte(m) << 8 | byte(m)) % SLOE_OP_COUNT;
  arity range = arity_of(op);
  size_t most = range.most < 0 ? 8 : (size_t)range.most;
  sloe_node_spec spec = {.type = op ? sloe_op_name((sloe_op)op) : "com.example::Mystery",
                         .in = in,
                         .out = out,
                         .attrs = attrs,
                         .offset = m->net->n_nodes};
  spec.n_in = (size_t)range.fewest;
  if (most > spec.n_in) spec.n_in += byte(m) % (most - spec.n_in + 1);
  for (size_t k = 0; k < spec.n_in; k++) in[k] = some_tensor(m);
  spec.n_attrs = byte(m) % 4;
  for (size_t k = 0; k < spec.n_attrs; k++) attrs[k] = some_attr(m);
  static const char *const graphs[] = {"then_branch", "else_branch", "body"};
  size_t from = op == SLOE_OP_IF ? 0 : 2, to = op == SLOE_OP_IF ? 2 : 3;
  int has_graphs = op == SLOE_OP_IF || op == SLOE_OP_LOOP || op == SLOE_OP_SCAN;
  for (; has_graphs && depth < DEEPEST && from < to; from++)
    attrs[spec.n_attrs++] = (sloe_attr){
        .name = graphs[from], .type = SLOE_ATTR_GRAPH, .tensor = -1, .graph = some_graph(m, depth)};
  spec.n_out = 1 + (byte(m) % 4) * (byte(m) % 2);
  if (spec.n_out > 4) spec.n_out = 4;
  for (size_t k = 0; k < spec.n_out; k++) out[k] = add_tensor(m);
  sloe_net_add_node(m->net, graph, &spec, &m->err);
}

static void add_nodes(maker *m, sloe_graph *graph, size_t n, int depth) {
  for (size_t k = 0; k < n && m->p < m->end && m->net->n_nodes < MOST_NODES; k++)
    add_node(m, graph, depth);
}

static void make_net(maker *m) {
  static const int64_t opsets[] = {1, 6, 7, 9, 10, 11, 12, 13, 15, 17, 18, 21};
  m->net->opset = opsets[byte(m) % 12];
  for (unsigned k = 1 + byte(m) % 3; k > 0; k--) {
    sloe_tid t = add_tensor(m);
    if (t < 0) return;
    m->net->tensors[t].shape = some_shape(m);
    m->net->tensors[t].dtype = byte(m) % 4 ? SLOE_DT_FLOAT : SLOE_DT_INT64;
    if (sloe_graph_add_input(m->net, &m->net->graph, t, &m->err) != SLOE_OK) return;
  }
  add_nodes(m, &m->net->graph, MOST_NODES, 0);
  if (m->net->n_tensors)
    sloe_graph_add_output(m->net, &m->net->graph, (sloe_tid)m->net->n_tensors - 1, &m->err);
}

static uint64_t mix(uint64_t hash, const void *data, size_t n) {
  const unsigned char *p = data;
  for (size_t k = 0; k < n; k++) hash = (hash ^ p[k]) * UINT64_C(0x100000001b3);
  return hash;
}

static uint64_t check_shapes(const sloe_net *net, const sloe_error *err) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t t = 0; t < net->n_tensors; t++) {
    const sloe_shape *s = &net->tensors[t].shape;
    require(s->rank >= -1 && s->rank <= SLOE_MAX_RANK, "rank between -1 and the most", err);
    hash = mix(hash, &s->rank, sizeof s->rank);
    for (int k = 0; k < s->rank; k++) {
      require(s->dim[k] >= SLOE_DIM_UNKNOWN, "dims not below unknown", err);
      hash = mix(hash, &s->dim[k], sizeof s->dim[k]);
    }
  }
  return hash;
}

static uint64_t check_info(const sloe_net *net, const sloe_error *err, uint64_t hash) {
  const sloe_net_info *info = sloe_net_get_info(net);
  const uint64_t totals[] = {info->n_ops,
                             info->params,
                             info->macs,
                             info->flops,
                             info->activations,
                             info->weights_bytes,
                             info->peak_activation_bytes};
  require(info->trainable_params <= info->params, "trainable parameters among all", err);
  require(info->unknown_bytes_share >= 0 && info->unknown_bytes_share <= 1, "a share", err);
  for (size_t k = 0; k < info->n_features; k++)
    require(!isinf(info->features[k].value), "features are finite or unknown", err);
  return mix(hash, totals, sizeof totals);
}

/* The first byte chooses the rule set, so that a corpus covers all. */
static uint64_t check_fusion(const sloe_net *net, unsigned choice, const sloe_error *err,
                             uint64_t hash) {
  static const int versions[] = {0, 600, 701, 802, 805, 1003}, capabilities[] = {0, 53, 72, 87};
  const sloe_fusion fusion = {.runtime = (sloe_runtime)(choice % SLOE_RUNTIME_COUNT),
                              .version = versions[choice / 4 % 6],
                              .precision = (sloe_precision)(choice / 24 % SLOE_PRECISION_COUNT),
                              .compute_capability = capabilities[choice / 72 % 4]};
  const sloe_net_info *info = sloe_net_get_info(net);
  sloe_layers *layers;
  sloe_error fuse_err = {0};
  uint64_t macs = 0;
  sloe_status status = sloe_layers_new(net, &fusion, &layers, &fuse_err);
  require((status == SLOE_OK) == (layers != NULL), "fusion: status and handle agree", &fuse_err);
  require(status == SLOE_OK || status == SLOE_NOMEM, "fusion refuses no finished net", &fuse_err);
  for (size_t i = 0; layers && i < sloe_layers_count(layers); i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    require(layer->name && layer->name[0], "a layer has a name", err);
    require(layer->kind < SLOE_LAYER_KIND_COUNT, "a layer has a kind", err);
    macs = sloe_add_sat(macs, layer->macs);
    hash = mix(hash, &layer->kind, sizeof layer->kind);
    hash = mix(hash, &layer->flops, sizeof layer->flops);
  }
  require(status != SLOE_OK || macs <= info->macs, "layers have no more MACs than the net", err);
  sloe_layers_free(layers);
  return hash;
}

/* Build and finish once; the hash of all that came out. */
static uint64_t run_once(const uint8_t *data, size_t len, sloe_status *status, sloe_error *err) {
  maker m = {.p = data, .end = data + len};
  *err = (sloe_error){0};
  *status = sloe_net_new(MEMORY, &m.net, err);
  if (*status != SLOE_OK) return 0;
  make_net(&m);
  uint64_t hash = 0;
  *status = sloe_net_finish(m.net, NULL, err);
  require(m.net->arena.used <= MEMORY, "memory within the limit", err);
  if (*status == SLOE_OK) {
    hash = check_info(m.net, err, check_shapes(m.net, err));
    hash = check_fusion(m.net, len ? data[0] : 0, err, hash);
  } else {
    require(err->code == *status, "the error repeats the status", err);
    require(err->msg[0] != 0, "a refusal has a reason", err);
    require(!strpbrk(err->msg, "\r\n"), "a reason is one line", err);
    require(*status != SLOE_INTERNAL, "no input is a bug of sloe", err);
  }
  sloe_net_free(m.net);
  return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  sloe_status first, second, third;
  sloe_error a, b, c;
  if (len < 2) return 0;
  uint64_t x = run_once(data + 1, len - 1, &first, &a);
  uint64_t y = run_once(data + 1, len - 1, &second, &b);
  require(first == second && x == y && !strcmp(a.msg, b.msg), "the same twice", &a);
  if (data[0] < 64) { /* out of memory at the n-th allocation */
    sloe_alloc_fail_after(data[0]);
    run_once(data + 1, len - 1, &third, &c);
    sloe_alloc_fail_after(-1);
  }
  return 0;
}
