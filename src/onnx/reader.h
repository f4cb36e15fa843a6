/* reader.h: what the parts of the ONNX reader share. Private to onnx/.
 *
 * Order of work. model.c scans the outermost message: versions, opset imports, the byte ranges of
 * graph and functions. graph.c then walks the main graph once. Attributes that are graphs are not
 * followed at once but queued by byte range, since the names that they may use are complete only
 * when the graph around them is. A subgraph, and a function's body, is walked twice: first its
 * definitions, then its nodes; so an inner name hides an outer one wherever it stands.
 *
 * Names. A scope maps names to tensors. In the main graph (`open`) a name may be used before it is
 * made; the tensor is then added on sight, and the end of the graph checks that all are made.
 * Subgraphs look in the scopes around them; function bodies see nothing but their inputs.
 */
#ifndef SLOE_ONNX_READER_H
#define SLOE_ONNX_READER_H

#include "net/net.h"
#include "onnx/wire.h"

enum {
  SLOE_ONNX_MAX_DEPTH = 32,        /* graphs in graphs, functions in functions */
  SLOE_ONNX_MAX_NAME = 65535,      /* bytes of a name */
  SLOE_ONNX_MAX_INLINED = 1 << 15, /* nodes made by calls of functions */
  SLOE_ONNX_MAX_REREAD = 8 << 20,  /* bytes of function bodies walked */
  SLOE_ONNX_SMALL = 64,            /* elements up to which floats and bytes are kept */
};

typedef struct sloe_onnx_range {
  uint64_t at, end;
} sloe_onnx_range;

typedef struct sloe_onnx_function {
  const char *key; /* "domain::Name", as in sloe_node.type; with ":overload" where there is one */
  sloe_onnx_range range;
} sloe_onnx_function;

typedef struct sloe_onnx_call {
  const struct sloe_onnx_call *parent;
  int32_t function;
  int depth;
  sloe_attr *attrs; /* what ref_attr_name refers to: the call's, then the function's defaults */
  size_t n_attrs, cap_attrs;
} sloe_onnx_call;

typedef struct sloe_onnx_scope {
  struct sloe_onnx_scope *parent; /* whose names are seen too; NULL: of none */
  sloe_map names;
  sloe_map promised; /* outputs of a function, bound ahead of the nodes that make them */
  sloe_graph *graph;
  const char *prefix;         /* of the names of tensors and nodes made here */
  const sloe_onnx_call *call; /* NULL outside functions */
  int open, local, depth;
} sloe_onnx_scope;

typedef struct sloe_onnx_pending { /* a subgraph to be read */
  sloe_graph *graph;
  sloe_onnx_range range;
  sloe_onnx_scope *scope; /* around it */
  const char *attr;
  const char *node; /* name or NULL */
} sloe_onnx_pending;

typedef union sloe_onnx_word {
  int64_t i;
  double f;
  const char *s;
} sloe_onnx_word;

typedef struct sloe_onnx_stack { /* scratch: users take what they pushed above their base */
  void *data;
  size_t n, cap;
} sloe_onnx_stack;

typedef struct sloe_onnx_reader {
  sloe_wire wire;
  sloe_net *net;
  sloe_error *err;
  char *text; /* the string read last */
  size_t text_cap;
  sloe_onnx_stack in, out; /* sloe_tid */
  sloe_onnx_stack attrs;   /* sloe_attr */
  sloe_onnx_stack words;   /* sloe_onnx_word */
  sloe_onnx_range graph;
  sloe_onnx_function *functions;
  size_t n_functions, cap_functions;
  sloe_map function_names;
  sloe_onnx_pending *pending;
  size_t n_pending, cap_pending;
  size_t inlined;
  uint64_t reread;
  int named; /* the error already names a node */
} sloe_onnx_reader;

/* reader.c */
sloe_status sloe_onnx_nomem(sloe_onnx_reader *r);
/* The string of field `f` into r->text. It may not hold a NUL. */
sloe_status sloe_onnx_text(sloe_onnx_reader *r, const sloe_field *f);
/* A copy of it in the net's arena. */
sloe_status sloe_onnx_string(sloe_onnx_reader *r, const sloe_field *f, const char **out);
/* The same for bytes: what follows a NUL is lost. */
sloe_status sloe_onnx_bytes(sloe_onnx_reader *r, const sloe_field *f, const char **out);
/* Numbers of a repeated field, packed or not, pushed onto r->words. */
sloe_status sloe_onnx_ints(sloe_onnx_reader *r, const sloe_field *f);
sloe_status sloe_onnx_floats(sloe_onnx_reader *r, const sloe_field *f);
/* Room for one more element of `size` bytes. Returns where to put it; NULL: no memory. */
void *sloe_onnx_push(sloe_onnx_stack *stack, size_t size);
/* What was pushed since the stack held `base`; NULL where nothing ever was. */
const void *sloe_onnx_above(const sloe_onnx_stack *stack, size_t base, size_t size);

/* model.c */
sloe_status sloe_onnx_scan_model(sloe_onnx_reader *r);

/* scope.c */
sloe_onnx_scope *sloe_onnx_scope_new(sloe_onnx_reader *r, sloe_onnx_scope *parent,
                                     sloe_graph *graph);
sloe_status sloe_onnx_add_tensor(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                 uint64_t at, sloe_tid *out);
/* A name that is used. SLOE_ONNX_LEFT_OUT entries of function scopes give -1. */
sloe_status sloe_onnx_use(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                          uint64_t at, sloe_tid *out);
/* Names that are made: by a node; by a node, ahead of its reading; as a graph input; as an
   initializer. */
sloe_status sloe_onnx_define_out(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                 uint64_t at, sloe_tid *out);
sloe_status sloe_onnx_declare_out(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                  uint64_t at);
sloe_status sloe_onnx_define_input(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                   uint64_t at, sloe_tid *out);
sloe_status sloe_onnx_define_init(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                  uint64_t at, sloe_tid *out);
/* Put a name over tensor t (-1: an argument left out) of a function's scope. */
sloe_status sloe_onnx_bind(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                           uint64_t at, sloe_tid t);

/* tensor.c: the field is a TensorProto or SparseTensorProto. With a scope it is an initializer,
   without one the value of an attribute. */
sloe_status sloe_onnx_tensor(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                             sloe_tid *out);
sloe_status sloe_onnx_sparse_tensor(sloe_onnx_reader *r, const sloe_field *f,
                                    sloe_onnx_scope *scope, sloe_tid *out);
sloe_status sloe_onnx_dtype(sloe_onnx_reader *r, int64_t value, uint64_t at, sloe_dtype *out);

/* type.c: ValueInfoProto. */
typedef struct sloe_onnx_value_info {
  const char *name;
  sloe_dtype dtype;
  sloe_shape shape;
  const char **symbol;
} sloe_onnx_value_info;
sloe_status sloe_onnx_read_value_info(sloe_onnx_reader *r, const sloe_field *f,
                                      sloe_onnx_value_info *out);

/* attr.c: one AttributeProto pushed onto r->attrs (or none, for a reference to what the call does
   not give). `node` is for the messages of subgraphs. */
sloe_status sloe_onnx_attr(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                           const char *node);

/* graph.c */
sloe_status sloe_onnx_read_graph(sloe_onnx_reader *r);
/* One NodeProto. `index` is its place in the graph. */
sloe_status sloe_onnx_node(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                           size_t index);
/* The names of its outputs. */
sloe_status sloe_onnx_declare_node(sloe_onnx_reader *r, const sloe_field *f,
                                   sloe_onnx_scope *scope);

/* function.c: add the nodes of function `index` to scope->graph in place of the call `spec`. */
sloe_status sloe_onnx_inline(sloe_onnx_reader *r, sloe_onnx_scope *scope, int32_t index,
                             const sloe_node_spec *spec);

#endif
