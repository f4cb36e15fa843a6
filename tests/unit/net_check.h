/* net_check.h: small nets and what they compute, as naive loops over contents that are known by
 * name: the reference for backends that run them. */
#ifndef SLOE_TESTS_NET_CHECK_H
#define SLOE_TESTS_NET_CHECK_H

#include "unit/build.h"
#include "unit/fill_check.h"

/* ---- the reference: images of one batch, plain ---- */

enum { MAX_ELEMENTS = 4096 };

typedef struct image {
  int64_t c, h, w;
  float at[MAX_ELEMENTS];
} image;

static inline size_t size_of(const image *m) {
  return (size_t)(m->c * m->h * m->w);
}

static inline void ref_named(image *out, const char *name, int64_t c, int64_t h, int64_t w) {
  out->c = c, out->h = h, out->w = w;
  fill_by_name(NULL, name, out->at, size_of(out));
}

static inline double ref_window(const image *in, const char *weights, int64_t k, int64_t kernel,
                                int64_t groups, int64_t oc, int64_t y, int64_t x) {
  const int64_t ic = in->c / groups, first = k / oc * ic;
  double sum = content("bias", (size_t)k);
  for (int64_t c = 0; c < ic; c++)
    for (int64_t i = 0; i < kernel; i++)
      for (int64_t j = 0; j < kernel; j++) {
        const int64_t h = y + i - kernel / 2, w = x + j - kernel / 2;
        if (h < 0 || w < 0 || h >= in->h || w >= in->w) continue;
        sum += (double)in->at[((first + c) * in->h + h) * in->w + w] *
               content(weights, (size_t)(((k * ic + c) * kernel + i) * kernel + j));
      }
  return sum;
}

/* Of stride 1, the size kept. */
static inline void ref_conv(const image *in, const char *weights, int64_t k, int64_t kernel,
                            int64_t groups, image *out) {
  out->c = k, out->h = in->h, out->w = in->w;
  for (int64_t c = 0; c < k; c++)
    for (int64_t y = 0; y < in->h; y++)
      for (int64_t x = 0; x < in->w; x++)
        out->at[(c * in->h + y) * in->w + x] =
            (float)ref_window(in, weights, c, kernel, groups, k / groups, y, x);
}

static inline float relu(float x) {
  return x > 0 ? x : 0;
}
static inline float sigmoid(float x) {
  return 1 / (1 + expf(-x));
}
static inline float swish(float x) {
  return x * sigmoid(x);
}

static inline void ref_map(image *m, float (*fn)(float)) {
  for (size_t i = 0; i < size_of(m); i++) m->at[i] = fn(m->at[i]);
}

static inline void ref_add(image *m, const image *other) {
  for (size_t i = 0; i < size_of(m); i++) m->at[i] += other->at[i];
}

/* ---- nets ---- */

static inline sloe_tid conv(sloe_net *net, const char *name, sloe_tid in, int64_t c, int64_t k,
                            int64_t kernel, int64_t groups) {
  char weights[40];
  snprintf(weights, sizeof weights, "%s_w", name);
  int64_t *pads = SLOE_ARENA_NEW(&net->arena, int64_t, 4);
  for (int i = 0; i < 4; i++) pads[i] = kernel / 2;
  const sloe_tid w = build_weight(net, weights, DIMS(k, c / groups, kernel, kernel));
  sloe_attr attrs[] = {{.name = "pads", .type = SLOE_ATTR_INTS, .ints = pads, .n = 4},
                       ATTR_INT("group", groups)};
  return build_node(net, "Conv", name, IN(in, w), attrs, 2);
}

/* The unit of a ShuffleNet: split, a convolution on one half, concatenation, channels shuffled by
   reshape, transposition, reshape; a flattening and a product at the end. */
static inline sloe_tid shuffle_unit(sloe_net *net, sloe_tid t) {
  const sloe_tid half[] = {build_tensor(net, "left"), build_tensor(net, "right")};
  sloe_error err;
  sloe_attr axis[] = {ATTR_INT("axis", 1)};
  const sloe_node_spec split = {.type = "Split",
                                .name = "split",
                                .in = &t,
                                .out = half,
                                .n_in = 1,
                                .n_out = 2,
                                .attrs = axis,
                                .n_attrs = 1};
  assert_ok(sloe_net_add_node(net, &net->graph, &split, &err), err);
  const sloe_tid right = conv(net, "c2", half[1], 8, 8, 3, 1);
  return build_node(net, "Concat", "cat", IN(half[0], right), axis, 1);
}

static inline sloe_tid shape_of(sloe_net *net, const char *name, size_t n, const int64_t *dims) {
  const sloe_tid t = build_weight(net, name, DIMS((int64_t)n));
  sloe_value *value = SLOE_ARENA_NEW(&net->arena, sloe_value, 1);
  int64_t *copy = SLOE_ARENA_NEW(&net->arena, int64_t, n);
  memcpy(copy, dims, n * sizeof *dims);
  *value = (sloe_value){.n = n, .i = copy};
  net->tensors[t].dtype = SLOE_DT_INT64;
  net->tensors[t].value = value;
  net->tensors[t].flags |= SLOE_T_CONST;
  return t;
}

/* ---- whole nets: built, and what their outputs must be ---- */

/* x -> conv relu = a; conv(conv relu(a)) + a, relu; both branches alive. */
static inline sloe_net *residual_net(image *y) {
  static image x, a, b;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 3, 7, 6));
  const sloe_tid first =
      build_node(net, "Relu", "r1", IN(conv(net, "c1", in, 3, 16, 3, 1)), NO_ATTRS);
  const sloe_tid mid =
      build_node(net, "Relu", "r2", IN(conv(net, "c2", first, 16, 16, 1, 1)), NO_ATTRS);
  const sloe_tid sum =
      build_node(net, "Add", "add", IN(conv(net, "c3", mid, 16, 16, 3, 1), first), NO_ATTRS);
  build_output(net, build_node(net, "Relu", "r3", IN(sum), NO_ATTRS));
  ref_named(&x, "x", 3, 7, 6);
  ref_conv(&x, "c1_w", 16, 3, 1, &a);
  ref_map(&a, relu);
  ref_conv(&a, "c2_w", 16, 1, 1, &b);
  ref_map(&b, relu);
  ref_conv(&b, "c3_w", 16, 3, 1, y);
  ref_add(y, &a);
  ref_map(y, relu);
  return net;
}

/* The residual is read again behind the sum, and the convolution reads it too. */
static inline sloe_net *late_residual_net(image *y) {
  static image x, a, b;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 8, 5, 5));
  const sloe_tid a_t = conv(net, "c1", in, 8, 8, 3, 1);
  const sloe_tid b_t =
      build_node(net, "Add", "add1", IN(conv(net, "c2", a_t, 8, 8, 3, 1), a_t), NO_ATTRS);
  build_output(net,
               build_node(net, "Add", "add2", IN(conv(net, "c3", b_t, 8, 8, 1, 1), a_t), NO_ATTRS));
  ref_named(&x, "x", 8, 5, 5);
  ref_conv(&x, "c1_w", 8, 3, 1, &a);
  ref_conv(&a, "c2_w", 8, 3, 1, &b);
  ref_add(&b, &a);
  ref_conv(&b, "c3_w", 8, 1, 1, y);
  ref_add(y, &a);
  return net;
}

/* A depthwise convolution with swish, gated by its mean through two small convolutions. */
static inline sloe_tid squeeze_and_excite(sloe_net *net, sloe_tid in) {
  const sloe_tid t = conv(net, "dw", in, 24, 24, 3, 24);
  const sloe_tid gate = build_node(net, "Sigmoid", "sg", IN(t), NO_ATTRS);
  const sloe_tid sw = build_node(net, "Mul", "swish", IN(t, gate), NO_ATTRS);
  const sloe_tid pool = build_node(net, "GlobalAveragePool", "gap", IN(sw), NO_ATTRS);
  const sloe_tid f1 =
      build_node(net, "Relu", "r", IN(conv(net, "fc1", pool, 24, 6, 1, 1)), NO_ATTRS);
  const sloe_tid f2 =
      build_node(net, "Sigmoid", "s2", IN(conv(net, "fc2", f1, 6, 24, 1, 1)), NO_ATTRS);
  return build_node(net, "Mul", "scale", IN(f2, sw), NO_ATTRS);
}

static inline sloe_net *squeeze_net(image *y) {
  static image x, d, mean, s, g;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 24, 6, 6));
  build_output(net, conv(net, "out", squeeze_and_excite(net, in), 24, 8, 1, 1));
  ref_named(&x, "x", 24, 6, 6);
  ref_conv(&x, "dw_w", 24, 3, 24, &d);
  ref_map(&d, swish);
  mean = (image){.c = 24, .h = 1, .w = 1};
  for (int c = 0; c < 24; c++)
    for (int i = 0; i < 36; i++) mean.at[c] += d.at[c * 36 + i] / 36;
  ref_conv(&mean, "fc1_w", 6, 1, 1, &s);
  ref_map(&s, relu);
  ref_conv(&s, "fc2_w", 24, 1, 1, &g);
  ref_map(&g, sigmoid);
  for (int c = 0; c < 24; c++)
    for (int i = 0; i < 36; i++) d.at[c * 36 + i] *= g.at[c];
  ref_conv(&d, "out_w", 8, 1, 1, y);
  return net;
}

/* Output 0: the product; 1: what the unit makes. */
static inline sloe_net *shuffle_net(image *y, image *half) {
  static image x, a, right, mixed;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 3, 4, 5));
  const sloe_tid cat = shuffle_unit(net, conv(net, "c1", in, 3, 16, 3, 1));
  const sloe_tid five =
      build_node(net, "Reshape", "five",
                 IN(cat, shape_of(net, "s5", 5, (int64_t[]){1, 2, 8, 4, 5})), NO_ATTRS);
  static const int64_t order[] = {0, 2, 1, 3, 4};
  sloe_attr perm[] = {{.name = "perm", .type = SLOE_ATTR_INTS, .ints = order, .n = 5}};
  const sloe_tid swapped = build_node(net, "Transpose", "swap", IN(five), perm, 1);
  const sloe_tid four =
      build_node(net, "Reshape", "four",
                 IN(swapped, shape_of(net, "s4", 4, (int64_t[]){1, 16, 4, 5})), NO_ATTRS);
  const sloe_tid last = conv(net, "c3", four, 16, 16, 1, 1);
  const sloe_tid flat = build_node(net, "Flatten", "flat", IN(last), NO_ATTRS);
  const sloe_tid w = build_weight(net, "fc_w", DIMS(320, 10));
  build_output(net, build_node(net, "Gemm", "fc", IN(flat, w), NO_ATTRS));
  build_output(net, four);
  ref_named(&x, "x", 3, 4, 5);
  ref_conv(&x, "c1_w", 16, 3, 1, &a);
  mixed = (image){.c = 8, .h = 4, .w = 5};
  memcpy(mixed.at, a.at + 160, 160 * sizeof *a.at);
  ref_conv(&mixed, "c2_w", 8, 3, 1, &right);
  mixed = (image){.c = 16, .h = 4, .w = 5};
  for (int c = 0; c < 16; c++) /* channel 2 i of the left, 2 i + 1 of the right half */
    memcpy(mixed.at + c * 20, (c % 2 ? right.at : a.at) + c / 2 * 20, 20 * sizeof *a.at);
  *half = mixed;
  ref_conv(&mixed, "c3_w", 16, 1, 1, &a);
  *y = (image){.c = 10, .h = 1, .w = 1};
  for (int k = 0; k < 10; k++) {
    double sum = content("bias", (size_t)k);
    for (int i = 0; i < 320; i++) sum += (double)a.at[i] * content("fc_w", (size_t)(k * 320 + i));
    y->at[k] = (float)sum;
  }
  return net;
}

#endif
