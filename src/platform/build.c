/* From a file that was read to one platform: names, peaks, card, roofline. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "platform/format.h"

static const double MIB = 1048576;

static const char *const precision_texts[SLOE_PRECISION_COUNT] = {
#define SLOE_PF_PRECISION_TEXT(name, text, bytes) [SLOE_##name] = text,
    SLOE_PRECISION_MAP(SLOE_PF_PRECISION_TEXT)
#undef SLOE_PF_PRECISION_TEXT
};

int sloe_pf_precision_index(const char *text, size_t len) {
  for (int i = 0; i < SLOE_PRECISION_COUNT; i++)
    if (strlen(precision_texts[i]) == len && !memcmp(precision_texts[i], text, len)) return i;
  return -1;
}

const char *sloe_pf_precision_text(sloe_precision precision) {
  return precision_texts[precision];
}

const char *sloe_source_name(sloe_source source) {
  switch (source) {
#define SLOE_SOURCE_TEXT(name, text, doc) \
  case SLOE_SOURCE_##name: return text;
    SLOE_SOURCE_MAP(SLOE_SOURCE_TEXT)
#undef SLOE_SOURCE_TEXT
  }
  return "unknown";
}

int sloe_pf_default_mode(const sloe_pf *pf) {
  for (size_t i = 0; i < pf->n_modes; i++)
    if (pf->mode[i].default_) return (int)i;
  return pf->n_modes == 1 ? 0 : -1;
}

void sloe_pf_name(const sloe_pf *pf, sloe_precision precision, size_t mode,
                  char out[SLOE_PF_MAX_NAME]) {
  const sloe_pf_mode *m = &pf->mode[mode];
  snprintf(out, SLOE_PF_MAX_NAME, "%s-%s-%s%s%s", pf->platform.device_, pf->platform.runtime_,
           precision_texts[precision], m->default_ ? "" : "-", m->default_ ? "" : m->name);
}

static int first_precision(const sloe_pf *pf) {
  static const sloe_precision order[] = {SLOE_FP16, SLOE_FP32, SLOE_INT8};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
    if (pf->has_precision[order[i]]) return (int)order[i];
  return -1;
}

/* The text behind "<part>-", or NULL where `text` does not begin so. */
static const char *behind(const char *text, const char *part) {
  size_t len = strlen(part);
  return strncmp(text, part, len) == 0 && text[len] == '-' ? text + len + 1 : NULL;
}

static int find_mode(const sloe_pf *pf, const char *name) {
  for (size_t i = 0; i < pf->n_modes; i++)
    if (strcmp(pf->mode[i].name, name) == 0) return (int)i;
  return -1;
}

int sloe_pf_find(const sloe_pf *pf, const char *variant, sloe_precision *precision, size_t *mode) {
  int p = first_precision(pf), m = sloe_pf_default_mode(pf);
  if (!variant || !*variant) {
    *precision = (sloe_precision)p;
    *mode = m < 0 ? 0 : (size_t)m;
    return 1;
  }
  const char *rest = behind(variant, pf->platform.device_);
  rest = rest ? behind(rest, pf->platform.runtime_) : variant;
  if (!rest) return 0;
  size_t len = strcspn(rest, "-");
  p = sloe_pf_precision_index(rest, len);
  if (rest[len]) m = find_mode(pf, rest + len + 1);
  if (p < 0 || m < 0 || !pf->has_precision[p]) return 0;
  *precision = (sloe_precision)p;
  *mode = (size_t)m;
  return 1;
}

/* Rates of one precision in one mode. */
static double flops(const sloe_pf_mode *mode, double per_clock) {
  return mode->sms_ * per_clock * mode->gpu_mhz_ * 1e6;
}

static double bandwidth(const sloe_pf *pf, const sloe_pf_mode *mode) {
  return pf->chip.bus_bits_ / 8 * 2 * mode->emc_mhz_ * 1e6; /* double data rate */
}

sloe_status sloe_pf_card(const sloe_pf *pf, sloe_precision precision, size_t mode, const char *path,
                         sloe_arena *arena, sloe_card *out, sloe_error *err) {
  const sloe_pf_mode *m = &pf->mode[mode];
  const sloe_pf_chip *chip = &pf->chip;
  const sloe_pf_validated *validated =
      pf->has_validated[precision][mode] ? &pf->validated[precision][mode] : NULL;
  char name[SLOE_PF_MAX_NAME];
  sloe_pf_name(pf, precision, mode, name);
  *out = (sloe_card){
      .name = sloe_arena_strn(arena, name, strlen(name)),
      .path = sloe_arena_strn(arena, path, strlen(path)),
      .device = pf->platform.device_,
      .title = pf->platform.title_,
      .runtime = pf->platform.runtime_,
      .runtime_version = "",
      .precision = precision,
      .mode = m->name,
      .default_mode = m->default_,
      .source = SLOE_SOURCE_DATASHEET,
      .notes = pf->platform.notes_,
      .gpu_mhz = m->gpu_mhz_,
      .peak_gflops = flops(m, pf->precision[precision].matrix_flop_) / 1e9,
      .bandwidth_gbs = bandwidth(pf, m) / 1e9,
      .launch_us = chip->launch_us_.typical,
      .memory_mb = chip->ram_mib_ * MIB / 1e6,
      .memory_reserved_mb =
          (chip->carve_out_mib_ + chip->system_mib_ + chip->runtime_mib_) * MIB / 1e6,
      .power_cap_w = m->power_cap_w_,
      .validated_mape = validated ? validated->mape_ : NAN,
      .validated_on = validated ? validated->on_ : "",
  };
  if (!out->name || !out->path) return sloe_fail(err, SLOE_NOMEM, "out of memory opening platform");
  return SLOE_OK;
}

static double or_zero(double value) {
  return isnan(value) ? 0 : value;
}

static double or_one(double value) {
  return isnan(value) ? 1 : value;
}

static sloe_roofline roofline(const sloe_pf *pf, sloe_precision precision, size_t mode) {
  const sloe_pf_precision *p = &pf->precision[precision];
  const sloe_pf_mode *m = &pf->mode[mode];
  sloe_range launch = pf->chip.launch_us_;
  return (sloe_roofline){
      .matrix_flops = flops(m, p->matrix_flop_),
      .vector_flops = flops(m, p->vector_flop_),
      .bandwidth = bandwidth(pf, m),
      .l2_bytes = or_zero(pf->chip.l2_kib_) * 1024,
      .fast_conv = or_one(p->fast_conv_),
      .fast_matrix = or_one(p->fast_matrix_),
      .launch_s = {launch.typical * 1e-6, launch.worst * 1e-6},
      .share = {[SLOE_WORK_CONV] = p->conv_,
                [SLOE_WORK_CONV3] = p->conv3x3_,
                [SLOE_WORK_POINTWISE] = p->pointwise_,
                [SLOE_WORK_GROUPED] = p->grouped_,
                [SLOE_WORK_MATMUL] = p->matmul_,
                [SLOE_WORK_VECTOR] = p->vector_},
      .memory_share = pf->chip.memory_share_,
  };
}

/* The numbers behind the estimates. A list of (name, doc, value) with a pair's two ends apart. */
static sloe_status fill_parameters(const sloe_pf *pf, size_t mode, sloe_platform *out,
                                   sloe_error *err) {
  const sloe_roofline *r = &out->roofline;
  const sloe_pf_chip *chip = &pf->chip;
  const sloe_platform_parameter list[] = {
      {"sms", "streaming multiprocessors switched on", pf->mode[mode].sms_},
      {"cores", "CUDA cores switched on", chip->cores_ / chip->sms_ * pf->mode[mode].sms_},
      {"gpu_mhz", "largest GPU clock", pf->mode[mode].gpu_mhz_},
      {"emc_mhz", "largest memory clock", pf->mode[mode].emc_mhz_},
      {"bus_bits", "width of the memory bus", chip->bus_bits_},
      {"l2_kib", "L2 cache", chip->l2_kib_},
      {"matrix_gflops", "peak of matrix products, dense", r->matrix_flops / 1e9},
      {"vector_gflops", "peak of everything else", r->vector_flops / 1e9},
      {"bandwidth_gbs", "peak of the memory", r->bandwidth / 1e9},
      {"fast_conv", "most by which a fast algorithm cuts a convolution's FLOPs", r->fast_conv},
      {"fast_matrix", "most by which another number format (TF32) beats the peak", r->fast_matrix},
      {"launch_us", "time to launch a layer", chip->launch_us_.typical},
      {"launch_worst_us", "the same, worst", chip->launch_us_.worst},
      {"memory_share", "share of the bandwidth reached", r->memory_share.typical},
      {"memory_share_worst", "the same, worst", r->memory_share.worst},
#define SLOE_PF_SHARE_PARAMETER(id, key, text)                                  \
  {key "_share", "share of the peak: " text, r->share[SLOE_WORK_##id].typical}, \
      {key "_share_worst", "the same, worst", r->share[SLOE_WORK_##id].worst},
      SLOE_WORK_MAP(SLOE_PF_SHARE_PARAMETER)
#undef SLOE_PF_SHARE_PARAMETER
          {"carve_out_mib", "RAM that the system never sees", chip->carve_out_mib_},
      {"system_mib", "RAM that an idle system uses", chip->system_mib_},
      {"runtime_mib", "RAM for CUDA and the runtime's libraries", chip->runtime_mib_},
      {"workspace_mib", "scratch memory of a network", chip->workspace_mib_.typical},
      {"workspace_worst_mib", "the same, worst", chip->workspace_mib_.worst},
  };
  sloe_platform_parameter *copy = sloe_arena_alloc(&out->arena, 1, sizeof list);
  if (!copy) return sloe_fail(err, SLOE_NOMEM, "out of memory opening platform");
  memcpy(copy, list, sizeof list);
  out->parameters = copy;
  out->n_parameters = sizeof list / sizeof list[0];
  return SLOE_OK;
}

sloe_status sloe_pf_build(const sloe_pf *pf, sloe_precision precision, size_t mode,
                          const char *path, sloe_platform *out, sloe_error *err) {
  int cc = (int)pf->chip.compute_capability_;
  SLOE_TRY(sloe_pf_card(pf, precision, mode, path, &out->arena, &out->card, err));
  out->fusion = (sloe_fusion){
      .runtime = SLOE_RUNTIME_TENSORRT,
      .version = (int)pf->chip.tensorrt_,
      .precision = precision,
      .compute_capability = cc / 100 * 10 + cc % 100,
  };
  out->reference_ms = NAN;
  out->roofline = roofline(pf, precision, mode);
  out->workspace_bytes =
      (sloe_range){pf->chip.workspace_mib_.typical * MIB, pf->chip.workspace_mib_.worst * MIB};
  return fill_parameters(pf, mode, out, err);
}
