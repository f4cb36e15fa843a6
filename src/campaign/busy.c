#include "campaign/busy.h"

#include <math.h>

#include "base/sort_numbers.h"

double sloe_quiet_move_ms(double *move_ms, size_t n) {
  sloe_sort_doubles(move_ms, n);
  return n ? move_ms[n / 10] : NAN;
}

double sloe_busy(double move_ms, double quiet_ms) {
  return move_ms > 0 && quiet_ms > 0 ? log(move_ms / quiet_ms) : 0;
}

double sloe_busy_power(const double *busy, const double *off, size_t n) {
  double x = 0, y = 0, xx = 0, xy = 0;
  for (size_t i = 0; i < n; i++) {
    x += busy[i] / (double)n;
    y += off[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    xx += (busy[i] - x) * (busy[i] - x);
    xy += (busy[i] - x) * (off[i] - y);
  }
  return xx > 0 ? fmin(fmax(xy / xx, 0), 1) : 0;
}
