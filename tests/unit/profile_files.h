/* profile_files.h: whole profiles in the tests' folder, and the platforms that come out. Any
 * failure fails the test at once. */
#ifndef SLOE_TESTS_PROFILE_FILES_H
#define SLOE_TESTS_PROFILE_FILES_H

#include <math.h>

#include "campaign/campaign.h"
#include "platform/fitted_format.h"
#include "platform/platform.h"
#include "unit/store_files.h"

/* `only` NULL: everything. Into NAME.sloe, with the store DB. */
static inline sloe_status profile_try(const char *backend, const char *only, const char *out,
                                      const char *db, const sloe_watch *watch,
                                      sloe_profile_summary *summary, sloe_error *err) {
  const sloe_profile_options options = {
      .backend = backend, .out = store_path(out), .db = store_path(db), .only = only};
  return sloe_profile(&options, watch, summary, err);
}

static inline sloe_profile_summary profile(const char *backend, const char *only, const char *out,
                                           const char *db) {
  sloe_profile_summary summary;
  sloe_error err = {0};
  assert_ok(profile_try(backend, only, out, db, NULL, &summary, &err), err);
  return summary;
}

static inline sloe_platform *profile_open(const char *name) {
  sloe_platform *platform;
  sloe_error err;
  assert_ok(sloe_platform_open(store_path(name), NULL, &platform, &err), err);
  assert_non_null(platform->fitted);
  return platform;
}

/* The file's bytes without the day and how long it took. sloe_text_fini. */
static inline sloe_text profile_bytes(const char *name) {
  sloe_platform *platform = profile_open(name);
  sloe_fitted_platform same = {platform->card, platform->fusion, *platform->fitted,
                               platform->networks};
  sloe_text bytes = {0};
  sloe_error err = {0};
  same.fitted.created = "";
  same.fitted.seconds = 0;
  assert_ok(sloe_fitted_encode(&same, &bytes, &err), err);
  sloe_platform_free(platform);
  return bytes;
}

static inline int profile_same(const char *a, const char *b) {
  sloe_text p = profile_bytes(a), q = profile_bytes(b);
  const int same = p.len == q.len && memcmp(p.data, q.data, p.len) == 0;
  sloe_text_fini(&p);
  sloe_text_fini(&q);
  return same;
}

/* What the platform says of a network, ms. */
static inline double profile_estimate(const sloe_platform *platform, const char *net_text) {
  sloe_net *net;
  sloe_layers *layers;
  sloe_estimate *estimate;
  sloe_error err;
  assert_ok(sloe_net_open(net_text, NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, sloe_platform_fusion(platform), &layers, &err), err);
  assert_ok(sloe_estimate_new(layers, platform, NULL, &estimate, &err), err);
  const sloe_figure figure = sloe_estimate_get(estimate)->latency_ms;
  assert_true(figure.source == SLOE_SOURCE_FITTED);
  if (!(figure.low <= figure.value && figure.value <= figure.high && figure.low > 0))
    fail_msg("%s: %g <= %g <= %g", net_text, figure.low, figure.value, figure.high);
  sloe_estimate_free(estimate);
  sloe_layers_free(layers);
  sloe_net_free(net);
  return figure.value;
}

#endif
