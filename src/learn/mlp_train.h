/* mlp_train.h: trains a multi-layer perceptron with one output. Private to learn/.
 *
 * Squared loss and a penalty on weights; batches of 200 rows in a new order each epoch; SGD with
 * Nesterov's momentum of 0.9, or Adam (Kingma & Ba, ICLR 2015); weights at first uniform as Glorot
 * & Bengio (AISTATS 2010) have it. An epoch that lowers the loss by less than 1e-4 gained nothing;
 * ten of them in a row end it, or with the adaptive schedule divide the rate by five. With early
 * stopping what counts is the loss over the rows held out, and the weights of its best epoch are
 * kept. All this is as scikit-learn's MLPRegressor has it, but for the adaptive schedule, which
 * there is SGD's alone, and the measure of early stopping, there R squared, which orders epochs
 * alike. The cosine schedule (Loshchilov & Hutter, "SGDR", ICLR 2017, without restarts) takes the
 * rate down to 0 at the last epoch and ends no sooner: many rows without noise are learned closer.
 *
 * Floats: the weights are evaluated as such, and BLAS is twice as fast with them.
 */
#ifndef SLOE_LEARN_MLP_TRAIN_H
#define SLOE_LEARN_MLP_TRAIN_H

#include "learn/learn.h"

typedef struct sloe_mlp_params {
  int adam, adaptive, cosine, early_stopping;
  double rate, alpha;
  const double *epochs; /* [n_stops] ascending: where `arrived` is called; the last one ends it */
  size_t n_stops;
  uint64_t seed;
  /* The weights are now those of epochs[i]. NULL: nobody asks. */
  sloe_status (*arrived)(void *context, size_t i, sloe_error *err);
  void *context;
} sloe_mlp_params;

/* mlp: n_layers, activation, width and n_weights are set, weight has room. z: [n][width[0]].
   Errors: UNSUPPORTED (the weights ran away), NOMEM. */
sloe_status sloe_mlp_train(const double *z, const double *t, size_t n,
                           const sloe_mlp_params *params, sloe_learned_mlp *mlp, sloe_error *err);

#endif
