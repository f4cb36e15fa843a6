/* library.h: functions of a library that is opened when it is asked for. Private to learn/. */
#ifndef SLOE_LEARN_LIBRARY_H
#define SLOE_LEARN_LIBRARY_H

#include "sloe/sloe.h"

typedef struct sloe_library_function {
  const char *name;
  void *at; /* of the pointer that is set */
} sloe_library_function;

/* Opens `file` and finds all n functions; it stays open. Errors: UNSUPPORTED, which says that the
   package `package` has it. */
sloe_status sloe_library_open(const char *file, const char *package,
                              const sloe_library_function *functions, size_t n, sloe_error *err);

#endif
