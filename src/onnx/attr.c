/* AttributeProto: numbers, strings and small tensors at once, graphs by their byte range.
 *
 * In a function's body an attribute may be a reference (ref_attr_name): it becomes the call's
 * attribute of that name, or the function's default, or is left out where neither is there.
 */
#include <string.h>

#include "onnx/reader.h"

enum { /* AttributeProto */
       A_NAME = 1,
       A_F = 2,
       A_I = 3,
       A_S = 4,
       A_T = 5,
       A_G = 6,
       A_FLOATS = 7,
       A_INTS = 8,
       A_STRINGS = 9,
       A_TENSORS = 10,
       A_GRAPHS = 11,
       A_TP = 14,
       A_TYPE_PROTOS = 15,
       A_TYPE = 20,
       A_REF = 21,
       A_SPARSE = 22,
       A_SPARSES = 23,
};
enum { SPARSE_TENSOR = 11, LAST_TYPE = 14 }; /* AttributeType beyond those of net.h */

/* The type that a value field stands for; 0: no value. */
static int type_of_field(uint32_t number) {
  switch (number) {
    case A_F: return SLOE_ATTR_FLOAT;
    case A_I: return SLOE_ATTR_INT;
    case A_S: return SLOE_ATTR_STRING;
    case A_T: return SLOE_ATTR_TENSOR;
    case A_G: return SLOE_ATTR_GRAPH;
    case A_FLOATS: return SLOE_ATTR_FLOATS;
    case A_INTS: return SLOE_ATTR_INTS;
    case A_STRINGS: return SLOE_ATTR_STRINGS;
    case A_TENSORS: return SLOE_ATTR_TENSORS;
    case A_GRAPHS: return SLOE_ATTR_GRAPHS;
    case A_SPARSE: return SPARSE_TENSOR;
    case A_SPARSES: return SPARSE_TENSOR + 1;
    case A_TP: return SPARSE_TENSOR + 2;
    case A_TYPE_PROTOS: return LAST_TYPE;
    default: return 0;
  }
}

typedef struct reading {
  sloe_attr attr;
  int64_t type;   /* as declared; 0: not */
  unsigned found; /* bits of the types whose value fields are there */
  const char *ref;
  sloe_onnx_range graph;
  size_t base; /* of its numbers on r->words */
} reading;

static sloe_status push_string(sloe_onnx_reader *r, const sloe_field *f) {
  const char *s;
  SLOE_TRY(sloe_onnx_bytes(r, f, &s));
  sloe_onnx_word *word = sloe_onnx_push(&r->words, sizeof *word);
  if (!word) return sloe_onnx_nomem(r);
  word->s = s;
  return SLOE_OK;
}

static sloe_status note_graph(sloe_onnx_reader *r, const sloe_field *f, reading *a) {
  uint64_t outer;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  a->graph = (sloe_onnx_range){sloe_wire_at(&r->wire), r->wire.limit};
  return sloe_wire_leave(&r->wire, outer);
}

static sloe_status read_field(sloe_onnx_reader *r, const sloe_field *f, reading *a) {
  int type = type_of_field(f->number);
  if (type) a->found |= 1u << type;
  switch (f->number) {
    case A_NAME: return sloe_onnx_string(r, f, &a->attr.name);
    case A_REF: return sloe_onnx_string(r, f, &a->ref);
    case A_TYPE: return sloe_wire_int(&r->wire, f, &a->type);
    case A_F: return sloe_wire_float(&r->wire, f, &a->attr.f);
    case A_I: return sloe_wire_int(&r->wire, f, &a->attr.i);
    case A_S: return sloe_onnx_bytes(r, f, &a->attr.s);
    case A_T: return sloe_onnx_tensor(r, f, NULL, &a->attr.tensor);
    case A_SPARSE: return sloe_onnx_sparse_tensor(r, f, NULL, &a->attr.tensor);
    case A_G: return note_graph(r, f, a);
    case A_FLOATS: return sloe_onnx_floats(r, f);
    case A_INTS: return sloe_onnx_ints(r, f);
    case A_STRINGS: return push_string(r, f);
    case A_TENSORS:
    case A_GRAPHS: a->attr.n++; return sloe_wire_skip(&r->wire, f);
    default: return sloe_wire_skip(&r->wire, f);
  }
}

/* Declared and found must agree. Files before IR 2 declare nothing; a zero may be left out. */
static sloe_status settle_type(sloe_onnx_reader *r, const sloe_field *f, reading *a) {
  if (a->type < 0 || a->type > LAST_TYPE)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "attribute type %lld is not known",
                        (long long)a->type);
  for (int type = 1; !a->type && type <= LAST_TYPE; type++)
    if (a->found & 1u << type) a->type = type;
  if (a->type == 0) return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "neither a type nor a value");
  if (a->found & ~(1u << a->type))
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "its value is not of its type, %lld",
                        (long long)a->type);
  int whole = a->type == SLOE_ATTR_TENSOR || a->type == SLOE_ATTR_GRAPH || a->type == SPARSE_TENSOR;
  if (whole && !a->found)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "it is declared of type %lld and has no value",
                        (long long)a->type);
  return SLOE_OK;
}

static sloe_status take_numbers(sloe_onnx_reader *r, reading *a) {
  const sloe_onnx_word *words = sloe_onnx_above(&r->words, a->base, sizeof *words);
  size_t n = r->words.n - a->base;
  sloe_attr *attr = &a->attr;
  attr->n = n;
  int64_t *ints = NULL;
  double *floats = NULL;
  const char **strings = NULL;
  if (a->type == SLOE_ATTR_INTS) attr->ints = ints = SLOE_ARENA_NEW(&r->net->arena, int64_t, n + 1);
  if (a->type == SLOE_ATTR_FLOATS)
    attr->floats = floats = SLOE_ARENA_NEW(&r->net->arena, double, n + 1);
  if (a->type == SLOE_ATTR_STRINGS)
    attr->strings = strings = SLOE_ARENA_NEW(&r->net->arena, const char *, n + 1);
  if (!ints && !floats && !strings) return sloe_onnx_nomem(r);
  for (size_t i = 0; i < n; i++) {
    if (ints) ints[i] = words[i].i;
    if (floats) floats[i] = words[i].f;
    if (strings) strings[i] = words[i].s;
  }
  return SLOE_OK;
}

static sloe_status queue_graph(sloe_onnx_reader *r, const sloe_field *f, reading *a,
                               sloe_onnx_scope *scope, const char *node) {
  sloe_net *net = r->net;
  if (!scope) return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "a graph as a default");
  if (scope->depth >= SLOE_ONNX_MAX_DEPTH)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "graphs nested more than %d deep",
                        SLOE_ONNX_MAX_DEPTH);
  a->attr.graph = SLOE_ARENA_NEW(&net->arena, sloe_graph, 1);
  if (!a->attr.graph ||
      !sloe_arena_grow(&net->arena, &r->pending, r->n_pending, &r->cap_pending, sizeof *r->pending))
    return sloe_onnx_nomem(r);
  a->attr.graph->name = a->attr.name;
  r->pending[r->n_pending++] =
      (sloe_onnx_pending){a->attr.graph, a->graph, scope, a->attr.name, node};
  return SLOE_OK;
}

static const sloe_attr *bound(const sloe_onnx_call *call, const char *name) {
  for (size_t i = 0; i < call->n_attrs; i++)
    if (strcmp(call->attrs[i].name, name) == 0) return &call->attrs[i];
  return NULL;
}

/* 1 in *there unless the call leaves the attribute out. */
static sloe_status resolve(sloe_onnx_reader *r, const sloe_field *f, reading *a,
                           const sloe_onnx_scope *scope, int *there) {
  if (!scope || !scope->call)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "a reference to '%.60s' outside a function",
                        a->ref);
  const sloe_attr *given = bound(scope->call, a->ref);
  *there = given != NULL;
  if (!given) return SLOE_OK;
  if (a->type && a->type != (int64_t)given->type)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "it is of type %lld and refers to one of %d",
                        (long long)a->type, (int)given->type);
  if (given->graph)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "it takes a graph from the call");
  const char *name = a->attr.name;
  a->attr = *given;
  a->attr.name = name;
  return SLOE_OK;
}

static sloe_status settle(sloe_onnx_reader *r, const sloe_field *f, reading *a,
                          sloe_onnx_scope *scope, const char *node, int *there) {
  *there = 1;
  if (!*a->attr.name) return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "it has no name");
  if (a->ref && *a->ref) return resolve(r, f, a, scope, there);
  SLOE_TRY(settle_type(r, f, a));
  switch (a->type) {
    case SLOE_ATTR_INTS:
    case SLOE_ATTR_FLOATS:
    case SLOE_ATTR_STRINGS: SLOE_TRY(take_numbers(r, a)); break;
    case SLOE_ATTR_GRAPH: SLOE_TRY(queue_graph(r, f, a, scope, node)); break;
    case SLOE_ATTR_STRING:
      if (!a->attr.s) a->attr.s = "";
      break;
    case SPARSE_TENSOR: /* to the rest of sloe a constant like any other */
      if (strcmp(a->attr.name, "sparse_value") == 0) a->attr.name = "value";
      a->type = SLOE_ATTR_TENSOR;
      break;
    default: *there = a->type <= SLOE_ATTR_GRAPHS; break; /* types of sequences and the like */
  }
  a->attr.type = (sloe_attr_type)a->type;
  return SLOE_OK;
}

static sloe_status walk(sloe_onnx_reader *r, const sloe_field *f, reading *a) {
  sloe_field g;
  uint64_t outer;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    SLOE_TRY(read_field(r, &g, a));
  }
  return sloe_wire_leave(&r->wire, outer);
}

sloe_status sloe_onnx_attr(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                           const char *node) {
  int there = 0;
  reading a = {.attr = {.name = "", .tensor = -1}, .base = r->words.n};
  sloe_status status = walk(r, f, &a);
  if (status == SLOE_OK) status = settle(r, f, &a, scope, node, &there);
  r->words.n = a.base;
  if (status != SLOE_OK && !*a.attr.name) return status;
  if (status != SLOE_OK) return sloe_fail_in(r->err, status, "attribute '%.60s'", a.attr.name);
  if (!there) return SLOE_OK;
  sloe_attr *place = sloe_onnx_push(&r->attrs, sizeof *place);
  if (!place) return sloe_onnx_nomem(r);
  *place = a.attr;
  return SLOE_OK;
}
