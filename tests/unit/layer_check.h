/* layer_check.h: what a layer computes, as naive loops over contents that are known by name: the
 * reference for backends that run them. A test that includes it says what its backend's batch
 * normalisation reads (norm_at). */
#ifndef SLOE_TESTS_LAYER_CHECK_H
#define SLOE_TESTS_LAYER_CHECK_H

#include "net/layer_spec.h"
#include "unit/fill_check.h"

static inline double act_of(sloe_spec_act act, double x) {
  switch (act) {
    case SLOE_SPEC_ACT_RELU: return x > 0 ? x : 0;
    case SLOE_SPEC_ACT_CLIP: return fmin(fmax(x, 0), 6);
    case SLOE_SPEC_ACT_LEAKY: return x > 0 ? x : 0.1 * x;
    case SLOE_SPEC_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case SLOE_SPEC_ACT_HARDSIGMOID: return fmin(fmax(x / 6 + 0.5, 0), 1);
    case SLOE_SPEC_ACT_SWISH: return x / (1 + exp(-x));
    case SLOE_SPEC_ACT_HARDSWISH: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case SLOE_SPEC_ACT_TANH: return tanh(x);
    case SLOE_SPEC_ACT_GELU: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case SLOE_SPEC_ACT_ERF: return erf(x);
    default: return x;
  }
}

static inline double conv_at(const sloe_layer_spec *s, int64_t n, int64_t k, int64_t y, int64_t x) {
  const int64_t ic = s->c / s->groups, oc = s->k / s->groups, g = k / oc;
  double sum = content("bias", (size_t)k);
  for (int64_t c = 0; c < ic; c++)
    for (int64_t i = 0; i < s->kernel[0]; i++)
      for (int64_t j = 0; j < s->kernel[1]; j++) {
        const int64_t h = y * s->stride[0] + i * s->dilation[0] - s->pad[0];
        const int64_t w = x * s->stride[1] + j * s->dilation[1] - s->pad[1];
        if (h < 0 || w < 0 || h >= s->h || w >= s->w) continue;
        sum += (double)content("src", (size_t)(((n * s->c + g * ic + c) * s->h + h) * s->w + w)) *
               content("weights", (size_t)(((k * ic + c) * s->kernel[0] + i) * s->kernel[1] + j));
      }
  return sum;
}

static inline void check_conv(const sloe_layer_spec *s, const float *got) {
  size_t at = 0;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t k = 0; k < s->k; k++)
      for (int64_t y = 0; y < s->out[0]; y++)
        for (int64_t x = 0; x < s->out[1]; x++, at++) {
          const double sum = conv_at(s, n, k, y, x) + (s->add ? content("residual", at) : 0);
          assert_near(at, got[at], act_of(s->act, sum));
        }
}

static inline double src_at(const sloe_layer_spec *s, int64_t n, int64_t c, int64_t h, int64_t w) {
  return content("src", (size_t)(((n * s->c + c) * s->h + h) * s->w + w));
}

/* What the window at y, x makes: the maximum, or the mean of what lies inside. */
static inline double pool_at(const sloe_layer_spec *s, int64_t n, int64_t c, int64_t y, int64_t x) {
  double most = -10, sum = 0, count = 0;
  for (int64_t i = 0; i < s->kernel[0]; i++)
    for (int64_t j = 0; j < s->kernel[1]; j++) {
      const int64_t h = y * s->stride[0] + i - s->pad[0], w = x * s->stride[1] + j - s->pad[1];
      if (h < 0 || w < 0 || h >= s->h || w >= s->w) continue;
      most = fmax(most, src_at(s, n, c, h, w));
      sum += src_at(s, n, c, h, w);
      count++;
    }
  return s->op == SLOE_SPEC_MAXPOOL ? most : sum / count;
}

static inline double mean_at(const sloe_layer_spec *s, int64_t n, int64_t c) {
  double sum = 0;
  for (int64_t i = 0; i < s->h * s->w; i++) sum += src_at(s, n, c, i / s->w, i % s->w);
  return sum / (double)(s->h * s->w);
}

static inline double second_at(const sloe_layer_spec *s, size_t at, int64_t n, int64_t c,
                               int64_t w) {
  switch (s->with) {
    case SLOE_SPEC_WITH_FULL: return content("second", at);
    case SLOE_SPEC_WITH_CHANNEL: return content("second", (size_t)(n * s->c + c));
    case SLOE_SPEC_WITH_ROW: return content("second", (size_t)w);
    default: return content("second", 0);
  }
}

/* What batch normalisation of channel c makes of x. */
static double norm_at(const sloe_layer_spec *s, double x, int64_t c);

/* Element n, c, y, x of what a layer makes that keeps n and c. */
static inline double image_at(const sloe_layer_spec *s, size_t at, int64_t n, int64_t c, int64_t y,
                              int64_t x) {
  switch (s->op) {
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL: return pool_at(s, n, c, y, x);
    case SLOE_SPEC_GLOBALPOOL: return mean_at(s, n, c);
    case SLOE_SPEC_RESIZE: return src_at(s, n, c, y * s->h / s->out[0], x * s->w / s->out[1]);
    case SLOE_SPEC_ACTIVATION: return act_of(s->act, src_at(s, n, c, y, x));
    case SLOE_SPEC_BATCHNORM: return act_of(s->act, norm_at(s, src_at(s, n, c, y, x), c));
    case SLOE_SPEC_BINARY: {
      const double a = src_at(s, n, c, y, x), b = second_at(s, at, n, c, x);
      return act_of(s->act, s->with == SLOE_SPEC_WITH_FULL ? a + b : a * b);
    }
    default: return src_at(s, n, c, y, x);
  }
}

static inline void check_image(const sloe_layer_spec *s, const float *got) {
  const int64_t channels = s->op == SLOE_SPEC_SLICE ? s->k : s->c;
  size_t at = 0;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t y = 0; y < s->out[0]; y++)
        for (int64_t x = 0; x < s->out[1]; x++, at++)
          assert_near(at, got[at], image_at(s, at, n, c, y, x));
}

static inline void check_product(const sloe_layer_spec *s, const float *got) {
  const int fc = s->op == SLOE_SPEC_FC;
  const int64_t rows = fc ? s->n : s->n * s->h;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < s->k; j++) {
      const size_t at = (size_t)(i * s->k + j);
      double sum = fc ? content("bias", (size_t)j) : 0;
      for (int64_t c = 0; c < s->c; c++)
        sum += (double)content("src", (size_t)(i * s->c + c)) *
               (fc ? content("weights", (size_t)(j * s->c + c))
                   : content("second", (size_t)((i / s->h * s->c + c) * s->k + j)));
      if (s->add) sum += content("residual", at);
      assert_near(at, got[at], act_of(s->act, sum));
    }
}

#endif
