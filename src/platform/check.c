/* What holds between the sections of a platform file, once all are read. */
#include <math.h>

#include "platform/keys.h"

/* A share of the peak may be above 1 only by a stated fast algorithm or number format. */
static sloe_status check_shares(const sloe_pf *pf, int i, uint64_t end, sloe_error *err) {
  const sloe_pf_precision *p = &pf->precision[i];
  double most = isnan(p->fast_matrix_) ? 1 : p->fast_matrix_;
  double conv = isnan(p->fast_conv_) || p->fast_conv_ < most ? most : p->fast_conv_;
  const char *text = sloe_pf_precision_text((sloe_precision)i);
  if (p->conv_.typical > conv || p->conv3x3_.typical > conv || p->grouped_.typical > conv)
    return sloe_fail_at(err, SLOE_FORMAT, end,
                        "[precision %s]: a convolution's share of the peak is above what fast_conv "
                        "and fast_matrix allow",
                        text);
  if (p->pointwise_.typical > most || p->matmul_.typical > most)
    return sloe_fail_at(err, SLOE_FORMAT, end,
                        "[precision %s]: a share of the peak is above what fast_matrix allows",
                        text);
  return SLOE_OK;
}

static sloe_status check_memory(const sloe_pf_chip *chip, uint64_t end, sloe_error *err) {
  double taken = chip->carve_out_mib_ + chip->system_mib_ + chip->runtime_mib_;
  if (taken < chip->ram_mib_) return SLOE_OK;
  return sloe_fail_at(err, SLOE_FORMAT, end,
                      "[chip]: carve_out_mib, system_mib and runtime_mib leave nothing of ram_mib");
}

static sloe_status check_modes(const sloe_pf *pf, uint64_t end, sloe_error *err) {
  int defaults = 0;
  for (size_t i = 0; i < pf->n_modes; i++) {
    const sloe_pf_mode *mode = &pf->mode[i];
    defaults += mode->default_;
    if (mode->sms_ > pf->chip.sms_)
      return sloe_fail_at(err, SLOE_FORMAT, end, "[mode %s]: more SMs than the chip has",
                          mode->name);
  }
  if (defaults > 1) return sloe_fail_at(err, SLOE_FORMAT, end, "two modes are the default");
  return SLOE_OK;
}

/* Only data sheets are text; what is fitted is binary (fitted_format.h). */
static sloe_status check_source(const sloe_pf_platform *p, uint64_t end, sloe_error *err) {
  const char *source = sloe_source_name(SLOE_SOURCE_DATASHEET);
  for (size_t i = 0; source[i] || p->source_[i]; i++)
    if (source[i] != p->source_[i])
      return sloe_fail_at(err, SLOE_UNSUPPORTED, end,
                          "[platform]: source '%s' is not known to this version of sloe (%s is)",
                          p->source_, source);
  return SLOE_OK;
}

sloe_status sloe_pf_check(const sloe_pf *pf, uint64_t end, sloe_error *err) {
  int precisions = 0;
  for (int i = 0; i < SLOE_PRECISION_COUNT; i++) precisions += pf->has_precision[i];
  const char *missing = !pf->has_platform ? "platform"
                        : !pf->has_chip   ? "chip"
                        : !precisions     ? "precision NAME"
                        : !pf->n_modes    ? "mode NAME"
                                          : NULL;
  if (missing)
    return sloe_fail_at(err, SLOE_FORMAT, end, "the file ends without a section [%s]", missing);
  for (int i = 0; i < SLOE_PRECISION_COUNT; i++)
    if (pf->has_precision[i]) SLOE_TRY(check_shares(pf, i, end, err));
  SLOE_TRY(check_source(&pf->platform, end, err));
  SLOE_TRY(check_memory(&pf->chip, end, err));
  return check_modes(pf, end, err);
}
