/* jetson.c: opening a board, and its state as pairs for those who keep it. */
#include "device/sensors/jetson.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "device/sensors/jetson_parts.h"

enum { ARENA_LIMIT = 1 << 20 };

static sloe_status copy_settings(sloe_jetson *b, const char *sysroot, const char *tegrastats,
                                 sloe_error *err) {
  size_t len = sysroot ? strlen(sysroot) : 0;
  while (len && sysroot[len - 1] == '/') len--;
  b->root = sloe_arena_strn(&b->arena, sysroot ? sysroot : "", len);
  b->tegrastats = sloe_jetson_copy(b, tegrastats ? tegrastats : len ? "" : "tegrastats");
  if (b->root && b->tegrastats) return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory opening a board");
}

sloe_status sloe_jetson_open(const char *sysroot, const char *tegrastats, sloe_jetson **out,
                             sloe_error *err) {
  sloe_jetson *b = sloe_alloc(1, sizeof *b);
  *out = NULL;
  if (!b) return sloe_fail(err, SLOE_NOMEM, "out of memory opening a board");
  *b = (sloe_jetson){.source = ""};
  sloe_arena_init(&b->arena, ARENA_LIMIT);
  sloe_status status = copy_settings(b, sysroot, tegrastats, err);
  if (status == SLOE_OK) status = sloe_jetson_find_board(b, err);
  if (status == SLOE_OK) status = sloe_jetson_find_mode(b, err);
  if (status == SLOE_OK) status = sloe_jetson_find_gpu(b, err);
  if (status == SLOE_OK) status = sloe_jetson_find_rails(b, err);
  if (status == SLOE_OK)
    *out = b;
  else
    sloe_jetson_close(b);
  return status;
}

void sloe_jetson_close(sloe_jetson *board) {
  if (!board) return;
  sloe_arena_fini(&board->arena);
  sloe_dealloc(board);
}

const sloe_jetson_board *sloe_jetson_describe(const sloe_jetson *board) {
  return &board->board;
}

/* ---- the state as pairs ---- */

const char *sloe_jetson_not_reproducible(const sloe_jetson *board,
                                         const sloe_jetson_clocks *clocks) {
  if (isnan(clocks->gpu_max_mhz)) return "the GPU's clock cannot be read";
  if (board->board.mode_id < 0) return "the power mode cannot be read";
  if (clocks->throttling > 0) return "it was throttling for its heat";
  return NULL;
}

typedef struct pairs {
  sloe_arena *arena;
  sloe_device_pair *list;
  size_t n;
  int failed;
} pairs;

static void add(pairs *p, const char *key, const char *value) {
  if (!value) p->failed = 1;
  if (value && *value && p->n < SLOE_JETSON_PAIRS) p->list[p->n++] = (sloe_device_pair){key, value};
}

static void add_number(pairs *p, const char *key, double value) {
  char buf[SLOE_NUMBER_BUF];
  if (!isnan(value)) add(p, key, sloe_arena_printf(p->arena, "%s", sloe_format_double(value, buf)));
}

static void add_int(pairs *p, const char *key, int64_t value, int64_t unknown) {
  if (value != unknown) add(p, key, sloe_arena_printf(p->arena, "%lld", (long long)value));
}

static void add_clocks(pairs *p, const sloe_jetson_clocks *c) {
  add_number(p, "gpu_mhz", c->gpu_mhz);
  add_number(p, "gpu_mhz_min", c->gpu_min_mhz);
  add_number(p, "gpu_mhz_max", c->gpu_max_mhz);
  if (c->gpu_locked >= 0) add(p, "clocks_locked", c->gpu_locked ? "yes" : "no");
  add_number(p, "emc_mhz", c->emc_mhz);
  add_number(p, "emc_mhz_cap", c->emc_cap_mhz);
  add_number(p, "cpu_mhz", c->cpu_mhz);
  add_number(p, "cpu_mhz_min", c->cpu_min_mhz);
  add_number(p, "cpu_mhz_max", c->cpu_max_mhz);
  add_int(p, "cpus_online", c->cpus_online, 0);
  add(p, "governor", sloe_arena_printf(p->arena, "%s", c->governor));
  add_int(p, "tpc_pg_mask", c->tpc_pg_mask, -1);
  add_int(p, "fbp_pg_mask", c->fbp_pg_mask, -1);
  add_int(p, "multiprocessors", c->multiprocessors, 0);
  add_number(p, "hottest_c", c->hottest_c);
  add_int(p, "throttling", c->throttling, -1);
}

sloe_status sloe_jetson_environment(const sloe_jetson *board, const sloe_jetson_clocks *clocks,
                                    sloe_arena *arena, sloe_device_pair list[SLOE_JETSON_PAIRS],
                                    size_t *n, sloe_error *err) {
  const sloe_jetson_board *b = &board->board;
  const char *why = sloe_jetson_not_reproducible(board, clocks);
  pairs p = {arena, list, 0, 0};
  add(&p, "reproducible", why ? sloe_arena_printf(arena, "no: %s", why) : "yes");
  add(&p, "board", sloe_arena_printf(arena, "%s", b->title));
  add(&p, "module", sloe_arena_printf(arena, "%s", b->part));
  add(&p, "soc", sloe_arena_printf(arena, "%s", b->soc));
  add(&p, "l4t", sloe_arena_printf(arena, "%s", b->l4t));
  add(&p, "jetpack", b->jetpack);
  add(&p, "power_mode", sloe_arena_printf(arena, "%s", b->mode_name));
  add_int(&p, "power_mode_id", b->mode_id, -1);
  add_clocks(&p, clocks);
  *n = p.failed ? 0 : p.n;
  return p.failed ? sloe_fail(err, SLOE_NOMEM, "out of memory describing a board") : SLOE_OK;
}
