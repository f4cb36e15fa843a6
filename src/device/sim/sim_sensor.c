/* sim_sensor.c: what a sensor shows that is taken anew at whole multiples of its refresh. */
#include "device/sim/sim_sensor.h"

#include <math.h>

sloe_status sloe_sim_sensor_open(const sloe_backend_options *o, sim_sensor *s, sloe_error *err) {
  double refresh_ms;
  *s = (sim_sensor){.now_ns = 0};
  SLOE_TRY(sloe_backend_option_real(o, "power", 0, 1e6, NAN, &s->watts, err));
  SLOE_TRY(sloe_backend_option_real(o, "idle", 0, 1e6, s->watts / 2, &s->idle_w, err));
  SLOE_TRY(sloe_backend_option_real(o, "ripple", 0, 1, 0.01, &s->ripple, err));
  SLOE_TRY(sloe_backend_option_real(o, "refresh_ms", 1e-6, 1e6, 20, &refresh_ms, err));
  SLOE_TRY(sloe_backend_option_int(o, "counter", 0, 1, 1, &s->counter, err));
  SLOE_TRY(sloe_backend_option_int(o, "sensor_lie", 0, 6, 0, &s->lie, err));
  SLOE_TRY(sloe_backend_option_int(o, "sensor_lie_after", 0, INT64_MAX, 0, &s->lie_after, err));
  s->refresh_ns = refresh_ms * 1e6;
  s->shown_w = s->idle_w;
  return SLOE_OK;
}

void sloe_sim_sensor_pass(sim_sensor *s, double ns, int loaded) {
  const double watts = loaded ? s->watts : s->idle_w;
  const double end = s->now_ns + ns, turn = floor(end / s->refresh_ns);
  const double taken = turn * s->refresh_ns;
  if (taken > s->now_ns) {
    s->shown_w = watts * (1 + (fmod(turn, 2) > 0 ? s->ripple : -s->ripple));
    s->shown_mj = s->mj + watts * (taken - s->now_ns) / 1e6;
  }
  s->mj += watts * ns / 1e6;
  s->now_ns = end;
}

static void lie(const sim_sensor *s, sloe_device_sensor *out) {
  const double turns = (double)(s->n_readings - s->lie_after);
  switch (s->lie) {
    case 1: out->power_w = -out->power_w; break;
    case 2: out->power_w = 1e9; break;
    case 3: out->energy_mj = fmax(1e6 - turns, 0); break;
    case 4: out->at_ns = 1000000000; break;
    case 5: *out = (sloe_device_sensor){NAN, NAN, out->at_ns, ""}; break;
    case 6: out->power_w = out->energy_mj = 0; break;
    default: break;
  }
}

void sloe_sim_sensor_read(sim_sensor *s, sloe_device_sensor *out) {
  *out = (sloe_device_sensor){NAN, NAN, (uint64_t)s->now_ns, ""};
  if (isnan(s->watts)) return;
  out->power_w = s->shown_w;
  out->energy_mj = s->counter ? s->shown_mj : NAN;
  out->rail = "device";
  if (s->n_readings++ >= s->lie_after) lie(s, out);
}
