#include "platform/fitted_mlp.h"

#include <math.h>
#include <string.h>

/* ---- writing ---- */

void sloe_fitted_mlp_put(const sloe_fitted_mlp *mlp, sloe_text *out) {
  const sloe_learned_mlp *body = &mlp->body;
  sloe_fitted_put_u32(out, body->n_layers);
  if (!body->n_layers) return;
  for (uint32_t l = 0; l <= body->n_layers; l++) sloe_fitted_put_u32(out, body->width[l]);
  sloe_fitted_put_u32(out, body->activation);
  sloe_fitted_put_u32(out, mlp->n_bodies);
  sloe_fitted_put_f64(out, mlp->units);
  sloe_fitted_put_f64(out, mlp->least);
  sloe_fitted_put_f64(out, mlp->most);
  for (uint32_t i = 0; i < body->width[0]; i++) sloe_fitted_put_u32(out, mlp->input[i]);
  sloe_fitted_put_align(out);
  sloe_fitted_put_f32s(out, mlp->lo, body->width[0]);
  sloe_fitted_put_f32s(out, mlp->hi, body->width[0]);
  sloe_fitted_put_f32s(out, body->weight, (size_t)mlp->n_bodies * body->n_weights);
}

/* ---- reading ---- */

static sloe_status no_memory(sloe_fitted_cursor *c) {
  return c->status = sloe_fail(c->err, SLOE_NOMEM, "out of memory reading a platform file");
}

/* Of the body all but the weights. */
static sloe_status take_shape(sloe_fitted_cursor *c, size_t at, sloe_learned_mlp *body) {
  if (body->n_layers > SLOE_LEARNED_LAYERS)
    return sloe_fitted_fail_here(c, at, "an MLP has more layers than can be");
  for (uint32_t l = 0; l <= body->n_layers; l++) body->width[l] = sloe_fitted_take_u32(c);
  body->activation = sloe_fitted_take_u32(c);
  SLOE_TRY(c->status);
  if (body->width[0] > SLOE_LAYER_INPUTS)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%s': an MLP of %u inputs; this version of sloe "
                                    "knows %d",
                                    c->section, (unsigned)body->width[0], (int)SLOE_LAYER_INPUTS);
  for (uint32_t l = 1; l <= body->n_layers; l++)
    if (body->width[l] > SLOE_LEARNED_WIDTH)
      return sloe_fitted_fail_here(c, at, "a layer of an MLP is wider than can be");
  body->n_weights = (uint32_t)sloe_learned_mlp_weights(body);
  const sloe_status status = sloe_learned_mlp_check(body, body->width[0], c->err);
  return status == SLOE_OK ? SLOE_OK : sloe_fitted_fail_model(c, at, status);
}

static sloe_status take_bodies(sloe_fitted_cursor *c, size_t at, sloe_fitted_mlp *mlp) {
  mlp->n_bodies = c->version < 4 ? 1 : sloe_fitted_take_u32(c);
  SLOE_TRY(c->status);
  return mlp->n_bodies >= 1 && mlp->n_bodies <= SLOE_FITTED_MLPS
             ? SLOE_OK
             : sloe_fitted_fail_here(c, at, "an op cannot have so many MLPs");
}

static sloe_status take_range(sloe_fitted_cursor *c, size_t at, sloe_fitted_mlp *mlp) {
  mlp->units = sloe_fitted_take_f64(c);
  mlp->least = sloe_fitted_take_f64(c);
  mlp->most = sloe_fitted_take_f64(c);
  SLOE_TRY(c->status);
  if (!(mlp->units >= 0) || !isfinite(mlp->units))
    return sloe_fitted_fail_here(c, at, "a device cannot have so many units");
  if (!(mlp->least >= -SLOE_FITTED_MAX_MLP_LN && mlp->least <= mlp->most &&
        mlp->most <= SLOE_FITTED_MAX_MLP_LN))
    return sloe_fitted_fail_here(c, at, "the answers of an MLP cannot be");
  return SLOE_OK;
}

static sloe_status take_inputs(sloe_fitted_cursor *c, uint32_t *input, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const size_t at = c->at;
    input[i] = sloe_fitted_take_u32(c);
    SLOE_TRY(c->status);
    if (input[i] >= SLOE_LAYER_INPUTS)
      return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                      "section '%s': input %u of a layer; this version of sloe "
                                      "knows %d",
                                      c->section, (unsigned)input[i], (int)SLOE_LAYER_INPUTS);
    if (i && input[i] <= input[i - 1])
      return sloe_fitted_fail_here(c, at, "an input of an MLP stands twice or out of order");
  }
  return SLOE_OK;
}

/* lo, hi, weights. */
static sloe_status take_numbers(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted_mlp *mlp) {
  sloe_learned_mlp *body = &mlp->body;
  const size_t inputs = body->width[0], n = 2 * inputs + (size_t)mlp->n_bodies * body->n_weights;
  sloe_fitted_take_align(c);
  const size_t at = c->at;
  const float *from = sloe_fitted_take_f32s(c, n);
  SLOE_TRY(c->status);
  float *numbers = SLOE_ARENA_NEW(arena, float, n);
  if (!numbers) return no_memory(c);
  memcpy(numbers, from, n * sizeof *numbers);
  mlp->lo = numbers;
  mlp->hi = numbers + inputs;
  body->weight = numbers + 2 * inputs;
  for (size_t i = 0; i < inputs; i++)
    if (!(isfinite(mlp->lo[i]) && isfinite(mlp->hi[i]) && mlp->lo[i] <= mlp->hi[i]))
      return sloe_fitted_fail_here(c, at, "the range of an MLP's input is empty or not finite");
  sloe_learned_mlp each = *body;
  for (uint32_t i = 0; i < mlp->n_bodies; i++, each.weight += each.n_weights) {
    const sloe_status status = sloe_learned_mlp_check(&each, inputs, c->err);
    if (status != SLOE_OK) return sloe_fitted_fail_model(c, at, status);
  }
  return SLOE_OK;
}

sloe_status sloe_fitted_mlp_take(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted_mlp *mlp) {
  const size_t at = c->at;
  *mlp = (sloe_fitted_mlp){.body.n_layers = sloe_fitted_take_u32(c)};
  SLOE_TRY(c->status);
  if (!mlp->body.n_layers) return SLOE_OK;
  SLOE_TRY(take_shape(c, at, &mlp->body));
  SLOE_TRY(take_bodies(c, at, mlp));
  SLOE_TRY(take_range(c, at, mlp));
  uint32_t *input = SLOE_ARENA_NEW(arena, uint32_t, mlp->body.width[0]);
  if (!input) return no_memory(c);
  mlp->input = input;
  SLOE_TRY(take_inputs(c, input, mlp->body.width[0]));
  return take_numbers(c, arena, mlp);
}
