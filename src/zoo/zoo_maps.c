/* zoo_maps.c: layers of square windows, and what they make of a map's size. */
#include "zoo/zoo_build.h"

enum { MOST_PARTS = 16 };

static int64_t size_of(int64_t in, int64_t kernel, int64_t stride, int64_t pad) {
  return (in + 2 * pad - kernel) / stride + 1;
}

static sloe_zoo_map add_window(sloe_zoo_builder *b, const char *type, const sloe_tid *in,
                               size_t n_in, const sloe_zoo_map *x, int64_t k, int64_t kernel,
                               int64_t stride, int64_t pad, int64_t groups) {
  const int64_t kernels[] = {kernel, kernel}, strides[] = {stride, stride};
  const int64_t pads[] = {pad, pad, pad, pad};
  const sloe_attr attrs[] = {
      sloe_zoo_attr_ints("kernel_shape", 2, kernels), sloe_zoo_attr_ints("strides", 2, strides),
      sloe_zoo_attr_ints("pads", 4, pads), sloe_zoo_attr_int("group", groups)};
  return (sloe_zoo_map){sloe_zoo_node(b, type, in, n_in, attrs, groups ? 4 : 3), x->n, k,
                        size_of(x->h, kernel, stride, pad), size_of(x->w, kernel, stride, pad)};
}

sloe_zoo_map sloe_zoo_add_conv(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_conv conv) {
  const int64_t kernel = conv.kernel ? conv.kernel : 1, stride = conv.stride ? conv.stride : 1;
  const int64_t groups = conv.groups ? conv.groups : 1;
  const int64_t shape[] = {conv.k, x.c / groups, kernel, kernel};
  const sloe_tid weight = sloe_zoo_weight(b, 4, shape);
  const sloe_tid bias = conv.norm ? -1 : sloe_zoo_weight(b, 1, &conv.k);
  const sloe_tid in[] = {x.t, weight, bias};
  sloe_zoo_map y =
      add_window(b, "Conv", in, conv.norm ? 2 : 3, &x, conv.k, kernel, stride, kernel / 2, groups);
  b->macs += (double)(y.n * y.c * y.h * y.w) * (double)(shape[1] * kernel * kernel);
  if (conv.norm) y = sloe_zoo_add_norm(b, y);
  return sloe_zoo_add_act(b, y, conv.act);
}

sloe_zoo_map sloe_zoo_add_norm(sloe_zoo_builder *b, sloe_zoo_map x) {
  sloe_tid in[5] = {x.t, -1, -1, -1, -1};
  for (int i = 1; i < 5; i++) in[i] = sloe_zoo_weight(b, 1, &x.c);
  x.t = sloe_zoo_node(b, "BatchNormalization", in, 5, NULL, 0);
  return x;
}

sloe_zoo_map sloe_zoo_add_act(sloe_zoo_builder *b, sloe_zoo_map x, sloe_spec_act act) {
  x.t = sloe_zoo_act(b, x.t, act);
  return x;
}

sloe_zoo_map sloe_zoo_add_pool(sloe_zoo_builder *b, sloe_zoo_map x, const char *type,
                               int64_t kernel, int64_t stride, int64_t pad) {
  return add_window(b, type, &x.t, 1, &x, x.c, kernel, stride, pad, 0);
}

sloe_zoo_map sloe_zoo_add_global_pool(sloe_zoo_builder *b, sloe_zoo_map x) {
  return (sloe_zoo_map){sloe_zoo_node(b, "GlobalAveragePool", &x.t, 1, NULL, 0), x.n, x.c, 1, 1};
}

sloe_zoo_map sloe_zoo_add_binary(sloe_zoo_builder *b, const char *type, sloe_zoo_map x,
                                 sloe_zoo_map y) {
  x.t = sloe_zoo_node(b, type, (sloe_tid[]){x.t, y.t}, 2, NULL, 0);
  return x;
}

sloe_zoo_map sloe_zoo_add_concat(sloe_zoo_builder *b, const sloe_zoo_map *x, size_t n) {
  const sloe_attr axis = sloe_zoo_attr_int("axis", 1);
  sloe_tid in[MOST_PARTS] = {0};
  sloe_zoo_map y = x[0];
  y.c = 0;
  if (n > MOST_PARTS) b->status = sloe_fail(b->err, SLOE_INTERNAL, "a concat of %zu maps", n);
  for (size_t i = 0; i < n && i < MOST_PARTS; i++) {
    in[i] = x[i].t;
    y.c += x[i].c;
  }
  y.t = sloe_zoo_node(b, "Concat", in, n, &axis, 1);
  return y;
}

sloe_zoo_map sloe_zoo_add_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t units,
                             sloe_spec_act act) {
  const int64_t inner = x.c * x.h * x.w;
  const sloe_attr turned = sloe_zoo_attr_int("transB", 1);
  const sloe_tid flat = sloe_zoo_node(b, "Flatten", &x.t, 1, NULL, 0);
  const sloe_tid weight = sloe_zoo_weight(b, 2, (int64_t[]){units, inner});
  const sloe_tid in[] = {flat, weight, sloe_zoo_weight(b, 1, &units)};
  b->macs += (double)x.n * (double)inner * (double)units;
  return sloe_zoo_add_act(
      b, (sloe_zoo_map){sloe_zoo_node(b, "Gemm", in, 3, &turned, 1), x.n, units, 1, 1}, act);
}
