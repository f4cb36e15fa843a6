/* trt_load.c: a steady load, and what the sensors show under it.
 *
 * The load is a trtexec of its own that runs the engine back to back until it is killed. How many
 * inferences end meanwhile follows from the period that the latency pass, under the same flags, had
 * from one to the next.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "device/trtexec/trtexec.h"

enum { LOAD_S = 600, START_S = 120, COOL_S = 60 };

static void sleep_s(double seconds) {
  const long ns = (long)((seconds - floor(seconds)) * 1e9);
  nanosleep(&(struct timespec){(time_t)seconds, ns}, NULL);
}

/* ---- the load ---- */

/* Does it say that inferences are under way? Something is said in every version. */
static int is_running(const sloe_trtexec *t) {
  char *text;
  size_t len;
  if (sloe_trtexec_read_output(t, &text, &len, NULL) != SLOE_OK) return 0;
  const int yes = strstr(text, "Starting inference") || strstr(text, "Average o");
  sloe_dealloc(text);
  return yes;
}

static sloe_status lost(sloe_trtexec *t, sloe_trtexec_job *j, sloe_error *err) {
  char how[SLOE_TRTEXEC_HOW];
  sloe_trtexec_how(&j->load.outcome, how);
  sloe_trtexec_log(t, "# %s", how);
  return sloe_fail(err, SLOE_DEVICE, "under load: trtexec ended (%s)", how);
}

static sloe_status wait_until_running(sloe_trtexec *t, sloe_trtexec_job *j, sloe_error *err) {
  const double limit_s = fmin(t->set.timeout_s, START_S);
  while (!is_running(t)) {
    if (sloe_trtexec_has_ended(&j->load)) return lost(t, j, err);
    if (sloe_trtexec_now() - j->load.began_s > limit_s) {
      sloe_trtexec_stop(&j->load);
      return sloe_fail(err, SLOE_DEVICE, "under load: trtexec hung: nothing runs after %.0f s",
                       limit_s);
    }
    sleep_s(0.005);
  }
  j->load_began_s = sloe_trtexec_now();
  j->load_told = 0;
  return SLOE_OK;
}

static sloe_status start_load(sloe_trtexec *t, sloe_trtexec_job *j, sloe_error *err) {
  sloe_trtexec_pass pass = j->pass;
  sloe_arena arena;
  pass.times = NULL;
  pass.seconds = LOAD_S;
  sloe_arena_init(&arena, 1 << 20);
  sloe_trtexec_words words = {.arena = &arena};
  sloe_trtexec_pass_words(&t->tool, &pass, &words);
  sloe_status status =
      words.failed ? sloe_fail(err, SLOE_NOMEM, "out of memory loading the device") : SLOE_OK;
  if (status == SLOE_OK) {
    sloe_trtexec_log_words(t, words.word);
    status = sloe_trtexec_start(words.word, t->output, &j->load, err);
  }
  sloe_arena_fini(&arena);
  return status == SLOE_OK ? wait_until_running(t, j, err) : status;
}

/* As many as have ended since it was told last. */
static uint64_t count_ended(sloe_trtexec_job *j) {
  const double passed_ms = (sloe_trtexec_now() - j->load_began_s) * 1e3;
  const uint64_t all = (uint64_t)(passed_ms / j->latency.period_ms);
  const uint64_t since = all - j->load_told;
  j->load_told = all;
  return since;
}

sloe_status sloe_trtexec_keep_busy(void *state, void *job, uint64_t ns, uint64_t *count,
                                   sloe_error *err) {
  sloe_trtexec *t = state;
  sloe_trtexec_job *j = job;
  *count = 0;
  if (!ns) {
    sloe_trtexec_stop(&j->load);
    return SLOE_OK;
  }
  if (!j->load.pid) SLOE_TRY(start_load(t, j, err));
  while (!*count) {
    sleep_s(fmax((double)ns / 1e9, 1e-4));
    if (sloe_trtexec_has_ended(&j->load)) return lost(t, j, err);
    *count = count_ended(j);
  }
  return SLOE_OK;
}

/* ---- sensors ---- */

/* Where no file can be read, tegrastats is asked all the time; the energy that it counted since it
   began is a counter. */
static sloe_status ask_meter(sloe_trtexec *t, sloe_device_sensor *out, sloe_error *err) {
  sloe_jetson_draw draw;
  if (t->has_no_meter) return SLOE_OK;
  if (!t->meter) {
    const sloe_status status = sloe_jetson_meter_start(t->board, 0, &t->meter, err);
    t->has_no_meter = status == SLOE_UNSUPPORTED;
    if (t->has_no_meter) return SLOE_OK;
    SLOE_TRY(status);
    sleep_s(0.5); /* until it has said something */
  }
  const int is_gpu = !strcmp(t->set.rail, "gpu");
  SLOE_TRY(sloe_jetson_meter_window(t->meter, 0, 0, &draw, err));
  const sloe_jetson_rail_draw *rail = is_gpu ? &draw.gpu : &draw.input;
  if (draw.samples < 2 || isnan(rail->energy_mj)) return SLOE_OK;
  *out = (sloe_device_sensor){NAN, rail->energy_mj, sloe_jetson_now_ns(), is_gpu ? "gpu" : "input"};
  return SLOE_OK;
}

sloe_status sloe_trtexec_sensor(void *state, sloe_device_sensor *out, sloe_error *err) {
  sloe_trtexec *t = state;
  *out = (sloe_device_sensor){NAN, NAN, 0, ""};
  if (*sloe_jetson_power_source(t->board))
    return sloe_jetson_sensor(t->board, t->set.rail, out, err);
  return ask_meter(t, out, err);
}

/* ---- clocks ---- */

void sloe_trtexec_cool(sloe_trtexec *t) {
  sloe_jetson_clocks now;
  if (t->clocks.throttling > 0) return; /* it always says so */
  for (int i = 0; i < COOL_S; i++) {
    sloe_jetson_read_clocks(t->board, &now);
    if (!(now.throttling > 0)) return;
    sleep_s(1);
  }
}

static int differ(double a, double b) {
  return fabs(a - b) > 0.5; /* MHz; not where one is not known */
}

sloe_status sloe_trtexec_check_clocks(sloe_trtexec *t, sloe_error *err) {
  const sloe_jetson_clocks *then = &t->clocks;
  sloe_jetson_clocks now;
  sloe_jetson_read_clocks(t->board, &now);
  if (differ(now.gpu_max_mhz, then->gpu_max_mhz) || differ(now.gpu_min_mhz, then->gpu_min_mhz) ||
      now.tpc_pg_mask != then->tpc_pg_mask)
    return sloe_fail(err, SLOE_DEVICE,
                     "the GPU's clock was limited to %.0f..%.0f MHz, now it is to %.0f..%.0f: open "
                     "the device anew",
                     then->gpu_min_mhz, then->gpu_max_mhz, now.gpu_min_mhz, now.gpu_max_mhz);
  if (now.throttling > 0 && !(then->throttling > 0))
    return sloe_fail(err, SLOE_DEVICE, "the board throttles at %.0f degrees (%s): let it cool",
                     now.hottest_c, now.hottest);
  return SLOE_OK;
}
