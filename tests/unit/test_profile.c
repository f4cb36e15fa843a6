/* Profiles of the simulated device: nothing is measured twice or lost. All that can be profiled
 * stands in test_profile_whole.c. */
#include "unit/profile_files.h"

#define QUIET "sim:noise=0"
#define SMALL "fc" /* ops whose profile is small */

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

/* What others disturbed was taken again, and the later take counts: the lines ask as before. */
static void a_profile_beside_others_goes_on_without_new_points(void **state) {
  (void)state;
  for (int seed = 1; seed <= 3; seed++) {
    char backend[64], db[16];
    snprintf(backend, sizeof backend, "sim:crowd=0.5,noise=0.1,seed=%d", seed);
    snprintf(db, sizeof db, "%d.db", seed);
    const sloe_profile_summary first = profile(backend, SMALL, "a.sloe", db);
    const uint64_t points = info_of(db).points;
    const sloe_profile_summary second = profile(backend, SMALL, "b.sloe", db);
    assert_true(first.points_measured > points + first.heldout_layers); /* some were taken again */
    assert_int_equal(second.points_measured, 0);
    assert_int_equal(info_of(db).points, points);
  }
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
      PROFILE_TEST(the_second_profile_measures_nothing_and_gives_the_same),
      PROFILE_TEST(a_profile_beside_others_goes_on_without_new_points),
      PROFILE_TEST(a_profile_in_pieces_is_the_same_as_one_at_a_stretch),
      PROFILE_TEST(another_seed_measures_other_layers),
      PROFILE_TEST(only_some_ops_are_measured_where_that_is_asked),
      PROFILE_TEST(a_plan_measures_nothing),
      PROFILE_TEST(a_budget_that_runs_out_is_said_and_gives_a_platform),
      PROFILE_TEST(what_fails_leaves_no_platform),
      PROFILE_TEST(what_was_measured_before_a_failure_is_kept),
      PROFILE_TEST(a_platform_that_cannot_be_written_is_no_loss),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
