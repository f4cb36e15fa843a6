/* fit_network.c: corrections of whole networks and conformal intervals.
 *
 * The correction is a factor on the sum of layers and a time per layer, both >= 0, that make the
 * relative errors of the held-out networks small; the second stands only where leaving one network
 * out after the other shows that it helps. The interval is split conformal prediction with
 * leave-one-out residuals (Vovk; Barber et al., "Predictive inference with the jackknife+", Annals
 * of Statistics 49(1), 2021): the (n + 1) x 0.9-th smallest of |ln(measured / estimated)|.
 */
#include "campaign/fit_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/fit_layers.h"
#include "estimate/estimate.h"

typedef struct net_row {          /* of a held-out network */
  double measured, sum, launched; /* ms, ms, layers */
  double memory_mb, own_mb;       /* measured; weights and live activations */
} net_row;

typedef struct correction {
  double scale, per_layer;
} correction;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory judging networks");
}

static int compare(const void *a, const void *b) {
  const double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* The conformal quantile: sorts. */
static double ninety(double *e, size_t n) {
  if (!n) return NAN;
  qsort(e, n, sizeof *e, compare);
  const size_t at = (size_t)ceil(0.9 * (double)(n + 1));
  return e[at > n ? n - 1 : at - 1];
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
    const double ms = sloe_estimate_layer_ms(fitted, &p->spec);
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

/* Relative least squares; `skip`: a row that is left out (SIZE_MAX: none). */
static correction correct(const net_row *rows, size_t n, size_t skip, int with_layers) {
  double ss = 0, sl = 0, ll = 0, s = 0, l = 0;
  for (size_t i = 0; i < n; i++) {
    if (i == skip) continue;
    const double a = rows[i].sum / rows[i].measured, b = rows[i].launched / rows[i].measured;
    ss += a * a, sl += a * b, ll += b * b, s += a, l += b;
  }
  const double determinant = ss * ll - sl * sl;
  if (with_layers && determinant > 1e-12 * ss * ll) {
    const correction c = {(s * ll - l * sl) / determinant, (l * ss - s * sl) / determinant};
    if (c.scale > 0 && c.per_layer >= 0) return c;
  }
  return (correction){ss > 0 ? s / ss : 1, 0};
}

static double apply(correction c, const net_row *row) {
  return c.scale * row->sum + c.per_layer * row->launched;
}

/* Relative errors with each row left out; returns their root mean square. */
static double leave_out(const net_row *rows, size_t n, int with_layers, double *e) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    e[i] =
        apply(correct(rows, n, n > 2 ? i : SIZE_MAX, with_layers), &rows[i]) / rows[i].measured - 1;
    sum += e[i] * e[i];
  }
  return sqrt(sum / (double)n);
}

static sloe_status add_row(const sloe_bench_point *p, const sloe_fusion *fusion,
                           const sloe_fitted *fitted, net_row *rows, size_t *n, sloe_error *err) {
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  sloe_status status;
  net_row *row = &rows[*n];
  SLOE_GOTO(sloe_net_open(p->key, NULL, &net, err));
  SLOE_GOTO(sloe_layers_new(net, fusion, &layers, err));
  *row = (net_row){.measured = p->time * fitted->reference_ms, .memory_mb = p->memory_mb};
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    sloe_layer_spec spec;
    int known;
    sloe_layer_spec_of(layers, i, &spec, &known);
    const double ms = known ? sloe_estimate_layer_ms(fitted, &spec) : NAN;
    row->launched += sloe_layers_at(layers, i)->kind != SLOE_LAYER_VIEW;
    row->sum += isnan(ms) ? 0 : ms;
  }
  const sloe_net_info *info = sloe_net_get_info(net);
  row->own_mb = ((double)info->params * 4 + (double)info->peak_activation_bytes) / 1e6;
  *n += row->sum > 0;
fail:
  sloe_layers_free(layers);
  sloe_net_free(net);
  return status;
}

static void fit_memory(const net_row *rows, size_t n, sloe_fitted *fitted, double *e) {
  double *ratio = e; /* first the ratios, then what they leave */
  size_t m = 0;
  for (size_t i = 0; i < n; i++)
    if (rows[i].memory_mb > 0 && rows[i].own_mb > 0)
      ratio[m++] = rows[i].memory_mb / rows[i].own_mb;
  if (m < 3) return;
  qsort(ratio, m, sizeof *ratio, compare);
  const double scale = ratio[m / 2];
  for (size_t i = 0; i < m; i++) e[i] = scale / ratio[i] - 1;
  fitted->memory_errors = errors_of(e, m);
  for (size_t i = 0; i < m; i++) e[i] = fabs(log1p(e[i]));
  fitted->network.memory_scale = scale;
  fitted->network.memory_error_90 = ninety(e, m);
}

static void fit_rows(const net_row *rows, size_t n, sloe_fitted *fitted, double *e) {
  const double plain = leave_out(rows, n, 0, e), layered = leave_out(rows, n, 1, e);
  const int with_layers = n > 5 && layered < plain;
  const correction c = correct(rows, n, SIZE_MAX, with_layers);
  fitted->network.scale = c.scale;
  fitted->network.per_layer_ms = c.per_layer;
  leave_out(rows, n, with_layers, e);
  fitted->network_errors = errors_of(e, n);
  for (size_t i = 0; i < n; i++) e[i] = fabs(log1p(fmax(e[i], -0.99)));
  fitted->network.error_90 = ninety(e, n);
  fit_memory(rows, n, fitted, e);
}

static double layer_interval(const sloe_fitted *fitted) {
  double most = 0;
  for (size_t i = 0; i < fitted->n_ops; i++)
    if (fitted->ops[i].error_90 > most) most = fitted->ops[i].error_90;
  return most;
}

sloe_status sloe_fit_network(const sloe_bench *bench, const sloe_fusion *fusion,
                             sloe_fitted *fitted, sloe_error *err) {
  const sloe_fitted_errors none = {0, NAN, NAN, NAN, NAN};
  fitted->network = (sloe_fitted_network){.scale = 1, .error_90 = layer_interval(fitted)};
  fitted->network_errors = fitted->memory_errors = none;
  net_row *rows = sloe_alloc(bench->n_points + 1, sizeof *rows);
  double *e = sloe_alloc(bench->n_points + 1, sizeof *e);
  size_t n = 0;
  sloe_status status = rows && e ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < bench->n_points; i++) {
    const sloe_bench_point *p = &bench->points[i];
    if (p->network && !p->refused && p->time > 0)
      status = add_row(p, fusion, fitted, rows, &n, err);
  }
  if (status == SLOE_OK && n) fit_rows(rows, n, fitted, e);
  sloe_dealloc(rows);
  sloe_dealloc(e);
  return status;
}
