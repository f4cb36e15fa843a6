/* boost_table [SEEDS]: what boosted trees leave of surfaces like those that staircases leave of
   convolutions, by number of rows, depth, rate and shares; then what an evaluation costs. The
   tables of docs/notes/boost.md; nothing builds it but `ninja boost_table`.

   A surface is the logarithm of measured over predicted time of a convolution: smooth in the
   logarithms of sizes, with a knee where weights outgrow a cache, tails where filters do not fill
   16 lanes and output columns not a block of 6, all of random heights; 1.5 % noise on the rows to
   learn from, none on the 2000 to be told. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "fit/fit.h"

enum { FEATURES = 14, MOST = 20000, HELD_OUT = 2000 };

typedef struct surface {
  double height[6], place[6];
} surface;

typedef struct sample {
  double x[MOST * FEATURES], y[MOST];
} sample;

static double between(sloe_rng *rng, double lo, double hi) {
  return lo + (hi - lo) * sloe_rng_uniform(rng);
}

static surface draw_surface(sloe_rng *rng) {
  surface s;
  for (int i = 0; i < 6; i++) {
    s.height[i] = between(rng, 0.04, 0.15) * (sloe_rng_uniform(rng) < 0.5 ? -1 : 1);
    s.place[i] = between(rng, -1, 1);
  }
  return s;
}

/* How much of the last block of `block` stays empty, as a share of all blocks. */
static double tail(int64_t n, int64_t block) {
  int64_t over = n % block;
  return over ? (double)(block - over) / (double)n : 0;
}

static double surface_at(const surface *s, int64_t c, int64_t k, int64_t h, int64_t w) {
  double lc = log2((double)c), lk = log2((double)k), lh = log2((double)h), lw = log2((double)w);
  double y = s->height[0] * tanh((lc + lk + lh + lw - 24 + 2 * s->place[0]) / 3);
  y += s->height[1] / (1 + exp(-2 * (lc + lk - 14 + s->place[1])));
  y += fabs(s->height[2]) * 3 * fmin(tail(k, 16), 0.5);
  y += fabs(s->height[3]) * 3 * fmin(tail(w, 6), 0.5);
  y += s->height[4] * sin(lc / 2 + s->place[4]) * (lw - 6) / 3;
  y += lh < 4 + s->place[5] ? s->height[5] : 0; /* another algorithm for low images */
  return y;
}

static double log_uniform(sloe_rng *rng, double lo, double hi) {
  return floor(exp(between(rng, log(lo), log(hi + 1))));
}

static void draw_rows(const surface *s, sloe_rng *rng, size_t n, double noise, sample *out) {
  for (size_t i = 0; i < n; i++) {
    double c = log_uniform(rng, 1, 1024), k = log_uniform(rng, 1, 1024);
    double h = log_uniform(rng, 8, 512), w = log_uniform(rng, 8, 512);
    const double x[FEATURES] = {
        log2(c),
        log2(k),
        log2(h),
        log2(w),
        log2(c * k),
        log2(h * w),
        log2(c * k * h * w),
        fmod(k, 16),
        fmod(w, 6),
        fmod(c, 8),
        fmod(h, 4),
        fmod(k, 32),
        log2(h / w),
        log2(c / k),
    };
    for (int j = 0; j < FEATURES; j++) out->x[i * FEATURES + (size_t)j] = x[j];
    out->y[i] = surface_at(s, (int64_t)c, (int64_t)k, (int64_t)h, (int64_t)w);
    out->y[i] += noise * sloe_rng_normal(rng);
  }
}

/* RMS over the rows of what the forest leaves, and of what there was around the mean. */
static double left_of(const sloe_boost *b, const sample *rows, double *whole) {
  double own = 0, mean = 0, all = 0;
  for (size_t i = 0; i < HELD_OUT; i++) mean += rows->y[i] / HELD_OUT;
  for (size_t i = 0; i < HELD_OUT; i++) {
    float x[FEATURES];
    for (size_t j = 0; j < FEATURES; j++) x[j] = (float)rows->x[i * FEATURES + j];
    own += pow(sloe_forest_eval(&b->forest, x) - rows->y[i], 2);
    all += pow(rows->y[i] - mean, 2);
  }
  *whole = sqrt(all / HELD_OUT);
  return sqrt(own / HELD_OUT);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void row(const char *what, const sloe_boost_params *params, size_t n, size_t seeds) {
  static sample seen, other;
  double whole, had = 0, left = 0, told = 0, trees = 0, seconds = 0;
  for (size_t seed = 1; seed <= seeds; seed++) {
    sloe_rng rng;
    sloe_rng_seed(&rng, seed);
    surface s = draw_surface(&rng);
    draw_rows(&s, &rng, n, 0.015, &seen);
    draw_rows(&s, &rng, HELD_OUT, 0, &other);
    sloe_boost b;
    double start = now();
    if (sloe_boost_train(seen.x, seen.y, NULL, n, FEATURES, params, &b, NULL)) return;
    seconds += now() - start;
    left += left_of(&b, &other, &whole);
    had += whole;
    told += sqrt(fmax(b.cv_error * b.cv_error - 0.015 * 0.015, 0));
    trees += b.forest.n_trees;
    sloe_boost_fini(&b);
  }
  double k = 100 / (double)seeds;
  printf("| %5zu | %-26s | %5.2f %% | %5.2f %% | %5.2f %% | %5.1f | %6.3f |\n", n, what, k * had,
         k * left, k * told, trees / (double)seeds, seconds / (double)seeds);
  fflush(stdout);
}

static void grid(size_t n, size_t seeds) {
  char what[64];
  for (uint32_t depth = 2; depth <= 6; depth++)
    for (int r = 0; r < 3; r++) {
      double rate = 0.05 * (1 << r);
      sloe_boost_params p = {.depth = depth, .rate = rate, .trees = 256};
      snprintf(what, sizeof what, "depth %u, rate %.2f", (unsigned)depth, rate);
      row(what, &p, n, seeds);
    }
}

static void shares(size_t n, size_t seeds) {
  static const struct {
    const char *what;
    sloe_boost_params params;
  } rows[] = {
      {"defaults", {0}},
      {"64 trees at most", {.trees = 64}},
      {"64 trees, rate 0.1", {.trees = 64, .rate = 0.1}},
      {"64 trees, rate 0.3", {.trees = 64, .rate = 0.3}},
      {"256 trees at most", {.trees = 256}},
      {"rate 0.1", {.rate = 0.1}},
      {"rate 0.15", {.rate = 0.15}},
      {"rate 0.3", {.rate = 0.3}},
      {"depth 3", {.depth = 3}},
      {"depth 5", {.depth = 5}},
      {"all rows a tree", {.row_share = 1}},
      {"half the rows", {.row_share = 0.5}},
      {"0.8 of the features", {.feature_share = 0.8}},
      {"half the features", {.feature_share = 0.5}},
      {"lambda 0.3", {.lambda = 0.3}},
      {"lambda 3", {.lambda = 3}},
      {"lambda 10", {.lambda = 10}},
      {"32 bins", {.bins = 32}},
      {"16 bins", {.bins = 16}},
      {"10 folds", {.folds = 10}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    row(rows[i].what, &rows[i].params, n, seeds);
}

/* ---- what an evaluation costs ---- */

typedef struct questions { /* the plain way: feature, threshold, feature, threshold, ... */
  uint8_t feature[SLOE_FOREST_TREES * SLOE_FOREST_DEPTH];
  float threshold[SLOE_FOREST_TREES * SLOE_FOREST_DEPTH];
} questions;

static double ask(const questions *q, const sloe_forest *f, const float *x) {
  double sum = f->base;
  size_t k = 0;
  for (size_t t = 0; t < f->n_trees; t++) {
    size_t number = 0;
    for (size_t d = 0; d < f->depth; d++, k++)
      number |= (size_t)(x[q->feature[k]] > q->threshold[k]) << d;
    sum += (double)f->leaf[(t << f->depth) + number];
  }
  return sum;
}

/* The questions back from the rows: a bit set at rank r and not before asks for threshold r - 1. */
static void read_questions(const sloe_forest *f, questions *q) {
  size_t stride = sloe_forest_leaves(f) >> f->depth;
  memset(q, 0, sizeof *q);
  for (uint32_t j = 0; j < f->n_features; j++)
    for (uint32_t r = 1; r <= f->first[j + 1] - f->first[j]; r++)
      for (uint32_t t = 0; t < f->n_trees; t++) {
        const uint8_t *at = f->row + (f->first[j] + j + r) * stride + t;
        for (uint32_t d = 0; d < f->depth; d++)
          if ((at[0] & ~(at - stride)[0]) >> d & 1) {
            q->feature[t * f->depth + d] = (uint8_t)j;
            q->threshold[t * f->depth + d] = f->threshold[f->first[j] + r - 1];
          }
      }
}

static void cost(uint32_t trees, uint32_t depth) {
  static sample seen;
  static questions q;
  enum { X = 64, TIMES = 20000, PASSES = 15 };
  float x[X][FEATURES];
  sloe_rng rng;
  sloe_rng_seed(&rng, 1);
  surface s = draw_surface(&rng);
  draw_rows(&s, &rng, 2000, 0.015, &seen);
  sloe_boost_params p = {.trees = trees, .depth = depth, .folds = 1};
  sloe_boost b;
  if (sloe_boost_train(seen.x, seen.y, NULL, 2000, FEATURES, &p, &b, NULL)) return;
  read_questions(&b.forest, &q);
  for (size_t i = 0; i < X; i++)
    for (size_t j = 0; j < FEATURES; j++) x[i][j] = (float)seen.x[i * FEATURES + j];
  double rows = INFINITY, plain = INFINITY, differ = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    double start = now(), sum = 0;
    for (size_t i = 0; i < TIMES; i++) sum += sloe_forest_eval(&b.forest, x[i % X]);
    double middle = now(), other = 0;
    for (size_t i = 0; i < TIMES; i++) other += ask(&q, &b.forest, x[i % X]);
    rows = fmin(rows, (middle - start) / TIMES);
    plain = fmin(plain, (now() - middle) / TIMES);
    differ = fmax(differ, fabs(sum - other));
  }
  printf("| %3u | %u | %4zu | %5.1f | %4.0f ns | %4.0f ns |%s\n", (unsigned)trees, (unsigned)depth,
         sloe_forest_thresholds(&b.forest),
         (double)(sloe_forest_row_bytes(&b.forest) +
                  4 * (sloe_forest_leaves(&b.forest) + sloe_forest_thresholds(&b.forest))) /
             1024,
         1e9 * rows, 1e9 * plain, differ > 1e-6 ? " THEY DIFFER" : "");
  fflush(stdout);
  sloe_boost_fini(&b);
}

int main(int argc, char **argv) {
  size_t seeds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 8;
  if (!seeds) return 2;
  printf(
      "| rows | | without | with | as told | trees | s to train "
      "|\n|---|---|---|---|---|---|---|\n");
  grid(300, seeds);
  grid(1000, seeds);
  grid(4000, (seeds + 3) / 4);
  shares(300, seeds);
  shares(1000, seeds);
  row("defaults", NULL, MOST, 1);
  printf("\n| trees | depth | thresholds | KiB | rows | plain |\n|---|---|---|---|---|---|\n");
  cost(32, 4);
  cost(64, 4);
  cost(64, 6);
  cost(128, 4);
  cost(256, 6);
  return 0;
}
