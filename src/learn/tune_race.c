#include "learn/tune_race.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "learn/regressors.h"
#include "learn/tune_clock.h"

enum {
  ROUNDS = 3,   /* of neighbours */
  AT_LEAST = 10 /* points go on, however far behind: the first folds may mislead */
};

/* ---- standings ---- */

double sloe_tune_mape(const sloe_tuner *t, size_t point, size_t n_folds) {
  double sum = 0;
  size_t rows = 0;
  if (t->place[point].folds < n_folds || !n_folds) return NAN;
  for (size_t k = 0; k < n_folds; k++) {
    sum += t->first[point * t->n_folds + k];
    rows += t->fold_rows[k];
  }
  return 100 * sum / (double)rows;
}

size_t sloe_tune_best(const sloe_tuner *t) {
  size_t best = SIZE_MAX;
  double least = INFINITY;
  for (size_t i = 0; i < t->n_places; i++) {
    const double mape = sloe_tune_mape(t, i, t->n_folds);
    if (!(mape < least)) continue;
    least = mape;
    best = i;
  }
  return best;
}

/* The least over the first n folds. */
static double least_of(const sloe_tuner *t, size_t n_folds) {
  double least = INFINITY;
  for (size_t i = 0; i < t->n_places; i++) {
    const double mape = sloe_tune_mape(t, i, n_folds);
    if (mape < least) least = mape;
  }
  return least;
}

sloe_status sloe_tune_tell(const sloe_tuner *t, sloe_error *err) {
  const sloe_tune_options *o = t->options;
  if (o->stop && o->stop(o->context)) return sloe_fail(err, SLOE_STOPPED, "stopped");
  if (!o->progress) return SLOE_OK;
  const double elapsed = sloe_tune_now() - t->started;
  const size_t fitted = t->done - t->reused;
  sloe_tune_progress p = {t->r->name, t->done, t->total, NAN, elapsed, NAN};
  for (size_t k = t->n_folds; k > 0 && isnan(p.best_mape); k--) {
    const double least = least_of(t, k);
    if (least < INFINITY) p.best_mape = least;
  }
  if (fitted) p.eta_s = elapsed / (double)fitted * (double)(t->total - t->done);
  o->progress(o->context, &p);
  return SLOE_OK;
}

/* Room for points that the grid has got. */
static sloe_status make_places(sloe_tuner *t, sloe_error *err) {
  const size_t n = t->grid.n_points;
  sloe_tune_place *place = sloe_realloc(t->place, n, sizeof *place);
  if (place) t->place = place;
  double *first = n <= SIZE_MAX / t->n_folds / sizeof *first
                      ? sloe_realloc(t->first, n * t->n_folds, sizeof *first)
                      : NULL;
  if (first) t->first = first;
  if (!place || !first) return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu points", n);
  for (size_t f = 0; f < t->grid.n_families; f++) {
    const sloe_tune_family *family = &t->grid.family[f];
    for (size_t i = 0; i < family->n; i++)
      if (family->first + i >= t->n_places)
        place[family->first + i] = (sloe_tune_place){.family = f, .at = i};
  }
  t->n_places = n;
  return SLOE_OK;
}

/* ---- fits of a stage ---- */

typedef struct stage {
  sloe_tuner *t;
  sloe_fit_task *task;
  size_t n, cap;
} stage;

static uint64_t place_hash(const sloe_tuner *t, const sloe_tune_family *f, double value,
                           size_t fold) {
  double key[SLOE_HYPER_MOST + 1] = {0};
  memcpy(key, f->hyper, t->r->n_hyper * sizeof *key);
  key[t->r->along] = value;
  key[SLOE_HYPER_MOST] = (double)fold;
  return sloe_hash64(key, sizeof key);
}

static void apply(sloe_tuner *t, size_t point, size_t fold, const sloe_fit_answer *a) {
  sloe_tune_place *p = &t->place[point];
  if (a->state == SLOE_FIT_ARRIVED) {
    t->first[point * t->n_folds + fold] = a->sum;
    p->folds = fold + 1;
  } else {
    p->out = 1;
    p->end = a->state == SLOE_FIT_LATE ? SLOE_TUNE_LATE : SLOE_TUNE_FAILED;
  }
}

static sloe_status keep(sloe_tuner *t, const sloe_fit_task *task, sloe_error *err) {
  sloe_journal_entry entry[SLOE_TUNE_LEVELS];
  const sloe_tune_family *f = &t->grid.family[task->family];
  for (size_t i = 0; i < task->n; i++)
    entry[i] = (sloe_journal_entry){place_hash(t, f, task->path[i], task->fold), task->answer[i],
                                    i ? 0 : task->seconds};
  return sloe_journal_add(&t->journal, entry, task->n, err);
}

static sloe_status done(void *context, sloe_fit_task *task, sloe_error *err) {
  stage *s = context;
  sloe_tuner *t = s->t;
  if (!task) return sloe_tune_tell(t, err);
  t->done++;
  t->fit_seconds += task->seconds;
  if (task->why.code != SLOE_OK) t->why = task->why;
  SLOE_TRY(keep(t, task, err));
  return sloe_tune_tell(t, err);
}

/* What the journal has of a family's fold is taken from it, the rest made a task. */
static sloe_status add_task(stage *s, size_t family, size_t fold, size_t places, sloe_error *err) {
  sloe_tuner *t = s->t;
  const sloe_tune_family *f = &t->grid.family[family];
  sloe_fit_task task = {.hyper = f->hyper, .fold = fold, .family = family};
  size_t found = 0;
  for (size_t i = 0; i < places && i < f->n; i++) {
    const size_t point = f->first + i;
    if (t->place[point].out || t->place[point].folds > fold) continue;
    const sloe_journal_entry *e =
        sloe_journal_find(&t->journal, place_hash(t, f, f->path[i], fold));
    if (e) {
      found++;
      t->fit_seconds += e->seconds;
      apply(t, point, fold, &e->answer);
      continue;
    }
    task.place[task.n] = point;
    task.path[task.n++] = f->path[i];
  }
  if (!task.n) {
    t->done += found > 0;
    t->reused += found > 0;
    return SLOE_OK;
  }
  if (s->n == s->cap) {
    const size_t cap = 2 * s->cap + 64;
    sloe_fit_task *more = sloe_realloc(s->task, cap, sizeof *more);
    if (!more) return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu fits", cap);
    s->task = more;
    s->cap = cap;
  }
  s->task[s->n++] = task;
  return SLOE_OK;
}

/* The points from `from` on that are not out see the folds [lo, hi); of each path the first
   `share` of two. `later`: fits that may follow. */
static sloe_status run(sloe_tuner *t, size_t from, size_t lo, size_t hi, int half, size_t later,
                       sloe_error *err) {
  const sloe_fit_job job = {.r = t->r,
                            .rows = t->rows,
                            .options = t->options,
                            .fold = t->fold,
                            .limit_s = t->limit_s,
                            .quick = 1,
                            .done = done};
  stage s = {.t = t};
  sloe_fit_job own = job;
  sloe_status status = SLOE_OK;
  own.context = &s;
  for (size_t fold = lo; fold < hi; fold++)
    for (size_t f = from; f < t->grid.n_families; f++) {
      const size_t n = t->grid.family[f].n;
      SLOE_GOTO(add_task(&s, f, fold, half ? (n + 1) / 2 : n, err));
    }
  t->total = t->done + s.n + later;
  SLOE_GOTO(sloe_tune_tell(t, err));
  SLOE_GOTO(sloe_fit_all(&own, s.task, s.n, err));
  for (size_t i = 0; i < s.n; i++)
    for (size_t k = 0; k < s.task[i].n; k++)
      if (!t->place[s.task[i].place[k]].out)
        apply(t, s.task[i].place[k], s.task[i].fold, &s.task[i].answer[k]);
fail:
  sloe_dealloc(s.task);
  return status;
}

/* ---- who goes on ---- */

typedef struct ranked {
  double mape;
  size_t number;
} ranked;

static int by_mape(const void *a, const void *b) {
  const ranked *p = a, *q = b;
  if (p->mape != q->mape) return p->mape < q->mape ? -1 : 1;
  return (p->number > q->number) - (p->number < q->number);
}

static void leave(sloe_tune_place *p) {
  p->out = 1;
  p->end = SLOE_TUNE_BEHIND;
}

/* The defaults are what tuning is compared with, on every fold. */
static int is_default(const sloe_tuner *t, const sloe_tune_place *p) {
  const sloe_tune_family *f = &t->grid.family[p->family];
  double usual[SLOE_HYPER_MOST];
  sloe_hyper_defaults(t->r, usual);
  sloe_tune_canonical(t->r, usual);
  for (size_t j = 0; j < t->r->n_hyper; j++)
    if ((j == t->r->along ? f->path[p->at] : f->hyper[j]) != usual[j]) return 0;
  return 1;
}

/* Of the points from family `from` on, after n_folds: at most a share, and none whose error is over
   `factor` times the least of all, but for the first few and the defaults. */
static sloe_status cut(sloe_tuner *t, size_t from, size_t n_folds, double share, double factor,
                       size_t at_least, sloe_error *err) {
  const size_t first = t->grid.family[from].first, n = t->n_places - first;
  const double least = least_of(t, n_folds);
  const size_t most = (size_t)ceil(share * (double)n);
  ranked *rank = sloe_alloc(n, sizeof *rank);
  size_t still = 0;
  if (!rank) return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu points", n);
  for (size_t i = first; i < t->n_places; i++)
    if (!t->place[i].out) rank[still++] = (ranked){sloe_tune_mape(t, i, n_folds), i};
  qsort(rank, still, sizeof *rank, by_mape);
  for (size_t i = 0; i < still; i++)
    if ((i >= most || (i >= at_least && rank[i].mape > factor * least)) &&
        !is_default(t, &t->place[rank[i].number]))
      leave(&t->place[rank[i].number]);
  sloe_dealloc(rank);
  return SLOE_OK;
}

/* What a family has shown on the first half of its path: its least error; *falls: the last step
   took a tenth of it away, so that it may be slow and good. */
static double shown(const sloe_tuner *t, const sloe_tune_family *f, int *falls) {
  double least = INFINITY, last = INFINITY;
  *falls = 0;
  for (size_t i = 0; i < f->n; i++) {
    const double mape = sloe_tune_mape(t, f->first + i, 1);
    if (isnan(mape)) continue;
    *falls = mape < 0.9 * last && last < INFINITY;
    last = mape;
    if (mape < least) least = mape;
  }
  return least;
}

/* Long runs: the better half of the families, and those that fall fast. */
static sloe_status cut_long(sloe_tuner *t, size_t from, sloe_error *err) {
  const size_t n = t->grid.n_families - from;
  ranked *rank = sloe_alloc(n, sizeof *rank);
  if (!rank) return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu families", n);
  int falls;
  for (size_t i = 0; i < n; i++)
    rank[i] = (ranked){shown(t, &t->grid.family[from + i], &falls), from + i};
  qsort(rank, n, sizeof *rank, by_mape);
  for (size_t i = (n + 1) / 2; i < n; i++) {
    const sloe_tune_family *f = &t->grid.family[rank[i].number];
    const double mape = shown(t, f, &falls);
    if (falls && mape < 3 * rank[0].mape) continue;
    for (size_t k = (f->n + 1) / 2; k < f->n; k++)
      if (!is_default(t, &t->place[f->first + k])) leave(&t->place[f->first + k]);
  }
  sloe_dealloc(rank);
  return SLOE_OK;
}

/* A path whose later values cost next to nothing is run whole. */
static int is_free(const sloe_regressor *r) {
  return r == &sloe_regressor_poly;
}

/* The families from `from` on. `near`: a round of neighbours, whose standard is higher. */
static sloe_status race(sloe_tuner *t, size_t from, int near, size_t later, sloe_error *err) {
  const size_t n = t->grid.n_families - from, folds = t->n_folds;
  const size_t at_least = near ? 0 : AT_LEAST;
  const size_t rest = folds > 2 ? (folds - 2) * (n + 3) / 4 : 0, second = (n + 1) / 2;
  if (!n) return SLOE_OK;
  SLOE_TRY(make_places(t, err));
  if (t->options->no_racing) return run(t, from, 0, folds, 0, later, err);
  if (!near && !is_free(t->r)) {
    SLOE_TRY(run(t, from, 0, 1, 1, later + n / 2 + second + rest, err));
    SLOE_TRY(cut_long(t, from, err));
  }
  SLOE_TRY(run(t, from, 0, 1, 0, later + second + rest, err));
  SLOE_TRY(cut(t, from, 1, 0.5, near ? 1.1 : 1.5, at_least, err));
  SLOE_TRY(run(t, from, 1, 2, 0, later + rest, err));
  SLOE_TRY(cut(t, from, 2, 0.25, near ? 1.02 : 1.15, at_least, err));
  return run(t, from, 2, folds, 0, later, err);
}

sloe_status sloe_tune_race(sloe_tuner *t, sloe_error *err) {
  const size_t around = t->options->no_neighbours ? 0 : 4 * t->r->n_hyper;
  size_t best;
  SLOE_TRY(race(t, 0, 0, around * ROUNDS + t->n_folds, err));
  for (size_t round = 0; around && round < ROUNDS; round++) {
    const size_t from = t->grid.n_families;
    best = sloe_tune_best(t);
    if (best == SIZE_MAX) break;
    SLOE_TRY(
        sloe_tune_grid_neighbours(&t->grid, t->place[best].family, t->place[best].at, round, err));
    SLOE_TRY(race(t, from, 1, around * (ROUNDS - 1 - round) + t->n_folds, err));
    if (round > 0 && sloe_tune_best(t) == best) break;
  }
  return SLOE_OK;
}
