/* runs.c: one point from several runs.
 *
 * A callback that times a layer once answers with a noisy value; one that has a timing loop of its
 * own answers with a spread. Runs are repeated until the standard error is below run_error, or
 * params.runs are used up. Where the callback does not know its spread, the deviation of one run is
 * estimated from the runs, shrunk towards the mean of all points: thirty runs alone leave it
 * uncertain by a fifth, and a candidate's cost counts residuals in these units.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "fit/fitter.h"

static void insert(double *run, size_t n, double value) {
  for (; n > 0 && run[n - 1] > value; n--) run[n] = run[n - 1];
  run[n] = value;
}

/* `run` is sorted. */
static double combine(const double *run, size_t n, sloe_fit_statistic statistic) {
  if (statistic == SLOE_FIT_MIN) return run[0];
  if (statistic == SLOE_FIT_MEDIAN) return n % 2 ? run[n / 2] : (run[n / 2 - 1] + run[n / 2]) / 2;
  double sum = 0;
  size_t from = n / 4;
  for (size_t i = from; i < n - from; i++) sum += run[i];
  return sum / (double)(n - 2 * from);
}

/* Standard errors of the statistics of n normal runs, in deviations of one. */
static double shrinkage(size_t n, sloe_fit_statistic statistic) {
  double root = sqrt((double)n);
  if (n < 3) return 1 / root;
  if (statistic == SLOE_FIT_MIN) return 0.75 / sqrt(1 + log((double)n));
  return (statistic == SLOE_FIT_MEDIAN ? 1.25 : 1.09) / root;
}

/* Variance of one run, relative, from the quartiles where there are enough runs. */
static double variance_of(const double *run, size_t n, double middle) {
  if (n < 2) return 0;
  if (n >= 8) {
    double sigma = (run[n - 1 - n / 4] - run[n / 4]) / 1.349 / middle;
    return sigma * sigma;
  }
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (run[i] - middle) * (run[i] - middle);
  return sum / (double)(n - 1) / (middle * middle);
}

static double shrunk(const sloe_fitter *f, double own, size_t n) {
  const double pooled = 30; /* runs that the mean of the others counts for */
  if (f->n_variance < 3) return own;
  return (f->variance * pooled + own * (double)n) / (pooled + (double)n);
}

static sloe_status one_run(sloe_fitter *f, const int64_t *coords, sloe_fit_sample *sample,
                           sloe_error *err) {
  if (f->result->samples >= (size_t)f->params.max_samples)
    return sloe_fail(err, SLOE_UNSUPPORTED, "fit: more than %d samples",
                     (int)f->params.max_samples);
  *sample = (sloe_fit_sample){NAN, NAN};
  SLOE_TRY(f->measure(f->user, coords, f->n_dims, sample, err));
  f->result->samples++;
  if (!isfinite(sample->value) || sample->value <= 0)
    return sloe_fail(err, SLOE_FORMAT, "fit: a measurement gave %g, which is no time",
                     sample->value);
  if (sample->spread < 0 || isinf(sample->spread))
    return sloe_fail(err, SLOE_FORMAT, "fit: a measurement gave %g for its standard error",
                     sample->spread);
  return SLOE_OK;
}

static sloe_status keep(sloe_fitter *f, const int64_t *coords, double value, double error,
                        sloe_error *err) {
  if (f->n_points == f->room) {
    size_t room = f->room ? 2 * f->room : 64;
    sloe_fit_point *more = sloe_realloc(f->point, room, sizeof *more);
    if (!more) return sloe_fail(err, SLOE_NOMEM, "fit: out of memory for %zu points", room);
    f->point = more;
    f->room = room;
  }
  sloe_fit_point *p = &f->point[f->n_points++];
  *p = (sloe_fit_point){.value = value, .error = error};
  memcpy(p->at, coords, f->n_dims * sizeof *coords);
  f->result->points++;
  return SLOE_OK;
}

sloe_status sloe_fitter_measure(sloe_fitter *f, const int64_t *coords, double *value, double *error,
                                sloe_error *err) {
  const sloe_fit_params *k = &f->params;
  size_t n = 0;
  double told = 0; /* the sum of the squares of the spreads; NAN where one was not told */
  double own = 0, spread = k->noise;
  for (;;) {
    sloe_fit_sample sample;
    SLOE_TRY(one_run(f, coords, &sample, err));
    insert(f->run, n++, sample.value);
    told += sample.spread * sample.spread;
    *value = combine(f->run, n, k->statistic);
    if (!isnan(told)) {
      spread = sqrt(told) / (double)n / *value;
    } else if (n >= 4) {
      own = variance_of(f->run, n, *value);
      spread = sqrt(shrunk(f, own, n)) * shrinkage(n, k->statistic);
    }
    if (n >= (size_t)k->runs) break;
    if ((n >= 5 || !isnan(told)) && spread <= k->run_error) break;
  }
  if (isnan(told) && n >= 4) {
    f->variance = (f->variance * f->n_variance + own) / (f->n_variance + 1);
    f->n_variance++;
  }
  *error = sqrt(spread * spread + k->slack * k->slack);
  return keep(f, coords, *value, *error, err);
}
