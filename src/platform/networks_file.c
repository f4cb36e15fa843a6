/* networks_file.c: the section `learned` of a binary platform file.
 *
 *   u32 features, models; f64 rows; text power_rail; f64 limit of the domain
 *   text name of each feature
 *   f64 lo[features], hi[features], centre[features], whiten[features x features],
 *       z_lo[features], z_hi[features]
 *   models: u32 metric, flags (1 on layers, 2 chosen, 4 outside, 8 layer sum), inputs
 *           text regressor; u32 input[inputs]
 *           f64 folds[7], kinds[7], constant_mape, train_s, tune_s
 *           u32 length and bytes of model/learned_file.c, of a layer sum model/layer_sum.h
 *
 * A text is u32 length and bytes, without a NUL. Per metric one model at most is chosen, one is
 * that of outside.
 */
#include <math.h>
#include <string.h>

#include "net/net.h"
#include "platform/fitted_cursor.h"
#include "platform/fitted_put.h"

enum { MAX_TEXT = 64, ON_LAYERS = 1, CHOSEN = 2, OUTSIDE = 4, IS_SUM = 8 };

/* ---- writing ---- */

static void put_errors(sloe_text *out, const sloe_network_errors *e) {
  const double all[] = {e->n, e->mape, e->ci95, e->rmspe, e->max_ape, e->kendall, e->error_90};
  sloe_fitted_put_f64s(out, all, sizeof all / sizeof *all);
}

static uint32_t flags_of(const sloe_network_model *m) {
  return (m->on_layers ? ON_LAYERS : 0u) | (m->chosen ? CHOSEN : 0u) | (m->outside ? OUTSIDE : 0u) |
         (m->is_sum ? IS_SUM : 0u);
}

static sloe_status put_model(const sloe_network_model *m, sloe_text *out, sloe_error *err) {
  const uint32_t n_inputs = m->is_sum ? 0 : m->body.n_inputs;
  sloe_fitted_put_u32(out, m->metric);
  sloe_fitted_put_u32(out, flags_of(m));
  sloe_fitted_put_u32(out, n_inputs);
  sloe_fitted_put_text(out, m->regressor);
  for (size_t i = 0; i < n_inputs; i++) sloe_fitted_put_u32(out, m->input[i]);
  put_errors(out, &m->folds);
  put_errors(out, &m->kinds);
  sloe_fitted_put_f64(out, m->constant_mape);
  sloe_fitted_put_f64(out, m->train_s);
  sloe_fitted_put_f64(out, m->tune_s);
  sloe_text body = {0};
  if (m->is_sum)
    sloe_layer_sum_encode(&m->sum, &body);
  else
    sloe_learned_encode(&m->body, &body);
  sloe_fitted_put_u32(out, (uint32_t)body.len);
  sloe_text_addn(out, body.data ? body.data : "", body.len);
  const int failed = body.failed;
  sloe_text_fini(&body);
  return failed ? sloe_fail(err, SLOE_NOMEM, "out of memory writing a platform file") : SLOE_OK;
}

sloe_status sloe_networks_put(const sloe_networks *networks, sloe_text *out, sloe_error *err) {
  const size_t n = networks->n_features;
  const sloe_network_domain *domain = &networks->domain;
  if (n > SLOE_NETWORKS_FEATURES || networks->n_models > SLOE_NETWORKS_MODELS)
    return sloe_fail(err, SLOE_USAGE,
                     "platform file: %zu features and %zu models, at most %d and %d", n,
                     networks->n_models, SLOE_NETWORKS_FEATURES, SLOE_NETWORKS_MODELS);
  sloe_fitted_put_u32(out, (uint32_t)n);
  sloe_fitted_put_u32(out, (uint32_t)networks->n_models);
  sloe_fitted_put_f64(out, networks->rows);
  sloe_fitted_put_text(out, networks->power_rail);
  sloe_fitted_put_f64(out, domain->limit);
  for (size_t i = 0; i < n; i++) sloe_fitted_put_text(out, networks->feature[i]);
  sloe_fitted_put_f64s(out, domain->lo, n);
  sloe_fitted_put_f64s(out, domain->hi, n);
  sloe_fitted_put_f64s(out, domain->centre, n);
  sloe_fitted_put_f64s(out, domain->whiten, n * n);
  sloe_fitted_put_f64s(out, domain->z_lo, n);
  sloe_fitted_put_f64s(out, domain->z_hi, n);
  for (size_t i = 0; i < networks->n_models; i++)
    SLOE_TRY(put_model(&networks->models[i], out, err));
  return SLOE_OK;
}

/* ---- reading ---- */

static sloe_status no_memory(sloe_fitted_cursor *c) {
  return c->status = sloe_fail(c->err, SLOE_NOMEM, "out of memory reading a platform file");
}

static sloe_status take_text(sloe_fitted_cursor *c, sloe_arena *arena, const char **out) {
  const size_t at = c->at, len = sloe_fitted_take_u32(c);
  if (c->status == SLOE_OK && len > MAX_TEXT)
    return sloe_fitted_fail_here(c, at, "a text is longer than 64 bytes");
  const char *text = (const char *)sloe_fitted_take(c, len);
  SLOE_TRY(c->status);
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
      return sloe_fitted_fail_here(c, at, "a name is not of printable ASCII without blanks");
  *out = sloe_arena_strn(arena, text, len);
  return *out ? SLOE_OK : no_memory(c);
}

static sloe_status take_f64s(sloe_fitted_cursor *c, sloe_arena *arena, size_t n,
                             const double **out) {
  const size_t begin = c->at;
  if (c->status == SLOE_OK && n > (c->end - c->at) / 8)
    return sloe_fitted_fail_here(c, begin, "a count is larger than can be");
  double *values = SLOE_ARENA_NEW(arena, double, n);
  if (!values) return no_memory(c);
  for (size_t i = 0; i < n; i++) {
    const size_t at = c->at;
    values[i] = sloe_fitted_take_f64(c);
    if (!isfinite(values[i]))
      return sloe_fitted_fail_here(c, at, "a number of the domain is not finite");
  }
  *out = values;
  return c->status;
}

static void take_errors(sloe_fitted_cursor *c, sloe_network_errors *e) {
  double *const all[] = {&e->n,       &e->mape,    &e->ci95,    &e->rmspe,
                         &e->max_ape, &e->kendall, &e->error_90};
  const size_t at = c->at;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) *all[i] = sloe_fitted_take_f64(c);
  if (!sloe_fitted_unknown_or_from(0, e->error_90) || e->error_90 > SLOE_FITTED_MAX_LN)
    sloe_fitted_fail_here(c, at, "the interval of a model cannot be");
}

static sloe_status take_inputs(sloe_fitted_cursor *c, sloe_arena *arena, size_t n_features,
                               size_t n, const uint32_t **out) {
  const size_t at = c->at;
  if (n > n_features) return sloe_fitted_fail_here(c, at, "a model has more inputs than features");
  uint32_t *input = SLOE_ARENA_NEW(arena, uint32_t, n);
  if (!input) return no_memory(c);
  for (size_t i = 0; i < n; i++)
    if ((input[i] = sloe_fitted_take_u32(c)) >= n_features)
      return sloe_fitted_fail_here(c, at, "an input of a model is no feature");
  *out = input;
  return c->status;
}

static sloe_status decode(sloe_fitted_cursor *c, const uint8_t *bytes, size_t len,
                          sloe_network_model *m) {
  if (!m->is_sum) return sloe_learned_decode(bytes, len, &m->body, c->err);
  return sloe_layer_sum_decode(bytes, len, &m->sum, c->err);
}

static int fits(const sloe_network_model *m, size_t n_inputs) {
  if (!m->is_sum) return m->body.n_inputs == n_inputs;
  return !n_inputs && m->sum.n_terms == SLOE_LAYER_TERMS && m->sum.n_traits == SLOE_LAYER_TRAITS;
}

static sloe_status take_body(sloe_fitted_cursor *c, size_t n_inputs, sloe_network_model *m) {
  const size_t len = sloe_fitted_take_u32(c), at = c->at;
  const uint8_t *bytes = sloe_fitted_take(c, len);
  SLOE_TRY(c->status);
  const sloe_status status = decode(c, bytes, len, m);
  if (status != SLOE_OK) return sloe_fitted_fail_model(c, at, status);
  if (fits(m, n_inputs)) return SLOE_OK;
  sloe_network_model_fini(m);
  return sloe_fitted_fail_here(c, at, "a model has another number of inputs than it is given");
}

static sloe_status take_flags(sloe_fitted_cursor *c, sloe_network_model *m) {
  const size_t at = c->at;
  m->metric = sloe_fitted_take_u32(c);
  const uint32_t flags = sloe_fitted_take_u32(c);
  if (m->metric >= SLOE_NETWORKS_METRICS || flags > (ON_LAYERS | CHOSEN | OUTSIDE | IS_SUM))
    return sloe_fitted_fail_here(c, at, "a model's metric or flags cannot be");
  m->on_layers = (flags & ON_LAYERS) != 0;
  m->chosen = (flags & CHOSEN) != 0;
  m->outside = (flags & OUTSIDE) != 0;
  m->is_sum = (flags & IS_SUM) != 0;
  return c->status;
}

static sloe_status take_model(sloe_fitted_cursor *c, sloe_arena *arena, size_t n_features,
                              sloe_network_model *m) {
  SLOE_TRY(take_flags(c, m));
  const size_t n_inputs = sloe_fitted_take_u32(c);
  SLOE_TRY(take_text(c, arena, &m->regressor));
  SLOE_TRY(take_inputs(c, arena, n_features, n_inputs, &m->input));
  take_errors(c, &m->folds);
  take_errors(c, &m->kinds);
  m->constant_mape = sloe_fitted_take_f64(c);
  m->train_s = sloe_fitted_take_f64(c);
  m->tune_s = sloe_fitted_take_f64(c);
  SLOE_TRY(c->status);
  return take_body(c, n_inputs, m);
}

/* Of each metric at most one model is chosen, and every regressor stands once. */
static sloe_status check_models(sloe_fitted_cursor *c, const sloe_networks *networks) {
  for (size_t i = 0; i < networks->n_models; i++)
    for (size_t j = 0; j < i; j++) {
      const sloe_network_model *a = &networks->models[i], *b = &networks->models[j];
      if (a->metric != b->metric) continue;
      if ((a->chosen && b->chosen) || (a->outside && b->outside) ||
          strcmp(a->regressor, b->regressor) == 0)
        return sloe_fitted_fail_here(c, c->at, "a model stands twice, or two of one metric answer");
    }
  return SLOE_OK;
}

static sloe_status take_models(sloe_fitted_cursor *c, sloe_arena *arena, size_t n,
                               sloe_networks *networks) {
  networks->models = SLOE_ARENA_NEW(arena, sloe_network_model, n);
  if (!networks->models) return no_memory(c);
  for (size_t i = 0; i < n; i++) {
    SLOE_TRY(take_model(c, arena, networks->n_features, &networks->models[i]));
    networks->n_models = i + 1;
  }
  SLOE_TRY(check_models(c, networks));
  return sloe_fitted_end_section(c);
}

static sloe_status take_features(sloe_fitted_cursor *c, sloe_arena *arena, size_t n,
                                 sloe_networks *networks) {
  const char **feature = SLOE_ARENA_NEW(arena, const char *, n);
  uint32_t *place = SLOE_ARENA_NEW(arena, uint32_t, n);
  if (!feature || !place) return no_memory(c);
  for (size_t i = 0; i < n; i++) {
    const size_t at = c->at;
    SLOE_TRY(take_text(c, arena, &feature[i]));
    const int found = sloe_feature_find(feature[i]);
    if (found < 0)
      return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                      "section '%s': feature '%s' is not known to this version "
                                      "of sloe",
                                      c->section, feature[i]);
    place[i] = (uint32_t)found;
  }
  networks->feature = feature;
  networks->at = place;
  networks->n_features = n;
  return SLOE_OK;
}

sloe_status sloe_networks_take(sloe_fitted_cursor *c, sloe_arena *arena, sloe_networks *networks) {
  const size_t at = c->at, n = sloe_fitted_take_u32(c), n_models = sloe_fitted_take_u32(c);
  sloe_network_domain *domain = &networks->domain;
  if (n > SLOE_NETWORKS_FEATURES || n_models > SLOE_NETWORKS_MODELS)
    return sloe_fitted_fail_here(c, at, "more features or models than can be");
  networks->rows = sloe_fitted_take_f64(c);
  SLOE_TRY(take_text(c, arena, &networks->power_rail));
  domain->limit = sloe_fitted_take_f64(c);
  if (!(domain->limit >= 0)) return sloe_fitted_fail_here(c, at, "the domain's limit is negative");
  SLOE_TRY(take_features(c, arena, n, networks));
  SLOE_TRY(take_f64s(c, arena, n, &domain->lo));
  SLOE_TRY(take_f64s(c, arena, n, &domain->hi));
  SLOE_TRY(take_f64s(c, arena, n, &domain->centre));
  SLOE_TRY(take_f64s(c, arena, n * n, &domain->whiten));
  SLOE_TRY(take_f64s(c, arena, n, &domain->z_lo));
  SLOE_TRY(take_f64s(c, arena, n, &domain->z_hi));
  return take_models(c, arena, n_models, networks);
}
