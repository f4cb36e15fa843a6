/* session.h: an opened device, and one measurement on it. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_SESSION_H
#define SLOE_CAMPAIGN_SESSION_H

#include "campaign/campaign.h"
#include "device/device.h"

struct sloe_session {
  sloe_arena arena;
  sloe_device *device;
  sloe_card card;
  sloe_map isolated; /* a spec's text -> index into isolated_ms; timed once a session */
  double *isolated_ms;
  size_t n_isolated, cap_isolated;
};

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
