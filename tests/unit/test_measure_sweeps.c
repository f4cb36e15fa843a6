/* What tools/fit/measure_sweeps is made of: sweeps that are drawn, and times that are taken once.
 */
#include "fit/sweeps.h"
#include "unit/store_files.h"

static taking *open_taking(const char *record) {
  const taking_options options = {.backend = "sim", .modules = SLOE_BINARY_DIR, .record = record};
  taking *t;
  sloe_error err;
  assert_ok(taking_open(&options, &t, &err), err);
  return t;
}

static double take(taking *t, const sloe_layer_spec *spec, taking_role role, size_t number) {
  sloe_fit_sample sample;
  sloe_error err;
  assert_ok(taking_time(t, spec, role, number, &sample, &err), err);
  assert_true(sample.value > 0 && sample.spread > 0 && sample.spread < sample.value);
  return sample.value;
}

static void write_record(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  assert_int_equal(fclose(f), 0);
}

/* ---- sweeps ---- */

static void a_seed_draws_the_same_sweeps(void **state) {
  sloe_rng one, other;
  (void)state;
  sloe_rng_seed(&one, 7);
  sloe_rng_seed(&other, 7);
  for (int i = 0; i < 20; i++) {
    const sweep a = sweep_draw(&one), b = sweep_draw(&other);
    char text[2][SLOE_SPEC_TEXT];
    assert_int_equal(a.dim, b.dim);
    assert_string_equal(sloe_layer_spec_print(&a.base, text[0]),
                        sloe_layer_spec_print(&b.base, text[1]));
  }
}

static void every_layer_of_a_sweep_is_one(void **state) {
  sloe_rng rng;
  sloe_error err;
  (void)state;
  sloe_rng_seed(&rng, 1);
  for (int i = 0; i < 100; i++) {
    const sweep s = sweep_draw(&rng);
    for (int64_t x = 1; x <= s.hi; x = x < s.hi && 3 * x > s.hi ? s.hi : 3 * x) {
      const sloe_layer_spec at = sweep_spec(&s, x);
      const int64_t values[] = {at.k, at.c, at.out[0], at.out[1]};
      sloe_layer_spec read;
      char text[SLOE_SPEC_TEXT];
      assert_int_equal(values[s.dim], x);
      assert_ok(sloe_layer_spec_parse(sloe_layer_spec_print(&at, text), &read, &err), err);
      assert_int_equal(read.out[0], at.out[0]);
      assert_int_equal(read.out[1], at.out[1]);
      if (x == s.hi) break;
    }
  }
}

/* ---- takings ---- */

static void a_take_is_measured_once(void **state) {
  const sloe_layer_spec spec = sweep_convolution(3, 1, 32, 16, 14);
  taking *t = open_taking(NULL);
  (void)state;
  const double first = take(t, &spec, TAKEN_FIT, 0), second = take(t, &spec, TAKEN_FIT, 1);
  const double truth = take(t, &spec, TAKEN_TRUTH, 0);
  assert_true(first != second && first != truth);
  assert_true(take(t, &spec, TAKEN_FIT, 0) == first);
  assert_int_equal(taking_measured(t), 3);
  taking_close(t);
}

static void a_mean_is_sharper_than_its_takes(void **state) {
  const sloe_layer_spec spec = sweep_convolution(3, 1, 32, 16, 14);
  taking *t = open_taking(NULL);
  sloe_fit_sample one, mean;
  sloe_error err;
  (void)state;
  assert_ok(taking_time(t, &spec, TAKEN_FIT, 0, &one, &err), err);
  assert_ok(taking_mean(t, &spec, TAKEN_FIT, 2, &mean, &err), err);
  const double other = take(t, &spec, TAKEN_FIT, 1);
  assert_true(fabs(mean.value - (one.value + other) / 2) < 1e-12 * mean.value);
  assert_true(mean.spread >= one.spread / 2);
  assert_int_equal(taking_measured(t), 2);
  taking_close(t);
}

static void a_record_is_read_again(void **state) {
  const sloe_layer_spec spec = sweep_convolution(1, 2, 64, 8, 7);
  const char *path = store_path("record.csv");
  (void)state;
  taking *t = open_taking(path);
  const double value = take(t, &spec, TAKEN_FIT, 0);
  taking_close(t);
  t = open_taking(path);
  assert_true(take(t, &spec, TAKEN_FIT, 0) == value);
  assert_int_equal(taking_measured(t), 0);
  taking_close(t);
}

static void a_layer_the_device_refuses_is_unsupported(void **state) {
  const sloe_layer_spec spec = sweep_convolution(11, 1, 30000, 30000, 7); /* 1e11 weights */
  const char *path = store_path("record.csv");
  sloe_fit_sample sample;
  sloe_error err;
  (void)state;
  for (int again = 0; again < 2; again++) { /* the record says so, too */
    taking *t = open_taking(path);
    assert_int_equal(taking_time(t, &spec, TAKEN_FIT, 0, &sample, &err), SLOE_UNSUPPORTED);
    assert_int_equal(taking_measured(t), !again);
    taking_close(t);
  }
}

static void a_bad_record_is_named(void **state) {
  static const char *const texts[] = {"a,b\n1,2\n", "net,value,spread\nfit0:x,soon,1\n"};
  const char *path = store_path("record.csv");
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    const taking_options options = {"sim", SLOE_BINARY_DIR, path, 0, 0};
    taking *t;
    sloe_error err;
    write_record(path, texts[i]);
    assert_int_equal(taking_open(&options, &t, &err), SLOE_FORMAT);
    assert_null(t);
    assert_non_null(strstr(err.msg, path));
  }
}

static void an_unknown_device_is_refused(void **state) {
  const taking_options options = {"abacus", SLOE_BINARY_DIR, NULL, 0, 0};
  taking *t;
  sloe_error err;
  (void)state;
  assert_int_not_equal(taking_open(&options, &t, &err), SLOE_OK);
  assert_null(t);
}

int main(void) {
#define TEST(f) cmocka_unit_test_teardown(f, store_empty_folder)
  const struct CMUnitTest tests[] = {
      TEST(a_seed_draws_the_same_sweeps), TEST(every_layer_of_a_sweep_is_one),
      TEST(a_take_is_measured_once),      TEST(a_mean_is_sharper_than_its_takes),
      TEST(a_record_is_read_again),       TEST(a_layer_the_device_refuses_is_unsupported),
      TEST(a_bad_record_is_named),        TEST(an_unknown_device_is_refused),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
