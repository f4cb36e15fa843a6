#include "net/layer_terms.h"

#include <math.h>

#include "net/net.h"

/* What the rows of layer_terms.def ask of a layer. Of a product with several rows, rows are pixels:
   it is a 1x1 convolution. */
typedef struct layer_sizes {
  int dense, direct, pointwise, winograd, grouped, product, other, grows, runs;
  double batch, filters, depth; /* depth: products of one output */
  double channels;              /* of a group */
  double pixels, height, width, width_in, taps, stride;
  double flops, padded_flops, winograd_flops;
  double in_bytes, out_bytes, weight_bytes;
} layer_sizes;

const sloe_layer_term sloe_layer_term_rows[SLOE_LAYER_TERMS] = {
#define TERM(id, unit, least, usual, most, amount, doc) \
  {#id, SLOE_TERM_##unit, least, usual, most, doc},
#include "net/layer_terms.def"
#undef TERM
};

const char *sloe_layer_trait_name(size_t i) {
  static const char *const names[SLOE_LAYER_TRAITS] = {
#define SLOE_LAYER_TRAIT_TEXT(name, doc) #name,
      SLOE_LAYER_TRAIT_MAP(SLOE_LAYER_TRAIT_TEXT)
#undef SLOE_LAYER_TRAIT_TEXT
  };
  return i < SLOE_LAYER_TRAITS ? names[i] : NULL;
}

static double whole(double amount, double tile) {
  return ceil(amount / tile) * tile;
}

static double at_least_one(double v) {
  return v > 1 ? v : 1;
}

/* 1 where it is not there or not known. */
static double dim_of(const sloe_shape *shapes, size_t n, int dim) {
  return n && dim >= 0 && dim < shapes->rank ? at_least_one((double)shapes->dim[dim]) : 1;
}

static int is_window(const sloe_layer *l) {
  return l->kind == SLOE_LAYER_CONV || l->kind == SLOE_LAYER_DWCONV || l->kind == SLOE_LAYER_DECONV;
}

static int both(const int64_t pair[2], int64_t value) {
  return pair[0] == value && pair[1] == value;
}

static void take_image(const sloe_layer *l, layer_sizes *s) {
  const int rank = l->n_out ? l->out->rank : 0, rank_in = l->n_in ? l->in->rank : 0;
  s->batch = dim_of(l->out, l->n_out, rank > 2 ? 0 : -1);
  s->height = dim_of(l->out, l->n_out, rank > 3 ? rank - 2 : -1);
  s->width = dim_of(l->out, l->n_out, rank > 2 ? rank - 1 : -1);
  s->width_in = dim_of(l->in, l->n_in, rank_in > 2 ? rank_in - 1 : -1);
}

static void take_window(const sloe_layer *l, layer_sizes *s) {
  const double groups = at_least_one((double)l->groups);
  s->taps = at_least_one((double)l->kernel[0]) * at_least_one((double)l->kernel[1]);
  s->stride = at_least_one((double)l->stride[0]) * at_least_one((double)l->stride[1]);
  s->channels = at_least_one(dim_of(l->in, l->n_in, 1) / groups);
  s->grouped = groups > 1;
  s->dense = !s->grouped;
  s->grows = s->width > s->width_in;
  s->pointwise = s->dense && s->taps == 1;
  s->winograd = s->dense && l->kind == SLOE_LAYER_CONV && both(l->kernel, 3) &&
                both(l->stride, 1) && l->dilation[0] <= 1 && l->dilation[1] <= 1;
  s->direct = s->dense && !s->pointwise && !s->winograd;
  s->winograd_flops = 2 * s->batch * whole(s->height, 8) * whole(s->width, 16) *
                      whole(s->filters, 32) * whole(s->channels, 8) * 9;
}

static void take_product(const sloe_layer *l, double element_bytes, layer_sizes *s) {
  s->channels = s->depth;
  s->height = s->width = s->width_in = 1;
  s->product = s->pixels <= 1;
  s->dense = s->pointwise = !s->product;
  if (l->kind == SLOE_LAYER_MATMUL && l->n_in > 1) { /* the second operand is what weights are */
    const double second = (double)sloe_shape_elements(&l->in[1]) * element_bytes;
    s->weight_bytes += second;
    s->in_bytes -= second < s->in_bytes ? second : s->in_bytes;
  }
}

static layer_sizes sizes_of(const sloe_layer *l, double element_bytes) {
  const double outputs = at_least_one((double)l->out_elements);
  layer_sizes s = {.runs = l->kind != SLOE_LAYER_VIEW, .taps = 1, .stride = 1, .channels = 1};
  s.flops = (double)l->flops;
  s.in_bytes = (double)l->in_elements * element_bytes;
  s.out_bytes = (double)l->out_elements * element_bytes;
  s.weight_bytes = (double)l->params * element_bytes;
  take_image(l, &s);
  s.filters = at_least_one((double)l->filters);
  if (l->kind == SLOE_LAYER_MATMUL && l->n_out && l->out->rank > 0)
    s.filters = dim_of(l->out, l->n_out, l->out->rank - 1);
  s.pixels = at_least_one(outputs / s.filters);
  s.depth = at_least_one((double)l->macs / outputs);
  if (is_window(l)) {
    take_window(l, &s);
    s.flops = 2 * (double)l->macs;
  } else if (l->kind == SLOE_LAYER_FC || l->kind == SLOE_LAYER_MATMUL) {
    take_product(l, element_bytes, &s);
  } else {
    s.other = s.runs;
  }
  s.padded_flops =
      2 * whole(s.pixels, 64) * whole(s.filters, s.filters > 32 ? 64 : 32) * whole(s.depth, 8);
  return s;
}

void sloe_layer_terms(const sloe_layer *layer, double element_bytes, double out[SLOE_LAYER_TERMS]) {
  const layer_sizes sizes = sizes_of(layer, element_bytes), *s = &sizes;
#define TERM(id, unit, least, usual, most, amount, doc) out[SLOE_LAYER_TERM_##id] = (amount);
#include "net/layer_terms.def"
#undef TERM
}

/* ln of what is lost where an amount is cut into whole tiles */
static double lost(double amount, double tile) {
  return log(whole(amount, tile) / amount);
}

void sloe_layer_traits(const sloe_layer *layer, double out[SLOE_LAYER_TRAITS]) {
  const layer_sizes s = sizes_of(layer, 1);
  const double image = s.height * s.width;
  const double values[] = {
      log(s.channels),
      log(s.filters),
      log(s.pixels),
      (double)layer->kind,
      log(s.taps),
      log(s.stride),
      s.width,
      s.width - s.width_in,
      lost(s.filters, 32),
      lost(s.filters, 64),
      lost(s.filters, 128),
      lost(s.pixels, 32),
      lost(s.pixels, 64),
      lost(s.pixels, 128),
      log(whole(s.height, 4) * whole(s.width, 4) / image),
      log(whole(s.height, 8) * whole(s.width, 16) / image),
      log(ceil(s.pixels / 128) * ceil(s.filters / 64)),
  };
  _Static_assert(sizeof values / sizeof *values == SLOE_LAYER_TRAITS, "a value for each trait");
  memcpy(out, values, sizeof values);
}

static uint64_t below(int64_t v, unsigned bits) {
  const uint64_t most = ((uint64_t)1 << bits) - 1, value = v > 1 ? (uint64_t)v : 1;
  return value < most ? value : most;
}

uint64_t sloe_layer_family(const sloe_layer *layer) {
  const layer_sizes s = sizes_of(layer, 1);
  const int window = is_window(layer);
  uint64_t family = (uint64_t)layer->kind;
  for (int d = 0; d < 2; d++) family = family << 8 | (window ? below(layer->kernel[d], 8) : 1);
  for (int d = 0; d < 2; d++) family = family << 4 | (window ? below(layer->stride[d], 4) : 1);
  for (int d = 0; d < 2; d++) family = family << 6 | (window ? below(layer->dilation[d], 6) : 1);
  family = family << 1 | (window && s.grouped);
  family = family << 1 | (s.pointwise && s.grows);
  return family << 1 | (s.dense && !window);
}
