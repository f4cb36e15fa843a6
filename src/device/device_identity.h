/* device_identity.h: what a backend says of its device: a token, the pairs of its environment. */
#ifndef SLOE_DEVICE_DEVICE_IDENTITY_H
#define SLOE_DEVICE_DEVICE_IDENTITY_H

#include "base/arena.h"
#include "device/device.h"

/* "Intel(R) Xeon(R) Processor" -> "intel-xeon-processor" */
void sloe_identity_token(const char *title, char *out, size_t size);

typedef struct sloe_environment { /* begins as {.arena = arena} */
  sloe_arena *arena;
  sloe_device_pair *pair;
  size_t n;
  int failed;
} sloe_environment;

/* `key` is not copied. A value "", a number 0: unknown. */
void sloe_environment_add(sloe_environment *e, const char *key, const char *value);
void sloe_environment_add_number(sloe_environment *e, const char *key, uint64_t value);
/* Gives *info what was added. NOMEM, for backend `who`: something could not be, or nothing was. */
sloe_status sloe_environment_end(const sloe_environment *e, const char *who, sloe_device_info *info,
                                 sloe_error *err);

#endif
