#include "campaign/design_known.h"

#include <math.h>
#include <string.h>

#include "net/net.h"

enum { ARENA_LIMIT = 1 << 26 };

static const char *const ROWS[] = {
#define FAMILY(name, least, most, n) NULL,
#define VARIANT(spec, nis, ncv)      (nis) ? "zoo:" spec : "",
#include "campaign/plan_families.def"
#undef FAMILY
#undef VARIANT
};
enum { N_ROWS = sizeof ROWS / sizeof *ROWS };

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory listing the layers of known networks");
}

static int is_of_interest(const sloe_layer_spec *s) {
  return s->op == SLOE_SPEC_CONV || s->op == SLOE_SPEC_FC;
}

/* What of `ends` the i-th begins at. */
static size_t begin(const sloe_design_ends *ends, size_t i) {
  return i ? ends->end[i - 1] : 0;
}

static sloe_status add_end(sloe_design_known *known, sloe_design_ends *ends, size_t end,
                           sloe_error *err) {
  if (!sloe_arena_grow(&known->arena, &ends->end, ends->n, &ends->cap, sizeof *ends->end))
    return out_of_memory(err);
  ends->end[ends->n++] = end;
  return SLOE_OK;
}

static int is_of_kind(const sloe_layer_spec *spec, const sloe_layer_spec *other) {
  sloe_layer_key a = sloe_layer_key_of(spec), b = sloe_layer_key_of(other);
  memcpy(a.stride, b.stride, sizeof a.stride);
  return !sloe_layer_key_compare(&a, &b);
}

/* Of the last family; a new one where none is like it. */
static sloe_status find_kind(sloe_design_known *known, const sloe_layer_spec *spec, size_t *out,
                             sloe_error *err) {
  const sloe_design_ends *kinds = &known->kinds;
  for (*out = begin(&known->families, known->families.n - 1); *out < kinds->n; ++*out)
    if (is_of_kind(&known->specs[begin(kinds, *out)], spec)) return SLOE_OK;
  SLOE_TRY(add_end(known, &known->kinds, known->n, err));
  known->families.end[known->families.n - 1] = kinds->n;
  return SLOE_OK;
}

static sloe_status add_layer(sloe_design_known *known, const sloe_layer_spec *spec,
                             sloe_error *err) {
  size_t kind;
  SLOE_TRY(find_kind(known, spec, &kind, err));
  size_t *end = known->kinds.end;
  for (size_t i = begin(&known->kinds, kind); i < end[kind]; i++)
    if (sloe_layer_spec_same(&known->specs[i], spec)) return SLOE_OK;
  if (!sloe_arena_grow(&known->arena, &known->specs, known->n, &known->cap, sizeof *spec))
    return out_of_memory(err);
  sloe_layer_spec *at = &known->specs[end[kind]];
  memmove(at + 1, at, (known->n - end[kind]) * sizeof *at);
  *at = *spec;
  known->n++;
  for (size_t i = kind; i < known->kinds.n; i++) end[i]++;
  return SLOE_OK;
}

static sloe_status add_network(sloe_design_known *known, const char *text, sloe_error *err) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  sloe_status status;
  SLOE_GOTO(sloe_net_open(text, NULL, &net, err));
  SLOE_GOTO(sloe_layers_new(net, &fusion, &layers, err));
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    sloe_layer_spec spec;
    int is_known;
    sloe_layer_spec_of(layers, i, &spec, &is_known);
    if (is_known && is_of_interest(&spec)) SLOE_GOTO(add_layer(known, &spec, err));
  }
fail:
  sloe_layers_free(layers);
  sloe_net_free(net);
  return status;
}

sloe_status sloe_design_known_init(sloe_design_known *known, sloe_error *err) {
  *known = (sloe_design_known){0};
  sloe_arena_init(&known->arena, ARENA_LIMIT);
  for (size_t i = 0; i < N_ROWS; i++) {
    if (!ROWS[i])
      SLOE_TRY(add_end(known, &known->families, known->kinds.n, err));
    else if (*ROWS[i])
      SLOE_TRY(add_network(known, ROWS[i], err));
  }
  return SLOE_OK;
}

void sloe_design_known_fini(sloe_design_known *known) {
  sloe_arena_fini(&known->arena);
  *known = (sloe_design_known){0};
}

static double weight(const sloe_design_ends *kinds, size_t i) {
  return sqrt((double)(kinds->end[i] - begin(kinds, i)));
}

static size_t draw_kind(const sloe_design_known *known, sloe_rng *rng, size_t family) {
  const size_t first = begin(&known->families, family), end = known->families.end[family];
  double at = 0;
  size_t i = first;
  for (size_t k = first; k < end; k++) at += weight(&known->kinds, k);
  at *= sloe_rng_uniform(rng);
  while (i + 1 < end && (at -= weight(&known->kinds, i)) >= 0) i++;
  return i;
}

static int is_known(const sloe_design_known *known, const sloe_layer_spec *spec) {
  for (size_t i = 0; i < known->n; i++)
    if (sloe_layer_spec_same(&known->specs[i], spec)) return 1;
  return 0;
}

void sloe_design_known_draw(const sloe_design_known *known, sloe_rng *rng,
                            const sloe_design_limits *limits, sloe_layer_spec *out) {
  const sloe_design_ends *kinds = &known->kinds;
  const int64_t last_family = (int64_t)known->families.n - 1;
  for (;;) {
    const size_t family = (size_t)sloe_rng_between(rng, 0, last_family);
    const size_t kind = draw_kind(known, rng, family);
    const int64_t first = (int64_t)begin(kinds, kind), last = (int64_t)kinds->end[kind] - 1;
    const sloe_layer_spec *like = &known->specs[sloe_rng_between(rng, first, last)];
    if (sloe_design_draw_like(rng, like, limits, out) && !is_known(known, out)) return;
  }
}
