/* ValueInfoProto and TypeProto: what a file declares of graph inputs and outputs. */
#include "onnx/reader.h"

static sloe_status read_dim(sloe_onnx_reader *r, const sloe_field *f, int64_t *value,
                            const char **symbol) {
  sloe_field g;
  uint64_t outer;
  *value = SLOE_DIM_UNKNOWN;
  *symbol = NULL;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1)
      SLOE_TRY(sloe_wire_int(&r->wire, &g, value));
    else if (g.number == 2)
      SLOE_TRY(sloe_onnx_string(r, &g, symbol));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
  }
  if (*value < 0) *value = SLOE_DIM_UNKNOWN; /* some exporters write -1 for an open one */
  if (*symbol && !**symbol) *symbol = NULL;
  return sloe_wire_leave(&r->wire, outer);
}

static sloe_status add_dim(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_value_info *v) {
  int64_t value;
  const char *symbol;
  SLOE_TRY(read_dim(r, f, &value, &symbol));
  if (v->shape.rank == SLOE_MAX_RANK)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "a shape of more than %d dimensions",
                        SLOE_MAX_RANK);
  if (symbol && !v->symbol) {
    v->symbol = SLOE_ARENA_NEW(&r->net->arena, const char *, SLOE_MAX_RANK);
    if (!v->symbol) return sloe_onnx_nomem(r);
  }
  if (symbol) v->symbol[v->shape.rank] = symbol;
  v->shape.dim[v->shape.rank++] = value;
  return SLOE_OK;
}

static sloe_status read_shape(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_value_info *v) {
  sloe_field g;
  uint64_t outer;
  v->shape.rank = 0;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1)
      SLOE_TRY(add_dim(r, &g, v));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
  }
  return sloe_wire_leave(&r->wire, outer);
}

/* TypeProto.Tensor or .SparseTensor */
static sloe_status read_tensor_type(sloe_onnx_reader *r, const sloe_field *f,
                                    sloe_onnx_value_info *v) {
  sloe_field g;
  uint64_t outer;
  int64_t dtype;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1) {
      SLOE_TRY(sloe_wire_int(&r->wire, &g, &dtype));
      SLOE_TRY(sloe_onnx_dtype(r, dtype, g.at, &v->dtype));
    } else if (g.number == 2) {
      SLOE_TRY(read_shape(r, &g, v));
    } else {
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
    }
  }
  return sloe_wire_leave(&r->wire, outer);
}

/* Sequences, maps and optionals have no shape. */
static sloe_status read_type(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_value_info *v) {
  sloe_field g;
  uint64_t outer;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1 || g.number == 8)
      SLOE_TRY(read_tensor_type(r, &g, v));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
  }
  return sloe_wire_leave(&r->wire, outer);
}

sloe_status sloe_onnx_read_value_info(sloe_onnx_reader *r, const sloe_field *f,
                                      sloe_onnx_value_info *out) {
  sloe_field g;
  uint64_t outer;
  *out = (sloe_onnx_value_info){.shape.rank = -1, .name = ""};
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1)
      SLOE_TRY(sloe_onnx_string(r, &g, &out->name));
    else if (g.number == 2)
      SLOE_TRY(read_type(r, &g, out));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
  }
  return sloe_wire_leave(&r->wire, outer);
}
