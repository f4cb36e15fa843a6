/* Names of methods and bounds. */
#include <string.h>

#include "base/error.h"

static const char *const methods[] = {
    [SLOE_METHOD_AUTO] = "auto",
    [SLOE_METHOD_LAYERS] = "layers",
    [SLOE_METHOD_NETWORK] = "network",
};
enum { N_METHODS = sizeof methods / sizeof methods[0] };

sloe_status sloe_method_parse(const char *text, sloe_method *out, sloe_error *err) {
  for (int i = 0; i < N_METHODS; i++)
    if (strcmp(methods[i], text) == 0) {
      *out = (sloe_method)i;
      return SLOE_OK;
    }
  return sloe_fail(err, SLOE_USAGE, "method '%.40s' is not known (auto, layers, network are)",
                   text);
}

const char *sloe_method_name(sloe_method method) {
  return (unsigned)method < N_METHODS ? methods[method] : "unknown";
}

const char *sloe_bound_name(sloe_bound bound) {
  switch (bound) {
#define SLOE_BOUND_TEXT(name, text) \
  case SLOE_BOUND_##name: return text;
    SLOE_BOUND_MAP(SLOE_BOUND_TEXT)
#undef SLOE_BOUND_TEXT
  }
  return "unknown";
}
