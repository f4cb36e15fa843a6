/* A hundred planted functions (3 % noise a run, 30 runs a point, 2 % outlier points) of seeds that
   nothing was tuned on; the table over a thousand is tools/fit/planted_table. */
#include "planted.h"
#include "unit/unit.h"

typedef struct tally {
  size_t right, undecided, most;
  double points;
} tally;

static tally fit_planted(const sloe_fit_params *params, planted_kind kind, size_t n) {
  static const sloe_fit_axis axis = {1, PLANTED_LAST};
  tally t = {0};
  for (size_t i = 0; i < n; i++) {
    planted p = planted_line(5000000 + i, kind);
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(sloe_fit_space(params, &axis, 1, planted_run, &p, &r, &err), err);
    t.right += planted_exact(&p, &r.model) || planted_worst(&p, &r.model) <= 0.01;
    t.points += (double)r.points / (double)n;
    t.undecided += r.undecided;
    if (r.points > t.most) t.most = r.points;
    assert_int_equal(p.calls, r.samples);
    assert_true(r.samples <= 30 * r.points);
  }
  return t;
}

static void planted_steps_are_found_from_few_points(void **state) {
  (void)state;
  sloe_fit_params two = {.templates = SLOE_FIT_PAPER};
  tally t = fit_planted(&two, PLANTED_STEP, 100);
  assert_true(t.right >= 98);
  assert_true(t.points <= 9);
}

static void more_templates_cost_few_points_and_no_rightness(void **state) {
  (void)state;
  tally t = fit_planted(NULL, PLANTED_STEP, 40);
  assert_true(t.right >= 39);
  assert_true(t.points <= 11);
}

static void the_papers_own_method_finds_most(void **state) {
  (void)state;
  sloe_fit_params paper = {.method = SLOE_FIT_BLACKTHORN};
  tally t = fit_planted(&paper, PLANTED_STEP, 40);
  assert_true(t.right >= 34);
  assert_true(t.points <= 14);
}

static void extensions_are_right_where_the_two_templates_are_not(void **state) {
  (void)state;
  sloe_fit_params two = {.templates = SLOE_FIT_PAPER};
  for (int kind = PLANTED_NESTED; kind < PLANTED_KINDS; kind++) {
    tally with = fit_planted(NULL, (planted_kind)kind, 12);
    tally without = fit_planted(&two, (planted_kind)kind, 12);
    if (with.right < 8 || with.right <= without.right)
      fail_msg("kind %d: %zu of 12 with extensions, %zu without", kind, with.right, without.right);
  }
}

static void a_planted_plane_is_found_from_sixty_points(void **state) {
  (void)state;
  static const sloe_fit_axis axes[2] = {{1, PLANTED_LAST}, {1, PLANTED_LAST}};
  planted p = planted_space(5000000, PLANTED_STEP, 2);
  sloe_fit_result r;
  sloe_error err = {0};
  assert_ok(sloe_fit_space(NULL, axes, 2, planted_run, &p, &r, &err), err);
  assert_true(r.points <= 70);
  assert_memory_equal(r.model.shape, p.truth.shape, sizeof p.truth.shape);
  for (int64_t i = 0; i < 768; i++) {
    int64_t at[2] = {1 + i * 389 % 1024, 1 + i * 577 % 1024};
    assert_true(planted_error_at(&p, &r.model, at) < 0.02);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planted_steps_are_found_from_few_points),
      cmocka_unit_test(more_templates_cost_few_points_and_no_rightness),
      cmocka_unit_test(the_papers_own_method_finds_most),
      cmocka_unit_test(extensions_are_right_where_the_two_templates_are_not),
      cmocka_unit_test(a_planted_plane_is_found_from_sixty_points),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
