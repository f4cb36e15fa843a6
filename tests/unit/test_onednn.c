/* The backend onednn: layers against naive loops, and what it refuses. */
#include <math.h>

#include "base/alloc.h"
#include "device/onednn/onednn.h"
#include "unit/unit.h"

static void *open_it(sloe_device_info *info) {
  sloe_backend_options none = {.n = 0};
  sloe_error err;
  void *state;
  assert_ok(sloe_backend_onednn.open(&none, &state, info, &err), err);
  return state;
}

static sloe_layer_spec parse(const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  return spec;
}

/* ---- the reference ---- */

/* Contents by name: every element a hash of its index. */
static float content(const char *name, size_t i) {
  uint32_t x = (uint32_t)i * 2654435761U;
  for (const char *p = name; *p; p++) x = (x ^ (uint32_t)*p) * 16777619U;
  x ^= x >> 15;
  x *= 2246822519U;
  x ^= x >> 13;
  return (float)(x % 2001U) / 1000.0F - 1.0F;
}

static int fill(void *context, const char *name, float *data, size_t n) {
  (void)context;
  for (size_t i = 0; i < n; i++) data[i] = content(name, i);
  return 1;
}

static double act_of(sloe_spec_act act, double x) {
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

static double conv_at(const sloe_layer_spec *s, int64_t n, int64_t k, int64_t y, int64_t x) {
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

static void check_conv(const sloe_layer_spec *s, const float *got) {
  size_t at = 0;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t k = 0; k < s->k; k++)
      for (int64_t y = 0; y < s->out[0]; y++)
        for (int64_t x = 0; x < s->out[1]; x++, at++) {
          const double sum = conv_at(s, n, k, y, x) + (s->add ? content("residual", at) : 0);
          const double want = act_of(s->act, sum);
          if (fabs(got[at] - want) > 1e-3 * (1 + fabs(want)))
            fail_msg("at %zu: got %g, want %g", at, (double)got[at], want);
        }
}

/* ---- tests ---- */

static void convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  static const char *const specs[] = {
      "op=conv,c=3,h=17,w=19,k=16,kernel=3,stride=2,act=relu",
      "op=conv,c=32,h=9,w=9,k=24,kernel=1,act=swish",
      "op=conv,c=32,h=9,w=9,k=32,kernel=3,groups=32,act=hardswish",
      "op=conv,c=32,h=12,w=10,k=64,kernel=3,groups=4,act=hardsigmoid",
      "op=conv,n=2,c=16,h=15,w=15,k=16,kernel=3,dilation=2,act=clip",
      "op=conv,c=20,h=8,w=8,k=12,kernel=1x7,act=gelu,add=1",
      "op=conv,c=16,h=14,w=14,k=16,kernel=3,stride=2,pad=0,out=7,add=1,act=relu",
      "op=conv,c=48,h=7,w=7,k=48,kernel=5,groups=48,stride=2,act=sigmoid",
  };
  sloe_device_info info;
  sloe_error err;
  onednn_device *device = open_it(&info);
  device->fill = fill;
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    const sloe_layer_spec spec = parse(specs[i]);
    uint64_t device_ns, host_ns;
    void *job;
    assert_ok(sloe_backend_onednn.load_layer(device, &spec, &job, &err), err);
    assert_ok(sloe_backend_onednn.run(device, job, &device_ns, &host_ns, &err), err);
    onednn_job *j = job;
    float *got = sloe_alloc((size_t)sloe_onednn_elements(j->output), sizeof *got);
    assert_ok(sloe_onednn_read(j, j->output, got, &err), err);
    check_conv(&spec, got);
    sloe_dealloc(got);
    sloe_backend_onednn.unload(device, job);
  }
  sloe_backend_onednn.close(device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_compute_what_their_specs_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
