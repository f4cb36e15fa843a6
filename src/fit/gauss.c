#include "fit/gauss.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/exp_negative.h"
#include "base/parallel.h"
#include "base/rng.h"

enum {
  MOST_PARAMS = SLOE_GAUSS_INPUTS + 3,
  STEPS = 60,  /* of the ascent */
  CHUNK = 512, /* rows asked for at a time */
  LANES = 8,   /* of sums that do not wait for each other */
  BYTES_MOST = 1 << 30
};
static const double usual_length = 1.5, spread_of_lengths = 2; /* ln: the prior */
static const double least_noise = -6;                          /* ln */

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory for a Gaussian process");
}

static sloe_status not_solved(sloe_error *err) {
  return sloe_fail(err, SLOE_UNSUPPORTED, "the equations of a Gaussian process cannot be solved");
}

/* One thread, so that the same rows give the same numbers on any machine, and no thread of the
   library spins beside whatever else runs. It stays at that, since another process may be fitted
   beside this one. */
static void take_one_thread(void) {
  if (openblas_get_num_threads() != 1) openblas_set_num_threads(1);
}

/* ---- covariance ---- */

static double square_sum(const double *z, size_t d) {
  double sum = 0;
  for (size_t j = 0; j < d; j++) sum += z[j] * z[j];
  return sum;
}

/* inner[m][n] = a b', a of m rows, b of n. */
static void products(const double *a, size_t m, const double *b, size_t n, size_t d,
                     double *inner) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)d, 1, a, (int)d, b,
              (int)d, 0, inner, (int)n);
}

/* The same of all pairs of rows of `a`: the lower triangle. */
static void own_products(const double *a, size_t n, size_t d, double *inner) {
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, (int)d, 1, a, (int)d, 0, inner,
              (int)n);
}

/* Inner products of one row, whose square is `aa`, with n of the squares `bb` become sqrt(3) times
   their distances. */
SLOE_PART_OF_CLONES void to_distances(double aa, const double *restrict bb, size_t n,
                                      double *restrict r) {
  for (size_t j = 0; j < n; j++) {
    const double square = aa + bb[j] - 2 * r[j];
    r[j] = sqrt(square > 0 ? 3 * square : 0);
  }
}

SLOE_PART_OF_CLONES double matern(double r) {
  return (1 + r) * sloe_exp_negative(-r);
}

/* Inputs over their lengths, and as they are; the latter for the linear part. */
typedef struct inputs {
  size_t n, d;
  double *scaled, *plain; /* [n][d] */
  double *squares;        /* [n] of scaled */
  double *own;            /* [n] variances beside the noise of all */
} inputs;

static void inputs_fini(inputs *in) {
  sloe_dealloc(in->scaled);
  sloe_dealloc(in->plain);
  sloe_dealloc(in->squares);
  sloe_dealloc(in->own);
  *in = (inputs){0};
}

static sloe_status inputs_init(inputs *in, size_t n, size_t d, sloe_error *err) {
  *in = (inputs){n,
                 d,
                 sloe_alloc(n * d, sizeof(double)),
                 sloe_alloc(n * d, sizeof(double)),
                 sloe_alloc(n, sizeof(double)),
                 sloe_alloc(n, sizeof(double))};
  if (!in->scaled || !in->plain || !in->squares || !in->own) {
    inputs_fini(in);
    return out_of_memory(err);
  }
  for (size_t i = 0; i < n; i++) in->own[i] = 0;
  return SLOE_OK;
}

static void take_row(const sloe_gauss *g, const double *x, double *plain) {
  for (size_t j = 0; j < g->d; j++) plain[j] = (x[j] - g->mean[j]) / g->scale[j];
}

static void set_lengths(inputs *in, const double *length) {
  double over[SLOE_GAUSS_INPUTS];
  for (size_t j = 0; j < in->d; j++) over[j] = exp(-length[j]);
  for (size_t i = 0; i < in->n; i++) {
    double *row = in->scaled + i * in->d;
    for (size_t j = 0; j < in->d; j++) row[j] = in->plain[i * in->d + j] * over[j];
    in->squares[i] = square_sum(row, in->d);
  }
}

/* ---- evidence ---- */

typedef struct evidence {
  inputs in;
  const double *y;
  double *k;                        /* [n][n]: covariance, then its inverse */
  double *r, *ones;                 /* [n][n]: distances; inner products of the plain inputs */
  double *alpha, *w, *sums, *moved; /* [n], [n][n], [n], [n][d] */
} evidence;

static void evidence_fini(evidence *e) {
  inputs_fini(&e->in);
  sloe_dealloc(e->k);
  sloe_dealloc(e->r);
  sloe_dealloc(e->ones);
  sloe_dealloc(e->alpha);
  sloe_dealloc(e->w);
  sloe_dealloc(e->sums);
  sloe_dealloc(e->moved);
}

static sloe_status evidence_init(evidence *e, size_t n, size_t d, sloe_error *err) {
  *e = (evidence){0};
  SLOE_TRY(inputs_init(&e->in, n, d, err));
  e->k = sloe_alloc(n * n, sizeof(double));
  e->r = sloe_alloc(n * n, sizeof(double));
  e->ones = sloe_alloc(n * n, sizeof(double));
  e->w = sloe_alloc(n * n, sizeof(double));
  e->alpha = sloe_alloc(n, sizeof(double));
  e->sums = sloe_alloc(n, sizeof(double));
  e->moved = sloe_alloc(n * d, sizeof(double));
  if (e->k && e->r && e->ones && e->w && e->alpha && e->sums && e->moved) return SLOE_OK;
  evidence_fini(e);
  return out_of_memory(err);
}

typedef struct parts { /* of a covariance, squared */
  double height, slope, noise;
} parts;

static parts parts_of(const sloe_gauss_shape *s) {
  return (parts){exp(2 * s->height), exp(2 * s->slope), exp(2 * s->noise)};
}

/* Row i of the covariance up to column i. r: inner products, then distances. */
SLOE_CLONES static void fill_row(const inputs *in, parts p, const double *restrict ones, size_t i,
                                 double *restrict r, double *restrict k) {
  to_distances(in->squares[i], in->squares, i + 1, r);
  for (size_t j = 0; j <= i; j++) k[j] = p.height * matern(r[j]) + p.slope * (1 + ones[j]);
  k[i] += p.noise + in->own[i];
}

/* The lower triangle, as of all matrices here. */
static void fill_covariance(evidence *e, const sloe_gauss_shape *s) {
  const size_t n = e->in.n;
  const parts p = parts_of(s);
  set_lengths(&e->in, s->length);
  own_products(e->in.scaled, n, e->in.d, e->r);
  for (size_t i = 0; i < n; i++)
    fill_row(&e->in, p, e->ones + i * n, i, e->r + i * n, e->k + i * n);
}

/* k becomes its inverse; alpha = inverse x y. 0: not positive definite. LAPACK counts by columns,
   for which a lower triangle is an upper one. */
static int invert(double *k, size_t n, const double *y, double *alpha) {
  const lapack_int size = (lapack_int)n;
  memcpy(alpha, y, n * sizeof *y);
  return LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', size, k, size) == 0 &&
         LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'U', size, 1, k, size, alpha, size) == 0 &&
         LAPACKE_dpotri(LAPACK_COL_MAJOR, 'U', size, k, size) == 0;
}

SLOE_PART_OF_CLONES double sum_of(const double *v, size_t n) {
  double sum[LANES] = {0};
  size_t j = 0;
  for (; j + LANES <= n; j += LANES)
    for (size_t l = 0; l < LANES; l++) sum[l] += v[j + l];
  for (; j < n; j++) sum[0] += v[j];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* What row i, up to column i, adds to the slopes `out` over the parts of the covariance, every pair
   counted twice as in the whole matrix; row i of e->w, which stands for w dK / d(distance), and its
   sums by rows. `spare`: of i + 1 numbers. */
SLOE_CLONES static void slopes_of_row(evidence *e, parts p, size_t i, double *restrict spare,
                                      parts *out) {
  const size_t n = e->in.n;
  const double *restrict inverse = e->k + i * n, *restrict r = e->r + i * n,
                         *restrict ones = e->ones + i * n, *restrict alpha = e->alpha;
  double *restrict w = e->w + i * n, *restrict sums = e->sums;
  for (size_t j = 0; j < i; j++) spare[j] = inverse[j] - alpha[i] * alpha[j];
  const double last = inverse[i] - alpha[i] * alpha[i]; /* r = 0 */
  for (size_t j = 0; j < i; j++) w[j] = spare[j] * (1 + ones[j]);
  out->slope += p.slope * (2 * sum_of(w, i) + last * (1 + ones[i]));
  for (size_t j = 0; j < i; j++) w[j] = spare[j] * sloe_exp_negative(-r[j]);
  for (size_t j = 0; j < i; j++) spare[j] = w[j] * (1 + r[j]);
  out->height += p.height * (2 * sum_of(spare, i) + last);
  out->noise += p.noise * last;
  for (size_t j = 0; j < i; j++) w[j] *= 3 * p.height;
  for (size_t j = 0; j < i; j++) sums[j] += w[j];
  w[i] = 3 * p.height * last;
  sums[i] += sum_of(w, i + 1);
}

/* Of the negative logarithm of the evidence, over the logarithms of the shape (5.4.1): half the
   trace of w dK, w = inverse - alpha alpha'. */
static int gradient(evidence *e, const sloe_gauss_shape *s, double *out) {
  const size_t n = e->in.n, d = e->in.d;
  const parts p = parts_of(s);
  parts by = {0};
  fill_covariance(e, s);
  if (!invert(e->k, n, e->y, e->alpha)) return 0;
  for (size_t i = 0; i < n; i++) e->sums[i] = 0;
  for (size_t i = 0; i < n; i++) slopes_of_row(e, p, i, e->moved, &by);
  cblas_dsymm(CblasRowMajor, CblasLeft, CblasLower, (int)n, (int)d, 1, e->w, (int)n, e->in.scaled,
              (int)d, 0, e->moved, (int)d);
  for (size_t j = 0; j < d; j++) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
      const double z = e->in.scaled[i * d + j];
      sum += e->sums[i] * z * z - z * e->moved[i * d + j];
    }
    out[j] = sum + (s->length[j] - usual_length) / (spread_of_lengths * spread_of_lengths);
  }
  out[d] = by.height;
  out[d + 1] = by.noise;
  out[d + 2] = by.slope;
  return 1;
}

static double *param(sloe_gauss_shape *s, size_t d, size_t i) {
  return i < d ? &s->length[i] : i == d ? &s->height : i == d + 1 ? &s->noise : &s->slope;
}

/* Steps that grow while a slope keeps its sign and halve when it changes (Riedmiller & Braun,
   "RPROP", 1993). */
static void ascend(evidence *e, sloe_gauss_shape *s) {
  double step[MOST_PARAMS], slope[MOST_PARAMS] = {0}, now[MOST_PARAMS];
  const size_t d = e->in.d;
  sloe_gauss_shape good = *s;
  for (size_t i = 0; i < d + 3; i++) step[i] = 0.2;
  for (int t = 0; t < STEPS; t++) {
    if (!gradient(e, s, now)) break; /* the last one that could be solved stays */
    good = *s;
    for (size_t i = 0; i < d + 3; i++) {
      const double same = now[i] * slope[i];
      step[i] = fmax(1e-3, fmin(0.6, step[i] * (same > 0 ? 1.2 : same < 0 ? 0.5 : 1)));
      slope[i] = same < 0 ? 0 : now[i];
      if (slope[i] != 0) *param(s, d, i) -= copysign(step[i], slope[i]);
      *param(s, d, i) = fmax(i == d + 1 ? least_noise : -9, fmin(9, *param(s, d, i)));
    }
  }
  *s = good;
}

static double deviation(const double *y, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += y[i] * y[i];
  return sqrt(sum / (double)n) + 1e-9;
}

/* From a random part of the rows and y, whose mean is 0. */
static sloe_status find_shape(const inputs *all_rows, const double *y, size_t most,
                              sloe_gauss_shape *out, sloe_error *err) {
  const size_t n = all_rows->n, d = all_rows->d;
  const size_t m = n < most ? n : most;
  evidence e;
  sloe_rng rng;
  SLOE_TRY(evidence_init(&e, m, d, err));
  double *picked = sloe_alloc(m, sizeof *picked);
  if (!picked) {
    evidence_fini(&e);
    return out_of_memory(err);
  }
  sloe_rng_seed(&rng, 1);
  for (size_t i = 0, taken = 0; i < n && taken < m; i++) {
    if (sloe_rng_uniform(&rng) * (double)(n - i) >= (double)(m - taken)) continue;
    memcpy(e.in.plain + taken * d, all_rows->plain + i * d, d * sizeof *all_rows->plain);
    e.in.own[taken] = all_rows->own[i];
    picked[taken++] = y[i];
  }
  e.y = picked;
  own_products(e.in.plain, m, d, e.ones);
  const double all = log(deviation(y, n));
  *out = (sloe_gauss_shape){.height = all, .noise = fmax(all - 2, least_noise), .slope = all - 1};
  for (size_t j = 0; j < d; j++) out->length[j] = usual_length;
  ascend(&e, out);
  evidence_fini(&e);
  sloe_dealloc(picked);
  return SLOE_OK;
}

/* ---- fitting ---- */

static sloe_status check(const double *x, const double *y, const double *own, size_t n, size_t d,
                         sloe_error *err) {
  if (n < 2 || n > SLOE_GAUSS_ROWS || d < 1 || d > SLOE_GAUSS_INPUTS)
    return sloe_fail(err, SLOE_USAGE,
                     "a Gaussian process of %zu rows of %zu inputs: 2 to %d of 1 to %d", n, d,
                     SLOE_GAUSS_ROWS, SLOE_GAUSS_INPUTS);
  for (size_t i = 0; i < n; i++) {
    int finite = isfinite(y[i]) && (!own || (own[i] >= 0 && isfinite(own[i])));
    for (size_t j = 0; j < d; j++) finite &= isfinite(x[i * d + j]) != 0;
    if (!finite) return sloe_fail(err, SLOE_USAGE, "row %zu of a Gaussian process", i);
  }
  return SLOE_OK;
}

static void take_scales(sloe_gauss *g, const double *x) {
  for (size_t j = 0; j < g->d; j++) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < g->n; i++) sum += x[i * g->d + j];
    g->mean[j] = sum / (double)g->n;
    for (size_t i = 0; i < g->n; i++) {
      const double off = x[i * g->d + j] - g->mean[j];
      squares += off * off;
    }
    g->scale[j] = sqrt(squares / (double)g->n);
    if (!(g->scale[j] > 1e-9)) g->scale[j] = 1; /* always the same: tells nothing */
  }
}

/* Is alpha what it should be? Against a linear algebra library that is wrong on its processor. */
static int is_solved(const double *row, const double *alpha, size_t n, double y) {
  double sum = 0, size = 0;
  for (size_t i = 0; i < n; i++) {
    sum += row[i] * alpha[i];
    size += fabs(row[i] * alpha[i]);
  }
  return fabs(sum - y) <= 1e-6 * (size + fabs(y)) + 1e-9;
}

/* alpha and what is left, from all rows. */
static sloe_status solve(sloe_gauss *g, const inputs *in, const double *y, sloe_error *err) {
  const size_t n = g->n;
  if (n * n > BYTES_MOST / sizeof(double)) return out_of_memory(err);
  evidence e = {.in = *in,
                .k = sloe_alloc(n * n, sizeof(double)),
                .r = sloe_alloc(n * n, sizeof(double)),
                .ones = sloe_alloc(n * n, sizeof(double))};
  double *last = sloe_alloc(n, sizeof *last);
  sloe_status status = e.k && e.r && e.ones && last ? SLOE_OK : out_of_memory(err);
  if (status == SLOE_OK) {
    own_products(in->plain, n, g->d, e.ones);
    fill_covariance(&e, &g->shape);
    memcpy(last, e.k + (n - 1) * n, n * sizeof *last);
    if (!invert(e.k, n, y, g->alpha) || !is_solved(last, g->alpha, n, y[n - 1]))
      status = not_solved(err);
  }
  for (size_t i = 0; status == SLOE_OK && i < n; i++) g->left[i] = g->alpha[i] / e.k[i * n + i];
  sloe_dealloc(e.k);
  sloe_dealloc(e.r);
  sloe_dealloc(e.ones);
  sloe_dealloc(last);
  return status;
}

/* Inputs of mean 0 and deviation 1, and y less its mean. */
static sloe_status prepare(sloe_gauss *g, const double *x, const double *y, const double *own,
                           inputs *in, double **rest, sloe_error *err) {
  SLOE_TRY(inputs_init(in, g->n, g->d, err));
  *rest = sloe_alloc(g->n, sizeof **rest);
  if (!*rest) return out_of_memory(err);
  take_scales(g, x);
  for (size_t i = 0; i < g->n; i++) {
    take_row(g, x + i * g->d, in->plain + i * g->d);
    if (own) in->own[i] = own[i];
    g->y_mean += y[i] / (double)g->n;
  }
  for (size_t i = 0; i < g->n; i++) (*rest)[i] = y[i] - g->y_mean;
  return SLOE_OK;
}

sloe_status sloe_gauss_find_shape(const double *x, const double *y, const double *own, size_t n,
                                  size_t d, size_t subset, sloe_gauss_shape *out, sloe_error *err) {
  sloe_gauss g = {.n = n, .d = d};
  inputs in = {0};
  double *rest = NULL;
  SLOE_TRY(check(x, y, own, n, d, err));
  take_one_thread();
  sloe_status status = prepare(&g, x, y, own, &in, &rest, err);
  if (status == SLOE_OK) status = find_shape(&in, rest, subset, out, err);
  inputs_fini(&in);
  sloe_dealloc(rest);
  return status;
}

sloe_status sloe_gauss_fit(const double *x, const double *y, const double *own, size_t n, size_t d,
                           const sloe_gauss_shape *shape, sloe_gauss *out, sloe_error *err) {
  sloe_gauss g = {.n = n, .d = d};
  inputs in = {0};
  double *rest = NULL;
  sloe_status status;
  *out = (sloe_gauss){0};
  SLOE_TRY(check(x, y, own, n, d, err));
  take_one_thread();
  SLOE_GOTO(prepare(&g, x, y, own, &in, &rest, err));
  g.alpha = sloe_alloc(n, sizeof *g.alpha);
  g.left = sloe_alloc(n, sizeof *g.left);
  if (!g.alpha || !g.left) SLOE_GOTO(out_of_memory(err));
  if (shape)
    g.shape = *shape;
  else
    SLOE_GOTO(find_shape(&in, rest, SLOE_GAUSS_SUBSET, &g.shape, err));
  SLOE_GOTO(solve(&g, &in, rest, err));
  g.z = in.plain;
  in.plain = NULL;
  *out = g;
  g = (sloe_gauss){0};
fail:
  inputs_fini(&in);
  sloe_dealloc(rest);
  sloe_gauss_fini(&g);
  return status;
}

/* ---- asking ---- */

/* Of alpha times covariances; r: inner products of one row with all. */
SLOE_CLONES static double matern_sum(double aa, const double *restrict squares,
                                     const double *restrict alpha, size_t n, double *restrict r) {
  to_distances(aa, squares, n, r);
  for (size_t j = 0; j < n; j++) r[j] = alpha[j] * matern(r[j]);
  return sum_of(r, n);
}

/* CHUNK rows of what is asked for, by a process whose inputs are `own`. */
typedef struct asking {
  const sloe_gauss *g;
  const inputs *own;
  double line[SLOE_GAUSS_INPUTS + 1];
  const double *x;
  size_t m;
  double *out;
} asking;

static void eval_rows(const asking *a, inputs *asked, double *inner, double *out) {
  const sloe_gauss *g = a->g;
  const double height = exp(2 * g->shape.height), slope = exp(2 * g->shape.slope);
  set_lengths(asked, g->shape.length);
  products(asked->scaled, asked->n, a->own->scaled, g->n, g->d, inner);
  for (size_t i = 0; i < asked->n; i++) {
    const double sum =
        matern_sum(asked->squares[i], a->own->squares, g->alpha, g->n, inner + i * g->n);
    double linear = a->line[g->d]; /* slope x (1 + z z') alpha = slope x (sum alpha + z line) */
    for (size_t j = 0; j < g->d; j++) linear += asked->plain[i * g->d + j] * a->line[j];
    out[i] = g->y_mean + height * sum + slope * linear;
  }
}

static sloe_status eval_chunk(void *context, size_t chunk, sloe_error *err) {
  const asking *a = context;
  const sloe_gauss *g = a->g;
  const size_t from = chunk * CHUNK, n = a->m - from < CHUNK ? a->m - from : CHUNK;
  inputs asked = {0};
  double *inner = sloe_alloc(g->n * n, sizeof *inner);
  sloe_status status = inner ? inputs_init(&asked, n, g->d, err) : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++)
    take_row(g, a->x + (from + i) * g->d, asked.plain + i * g->d);
  if (status == SLOE_OK) eval_rows(a, &asked, inner, a->out + from);
  inputs_fini(&asked);
  sloe_dealloc(inner);
  return status;
}

static void fill_line(const sloe_gauss *g, double *line) {
  for (size_t j = 0; j <= g->d; j++) line[j] = 0;
  for (size_t i = 0; i < g->n; i++) {
    for (size_t j = 0; j < g->d; j++) line[j] += g->alpha[i] * g->z[i * g->d + j];
    line[g->d] += g->alpha[i];
  }
}

sloe_status sloe_gauss_eval(const sloe_gauss *g, const double *x, size_t m, double *out,
                            sloe_error *err) {
  inputs own = {0};
  asking a = {.g = g, .own = &own, .x = x, .m = m, .out = out};
  take_one_thread();
  SLOE_TRY(inputs_init(&own, g->n, g->d, err));
  memcpy(own.plain, g->z, g->n * g->d * sizeof *g->z);
  set_lengths(&own, g->shape.length);
  fill_line(g, a.line);
  const sloe_status status =
      sloe_parallel_try(sloe_processors(), (m + CHUNK - 1) / CHUNK, eval_chunk, &a, err);
  inputs_fini(&own);
  return status;
}

void sloe_gauss_fini(sloe_gauss *g) {
  sloe_dealloc(g->z);
  sloe_dealloc(g->alpha);
  sloe_dealloc(g->left);
  *g = (sloe_gauss){0};
}
