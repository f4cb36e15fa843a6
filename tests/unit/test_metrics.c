/* Errors of estimates: as SciPy computes them, and what is not defined stays unknown. */
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "learn/learn.h"
#include "unit/unit.h"

enum { MOST = 256 };

typedef struct golden_case {
  char name[64];
  double measured[MOST], estimated[MOST], low[MOST], high[MOST];
  sloe_error_rows rows;
  sloe_errors got;
  int done; /* the errors of its rows are in `got` */
  size_t checked;
} golden_case;

static double number(const char *word) {
  double value;
  if (!sloe_parse_double(word, strlen(word), &value)) fail_msg("'%s' is no number", word);
  return value;
}

static double error_named(const sloe_errors *e, const char *name) {
#define ERROR_NAMED(id, doc) \
  if (!strcmp(name, #id)) return e->id;
  SLOE_ERROR_MAP(ERROR_NAMED)
#undef ERROR_NAMED
  fail_msg("no error is called '%s'", name);
  return NAN;
}

static void begin_case(golden_case *c, const char *name) {
  memset(c, 0, sizeof *c);
  snprintf(c->name, sizeof c->name, "%s", name);
  c->rows = (sloe_error_rows){0, c->measured, c->estimated, c->low, c->high};
}

static void add_row(golden_case *c, char *words) {
  double *const into[] = {c->measured, c->estimated, c->low, c->high};
  assert_true(c->rows.n < MOST);
  for (int i = 0; i < 4; i++) {
    char *space = strchr(words, ' ');
    if (space) *space = 0;
    into[i][c->rows.n] = number(words);
    words = space ? space + 1 : words + strlen(words);
  }
  c->rows.n++;
}

static void check_error(golden_case *c, const char *name, const char *word) {
  sloe_error err;
  if (!c->done) assert_ok(sloe_errors_of(&c->rows, &c->got, &err), err);
  c->done = 1;
  c->checked++;
  const double want = number(word), got = error_named(&c->got, name);
  if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= 1e-9 * fabs(want) + 1e-12))
    fail_msg("%s: %s is %.17g, SciPy says %s", c->name, name, got, word);
}

static void errors_are_those_that_scipy_computes(void **state) {
  (void)state;
  static golden_case c;
  char *text;
  size_t len, cases = 0;
  sloe_error err;
  assert_ok(
      sloe_file_read(SLOE_SOURCE_DIR "/tests/data/goldens/metrics.txt", 1 << 20, &text, &len, &err),
      err);
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    char *space = strchr(line, ' ');
    assert_non_null(space);
    *space = 0;
    if (!strcmp(line, "#")) continue;
    if (!strcmp(line, "case"))
      begin_case(&c, space + 1), cases++;
    else if (!strcmp(line, "row"))
      add_row(&c, space + 1);
    else
      check_error(&c, line, space + 1);
  }
  assert_int_equal(cases, 7);
  assert_int_equal(c.checked, 15);
  sloe_dealloc(text);
}

static void of_no_rows_nothing_is_known(void **state) {
  (void)state;
  sloe_errors e = {.metric = "latency_ms", .left_out = 3};
  sloe_error err;
  assert_ok(sloe_errors_of(&(sloe_error_rows){0}, &e, &err), err);
  assert_int_equal(e.n, 0);
  assert_int_equal(e.left_out, 3);
  assert_string_equal(e.metric, "latency_ms");
#define ERROR_UNKNOWN(id, doc) assert_true(isnan(e.id));
  SLOE_ERROR_MAP(ERROR_UNKNOWN)
#undef ERROR_UNKNOWN
}

static void what_is_not_positive_is_refused(void **state) {
  (void)state;
  const double good[] = {1, 2}, bad[][2] = {{1, 0}, {1, -1}, {1, NAN}, {1, INFINITY}};
  sloe_errors e = {0};
  sloe_error err;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const sloe_error_rows measured = {2, bad[i], good, NULL, NULL};
    const sloe_error_rows estimated = {2, good, bad[i], NULL, NULL};
    assert_refused(sloe_errors_of(&measured, &e, &err), SLOE_USAGE, err, "row 2 of 2");
    assert_refused(sloe_errors_of(&estimated, &e, &err), SLOE_USAGE, err, "row 2 of 2");
    assert_true(isnan(e.mape));
  }
}

static void ranks_of_many_rows_are_those_of_all_pairs(void **state) {
  (void)state;
  enum { N = 500 };
  static double x[N], y[N];
  sloe_error err;
  uint32_t random = 7;
  for (size_t i = 0; i < N; i++) {
    x[i] = (double)((random = random * 1664525 + 1013904223) >> 27);
    y[i] = (double)((random = random * 1664525 + 1013904223) >> 26);
  }
  double sum = 0, in_x = 0, in_y = 0, tau;
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < i; j++) {
      const int a = (x[i] > x[j]) - (x[i] < x[j]), b = (y[i] > y[j]) - (y[i] < y[j]);
      sum += a * b;
      in_x += !a;
      in_y += !b;
    }
  const double all = N * (N - 1) / 2.0;
  assert_ok(sloe_kendall(x, y, N, &tau, &err), err);
  assert_true(fabs(tau - sum / sqrt((all - in_x) * (all - in_y))) < 1e-12);
}

static void a_hundred_thousand_rows_are_ranked_at_once(void **state) {
  (void)state;
  enum { N = 100000 };
  double *x = sloe_alloc(2 * N, sizeof *x), tau;
  sloe_error err;
  assert_non_null(x);
  for (size_t i = 0; i < N; i++) x[i] = (double)i, x[N + i] = -(double)i;
  assert_ok(sloe_kendall(x, x + N, N, &tau, &err), err);
  assert_true(tau == -1);
  sloe_dealloc(x);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const double y[] = {1, 2, 3}, e[] = {2, 1, 3};
  const sloe_error_rows rows = {3, y, e, NULL, NULL};
  const long live = sloe_alloc_live();
  sloe_errors got;
  sloe_error err;
  sloe_status status = SLOE_NOMEM;
  int tries = 0;
  for (; status != SLOE_OK; tries++) {
    sloe_alloc_fail_after(tries);
    status = sloe_errors_of(&rows, &got, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(*err.msg && isnan(got.mape));
  }
  assert_int_equal(tries, 2);
  assert_true(isnan(got.coverage_90));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_are_those_that_scipy_computes),
      cmocka_unit_test(of_no_rows_nothing_is_known),
      cmocka_unit_test(what_is_not_positive_is_refused),
      cmocka_unit_test(ranks_of_many_rows_are_those_of_all_pairs),
      cmocka_unit_test(a_hundred_thousand_rows_are_ranked_at_once),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
