/* Families and ops by their keys, and fitted platforms by their names. */
#include <math.h>
#include <string.h>

#include "platform/fitted_format.h"

static int order(int32_t a, int32_t b) {
  return (a > b) - (a < b);
}

int sloe_fitted_key_order(const sloe_layer_key *a, const sloe_layer_key *b) {
  int by = order(a->op, b->op);
  if (!by) by = order(a->grouping, b->grouping);
  for (int i = 0; !by && i < 2; i++) by = order(a->kernel[i], b->kernel[i]);
  for (int i = 0; !by && i < 2; i++) by = order(a->stride[i], b->stride[i]);
  return by;
}

/* The first family whose key is not before `key`. */
static size_t lower_bound(const sloe_fitted *fitted, const sloe_layer_key *key) {
  size_t lo = 0, hi = fitted->n_families;
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    if (sloe_fitted_key_order(&fitted->families[middle].key, key) < 0)
      lo = middle + 1;
    else
      hi = middle;
  }
  return lo;
}

/* Where parts of a concatenation that lie otherwise were never measured, it is like any. */
static int is_mixed(int32_t op, int32_t grouping) {
  return op == SLOE_SPEC_CONCAT && grouping;
}

const sloe_fitted_family *sloe_fitted_find(const sloe_fitted *fitted, const sloe_layer_key *key) {
  const size_t i = lower_bound(fitted, key);
  if (i < fitted->n_families && !sloe_fitted_key_order(&fitted->families[i].key, key))
    return &fitted->families[i];
  sloe_layer_key like = *key;
  like.grouping = 0;
  return is_mixed(key->op, key->grouping) ? sloe_fitted_find(fitted, &like) : NULL;
}

/* What does not apply is 0; it counts as 1. */
static double ln(int32_t x) {
  return x > 1 ? log(x) : 0;
}

/* Logarithms of kernel area, kernel aspect and stride. */
typedef struct place {
  double area, aspect, stride;
} place;

static place place_of(const sloe_layer_key *key) {
  double height = ln(key->kernel[0]), width = ln(key->kernel[1]);
  return (place){height + width, height - width, ln(key->stride[0]) + ln(key->stride[1])};
}

static double distance(place a, place b) {
  double area = a.area - b.area, aspect = a.aspect - b.aspect, stride = a.stride - b.stride;
  return area * area + aspect * aspect + stride * stride;
}

const sloe_fitted_family *sloe_fitted_nearest(const sloe_fitted *fitted,
                                              const sloe_layer_key *key) {
  const sloe_fitted_family *best = NULL;
  double least = INFINITY;
  place at = place_of(key);
  sloe_layer_key first = {key->op, key->grouping, {INT32_MIN, INT32_MIN}, {INT32_MIN, INT32_MIN}};
  for (size_t i = lower_bound(fitted, &first); i < fitted->n_families; i++) {
    const sloe_fitted_family *family = &fitted->families[i];
    if (family->key.op != key->op || family->key.grouping != key->grouping) break;
    double far = distance(at, place_of(&family->key));
    if (far < least) least = far, best = family;
  }
  return best;
}

const sloe_fitted_op *sloe_fitted_find_op(const sloe_fitted *fitted, int32_t op, int32_t grouping) {
  size_t lo = 0, hi = fitted->n_ops;
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    const sloe_fitted_op *o = &fitted->ops[middle];
    int by = order(o->op, op);
    if (!by) by = order(o->grouping, grouping);
    if (!by) return o;
    if (by < 0)
      lo = middle + 1;
    else
      hi = middle;
  }
  return is_mixed(op, grouping) ? sloe_fitted_find_op(fitted, op, 0) : NULL;
}

/* The text behind "<part>-", "" behind a part that ends it, NULL where `text` begins otherwise. */
static const char *behind(const char *text, const char *part) {
  size_t len = strlen(part);
  if (strncmp(text, part, len) != 0 || (text[len] && text[len] != '-')) return NULL;
  return text[len] && !text[len + 1] ? NULL : text + len + (text[len] == '-');
}

int sloe_fitted_is_called(const sloe_card *card, const char *variant) {
  if (!variant || !*variant || strcmp(variant, card->name) == 0) return 1;
  const char *rest = behind(variant, card->device);
  if (rest) rest = behind(rest, card->runtime);
  rest = behind(rest ? rest : variant, sloe_precision_name(card->precision));
  return rest && (!*rest || strcmp(rest, card->mode) == 0);
}

/* ---- features ---- */

double sloe_fitted_chance(const sloe_fitted_odds *odds, const float x[SLOE_LAYER_FEATURES]) {
  static const double unlikely = 0.05;
  const double told = odds->trees.n_trees ? sloe_learned_trees_eval(&odds->trees, x)
                                          : sloe_forest_eval(&odds->forest, x);
  return fmin(1, fmax(0, (told - unlikely) / (1 - 2 * unlikely)));
}

void sloe_fitted_features(const sloe_fitted_op *op, const sloe_layer_spec *spec,
                          const sloe_layer_place *where, float x[SLOE_LAYER_FEATURES]) {
  float chance[SLOE_LAYER_PROPOSED];
  sloe_layer_features(spec, where, x);
  const size_t n = op ? op->n_proposed : 0;
  for (size_t i = 0; i < n; i++) chance[i] = (float)sloe_fitted_chance(&op->proposed[i], x);
  for (size_t i = 0; i < n; i++) x[SLOE_LAYER_FEATURE_proposed_1 + i] = chance[i];
}

/* ---- corrections ---- */

/* fmax of NAN and a number is the number: whatever the weights are, an answer is in the range. */
static double bring(double x, double lo, double hi) {
  return fmin(fmax(x, lo), hi);
}

double sloe_fitted_mlp_eval(const sloe_fitted_mlp *mlp, const sloe_layer_spec *spec,
                            double stair_ms, const float x[SLOE_LAYER_FEATURES]) {
  const sloe_layer_view view = {spec, stair_ms, mlp->units};
  double all[SLOE_LAYER_INPUTS], z[SLOE_LAYER_INPUTS];
  sloe_layer_inputs(&view, x, all);
  for (uint32_t i = 0; i < mlp->body.width[0]; i++)
    z[i] = bring(all[mlp->input[i]], mlp->lo[i], mlp->hi[i]);
  sloe_learned_mlp body = mlp->body;
  double sum = 0;
  for (uint32_t i = 0; i < mlp->n_bodies; i++, body.weight += body.n_weights)
    sum += sloe_learned_mlp_eval(&body, z);
  return bring(sum / mlp->n_bodies, mlp->least, mlp->most);
}

double sloe_fitted_correction(const sloe_fitted_op *op, const sloe_layer_spec *spec,
                              double stair_ms, const float x[SLOE_LAYER_FEATURES]) {
  const double y = sloe_forest_eval(&op->forest, x);
  return op->mlp.body.n_layers ? y + sloe_fitted_mlp_eval(&op->mlp, spec, stair_ms, x) : y;
}
