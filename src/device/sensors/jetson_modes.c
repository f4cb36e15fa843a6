/* jetson_modes.c: the power modes of nvpmodel, and which one is set.
 *
 * /etc/nvpmodel.conf lists them all, so that none has to be set to know what it allows:
 *
 *   < POWER_MODEL ID=1 NAME=25W >
 *   CPU_ONLINE CORE_0 1
 *   TPC_POWER_GATING TPC_PG_MASK 240
 *   CPU_A78_0 MAX_FREQ 1344000         kHz
 *   GPU MAX_FREQ 918000000             Hz; -1: as fast as it can
 *   EMC MAX_FREQ 3199000000            Hz; 0: likewise
 *   < PM_CONFIG DEFAULT=1 >
 *
 * /var/lib/nvpmodel/status has the one that is set: "pmode:0001". Asking nvpmodel itself needs root
 * on some releases.
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "device/sensors/jetson_parts.h"

enum { CONF_LIMIT = 1 << 18 };

/* ---- nvpmodel.conf ---- */

typedef struct piece {
  const char *s;
  size_t len;
} piece;

static piece next_word(const char **at, const char *end) {
  while (*at < end && isspace((unsigned char)**at)) ++*at;
  piece w = {*at, 0};
  while (*at < end && !isspace((unsigned char)**at)) {
    ++*at;
    w.len++;
  }
  return w;
}

static int is(piece w, const char *text) {
  return w.len == strlen(text) && memcmp(w.s, text, w.len) == 0;
}

static int begins(piece w, const char *text) {
  return w.len >= strlen(text) && memcmp(w.s, text, strlen(text)) == 0;
}

/* "ID=1": the value, where the key is `key` */
static int value_of(piece w, const char *key, piece *out) {
  const size_t n = strlen(key);
  if (!begins(w, key) || w.len <= n || w.s[n] != '=') return 0;
  *out = (piece){w.s + n + 1, w.len - n - 1};
  return 1;
}

static void begin_mode(sloe_jetson *b, const char *at, const char *end) {
  sloe_jetson_mode mode = {.id = -1,
                           .gpu_max_mhz = NAN,
                           .emc_max_mhz = NAN,
                           .tpc_pg_mask = -1,
                           .fbp_pg_mask = -1,
                           .cpu_max_mhz = NAN};
  for (piece w, v; (w = next_word(&at, end)).len;) {
    int64_t id;
    if (value_of(w, "ID", &v) && sloe_parse_int(v.s, v.len, &id) && id >= 0 && id < 256)
      mode.id = (int)id;
    if (value_of(w, "NAME", &v))
      snprintf(mode.name, sizeof mode.name, "%.*s", (int)(v.len < 31 ? v.len : 31), v.s);
  }
  if (mode.id >= 0 && b->n_modes < SLOE_JETSON_MODES) b->modes[b->n_modes++] = mode;
}

static void read_default(sloe_jetson *b, const char *at, const char *end) {
  for (piece w, v; (w = next_word(&at, end)).len;) {
    int64_t id;
    if (value_of(w, "DEFAULT", &v) && sloe_parse_int(v.s, v.len, &id) && id >= 0 && id < 256)
      b->default_mode = (int)id;
  }
}

/* "< POWER_MODEL ...", "<PARAM ...": 1 where the lines that follow are a mode's. */
static int read_head(sloe_jetson *b, const char *at, const char *end) {
  const char *inner = at + 1;
  const piece what = next_word(&inner, end);
  if (is(what, "PM_CONFIG")) read_default(b, inner, end);
  if (!is(what, "POWER_MODEL")) return 0;
  begin_mode(b, inner, end);
  return b->n_modes > 0;
}

static void read_setting(sloe_jetson_mode *mode, const char *at, const char *end) {
  const piece what = next_word(&at, end), which = next_word(&at, end), text = next_word(&at, end);
  int64_t value;
  if (!sloe_parse_int(text.s, text.len, &value)) return;
  const double mhz = value > 0 ? (double)value / 1e6 : NAN;
  if (is(what, "GPU") && is(which, "MAX_FREQ"))
    mode->gpu_max_mhz = mhz;
  else if (is(what, "EMC") && is(which, "MAX_FREQ"))
    mode->emc_max_mhz = mhz;
  else if (is(which, "TPC_PG_MASK") && value >= 0)
    mode->tpc_pg_mask = value;
  else if (is(which, "FBP_PG_MASK") && value >= 0)
    mode->fbp_pg_mask = value;
  else if (is(what, "CPU_ONLINE"))
    mode->cpus += value == 1;
  else if (begins(what, "CPU_") && is(which, "MAX_FREQ") && value > 0)
    mode->cpu_max_mhz = fmax(mode->cpu_max_mhz, (double)value / 1e3);
}

static void read_conf(sloe_jetson *b, const char *text) {
  int in_mode = 0;
  while (*text) {
    const char *end = text + strcspn(text, "\n"), *at = text;
    while (at < end && isspace((unsigned char)*at)) at++;
    if (at < end && *at == '<')
      in_mode = read_head(b, at, end);
    else if (in_mode && at < end && *at != '#')
      read_setting(&b->modes[b->n_modes - 1], at, end);
    text = *end ? end + 1 : end;
  }
}

/* ---- the mode that is set ---- */

/* "MODE_15W_2CORE": "15w-2core" */
static const char *token_of(sloe_jetson *b, const char *name) {
  char token[SLOE_JETSON_NAME];
  size_t n = 0;
  if (strncmp(name, "MODE_", 5) == 0) name += 5;
  for (; *name && n + 1 < sizeof token; name++) {
    const int is_word = isalnum((unsigned char)*name) || *name == '.';
    if (is_word || n) token[n++] = is_word ? (char)tolower((unsigned char)*name) : '-';
  }
  token[n] = 0;
  return sloe_jetson_copy(b, token);
}

static int set_id(const sloe_jetson *b) {
  char text[128];
  int64_t id;
  const char *at =
      strstr(sloe_sys_text(b, "/var/lib/nvpmodel/status", text, sizeof text), "pmode:");
  if (!at) return -1;
  at += 6;
  return sloe_parse_int(at, strspn(at, "0123456789"), &id) && id < 256 ? (int)id : -1;
}

sloe_status sloe_jetson_find_mode(sloe_jetson *b, sloe_error *err) {
  char *text = sloe_alloc(CONF_LIMIT, 1);
  if (!text) return sloe_fail(err, SLOE_NOMEM, "out of memory reading nvpmodel.conf");
  b->default_mode = -1;
  if (sloe_sys_bytes(b, "/etc/nvpmodel.conf", text, CONF_LIMIT) > 0) read_conf(b, text);
  sloe_dealloc(text);
  b->board.mode_id = set_id(b);
  if (b->board.mode_id >= 0 && b->default_mode >= 0)
    b->board.is_default_mode = b->board.mode_id == b->default_mode;
  for (size_t i = 0; i < b->n_modes; i++) {
    if (b->modes[i].id != b->board.mode_id) continue;
    b->board.mode_name = b->modes[i].name;
    b->board.mode = token_of(b, b->modes[i].name);
    if (!b->board.mode) return sloe_fail(err, SLOE_NOMEM, "out of memory reading nvpmodel.conf");
  }
  return SLOE_OK;
}

size_t sloe_jetson_modes(const sloe_jetson *board, const sloe_jetson_mode **out) {
  *out = board->modes;
  return board->n_modes;
}
