/* What scikit-learn and XGBoost say of the same rows and hyperparameters
 * (tools/make_learn_goldens.py). */
#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "unit/learn_rows.h"

enum { LEARNT = 120, ALL = 180, D = 4, ASKED = ALL - LEARNT };

static double x[ALL * D], y[ALL];

static char *text_of(const char *name) {
  char path[512], *text;
  size_t len;
  sloe_error err;
  snprintf(path, sizeof path, "%s/tests/data/goldens/%s", SLOE_SOURCE_DIR, name);
  assert_ok(sloe_file_read(path, 1 << 20, &text, &len, &err), err);
  return text;
}

/* The next line, NUL-terminated; NULL at the end. */
static char *next_line(char **at) {
  char *line = *at;
  if (!*line) return NULL;
  char *end = line + strcspn(line, "\n");
  *at = *end ? end + 1 : end;
  *end = '\0';
  return line;
}

/* Up to `most` numbers between blanks. */
static size_t numbers(const char *line, double *out, size_t most) {
  size_t n = 0;
  while (*(line += strspn(line, " ")) && n < most) {
    const size_t len = strcspn(line, " ");
    assert_true(sloe_parse_double(line, len, &out[n++]));
    line += len;
  }
  return n;
}

static int read_rows(void **state) {
  (void)state;
  char *text = text_of("learn-rows.txt"), *at = text, *line;
  size_t n = 0;
  while ((line = next_line(&at))) {
    double row[D + 1];
    if (*line == '#') continue;
    assert_true(n < ALL);
    assert_int_equal(numbers(line, row, D + 1), D + 1);
    memcpy(x + n * D, row, D * sizeof *row);
    y[n++] = row[D];
  }
  assert_int_equal(n, ALL);
  sloe_dealloc(text);
  return 0;
}

typedef struct golden {
  char regressor[8], target[8], hyper[200];
  double tolerance, predict[ASKED], loo[LEARNT], spread; /* spread 0: each prediction is compared */
  int has_loo;
} golden;

static void check_predictions(const golden *g) {
  const sloe_regressor *r = sloe_regressor_find(g->regressor);
  const sloe_learn_rows rows = {x, y, LEARNT, D};
  const sloe_learn_options options = {.hyper = hypers(r, g->hyper),
                                      .log_target = g->target[0] == 'l'};
  double out[ASKED], mean = 0;
  sloe_learned m;
  sloe_error err;
  assert_ok(sloe_learn(r, &rows, &options, &m, &err), err);
  assert_ok(sloe_learned_predict_many(&m, x + LEARNT * D, ASKED, out, &err), err);
  for (size_t i = 0; i < ASKED; i++) {
    const double off = fabs(out[i] / g->predict[i] - 1);
    mean += off / ASKED;
    if (!g->spread && !(off <= g->tolerance))
      fail_msg("%s %s: row %zu: %.9g, not %.9g", g->regressor, g->hyper, i, out[i], g->predict[i]);
  }
  if (g->spread && !(mean <= g->tolerance * g->spread))
    fail_msg("%s %s: %g off, seeds differ by %g", g->regressor, g->hyper, mean, g->spread);
  sloe_learned_fini(&m);
}

static void check_left_out(const golden *g) {
  const sloe_regressor *r = sloe_regressor_find("poly");
  const sloe_learn_rows rows = {x, y, LEARNT, D};
  const double *values = hypers(r, g->hyper);
  const sloe_learn_options options = {.hyper = values};
  const double lambdas[2] = {1000, values[1]};
  double out[2 * LEARNT];
  sloe_error err;
  assert_ok(sloe_poly_leave_one_out(&rows, &options, lambdas, 2, out, &err), err);
  for (size_t i = 0; i < LEARNT; i++)
    if (!(fabs(out[LEARNT + i] / g->loo[i] - 1) <= g->tolerance))
      fail_msg("%s: row %zu: %.9g, not %.9g", g->hyper, i, out[LEARNT + i], g->loo[i]);
}

static size_t check_case(const golden *g, int left_out) {
  if (!g->regressor[0] || !learnt_here(sloe_regressor_find(g->regressor))) return 0;
  if (!left_out) check_predictions(g);
  if (left_out && g->has_loo) check_left_out(g);
  return left_out ? (size_t)g->has_loo : 1;
}

static size_t check_cases(int left_out) {
  char *text = text_of("learn-cases.txt"), *at = text, *line;
  golden g = {0};
  size_t n = 0;
  while ((line = next_line(&at))) {
    if (strncmp(line, "case ", 5) == 0) {
      char tolerance[16];
      int used;
      n += check_case(&g, left_out);
      g = (golden){0};
      assert_int_equal(sscanf(line, "case %7s %7s %15s%n", g.regressor, g.target, tolerance, &used),
                       3);
      numbers(tolerance, &g.tolerance, 1);
      snprintf(g.hyper, sizeof g.hyper, "%s", line + used);
    } else if (strncmp(line, "predict ", 8) == 0) {
      assert_int_equal(numbers(line + 8, g.predict, ASKED), ASKED);
    } else if (strncmp(line, "loo ", 4) == 0) {
      g.has_loo = 1;
      assert_int_equal(numbers(line + 4, g.loo, LEARNT), LEARNT);
    } else if (strncmp(line, "spread ", 7) == 0) {
      numbers(line + 7, &g.spread, 1);
    }
  }
  n += check_case(&g, left_out);
  sloe_dealloc(text);
  return n;
}

static void regressors_say_what_others_say(void **state) {
  (void)state;
  assert_true(check_cases(0) >= 9);
}

static void leaving_one_out_is_what_leaving_it_out_gives(void **state) {
  (void)state;
  assert_int_equal(check_cases(1), 2);
}

/* "mlp relu 4 6 5 1" */
static void take_layers(const char *line, sloe_learned *m) {
  static const char *const names[] = {"identity", "logistic", "tanh", "relu"};
  char name[16];
  unsigned width[4];
  sloe_error err;
  assert_int_equal(
      sscanf(line, "mlp %15s %u %u %u %u", name, &width[0], &width[1], &width[2], &width[3]), 5);
  assert_ok(sloe_learned_init(m, width[0], &err), err);
  m->kind = SLOE_LEARNED_MLP;
  m->mlp.n_layers = 3;
  for (uint32_t l = 0; l < 4; l++) m->mlp.width[l] = width[l];
  for (uint32_t a = 0; a < 4; a++)
    if (strcmp(name, names[a]) == 0) m->mlp.activation = a;
  m->mlp.n_weights = (uint32_t)sloe_learned_mlp_weights(&m->mlp);
  m->mlp.weight = SLOE_ARENA_NEW(&m->arena, float, m->mlp.n_weights);
  assert_non_null(m->mlp.weight);
}

static void an_mlp_of_other_weights_says_the_same(void **state) {
  (void)state;
  char *text = text_of("learn-mlp.txt"), *at = text, *line;
  sloe_learned m = {0};
  size_t n = 0;
  while ((line = next_line(&at))) {
    double values[ALL];
    if (strncmp(line, "mlp ", 4) == 0) {
      sloe_learned_fini(&m);
      take_layers(line, &m);
    } else if (strncmp(line, "weights ", 8) == 0) {
      assert_int_equal(numbers(line + 8, values, ALL), m.mlp.n_weights);
      for (size_t i = 0; i < m.mlp.n_weights; i++) m.mlp.weight[i] = (float)values[i];
    } else if (strncmp(line, "predict ", 8) == 0) {
      assert_int_equal(numbers(line + 8, values, ALL), ASKED);
      for (size_t i = 0; i < ASKED; i++, n++)
        assert_true(fabs(sloe_learned_predict(&m, x + (LEARNT + i) * D) - values[i]) <
                    1e-5 * (1 + fabs(values[i])));
    }
  }
  assert_int_equal(n, 4 * ASKED);
  sloe_learned_fini(&m);
  sloe_dealloc(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(regressors_say_what_others_say),
      cmocka_unit_test(leaving_one_out_is_what_leaving_it_out_gives),
      cmocka_unit_test(an_mlp_of_other_weights_says_the_same),
  };
  return cmocka_run_group_tests(tests, read_rows, NULL);
}
