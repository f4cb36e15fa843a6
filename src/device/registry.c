/* registry.c: which backends there are, and opening one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "device/opened.h"

#define BUILTIN(name, doc) extern const sloe_backend sloe_backend_##name;
#define COMMAND(name, doc) BUILTIN(name, doc)
#define MODULE(name, doc)
#include "device/backends.def"
#undef BUILTIN
#undef MODULE

typedef struct backend_row {
  const char *name, *doc;
  const sloe_backend *builtin; /* NULL: a module */
  int is_command;
} backend_row;

static const backend_row rows[] = {
#undef COMMAND
#define BUILTIN(name, doc) {#name, doc, &sloe_backend_##name, 0},
#define COMMAND(name, doc) {#name, doc, &sloe_backend_##name, 1},
#define MODULE(name, doc)  {#name, doc, NULL, 0},
#include "device/backends.def"
#undef BUILTIN
#undef COMMAND
#undef MODULE
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static sloe_status find_backend(const backend_row *row, const char *modules,
                                const sloe_backend **out, sloe_error *err) {
  *out = row->builtin;
  return *out ? SLOE_OK : sloe_backend_load(modules, row->name, out, err);
}

void sloe_backend_each(const char *modules, sloe_backend_fn fn, void *context) {
  for (size_t i = 0; i < N_ROWS; i++) {
    const sloe_backend *backend;
    sloe_error err;
    const char *why = NULL;
    if (!rows[i].builtin && !sloe_backend_has_module(modules, rows[i].name) &&
        sloe_backend_load(modules, rows[i].name, &backend, &err) != SLOE_OK)
      why = err.msg;
    fn(context, rows[i].name, rows[i].doc, why);
  }
}

static sloe_status find_row(const char *name, const backend_row **out, sloe_error *err) {
  char list[120] = "";
  for (size_t i = 0; i < N_ROWS; i++) {
    const size_t len = strlen(list);
    if (strcmp(rows[i].name, name) == 0) {
      *out = &rows[i];
      return SLOE_OK;
    }
    snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "", rows[i].name);
  }
  return sloe_fail(err, SLOE_USAGE, "no backend '%.60s'; there are: %s", name, list);
}

/* ---- devices ---- */

static char *copy(const char *s) {
  const size_t n = strlen(s) + 1;
  char *to = sloe_alloc(n, 1);
  if (to) memcpy(to, s, n);
  return to;
}

static sloe_device_info unknown_info(void) {
  return (sloe_device_info){.device = "",
                            .title = "",
                            .runtime = "",
                            .version = "",
                            .precision = "",
                            .mode = "",
                            .batch = 1,
                            .threads = 1,
                            .memory_mb = NAN,
                            .layer_s = NAN,
                            .network_s = NAN};
}

/* What stands behind the colon. */
static sloe_status read_options(const backend_row *row, char *text, sloe_backend_options *out,
                                sloe_error *err) {
  if (!row->is_command) return sloe_backend_options_read(row->name, text, out, err);
  *out = (sloe_backend_options){.pair = {{"command", text ? text : ""}}, .n = 1};
  return SLOE_OK;
}

static sloe_status open_backend(sloe_device *device, const char *modules, sloe_error *err) {
  const backend_row *row = NULL;
  char *colon = strchr(device->keys, ':');
  if (colon) *colon = 0;
  SLOE_TRY(find_row(device->keys, &row, err));
  SLOE_TRY(read_options(row, colon ? colon + 1 : NULL, &device->options, err));
  SLOE_TRY(find_backend(row, modules, &device->backend, err));
  const sloe_status status =
      device->backend->open(&device->options, &device->state, &device->info, err);
  return status == SLOE_OK ? status : sloe_fail_in(err, status, "backend %s", row->name);
}

sloe_status sloe_device_open(const char *backend, const char *modules, sloe_device **out,
                             sloe_error *err) {
  *out = NULL;
  sloe_device *device = sloe_alloc(1, sizeof *device);
  if (!device) return sloe_fail(err, SLOE_NOMEM, "out of memory opening '%.60s'", backend);
  *device = (sloe_device){
      .info = unknown_info(), .text = copy(backend), .keys = copy(backend), .idle_w = NAN};
  sloe_status status = device->text && device->keys
                           ? open_backend(device, modules, err)
                           : sloe_fail(err, SLOE_NOMEM, "out of memory opening a backend");
  if (status == SLOE_OK)
    *out = device;
  else
    sloe_device_close(device);
  return status;
}

void sloe_device_close(sloe_device *device) {
  if (!device) return;
  sloe_job_unload(device->reference);
  if (device->backend && device->state) device->backend->close(device->state);
  sloe_dealloc(device->keys);
  sloe_dealloc(device->text);
  sloe_dealloc(device);
}

const sloe_device_info *sloe_device_describe(const sloe_device *device) {
  return &device->info;
}

const char *sloe_device_backend(const sloe_device *device) {
  return device->text;
}
