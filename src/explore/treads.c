/* treads.c: on which step of the staircase a layer stands, and where the next lower one ends.
 *
 * A tread is found by asking for one count after the other, not from a model's parameters: whatever
 * answers may nest steps, add slopes or change its algorithm between. Latencies within `slack` of
 * the present one are of one tread; the target is the largest count below it that is faster by
 * more.
 */
#include <math.h>

#include "base/error.h"
#include "explore/prune.h"

sloe_status sloe_prune_ask(const sloe_prune_cost *cost, const sloe_layer_spec *spec, double *ms,
                           int *in_domain, sloe_error *err) {
  sloe_spec_estimate answer = {.latency_ms = NAN};
  sloe_error why = {0};
  const sloe_status status = cost->ask(cost->context, spec, &answer, &why);
  *ms = NAN;
  *in_domain = 0;
  if (status == SLOE_UNSUPPORTED) return SLOE_OK;
  if (status != SLOE_OK) return sloe_fail(err, status, "%s", why.msg);
  *ms = answer.latency_ms;
  *in_domain = answer.in_domain;
  return SLOE_OK;
}

typedef struct tread_walk {
  const sloe_prune_cost *cost;
  sloe_layer_spec spec;
  double present, slack; /* slack in ms */
} tread_walk;

static sloe_status ask_at(tread_walk *w, int64_t k, double *ms, int *in_domain, sloe_error *err) {
  w->spec.k = k;
  return sloe_prune_ask(w->cost, &w->spec, ms, in_domain, err);
}

/* NAN is of no tread. */
static int level(const tread_walk *w, double ms) {
  return fabs(ms - w->present) <= w->slack;
}

static sloe_status walk_down(tread_walk *w, int64_t k, int64_t grain, sloe_tread *out,
                             sloe_error *err) {
  int on_tread = 1, in_domain;
  double ms;
  for (int i = 0; i < SLOE_TREAD_REACH && k > grain; i++) {
    k -= grain;
    SLOE_TRY(ask_at(w, k, &ms, &in_domain, err));
    on_tread &= level(w, ms);
    if (on_tread) out->lo = k;
    if (!(ms < w->present - w->slack)) continue;
    out->target = k;
    out->target_ms = ms;
    out->in_domain &= in_domain;
    break;
  }
  return SLOE_OK;
}

static sloe_status walk_up(tread_walk *w, int64_t k, int64_t grain, sloe_tread *out,
                           sloe_error *err) {
  const int64_t end = k <= INT64_MAX / 2 ? 2 * k : k;
  int in_domain;
  double ms;
  for (int i = 0; i < SLOE_TREAD_REACH && k <= end - grain; i++) {
    k += grain;
    SLOE_TRY(ask_at(w, k, &ms, &in_domain, err));
    if (!level(w, ms)) break;
    out->hi = k;
  }
  return SLOE_OK;
}

sloe_status sloe_tread_find(const sloe_prune_cost *cost, const sloe_layer_spec *spec, int64_t grain,
                            double slack, int whole, sloe_tread *out, sloe_error *err) {
  const int64_t k = spec->k;
  tread_walk w = {.cost = cost, .spec = *spec};
  *out = (sloe_tread){.lo = k, .hi = k, .target = k};
  SLOE_TRY(ask_at(&w, k, &out->latency_ms, &out->in_domain, err));
  out->target_ms = w.present = out->latency_ms;
  w.slack = slack * w.present;
  if (isnan(w.present)) return SLOE_OK;
  SLOE_TRY(walk_down(&w, k, grain, out, err));
  return whole ? walk_up(&w, k, grain, out, err) : SLOE_OK;
}
