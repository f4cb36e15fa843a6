/* TensorProto: name, type, dims, and the contents of small ones.
 *
 * A tensor is walked once for what describes it; the data fields are skipped. Where the contents
 * are wanted it is walked again, since type and dims may stand behind the data. It is small then,
 * and still in the window.
 *
 * Contents that are not there are no fault: stripped files keep dims and drop data, and external
 * data may be on another machine. Contents of another length than the dims say are one.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "onnx/reader.h"

enum { /* TensorProto */
       T_DIMS = 1,
       T_DATA_TYPE = 2,
       T_FLOAT_DATA = 4,
       T_INT32_DATA = 5,
       T_STRING_DATA = 6,
       T_INT64_DATA = 7,
       T_NAME = 8,
       T_RAW_DATA = 9,
       T_DOUBLE_DATA = 10,
       T_UINT64_DATA = 11,
       T_DATA_LOCATION = 14,
};

typedef struct tensor {
  const char *name; /* for messages; in r->text */
  sloe_onnx_range range;
  sloe_shape shape;
  sloe_dtype dtype;
  uint64_t elements;
  uint64_t raw_len;
  int raw, data, external; /* raw_data is there; so is another data field */
} tensor;

sloe_status sloe_onnx_dtype(sloe_onnx_reader *r, int64_t value, uint64_t at, sloe_dtype *out) {
  if (value < 0 || value >= SLOE_DT_COUNT)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, at, "data type %lld is not known",
                        (long long)value);
  *out = (sloe_dtype)value;
  return SLOE_OK;
}

/* ---- dims -------------------------------------------------------------------------------- */

static sloe_status add_dim(sloe_onnx_reader *r, uint64_t at, sloe_shape *shape) {
  uint64_t raw;
  SLOE_TRY(sloe_wire_varint(&r->wire, &raw));
  int64_t dim = (int64_t)raw;
  if (dim < 0)
    return sloe_fail_at(r->err, SLOE_FORMAT, at, "dimension %lld is negative", (long long)dim);
  if (shape->rank == SLOE_MAX_RANK)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, at, "a tensor of more than %d dimensions",
                        SLOE_MAX_RANK);
  shape->dim[shape->rank++] = dim;
  return SLOE_OK;
}

static sloe_status read_dims(sloe_onnx_reader *r, const sloe_field *f, sloe_shape *shape) {
  uint64_t outer;
  if (f->type != SLOE_WIRE_LEN) {
    SLOE_TRY(sloe_wire_expect(&r->wire, f, SLOE_WIRE_VARINT));
    return add_dim(r, f->at, shape);
  }
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  while (sloe_wire_left(&r->wire)) SLOE_TRY(add_dim(r, f->at, shape));
  return sloe_wire_leave(&r->wire, outer);
}

static sloe_status count_elements(sloe_onnx_reader *r, tensor *t) {
  int empty = 0;
  t->elements = 1;
  for (int i = 0; i < t->shape.rank; i++) {
    t->elements = sloe_mul_sat(t->elements, (uint64_t)t->shape.dim[i] | !t->shape.dim[i]);
    empty |= !t->shape.dim[i];
  }
  if (t->elements > INT64_MAX / 16)
    return sloe_fail_at(r->err, SLOE_FORMAT, t->range.at,
                        "the product of the dimensions overflows");
  if (empty) t->elements = 0;
  return SLOE_OK;
}

/* ---- contents ---------------------------------------------------------------------------- */

static double half_to_double(uint32_t h) {
  int exponent = h >> 10 & 31;
  double fraction = (double)(h & 1023), value;
  if (exponent == 31)
    value = h & 1023 ? (double)NAN : (double)INFINITY;
  else
    value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return h & 0x8000 ? -value : value;
}

static double single_to_double(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double real_of(sloe_dtype dtype, uint64_t bits) {
  double value;
  switch (dtype) {
    case SLOE_DT_FLOAT16: return half_to_double((uint32_t)bits);
    case SLOE_DT_BFLOAT16: return single_to_double((uint32_t)bits << 16);
    case SLOE_DT_FLOAT: return single_to_double((uint32_t)bits);
    default: memcpy(&value, &bits, sizeof value); return value;
  }
}

static int64_t int_of(sloe_dtype dtype, uint64_t bits) {
  switch (dtype) {
    case SLOE_DT_BOOL: return bits != 0;
    case SLOE_DT_UINT8: return (uint8_t)bits;
    case SLOE_DT_INT8: return (int8_t)(uint8_t)bits;
    case SLOE_DT_UINT16: return (uint16_t)bits;
    case SLOE_DT_INT16: return (int16_t)(uint16_t)bits;
    case SLOE_DT_INT32: return (int32_t)(uint32_t)bits;
    case SLOE_DT_UINT32: return (uint32_t)bits;
    case SLOE_DT_UINT64: return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
    /* The lowest one means "unknown" in a value; "to the start", all that it is used for, is the
       same one higher. */
    default: return (int64_t)bits == SLOE_ELEM_UNKNOWN ? -INT64_MAX : (int64_t)bits;
  }
}

static int is_real(sloe_dtype d) {
  return d == SLOE_DT_FLOAT || d == SLOE_DT_DOUBLE || d == SLOE_DT_FLOAT16 || d == SLOE_DT_BFLOAT16;
}

/* The field that holds values of a type where raw_data does not; 0: contents are not kept. */
static uint32_t data_field(sloe_dtype dtype) {
  switch (dtype) {
    case SLOE_DT_FLOAT: return T_FLOAT_DATA;
    case SLOE_DT_DOUBLE: return T_DOUBLE_DATA;
    case SLOE_DT_INT64: return T_INT64_DATA;
    case SLOE_DT_UINT32:
    case SLOE_DT_UINT64: return T_UINT64_DATA;
    case SLOE_DT_INT32:
    case SLOE_DT_INT16:
    case SLOE_DT_INT8:
    case SLOE_DT_UINT16:
    case SLOE_DT_UINT8:
    case SLOE_DT_BOOL:
    case SLOE_DT_FLOAT16:
    case SLOE_DT_BFLOAT16: return T_INT32_DATA;
    default: return 0;
  }
}

static uint64_t raw_bytes(const tensor *t) {
  return (t->elements * sloe_dtype_bits(t->dtype) + 7) / 8;
}

static int is_wanted(const tensor *t) {
  int small = is_real(t->dtype) || sloe_dtype_bits(t->dtype) == 8;
  if (t->dtype == SLOE_DT_BOOL) small = 0;
  if (!data_field(t->dtype) || t->external) return 0;
  if (t->elements > (small ? (uint64_t)SLOE_ONNX_SMALL : (uint64_t)SLOE_VALUE_MAX)) return 0;
  return t->elements == 0 || (t->raw ? t->raw_len > 0 : t->data);
}

typedef struct filler {
  const tensor *t;
  sloe_value *value;
  size_t n; /* filled */
} filler;

static sloe_status put(sloe_onnx_reader *r, filler *fill, uint64_t bits) {
  if (fill->n == fill->value->n)
    return sloe_fail_at(r->err, SLOE_FORMAT, fill->t->range.at,
                        "more values than the %zu elements that the dimensions give",
                        fill->value->n);
  if (fill->value->real)
    fill->value->f[fill->n++] = real_of(fill->t->dtype, bits);
  else
    fill->value->i[fill->n++] = int_of(fill->t->dtype, bits);
  return SLOE_OK;
}

static sloe_status put_raw(sloe_onnx_reader *r, const sloe_field *f, filler *fill) {
  uint64_t len;
  size_t size = sloe_dtype_bits(fill->t->dtype) / 8;
  SLOE_TRY(sloe_wire_len(&r->wire, f, &len));
  for (size_t k = 0; k < fill->value->n; k++) {
    uint8_t b[8] = {0};
    uint64_t bits = 0;
    SLOE_TRY(sloe_wire_bytes(&r->wire, b, size));
    for (size_t i = size; i-- > 0;) bits = bits << 8 | b[i];
    SLOE_TRY(put(r, fill, bits));
  }
  return SLOE_OK;
}

static sloe_status put_one(sloe_onnx_reader *r, uint32_t type, filler *fill) {
  uint64_t bits = 0;
  uint32_t low = 0;
  if (type == SLOE_WIRE_I32) {
    SLOE_TRY(sloe_wire_u32(&r->wire, &low));
    bits = low;
  } else if (type == SLOE_WIRE_I64) {
    SLOE_TRY(sloe_wire_u64(&r->wire, &bits));
  } else {
    SLOE_TRY(sloe_wire_varint(&r->wire, &bits));
  }
  return put(r, fill, bits);
}

static sloe_status put_data(sloe_onnx_reader *r, const sloe_field *f, filler *fill) {
  uint32_t type = f->number == T_FLOAT_DATA    ? SLOE_WIRE_I32
                  : f->number == T_DOUBLE_DATA ? SLOE_WIRE_I64
                                               : SLOE_WIRE_VARINT;
  uint64_t outer;
  if (f->type != SLOE_WIRE_LEN) {
    SLOE_TRY(sloe_wire_expect(&r->wire, f, type));
    return put_one(r, type, fill);
  }
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  while (sloe_wire_left(&r->wire)) SLOE_TRY(put_one(r, type, fill));
  return sloe_wire_leave(&r->wire, outer);
}

static sloe_status fill_value(sloe_onnx_reader *r, const tensor *t, filler *fill) {
  uint32_t wanted = t->raw ? T_RAW_DATA : data_field(t->dtype);
  sloe_field f;
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &f));
    if (!f.number) break;
    if (f.number != wanted)
      SLOE_TRY(sloe_wire_skip(&r->wire, &f));
    else if (t->raw && fill->n == 0)
      SLOE_TRY(put_raw(r, &f, fill));
    else
      SLOE_TRY(put_data(r, &f, fill));
  }
  if (fill->n != 0 && fill->n != fill->value->n)
    return sloe_fail_at(r->err, SLOE_FORMAT, t->range.at,
                        "%zu values for the %zu elements that the dimensions give", fill->n,
                        fill->value->n);
  return SLOE_OK;
}

static sloe_status read_value(sloe_onnx_reader *r, const tensor *t, const sloe_value **out) {
  size_t n = (size_t)t->elements;
  sloe_arena *arena = &r->net->arena;
  sloe_value *v = SLOE_ARENA_NEW(arena, sloe_value, 1);
  void *data = sloe_arena_alloc(arena, n ? n : 1, sizeof(int64_t));
  if (!v || !data) return sloe_onnx_nomem(r);
  int real = is_real(t->dtype);
  *v = (sloe_value){.n = n, .real = real, .i = real ? NULL : data, .f = real ? data : NULL};
  filler fill = {.t = t, .value = v};
  uint64_t limit = r->wire.limit;
  sloe_wire_jump(&r->wire, t->range.at, t->range.end);
  SLOE_TRY(fill_value(r, t, &fill));
  sloe_wire_jump(&r->wire, t->range.end, limit);
  if (fill.n == n) *out = v; /* none at all: stripped */
  return SLOE_OK;
}

/* ---- messages ---------------------------------------------------------------------------- */

static sloe_status read_field(sloe_onnx_reader *r, const sloe_field *f, tensor *t) {
  int64_t number;
  switch (f->number) {
    case T_DIMS: return read_dims(r, f, &t->shape);
    case T_DATA_TYPE:
      SLOE_TRY(sloe_wire_int(&r->wire, f, &number));
      return sloe_onnx_dtype(r, number, f->at, &t->dtype);
    case T_NAME: SLOE_TRY(sloe_onnx_text(r, f)); return SLOE_OK;
    case T_RAW_DATA:
      SLOE_TRY(sloe_wire_len(&r->wire, f, &t->raw_len));
      t->raw = 1;
      sloe_wire_jump(&r->wire, sloe_wire_at(&r->wire) + t->raw_len, r->wire.limit);
      return SLOE_OK;
    case T_DATA_LOCATION:
      SLOE_TRY(sloe_wire_int(&r->wire, f, &number));
      t->external = number != 0;
      return SLOE_OK;
    case T_FLOAT_DATA:
    case T_INT32_DATA:
    case T_STRING_DATA:
    case T_INT64_DATA:
    case T_DOUBLE_DATA:
    case T_UINT64_DATA: t->data = 1; return sloe_wire_skip(&r->wire, f);
    default: return sloe_wire_skip(&r->wire, f);
  }
}

/* Walk the message; its name is in r->text then. */
static sloe_status walk(sloe_onnx_reader *r, const sloe_field *f, tensor *t) {
  uint64_t outer;
  sloe_field g;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  t->range = (sloe_onnx_range){sloe_wire_at(&r->wire), r->wire.limit};
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    SLOE_TRY(read_field(r, &g, t));
  }
  SLOE_TRY(sloe_wire_leave(&r->wire, outer));
  SLOE_TRY(count_elements(r, t));
  if (t->dtype == SLOE_DT_UNDEFINED)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "a tensor without a data type");
  if (t->raw && t->raw_len && !t->external && t->raw_len != raw_bytes(t) &&
      t->dtype != SLOE_DT_STRING)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at,
                        "%llu bytes of raw data where dimensions and type give %llu",
                        (unsigned long long)t->raw_len, (unsigned long long)raw_bytes(t));
  return SLOE_OK;
}

static sloe_status commit(sloe_onnx_reader *r, const sloe_field *f, const tensor *t,
                          sloe_onnx_scope *scope, sloe_tid *out) {
  const sloe_value *value = NULL;
  if (scope) {
    SLOE_TRY(sloe_onnx_define_init(r, scope, r->text, f->at, out));
  } else {
    SLOE_TRY(sloe_net_add_tensor(r->net, r->text, out, r->err));
  }
  if (is_wanted(t)) SLOE_TRY(read_value(r, t, &value));
  sloe_tensor *x = &r->net->tensors[*out];
  x->flags |= SLOE_T_CONST;
  x->shape = t->shape;
  x->dtype = t->dtype;
  x->value = value;
  x->offset = f->at;
  return SLOE_OK;
}

static sloe_status no_name(sloe_onnx_reader *r) {
  if (!r->text) {
    r->text = sloe_alloc(256, 1);
    if (!r->text) return sloe_onnx_nomem(r);
    r->text_cap = 256;
  }
  r->text[0] = 0;
  return SLOE_OK;
}

static sloe_status in_tensor(sloe_onnx_reader *r, sloe_status status, const char *what) {
  if (status == SLOE_OK || !r->text || !*r->text) return status;
  return sloe_fail_in(r->err, status, "%s '%.80s'", what, r->text);
}

sloe_status sloe_onnx_tensor(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                             sloe_tid *out) {
  tensor t = {0};
  SLOE_TRY(no_name(r));
  sloe_status status = walk(r, f, &t);
  if (status == SLOE_OK) status = commit(r, f, &t, scope, out);
  return in_tensor(r, status, scope ? "initializer" : "tensor");
}

/* SparseTensorProto: values (1) name it and give the type, dims (3) are those of the dense one. */
static sloe_status walk_sparse(sloe_onnx_reader *r, const sloe_field *f, tensor *t) {
  tensor values = {0};
  uint64_t outer;
  sloe_field g;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  t->range = (sloe_onnx_range){sloe_wire_at(&r->wire), r->wire.limit};
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1)
      SLOE_TRY(walk(r, &g, &values));
    else if (g.number == 3)
      SLOE_TRY(read_dims(r, &g, &t->shape));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
  }
  t->dtype = values.dtype;
  t->external = 1; /* the contents are not kept */
  if (!t->dtype) return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "a sparse tensor without values");
  SLOE_TRY(sloe_wire_leave(&r->wire, outer));
  return count_elements(r, t);
}

sloe_status sloe_onnx_sparse_tensor(sloe_onnx_reader *r, const sloe_field *f,
                                    sloe_onnx_scope *scope, sloe_tid *out) {
  tensor t = {0};
  SLOE_TRY(no_name(r));
  sloe_status status = walk_sparse(r, f, &t);
  if (status == SLOE_OK) status = commit(r, f, &t, scope, out);
  return in_tensor(r, status, scope ? "sparse initializer" : "sparse tensor");
}
