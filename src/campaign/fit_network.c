/* fit_network.c: corrections of whole networks and conformal intervals.
 *
 * The correction (estimate.h, sloe_network_terms): a factor on the sum of layers; a time per layer;
 * per MB of large activations, which a network finds in memory where a layer alone has them in the
 * cache; per reorder around grouped convolutions, which a layer alone does not show. None is
 * negative, together they make the relative errors of the held-out networks small, and all but the
 * first stand only where leaving out one network after the other shows that they help. The interval
 * is conformal, from leave-one-out residuals (conformal.h).
 */
#include "campaign/fit_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/busy.h"
#include "campaign/conformal.h"
#include "campaign/fit_layers.h"
#include "estimate/estimate.h"

typedef struct net_row { /* of a held-out network */
  double measured;       /* ms */
  sloe_network_terms terms;
  double memory_mb, own_mb; /* measured; weights, buffers between layers, workspace */
  double busy;              /* busy.h */
} net_row;

enum {
  TERMS = 4, /* sum, layers, MB, reorders */
  LEAST = 4  /* networks, for an error to be said of them */
};

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory judging networks");
}

/* Per cent, from relative errors. */
static sloe_fitted_errors errors_of(const double *e, size_t n) {
  sloe_fitted_errors out = {(double)n, 0, 0, 0, NAN};
  for (size_t i = 0; i < n; i++) {
    out.mape += 100 * fabs(e[i]) / (double)n;
    out.rmspe += 1e4 * e[i] * e[i] / (double)n;
    out.max_ape = fmax(out.max_ape, 100 * fabs(e[i]));
  }
  out.rmspe = sqrt(out.rmspe);
  if (!n) out.mape = out.rmspe = out.max_ape = NAN;
  return out;
}

/* ---- layers ---- */

sloe_status sloe_judge_layers(const sloe_bench *bench, const sloe_fitted *fitted,
                              sloe_fitted_errors *out, sloe_error *err) {
  double *e = sloe_alloc(bench->n_points + 1, sizeof *e), noise = 0;
  size_t n = 0, twice = 0;
  if (!e) return out_of_memory(err);
  for (size_t i = 0; i < bench->n_points; i++) {
    const sloe_bench_point *p = &bench->points[i];
    if (!sloe_is_layer_time(p) || !sloe_is_held_out(p)) continue;
    const double ms = sloe_estimate_layer_ms(fitted, &p->spec, NULL);
    if (isnan(ms)) continue;
    e[n++] = ms / (p->time * fitted->reference_ms) - 1;
    if (isnan(p->again)) continue;
    noise += 100 * fabs(p->again / p->time - 1);
    twice++;
  }
  *out = errors_of(e, n);
  if (twice) out->noise_mape = noise / (double)twice;
  sloe_dealloc(e);
  return SLOE_OK;
}

/* ---- networks ---- */

/* Layers are told as on a quiet machine, networks were measured beside others: what those took is
   taken off. busy[n], off[n]: room. */
static void quieten(net_row *rows, size_t n, double *busy, double *off) {
  for (size_t i = 0; i < n; i++) {
    busy[i] = rows[i].busy;
    off[i] = log(rows[i].measured / rows[i].terms.sum_ms);
  }
  const double power = sloe_busy_power(busy, off, n);
  for (size_t i = 0; i < n; i++) rows[i].measured *= exp(-power * busy[i]);
}

static void take_terms(const net_row *row, double x[TERMS]) {
  const double terms[TERMS] = {row->terms.sum_ms, row->terms.layers, row->terms.mb,
                               row->terms.reorders_ms};
  for (int i = 0; i < TERMS; i++) x[i] = terms[i] / row->measured;
}

/* Relative least squares over the terms of the bit mask `which`, none of them negative: descent
   along one after the other. `skip`: a row that is left out (SIZE_MAX: none). */
static void solve(const net_row *rows, size_t n, size_t skip, unsigned which, double out[TERMS]) {
  double normal[TERMS][TERMS] = {{0}}, right[TERMS] = {0}, x[TERMS];
  for (size_t i = 0; i < n; i++) {
    if (i == skip) continue;
    take_terms(&rows[i], x);
    for (int a = 0; a < TERMS; a++) {
      right[a] += x[a];
      for (int b = 0; b < TERMS; b++) normal[a][b] += x[a] * x[b];
    }
  }
  for (int a = 0; a < TERMS; a++) out[a] = 0;
  for (int sweep = 0; sweep < 2000; sweep++)
    for (int a = 0; a < TERMS; a++) {
      if (!(which >> a & 1) || !(normal[a][a] > 0)) continue;
      double rest = right[a];
      for (int b = 0; b < TERMS; b++) rest -= b == a ? 0 : normal[a][b] * out[b];
      out[a] = fmax(0, rest / normal[a][a]);
    }
}

static double apply(const double c[TERMS], const net_row *row) {
  double x[TERMS], sum = 0;
  take_terms(row, x);
  for (int i = 0; i < TERMS; i++) sum += c[i] * x[i];
  return sum; /* over what was measured */
}

/* Relative errors with each row left out; returns their root mean square. */
static double leave_out(const net_row *rows, size_t n, unsigned which, double *e) {
  double sum = 0, c[TERMS];
  for (size_t i = 0; i < n; i++) {
    solve(rows, n, i, which, c);
    e[i] = apply(c, &rows[i]) - 1;
    sum += e[i] * e[i];
  }
  return sqrt(sum / (double)n);
}

/* The terms that leave least: the sum alone, or with others where there are rows enough. */
static unsigned choose_terms(const net_row *rows, size_t n, double *e) {
  unsigned best = 1;
  if (n < LEAST) return best;
  double least = leave_out(rows, n, best, e);
  for (unsigned which = 3; which < 1u << TERMS; which += 2) {
    const double left = n >= 2 * TERMS ? leave_out(rows, n, which, e) : INFINITY;
    if (left < 0.99 * least) least = left, best = which;
  }
  return best;
}

/* MB that the network's layers need besides, as they are told. */
static sloe_status find_workspace(const sloe_layers *layers, const sloe_fitted *fitted, double *mb,
                                  sloe_error *err) {
  const size_t n = sloe_layers_count(layers);
  sloe_workspace *needed = sloe_alloc(n + 1, sizeof *needed);
  size_t m = 0;
  if (!needed) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) {
    sloe_layer_spec spec;
    int known;
    sloe_layer_spec_of(layers, i, &spec, &known);
    if (known) needed[m++] = sloe_estimate_layer_workspace(fitted, &spec);
  }
  const sloe_workspace *most = sloe_estimate_workspace(needed, m);
  *mb = most ? most->mb : 0;
  sloe_dealloc(needed);
  return SLOE_OK;
}

static sloe_status add_row(const sloe_bench_point *p, double quiet_ms, const sloe_fusion *fusion,
                           const sloe_fitted *fitted, net_row *rows, size_t *n, sloe_error *err) {
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  sloe_status status;
  double scratch_mb = 0;
  net_row *row = &rows[*n];
  SLOE_GOTO(sloe_net_open(p->key, NULL, &net, err));
  SLOE_GOTO(sloe_layers_new(net, fusion, &layers, err));
  *row = (net_row){.measured = p->time * fitted->reference_ms,
                   .memory_mb = p->memory_mb,
                   .busy = sloe_busy(p->move_ms, quiet_ms)};
  sloe_layer_place place = sloe_layers_place(layers);
  SLOE_GOTO(find_workspace(layers, fitted, &scratch_mb, err));
  sloe_layer_place_add(&place, scratch_mb, (double)sloe_precision_bytes(fusion->precision));
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    sloe_layer_spec spec;
    int known;
    sloe_layer_spec_of(layers, i, &spec, &known);
    const double ms = known ? sloe_estimate_layer_ms(fitted, &spec, &place) : NAN;
    if (!isnan(ms)) sloe_estimate_add_terms(fitted, &spec, ms, &row->terms);
  }
  SLOE_GOTO(sloe_estimate_own_mb(layers, fusion->precision, 1, &row->own_mb, err));
  row->own_mb += scratch_mb;
  *n += row->terms.sum_ms > 0;
fail:
  sloe_layers_free(layers);
  sloe_net_free(net);
  return status;
}

/* The ratio by which all are told with the least mean relative error: below their median, as what
   some networks take besides (scratch) makes large ratios. */
static double usual_ratio(const double *ratio, size_t n) {
  double best = 0, least = INFINITY;
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (size_t k = 0; k < n; k++) sum += fabs(ratio[i] / ratio[k] - 1);
    if (sum < least) least = sum, best = ratio[i];
  }
  return best;
}

static void fit_memory(const sloe_bench *bench, const net_row *rows, size_t n, sloe_fitted *fitted,
                       double *e) {
  double *ratio = e; /* first the ratios, then what they leave */
  size_t m = 0;
  for (size_t i = 0; i < n; i++)
    if (rows[i].memory_mb > 0 && rows[i].own_mb > 0)
      ratio[m++] = rows[i].memory_mb / rows[i].own_mb;
  if (m < LEAST) return;
  const double scale = usual_ratio(ratio, m);
  for (size_t i = 0; i < m; i++) e[i] = scale / ratio[i] - 1;
  fitted->memory_errors = errors_of(e, m);
  for (size_t i = 0; i < m; i++) e[i] = fabs(log1p(e[i]));
  fitted->network.memory_scale = scale;
  fitted->memory_kind = bench->memory_kind;
  fitted->memory_buffers = 1;
  fitted->network.memory_error_90 = sloe_conformal_90(e, m);
}

static void fit_rows(const sloe_bench *bench, const net_row *rows, size_t n, sloe_fitted *fitted,
                     double *e) {
  const unsigned which = choose_terms(rows, n, e);
  double c[TERMS];
  solve(rows, n, SIZE_MAX, which, c);
  if (c[0] > 0) {
    fitted->network.scale = c[0];
    fitted->network.per_layer_ms = c[1];
    fitted->network.per_mb_ms = c[2];
    fitted->network.per_reorder = c[3];
  }
  fit_memory(bench, rows, n, fitted, e);
  if (n < LEAST) return; /* nothing to leave out: never validated */
  leave_out(rows, n, which, e);
  fitted->network_errors = errors_of(e, n);
  for (size_t i = 0; i < n; i++) e[i] = fabs(log1p(fmax(e[i], -0.99)));
  fitted->network.error_90 = sloe_conformal_90(e, n);
}

static double layer_interval(const sloe_fitted *fitted) {
  double most = 0;
  for (size_t i = 0; i < fitted->n_ops; i++)
    if (fitted->ops[i].error_90 > most) most = fitted->ops[i].error_90;
  return most;
}

sloe_status sloe_fit_network(const sloe_bench *bench, const sloe_fusion *fusion,
                             const sloe_layer_models *without, size_t folds, sloe_fitted *fitted,
                             sloe_error *err) {
  const sloe_fitted_errors none = {0, NAN, NAN, NAN, NAN};
  fitted->network = (sloe_fitted_network){.scale = 1, .error_90 = layer_interval(fitted)};
  fitted->network_errors = fitted->memory_errors = none;
  net_row *rows = sloe_alloc(bench->n_points + 1, sizeof *rows);
  double *e = sloe_alloc(2 * bench->n_points + 1, sizeof *e), quiet_ms;
  size_t n = 0;
  sloe_status status = rows && e ? SLOE_OK : out_of_memory(err);
  if (status == SLOE_OK) status = sloe_bench_quiet_ms(bench, &quiet_ms, err);
  for (size_t i = 0; status == SLOE_OK && i < bench->n_points; i++) {
    const sloe_bench_point *p = &bench->points[i];
    const sloe_fitted *models = folds ? &without[p->number % folds].fitted : fitted;
    if (p->network && !p->refused && p->time > 0)
      status = add_row(p, quiet_ms, fusion, models, rows, &n, err);
  }
  if (status == SLOE_OK) quieten(rows, n, e, e + n);
  if (status == SLOE_OK && n) fit_rows(bench, rows, n, fitted, e);
  sloe_dealloc(rows);
  sloe_dealloc(e);
  return status;
}
