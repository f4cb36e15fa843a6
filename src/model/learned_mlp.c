#include <math.h>

#include "base/clones.h"
#include "model/learned.h"

size_t sloe_learned_mlp_weights(const sloe_learned_mlp *mlp) {
  size_t n = 0;
  for (uint32_t l = 0; l < mlp->n_layers; l++) n += ((size_t)mlp->width[l] + 1) * mlp->width[l + 1];
  return n;
}

void sloe_learned_activate(uint32_t activation, float *h, size_t n) {
  switch (activation) {
    case SLOE_ACTIVATION_LOGISTIC:
      for (size_t i = 0; i < n; i++) h[i] = 1 / (1 + expf(-h[i]));
      break;
    case SLOE_ACTIVATION_TANH:
      for (size_t i = 0; i < n; i++) h[i] = tanhf(h[i]);
      break;
    case SLOE_ACTIVATION_RELU:
      for (size_t i = 0; i < n; i++) h[i] = h[i] > 0 ? h[i] : 0;
      break;
    default: break;
  }
}

enum { BLOCK = 32 };

SLOE_PART_OF_CLONES float dot(const float *restrict from, const float *restrict weight, size_t n) {
  float sum[4] = {0};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t l = 0; l < 4; l++) sum[l] += from[i + l] * weight[i + l];
  for (; i < n; i++) sum[0] += from[i] * weight[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* to = from x weight + bias, of a block of outputs, whose sums stay in registers. The last layer,
   one output, is a dot product. */
SLOE_CLONES static void layer(const float *restrict from, size_t n_in, size_t n_out,
                              const float *restrict weight, float *restrict to) {
  const float *bias = weight + n_in * n_out;
  size_t o = 0;
  if (n_out == 1) {
    to[0] = bias[0] + dot(from, weight, n_in);
    return;
  }
  for (; o + BLOCK <= n_out; o += BLOCK) {
    float sum[BLOCK];
    for (size_t k = 0; k < BLOCK; k++) sum[k] = bias[o + k];
    for (size_t i = 0; i < n_in; i++)
      for (size_t k = 0; k < BLOCK; k++) sum[k] += from[i] * weight[i * n_out + o + k];
    for (size_t k = 0; k < BLOCK; k++) to[o + k] = sum[k];
  }
  for (size_t k = o; k < n_out; k++) to[k] = bias[k];
  for (size_t i = 0; i < n_in; i++)
    for (size_t k = o; k < n_out; k++) to[k] += from[i] * weight[i * n_out + k];
}

double sloe_learned_mlp_eval(const sloe_learned_mlp *mlp, const double *z) {
  float buffer[2][SLOE_LEARNED_WIDTH] = {{0}}, *from = buffer[0], *to = buffer[1];
  const float *weight = mlp->weight;
  for (uint32_t j = 0; j < mlp->width[0]; j++) from[j] = (float)z[j];
  for (uint32_t l = 0; l < mlp->n_layers; l++) {
    const size_t n_in = mlp->width[l], n_out = mlp->width[l + 1];
    layer(from, n_in, n_out, weight, to);
    if (l + 1 < mlp->n_layers) sloe_learned_activate(mlp->activation, to, n_out);
    weight += (n_in + 1) * n_out;
    float *was = from;
    from = to;
    to = was;
  }
  return from[0];
}
