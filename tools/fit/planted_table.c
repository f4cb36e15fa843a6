/* planted_table [COUNT [SEED [TEXT]]]: rows with TEXT in their name; how often the fitter finds
   what was planted, from how many points. The table of docs/notes/fit.md; nothing builds it but
   `ninja planted_table`. */
#include <stdio.h>
#include <stdlib.h>

#include "planted.h"

static const char *only = ""; /* rows that have this in their name */

typedef struct tally {
  size_t n, right, exact, undecided, counts[64];
  double points, error, worst;
} tally;

static size_t quantile(const tally *t, double share) {
  size_t seen = 0, k = 0;
  while (k < 63 && (double)(seen += t->counts[k]) < share * (double)t->n) k++;
  return k;
}

static void add(tally *t, const planted *p, const sloe_fit_result *r) {
  double worst = planted_worst(p, &r->model), sum = 0;
  for (int64_t x = 1; x <= PLANTED_LAST; x++) sum += planted_error_at(p, &r->model, &x);
  int exact = planted_exact(p, &r->model);
  t->n++;
  t->exact += (size_t)exact;
  t->right += exact || worst <= 0.01;
  t->undecided += r->undecided;
  t->counts[r->points < 63 ? r->points : 63]++;
  t->points += (double)r->points;
  t->error += sum / PLANTED_LAST;
  t->worst = fmax(t->worst, worst);
}

static void print(const char *what, const tally *t) {
  double n = (double)t->n;
  printf(
      "| %-34s | %5.1f %% | %5.1f %% | %4.1f | %2zu | %2zu | %2zu | %5.2f %% | %5.1f %% | %zu |\n",
      what, 100 * (double)t->right / n, 100 * (double)t->exact / n, t->points / n, quantile(t, 0.5),
      quantile(t, 0.9), quantile(t, 1), 100 * t->error / n, 100 * t->worst, t->undecided);
  fflush(stdout);
}

static void lines(const char *what, const sloe_fit_params *params, planted_kind kind, size_t count,
                  uint64_t seed) {
  if (!strstr(what, only)) return;
  tally t = {0};
  sloe_fit_axis axis = {1, PLANTED_LAST};
  for (size_t i = 0; i < count; i++) {
    planted p = planted_line(seed * 1000003 + i, kind);
    sloe_fit_result r;
    sloe_error err = {0};
    if (sloe_fit_space(params, &axis, 1, planted_run, &p, &r, &err))
      printf("%s %zu: %s\n", what, i, err.msg);
    else
      add(&t, &p, &r);
  }
  print(what, &t);
}

static void space(const char *what, const sloe_fit_params *params, size_t n_dims, size_t count,
                  uint64_t seed) {
  if (!strstr(what, only)) return;
  double mean = 0, worst = 0, points = 0, widths = 0;
  sloe_fit_axis axes[SLOE_STAIR_DIMS];
  for (size_t d = 0; d < n_dims; d++) axes[d] = (sloe_fit_axis){1, PLANTED_LAST};
  for (size_t i = 0; i < count; i++) {
    planted p = planted_space(seed * 1000003 + i, PLANTED_STEP, n_dims);
    sloe_fit_result r;
    sloe_error err = {0};
    if (sloe_fit_space(params, axes, n_dims, planted_run, &p, &r, &err)) {
      printf("%s %zu: %s\n", what, i, err.msg);
      continue;
    }
    sloe_rng rng;
    sloe_rng_seed(&rng, seed + i);
    for (int k = 0; k < 768; k++) {
      int64_t at[SLOE_STAIR_DIMS];
      for (size_t d = 0; d < n_dims; d++) at[d] = sloe_rng_between(&rng, 1, PLANTED_LAST);
      double e = planted_error_at(&p, &r.model, at);
      mean += e / 768 / (double)count;
      worst = fmax(worst, e);
    }
    points += (double)r.points / (double)count;
    for (size_t d = 0; d < n_dims; d++)
      widths += (double)(p.truth.shape[d].width == r.model.shape[d].width) / (double)n_dims;
  }
  printf("| %-34s | %5.1f %% | %6.1f | %5.2f %% | %5.1f %% |\n", what, 100 * widths / (double)count,
         points, 100 * mean, 100 * worst);
  fflush(stdout);
}

int main(int argc, char **argv) {
  size_t count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 1000;
  uint64_t seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 2;
  if (argc > 3) only = argv[3];
  if (!count) return 2;
  static const char *const names[] = {
#define NAME(id, name) name,
      PLANTED_KIND_MAP(NAME)
#undef NAME
  };
  printf(
      "| %zu planted, seed %llu | right | exact | points | median | p90 | most | mean error | "
      "worst |"
      " undecided |\n|---|---|---|---|---|---|---|---|---|---|\n",
      count, (unsigned long long)seed);
  char what[64];
  sloe_fit_params paper = {.method = SLOE_FIT_BLACKTHORN}, two = {.templates = SLOE_FIT_PAPER};
  sloe_fit_params median = {.templates = SLOE_FIT_PAPER, .statistic = SLOE_FIT_MEDIAN};
  sloe_fit_params once = {.templates = SLOE_FIT_PAPER, .runs = 1, .noise = 0.03};
  lines("step, BLACKTHORN", &paper, PLANTED_STEP, count, seed);
  lines("linear, BLACKTHORN", &paper, PLANTED_LINEAR, count, seed);
  lines("step, two templates", &two, PLANTED_STEP, count, seed);
  lines("step, two templates, medians", &median, PLANTED_STEP, count, seed);
  lines("step, two templates, one run", &once, PLANTED_STEP, count, seed);
  for (int kind = 0; kind < PLANTED_KINDS; kind++) {
    size_t n = kind == PLANTED_STEP ? count : (count + 3) / 4;
    snprintf(what, sizeof what, "%s, all templates", names[kind]);
    lines(what, NULL, (planted_kind)kind, n, seed);
    if (kind < PLANTED_NESTED) continue;
    snprintf(what, sizeof what, "%s, two templates", names[kind]);
    lines(what, &two, (planted_kind)kind, n, seed);
  }
  printf(
      "\n| spaces of steps | right widths | points | mean error | worst of 768 "
      "|\n|---|---|---|---|---|\n");
  sloe_fit_params fresh = {.carry = -1}, blind = {.method = SLOE_FIT_BLACKTHORN};
  space("1024 x 1024", NULL, 2, (count + 19) / 20, seed);
  space("1024 x 1024, lines independent", &fresh, 2, (count + 19) / 20, seed);
  space("1024 x 1024, BLACKTHORN", &blind, 2, (count + 19) / 20, seed);
  space("1024 x 1024 x 1024", NULL, 3, (count + 99) / 100, seed);
  return 0;
}
