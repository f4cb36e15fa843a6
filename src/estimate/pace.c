#include "estimate/pace.h"

#include <math.h>

static const double tera_ms = 1e9; /* 10^12 a second, in a millisecond */

void sloe_pace_add(sloe_pace *pace, double ms, double macs, double bytes) {
  pace->ms += ms;
  pace->macs += macs;
  pace->bytes += bytes;
  pace->root_macs += sqrt(ms * macs);
  pace->root_bytes += sqrt(ms * bytes);
}

void sloe_pace_terms(const sloe_pace *pace, double out[SLOE_POWER_TERMS]) {
  const double whole = tera_ms * pace->ms, root = sqrt(tera_ms) * pace->ms;
  out[SLOE_POWER_rest] = 1;
  out[SLOE_POWER_arithmetic] = pace->macs / whole;
  out[SLOE_POWER_traffic] = pace->bytes / whole;
  out[SLOE_POWER_root_arithmetic] = pace->root_macs / root;
  out[SLOE_POWER_root_traffic] = pace->root_bytes / root;
}

double sloe_pace_power(const sloe_pace *pace, const sloe_fitted_power *power) {
  double term[SLOE_POWER_TERMS], w = 0;
  if (!sloe_fitted_knows_power(power) || !(pace->ms > 0)) return NAN;
  sloe_pace_terms(pace, term);
  for (int i = 0; i < SLOE_POWER_TERMS; i++) w += power->coef[i] * term[i];
  return isfinite(w) ? w : NAN;
}
