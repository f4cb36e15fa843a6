/* isolated.c: layers by themselves, timed as profiling times them, and what each draws in a long
 * loop of it alone: a sensor sees nothing of a layer within a network.
 */
#include <math.h>

#include "campaign/session.h"

static sloe_status time_layer(sloe_session *s, sloe_job *job, sloe_isolated *out, sloe_error *err) {
  sloe_timing t;
  SLOE_TRY(sloe_time_job(s->device, job, NULL, &t, err));
  out->ms = t.median_ns / 1e6;
  sloe_timing_fini(&t);
  return SLOE_OK;
}

static sloe_status power_layer(sloe_session *s, sloe_job *job, double power_s, sloe_isolated *out,
                               sloe_error *err) {
  const sloe_power_options options = {.seconds = power_s};
  sloe_power power;
  SLOE_TRY(sloe_power_job(s->device, job, &options, &power, err));
  out->power_w = power.power_w;
  out->energy_mj = power.energy_mj;
  return SLOE_OK;
}

static sloe_status measure(sloe_session *s, const sloe_layer_spec *spec, double power_s,
                           sloe_isolated *out, sloe_error *err) {
  sloe_job *job;
  *out = (sloe_isolated){NAN, NAN, NAN, power_s >= 0};
  sloe_status status = sloe_device_load_layer(s->device, spec, &job, err);
  if (status == SLOE_UNSUPPORTED) return SLOE_OK;
  SLOE_TRY(status);
  status = time_layer(s, job, out, err);
  if (status == SLOE_OK && out->asked) status = power_layer(s, job, power_s, out, err);
  sloe_job_unload(job);
  return status;
}

static sloe_status remember(sloe_session *s, const char *text, const sloe_isolated *layer,
                            sloe_error *err) {
  const char *key = sloe_arena_printf(&s->arena, "%s", text);
  if (!key ||
      !sloe_arena_grow(&s->arena, &s->isolated_layers, s->n_isolated, &s->cap_isolated,
                       sizeof *s->isolated_layers) ||
      !sloe_map_put(&s->isolated, &s->arena, key, (int32_t)s->n_isolated))
    return sloe_fail(err, SLOE_NOMEM, "out of memory measuring");
  s->isolated_layers[s->n_isolated++] = *layer;
  return SLOE_OK;
}

sloe_status sloe_session_isolated(sloe_session *s, const sloe_layer_spec *spec, double power_s,
                                  sloe_isolated *out, sloe_error *err) {
  char text[SLOE_SPEC_TEXT];
  const int32_t at = sloe_map_get(&s->isolated, sloe_layer_spec_print(spec, text));
  if (at >= 0 && (s->isolated_layers[at].asked || power_s < 0)) {
    *out = s->isolated_layers[at];
    return SLOE_OK;
  }
  SLOE_TRY(measure(s, spec, power_s, out, err));
  if (at < 0) return remember(s, text, out, err);
  s->isolated_layers[at] = *out;
  return SLOE_OK;
}
