/* enums.c: names of runtimes, precisions and layer kinds. */
#include <string.h>

#include "base/error.h"

static const char *const RUNTIMES[] = {
#define ROW(name, text) text,
    SLOE_RUNTIME_MAP(ROW)
#undef ROW
};
static const char *const PRECISIONS[] = {
#define ROW(name, text, bytes) text,
    SLOE_PRECISION_MAP(ROW)
#undef ROW
};
static const size_t PRECISION_BYTES[] = {
#define ROW(name, text, bytes) bytes,
    SLOE_PRECISION_MAP(ROW)
#undef ROW
};
static const char *const KINDS[] = {
#define ROW(name, text, doc) text,
    SLOE_LAYER_KIND_MAP(ROW)
#undef ROW
};

sloe_status sloe_runtime_parse(const char *text, sloe_runtime *out, sloe_error *err) {
  for (int i = 0; i < SLOE_RUNTIME_COUNT; i++) {
    if (!text || strcmp(text, RUNTIMES[i])) continue;
    *out = (sloe_runtime)i;
    return SLOE_OK;
  }
#define NAME(name, text) " " text
  return sloe_fail(err, SLOE_USAGE, "unknown runtime '%.60s': one of" SLOE_RUNTIME_MAP(NAME),
                   text ? text : "");
#undef NAME
}

sloe_status sloe_precision_parse(const char *text, sloe_precision *out, sloe_error *err) {
  for (int i = 0; i < SLOE_PRECISION_COUNT; i++) {
    if (!text || strcmp(text, PRECISIONS[i])) continue;
    *out = (sloe_precision)i;
    return SLOE_OK;
  }
#define NAME(name, text, bytes) " " text
  return sloe_fail(err, SLOE_USAGE, "unknown precision '%.60s': one of" SLOE_PRECISION_MAP(NAME),
                   text ? text : "");
#undef NAME
}

const char *sloe_runtime_name(sloe_runtime runtime) {
  return (unsigned)runtime < SLOE_RUNTIME_COUNT ? RUNTIMES[runtime] : "unknown";
}

const char *sloe_precision_name(sloe_precision precision) {
  return (unsigned)precision < SLOE_PRECISION_COUNT ? PRECISIONS[precision] : "unknown";
}

size_t sloe_precision_bytes(sloe_precision precision) {
  return (unsigned)precision < SLOE_PRECISION_COUNT ? PRECISION_BYTES[precision] : 4;
}

const char *sloe_layer_kind_name(sloe_layer_kind kind) {
  return (unsigned)kind < SLOE_LAYER_KIND_COUNT ? KINDS[kind] : "unknown";
}
