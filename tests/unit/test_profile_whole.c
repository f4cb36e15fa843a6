/* One whole profile of the simulated device: what comes out is near its formula. A fit takes half a
 * minute, several times that under sanitizers, which see fits in tests/recorded: this one runs in
 * the plain variant alone. */
#include "estimate/estimate.h"
#include "unit/campaign_points.h"
#include "unit/profile_files.h"

#define QUIET  "sim:noise=0"
#define MODELS SLOE_SOURCE_DIR "/data/models/"
#define WHOLE  "whole.sloe"

static sloe_profile_summary whole_summary;

static int profile_everything(void **state) {
  sloe_error err;
  if (store_make_folder(state)) return -1;
  return profile_try(QUIET, NULL, WHOLE, "whole.db", NULL, &whole_summary, &err) != SLOE_OK;
}

static void a_profile_says_what_was_measured(void **state) {
  const sloe_profile_summary *s = &whole_summary;
  (void)state;
  assert_true(s->complete && s->points > 1000 && s->points_measured > 1000);
  assert_true(s->heldout_layers > 60 && s->heldout_networks > 10);
  assert_true(s->seconds > 0);
  if (!(s->layer_mape < 6) || !(s->network_mape < 6))
    fail_msg("layers %g %%, networks %g %%", s->layer_mape, s->network_mape);
  assert_true(s->layer_rmspe >= s->layer_mape && s->layer_max_ape >= s->layer_rmspe);
  assert_true(s->network_max_ape >= s->network_mape);
}

static void the_platform_says_who_measured_and_how(void **state) {
  (void)state;
  sloe_platform *p = profile_open(WHOLE);
  const sloe_card *card = sloe_platform_card(p);
  assert_string_equal(card->name, "sim-onednn-fp32-t1");
  assert_int_equal(card->source, SLOE_SOURCE_FITTED);
  assert_int_equal(sloe_platform_fusion(p)->runtime, SLOE_RUNTIME_ONEDNN);
  assert_true(card->memory_mb == 4000);
  const sloe_fitted *f = p->fitted;
  assert_true(f->layer_errors.mape == whole_summary.layer_mape && f->layer_errors.n > 60);
  assert_true(f->network_errors.mape == whole_summary.network_mape);
  assert_true(f->network_errors.n == (double)whole_summary.heldout_networks);
  assert_true(f->layer_errors.noise_mape == 0); /* the device has no noise */
  assert_true(f->points > 1000 && f->reference_ms > 0);
  assert_string_equal(f->seed, "1");
  assert_int_equal(strlen(f->created), strlen("2026-11-25"));
  assert_true(f->n_families > 10 && f->n_ops > 5);
  sloe_platform_free(p);
}

/* Layers of the whole design space that no profile of this seed has seen. */
static void layers_are_near_the_formula(void **state) {
  enum { N = 400 };
  double sum = 0;
  int n_far = 0;
  sloe_rng rng;
  (void)state;
  sloe_platform *p = profile_open(WHOLE);
  sloe_rng_seed(&rng, 77);
  for (int i = 0; i < N; i++) {
    sloe_layer_spec spec;
    assert_true(sloe_design_draw(&rng, NULL, NULL, &spec));
    const double ms = sloe_estimate_layer_ms(p->fitted, &spec, NULL);
    const double error = fabs(ms / points_ms(&spec) - 1);
    assert_true(isfinite(error));
    sum += error;
    n_far += error > 0.2;
  }
  if (sum / N > 0.05 || n_far > N / 20) fail_msg("mean error %g, %d far", sum / N, n_far);
  sloe_platform_free(p);
}

static double measure(const char *net_text) {
  const sloe_measure_options options = {.runs = 5};
  sloe_session *session;
  sloe_net *net;
  sloe_layers *layers;
  sloe_measured *measured;
  sloe_error err;
  assert_ok(sloe_session_open(QUIET, &session, &err), err);
  assert_ok(sloe_net_open(net_text, NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, sloe_session_fusion(session), &layers, &err), err);
  assert_ok(sloe_measure(session, layers, &options, NULL, &measured, &err), err);
  const double ms = sloe_measured_answer(measured)->result->latency_ms.value;
  sloe_measured_free(measured);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_session_close(session);
  return ms;
}

static void networks_are_near_what_the_device_takes(void **state) {
  static const char *const nets[] = {MODELS "tv_mobilenet_v2.onnx", MODELS "tv_resnet18.onnx",
                                     MODELS "tv_squeezenet1_1.onnx", "zoo:random,seed=424242"};
  (void)state;
  sloe_platform *p = profile_open(WHOLE);
  for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
    const double estimated = profile_estimate(p, nets[i]), measured = measure(nets[i]);
    if (fabs(estimated / measured - 1) > 0.08)
      fail_msg("%s: %g ms estimated, %g ms measured", nets[i], estimated, measured);
  }
  sloe_platform_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_profile_says_what_was_measured),
      cmocka_unit_test(the_platform_says_who_measured_and_how),
      cmocka_unit_test(layers_are_near_the_formula),
      cmocka_unit_test(networks_are_near_what_the_device_takes),
  };
  return cmocka_run_group_tests(tests, profile_everything, store_remove_folder);
}
