/* A net as ONNX: ModelProto from a sloe_net, streamed to a file.
 *
 * The structure is made in memory (tens to hundreds of KB), the weights while writing. Initializers
 * of subgraphs are written with those of the main graph, where the subgraphs see them too; names
 * that were only told apart by scope get the tensor's number behind them. Functions were inlined by
 * the reader. Contents that the net knows are written; others are random or left out.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "onnx/onnx.h"
#include "onnx/pb.h"
#include "onnx/random.h"

enum { IR_VERSION = 8, OPSET = 17, CHUNK = 1 << 16, MAX_DEPTH = 64 };

typedef struct writer {
  const sloe_net *net;
  sloe_error *err;
  int weights;
  sloe_pb pb;
  sloe_arena arena;   /* of what follows */
  sloe_map taken;     /* names that are given */
  const char **names; /* of tensors, each once */
  uint8_t *positive;  /* tensors whose random values must be: scales and variances */
} writer;

static sloe_status no_memory(const writer *w) {
  return sloe_fail(w->err, SLOE_NOMEM, "out of memory writing a network");
}

/* ---- names ------------------------------------------------------------------------------- */

static sloe_status give_name(writer *w, size_t t) {
  const char *name = w->net->tensors[t].name;
  if (w->names[t]) return SLOE_OK;
  for (unsigned try = 0; !*name || sloe_map_get(&w->taken, name) >= 0; try++) {
    name = try ? sloe_arena_printf(&w->arena, "%s_%zu_%u", w->net->tensors[t].name, t, try)
               : sloe_arena_printf(&w->arena, "%s_%zu", w->net->tensors[t].name, t);
    if (!name) return no_memory(w);
  }
  w->names[t] = name;
  return sloe_map_put(&w->taken, &w->arena, name, (int32_t)t) ? SLOE_OK : no_memory(w);
}

/* The main graph's inputs and outputs keep theirs. */
static sloe_status give_names(writer *w) {
  const sloe_net *net = w->net;
  w->names = SLOE_ARENA_NEW(&w->arena, const char *, net->n_tensors + 1);
  if (!w->names) return no_memory(w);
  for (size_t i = 0; i < net->graph.n_in; i++) SLOE_TRY(give_name(w, (size_t)net->graph.in[i]));
  for (size_t i = 0; i < net->graph.n_out; i++) SLOE_TRY(give_name(w, (size_t)net->graph.out[i]));
  for (size_t t = 0; t < net->n_tensors; t++) SLOE_TRY(give_name(w, t));
  return SLOE_OK;
}

/* ---- tensors ----------------------------------------------------------------------------- */

static void mark_positive(writer *w, const sloe_node *node, size_t i) {
  if (i < node->n_in && node->in[i] >= 0) w->positive[sloe_net_resolve(w->net, node->in[i])] = 1;
}

static sloe_status find_positive(writer *w) {
  w->positive = SLOE_ARENA_NEW(&w->arena, uint8_t, w->net->n_tensors + 1);
  if (!w->positive) return no_memory(w);
  for (size_t i = 0; i < w->net->n_nodes; i++) {
    const sloe_node *node = &w->net->nodes[i];
    switch (node->op) {
      case SLOE_OP_BATCH_NORM: mark_positive(w, node, 4); /* fall through */
      case SLOE_OP_INSTANCE_NORM:
      case SLOE_OP_LAYER_NORM:
      case SLOE_OP_GROUP_NORM:
      case SLOE_OP_QUANTIZE_LINEAR:
      case SLOE_OP_DEQUANTIZE_LINEAR: mark_positive(w, node, 1); break;
      case SLOE_OP_QLINEAR_CONV:
      case SLOE_OP_QLINEAR_MATMUL:
        mark_positive(w, node, 1);
        mark_positive(w, node, 4);
        mark_positive(w, node, 6);
        break;
      default: break;
    }
  }
  return SLOE_OK;
}

static int is_whole(const sloe_value *v, uint64_t elements) {
  if (!v || v->n != elements) return 0;
  for (size_t i = 0; !v->real && i < v->n; i++)
    if (v->i[i] == SLOE_ELEM_UNKNOWN) return 0;
  for (size_t i = 0; v->real && i < v->n; i++)
    if (isnan(v->f[i])) return 0;
  return 1;
}

static sloe_status write_value(writer *w, const sloe_tensor *t) {
  const sloe_value *v = t->value;
  size_t size = sloe_dtype_bits(t->dtype) / 8;
  uint8_t *raw = sloe_alloc(v->n, size);
  if (!raw) return no_memory(w);
  for (size_t i = 0; i < v->n; i++) {
    uint64_t bits = v->real ? sloe_real_bits(t->dtype, v->f[i]) : (uint64_t)v->i[i];
    for (size_t k = 0; k < size; k++) raw[i * size + k] = (uint8_t)(bits >> 8 * k);
  }
  sloe_pb_bytes(&w->pb, 9, raw, v->n * size);
  sloe_dealloc(raw);
  return SLOE_OK;
}

/* TensorProto. Text has no contents here; neither has what is stripped, unless weights are asked
   for. */
static sloe_status write_tensor(writer *w, unsigned field, sloe_tid id, const char *name) {
  const sloe_tensor *t = &w->net->tensors[id];
  uint64_t elements = 1, bits = sloe_dtype_bits(t->dtype);
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, field);
  for (int i = 0; i < t->shape.rank; i++) {
    sloe_pb_int(&w->pb, 1, t->shape.dim[i]);
    elements = sloe_mul_sat(elements, (uint64_t)t->shape.dim[i]);
  }
  if (t->shape.rank < 0 || elements > INT64_MAX / 64)
    return sloe_fail(w->err, SLOE_UNSUPPORTED, "constant '%.80s' has no shape to write", name);
  sloe_pb_int(&w->pb, 2, t->dtype);
  sloe_pb_text(&w->pb, 8, name);
  if (is_whole(t->value, elements) && bits % 8 == 0 && t->dtype != SLOE_DT_STRING)
    SLOE_TRY(write_value(w, t));
  else if (w->weights == SLOE_WEIGHTS_RANDOM && t->dtype != SLOE_DT_STRING)
    sloe_pb_hollow(&w->pb, 9, (elements * bits + 7) / 8, id);
  sloe_pb_end(&w->pb, mark);
  return SLOE_OK;
}

static void write_dim(writer *w, int64_t dim, const char *symbol) {
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, 1);
  if (dim >= 0)
    sloe_pb_int(&w->pb, 1, dim);
  else if (symbol)
    sloe_pb_text(&w->pb, 2, symbol);
  sloe_pb_end(&w->pb, mark);
}

/* ValueInfoProto */
static void write_value_info(writer *w, unsigned field, sloe_tid id) {
  const sloe_tensor *t = &w->net->tensors[id];
  sloe_pb_mark info = sloe_pb_begin(&w->pb, field);
  sloe_pb_text(&w->pb, 1, w->names[id]);
  sloe_pb_mark type = sloe_pb_begin(&w->pb, 2), tensor = sloe_pb_begin(&w->pb, 1);
  sloe_pb_int(&w->pb, 1, t->dtype);
  if (t->shape.rank >= 0) {
    sloe_pb_mark shape = sloe_pb_begin(&w->pb, 2);
    for (int i = 0; i < t->shape.rank; i++)
      write_dim(w, t->shape.dim[i], t->symbol ? t->symbol[i] : NULL);
    sloe_pb_end(&w->pb, shape);
  }
  sloe_pb_end(&w->pb, tensor);
  sloe_pb_end(&w->pb, type);
  sloe_pb_end(&w->pb, info);
}

/* ---- nodes ------------------------------------------------------------------------------- */

static sloe_status write_graph(writer *w, unsigned field, const sloe_graph *graph, int depth);

static sloe_status write_attr_value(writer *w, const sloe_attr *a, int depth) {
  switch (a->type) {
    case SLOE_ATTR_FLOAT: sloe_pb_float(&w->pb, 2, a->f); return SLOE_OK;
    case SLOE_ATTR_INT: sloe_pb_int(&w->pb, 3, a->i); return SLOE_OK;
    case SLOE_ATTR_STRING: sloe_pb_text(&w->pb, 4, a->s); return SLOE_OK;
    case SLOE_ATTR_TENSOR: return write_tensor(w, 5, a->tensor, w->net->tensors[a->tensor].name);
    case SLOE_ATTR_GRAPH: return write_graph(w, 6, a->graph, depth + 1);
    case SLOE_ATTR_FLOATS:
      for (size_t i = 0; i < a->n; i++) sloe_pb_float(&w->pb, 7, a->floats[i]);
      return SLOE_OK;
    case SLOE_ATTR_INTS:
      for (size_t i = 0; i < a->n; i++) sloe_pb_int(&w->pb, 8, a->ints[i]);
      return SLOE_OK;
    case SLOE_ATTR_STRINGS:
      for (size_t i = 0; i < a->n; i++) sloe_pb_text(&w->pb, 9, a->strings[i]);
      return SLOE_OK;
    default:
      return sloe_fail(w->err, SLOE_UNSUPPORTED, "attribute '%.60s' is a list of tensors or graphs",
                       a->name);
  }
}

static sloe_status write_attr(writer *w, const sloe_attr *a, int depth) {
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, 5);
  sloe_pb_text(&w->pb, 1, a->name);
  SLOE_TRY(write_attr_value(w, a, depth));
  sloe_pb_int(&w->pb, 20, a->type);
  sloe_pb_end(&w->pb, mark);
  return SLOE_OK;
}

/* "domain::Op": the length of the domain, 0 for none. */
static size_t domain_length(const char *type) {
  size_t len = 0;
  for (const char *p = strstr(type, "::"); p; p = strstr(p + 1, "::")) len = (size_t)(p - type);
  return len;
}

static void write_names(writer *w, unsigned field, const sloe_tid *t, size_t n) {
  for (size_t i = 0; i < n; i++) sloe_pb_text(&w->pb, field, t[i] < 0 ? "" : w->names[t[i]]);
}

static sloe_status write_node(writer *w, const sloe_node *node, int depth) {
  size_t domain = domain_length(node->type);
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, 1);
  write_names(w, 1, node->given_in, node->n_given_in);
  write_names(w, 2, node->out, node->n_out);
  sloe_pb_text(&w->pb, 3, node->name);
  sloe_pb_text(&w->pb, 4, node->type + (domain ? domain + 2 : 0));
  for (size_t i = 0; i < node->n_attrs; i++) {
    sloe_status status = write_attr(w, &node->attrs[i], depth);
    if (status != SLOE_OK)
      return sloe_fail_in(w->err, status, "node '%.60s' (%.40s)", node->name, node->type);
  }
  if (domain) sloe_pb_bytes(&w->pb, 7, node->type, domain);
  sloe_pb_end(&w->pb, mark);
  return SLOE_OK;
}

/* ---- constants of the main graph ---------------------------------------------------------- */

/* Is it made by a ConstantOfShape, having no contents that are known? */
static int is_made(const writer *w, const sloe_tensor *t) {
  uint64_t elements = 1;
  for (int i = 0; i < t->shape.rank; i++)
    elements = sloe_mul_sat(elements, (uint64_t)t->shape.dim[i]);
  return w->weights == SLOE_WEIGHTS_SHAPES && t->shape.rank > 0 && t->dtype != SLOE_DT_STRING &&
         !is_whole(t->value, elements);
}

static sloe_status name_of_shape(writer *w, size_t t, const char **out) {
  const char *name = NULL;
  for (unsigned try = 0; !name || sloe_map_get(&w->taken, name) >= 0; try++) {
    name = try ? sloe_arena_printf(&w->arena, "%s_shape_%u", w->names[t], try)
               : sloe_arena_printf(&w->arena, "%s_shape", w->names[t]);
    if (!name) return no_memory(w);
  }
  *out = name;
  return sloe_map_put(&w->taken, &w->arena, name, (int32_t)t) ? SLOE_OK : no_memory(w);
}

static void write_shape(writer *w, const sloe_tensor *t, const char *name) {
  uint8_t raw[8 * SLOE_MAX_RANK];
  const size_t size = (size_t)t->shape.rank * 8;
  for (size_t i = 0; i < size; i++)
    raw[i] = (uint8_t)((uint64_t)t->shape.dim[i / 8] >> 8 * (i % 8));
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, 5);
  sloe_pb_int(&w->pb, 1, t->shape.rank);
  sloe_pb_int(&w->pb, 2, SLOE_DT_INT64);
  sloe_pb_text(&w->pb, 8, name);
  sloe_pb_bytes(&w->pb, 9, raw, size);
  sloe_pb_end(&w->pb, mark);
}

/* The attribute `value`: one zero of the tensor's type. */
static void write_zero(writer *w, sloe_dtype dtype) {
  static const uint8_t zeros[16] = {0};
  sloe_pb_mark attr = sloe_pb_begin(&w->pb, 5);
  sloe_pb_text(&w->pb, 1, "value");
  sloe_pb_mark tensor = sloe_pb_begin(&w->pb, 5);
  sloe_pb_int(&w->pb, 1, 1);
  sloe_pb_int(&w->pb, 2, dtype);
  sloe_pb_bytes(&w->pb, 9, zeros, (sloe_dtype_bits(dtype) + 7) / 8);
  sloe_pb_end(&w->pb, tensor);
  sloe_pb_int(&w->pb, 20, SLOE_ATTR_TENSOR);
  sloe_pb_end(&w->pb, attr);
}

/* The nodes stand before all others, the shapes that they read among the initializers. */
static sloe_status write_made(writer *w) {
  for (size_t t = 0; t < w->net->n_tensors; t++) {
    const sloe_tensor *tensor = &w->net->tensors[t];
    const char *shape = NULL;
    if (!(tensor->flags & SLOE_T_INIT) || !is_made(w, tensor)) continue;
    SLOE_TRY(name_of_shape(w, t, &shape));
    sloe_pb_mark mark = sloe_pb_begin(&w->pb, 1);
    sloe_pb_text(&w->pb, 1, shape);
    sloe_pb_text(&w->pb, 2, w->names[t]);
    sloe_pb_text(&w->pb, 4, "ConstantOfShape");
    write_zero(w, tensor->dtype);
    sloe_pb_end(&w->pb, mark);
    write_shape(w, tensor, shape);
  }
  return SLOE_OK;
}

static sloe_status write_initializers(writer *w) {
  for (size_t t = 0; t < w->net->n_tensors; t++)
    if (w->net->tensors[t].flags & SLOE_T_INIT && !is_made(w, &w->net->tensors[t]))
      SLOE_TRY(write_tensor(w, 5, (sloe_tid)t, w->names[t]));
  return SLOE_OK;
}

/* ---- graphs ------------------------------------------------------------------------------- */

static const char *graph_name(const writer *w, const sloe_graph *graph) {
  if (graph->name && *graph->name) return graph->name;
  return w->net->name && *w->net->name ? w->net->name : "graph";
}

static sloe_status write_graph(writer *w, unsigned field, const sloe_graph *graph, int depth) {
  if (depth > MAX_DEPTH)
    return sloe_fail(w->err, SLOE_UNSUPPORTED, "graphs nested more than %d deep", MAX_DEPTH);
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, field);
  if (depth == 0) SLOE_TRY(write_made(w));
  for (size_t i = 0; i < graph->n_nodes; i++)
    SLOE_TRY(write_node(w, &w->net->nodes[graph->nodes[i]], depth));
  sloe_pb_text(&w->pb, 2, graph_name(w, graph));
  if (depth == 0) SLOE_TRY(write_initializers(w));
  for (size_t i = 0; i < graph->n_in; i++) write_value_info(w, 11, graph->in[i]);
  for (size_t i = 0; i < graph->n_out; i++) write_value_info(w, 12, graph->out[i]);
  sloe_pb_end(&w->pb, mark);
  return SLOE_OK;
}

/* ---- the model --------------------------------------------------------------------------- */

static void write_opset(writer *w, const char *domain, int64_t version) {
  sloe_pb_mark mark = sloe_pb_begin(&w->pb, 8);
  sloe_pb_text(&w->pb, 1, domain);
  sloe_pb_int(&w->pb, 2, version);
  sloe_pb_end(&w->pb, mark);
}

static sloe_status write_opsets(writer *w) {
  sloe_map seen = {0};
  write_opset(w, "", w->net->opset ? w->net->opset : OPSET);
  for (size_t i = 0; i < w->net->n_nodes; i++) {
    const char *type = w->net->nodes[i].type;
    size_t len = domain_length(type);
    if (!len) continue;
    const char *domain = sloe_arena_strn(&w->arena, type, len);
    if (!domain) return no_memory(w);
    if (sloe_map_get(&seen, domain) >= 0) continue;
    write_opset(w, domain, 1);
    if (!sloe_map_put(&seen, &w->arena, domain, 1)) return no_memory(w);
  }
  return SLOE_OK;
}

static sloe_status write_model(writer *w) {
  int64_t opset = w->net->opset ? w->net->opset : OPSET;
  SLOE_TRY(give_names(w));
  SLOE_TRY(find_positive(w));
  sloe_pb_int(&w->pb, 1, opset >= 21 ? 10 : opset >= 19 ? 9 : IR_VERSION);
  sloe_pb_text(&w->pb, 2, "sloe");
  sloe_pb_text(&w->pb, 3, sloe_version());
  SLOE_TRY(write_graph(w, 7, &w->net->graph, 0));
  SLOE_TRY(write_opsets(w));
  return w->pb.failed ? no_memory(w) : SLOE_OK;
}

/* Variances and scales around 1, filters by He's rule, so that activations neither vanish nor
   explode; the rest small. */
static void init_random(const writer *w, sloe_tid id, sloe_random *random) {
  const sloe_tensor *t = &w->net->tensors[id];
  double fan_in = 1;
  for (int i = 1; i < t->shape.rank; i++) fan_in *= (double)t->shape.dim[i];
  if (w->positive[id])
    sloe_random_init(random, (uint64_t)id, 1, 0.1);
  else if (t->shape.rank >= 2)
    sloe_random_init(random, (uint64_t)id, 0, sqrt(2 / (fan_in > 1 ? fan_in : 1)));
  else
    sloe_random_init(random, (uint64_t)id, 0, 0.05);
}

static sloe_status stream_hole(const writer *w, const sloe_pb_hole *hole, sloe_file_writer *file,
                               uint8_t *chunk) {
  sloe_random random;
  init_random(w, hole->id, &random);
  for (uint64_t left = hole->bytes; left;) {
    size_t n = left < CHUNK ? (size_t)left : (size_t)CHUNK;
    sloe_random_fill(&random, w->net->tensors[hole->id].dtype, chunk, n);
    SLOE_TRY(sloe_file_append(file, chunk, n, w->err));
    left -= n;
  }
  return SLOE_OK;
}

static sloe_status stream(const writer *w, sloe_file_writer *file, uint8_t *chunk) {
  size_t done = 0;
  for (size_t i = 0; i < w->pb.n_holes; i++) {
    const sloe_pb_hole *hole = &w->pb.holes[i];
    SLOE_TRY(sloe_file_append(file, w->pb.data + done, hole->at - done, w->err));
    SLOE_TRY(stream_hole(w, hole, file, chunk));
    done = hole->at;
  }
  return sloe_file_append(file, w->pb.data + done, w->pb.len - done, w->err);
}

static sloe_status save(const writer *w, const char *path) {
  sloe_file_writer file;
  uint8_t *chunk = sloe_alloc(CHUNK, 1);
  if (!chunk) return no_memory(w);
  sloe_status status = sloe_file_begin(&file, path, w->err);
  if (status == SLOE_OK) status = sloe_file_end(&file, stream(w, &file, chunk), w->err);
  sloe_dealloc(chunk);
  return status;
}

sloe_status sloe_net_write_onnx(const sloe_net *net, const char *path,
                                const sloe_onnx_options *options, sloe_error *err) {
  writer w = {.net = net, .err = err, .weights = options ? options->weights : 0};
  sloe_arena_init(&w.arena, SIZE_MAX);
  sloe_status status = write_model(&w);
  if (status == SLOE_OK) status = save(&w, path);
  sloe_pb_fini(&w.pb);
  sloe_arena_fini(&w.arena);
  return status;
}

sloe_status sloe_onnx_write_memory(const sloe_net *net, unsigned char **data, size_t *len,
                                   sloe_error *err) {
  writer w = {.net = net, .err = err};
  *data = NULL;
  *len = 0;
  sloe_arena_init(&w.arena, SIZE_MAX);
  const sloe_status status = write_model(&w);
  if (status == SLOE_OK) {
    *data = w.pb.data;
    *len = w.pb.len;
    w.pb.data = NULL;
  }
  sloe_pb_fini(&w.pb);
  sloe_arena_fini(&w.arena);
  return status;
}
