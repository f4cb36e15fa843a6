/* unit.h: what every unit test includes. cmocka wants these headers in this order. */
#ifndef SLOE_TESTS_UNIT_H
#define SLOE_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* after the above */
#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"

/* Both directions of a contract: success, and a refusal with the right status and a reason. */
#define assert_ok(call, err)                                     \
  do {                                                           \
    if ((call) != SLOE_OK) fail_msg("%s: %s", #call, (err).msg); \
  } while (0)
#define assert_refused(call, status, err, text)                                     \
  do {                                                                              \
    memset(&(err), 0, sizeof(err));                                                 \
    assert_int_equal((call), (status));                                             \
    if (!strstr((err).msg, (text))) fail_msg("'%s' lacks '%s'", (err).msg, (text)); \
  } while (0)

#endif
