/* jetson_board.c: which module it is, and which software is on it.
 *
 * The device tree's `compatible` names module and chip ("nvidia,p3768-0000+p3767-0005-super",
 * "nvidia,tegra234", a NUL behind each); memory decides between modules of one number. L4T stands
 * in /etc/nv_tegra_release, or is the version of the package nvidia-l4t-core.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "device/sensors/jetson_parts.h"

enum { COMPATIBLE = 1024, DPKG_LIMIT = 1 << 24 };

typedef struct module_row {
  const char *part, *device;
  double least_mb;
  int soc;
} module_row;

static const module_row modules[] = {
#define MODULE(part, device, least_mb, soc) {part, device, least_mb, soc},
#include "device/sensors/jetson_boards.def"
#undef MODULE
};

/* Of each chip: `tpcs` before any is switched off, `processors` where none can be. */
static const struct {
  int soc, compute_capability, tpcs, processors;
} chips[] = {{210, 53, 0, 0}, {186, 62, 0, 2}, {194, 72, 4, 0}, {234, 87, 8, 0}, {264, 110, 0, 0}};

static const struct {
  const char *l4t, *jetpack;
} jetpacks[] = {
#define JETPACK(l4t, jetpack) {l4t, jetpack},
#include "device/sensors/jetson_jetpacks.def"
#undef JETPACK
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory reading a board's sensors");
}

static int keep(sloe_jetson *b, const char **to, const char *text) {
  *to = sloe_jetson_copy(b, text);
  return *to != NULL;
}

/* ---- the module ---- */

static const module_row *find_module(const char *text, double memory_mb) {
  for (size_t i = 0; i < COUNT(modules); i++)
    if (strncmp(text, modules[i].part, strlen(modules[i].part)) == 0 &&
        !(memory_mb < modules[i].least_mb))
      return &modules[i];
  return NULL;
}

/* The first part number in a list of words with a NUL behind each that is a module's. */
static const module_row *find_in(const char *list, long len, double memory_mb, const char **part) {
  for (long i = 0; i + 5 < len; i++) {
    if (list[i] != 'p' || (i && list[i - 1] != ',' && list[i - 1] != '+')) continue;
    const module_row *row = find_module(list + i, memory_mb);
    *part = list + i;
    if (row) return row;
  }
  return NULL;
}

static int chip_in(const char *list, long len) {
  for (long i = 0; i < len; i += (long)strlen(list + i) + 1) {
    const char *at = strstr(list + i, "nvidia,tegra");
    if (at) return (int)strtol(at + 12, NULL, 10);
  }
  return 0;
}

static int take_chip(sloe_jetson *b, int soc) {
  char text[24];
  for (size_t i = 0; i < COUNT(chips); i++) {
    if (chips[i].soc != soc) continue;
    b->board.compute_capability = chips[i].compute_capability;
    b->tpcs = chips[i].tpcs;
    b->fixed_processors = chips[i].processors;
  }
  if (!soc) return 1;
  snprintf(text, sizeof text, "tegra%d", soc);
  return keep(b, &b->board.soc, text);
}

/* "p3767-0005" of "p3767-0005-super". */
static int take_module(sloe_jetson *b, const module_row *row, const char *part) {
  char text[16];
  snprintf(text, sizeof text, "%.10s", part);
  if (strcmp(row->part, "p2180") == 0) b->fixed_processors = 2;
  if (strncmp(row->part, "p3448", 5) == 0) b->fixed_processors = 1;
  return keep(b, &b->board.part, text) && keep(b, &b->board.device, row->device);
}

static sloe_status find_module_of(sloe_jetson *b, sloe_error *err) {
  char list[COMPATIBLE], title[256];
  const char *part = NULL;
  long len = sloe_sys_bytes(b, "/proc/device-tree/compatible", list, sizeof list);
  if (len <= 0)
    len = sloe_sys_bytes(b, "/sys/firmware/devicetree/base/compatible", list, sizeof list);
  sloe_sys_text(b, "/proc/device-tree/model", title, sizeof title);
  const module_row *row = len > 0 ? find_in(list, len, b->board.memory_mb, &part) : NULL;
  const int soc = len > 0 ? chip_in(list, len) : 0;
  if (!keep(b, &b->board.title, title) ||
      !take_chip(b, soc   ? soc
                    : row ? row->soc
                          : 0) ||
      (row && !take_module(b, row, part)))
    return out_of_memory(err);
  return SLOE_OK;
}

/* ---- the software ---- */

/* "# R36 (release), REVISION: 4.7, GCID: ..." */
static int read_release(const char *line, char *out, size_t size) {
  const char *revision = strstr(line, "REVISION: ");
  const size_t major = strspn(line[0] == '#' ? line + 3 : "", "0123456789");
  if (strncmp(line, "# R", 3) != 0 || !major || !revision) return 0;
  revision += 10;
  const int minor = (int)strspn(revision, "0123456789.");
  return minor &&
         snprintf(out, size, "%.*s.%.*s", (int)major, line + 3, minor, revision) < (int)size;
}

/* "Version: 36.4.7-20250918154033" of the package. */
static int read_package(const sloe_jetson *b, char *out, size_t size) {
  char *status = sloe_alloc(DPKG_LIMIT, 1);
  int found = 0;
  if (!status) return 0;
  if (sloe_sys_bytes(b, "/var/lib/dpkg/status", status, DPKG_LIMIT) > 0) {
    const char *at = strstr(status, "Package: nvidia-l4t-core\n");
    const char *end = at ? strstr(at, "\n\n") : NULL;
    at = at ? strstr(at, "\nVersion: ") : NULL;
    if (at && (!end || at < end)) {
      const int n = (int)strspn(at + 10, "0123456789.");
      found = n && snprintf(out, size, "%.*s", n, at + 10) < (int)size;
    }
  }
  sloe_dealloc(status);
  return found;
}

static const char *jetpack_of(const char *l4t) {
  for (size_t i = 0; *l4t && i < COUNT(jetpacks); i++) {
    const size_t n = strlen(jetpacks[i].l4t);
    if (strncmp(l4t, jetpacks[i].l4t, n) == 0 && (!l4t[n] || l4t[n] == '.'))
      return jetpacks[i].jetpack;
  }
  return "";
}

static sloe_status find_software(sloe_jetson *b, sloe_error *err) {
  char line[256], l4t[32] = "";
  sloe_sys_text(b, "/etc/nv_tegra_release", line, sizeof line);
  if (!read_release(line, l4t, sizeof l4t) && (!*b->board.soc || !read_package(b, l4t, sizeof l4t)))
    *l4t = 0;
  b->board.jetpack = jetpack_of(l4t);
  return keep(b, &b->board.l4t, l4t) ? SLOE_OK : out_of_memory(err);
}

sloe_status sloe_jetson_find_board(sloe_jetson *b, sloe_error *err) {
  b->board = (sloe_jetson_board){.device = "",
                                 .title = "",
                                 .part = "",
                                 .soc = "",
                                 .l4t = "",
                                 .jetpack = "",
                                 .mode_id = -1,
                                 .mode_name = "",
                                 .mode = "",
                                 .is_default_mode = -1};
  sloe_jetson_read_memory(b, &b->board.memory_mb);
  SLOE_TRY(find_module_of(b, err));
  return find_software(b, err);
}
