/* train_draw.c: what few networks are good for. Rows are drawn at random, a model learns from them
 * as from all, and the rows that were not drawn judge it.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "campaign/conformal.h"
#include "campaign/train.h"

typedef struct draws {
  const sloe_trainer *trainer;
  const sloe_lessons *lessons;
  const sloe_lesson *all;
  const sloe_regressor *regressor;
  size_t *row;               /* [n] those drawn first, then the others */
  sloe_lesson drawn, others; /* with room for all rows */
  double *estimated;         /* [n] */
  sloe_errors *told;         /* [repeat] */
  double *value;             /* [repeat] */
  sloe_error *err;
} draws;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory drawing rows");
}

/* Kinds are not told apart in a draw: there may be one row of them. */
static sloe_status make_room(const draws *d, sloe_lesson *out) {
  sloe_arena *arena = d->trainer->arena;
  const sloe_lesson *all = d->all;
  *out = *all;
  out->x = SLOE_ARENA_NEW(arena, double, all->n * all->d);
  out->y = SLOE_ARENA_NEW(arena, double, all->n);
  out->net = SLOE_ARENA_NEW(arena, size_t, all->n);
  if (all->layers) out->layers = SLOE_ARENA_NEW(arena, double, all->n);
  out->kind = NULL;
  out->n_kinds = 1;
  return out->x && out->y && out->net && (out->layers || !all->layers) ? SLOE_OK
                                                                       : no_memory(d->err);
}

static void put_row(const sloe_lesson *from, size_t row, sloe_lesson *to) {
  memcpy(to->x + to->n * to->d, from->x + row * to->d, to->d * sizeof *to->x);
  to->y[to->n] = from->y[row];
  to->net[to->n] = from->net[row];
  if (to->layers) to->layers[to->n] = from->layers[row];
  to->n++;
}

/* The first `n` rows of a random order are drawn. */
static void deal(draws *d, size_t n, uint64_t seed) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < d->all->n; i++) d->row[i] = i;
  d->drawn.n = d->others.n = 0;
  for (size_t i = 0; i < d->all->n; i++) {
    const size_t j = i < n ? (size_t)sloe_rng_between(&rng, (int64_t)i, (int64_t)d->all->n - 1) : i;
    const size_t row = d->row[j];
    d->row[j] = d->row[i];
    put_row(d->all, row, i < n ? &d->drawn : &d->others);
  }
}

static sloe_status draw(draws *d, size_t number, sloe_network_model *model, sloe_trained *told) {
  const sloe_train_options *o = d->trainer->options;
  sloe_network_errors ignored;
  deal(d, o->draw, (o->seed ? o->seed : 1) * 1000003u + number);
  SLOE_TRY(sloe_train_model(d->trainer, d->lessons, &d->drawn, d->regressor, model, told, d->err));
  SLOE_TRY(sloe_train_estimate(model, d->lessons, &d->others, d->estimated, d->err));
  return sloe_train_judge(&d->others, d->estimated, 0, &d->told[number], &ignored, d->err);
}

static double quantile_of(draws *d, size_t repeat, size_t at, double q) {
  size_t n = 0;
  for (size_t i = 0; i < repeat; i++) {
    const double value = *(const double *)(const void *)((const char *)&d->told[i] + at);
    if (!isnan(value)) d->value[n++] = value;
  }
  return sloe_quantile(d->value, n, q);
}

static void summarise(draws *d, size_t repeat, sloe_trained *told) {
  told->errors.n = d->told[0].n;
#define TAKE_MEDIAN(name, doc) \
  told->errors.name = quantile_of(d, repeat, offsetof(sloe_errors, name), 0.5);
  SLOE_ERROR_MAP(TAKE_MEDIAN)
#undef TAKE_MEDIAN
  told->mape_p90 = quantile_of(d, repeat, offsetof(sloe_errors, mape), 0.9);
}

static sloe_status draw_all(draws *d, size_t repeat, sloe_network_model *model,
                            sloe_trained *told) {
  const sloe_watch *watch = d->trainer->watch;
  for (size_t i = 0; i < repeat; i++) {
    sloe_network_model other;
    sloe_trained ignored;
    if (watch && watch->stop && watch->stop(watch->context))
      return sloe_fail(d->err, SLOE_STOPPED, "stopped after %zu draws", i);
    const sloe_status status = draw(d, i, i ? &other : model, i ? &ignored : told);
    if (i) sloe_network_model_fini(&other);
    SLOE_TRY(status);
    const sloe_progress now = {d->trainer->phase, i + 1, repeat, NAN, NAN};
    if (watch && watch->progress) watch->progress(watch->context, &now);
  }
  summarise(d, repeat, told);
  return SLOE_OK;
}

sloe_status sloe_train_draws(const sloe_trainer *trainer, const sloe_lessons *lessons,
                             const sloe_lesson *lesson, const sloe_regressor *regressor,
                             sloe_network_model *model, sloe_trained *told, sloe_error *err) {
  const sloe_train_options *o = trainer->options;
  const size_t repeat = o->repeat ? o->repeat : 1;
  sloe_trainer quiet = *trainer; /* the draws are the progress */
  sloe_watch stop = {.stop = trainer->watch ? trainer->watch->stop : NULL,
                     .context = trainer->watch ? trainer->watch->context : NULL};
  draws d = {.trainer = &quiet, .lessons = lessons, .all = lesson, .regressor = regressor};
  d.err = err;
  *model = (sloe_network_model){0};
  if (o->draw >= lesson->n)
    return sloe_fail(err, SLOE_USAGE, "%zu rows cannot be drawn from %zu, some must be left",
                     o->draw, lesson->n);
  SLOE_TRY(make_room(&d, &d.drawn));
  SLOE_TRY(make_room(&d, &d.others));
  d.row = SLOE_ARENA_NEW(trainer->arena, size_t, lesson->n);
  d.estimated = SLOE_ARENA_NEW(trainer->arena, double, lesson->n);
  d.told = SLOE_ARENA_NEW(trainer->arena, sloe_errors, repeat);
  d.value = SLOE_ARENA_NEW(trainer->arena, double, repeat);
  if (!d.row || !d.estimated || !d.told || !d.value) return no_memory(err);
  quiet.watch = &stop;
  return draw_all(&d, repeat, model, told);
}
