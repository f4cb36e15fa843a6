/* jetson_meter.h: the readings that a meter keeps. Private to sensors/.
 *
 * Each reading has the energy of every rail since the meter began, so that a window's is a
 * difference and old readings can be thinned out without changing it: when there is no more room,
 * every second one goes.
 */
#ifndef SLOE_DEVICE_JETSON_METER_H
#define SLOE_DEVICE_JETSON_METER_H

#include <pthread.h>

#include "device/agent/agent_child.h"
#include "device/agent/agent_wire.h"
#include "device/sensors/jetson_parts.h"

enum { SLOE_METER_READINGS = 1 << 16 };

typedef struct sloe_meter_reading {
  uint64_t at_ns;
  double energy_mj[SLOE_JETSON_RAILS];
  float watts[SLOE_JETSON_RAILS]; /* NAN: silent */
  float gpu_mhz, gpu_load, hottest_c, memory_mb;
  int throttling;
} sloe_meter_reading;

struct sloe_jetson_meter {
  const sloe_jetson *b;
  const char *source;
  int period_ms;
  pthread_t thread;
  pthread_mutex_t mutex; /* of all below but the child */
  pthread_cond_t ends;
  int is_over;
  sloe_status status; /* what ended it */
  sloe_error why;
  size_t n_rails;
  char name[SLOE_JETSON_RAILS][SLOE_JETSON_NAME];
  double last_w[SLOE_JETSON_RAILS]; /* that a silent rail is taken to draw still */
  sloe_rails input, on_gpu;
  sloe_meter_reading *readings;
  size_t n, cap;
  /* the thread's own */
  sloe_agent_child child;
  sloe_agent_lines lines;
  sloe_jetson_heat heat;
  double memory_mb;
  unsigned turn;
};

/* Adds a reading and sets its energy, from that of the one before. Errors: NOMEM. */
sloe_status sloe_meter_keep(sloe_jetson_meter *m, sloe_meter_reading *r, sloe_error *err);

#endif
