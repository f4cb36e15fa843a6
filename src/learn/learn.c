/* learn.c: what all regressors share: the list, hyperparameters, preparing rows. */
#include "learn/learn.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/rng.h"
#include "learn/regressors.h"

static const sloe_regressor *const all[] = {
#define R(name) &sloe_regressor_##name,
#include "learn/regressors.def"
};

const sloe_regressor *sloe_regressor_at(size_t i) {
  return i < sizeof all / sizeof *all ? all[i] : NULL;
}

const sloe_regressor *sloe_regressor_find(const char *name) {
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  return NULL;
}

/* ---- hyperparameters ---- */

void sloe_hyper_defaults(const sloe_regressor *regressor, double *values) {
  for (size_t i = 0; i < regressor->n_hyper; i++) values[i] = regressor->hyper[i].value;
}

static int is_whole(const sloe_hyper *h) {
  return h->kind == SLOE_HYPER_INT || h->kind == SLOE_HYPER_CHOICE || h->kind == SLOE_HYPER_FLAG;
}

static sloe_status check_value(const sloe_regressor *r, const sloe_hyper *h, double value,
                               sloe_error *err) {
  char got[SLOE_NUMBER_BUF], least[SLOE_NUMBER_BUF], most[SLOE_NUMBER_BUF];
  if (value >= h->least && value <= h->most && (!is_whole(h) || value == floor(value)))
    return SLOE_OK;
  return sloe_fail(err, SLOE_USAGE, "%s: %s = %s, %s from %s to %s is accepted", r->name, h->name,
                   sloe_format_double(value, got), is_whole(h) ? "a whole number" : "what is",
                   sloe_format_double(h->least, least), sloe_format_double(h->most, most));
}

/* The index of a name in "linear rbf poly", -1. */
static int choice_of(const char *choices, const char *text) {
  const size_t len = strlen(text);
  for (int i = 0; *choices; i++) {
    const size_t own = strcspn(choices, " ");
    if (own == len && memcmp(choices, text, len) == 0) return i;
    choices += own + (choices[own] == ' ');
  }
  return -1;
}

static sloe_status value_of(const sloe_regressor *r, const sloe_hyper *h, const char *text,
                            double *value, sloe_error *err) {
  if (h->kind == SLOE_HYPER_CHOICE) {
    const int choice = choice_of(h->choices, text);
    if (choice < 0)
      return sloe_fail(err, SLOE_USAGE, "%s: %s = '%s', one of %s is wanted", r->name, h->name,
                       text, h->choices);
    *value = choice;
    return SLOE_OK;
  }
  if (h->kind == SLOE_HYPER_FLAG && (!strcmp(text, "yes") || !strcmp(text, "no"))) {
    *value = *text == 'y';
    return SLOE_OK;
  }
  if (!sloe_parse_double(text, strlen(text), value))
    return sloe_fail(err, SLOE_USAGE, "%s: %s = '%s' is no number", r->name, h->name, text);
  return check_value(r, h, *value, err);
}

sloe_status sloe_hyper_set(const sloe_regressor *regressor, const char *name, const char *text,
                           double *values, sloe_error *err) {
  for (size_t i = 0; i < regressor->n_hyper; i++) {
    double value;
    if (strcmp(regressor->hyper[i].name, name) != 0) continue;
    SLOE_TRY(value_of(regressor, &regressor->hyper[i], text, &value, err));
    values[i] = value;
    return SLOE_OK;
  }
  return sloe_fail(err, SLOE_USAGE, "%s has no hyperparameter '%s'", regressor->name, name);
}

/* ---- rows ---- */

size_t sloe_hold_out(size_t n, uint64_t seed, uint32_t *order) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
  for (size_t i = n; i-- > 1;) {
    const size_t j = (size_t)sloe_rng_between(&rng, 0, (int64_t)i);
    const uint32_t was = order[i];
    order[i] = order[j];
    order[j] = was;
  }
  return n - (n + 9) / 10;
}

static sloe_status check_rows(const sloe_regressor *r, const sloe_learn_rows *rows,
                              const sloe_learn_options *o, sloe_error *err) {
  if (rows->n < 2 || rows->n > INT32_MAX / 2)
    return sloe_fail(err, SLOE_USAGE, "%s: %zu rows, at least 2 are needed", r->name, rows->n);
  if (rows->d < 1 || rows->d > SLOE_LEARNED_INPUTS)
    return sloe_fail(err, SLOE_USAGE, "%s: %zu inputs, between 1 and %d are possible", r->name,
                     rows->d, SLOE_LEARNED_INPUTS);
  for (size_t i = 0; i < rows->n; i++) {
    for (size_t j = 0; j < rows->d; j++)
      if (!isfinite((float)rows->x[i * rows->d + j]))
        return sloe_fail(err, SLOE_USAGE, "%s: input %zu of row %zu is no finite number", r->name,
                         j + 1, i + 1);
    if (!isfinite((float)rows->y[i]) || (o->log_target && !(rows->y[i] > 0)))
      return sloe_fail(err, SLOE_USAGE, "%s: the target of row %zu is no %s number", r->name, i + 1,
                       o->log_target ? "positive" : "finite");
  }
  return SLOE_OK;
}

/* Mean, and 1 / deviation (population's, as scikit-learn's scaler has it); 1 for a constant. */
static void scale_of(const double *v, size_t n, size_t stride, double *shift, double *scale) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += v[i * stride];
  *shift = sum / (double)n;
  for (size_t i = 0; i < n; i++) {
    const double e = v[i * stride] - *shift;
    squares += e * e;
  }
  const double deviation = sqrt(squares / (double)n);
  *scale = deviation > 1e-12 * (1 + fabs(*shift)) ? 1 / deviation : 1;
}

typedef struct prepared {
  double *z, *t;
} prepared;

static void prepared_fini(prepared *p) {
  sloe_dealloc(p->z);
  sloe_dealloc(p->t);
}

/* Fills z and the input half of the model: first the logarithms alone, then shifted and scaled. */
static void prepare_inputs(const sloe_regressor *r, const sloe_learn_rows *rows, double *z,
                           sloe_learned *m) {
  for (size_t i = 0; i < rows->n; i++)
    sloe_learned_inputs(m, rows->x + i * rows->d, z + i * rows->d);
  if (!r->scales_inputs) return;
  for (size_t j = 0; j < rows->d; j++)
    scale_of(z + j, rows->n, rows->d, &m->shift[j], &m->scale[j]);
  for (size_t i = 0; i < rows->n; i++)
    sloe_learned_inputs(m, rows->x + i * rows->d, z + i * rows->d);
}

static void prepare_target(const sloe_regressor *r, const sloe_learn_rows *rows,
                           const sloe_learn_options *o, double *t, sloe_learned *m) {
  double over = 1;
  for (size_t i = 0; i < rows->n; i++) t[i] = o->log_target ? log(rows->y[i]) : rows->y[i];
  if (!r->scales_target || o->plain_target) return;
  scale_of(t, rows->n, 1, &m->target_shift, &over);
  m->target_scale = 1 / over;
  for (size_t i = 0; i < rows->n; i++) t[i] = (t[i] - m->target_shift) * over;
}

static sloe_status prepare(const sloe_regressor *r, const sloe_learn_rows *rows,
                           const sloe_learn_options *o, prepared *p, sloe_learned *m,
                           sloe_error *err) {
  SLOE_TRY(check_rows(r, rows, o, err));
  SLOE_TRY(sloe_learned_init(m, rows->d, err));
  m->log_inputs = o->log_inputs != 0;
  m->log_target = o->log_target != 0;
  p->z = sloe_alloc(rows->n * rows->d, sizeof *p->z);
  p->t = sloe_alloc(rows->n, sizeof *p->t);
  if (!p->z || !p->t)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu rows to learn from", rows->n);
  prepare_inputs(r, rows, p->z, m);
  prepare_target(r, rows, o, p->t, m);
  return SLOE_OK;
}

sloe_status sloe_learn_with(const sloe_regressor *r, const sloe_learn_rows *rows,
                            const sloe_learn_options *options, sloe_learn_work run, void *context,
                            sloe_learned *m, sloe_error *err) {
  double values[SLOE_HYPER_MOST];
  prepared p = {0};
  sloe_status status;
  sloe_hyper_defaults(r, values);
  if (options->hyper) memcpy(values, options->hyper, r->n_hyper * sizeof *values);
  for (size_t i = 0; i < r->n_hyper; i++) SLOE_TRY(check_value(r, &r->hyper[i], values[i], err));
  SLOE_GOTO(prepare(r, rows, options, &p, m, err));
  const sloe_learn_task task = {p.z,
                                p.t,
                                rows->n,
                                rows->d,
                                values,
                                options->seed,
                                options->threads > 0 ? options->threads : 1,
                                options->quick};
  status = run(&task, m, context, err);
fail:
  prepared_fini(&p);
  return status;
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, void *context,
                       sloe_error *err) {
  const sloe_regressor *r = *(const sloe_regressor **)context;
  SLOE_TRY(r->fit(task, m, err));
  if (sloe_learned_check(m, err) != SLOE_OK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s did not converge", r->name);
  return SLOE_OK;
}

sloe_status sloe_learn(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                       const sloe_learn_options *options, sloe_learned *out, sloe_error *err) {
  static const sloe_learn_options none;
  sloe_learned m = {0};
  *out = m;
  const sloe_status status =
      sloe_learn_with(regressor, rows, options ? options : &none, fit, &regressor, &m, err);
  if (status == SLOE_OK)
    *out = m;
  else
    sloe_learned_fini(&m);
  return status;
}

/* ---- paths ---- */

typedef struct walk {
  const sloe_regressor *r;
  const sloe_learn_path *path;
} walk;

static sloe_status arrive(const walk *w, size_t i, const sloe_learned *m, sloe_error *err) {
  if (sloe_learned_check(m, err) != SLOE_OK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s did not converge", w->r->name);
  return w->path->arrived(w->path->context, i, m, err);
}

static sloe_status arrive_checked(void *context, size_t i, const sloe_learned *m, sloe_error *err) {
  return arrive(context, i, m, err);
}

static sloe_status walk_path(const sloe_learn_task *task, sloe_learned *m, void *context,
                             sloe_error *err) {
  walk *w = context;
  sloe_learn_path checked = *w->path;
  checked.arrived = arrive_checked;
  checked.context = w;
  if (w->r->fit_path) return w->r->fit_path(task, &checked, m, err);
  double values[SLOE_HYPER_MOST];
  sloe_learn_task one = *task;
  memcpy(values, task->hyper, w->r->n_hyper * sizeof *values);
  one.hyper = values;
  for (size_t i = 0; i < w->path->n; i++) {
    values[w->r->along] = w->path->value[i];
    SLOE_TRY(w->r->fit(&one, m, err));
    SLOE_TRY(arrive(w, i, m, err));
  }
  return SLOE_OK;
}

sloe_status sloe_learn_along(const sloe_regressor *r, const sloe_learn_rows *rows,
                             const sloe_learn_options *options, const sloe_learn_path *path,
                             sloe_error *err) {
  double values[SLOE_HYPER_MOST];
  sloe_learn_options last = *options;
  walk w = {r, path};
  sloe_learned m = {0};
  sloe_hyper_defaults(r, values);
  if (options->hyper) memcpy(values, options->hyper, r->n_hyper * sizeof *values);
  values[r->along] = path->value[path->n - 1];
  last.hyper = values;
  const sloe_status status = sloe_learn_with(r, rows, &last, walk_path, &w, &m, err);
  sloe_learned_fini(&m);
  return status;
}
