/* exp_negative.h: e^x for x <= 0, for loops over many numbers: exp() would be a call for each, of
 * this the compiler makes vector instructions (-O3, in a function of SLOE_CLONES). It is 2^k e^r
 * with |r| <= ln 2 / 2, its series cut behind r^11: at most 9e-15 of it are missing.
 */
#ifndef SLOE_BASE_EXP_NEGATIVE_H
#define SLOE_BASE_EXP_NEGATIVE_H

#include <stdint.h>
#include <string.h>

#include "base/clones.h"

/* Below -700, where exp(x) is 1e-304, it stays at that. */
SLOE_PART_OF_CLONES double sloe_exp_negative(double x) {
  const double round = 0x1.8p52, ln2_hi = 0x1.62e42fefa3800p-1, ln2_lo = 0x1.ef35793c76730p-45;
  x = x < -700 ? -700 : x;
  const double shifted = x * 0x1.71547652b82fep0 + round, k = shifted - round;
  const double r = (x - k * ln2_hi) - k * ln2_lo;
  double e = 1 / 39916800.;
  e = e * r + 1 / 3628800.;
  e = e * r + 1 / 362880.;
  e = e * r + 1 / 40320.;
  e = e * r + 1 / 5040.;
  e = e * r + 1 / 720.;
  e = e * r + 1 / 120.;
  e = e * r + 1 / 24.;
  e = e * r + 1 / 6.;
  e = e * r + 0.5;
  e = e * r + 1;
  e = e * r + 1;
  uint64_t bits, exponent;
  memcpy(&exponent, &shifted, sizeof exponent); /* k stands in its last bits */
  memcpy(&bits, &e, sizeof bits);
  bits += exponent << 52;
  memcpy(&e, &bits, sizeof e);
  return e;
}

#endif
