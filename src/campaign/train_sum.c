/* train_sum.c: a sum over layers from times of whole networks (learn/layer_sum_fit.h).
 *
 * A data sheet says what a layer costs at least, usually and at most; without one the coefficients
 * are not negative, and that is all. Few networks are judged by leaving one out after the other,
 * and have no trees.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/train.h"

enum { FEW = 30, KIND_FOLDS = 6 };

/* ms of a network, whatever it is: what the host does, and copies where they are counted. */
static const sloe_layer_sum_bound per_network = {0, 3, 8};

typedef struct summing {
  const sloe_trainer *trainer;
  const sloe_lessons *lessons;
  const sloe_lesson *lesson;
  sloe_layer_sum_bound bounds[SLOE_LAYER_TERMS];
  size_t *row; /* [n] those learned from */
  double *estimated;
  sloe_error *err;
} summing;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory training a sum over layers");
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- what a data sheet bounds ---- */

static const sloe_layer_sum_bound *bounds_of(summing *s) {
  const sloe_platform *board = s->trainer->board;
  if (!board || board->fitted) return NULL;
  const sloe_roofline *roof = &board->roofline;
  const sloe_term_costs costs = {1e3 / roof->matrix_flops, 1e3 / roof->bandwidth,
                                 1e3 * roof->launch_s.typical};
  for (size_t i = 0; i < SLOE_LAYER_TERMS; i++) {
    const sloe_layer_term *term = &sloe_layer_term_rows[i];
    const double ms = sloe_layer_term_cost(i, &costs);
    s->bounds[i] = (sloe_layer_sum_bound){term->least * ms, term->usual * ms, term->most * ms};
  }
  return s->bounds;
}

/* ---- rows ---- */

typedef struct gathered { /* layers of some rows, one network behind the other */
  double *terms, *traits, *y;
  uint64_t *family;
  size_t *first;
  size_t n_layers;
} gathered;

static void gathered_fini(gathered *g) {
  sloe_dealloc(g->terms);
  sloe_dealloc(g->traits);
  sloe_dealloc(g->y);
  sloe_dealloc(g->family);
  sloe_dealloc(g->first);
}

static size_t first_of(const summing *s, size_t row) {
  return s->lessons->first[s->lesson->net[row]];
}

static size_t count_of(const summing *s, size_t row) {
  return s->lessons->first[s->lesson->net[row] + 1] - first_of(s, row);
}

static sloe_status gather(const summing *s, size_t n, gathered *g) {
  const sloe_layer_rows *from = &s->lessons->layer;
  size_t layers = 0;
  for (size_t i = 0; i < n; i++) layers += count_of(s, s->row[i]);
  *g = (gathered){.terms = sloe_alloc(layers * SLOE_LAYER_TERMS + 1, sizeof *g->terms),
                  .traits = sloe_alloc(layers * SLOE_LAYER_TRAITS + 1, sizeof *g->traits),
                  .y = sloe_alloc(n, sizeof *g->y),
                  .family = sloe_alloc(layers + 1, sizeof *g->family),
                  .first = sloe_alloc(n + 1, sizeof *g->first)};
  if (!g->terms || !g->traits || !g->y || !g->family || !g->first) return no_memory(s->err);
  for (size_t i = 0; i < n; i++) {
    const size_t at = first_of(s, s->row[i]), count = count_of(s, s->row[i]), to = g->n_layers;
    memcpy(g->terms + to * SLOE_LAYER_TERMS, from->terms + at * SLOE_LAYER_TERMS,
           count * SLOE_LAYER_TERMS * sizeof *g->terms);
    memcpy(g->traits + to * SLOE_LAYER_TRAITS, from->traits + at * SLOE_LAYER_TRAITS,
           count * SLOE_LAYER_TRAITS * sizeof *g->traits);
    memcpy(g->family + to, from->family + at, count * sizeof *g->family);
    g->y[i] = s->lesson->y[s->row[i]];
    g->first[i] = to;
    g->n_layers += count;
  }
  g->first[n] = g->n_layers;
  return SLOE_OK;
}

/* The model of the first `n` of s->row. report NULL: not wanted. */
static sloe_status fit(summing *s, size_t n, sloe_layer_sum_report *report, sloe_layer_sum *out) {
  const sloe_train_options *o = s->trainer->options;
  const sloe_layer_sum_options options = {.bounds = bounds_of(s),
                                          .constant = &per_network,
                                          .n_sizes = SLOE_LAYER_SIZES,
                                          .no_trees = n < FEW,
                                          .seed = o->seed ? o->seed : 1,
                                          .threads = o->threads};
  gathered g;
  sloe_status status = gather(s, n, &g);
  if (status == SLOE_OK) {
    const sloe_layer_sum_rows rows = {{g.n_layers, g.terms, g.traits, g.family},
                                      SLOE_LAYER_TERMS,
                                      SLOE_LAYER_TRAITS,
                                      g.first,
                                      g.y,
                                      n};
    status = sloe_layer_sum_fit(&rows, &options, out, report, s->err);
  }
  gathered_fini(&g);
  return status;
}

static double predict(const sloe_layer_sum *m, const sloe_lessons *lessons, size_t net) {
  const size_t at = lessons->first[net], n = lessons->first[net + 1] - at;
  const sloe_layer_rows *all = &lessons->layer;
  const sloe_layer_rows rows = {n, all->terms + at * SLOE_LAYER_TERMS,
                                all->traits + at * SLOE_LAYER_TRAITS, all->family + at};
  return sloe_layer_sum_predict(m, &rows, NULL, NULL);
}

/* ---- judging ---- */

/* Estimates of the rows that `is_out` says are left out, by a model of the others. */
static sloe_status leave_out(summing *s, int (*is_out)(const summing *s, size_t row, size_t which),
                             size_t which) {
  sloe_layer_sum m;
  size_t n = 0;
  for (size_t i = 0; i < s->lesson->n; i++)
    if (!is_out(s, i, which)) s->row[n++] = i;
  if (n == s->lesson->n) return SLOE_OK; /* nobody */
  SLOE_TRY(fit(s, n, NULL, &m));
  for (size_t i = 0; i < s->lesson->n; i++)
    if (is_out(s, i, which)) s->estimated[i] = predict(&m, s->lessons, s->lesson->net[i]);
  sloe_layer_sum_fini(&m);
  return SLOE_OK;
}

static int is_row(const summing *s, size_t row, size_t which) {
  (void)s;
  return row == which;
}

static int is_kind(const summing *s, size_t row, size_t which) {
  return s->lesson->kind[row] % KIND_FOLDS == which;
}

static sloe_status judge_kinds(summing *s, sloe_network_model *model, sloe_trained *told) {
  model->kinds = sloe_network_errors_unknown;
  if (s->lesson->n_kinds < 2) return SLOE_OK;
  for (size_t k = 0; k < KIND_FOLDS && k < s->lesson->n_kinds; k++)
    SLOE_TRY(leave_out(s, is_kind, k));
  return sloe_train_judge(s->lesson, s->estimated, 1, &told->kinds, &model->kinds, s->err);
}

static sloe_status leave_each_out(summing *s) {
  for (size_t i = 0; i < s->lesson->n; i++) SLOE_TRY(leave_out(s, is_row, i));
  return SLOE_OK;
}

static sloe_status train(summing *s, sloe_network_model *model, sloe_trained *told) {
  sloe_layer_sum_report report = {.out_of_fold = s->estimated};
  const sloe_lesson *lesson = s->lesson;
  const double begun = now_s();
  for (size_t i = 0; i < lesson->n; i++) s->row[i] = i;
  SLOE_TRY(fit(s, lesson->n, &report, &model->sum));
  model->train_s = now_s() - begun;
  model->tune_s = NAN;
  if (lesson->n < FEW) SLOE_TRY(leave_each_out(s));
  SLOE_TRY(sloe_train_judge(lesson, s->estimated, 0, &told->errors, &model->folds, s->err));
  const double asked = now_s();
  volatile double sum = 0;
  for (size_t i = 0; i < lesson->n; i++)
    sum = sum + predict(&model->sum, s->lessons, lesson->net[i]);
  told->predict_us = (now_s() - asked) * 1e6 / (double)lesson->n;
  told->train_s = model->train_s;
  model->metric = SLOE_NETWORKS_LATENCY;
  model->regressor = "layers";
  model->is_sum = 1;
  model->constant_mape = told->errors.mape_constant;
  return judge_kinds(s, model, told);
}

sloe_status sloe_train_sum(const sloe_trainer *trainer, const sloe_lessons *lessons,
                           const sloe_lesson *lesson, sloe_network_model *model, sloe_trained *told,
                           sloe_error *err) {
  summing s = {.trainer = trainer, .lessons = lessons, .lesson = lesson, .err = err};
  s.row = sloe_alloc(lesson->n, sizeof *s.row);
  s.estimated = sloe_alloc(lesson->n, sizeof *s.estimated);
  const sloe_status status = s.row && s.estimated ? train(&s, model, told) : no_memory(err);
  sloe_dealloc(s.row);
  sloe_dealloc(s.estimated);
  return status;
}

sloe_status sloe_train_estimate(const sloe_network_model *model, const sloe_lessons *lessons,
                                const sloe_lesson *lesson, double *out, sloe_error *err) {
  if (!model->is_sum)
    SLOE_TRY(sloe_learned_predict_many(&model->body, lesson->x, lesson->n, out, err));
  for (size_t i = 0; i < lesson->n; i++) {
    if (model->is_sum) out[i] = predict(&model->sum, lessons, lesson->net[i]);
    if (model->on_layers) out[i] *= lesson->layers[i];
  }
  return SLOE_OK;
}
