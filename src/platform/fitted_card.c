/* The card of a fitted platform: lines "key = value" in the file, and the structs made of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "platform/fitted_format.h"
#include "platform/keys.h"

#define ENVIRONMENT "env."
#define BUFFERS     "buffers"

enum { MAX_PAIR_NAME = 64 };

#define CARD_KEY(name, kind, min, max, need, doc) \
  {#name, SLOE_PF_##kind, min, max, need, offsetof(sloe_fitted_card, name##_), doc},
static const sloe_pf_key card_keys[] = {SLOE_FITTED_CARD_KEYS(CARD_KEY)};
#undef CARD_KEY
_Static_assert(sizeof card_keys / sizeof card_keys[0] <= 64, "keys seen are bits of a uint64_t");

const sloe_pf_section sloe_fitted_card_section = {"card", card_keys,
                                                  sizeof card_keys / sizeof card_keys[0]};

/* ---- writing ---- */

static const char *or_empty(const char *text) {
  return text ? text : "";
}

static const sloe_fitted_errors no_errors = {NAN, NAN, NAN, NAN, NAN};

/* What is not known is left out, so that a file says nothing of power if nothing is known. */
static void power_to_keys(const sloe_fitted *f, sloe_fitted_card *out) {
  const int known = sloe_fitted_knows_power(&f->power);
#define TAKE_TERM(name, doc) out->power_##name##_ = known ? f->power.coef[SLOE_POWER_##name] : NAN;
  SLOE_POWER_TERM_MAP(TAKE_TERM)
#undef TAKE_TERM
  const sloe_fitted_errors errors = known ? f->power_errors : no_errors;
  out->power_error_90_ = known ? f->power.error_90 : NAN;
  out->power_n_ = errors.n;
  out->power_mape_ = errors.mape;
  out->power_rmspe_ = errors.rmspe;
  out->power_max_ape_ = errors.max_ape;
  out->power_noise_mape_ = errors.noise_mape;
}

/* The values of the keys as the structs have them; texts may be NULL there. */
static sloe_fitted_card to_keys(const sloe_fitted_platform *p) {
  const sloe_card *card = &p->card;
  const sloe_fitted *f = &p->fitted;
#define ERRORS(of)                                                              \
  .of##_n_ = f->of##_errors.n, .of##_mape_ = f->of##_errors.mape,               \
  .of##_rmspe_ = f->of##_errors.rmspe, .of##_max_ape_ = f->of##_errors.max_ape, \
  .of##_noise_mape_ = f->of##_errors.noise_mape
  sloe_fitted_card out = {
      .device_ = or_empty(card->device),
      .title_ = or_empty(card->title),
      .runtime_ = or_empty(card->runtime),
      .runtime_version_ = or_empty(card->runtime_version),
      .precision_ = sloe_precision_name(card->precision),
      .mode_ = or_empty(card->mode),
      .notes_ = or_empty(card->notes),
      .transfers_ = card->transfers,
      .gpu_mhz_ = card->gpu_mhz,
      .memory_mb_ = card->memory_mb,
      .memory_reserved_mb_ = card->memory_reserved_mb,
      .power_cap_w_ = card->power_cap_w,
      .validated_on_ = or_empty(card->validated_on),
      .fusion_ = sloe_runtime_name(p->fusion.runtime),
      .fusion_version_ = p->fusion.version,
      .fusion_capability_ = p->fusion.compute_capability,
      .created_ = or_empty(f->created),
      .tool_ = or_empty(f->tool),
      .seed_ = or_empty(f->seed),
      .memory_kind_ = or_empty(f->memory_kind),
      .memory_of_ = f->memory_buffers ? BUFFERS : "",
      .reference_ms_ = f->reference_ms,
      .points_ = f->points,
      .seconds_ = f->seconds,
      ERRORS(layer),
      ERRORS(network),
      ERRORS(memory),
  };
#undef ERRORS
  power_to_keys(f, &out);
  return out;
}

/* What would read back as another value: more lines than one, blanks at an end. */
static sloe_status check_text(const char *key, const char *value, sloe_error *err) {
  size_t len = strlen(value);
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
      return sloe_fail(err, SLOE_USAGE, "platform file: %.40s holds a control character", key);
  if (len && (value[0] == ' ' || value[len - 1] == ' '))
    return sloe_fail(err, SLOE_USAGE, "platform file: %.40s has a blank at its end", key);
  return SLOE_OK;
}

/* Absent values are left out. */
static sloe_status encode_key(const sloe_pf_key *key, const sloe_fitted_card *card, sloe_text *out,
                              sloe_error *err) {
  const char *at = (const char *)card + key->at;
  char number[SLOE_NUMBER_BUF];
  const char *text;
  if (key->kind == SLOE_PF_TOKEN || key->kind == SLOE_PF_TEXT) {
    text = *(const char *const *)at;
    SLOE_TRY(check_text(key->name, text, err));
  } else if (key->kind == SLOE_PF_YESNO) {
    text = *(const int *)at ? "yes" : "no";
  } else {
    double value = *(const double *)at;
    text = isnan(value) ? "" : sloe_format_double(value, number);
  }
  if (*text) sloe_text_addf(out, "%s = %s\n", key->name, text);
  return SLOE_OK;
}

/* Printable ASCII without blanks and '='. */
static int is_pair_name(const char *name, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (name[i] <= ' ' || name[i] > '~' || name[i] == '=') return 0;
  return len > 0 && len <= MAX_PAIR_NAME;
}

static sloe_status encode_pair(const char *const pair[2], sloe_text *out, sloe_error *err) {
  if (!is_pair_name(pair[0], strlen(pair[0])))
    return sloe_fail(err, SLOE_USAGE,
                     "platform file: environment '%.80s': a name is 1 to %d of printable ASCII, no "
                     "blank and no '='",
                     pair[0], MAX_PAIR_NAME);
  SLOE_TRY(check_text(pair[0], pair[1], err));
  sloe_text_addf(out, ENVIRONMENT "%s = %s\n", pair[0], pair[1]);
  return SLOE_OK;
}

sloe_status sloe_fitted_card_encode(const sloe_fitted_platform *platform, sloe_text *out,
                                    sloe_error *err) {
  const sloe_fitted *fitted = &platform->fitted;
  sloe_fitted_card card = to_keys(platform);
  for (size_t i = 0; i < sloe_fitted_card_section.n_keys; i++)
    SLOE_TRY(encode_key(&card_keys[i], &card, out, err));
  for (size_t i = 0; i < fitted->n_environment; i++)
    SLOE_TRY(encode_pair(fitted->environment[i], out, err));
  return SLOE_OK;
}

/* ---- reading ---- */

typedef struct reader {
  const char *text;
  size_t len;
  uint64_t offset; /* of the text in the file */
  unsigned line;
  uint64_t seen;
  sloe_fitted_card values;
  sloe_arena *arena;
  const char *(*environment)[2];
  size_t n_environment, cap_environment;
  sloe_error *err;
} reader;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory reading a platform file");
}

static sloe_status bad_line(const reader *r, size_t at, const char *why) {
  return sloe_fail_at(r->err, SLOE_FORMAT, r->offset + at, "card, line %u: %s", r->line, why);
}

static sloe_status add_pair(reader *r, size_t at, const char *name, size_t name_len,
                            const char *value, size_t value_len) {
  if (!is_pair_name(name, name_len) || value_len > SLOE_PF_MAX_LINE)
    return bad_line(r, at, "a name of the environment is 1 to 64 of ASCII, a value at most 1000");
  if (r->n_environment == SLOE_FITTED_MAX_ENVIRONMENT)
    return bad_line(r, at, "more pairs of the environment than 256");
  if (!sloe_arena_grow(r->arena, &r->environment, r->n_environment, &r->cap_environment,
                       sizeof *r->environment))
    return no_memory(r->err);
  const char **pair = r->environment[r->n_environment];
  pair[0] = sloe_arena_strn(r->arena, name, name_len);
  pair[1] = sloe_arena_strn(r->arena, value, value_len);
  if (!pair[0] || !pair[1]) return no_memory(r->err);
  r->n_environment++;
  return SLOE_OK;
}

static sloe_status read_key(reader *r, size_t at, const char *name, size_t name_len,
                            const char *value, size_t value_len) {
  for (size_t i = 0; i < sloe_fitted_card_section.n_keys; i++) {
    if (strlen(card_keys[i].name) != name_len || memcmp(card_keys[i].name, name, name_len) != 0)
      continue;
    if (r->seen >> i & 1) return bad_line(r, at, "the key stands twice");
    r->seen |= (uint64_t)1 << i;
    sloe_pf_place place = {r->offset + (size_t)(value - r->text), r->line};
    return sloe_pf_read_value(&card_keys[i], value, value_len, place, r->arena, &r->values, r->err);
  }
  return sloe_fail_at(r->err, SLOE_UNSUPPORTED, r->offset + at,
                      "card, line %u: key '%.*s' is not known to this version of sloe", r->line,
                      (int)(name_len > 40 ? 40 : name_len), name);
}

/* "key = value" in [at, end). */
static sloe_status read_line(reader *r, size_t at, size_t end) {
  const char *s = r->text + at;
  size_t len = end - at, equals = 0, prefix = strlen(ENVIRONMENT);
  r->line++;
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
      return bad_line(r, at + i, "a control character");
  while (equals + 2 < len && memcmp(s + equals, " = ", 3) != 0) equals++;
  if (equals + 2 >= len) return bad_line(r, at, "'key = value' is needed");
  const char *value = s + equals + 3;
  size_t value_len = len - equals - 3;
  if (equals >= prefix && memcmp(s, ENVIRONMENT, prefix) == 0)
    return add_pair(r, at, s + prefix, equals - prefix, value, value_len);
  return read_key(r, at, s, equals, value, value_len);
}

static sloe_status read_lines(reader *r) {
  sloe_pf_clear(&sloe_fitted_card_section, &r->values);
  for (size_t at = 0; at < r->len;) {
    const char *newline = memchr(r->text + at, '\n', r->len - at);
    if (!newline) return bad_line(r, at, "the last line does not end");
    size_t end = (size_t)(newline - r->text);
    SLOE_TRY(read_line(r, at, end));
    at = end + 1;
  }
  for (size_t i = 0; i < sloe_fitted_card_section.n_keys; i++)
    if (card_keys[i].need && !(r->seen >> i & 1))
      return sloe_fail_at(r->err, SLOE_FORMAT, r->offset, "card: the key '%s' is missing",
                          card_keys[i].name);
  return SLOE_OK;
}

static const char *made_name(const sloe_fitted_card *v, sloe_arena *arena) {
  return sloe_arena_printf(arena, "%s-%s-%s%s%s", v->device_, v->runtime_, v->precision_,
                           *v->mode_ ? "-" : "", v->mode_);
}

/* "24 held-out networks", where the file says no more. */
static const char *validated_on(const sloe_fitted_card *v, sloe_arena *arena) {
  if (*v->validated_on_ || !(v->network_n_ > 0)) return v->validated_on_;
  return sloe_arena_printf(arena, "%.0f held-out networks", v->network_n_);
}

static sloe_status to_card(const reader *r, sloe_card *out, sloe_error *err) {
  const sloe_fitted_card *v = &r->values;
  int precision = sloe_pf_precision_index(v->precision_, strlen(v->precision_));
  if (precision < 0)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, r->offset,
                        "card: precision '%s' is not known (fp32, fp16, int8 are)", v->precision_);
  *out = (sloe_card){
      .name = made_name(v, r->arena),
      .path = "",
      .device = v->device_,
      .title = v->title_,
      .runtime = v->runtime_,
      .runtime_version = v->runtime_version_,
      .precision = (sloe_precision)precision,
      .mode = v->mode_,
      .source = SLOE_SOURCE_FITTED,
      .notes = v->notes_,
      .transfers = v->transfers_,
      .gpu_mhz = v->gpu_mhz_,
      .peak_gflops = NAN,
      .bandwidth_gbs = NAN,
      .launch_us = NAN,
      .memory_mb = v->memory_mb_,
      .memory_reserved_mb = v->memory_reserved_mb_,
      .power_cap_w = v->power_cap_w_,
      .validated_mape = v->network_mape_,
      .validated_on = validated_on(v, r->arena),
  };
  return out->name && out->validated_on ? SLOE_OK : no_memory(err);
}

static int or_0(double value) {
  return isnan(value) ? 0 : (int)value;
}

static sloe_status to_fusion(const reader *r, sloe_precision precision, sloe_fusion *out,
                             sloe_error *err) {
  const sloe_fitted_card *v = &r->values;
  *out = (sloe_fusion){.version = or_0(v->fusion_version_),
                       .precision = precision,
                       .compute_capability = or_0(v->fusion_capability_)};
  if (sloe_runtime_parse(v->fusion_, &out->runtime, NULL) == SLOE_OK) return SLOE_OK;
  return sloe_fail_at(err, SLOE_UNSUPPORTED, r->offset,
                      "card: the fusion rules of '%s' are not known to this version of sloe",
                      v->fusion_);
}

static void to_fitted(const reader *r, sloe_fitted *out) {
  const sloe_fitted_card *v = &r->values;
#define ERRORS(of)                                                                  \
  (sloe_fitted_errors){v->of##_n_, v->of##_mape_, v->of##_rmspe_, v->of##_max_ape_, \
                       v->of##_noise_mape_}
  out->reference_ms = v->reference_ms_;
  out->layer_errors = ERRORS(layer);
  out->network_errors = ERRORS(network);
  out->memory_errors = ERRORS(memory);
  out->power_errors = ERRORS(power);
#undef ERRORS
#define TAKE_TERM(name, doc) \
  out->power.coef[SLOE_POWER_##name] = isnan(v->power_##name##_) ? 0 : v->power_##name##_;
  SLOE_POWER_TERM_MAP(TAKE_TERM)
#undef TAKE_TERM
  out->power.error_90 = v->power_error_90_;
  out->points = v->points_;
  out->seconds = v->seconds_;
  out->created = v->created_;
  out->tool = v->tool_;
  out->seed = v->seed_;
  out->memory_buffers = *v->memory_of_ != 0;
  out->memory_kind = *v->memory_kind_ ? v->memory_kind_ : "process"; /* files before the key */
  out->environment = (const char *const(*)[2])r->environment;
  out->n_environment = r->n_environment;
}

sloe_status sloe_fitted_card_read(const char *text, size_t len, uint64_t offset,
                                  sloe_platform *platform, sloe_fitted *fitted, sloe_error *err) {
  reader r = {.text = text, .len = len, .offset = offset, .arena = &platform->arena, .err = err};
  SLOE_TRY(read_lines(&r));
  SLOE_TRY(to_card(&r, &platform->card, err));
  SLOE_TRY(to_fusion(&r, platform->card.precision, &platform->fusion, err));
  if (*r.values.memory_of_ && strcmp(r.values.memory_of_, BUFFERS) != 0)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, offset, "card: memory_of '%.16s' is not known",
                        r.values.memory_of_);
  to_fitted(&r, fitted);
  platform->reference_ms = fitted->reference_ms;
  return SLOE_OK;
}
