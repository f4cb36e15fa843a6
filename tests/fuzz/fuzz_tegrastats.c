/* Any bytes to the reader of tegrastats' logs. What must hold:
 *  - a refusal has a message and gives no list; nothing is left allocated
 *  - no figure is below 0 but temperatures, no mean above its peak, no load above what one line
 * told
 *  - the input names rails that the log has; samples make up no more than its lines
 *  - twice gives the same
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "device/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok) {
  if (!ok) __builtin_trap();
}

/* Either unknown, or not below `least`. */
static int at_least(double value, double least) {
  return isnan(value) || isnan(least) || value >= least - 1e-9 * (1 + fabs(least));
}

static void check_draw(const sloe_tegrastats_draw *d) {
  check(at_least(d->mean_w, 0) && at_least(d->peak_w, d->mean_w) && at_least(d->sd_w, 0));
  check(at_least(d->energy_j, 0) && at_least(d->peak_w, d->idle_w));
  check(isnan(d->mean_w) || *d->rails);
  check(memchr(d->rails, 0, sizeof d->rails) != NULL);
}

static void check_summary(const sloe_tegrastats_summary *s) {
  check(s->samples > 0 && s->seconds > 0 && isfinite(s->seconds) && s->interval_s > 0);
  check(s->line > 0 && s->n_rails <= SLOE_TEGRASTATS_RAILS);
  check(s->n_idle + s->n_busy <= s->samples);
  check(s->memory_first_mb >= 0 && at_least(s->memory_peak_mb, s->memory_mb));
  check(at_least(s->gpu_mhz_max, s->gpu_mhz_min) && at_least(s->gpu_load_max, s->gpu_load));
  check(at_least(s->hottest_c, s->gpu_c_max));
  check(s->cpus_online <= s->cpus);
  check_draw(&s->input);
  check_draw(&s->gpu);
}

typedef struct answer {
  sloe_arena arena;
  sloe_tegrastats_summary *list;
  size_t n;
  sloe_error err;
  sloe_status status;
} answer;

static void ask(const uint8_t *data, size_t size, answer *out) {
  *out = (answer){.list = (sloe_tegrastats_summary *)out};
  sloe_arena_init(&out->arena, (size_t)1 << 26);
  out->status =
      sloe_tegrastats_read((const char *)data, size, &out->arena, &out->list, &out->n, &out->err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const long live = sloe_alloc_live();
  size_t samples = 0, lines = 1;
  answer once, again;
  ask(data, size, &once);
  ask(data, size, &again);
  check(once.status == again.status && once.n == again.n);
  check((once.status == SLOE_OK) == (once.list != NULL));
  if (once.status != SLOE_OK) check(once.err.code == once.status && *once.err.msg && !once.n);
  for (size_t i = 0; i < size; i++) lines += data[i] == '\n';
  for (size_t i = 0; i < once.n; i++) {
    const sloe_tegrastats_summary *s = &once.list[i];
    check_summary(s);
    check(memcmp(&s->seconds, &again.list[i].seconds, sizeof s->seconds) == 0);
    samples += s->samples;
  }
  check(samples <= lines);
  sloe_arena_fini(&once.arena);
  sloe_arena_fini(&again.arena);
  check(sloe_alloc_live() == live);
  return 0;
}
