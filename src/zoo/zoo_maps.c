/* zoo_maps.c: layers of windows, and what they make of a map's size. */
#include "zoo/zoo_build.h"

enum { MOST_PARTS = 512 };

typedef struct edge { /* one dimension of a window */
  int64_t kernel, before, after, out;
} edge;

/* `pad` rows at each end, or SLOE_ZOO_PAD_SAME or SLOE_ZOO_PAD_END. */
static edge edge_of(sloe_zoo_builder *b, int64_t in, int64_t kernel, int64_t stride, int64_t pad,
                    int ceil) {
  edge s = {kernel, pad, pad, 0};
  if (pad == SLOE_ZOO_PAD_END) {
    s.before = 0;
    s.after = kernel / 2;
  }
  if (pad == SLOE_ZOO_PAD_SAME) {
    const int64_t total = ((in + stride - 1) / stride - 1) * stride + kernel - in;
    s.before = total > 0 ? total / 2 : 0;
    s.after = total > 0 ? total - s.before : 0;
  }
  const int64_t room = in + s.before + s.after - kernel;
  if (room < 0)
    sloe_zoo_refuse(b, "input: too small: a window of %lld on a map of %lld", (long long)kernel,
                    (long long)in);
  s.out = room < 0 ? 1 : (room + (ceil ? stride - 1 : 0)) / stride + 1;
  return s;
}

static sloe_zoo_map add_window(sloe_zoo_builder *b, sloe_op op, const sloe_tid *in, size_t n_in,
                               const sloe_zoo_map *x, int64_t k, const edge edges[2],
                               int64_t stride, const sloe_attr *more) {
  const int64_t kernels[] = {edges[0].kernel, edges[1].kernel}, strides[] = {stride, stride};
  const int64_t pads[] = {edges[0].before, edges[1].before, edges[0].after, edges[1].after};
  sloe_attr attrs[4] = {sloe_zoo_attr_ints("kernel_shape", 2, kernels),
                        sloe_zoo_attr_ints("strides", 2, strides),
                        sloe_zoo_attr_ints("pads", 4, pads)};
  if (more) attrs[3] = *more;
  const sloe_tid t = sloe_zoo_node(b, op, in, n_in, attrs, more ? 4 : 3);
  return (sloe_zoo_map){t, x->n, k, edges[0].out, edges[1].out};
}

static int64_t conv_pad(const sloe_zoo_conv *conv, int64_t kernel) {
  if (conv->pad == SLOE_ZOO_NO_PAD) return 0;
  return conv->pad ? conv->pad : kernel / 2;
}

static int has_bias(const sloe_zoo_conv *conv) {
  return conv->bias ? conv->bias == SLOE_ZOO_BIAS : !conv->norm;
}

sloe_zoo_map sloe_zoo_add_conv(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_conv conv) {
  const int64_t high = conv.kernel ? conv.kernel : 1, wide = conv.wide ? conv.wide : high;
  const int64_t stride = conv.stride ? conv.stride : 1, groups = conv.groups ? conv.groups : 1;
  if (x.c % groups || conv.k % groups)
    sloe_zoo_refuse(b, "%lld groups do not divide %lld and %lld channels", (long long)groups,
                    (long long)x.c, (long long)conv.k);
  const edge edges[] = {edge_of(b, x.h, high, stride, conv_pad(&conv, high), 0),
                        edge_of(b, x.w, wide, stride, conv_pad(&conv, wide), 0)};
  const int64_t shape[] = {conv.k, x.c / groups, high, wide};
  const sloe_attr group = sloe_zoo_attr_int("group", groups);
  const sloe_tid weight = sloe_zoo_weight(b, 4, shape);
  const sloe_tid bias = has_bias(&conv) ? sloe_zoo_weight(b, 1, &conv.k) : -1;
  const sloe_tid in[] = {x.t, weight, bias};
  sloe_zoo_map y =
      add_window(b, SLOE_OP_CONV, in, has_bias(&conv) ? 3 : 2, &x, conv.k, edges, stride, &group);
  b->macs += (double)y.n * (double)y.c * (double)(y.h * y.w) * (double)(shape[1] * high * wide);
  if (conv.norm) y = sloe_zoo_add_norm(b, y);
  return sloe_zoo_add_act(b, y, conv.act);
}

sloe_zoo_map sloe_zoo_add_norm(sloe_zoo_builder *b, sloe_zoo_map x) {
  sloe_tid in[5] = {x.t, -1, -1, -1, -1};
  for (int i = 1; i < 5; i++) in[i] = sloe_zoo_weight(b, 1, &x.c);
  x.t = sloe_zoo_node(b, SLOE_OP_BATCH_NORM, in, 5, NULL, 0);
  return x;
}

sloe_zoo_map sloe_zoo_add_act(sloe_zoo_builder *b, sloe_zoo_map x, sloe_spec_act act) {
  x.t = sloe_zoo_act(b, x.t, act);
  return x;
}

sloe_zoo_map sloe_zoo_add_norm_act(sloe_zoo_builder *b, sloe_zoo_map x, sloe_spec_act act) {
  return sloe_zoo_add_act(b, sloe_zoo_add_norm(b, x), act);
}

sloe_zoo_map sloe_zoo_add_lrn(sloe_zoo_builder *b, sloe_zoo_map x, int64_t size) {
  const sloe_attr attr = sloe_zoo_attr_int("size", size);
  x.t = sloe_zoo_node(b, SLOE_OP_LRN, &x.t, 1, &attr, 1);
  return x;
}

sloe_zoo_map sloe_zoo_add_pool_of(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_pool pool) {
  const sloe_attr ceil = sloe_zoo_attr_int("ceil_mode", 1);
  const edge edges[] = {edge_of(b, x.h, pool.kernel, pool.stride, pool.pad, pool.ceil),
                        edge_of(b, x.w, pool.kernel, pool.stride, pool.pad, pool.ceil)};
  return add_window(b, pool.op, &x.t, 1, &x, x.c, edges, pool.stride, pool.ceil ? &ceil : NULL);
}

sloe_zoo_map sloe_zoo_add_pool(sloe_zoo_builder *b, sloe_zoo_map x, sloe_op op, int64_t kernel,
                               int64_t stride, int64_t pad) {
  return sloe_zoo_add_pool_of(b, x, (sloe_zoo_pool){op, kernel, stride, pad, 0});
}

sloe_zoo_map sloe_zoo_add_fitted_pool(sloe_zoo_builder *b, sloe_zoo_map x, int64_t size) {
  const int64_t in[] = {x.h, x.w};
  int64_t kernels[2], strides[2];
  if (x.h < size || x.w < size)
    sloe_zoo_refuse(b, "input: too small: a map of %lldx%lld cannot be averaged to %lldx%lld",
                    (long long)x.h, (long long)x.w, (long long)size, (long long)size);
  for (int d = 0; d < 2; d++) {
    strides[d] = in[d] < size ? 1 : in[d] / size;
    kernels[d] = in[d] < size ? 1 : in[d] - (size - 1) * strides[d];
  }
  const sloe_attr attrs[] = {sloe_zoo_attr_ints("kernel_shape", 2, kernels),
                             sloe_zoo_attr_ints("strides", 2, strides)};
  return (sloe_zoo_map){sloe_zoo_node(b, SLOE_OP_AVERAGE_POOL, &x.t, 1, attrs, 2), x.n, x.c, size,
                        size};
}

sloe_zoo_map sloe_zoo_add_global_pool(sloe_zoo_builder *b, sloe_zoo_map x) {
  return (sloe_zoo_map){sloe_zoo_node(b, SLOE_OP_GLOBAL_AVERAGE_POOL, &x.t, 1, NULL, 0), x.n, x.c,
                        1, 1};
}

/* Some networks can only halve even sizes. */
static void check_meet(sloe_zoo_builder *b, const sloe_zoo_map *x, const sloe_zoo_map *y) {
  if (x->h != y->h || x->w != y->w)
    sloe_zoo_refuse(b, "input: branches of %lldx%lld and %lldx%lld do not meet", (long long)x->h,
                    (long long)x->w, (long long)y->h, (long long)y->w);
}

sloe_zoo_map sloe_zoo_add_binary(sloe_zoo_builder *b, sloe_op op, sloe_zoo_map x, sloe_zoo_map y) {
  if (y.h != 1 || y.w != 1) check_meet(b, &x, &y);
  x.t = sloe_zoo_node(b, op, (sloe_tid[]){x.t, y.t}, 2, NULL, 0);
  return x;
}

sloe_zoo_map sloe_zoo_add_scaled(sloe_zoo_builder *b, sloe_zoo_map x, double factor) {
  x.t = sloe_zoo_node(b, SLOE_OP_MUL, (sloe_tid[]){x.t, sloe_zoo_real(b, factor)}, 2, NULL, 0);
  return x;
}

sloe_zoo_map sloe_zoo_add_concat(sloe_zoo_builder *b, const sloe_zoo_map *x, size_t n) {
  const sloe_attr axis = sloe_zoo_attr_int("axis", 1);
  sloe_tid in[MOST_PARTS];
  sloe_zoo_map y = x[0];
  y.c = 0;
  if (n > MOST_PARTS) b->status = sloe_fail(b->err, SLOE_INTERNAL, "a concat of %zu maps", n);
  for (size_t i = 0; i < n && i < MOST_PARTS; i++) {
    check_meet(b, &x[0], &x[i]);
    in[i] = x[i].t;
    y.c += x[i].c;
  }
  y.t = sloe_zoo_node(b, SLOE_OP_CONCAT, in, n, &axis, 1);
  return y;
}

sloe_zoo_map sloe_zoo_add_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t units,
                             sloe_spec_act act) {
  const int64_t inner = x.c * x.h * x.w;
  const sloe_attr turned = sloe_zoo_attr_int("transB", 1);
  const sloe_tid flat = sloe_zoo_node(b, SLOE_OP_FLATTEN, &x.t, 1, NULL, 0);
  const sloe_tid weight = sloe_zoo_weight(b, 2, (int64_t[]){units, inner});
  const sloe_tid in[] = {flat, weight, sloe_zoo_weight(b, 1, &units)};
  b->macs += (double)x.n * (double)inner * (double)units;
  return sloe_zoo_add_act(
      b, (sloe_zoo_map){sloe_zoo_node(b, SLOE_OP_GEMM, in, 3, &turned, 1), x.n, units, 1, 1}, act);
}
