#include "net/layer_axes.h"

#include <math.h>

#include "net/net.h"

typedef struct dim_names {
  const char *name[SLOE_LAYER_DIMS];
} dim_names;

/* Of every op: fewer than four end in NULL. */
static const dim_names WINDOW = {{"filters", "channels", "height", "width"}},
                       IMAGE = {{"channels", "height", "width"}},
                       PRODUCT = {{"units", "inputs", "rows"}}, TWO = {{"length", "rows"}},
                       ELEMENTS = {{"elements"}}, PARTS = {{"elements", "parts"}};

static const dim_names *names_of(sloe_spec_op op) {
  switch (op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return &WINDOW;
    case SLOE_SPEC_FC:
    case SLOE_SPEC_MATMUL: return &PRODUCT;
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL:
    case SLOE_SPEC_GLOBALPOOL:
    case SLOE_SPEC_RESIZE: return &IMAGE;
    case SLOE_SPEC_SOFTMAX:
    case SLOE_SPEC_LAYERNORM:
    case SLOE_SPEC_REDUCE: return &TWO;
    case SLOE_SPEC_CONCAT: return &PARTS;
    default: return &ELEMENTS;
  }
}

const char *sloe_layer_dim_name(sloe_spec_op op, size_t dim) {
  const char *name = dim < SLOE_LAYER_DIMS ? names_of(op)->name[dim] : NULL;
  return name ? name : "";
}

sloe_layer_key sloe_layer_key_of(const sloe_layer_spec *s) {
  sloe_layer_key key = {.op = (int32_t)s->op, .kernel = {1, 1}, .stride = {1, 1}};
  if (s->op == SLOE_SPEC_BINARY) key.grouping = (int32_t)s->with;
  if (s->op == SLOE_SPEC_RESIZE) key.grouping = s->linear;
  if (s->op == SLOE_SPEC_CONCAT) key.grouping = s->mixed;
  if (s->groups > 1) key.grouping = sloe_layer_spec_is_depthwise(s) ? SLOE_DEPTHWISE : SLOE_GROUPED;
  if (names_of(s->op) == &WINDOW || s->op == SLOE_SPEC_MAXPOOL || s->op == SLOE_SPEC_AVGPOOL)
    for (int d = 0; d < 2; d++) {
      key.kernel[d] = (int32_t)s->kernel[d];
      key.stride[d] = (int32_t)s->stride[d];
    }
  return key;
}

static int order(int32_t a, int32_t b) {
  return (a > b) - (a < b);
}

int sloe_layer_key_compare(const sloe_layer_key *a, const sloe_layer_key *b) {
  int by = order(a->op, b->op);
  if (!by) by = order(a->grouping, b->grouping);
  for (int d = 0; !by && d < 2; d++) by = order(a->kernel[d], b->kernel[d]);
  for (int d = 0; !by && d < 2; d++) by = order(a->stride[d], b->stride[d]);
  return by;
}

/* Depthwise convolutions have one dimension less: filters follow channels. Batches are more rows.
 */
size_t sloe_layer_coords(const sloe_layer_spec *s, int64_t x[SLOE_LAYER_DIMS]) {
  const dim_names *names = names_of(s->op);
  if (names == &WINDOW) {
    x[0] = s->k;
    x[1] = sloe_layer_spec_is_depthwise(s) ? 1 : s->c / s->groups;
    x[2] = s->out[0] * s->n;
    x[3] = s->out[1];
    return 4;
  }
  if (names == &PRODUCT) {
    x[0] = s->k;
    x[1] = s->c;
    x[2] = s->n * s->h;
    return 3;
  }
  if (names == &IMAGE) {
    x[0] = s->c;
    x[1] = (s->op == SLOE_SPEC_GLOBALPOOL ? s->h : s->out[0]) * s->n;
    x[2] = s->op == SLOE_SPEC_GLOBALPOOL ? s->w : s->out[1];
    return 3;
  }
  if (names == &TWO) {
    x[0] = s->c;
    x[1] = s->n * s->h * s->w;
    return 2;
  }
  const uint64_t elements = sloe_layer_spec_out_elements(s);
  x[0] = elements > (uint64_t)1 << 40 ? INT64_C(1) << 40 : (int64_t)elements;
  if (names != &PARTS) return 1;
  x[1] = s->parts;
  return 2;
}

/* Taps of a window that lie inside the image, summed over the output positions of one dimension. */
static double inner_taps(const sloe_layer_spec *s, int d) {
  const int64_t size = d == 0 ? s->h : s->w, step = s->stride[d], gap = s->dilation[d];
  double sum = (double)s->out[d] * (double)s->kernel[d];
  for (int64_t tap = 0; tap < s->kernel[d]; tap++) { /* positions whose tap falls outside */
    const int64_t first = tap * gap - s->pad[d], last = first + (s->out[d] - 1) * step;
    int64_t outside = first < 0 ? (-first + step - 1) / step : 0;
    if (outside > s->out[d]) outside = s->out[d];
    int64_t beyond = last >= size ? (last - size) / step + 1 : 0;
    if (beyond > s->out[d] - outside) beyond = s->out[d] - outside;
    sum -= (double)(outside + beyond);
  }
  return sum > 1 ? sum : 1;
}

double sloe_layer_inner_macs(const sloe_layer_spec *s) {
  if (s->op != SLOE_SPEC_CONV) return (double)sloe_layer_spec_macs(s);
  const int64_t channels = s->c / s->groups;
  return (double)s->n * (double)s->k * (double)channels * inner_taps(s, 0) * inner_taps(s, 1);
}

static int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

double sloe_layer_tiles(const sloe_layer_spec *s, int64_t rows, int64_t columns) {
  const int64_t positions = s->n * s->out[0] * s->out[1], filters = s->k / s->groups;
  return (double)ceil_div(positions, rows) * (double)ceil_div(filters, columns) * (double)s->groups;
}

double sloe_layer_transform(const sloe_layer_spec *s) {
  const int64_t h = s->h + s->kernel[0] - 1, w = s->w + s->kernel[1] - 1, most = h > w ? h : w;
  int64_t size = 16;
  while (size < most && size < INT64_C(1) << 40) size *= 2;
  return (double)size;
}

sloe_transforms sloe_layer_transforms(const sloe_layer_spec *s) {
  const double size = sloe_layer_transform(s), points = size * size;
  const int64_t channels = s->c / s->groups;
  return (sloe_transforms){points * (double)s->n * (double)s->c,
                           points * (double)s->n * (double)s->k,
                           points * (double)channels * (double)s->k};
}

double sloe_layer_half_transforms(const sloe_layer_spec *s) {
  const sloe_transforms t = sloe_layer_transforms(s);
  const double size = sloe_layer_transform(s);
  return (t.in + t.out + t.weights) * (size / 2 + 1) / size;
}

double sloe_layer_transform_macs(const sloe_layer_spec *s) {
  const double size = sloe_layer_transform(s);
  return 4 * (double)s->n * sloe_layer_transforms(s).weights * (size / 2 + 1) / size;
}

double sloe_layer_fourier(const sloe_layer_spec *s) {
  const sloe_transforms t = sloe_layer_transforms(s);
  return t.in + t.out + t.weights + 8 * t.weights * (double)s->n;
}

static float ln(double x) {
  return logf(x > 1 ? (float)x : 1);
}

static float extra_of(const sloe_layer_spec *s) {
  switch (s->op) {
    case SLOE_SPEC_CONCAT: return (float)s->parts;
    case SLOE_SPEC_BINARY: return (float)s->with;
    case SLOE_SPEC_RESIZE: return (float)s->linear;
    default: return (float)s->add;
  }
}

static float align_of(int64_t count) {
  int power = 0;
  while (power < 5 && count > 0 && !(count >> power & 1)) power++;
  return (float)power;
}

/* Runtimes pad both sides alike in one call, and have another kernel for what is left. */
static int is_uneven(const sloe_layer_spec *s) {
  if (s->op != SLOE_SPEC_MAXPOOL && s->op != SLOE_SPEC_AVGPOOL) return 0;
  return sloe_layer_spec_pad_end(s, 0) > s->pad[0] || sloe_layer_spec_pad_end(s, 1) > s->pad[1];
}

/* Rows that begin whole pages of 4 KB apart share the sets of a cache, which then holds few of
   them: on a processor 300 rows of 4096 channels by 21 units take 2.6 times as long as of 4104
   (docs/notes/accuracy.md). */
static int is_paged(const sloe_layer_spec *s) {
  return (s->op == SLOE_SPEC_FC || s->op == SLOE_SPEC_MATMUL) && s->c >= 2048 && s->c % 1024 == 0;
}

/* Beyond these no cache holds them: one network is as large as another. */
static double cold(const sloe_layer_place *place, uint64_t weights) {
  const uint64_t most = UINT64_C(1) << 26;
  return (double)(place && place->in_network && weights < most ? weights : most);
}

void sloe_layer_place_add(sloe_layer_place *place, double mb, double bytes) {
  if (!(mb > 0)) return;
  const uint64_t elements = (uint64_t)fmin(1e6 * mb / bytes, 1e18);
  place->weights = sloe_add_sat(place->weights, elements);
  place->windows = sloe_add_sat(place->windows, elements);
  place->touched = sloe_add_sat(place->touched, elements);
}

void sloe_layer_features(const sloe_layer_spec *s, const sloe_layer_place *place,
                         float x[SLOE_LAYER_FEATURES]) {
  const double taps = (double)s->kernel[0] * (double)s->kernel[1];
  const double macs = (double)sloe_layer_spec_macs(s), inner = sloe_layer_inner_macs(s);
  const int64_t channels = s->c / s->groups;
  const int64_t filters = sloe_layer_spec_is_depthwise(s) ? s->k : s->k / s->groups;
  const sloe_transforms transforms = sloe_layer_transforms(s);
  const float values[SLOE_LAYER_FEATURES] = {
      [SLOE_LAYER_FEATURE_log_k] = ln((double)s->k),
      [SLOE_LAYER_FEATURE_log_c] = ln((double)channels),
      [SLOE_LAYER_FEATURE_log_oh] = ln((double)s->out[0]),
      [SLOE_LAYER_FEATURE_log_ow] = ln((double)s->out[1]),
      [SLOE_LAYER_FEATURE_log_taps] = ln(taps),
      [SLOE_LAYER_FEATURE_aspect] = logf((float)s->kernel[0] / (float)s->kernel[1]),
      [SLOE_LAYER_FEATURE_log_stride] = ln((double)(s->stride[0] * s->stride[1])),
      [SLOE_LAYER_FEATURE_log_groups] = ln((double)s->groups),
      [SLOE_LAYER_FEATURE_log_n] = ln((double)s->n),
      [SLOE_LAYER_FEATURE_k_mod_16] = (float)(filters % 16),
      [SLOE_LAYER_FEATURE_k_mod_64] = (float)(filters % 64),
      [SLOE_LAYER_FEATURE_c_mod_16] = (float)(channels % 16),
      [SLOE_LAYER_FEATURE_ow_mod_8] = (float)(s->out[1] % 8),
      [SLOE_LAYER_FEATURE_log_pixels] = ln((double)s->out[0] * (double)s->out[1]),
      [SLOE_LAYER_FEATURE_log_in] = ln((double)sloe_layer_spec_in_elements(s)),
      [SLOE_LAYER_FEATURE_log_out] = ln((double)sloe_layer_spec_out_elements(s)),
      [SLOE_LAYER_FEATURE_log_weights] = ln((double)sloe_layer_spec_weights(s)),
      [SLOE_LAYER_FEATURE_log_macs] = ln(inner),
      [SLOE_LAYER_FEATURE_padding] = macs > 0 ? (float)(1 - inner / macs) : 0,
      [SLOE_LAYER_FEATURE_log_depth] = ln((double)channels * taps),
      [SLOE_LAYER_FEATURE_dilated] = ln((double)(s->dilation[0] * s->dilation[1])),
      [SLOE_LAYER_FEATURE_act] = (float)s->act,
      [SLOE_LAYER_FEATURE_extra] = extra_of(s),
      [SLOE_LAYER_FEATURE_log_w] = ln((double)s->w),
      [SLOE_LAYER_FEATURE_in_network] = (float)(place && place->in_network),
      [SLOE_LAYER_FEATURE_log_network] = ln(cold(place, place ? place->weights : 0)),
      [SLOE_LAYER_FEATURE_log_tiles_128] = ln(sloe_layer_tiles(s, 128, 128)),
      [SLOE_LAYER_FEATURE_log_tiles_64] = ln(sloe_layer_tiles(s, 64, 64)),
      [SLOE_LAYER_FEATURE_log_transform] = ln(sloe_layer_transform(s)),
      [SLOE_LAYER_FEATURE_log_fourier] = ln(sloe_layer_fourier(s)),
      [SLOE_LAYER_FEATURE_fourier] = ln(inner) - ln(sloe_layer_fourier(s)),
      [SLOE_LAYER_FEATURE_k_align] = align_of(filters),
      [SLOE_LAYER_FEATURE_c_align] = align_of(channels),
      [SLOE_LAYER_FEATURE_log_transforms] = ln(transforms.in + transforms.out + transforms.weights),
      [SLOE_LAYER_FEATURE_uneven] = (float)is_uneven(s),
      [SLOE_LAYER_FEATURE_log_windows] = ln(cold(place, place ? place->windows : 0)),
      [SLOE_LAYER_FEATURE_log_touched] = ln(cold(place, place ? place->touched : 0)),
      [SLOE_LAYER_FEATURE_paged] = (float)is_paged(s),
  };
  for (size_t i = 0; i < SLOE_LAYER_FEATURES; i++) x[i] = values[i];
}

static const char *const FEATURES[SLOE_LAYER_FEATURES] = {
#define SLOE_LAYER_FEATURE_NAME(name, doc) #name,
    SLOE_LAYER_FEATURE_MAP(SLOE_LAYER_FEATURE_NAME)
#undef SLOE_LAYER_FEATURE_NAME
};

const char *sloe_layer_feature_name(size_t i) {
  return i < SLOE_LAYER_FEATURES ? FEATURES[i] : "";
}
