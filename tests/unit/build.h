/* build.h: small nets by hand, for tests. Any failure fails the test at once. */
#ifndef SLOE_TESTS_BUILD_H
#define SLOE_TESTS_BUILD_H

#include "net/net.h"
#include "unit/unit.h"

static inline sloe_net *build_net(void) {
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_new(0, &net, &err), err);
  net->opset = 17;
  return net;
}

static inline sloe_tid build_tensor(sloe_net *net, const char *name) {
  sloe_tid t;
  sloe_error err;
  assert_ok(sloe_net_add_tensor(net, name, &t, &err), err);
  return t;
}

/* A float tensor of `rank` dims; -1 is an open one. */
static inline sloe_tid build_shaped(sloe_net *net, const char *name, int rank,
                                    const int64_t *dims) {
  sloe_tid t = build_tensor(net, name);
  net->tensors[t].dtype = SLOE_DT_FLOAT;
  net->tensors[t].shape.rank = rank;
  for (int i = 0; i < rank; i++) net->tensors[t].shape.dim[i] = dims[i];
  return t;
}

#define DIMS(...)                                                        \
  (int)(sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t)), (int64_t[]) { \
    __VA_ARGS__                                                          \
  }

static inline sloe_tid build_input(sloe_net *net, const char *name, int rank, const int64_t *dims) {
  sloe_error err;
  sloe_tid t = build_shaped(net, name, rank, dims);
  assert_ok(sloe_graph_add_input(net, &net->graph, t, &err), err);
  return t;
}

static inline sloe_tid build_weight(sloe_net *net, const char *name, int rank,
                                    const int64_t *dims) {
  sloe_tid t = build_shaped(net, name, rank, dims);
  net->tensors[t].flags |= SLOE_T_INIT;
  return t;
}

static inline void build_output(sloe_net *net, sloe_tid t) {
  sloe_error err;
  assert_ok(sloe_graph_add_output(net, &net->graph, t, &err), err);
}

/* One output, up to four inputs (-1 ends them). */
static inline sloe_status build_try(sloe_net *net, const char *type, const char *name,
                                    const sloe_tid *in, size_t n_in, sloe_tid out,
                                    const sloe_attr *attrs, size_t n_attrs, sloe_error *err) {
  sloe_node_spec spec = {.type = type,
                         .name = name,
                         .in = in,
                         .out = &out,
                         .n_in = n_in,
                         .n_out = 1,
                         .attrs = attrs,
                         .n_attrs = n_attrs,
                         .offset = 100 + net->n_nodes};
  return sloe_net_add_node(net, &net->graph, &spec, err);
}

static inline sloe_tid build_node(sloe_net *net, const char *type, const char *name,
                                  const sloe_tid *in, size_t n_in, const sloe_attr *attrs,
                                  size_t n_attrs) {
  sloe_error err;
  char out[80];
  snprintf(out, sizeof out, "%s_out", name);
  sloe_tid t = build_tensor(net, out);
  assert_ok(build_try(net, type, name, in, n_in, t, attrs, n_attrs, &err), err);
  return t;
}

#define IN(...)  (sloe_tid[]){__VA_ARGS__}, sizeof((sloe_tid[]){__VA_ARGS__}) / sizeof(sloe_tid)
#define NO_ATTRS NULL, 0
#define ATTR_INT(key, value) \
  { .name = key, .type = SLOE_ATTR_INT, .i = value }
#define ATTR_INTS(key, ...)                                                \
  {                                                                        \
    .name = key, .type = SLOE_ATTR_INTS, .ints = (int64_t[]){__VA_ARGS__}, \
    .n = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)                \
  }

#endif
