#include "learn/mlp_train.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clones.h"
#include "base/error.h"
#include "base/rng.h"
#include "learn/blas.h"
#include "learn/regressors.h"

enum { BATCH = 200, PATIENCE = 10 };
static const double tolerance = 1e-4, least_rate = 1e-6, momentum = 0.9;
static const double beta1 = 0.9, beta2 = 0.999, tiny = 1e-8;

typedef struct trainer {
  const sloe_mlp_params *params;
  sloe_learned_mlp *mlp;
  size_t n, learned;                       /* rows; those not held out */
  float *z, *t;                            /* [n][width[0]], [n] */
  uint32_t *order;                         /* [n] */
  float *out[SLOE_LEARNED_LAYERS + 1];     /* [BATCH][width]: the batch, then what layers give */
  float *delta[2];                         /* [BATCH][widest] */
  float *gradient, *first, *second, *best; /* [n_weights] */
  double rate, steps, least;               /* least: loss so far */
  size_t idle;                             /* epochs that gained nothing */
  sloe_rng rng;
} trainer;

static size_t widest(const sloe_learned_mlp *mlp) {
  size_t most = 0;
  for (uint32_t l = 0; l <= mlp->n_layers; l++)
    if (mlp->width[l] > most) most = mlp->width[l];
  return most;
}

static void fini(trainer *r) {
  sloe_dealloc(r->z);
  sloe_dealloc(r->t);
  sloe_dealloc(r->order);
  for (uint32_t l = 0; l <= r->mlp->n_layers; l++) sloe_dealloc(r->out[l]);
  for (size_t k = 0; k < 2; k++) sloe_dealloc(r->delta[k]);
  sloe_dealloc(r->gradient);
  sloe_dealloc(r->first);
  sloe_dealloc(r->second);
  sloe_dealloc(r->best);
}

static sloe_status reserve(trainer *r, sloe_error *err) {
  const sloe_learned_mlp *mlp = r->mlp;
  const size_t w = mlp->n_weights, size = sizeof(float);
  r->z = sloe_alloc(r->n * mlp->width[0], size);
  r->t = sloe_alloc(r->n, size);
  r->order = sloe_alloc(r->n, sizeof *r->order);
  int all = r->z && r->t && r->order;
  for (uint32_t l = 0; l <= mlp->n_layers; l++)
    all &= (r->out[l] = sloe_alloc((size_t)BATCH * mlp->width[l], size)) != NULL;
  for (size_t k = 0; k < 2; k++)
    all &= (r->delta[k] = sloe_alloc(BATCH * widest(mlp), size)) != NULL;
  all &= (r->gradient = sloe_alloc(w, size)) != NULL;
  all &= (r->first = sloe_alloc(w, size)) != NULL;
  all &= (r->second = sloe_alloc(w, size)) != NULL;
  all &= (r->best = sloe_alloc(w, size)) != NULL;
  return all ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory for an MLP");
}

static void draw_weights(trainer *r) {
  const sloe_learned_mlp *mlp = r->mlp;
  const double factor = mlp->activation == SLOE_ACTIVATION_LOGISTIC ? 2 : 6;
  float *weight = mlp->weight;
  for (uint32_t l = 0; l < mlp->n_layers; l++) {
    const size_t n_in = mlp->width[l], n_out = mlp->width[l + 1];
    const double bound = sqrt(factor / (double)(n_in + n_out));
    for (size_t i = 0; i < (n_in + 1) * n_out; i++)
      *weight++ = (float)(bound * (2 * sloe_rng_uniform(&r->rng) - 1));
  }
}

/* ---- forward ---- */

/* delta times the activation's slope, told from what it gave. */
SLOE_CLONES static void slope(uint32_t activation, const float *restrict h, float *restrict delta,
                              size_t n) {
  switch (activation) {
    case SLOE_ACTIVATION_LOGISTIC:
      for (size_t i = 0; i < n; i++) delta[i] *= h[i] * (1 - h[i]);
      break;
    case SLOE_ACTIVATION_TANH:
      for (size_t i = 0; i < n; i++) delta[i] *= 1 - h[i] * h[i];
      break;
    case SLOE_ACTIVATION_RELU:
      for (size_t i = 0; i < n; i++) delta[i] = h[i] > 0 ? delta[i] : 0;
      break;
    default: break;
  }
}

/* out[l] of the rows order[from .. from + b) */
static void forward(trainer *r, size_t from, size_t b) {
  const sloe_learned_mlp *mlp = r->mlp;
  const float *weight = mlp->weight;
  const size_t d = mlp->width[0];
  for (size_t i = 0; i < b; i++)
    memcpy(r->out[0] + i * d, r->z + r->order[from + i] * d, d * sizeof *r->z);
  for (uint32_t l = 0; l < mlp->n_layers; l++) {
    const size_t n_in = mlp->width[l], n_out = mlp->width[l + 1];
    for (size_t i = 0; i < b; i++)
      memcpy(r->out[l + 1] + i * n_out, weight + n_in * n_out, n_out * sizeof *weight);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)b, (int)n_out, (int)n_in, 1,
                r->out[l], (int)n_in, weight, (int)n_out, 1, r->out[l + 1], (int)n_out);
    if (l + 1 < mlp->n_layers) sloe_learned_activate(mlp->activation, r->out[l + 1], b * n_out);
    weight += (n_in + 1) * n_out;
  }
}

/* Half the summed squares; delta[0] becomes what the answers miss by. */
static double miss(trainer *r, size_t from, size_t b) {
  const float *answer = r->out[r->mlp->n_layers];
  double sum = 0;
  for (size_t i = 0; i < b; i++) {
    const float e = r->delta[0][i] = answer[i] - r->t[r->order[from + i]];
    sum += (double)e * e;
  }
  return sum / 2;
}

/* ---- backward ---- */

static double penalty(const trainer *r) {
  const float *weight = r->mlp->weight;
  double sum = 0;
  for (uint32_t l = 0; l < r->mlp->n_layers; l++) {
    const size_t n_in = r->mlp->width[l], n_out = r->mlp->width[l + 1];
    for (size_t i = 0; i < n_in * n_out; i++) sum += (double)weight[i] * weight[i];
    weight += (n_in + 1) * n_out;
  }
  return r->params->alpha * sum / 2;
}

SLOE_CLONES static void add_means(const float *restrict rows, size_t n, size_t width,
                                  float *restrict mean) {
  for (size_t i = 0; i < n; i++)
    for (size_t o = 0; o < width; o++) mean[o] += rows[i * width + o] / (float)n;
}

/* gradient of the batch's mean loss, from delta[0] */
static void backward(trainer *r, size_t b) {
  const sloe_learned_mlp *mlp = r->mlp;
  size_t at = mlp->n_weights;
  float *delta = r->delta[0], *below = r->delta[1];
  for (uint32_t l = mlp->n_layers; l-- > 0;) {
    const size_t n_in = mlp->width[l], n_out = mlp->width[l + 1];
    at -= (n_in + 1) * n_out;
    float *g = r->gradient + at, *g_bias = g + n_in * n_out;
    const float *weight = mlp->weight + at;
    memcpy(g, weight, n_in * n_out * sizeof *g);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)n_in, (int)n_out, (int)b,
                1 / (float)b, r->out[l], (int)n_in, delta, (int)n_out,
                (float)(r->params->alpha / (double)b), g, (int)n_out);
    for (size_t o = 0; o < n_out; o++) g_bias[o] = 0;
    add_means(delta, b, n_out, g_bias);
    if (!l) break;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)b, (int)n_in, (int)n_out, 1, delta,
                (int)n_out, weight, (int)n_out, 0, below, (int)n_in);
    slope(mlp->activation, r->out[l], below, b * n_in);
    float *was = delta;
    delta = below;
    below = was;
  }
}

SLOE_CLONES static void step(trainer *r) {
  const size_t n = r->mlp->n_weights;
  float *restrict w = r->mlp->weight, *restrict m = r->first, *restrict v = r->second;
  const float *restrict g = r->gradient;
  r->steps++;
  if (!r->params->adam) {
    const float keep = (float)momentum, rate = (float)r->rate;
    for (size_t i = 0; i < n; i++) {
      m[i] = keep * m[i] - rate * g[i];
      w[i] += keep * m[i] - rate * g[i];
    }
    return;
  }
  const float b1 = (float)beta1, b2 = (float)beta2;
  const float rate = (float)(r->rate * sqrt(1 - pow(beta2, r->steps)) / (1 - pow(beta1, r->steps)));
  for (size_t i = 0; i < n; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    w[i] -= rate * m[i] / (sqrtf(v[i]) + (float)tiny);
  }
}

/* ---- epochs ---- */

static void shuffle(trainer *r) {
  for (size_t i = r->learned; i-- > 1;) {
    const size_t j = (size_t)sloe_rng_between(&r->rng, 0, (int64_t)i);
    const uint32_t was = r->order[i];
    r->order[i] = r->order[j];
    r->order[j] = was;
  }
}

/* The mean loss of the rows, and with it that of the weights as they were in each batch. */
static double epoch(trainer *r) {
  double loss = 0;
  shuffle(r);
  for (size_t from = 0; from < r->learned; from += BATCH) {
    const size_t b = r->learned - from < BATCH ? r->learned - from : BATCH;
    forward(r, from, b);
    loss += miss(r, from, b) + penalty(r);
    backward(r, b);
    step(r);
  }
  return loss / (double)r->learned;
}

static double loss_of_held_out(trainer *r) {
  double loss = 0;
  for (size_t from = r->learned; from < r->n; from += BATCH) {
    const size_t b = r->n - from < BATCH ? r->n - from : BATCH;
    forward(r, from, b);
    loss += miss(r, from, b);
  }
  return loss / (double)(r->n - r->learned);
}

static void swap_weights(trainer *r) {
  const size_t bytes = r->mlp->n_weights * sizeof(float);
  memcpy(r->gradient, r->mlp->weight, bytes); /* which the next batch makes anew */
  memcpy(r->mlp->weight, r->best, bytes);
  memcpy(r->best, r->gradient, bytes);
}

/* With rows held out the best weights are shown, and training goes on from its own. */
static sloe_status arrive(trainer *r, size_t i, sloe_error *err) {
  const int held_out = r->learned < r->n;
  if (!r->params->arrived) return SLOE_OK;
  if (held_out) swap_weights(r);
  const sloe_status status = r->params->arrived(r->params->context, i, err);
  if (held_out) swap_weights(r);
  return status;
}

/* 0: ten epochs gained nothing, and no lower rate is to be tried. */
static int goes_on(trainer *r, double loss) {
  r->idle = loss > r->least - tolerance ? r->idle + 1 : 0;
  if (loss < r->least) {
    r->least = loss;
    if (r->learned < r->n) memcpy(r->best, r->mlp->weight, r->mlp->n_weights * sizeof *r->best);
  }
  if (r->idle <= PATIENCE || r->params->cosine) return 1;
  if (!r->params->adaptive || r->rate <= least_rate) return 0;
  r->rate /= 5;
  r->idle = 0;
  return 1;
}

static double cosine(double rate, size_t epoch, size_t last) {
  const double pi = 3.14159265358979323846;
  return rate * (1 + cos(pi * (double)(epoch - 1) / (double)last)) / 2;
}

static sloe_status run(trainer *r, sloe_error *err) {
  const sloe_mlp_params *p = r->params;
  const size_t last = (size_t)p->epochs[p->n_stops - 1];
  const int held_out = r->learned < r->n;
  size_t at = 0;
  for (size_t e = 1; e <= last; e++) {
    if (p->cosine) r->rate = cosine(p->rate, e, last);
    double loss = epoch(r);
    if (held_out) loss = loss_of_held_out(r);
    if (!isfinite(loss))
      return sloe_fail(err, SLOE_UNSUPPORTED, "mlp: the weights ran away: the rate is too high");
    const int more = goes_on(r, loss);
    if (e == (size_t)p->epochs[at]) SLOE_TRY(arrive(r, at++, err));
    if (!more) break;
  }
  for (; at < p->n_stops; at++) SLOE_TRY(arrive(r, at, err));
  if (held_out) swap_weights(r);
  return SLOE_OK;
}

static void take_rows(trainer *r, const double *z, const double *t) {
  const size_t d = r->mlp->width[0], w = r->mlp->n_weights;
  for (size_t i = 0; i < r->n * d; i++) r->z[i] = (float)z[i];
  for (size_t i = 0; i < r->n; i++) r->t[i] = (float)t[i];
  memset(r->first, 0, w * sizeof *r->first);
  memset(r->second, 0, w * sizeof *r->second);
  const size_t left = sloe_hold_out(r->n, r->params->seed, r->order);
  r->learned = r->params->early_stopping && left > 0 ? left : r->n;
}

sloe_status sloe_mlp_train(const double *z, const double *t, size_t n,
                           const sloe_mlp_params *params, sloe_learned_mlp *mlp, sloe_error *err) {
  trainer r = {.params = params, .mlp = mlp, .n = n, .rate = params->rate, .least = INFINITY};
  sloe_status status;
  sloe_blas_one_thread();
  sloe_rng_seed(&r.rng, params->seed);
  SLOE_GOTO(reserve(&r, err));
  draw_weights(&r);
  take_rows(&r, z, t);
  status = run(&r, err);
fail:
  fini(&r);
  return status;
}
