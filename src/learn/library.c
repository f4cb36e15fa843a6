#include "learn/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

sloe_status sloe_library_open(const char *file, const char *package,
                              const sloe_library_function *functions, size_t n, sloe_error *err) {
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s is not there (Debian: %s)", file, package);
  for (size_t i = 0; i < n; i++) {
    void *const function = dlsym(library, functions[i].name);
    if (!function) return sloe_fail(err, SLOE_UNSUPPORTED, "%s lacks %s", file, functions[i].name);
    memcpy(functions[i].at, &function, sizeof function);
  }
  return SLOE_OK;
}
