/* session.h: an opened device, and one measurement on it. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_SESSION_H
#define SLOE_CAMPAIGN_SESSION_H

#include "campaign/campaign.h"
#include "device/device.h"

struct sloe_session {
  sloe_arena arena;
  sloe_device *device;
  sloe_card card;
  sloe_map isolated; /* a spec's text -> index into isolated_layers; once a session */
  struct sloe_isolated *isolated_layers;
  size_t n_isolated, cap_isolated;
};

/* A layer by itself (isolated.c). */
typedef struct sloe_isolated {
  double ms;                 /* NAN: it cannot be run */
  double power_w, energy_mj; /* in a long loop of it; NAN: not known */
  int asked;                 /* the sensor was */
} sloe_isolated;

/* From the session's memory, or measured now. power_s as in sloe_measure_options. */
sloe_status sloe_session_isolated(sloe_session *session, const sloe_layer_spec *spec,
                                  double power_s, sloe_isolated *out, sloe_error *err);

enum { SLOE_MEASURED_WARNINGS = 8 };

struct sloe_measured {
  sloe_arena arena;
  sloe_answer answer;
  sloe_result result;
  sloe_measured_extra extra;
  const char *warnings[SLOE_MEASURED_WARNINGS];
};

/* How a whole network is timed (Z 4.2), and whether what came out is noisy (measure.c). */
sloe_timing_options sloe_network_timing(const sloe_measure_options *options);
int sloe_is_noisy(const sloe_timing *timing);

#endif
