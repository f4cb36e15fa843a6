#include "campaign/kernel_chance.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { FEATURES = SLOE_LAYER_FEATURES, ASKED_LEAST = 1000, MOST_NAME = 256 };

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory learning kernels");
}

static void take_features(const sloe_layer_spec *spec, double out[FEATURES]) {
  float x[FEATURES];
  sloe_layer_features(spec, NULL, x);
  for (int j = 0; j < FEATURES; j++) out[j] = (double)x[j];
}

static int is_kin(const sloe_layer_spec *spec, const sloe_layer_key *key) {
  const sloe_layer_key own = sloe_layer_key_of(spec);
  return own.op == key->op && own.grouping == key->grouping;
}

sloe_status sloe_known_layers_init(const sloe_layer_spec *const *timed, size_t n,
                                   const sloe_proposals *proposals, sloe_known_layers *out,
                                   sloe_error *err) {
  const size_t n_proposals = n && proposals ? proposals->n : 0;
  *out = (sloe_known_layers){.x = sloe_alloc((n + n_proposals) * FEATURES + 1, sizeof *out->x),
                             .asked = sloe_alloc(n_proposals + 1, sizeof *out->asked),
                             .n_timed = n};
  if (!out->x || !out->asked) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) take_features(timed[i], out->x + i * FEATURES);
  for (size_t i = 0; i < n_proposals; i++) {
    const sloe_proposal *p = &proposals->rows[i];
    const sloe_layer_key key = sloe_layer_key_of(timed[0]);
    if (!*p->kernels || !is_kin(&p->spec, &key)) continue;
    take_features(&p->spec, out->x + (n + out->n_asked) * FEATURES);
    out->asked[out->n_asked++] = p->kernels;
  }
  if (out->n_asked < ASKED_LEAST) out->n_asked = 0;
  return SLOE_OK;
}

void sloe_known_layers_fini(sloe_known_layers *known) {
  sloe_dealloc(known->x);
  sloe_dealloc((void *)known->asked);
  *known = (sloe_known_layers){0};
}

/* Is `name`, or `family`, among the names of a list? */
static int is_listed(const char *list, const char *name, const char *family, int by_family) {
  char listed[MOST_NAME];
  for (const char *s = list; *s; s += strspn(s, " ")) {
    const size_t len = strcspn(s, " ");
    if (len < sizeof listed) {
      memcpy(listed, s, len);
      listed[len] = 0;
      if (by_family) sloe_kernel_family(listed);
      if (!strcmp(listed, name) || !strcmp(listed, family)) return 1;
    }
    s += len;
  }
  return 0;
}

sloe_status sloe_kernel_chance(const sloe_known_layers *known, const char *name, int by_family,
                               const double *is_tried, sloe_odds *out, int *everywhere,
                               sloe_error *err) {
  const int many = known->n_asked > 0;
  const sloe_boost_params params = {.trees = 256,
                                    .depth = 6,
                                    .rate = many ? 0.3 : 0.1,
                                    .lambda = many ? 2 : 3,
                                    .row_share = many ? 1 : 0.7,
                                    .feature_share = many ? 1 : 0.6,
                                    .folds = 1,
                                    .seed = 1};
  const size_t n = known->n_timed + known->n_asked;
  char family[MOST_NAME];
  double *y = sloe_alloc(n + 1, sizeof *y), tried = 0;
  *out = (sloe_odds){0};
  if (!y) return out_of_memory(err);
  snprintf(family, sizeof family, "%s", name);
  sloe_kernel_family(family);
  for (size_t i = 0; i < n; i++) {
    y[i] = i < known->n_timed
               ? is_tried[i]
               : is_listed(known->asked[i - known->n_timed], name, family, by_family);
    tried += y[i];
  }
  *everywhere = tried >= (double)n;
  const sloe_status status =
      *everywhere ? SLOE_OK : sloe_odds_learn(known->x, y, n, &params, out, err);
  sloe_dealloc(y);
  return status;
}
