/* jetson_power.c: the INA3221 of a board, by the files of either kernel.
 *
 *   JetPack 5 and later   /sys/bus/i2c/drivers/ina3221/BUS-ADDRESS/hwmon/hwmonN/ or
 *                         /sys/class/hwmon/hwmonN/ where `name` is ina3221:
 *                         in1_label, in1_input (mV), curr1_input (mA), likewise 2 and 3; in4 and
 *                         above are shunts and sums
 *   JetPack 4 and before  /sys/bus/i2c/drivers/ina3221x/BUS-ADDRESS/iio:deviceN/:
 *                         rail_name_0, in_power0_input (mW), likewise 1 and 2
 *
 * A channel without a label, or labelled NC, is none: what it measures is not known. Numbers of
 * hwmon differ from one start to the next and are never relied upon.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "device/sensors/jetson_parts.h"

enum { CHANNELS = 3 };

static const double MOST_W = 1000;

typedef struct rail_search {
  sloe_jetson *b;
  int failed;
} rail_search;

/* ---- finding them ---- */

static const char *path_of(sloe_jetson *b, const char *folder, const char *format, int channel) {
  char name[64];
  snprintf(name, sizeof name, format, channel);
  return sloe_arena_printf(&b->arena, "%s/%s", folder, name);
}

static int is_rail(const char *label) {
  return *label && strcmp(label, "NC") != 0;
}

static void add_rail(rail_search *s, const char *label, const char *watts, const char *amps,
                     int needs_amps) {
  sloe_jetson *b = s->b;
  if (!watts || (needs_amps && !amps)) {
    s->failed = 1;
    return;
  }
  if (b->n_rails == SLOE_JETSON_RAILS) return;
  if (isnan(sloe_sys_number(b, watts)) || (amps && isnan(sloe_sys_number(b, amps)))) return;
  sloe_rail_files *rail = &b->rail[b->n_rails++];
  snprintf(rail->name, sizeof rail->name, "%s", label);
  rail->watts = watts;
  rail->amps = amps;
}

static int look_at_hwmon(void *context, const char *path) {
  rail_search *s = context;
  char text[SLOE_JETSON_NAME], name[32];
  if (strcmp(sloe_sys_text_in(s->b, path, "name", text, sizeof text), "ina3221") != 0) return 0;
  for (int i = 1; i <= CHANNELS; i++) {
    snprintf(name, sizeof name, "in%d_label", i);
    if (!is_rail(sloe_sys_text_in(s->b, path, name, text, sizeof text))) continue;
    add_rail(s, text, path_of(s->b, path, "in%d_input", i), path_of(s->b, path, "curr%d_input", i),
             1);
  }
  const double ms = sloe_sys_number_in(s->b, path, "update_interval");
  if (ms > 0) s->b->update_ms = fmax(s->b->update_ms, ms);
  return s->failed;
}

static int look_at_iio(void *context, const char *path) {
  rail_search *s = context;
  char text[SLOE_JETSON_NAME], name[32];
  for (int i = 0; i < CHANNELS; i++) {
    snprintf(name, sizeof name, "rail_name_%d", i);
    if (is_rail(sloe_sys_text_in(s->b, path, name, text, sizeof text)))
      add_rail(s, text, path_of(s->b, path, "in_power%d_input", i), NULL, 0);
  }
  return s->failed;
}

static int look_below_driver(void *context, const char *path) {
  rail_search *s = context;
  char folder[SLOE_SYS_PATH];
  if (snprintf(folder, sizeof folder, "%s/hwmon", path) < SLOE_SYS_PATH)
    sloe_sys_each(s->b, folder, "hwmon", look_at_hwmon, s);
  return s->failed;
}

static int look_below_old_driver(void *context, const char *path) {
  rail_search *s = context;
  sloe_sys_each(s->b, path, "iio", look_at_iio, s);
  return s->failed;
}

static void name_rails(sloe_jetson *b, const char *source) {
  const char *names[SLOE_JETSON_RAILS];
  for (size_t i = 0; i < b->n_rails; i++) names[i] = b->rail[i].name;
  sloe_rails_input(names, b->n_rails, &b->input);
  sloe_rails_gpu(names, b->n_rails, &b->on_gpu);
  b->source = source;
}

sloe_status sloe_jetson_find_rails(sloe_jetson *b, sloe_error *err) {
  static const struct {
    const char *folder, *prefix, *source;
    int (*look)(void *context, const char *path);
  } ways[] = {{"/sys/bus/i2c/drivers/ina3221", "", "ina3221", look_below_driver},
              {"/sys/class/hwmon", "hwmon", "ina3221", look_at_hwmon},
              {"/sys/bus/i2c/drivers/ina3221x", "", "ina3221x", look_below_old_driver}};
  rail_search s = {b, 0};
  b->source = "";
  b->update_ms = NAN;
  for (size_t i = 0; i < sizeof ways / sizeof *ways && !b->n_rails && !s.failed; i++) {
    sloe_sys_each(b, ways[i].folder, ways[i].prefix, ways[i].look, &s);
    if (b->n_rails) name_rails(b, ways[i].source);
  }
  return s.failed ? sloe_fail(err, SLOE_NOMEM, "out of memory looking for rails") : SLOE_OK;
}

const char *sloe_jetson_power_source(const sloe_jetson *board) {
  return board->source;
}

/* ---- reading them ---- */

static double read_rail(const sloe_jetson *b, const sloe_rail_files *rail) {
  const double first = sloe_sys_number(b, rail->watts);
  const double watts = rail->amps ? first * sloe_sys_number(b, rail->amps) / 1e6 : first / 1e3;
  return fabs(watts) <= MOST_W ? fmax(watts, 0) : NAN; /* a shunt's error may be below 0 */
}

size_t sloe_jetson_read_rails(const sloe_jetson *b, double watts[SLOE_JETSON_RAILS]) {
  size_t n = 0;
  for (size_t i = 0; i < b->n_rails; i++) {
    watts[i] = read_rail(b, &b->rail[i]);
    n += !isnan(watts[i]);
  }
  return n;
}

double sloe_jetson_added(const sloe_rails *rails, const double *watts) {
  double sum = rails->n ? 0 : NAN;
  for (size_t i = 0; i < rails->n; i++) sum += watts[rails->index[i]];
  return sum;
}

uint64_t sloe_jetson_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

sloe_status sloe_jetson_read_power(sloe_jetson *board, sloe_jetson_power *out, sloe_error *err) {
  *out = (sloe_jetson_power){.at_ns = sloe_jetson_now_ns(),
                             .n_rails = board->n_rails,
                             .input_w = NAN,
                             .gpu_w = NAN,
                             .input_rail = board->input.text,
                             .gpu_rail = board->on_gpu.text};
  if (!board->n_rails) return SLOE_OK;
  if (!sloe_jetson_read_rails(board, out->rail_w))
    return sloe_fail(err, SLOE_DEVICE, "%s: none of its %zu rails can be read any more",
                     board->source, board->n_rails);
  for (size_t i = 0; i < board->n_rails; i++)
    memcpy(out->rail[i].name, board->rail[i].name, sizeof out->rail[i].name);
  out->input_w = sloe_jetson_added(&board->input, out->rail_w);
  out->gpu_w = sloe_jetson_added(&board->on_gpu, out->rail_w);
  return SLOE_OK;
}

sloe_status sloe_jetson_sensor(sloe_jetson *board, const char *rail, sloe_device_sensor *out,
                               sloe_error *err) {
  sloe_jetson_power power;
  const int is_gpu = rail && strcmp(rail, "gpu") == 0;
  *out = (sloe_device_sensor){NAN, NAN, 0, ""};
  SLOE_TRY(sloe_jetson_read_power(board, &power, err));
  const double watts = is_gpu ? power.gpu_w : power.input_w;
  if (!(is_gpu ? board->on_gpu.n : board->input.n)) return SLOE_OK;
  *out = (sloe_device_sensor){watts, NAN, power.at_ns, is_gpu ? "gpu" : "input"};
  return SLOE_OK;
}
