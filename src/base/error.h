/* error.h: statuses and one-line messages; see sloe.h for the two types. */
#ifndef SLOE_BASE_ERROR_H
#define SLOE_BASE_ERROR_H

#include "sloe/sloe.h"

/* Fill *err (NULL is fine) and return `code`. The message is one line: object, bad value, rule. */
sloe_status sloe_fail(sloe_error *err, sloe_status code, const char *fmt, ...) SLOE_PRINTF(3, 4);

/* The same with the byte offset at which the input went wrong. */
sloe_status sloe_fail_at(sloe_error *err, sloe_status code, uint64_t offset, const char *fmt, ...)
    SLOE_PRINTF(4, 5);

/* Put "<context>: " before the message that a failing call left. Returns err's code, or `code`
   where err is NULL. */
sloe_status sloe_fail_in(sloe_error *err, sloe_status code, const char *fmt, ...) SLOE_PRINTF(3, 4);

/* An analyser that sees one file at a time must be told what the three return. */
#ifdef __clang_analyzer__
void sloe_fail_told(sloe_error *err, ...);
#define sloe_fail(err, code, ...)            (sloe_fail_told((err), __VA_ARGS__), (code))
#define sloe_fail_at(err, code, offset, ...) (sloe_fail_told((err), (offset), __VA_ARGS__), (code))
#define sloe_fail_in(err, code, ...)         (sloe_fail_told((err), __VA_ARGS__), (code))
#endif

#define SLOE_TRY(call)                                      \
  do {                                                      \
    sloe_status sloe_try_status = (call);                   \
    if (sloe_try_status != SLOE_OK) return sloe_try_status; \
  } while (0)

/* For functions with one cleanup label: `status` and `fail` must be in scope. */
#define SLOE_GOTO(call)               \
  do {                                \
    status = (call);                  \
    if (status != SLOE_OK) goto fail; \
  } while (0)

#endif
