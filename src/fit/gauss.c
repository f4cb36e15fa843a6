#include "fit/gauss.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

enum {
  MOST_PARAMS = SLOE_GAUSS_INPUTS + 3,
  STEPS = 60,  /* of the ascent */
  CHUNK = 512, /* rows asked for at a time */
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
   library spins beside whatever else runs. */
static int take_one_thread(void) {
  const int was = openblas_get_num_threads();
  openblas_set_num_threads(1);
  return was;
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

/* sqrt(3) times the distance of two rows, from their inner product. */
static double far(double aa, double bb, double ab) {
  const double square = aa + bb - 2 * ab;
  return square > 0 ? sqrt(3 * square) : 0;
}

static double matern(double r) {
  return (1 + r) * exp(-r);
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

static void fill_covariance(evidence *e, const sloe_gauss_shape *s) {
  const size_t n = e->in.n;
  const double height = exp(2 * s->height), slope = exp(2 * s->slope), noise = exp(2 * s->noise);
  set_lengths(&e->in, s->length);
  products(e->in.scaled, n, e->in.scaled, n, e->in.d, e->r);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      const double r = far(e->in.squares[i], e->in.squares[j], e->r[i * n + j]);
      e->r[i * n + j] = r;
      e->k[i * n + j] = height * matern(r) + slope * (1 + e->ones[i * n + j]) +
                        (i == j ? noise + e->in.own[i] : 0);
    }
}

/* k becomes its inverse; alpha = inverse x y. 0: not positive definite. */
static int invert(double *k, size_t n, const double *y, double *alpha) {
  const lapack_int size = (lapack_int)n;
  memcpy(alpha, y, n * sizeof *y);
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', size, k, size) != 0) return 0;
  if (LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', size, 1, k, size, alpha, 1) != 0) return 0;
  if (LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', size, k, size) != 0) return 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = i + 1; j < n; j++) k[i * n + j] = k[j * n + i];
  return 1;
}

/* Of the negative logarithm of the evidence, over the logarithms of the shape (5.4.1): half the
   trace of w dK, w = inverse - alpha alpha'. */
static int gradient(evidence *e, const sloe_gauss_shape *s, double *out) {
  const size_t n = e->in.n, d = e->in.d;
  const double height = exp(2 * s->height), slope = exp(2 * s->slope), noise = exp(2 * s->noise);
  double by_height = 0, by_slope = 0, by_noise = 0;
  fill_covariance(e, s);
  if (!invert(e->k, n, e->y, e->alpha)) return 0;
  for (size_t i = 0; i < n; i++) {
    e->sums[i] = 0;
    for (size_t j = 0; j < n; j++) {
      const double w = e->k[i * n + j] - e->alpha[i] * e->alpha[j], r = e->r[i * n + j];
      const double falling = exp(-r);
      by_height += w * height * (1 + r) * falling;
      by_slope += w * slope * (1 + e->ones[i * n + j]);
      if (i == j) by_noise += w * noise;
      e->sums[i] += e->w[i * n + j] = w * height * 3 * falling;
    }
  }
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)d, (int)n, 1, e->w, (int)n,
              e->in.scaled, (int)d, 0, e->moved, (int)d);
  for (size_t j = 0; j < d; j++) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
      const double z = e->in.scaled[i * d + j];
      sum += e->sums[i] * z * z - z * e->moved[i * d + j];
    }
    out[j] = sum + (s->length[j] - usual_length) / (spread_of_lengths * spread_of_lengths);
  }
  out[d] = by_height;
  out[d + 1] = by_noise;
  out[d + 2] = by_slope;
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
  products(e.in.plain, m, e.in.plain, m, d, e.ones);
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
  double *first = sloe_alloc(n, sizeof *first);
  sloe_status status = e.k && e.r && e.ones && first ? SLOE_OK : out_of_memory(err);
  if (status == SLOE_OK) {
    products(in->plain, n, in->plain, n, g->d, e.ones);
    fill_covariance(&e, &g->shape);
    memcpy(first, e.k, n * sizeof *first);
    if (!invert(e.k, n, y, g->alpha) || !is_solved(first, g->alpha, n, y[0]))
      status = not_solved(err);
  }
  for (size_t i = 0; status == SLOE_OK && i < n; i++) g->left[i] = g->alpha[i] / e.k[i * n + i];
  sloe_dealloc(e.k);
  sloe_dealloc(e.r);
  sloe_dealloc(e.ones);
  sloe_dealloc(first);
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
  const int threads = take_one_thread();
  sloe_status status = prepare(&g, x, y, own, &in, &rest, err);
  if (status == SLOE_OK) status = find_shape(&in, rest, subset, out, err);
  openblas_set_num_threads(threads);
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
  const int threads = take_one_thread();
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
  openblas_set_num_threads(threads);
  inputs_fini(&in);
  sloe_dealloc(rest);
  sloe_gauss_fini(&g);
  return status;
}

/* ---- asking ---- */

static void eval_chunk(const sloe_gauss *g, const inputs *own, inputs *asked, double *inner,
                       double *line, double *out) {
  const double height = exp(2 * g->shape.height), slope = exp(2 * g->shape.slope);
  set_lengths(asked, g->shape.length);
  products(asked->scaled, asked->n, own->scaled, g->n, g->d, inner);
  for (size_t i = 0; i < asked->n; i++) {
    double sum = 0;
    for (size_t j = 0; j < g->n; j++)
      sum += g->alpha[j] * matern(far(asked->squares[i], own->squares[j], inner[i * g->n + j]));
    double linear = line[g->d]; /* slope x (1 + z z') alpha = slope x (sum alpha + z line) */
    for (size_t j = 0; j < g->d; j++) linear += asked->plain[i * g->d + j] * line[j];
    out[i] = g->y_mean + height * sum + slope * linear;
  }
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
  inputs own = {0}, asked = {0};
  double line[SLOE_GAUSS_INPUTS + 1], *inner = NULL;
  sloe_status status;
  const int threads = take_one_thread();
  SLOE_GOTO(inputs_init(&own, g->n, g->d, err));
  SLOE_GOTO(inputs_init(&asked, CHUNK, g->d, err));
  inner = sloe_alloc(g->n * CHUNK, sizeof *inner);
  if (!inner) SLOE_GOTO(out_of_memory(err));
  memcpy(own.plain, g->z, g->n * g->d * sizeof *g->z);
  set_lengths(&own, g->shape.length);
  fill_line(g, line);
  for (size_t from = 0; from < m; from += CHUNK) {
    asked.n = m - from < CHUNK ? m - from : CHUNK;
    for (size_t i = 0; i < asked.n; i++) take_row(g, x + (from + i) * g->d, asked.plain + i * g->d);
    eval_chunk(g, &own, &asked, inner, line, out + from);
  }
fail:
  openblas_set_num_threads(threads);
  inputs_fini(&own);
  inputs_fini(&asked);
  sloe_dealloc(inner);
  return status;
}

void sloe_gauss_fini(sloe_gauss *g) {
  sloe_dealloc(g->z);
  sloe_dealloc(g->alpha);
  sloe_dealloc(g->left);
  *g = (sloe_gauss){0};
}
