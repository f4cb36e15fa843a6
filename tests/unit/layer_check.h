/* layer_check.h: what a layer computes, as naive loops over contents that are known by name: the
 * reference for backends that run them. A test that includes it says what its backend calls its
 * weights (norm_at, offset_at, window_at) and how it runs layers (check_specs). */
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

static inline void check_softmax(const sloe_layer_spec *s, const float *got) {
  const int64_t inside = s->h * s->w;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t i = 0; i < inside; i++) {
      double sum = 0;
      for (int64_t c = 0; c < s->c; c++)
        sum += exp((double)content("src", (size_t)((n * s->c + c) * inside + i)));
      for (int64_t c = 0; c < s->c; c++) {
        const size_t at = (size_t)((n * s->c + c) * inside + i);
        assert_near(at, got[at], exp((double)content("src", at)) / sum);
      }
    }
}

static inline void check_reduce(const sloe_layer_spec *s, const float *got) {
  const int64_t inside = s->h * s->w;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t i = 0; i < inside; i++) {
      double sum = 0;
      for (int64_t c = 0; c < s->c; c++)
        sum += content("src", (size_t)((n * s->c + c) * inside + i));
      assert_near((size_t)i, got[n * inside + i], sum / (double)s->c);
    }
}

/* What a layer normalisation adds to element i of m. */
static double offset_at(int64_t m, int64_t i);

static inline void check_layer_norm(const sloe_layer_spec *s, const float *got) {
  const int64_t image = s->h * s->w, m = image > 1 ? image : s->c;
  const int64_t rows = s->n * s->c * image / m;
  for (int64_t r = 0; r < rows; r++) {
    double mean = 0, var = 0;
    for (int64_t i = 0; i < m; i++) mean += content("src", (size_t)(r * m + i)) / (double)m;
    for (int64_t i = 0; i < m; i++)
      var += pow(content("src", (size_t)(r * m + i)) - mean, 2) / (double)m;
    for (int64_t i = 0; i < m; i++) {
      const double x = (content("src", (size_t)(r * m + i)) - mean) / sqrt(var + 1e-5);
      assert_near((size_t)i, got[r * m + i], x * content("factors", (size_t)i) + offset_at(m, i));
    }
  }
}

static inline void check_lrn(const sloe_layer_spec *s, const float *got) {
  for (int64_t c = 0; c < s->c; c++)
    for (int64_t i = 0; i < s->h * s->w; i++) {
      double sum = 0;
      for (int64_t k = c - 2; k <= c + 2; k++)
        if (k >= 0 && k < s->c) sum += pow(src_at(s, 0, k, i / s->w, i % s->w), 2);
      const double x = src_at(s, 0, c, i / s->w, i % s->w);
      assert_near((size_t)i, got[c * s->h * s->w + i], x * pow(1 + 1e-4 / 5 * sum, -0.75));
    }
}

static inline void check_transpose(const sloe_layer_spec *s, const float *got) {
  for (int64_t i = 0; i < s->h * s->w; i++)
    for (int64_t c = 0; c < s->c; c++)
      assert_near((size_t)i, got[i * s->c + c], src_at(s, 0, c, i / s->w, i % s->w));
}

/* Every output is a sum over the inputs that reach it. The weights from channel c to filter k are
   the window_at-th window of "weights". */
static int64_t window_at(const sloe_layer_spec *s, int64_t c, int64_t k);

static inline void check_deconv(const sloe_layer_spec *s, const float *got) {
  for (int64_t k = 0; k < s->k; k++)
    for (int64_t y = 0; y < s->out[0]; y++)
      for (int64_t x = 0; x < s->out[1]; x++) {
        double sum = content("bias", (size_t)k);
        for (int64_t c = 0; c < s->c; c++)
          for (int64_t i = 0; i < s->kernel[0]; i++)
            for (int64_t j = 0; j < s->kernel[1]; j++) {
              const int64_t h = y + s->pad[0] - i, w = x + s->pad[1] - j;
              if (h < 0 || w < 0 || h % s->stride[0] || w % s->stride[1]) continue;
              if (h / s->stride[0] >= s->h || w / s->stride[1] >= s->w) continue;
              sum += src_at(s, 0, c, h / s->stride[0], w / s->stride[1]) *
                     content("weights",
                             (size_t)((window_at(s, c, k) * s->kernel[0] + i) * s->kernel[1] + j));
            }
        const size_t at = (size_t)((k * s->out[0] + y) * s->out[1] + x);
        assert_near(at, got[at], act_of(s->act, sum));
      }
}

static inline void check_concat(const sloe_layer_spec *s, const float *got) {
  const int64_t each = s->c / s->parts, first = s->c - each * (s->parts - 1), image = s->h * s->w;
  for (int64_t c = 0; c < s->c; c++)
    for (int64_t i = 0; i < image; i++) {
      const int64_t of_part = c < first ? c : (c - first) % each;
      assert_near((size_t)i, got[c * image + i], content("src", (size_t)(of_part * image + i)));
    }
}

/* ---- what is run ---- */

typedef void (*check_fn)(const sloe_layer_spec *s, const float *got);

/* Runs each and checks what it made. */
static void check_specs(const char *const *specs, size_t n, check_fn check);
#define CHECK_SPECS(check, ...)                   \
  check_specs((const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), check)

#define CONV_SPECS                                                                          \
  "op=conv,c=3,h=17,w=19,k=16,kernel=3,stride=2,act=relu",                                  \
      "op=conv,c=32,h=9,w=9,k=24,kernel=1,act=swish", "op=conv,c=16,h=9,w=9,k=16,kernel=3", \
      "op=conv,c=32,h=9,w=9,k=32,kernel=3,groups=32,act=hardswish",                         \
      "op=conv,c=32,h=12,w=10,k=64,kernel=3,groups=4,act=hardsigmoid",                      \
      "op=conv,n=2,c=16,h=15,w=15,k=16,kernel=3,dilation=2,act=clip",                       \
      "op=conv,c=20,h=8,w=8,k=12,kernel=1x7,act=gelu,add=1",                                \
      "op=conv,c=16,h=14,w=14,k=16,kernel=3,stride=2,pad=0,out=7,add=1,act=relu",           \
      "op=conv,c=16,h=14,w=14,k=32,kernel=1,stride=2,act=leaky",                            \
      "op=conv,c=48,h=7,w=7,k=48,kernel=5,groups=48,stride=2,act=sigmoid",                  \
      "op=conv,c=16,h=5,w=5,k=16,kernel=3,act=erf"
#define DECONV_SPECS                                             \
  "op=deconv,c=16,h=7,w=7,k=8,kernel=4,stride=2,pad=1,act=relu", \
      "op=deconv,c=8,h=5,w=6,k=16,kernel=2,stride=2,pad=0"
#define IMAGE_SPECS                                                                                \
  "op=maxpool,c=20,h=13,w=12,kernel=3,stride=2", "op=maxpool,c=3,h=8,w=8,kernel=2,stride=2,pad=0", \
      "op=avgpool,c=24,h=11,w=11,kernel=3,stride=1",                                               \
      "op=maxpool,c=16,h=8,w=8,kernel=3,stride=2,pad=0,out=4",                                     \
      "op=batchnorm,c=20,h=6,w=6,act=relu", "op=batchnorm,c=20,h=6,w=6,act=swish",                 \
      "op=globalpool,c=40,h=7,w=5", "op=resize,c=16,h=4,w=5,out=8x10",                             \
      "op=activation,c=10,h=6,w=6,act=hardsigmoid", "op=activation,c=12,h=6,w=6,act=erf",          \
      "op=activation,c=16,h=3,w=3,act=tanh", "op=binary,c=24,h=6,w=5,with=full",                   \
      "op=binary,n=2,c=24,h=6,w=5,with=channel", "op=binary,c=12,h=6,w=5,with=scalar",             \
      "op=binary,c=12,h=6,w=5,with=row,act=relu", "op=slice,c=24,h=5,w=5,k=10",                    \
      "op=copy,c=5,h=6,w=7", "op=reorder,c=24,h=6,w=7"
#define PRODUCT_SPECS                                                                      \
  "op=fc,c=70,k=33", "op=fc,n=5,c=16,k=24,act=relu,add=1", "op=fc,n=3,c=16,k=24,act=gelu", \
      "op=matmul,n=3,h=5,c=7,k=6", "op=matmul,h=8,c=8,k=8,act=relu"

static inline void check_other_kinds(void) {
  CHECK_SPECS(check_softmax, "op=softmax,n=2,c=50", "op=softmax,c=7,w=9");
  CHECK_SPECS(check_reduce, "op=reduce,n=3,c=10,w=4", "op=reduce,n=2,c=300");
  CHECK_SPECS(check_layer_norm, "op=layernorm,n=9,c=32", "op=layernorm,c=8,h=5,w=5");
  CHECK_SPECS(check_lrn, "op=lrn,c=32,h=6,w=6");
  CHECK_SPECS(check_transpose, "op=transpose,c=6,h=4,w=5");
  CHECK_SPECS(check_concat, "op=concat,c=25,h=4,w=4,parts=3");
}

#endif
