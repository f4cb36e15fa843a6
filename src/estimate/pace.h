/* pace.h: how busy the layers of a network keep a device, and what it draws for it.
 *
 * A layer draws rest + arithmetic x r + traffic x b + root_arithmetic x sqrt(r) + root_traffic x
 * sqrt(b) W, where r is what it multiplies and accumulates, b what it reads and writes, both in
 * 10^12 a second; a network draws the mean of its layers over their time. The roots stand for what
 * grows more slowly than the work: the first multiprocessors that wake up cost the most.
 */
#ifndef SLOE_ESTIMATE_PACE_H
#define SLOE_ESTIMATE_PACE_H

#include "platform/platform.h"

/* Sums over layers. All zero: of none. */
typedef struct sloe_pace {
  double ms, macs, bytes;
  double root_macs, root_bytes; /* of sqrt(ms x macs), sqrt(ms x bytes) */
} sloe_pace;

void sloe_pace_add(sloe_pace *pace, double ms, double macs, double bytes);

/* What the coefficients of sloe_fitted_power are multiplied by. */
void sloe_pace_terms(const sloe_pace *pace, double out[SLOE_POWER_TERMS]);

/* W; NAN where the platform does not know, no layer takes time, or they take next to none. */
double sloe_pace_power(const sloe_pace *pace, const sloe_fitted_power *power);

#endif
