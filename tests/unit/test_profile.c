/* Whole profiles of the simulated device: what comes out is near its formula, and nothing is
 * measured twice. */
#include "campaign/bench.h"
#include "campaign/design.h"
#include "campaign/fit_layers.h"
#include "device/sim/sim_formula.h"
#include "estimate/estimate.h"
#include "unit/device_files.h"
#include "unit/profile_files.h"

#define QUIET  "sim:noise=0"
#define MODELS SLOE_SOURCE_DIR "/data/models/"
#define SMALL  "fc" /* ops whose profile is small */

/* ---- one whole profile, for the tests that only read it ---- */

static char whole_file[600];
static sloe_profile_summary whole_summary;

static int profile_everything(void **state) {
  if (store_make_folder(state)) return -1;
  const sloe_profile_options options = {.backend = QUIET, .out = store_path("whole.sloe")};
  sloe_error err;
  if (sloe_profile(&options, NULL, &whole_summary, &err) != SLOE_OK) return -1;
  /* beside the folder, which is emptied after each test */
  snprintf(whole_file, sizeof whole_file, "%s.sloe", store_folder);
  return rename(options.out, whole_file) || store_empty_folder(state);
}

static int remove_everything(void **state) {
  unlink(whole_file);
  return store_remove_folder(state);
}

static sloe_platform *open_whole(void) {
  sloe_platform *platform;
  sloe_error err;
  assert_ok(sloe_platform_open(whole_file, NULL, &platform, &err), err);
  return platform;
}

static void a_profile_says_what_was_measured(void **state) {
  const sloe_profile_summary *s = &whole_summary;
  (void)state;
  assert_true(s->complete && s->points > 1000 && s->points_measured > 1000);
  assert_true(s->heldout_layers > 100 && s->heldout_networks > 10);
  assert_true(s->seconds > 0);
  if (!(s->layer_mape < 6) || !(s->network_mape < 6))
    fail_msg("layers %g %%, networks %g %%", s->layer_mape, s->network_mape);
  assert_true(s->layer_rmspe >= s->layer_mape && s->layer_max_ape >= s->layer_rmspe);
  assert_true(s->network_max_ape >= s->network_mape);
}

static void the_platform_says_who_measured_and_how(void **state) {
  (void)state;
  sloe_platform *p = open_whole();
  const sloe_card *card = sloe_platform_card(p);
  assert_string_equal(card->name, "sim-onednn-fp32-t1");
  assert_int_equal(card->source, SLOE_SOURCE_FITTED);
  assert_int_equal(sloe_platform_fusion(p)->runtime, SLOE_RUNTIME_ONEDNN);
  assert_true(card->memory_mb == 4000);
  const sloe_fitted *f = p->fitted;
  assert_true(f->layer_errors.mape == whole_summary.layer_mape && f->layer_errors.n > 100);
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
  static const sim_formula formula = {.seed = 1,
                                      .floor_ns = 5000,
                                      .ns_per_mac = 0.02,
                                      .ns_per_byte = 0.1,
                                      .k_step = 32,
                                      .c_step = 8,
                                      .element_bytes = 4};
  enum { N = 400 };
  double sum = 0;
  int n_far = 0;
  sloe_rng rng;
  (void)state;
  sloe_platform *p = open_whole();
  sloe_rng_seed(&rng, 77);
  for (int i = 0; i < N; i++) {
    sloe_layer_spec spec;
    assert_true(sloe_design_draw(&rng, NULL, NULL, &spec));
    const double ms = sloe_estimate_layer_ms(p->fitted, &spec, NULL);
    const double error = fabs(ms / (sloe_sim_layer_ns(&formula, &spec) / 1e6) - 1);
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
  sloe_platform *p = open_whole();
  for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
    const double estimated = profile_estimate(p, nets[i]), measured = measure(nets[i]);
    if (fabs(estimated / measured - 1) > 0.08)
      fail_msg("%s: %g ms estimated, %g ms measured", nets[i], estimated, measured);
  }
  sloe_platform_free(p);
}

/* ---- once, and never again ---- */

static sloe_db_info info_of(const char *db) {
  sloe_db_info info;
  sloe_error err;
  assert_ok(sloe_db_get_info(store_path(db), &info, &err), err);
  return info;
}

static void the_second_profile_measures_nothing_and_gives_the_same(void **state) {
  (void)state;
  const sloe_profile_summary first = profile("sim", SMALL, "a.sloe", "a.db"),
                             second = profile("sim", SMALL, "b.sloe", "a.db");
  assert_true(first.points_measured > 100 && second.points_measured == 0);
  assert_true(second.points_reused >= first.points_measured - first.heldout_layers);
  assert_int_equal(second.heldout_layers, first.heldout_layers);
  assert_true(second.layer_mape == first.layer_mape);
  assert_true(profile_same("a.sloe", "b.sloe"));
  const sloe_db_info info = info_of("a.db");
  assert_true(info.campaigns == 1 && info.visits == 2 && info.open == 0);
  assert_int_equal(info.samples, first.points_measured);
}

static int ask_stop(void *context) {
  return --*(int *)context < 0;
}

/* Stopped again and again, after 900 measurements at most. Without noise: a visit begins the
   reference's noise anew. */
static void a_profile_in_pieces_is_the_same_as_one_at_a_stretch(void **state) {
  const sloe_profile_summary whole = profile(QUIET, SMALL, "a.sloe", "a.db");
  sloe_profile_summary piece;
  sloe_status status = SLOE_STOPPED;
  size_t measured = 0;
  sloe_error err;
  (void)state;
  for (int i = 0; i < 20 && status == SLOE_STOPPED; i++) {
    int left = 900;
    const sloe_watch watch = {.stop = ask_stop, .context = &left};
    status = profile_try(QUIET, SMALL, "b.sloe", "b.db", &watch, &piece, &err);
    if (status == SLOE_STOPPED) assert_true(*err.msg && access(store_path("b.sloe"), F_OK));
    measured += piece.points_measured;
  }
  assert_ok(status, err);
  assert_int_equal(measured, whole.points_measured);
  assert_int_equal(info_of("b.db").samples, whole.points_measured);
  assert_true(profile_same("a.sloe", "b.sloe"));
}

static void another_seed_measures_other_layers(void **state) {
  sloe_profile_options options = {.backend = QUIET,
                                  .out = store_path("b.sloe"),
                                  .db = store_path("a.db"),
                                  .only = SMALL,
                                  .seed = 2};
  sloe_profile_summary summary;
  sloe_error err;
  (void)state;
  profile(QUIET, SMALL, "a.sloe", "a.db");
  assert_ok(sloe_profile(&options, NULL, &summary, &err), err);
  assert_true(summary.points_measured > 100);
  assert_int_equal(info_of("a.db").campaigns, 2);
  assert_false(profile_same("a.sloe", "b.sloe"));
}

/* ---- parts ---- */

static void only_some_ops_are_measured_where_that_is_asked(void **state) {
  (void)state;
  const sloe_profile_summary summary = profile(QUIET, SMALL, "a.sloe", "a.db");
  assert_true(summary.heldout_networks == 0 && isnan(summary.network_mape));
  sloe_platform *p = profile_open("a.sloe");
  assert_int_equal(p->fitted->n_ops, 1);
  assert_int_equal(p->fitted->ops[0].op, SLOE_SPEC_FC);
  sloe_platform_free(p);
}

static void a_plan_measures_nothing(void **state) {
  const sloe_profile_options options = {
      .backend = QUIET, .out = store_path("a.sloe"), .plan_only = 1};
  sloe_profile_summary summary;
  sloe_error err;
  (void)state;
  assert_ok(sloe_profile(&options, NULL, &summary, &err), err);
  assert_true(summary.points > 1000 && summary.points_measured == 0 && !summary.complete);
  assert_true(isnan(summary.layer_mape));
  assert_true(access(store_path("a.sloe"), F_OK) && access(store_path("a.sloe.db"), F_OK));
}

static void a_budget_that_runs_out_is_said_and_gives_a_platform(void **state) {
  const sloe_profile_options options = {
      .backend = "sim:noise=0,sleep_us=1000", .out = store_path("a.sloe"), .budget_s = 1};
  sloe_profile_summary summary;
  sloe_error err;
  (void)state;
  assert_ok(sloe_profile(&options, NULL, &summary, &err), err);
  assert_false(summary.complete);
  assert_true(summary.points_measured > 3 && summary.points_measured < summary.points / 2);
  sloe_platform_free(profile_open("a.sloe"));
  assert_true(info_of("a.sloe.db").samples >=
              (int64_t)summary.points_measured); /* layers of networks, too */
}

/* ---- failing ---- */

static void what_fails_leaves_no_platform(void **state) {
  static const struct {
    const char *backend, *only;
    sloe_status status;
    const char *says;
  } rows[] = {
      {"nosuch", NULL, SLOE_USAGE, "nosuch"},
      {QUIET, "nosuch", SLOE_USAGE, "no op begins with 'nosuch'"},
      {"sim:fail_after=100", SMALL, SLOE_DEVICE, "failed, as planted"},
      {"sim:hang_after=100", SMALL, SLOE_DEVICE, "hung, as planted"},
      {"sim:lie_after=100", SMALL, SLOE_DEVICE, ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_profile_summary summary;
    sloe_error err;
    assert_refused(
        profile_try(rows[i].backend, rows[i].only, "a.sloe", "a.db", NULL, &summary, &err),
        rows[i].status, err, rows[i].says);
    assert_true(*err.msg && access(store_path("a.sloe"), F_OK));
    assert_true(isnan(summary.layer_mape) && isnan(summary.network_mape));
    store_empty_folder(NULL);
  }
}

static void what_was_measured_before_a_failure_is_kept(void **state) {
  sloe_profile_summary summary;
  sloe_error err;
  (void)state;
  assert_int_equal(
      profile_try("sim:fail_after=1000", SMALL, "a.sloe", "a.db", NULL, &summary, &err),
      SLOE_DEVICE);
  assert_true(summary.points_measured > 5);
  assert_int_equal(info_of("a.db").samples, summary.points_measured);
}

/* The platform's folder is not there: the samples are. */
static void a_platform_that_cannot_be_written_is_no_loss(void **state) {
  sloe_profile_summary summary;
  sloe_error err;
  (void)state;
  assert_int_not_equal(
      profile_try(QUIET, SMALL, "no/such/folder.sloe", "a.db", NULL, &summary, &err), SLOE_OK);
  assert_true(*err.msg);
  const int64_t samples = info_of("a.db").samples;
  assert_true(samples > 100);
  assert_int_equal(profile(QUIET, SMALL, "a.sloe", "a.db").points_measured, 0);
}

#define PROFILE_TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      PROFILE_TEST(a_profile_says_what_was_measured),
      PROFILE_TEST(the_platform_says_who_measured_and_how),
      PROFILE_TEST(layers_are_near_the_formula),
      PROFILE_TEST(networks_are_near_what_the_device_takes),
      PROFILE_TEST(the_second_profile_measures_nothing_and_gives_the_same),
      PROFILE_TEST(a_profile_in_pieces_is_the_same_as_one_at_a_stretch),
      PROFILE_TEST(another_seed_measures_other_layers),
      PROFILE_TEST(only_some_ops_are_measured_where_that_is_asked),
      PROFILE_TEST(a_plan_measures_nothing),
      PROFILE_TEST(a_budget_that_runs_out_is_said_and_gives_a_platform),
      PROFILE_TEST(what_fails_leaves_no_platform),
      PROFILE_TEST(what_was_measured_before_a_failure_is_kept),
      PROFILE_TEST(a_platform_that_cannot_be_written_is_no_loss),
  };
  return cmocka_run_group_tests(tests, profile_everything, remove_everything);
}
