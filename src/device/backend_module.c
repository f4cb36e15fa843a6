/* backend_module.c: backends with a heavy library are modules that are loaded when one is asked
 * for, and then stay: such libraries leave threads and handlers behind that must not lose their
 * code.
 */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/opened.h"

#ifdef SLOE_ALONE

sloe_status sloe_backend_load(const char *modules, const char *name, const sloe_backend **out,
                              sloe_error *err) {
  (void)modules;
  *out = NULL;
  return sloe_fail(err, SLOE_UNSUPPORTED, "backend %s: a module, and this sloe loads none", name);
}

int sloe_backend_has_module(const char *modules, const char *name) {
  (void)modules;
  (void)name;
  return 0;
}

#else

enum { PATH_LENGTH = 4096 };

/* The folder of the library or program that this code is in; "" where it cannot be told. */
static void own_folder(char *buf, size_t size) {
  static const char here;
  Dl_info info;
  const char *slash = NULL;
  *buf = 0;
  if (dladdr(&here, &info) && info.dli_fname) slash = strrchr(info.dli_fname, '/');
  if (!slash || (size_t)(slash - info.dli_fname) >= size) return;
  memcpy(buf, info.dli_fname, (size_t)(slash - info.dli_fname));
  buf[slash - info.dli_fname] = 0;
}

/* libsloe-NAME.so in the folder `modules`, or beside this library where that is NULL. */
static void find_path(const char *modules, const char *name, char *path, size_t size) {
  char folder[3000];
  if (modules)
    snprintf(folder, sizeof folder, "%s", modules);
  else
    own_folder(folder, sizeof folder);
  snprintf(path, size, "%s%slibsloe-%s.so", folder, *folder ? "/" : "", name);
}

int sloe_backend_has_module(const char *modules, const char *name) {
  char path[PATH_LENGTH];
  find_path(modules, name, path, sizeof path);
  return strchr(path, '/') && access(path, R_OK) == 0;
}

static void *load(const char *modules, const char *name) {
  enum { HOW = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE };
  char path[PATH_LENGTH];
  find_path(modules, name, path, sizeof path);
  void *library = strchr(path, '/') ? dlopen(path, HOW) : NULL;
  if (library || modules) return library;
  const char *slash = strrchr(path, '/');
  return dlopen(slash ? slash + 1 : path, HOW); /* where the system looks */
}

sloe_status sloe_backend_load(const char *modules, const char *name, const sloe_backend **out,
                              sloe_error *err) {
  char symbol[64];
  *out = NULL;
  void *library = load(modules, name);
  if (!library) {
    const char *why = dlerror();
    return sloe_fail(err, SLOE_UNSUPPORTED, "backend %s: no module: %.180s", name,
                     why ? why : "not found");
  }
  snprintf(symbol, sizeof symbol, "sloe_backend_%s", name);
  *out = dlsym(library, symbol);
  dlclose(library); /* stays, by RTLD_NODELETE */
  if (*out && (*out)->contract == SLOE_BACKEND_CONTRACT && strcmp((*out)->name, name) == 0)
    return SLOE_OK;
  *out = NULL;
  return sloe_fail(err, SLOE_UNSUPPORTED,
                   "backend %s: the module libsloe-%s.so is of another build of sloe", name, name);
}

#endif
