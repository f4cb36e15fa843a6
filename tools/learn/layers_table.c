/* layers_table TABLE.csv [DRAWS [REGRESSORS [NET...]]]: the layer model that is learned from
 * networks alone beside the regressors of whole networks, on the chains of a Jetson Nano: the table
 * of docs/notes/layers-from-networks.md.
 *
 *   sloe import icas ../shared/data/icas-jetson-nano/networks.csv.gz -o nano.csv
 *   layers_table nano.csv 50 poly,svr,mlp,rf,xgb ../shared/models/tv_*.onnx
 *
 * MAPE in per cent of what is held out: 30 % at random; all but 50, 200, 1000 networks drawn at
 * random (median of DRAWS draws, 90th percentile behind it); one kind. `constant` is the best
 * constant for the very rows; regressors have their defaults and the logarithm of inputs and
 * target, `none` leaves them out; `sum` is the layer sum without trees, `layers` the whole. Each
 * NET is told by what all rows teach.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "layers_data.h"

enum { COLUMNS = 8, DRAWS_MOST = 200 };
static const char *const columns[COLUMNS] = {"constant", "poly", "svr", "mlp",
                                             "rf",       "xgb",  "sum", "layers"};

/* Of a Jetson Nano 4GB at 921.6 MHz, as in data/platforms: 256 FLOP a clock, 25.6 GB/s, 40 us. */
static const sloe_term_costs costs = {1e3 / 235.9296e9, 1e3 / 25.6e9, 0.04};
/* Of the host and the copies, which these times have in them. */
static const sloe_layer_sum_bound constant = {0, 3, 8};

static sloe_layer_sum_bound bounds[SLOE_LAYER_TERMS];

static void ask(sloe_status status, const sloe_error *err) {
  if (!status) return;
  fprintf(stderr, "layers_table: %s\n", err->msg);
  exit(1);
}

static double mape(const double *said, const nets *t) {
  double sum = 0;
  for (size_t i = 0; i < t->n; i++) sum += fabs(said[i] / t->y[i] - 1);
  return 100 * sum / (double)t->n;
}

static double mape_constant(const double *said, const nets *t) {
  sloe_error err;
  sloe_errors errors;
  ask(sloe_errors_of(&(sloe_error_rows){t->n, t->y, said, NULL, NULL}, &errors, &err), &err);
  return errors.mape_constant;
}

static void learn(const nets *t, int no_trees, uint64_t seed, sloe_layer_sum *m) {
  sloe_error err;
  const sloe_layer_sum_rows rows = rows_of(t);
  const sloe_layer_sum_options o = {.bounds = bounds,
                                    .constant = &constant,
                                    .n_sizes = SLOE_LAYER_SIZES,
                                    .no_trees = no_trees,
                                    .seed = seed,
                                    .threads = 2};
  ask(sloe_layer_sum_fit(&rows, &o, m, NULL, &err), &err);
}

static void tell(const sloe_layer_sum *m, const nets *t, double *said) {
  for (size_t i = 0; i < t->n; i++) {
    const size_t l = t->first[i];
    const sloe_layer_rows layers = {t->first[i + 1] - l, t->terms + l * SLOE_LAYER_TERMS,
                                    t->traits + l * SLOE_LAYER_TRAITS, t->family + l};
    said[i] = sloe_layer_sum_predict(m, &layers, NULL, NULL);
  }
}

static void regress(const char *name, const nets *train, const nets *test, double *said) {
  sloe_error err;
  sloe_learned m;
  const sloe_learn_rows rows = {train->x, train->y, train->n, train->d};
  const sloe_learn_options o = {.log_inputs = 1, .log_target = 1, .threads = 2};
  ask(sloe_learn(sloe_regressor_find(name), &rows, &o, &m, &err), &err);
  ask(sloe_learned_predict_many(&m, test->x, test->n, said, &err), &err);
  sloe_learned_fini(&m);
}

/* One row of the table; NAN where a column is not wanted. */
static void judge(const nets *train, const nets *test, const char *wanted, uint64_t seed,
                  double out[COLUMNS]) {
  double *said = calloc(test->n, sizeof *said);
  if (!said) exit(1);
  for (int c = 0; c < COLUMNS; c++) {
    const int layers = c >= COLUMNS - 2;
    out[c] = NAN;
    if (layers) {
      sloe_layer_sum m;
      learn(train, c == COLUMNS - 2, seed, &m);
      tell(&m, test, said);
      sloe_layer_sum_fini(&m);
    } else if (c && strstr(wanted, columns[c])) {
      regress(columns[c], train, test, said);
    } else if (c) {
      continue;
    } else {
      for (size_t i = 0; i < test->n; i++) said[i] = 1;
    }
    out[c] = c ? mape(said, test) : mape_constant(said, test);
  }
  free(said);
}

static void print_row(const char *what, const double *row, const double *high) {
  printf("| %s |", what);
  for (int c = 0; c < COLUMNS; c++) {
    if (isnan(row[c]))
      printf(" - |");
    else if (high && c)
      printf(" %.2f (%.2f) |", row[c], high[c]);
    else
      printf(" %.2f |", row[c]);
  }
  printf("\n");
  fflush(stdout);
}

static void shuffle(size_t n, uint64_t seed, uint32_t *order) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
  for (size_t i = n; i-- > 1;) {
    const size_t j = (size_t)sloe_rng_between(&rng, 0, (int64_t)i);
    const uint32_t was = order[i];
    order[i] = order[j];
    order[j] = was;
  }
}

static void drawn(const nets *all, size_t n, uint64_t seed, const char *wanted, uint32_t *order,
                  double row[COLUMNS]) {
  nets train, test;
  shuffle(all->n, seed, order);
  pick_nets(all, order, n, &train);
  pick_nets(all, order + n, all->n - n, &test);
  judge(&train, &test, wanted, seed, row);
  free_nets(&train);
  free_nets(&test);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void few(const nets *all, size_t n, size_t draws, const char *wanted, uint32_t *order) {
  static double row[DRAWS_MOST][COLUMNS];
  double median[COLUMNS], high[COLUMNS], sorted[DRAWS_MOST];
  char what[64];
  for (size_t i = 0; i < draws; i++) drawn(all, n, 1 + i, wanted, order, row[i]);
  for (int c = 0; c < COLUMNS; c++) {
    for (size_t i = 0; i < draws; i++) sorted[i] = row[i][c];
    qsort(sorted, draws, sizeof *sorted, ascending);
    median[c] = (sorted[(draws - 1) / 2] + sorted[draws / 2]) / 2;
    high[c] = sorted[(size_t)(0.9 * (double)(draws - 1) + 0.5)];
  }
  snprintf(what, sizeof what, "%zu networks", n);
  print_row(what, median, high);
}

static void without(const nets *all, const char *kind, const char *wanted, uint32_t *order) {
  nets train, test;
  char what[64];
  double row[COLUMNS];
  size_t n = 0, m = all->n;
  for (size_t i = 0; i < all->n; i++) order[strcmp(all->kind[i], kind) ? n++ : --m] = (uint32_t)i;
  pick_nets(all, order, n, &train);
  pick_nets(all, order + n, all->n - n, &test);
  judge(&train, &test, wanted, 1, row);
  snprintf(what, sizeof what, "without %s", kind);
  print_row(what, row, NULL);
  free_nets(&train);
  free_nets(&test);
}

static void print_model(const sloe_layer_sum *m) {
  printf("\n| term | ms per unit | times the hardware's peak |\n|---|---|---|\n");
  for (size_t j = 0; j < SLOE_LAYER_TERMS; j++)
    printf("| %s | %.4g | %.2f |\n", sloe_layer_term_rows[j].name, m->coef[j],
           m->coef[j] / sloe_layer_term_cost(j, &costs));
  printf("| a network | %.3g | |\n", m->constant);
}

static void tell_net(const sloe_layer_sum *m, const sloe_layer_sum *plain, const char *net) {
  nets one;
  layers_of(net, &one);
  double *ms = calloc(one.n_layers, sizeof *ms), *trust = calloc(one.n_layers, sizeof *trust);
  if (!ms || !trust) exit(1);
  const sloe_layer_rows layers = rows_of(&one).layers;
  const double total = sloe_layer_sum_predict(m, &layers, ms, trust);
  double known = 0, sum = 0;
  for (size_t i = 0; i < one.n_layers; i++) {
    known += trust[i] * ms[i];
    sum += ms[i];
  }
  const char *slash = strrchr(net, '/');
  printf("| %s | %.1f | %.1f | %.0f %% |\n", slash ? slash + 1 : net,
         sloe_layer_sum_predict(plain, &layers, NULL, NULL), total, 100 * known / sum);
  free(ms);
  free(trust);
  free_nets(&one);
}

int main(int argc, char **argv) {
  nets all;
  double row[COLUMNS];
  if (argc < 2) {
    fprintf(stderr, "usage: layers_table TABLE.csv [DRAWS [REGRESSORS [NET...]]]\n");
    return 2;
  }
  const long asked = argc > 2 ? strtol(argv[2], NULL, 10) : 50;
  const size_t draws = asked > 0 && asked <= DRAWS_MOST ? (size_t)asked : 0;
  const char *wanted = argc > 3 ? argv[3] : "poly,svr,mlp,rf,xgb";
  for (size_t j = 0; j < SLOE_LAYER_TERMS; j++) {
    const sloe_layer_term *t = &sloe_layer_term_rows[j];
    const double cost = sloe_layer_term_cost(j, &costs);
    bounds[j] = (sloe_layer_sum_bound){t->least * cost, t->usual * cost, t->most * cost};
  }
  read_nets(argv[1], &all);
  uint32_t *order = calloc(all.n, sizeof *order);
  if (!order) return 1;
  printf("| what |");
  for (int c = 0; c < COLUMNS; c++) printf(" %s |", columns[c]);
  printf("\n|---|---|---|---|---|---|---|---|---|\n");
  drawn(&all, (size_t)(0.7 * (double)all.n), 1, wanted, order, row);
  print_row("random 70/30", row, NULL);
  without(&all, "dws", wanted, order);
  without(&all, "mixed", wanted, order);
  without(&all, "conv", wanted, order);
  for (size_t n = 50; draws && n <= 1000; n = n == 50 ? 200 : n * 5)
    few(&all, n, draws, wanted, order);
  sloe_layer_sum m, plain;
  learn(&all, 0, 1, &m);
  learn(&all, 1, 1, &plain);
  print_model(&m);
  if (argc > 4) printf("\n| network | sum | layers | of it in known layers |\n|---|---|---|---|\n");
  for (int i = 4; i < argc; i++) tell_net(&m, &plain, argv[i]);
  sloe_layer_sum_fini(&m);
  sloe_layer_sum_fini(&plain);
  free_nets(&all);
  free(order);
  return 0;
}
