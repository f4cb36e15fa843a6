#include <math.h>

#include "base/error.h"
#include "fit/fit.h"

/* Defaults and ranges stand once. X(FIELD, default, least, most); -1 of `carry` is "nothing". */
#define INTEGER_MAP(X)                    \
  X(width_min, 8, 1, 1 << 20)             \
  X(width_max, 512, 1, 1 << 20)           \
  X(width_step, 4, 1, 1 << 20)            \
  X(start_lo, 64, 1, INT64_MAX)           \
  X(start_hi, 960, 2, INT64_MAX)          \
  X(min_points, 5, 2, 60)                 \
  X(max_points, 20, 2, 60)                \
  X(max_samples, 100000000, 2, INT32_MAX) \
  X(runs, 30, 1, 10000)                   \
  X(absolute, 0, 0, 1)

#define NUMBER_MAP(X)           \
  X(run_error, 0.003, 1e-9, 1)  \
  X(noise, 0.01, 1e-9, 1)       \
  X(slack, 0.002, 1e-9, 1)      \
  X(cut, 9, 0.1, 1e6)           \
  X(outlier_cost, 10, 0.1, 1e6) \
  X(extension_cost, 14, 0, 1e6) \
  X(odd_width_cost, 6, 0, 1e6)  \
  X(agree, 0.004, 1e-9, 1)      \
  X(trust, 30, 0.1, 1e9)        \
  X(heat, 2, 0.01, 1e6)         \
  X(bin, 4, 0.01, 1e6)          \
  X(carry, 10, -1, 1e6)         \
  X(alpha, 2, 0, 1e6)           \
  X(beta, 1, 0, 1e6)            \
  X(gamma, 0.25, 0, 1e6)        \
  X(c_step, 2, 0, 1e6)          \
  X(c_lin, 1, 0, 1e6)           \
  X(threshold, 0.001, 0, 1e6)   \
  X(ratio, 20, 1, 1e9)          \
  X(ratio_decay, 1, 0, 1e9)     \
  X(outlier, 50, 1, 1e9)        \
  X(template_ratio, 2, 1, 1e9)

sloe_status sloe_fit_params_fill(const sloe_fit_params *in, sloe_fit_params *out, sloe_error *err) {
  sloe_fit_params p = in ? *in : (sloe_fit_params){0};
  if (!p.templates) p.templates = p.method == SLOE_FIT_BLACKTHORN ? SLOE_FIT_PAPER : SLOE_FIT_ALL;
#define FILL_INTEGER(field, usual, least, most)                                     \
  if (!p.field) p.field = (usual);                                                  \
  if (p.field < (least) || p.field > (most))                                        \
    return sloe_fail(err, SLOE_USAGE, "fit: " #field " is %lld, outside its range", \
                     (long long)p.field);
  INTEGER_MAP(FILL_INTEGER)
#undef FILL_INTEGER
#define FILL_NUMBER(field, usual, least, most)    \
  if (p.field == 0) p.field = (usual);            \
  if (!(p.field >= (least) && p.field <= (most))) \
    return sloe_fail(err, SLOE_USAGE, "fit: " #field " is %g, outside its range", p.field);
  NUMBER_MAP(FILL_NUMBER)
#undef FILL_NUMBER
  if ((unsigned)p.method > SLOE_FIT_BLACKTHORN || (unsigned)p.statistic > SLOE_FIT_MIN)
    return sloe_fail(err, SLOE_USAGE, "fit: no such method or statistic");
  if (p.templates & ~(unsigned)SLOE_FIT_ALL)
    return sloe_fail(err, SLOE_USAGE, "fit: templates are 0x%x, unknown bits", p.templates);
  if (p.method == SLOE_FIT_BLACKTHORN && p.templates & ~(unsigned)SLOE_FIT_PAPER)
    return sloe_fail(err, SLOE_USAGE, "fit: the paper's method has its two templates only");
  if (p.width_min > p.width_max || p.width_max - p.width_min > 4096)
    return sloe_fail(err, SLOE_USAGE, "fit: widths from %d to %d", (int)p.width_min,
                     (int)p.width_max);
  if (p.start_lo >= p.start_hi || p.min_points > p.max_points)
    return sloe_fail(err, SLOE_USAGE, "fit: start points or numbers of points out of order");
  *out = p;
  return SLOE_OK;
}

const char *sloe_fit_template_name(unsigned bit) {
  static const struct {
    unsigned bit;
    const char *name;
  } names[] = {{SLOE_FIT_LINEAR, "linear"},         {SLOE_FIT_STEP, "step"},
               {SLOE_FIT_NESTED, "nested"},         {SLOE_FIT_START, "start"},
               {SLOE_FIT_STEP_SLOPE, "step+slope"}, {SLOE_FIT_FLOOR, "floor"},
               {SLOE_FIT_CHANGE, "change"},         {SLOE_FIT_ANY_WIDTH, "any width"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].bit == bit) return names[i].name;
  return "unknown";
}
