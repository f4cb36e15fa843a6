/* agent_files.h: the two other ends that tests start: the command itself, and the stand-in that
 * misbehaves. */
#ifndef SLOE_TESTS_AGENT_FILES_H
#define SLOE_TESTS_AGENT_FILES_H

#include <errno.h>
#include <sys/wait.h>

#include "unit/device_files.h"

#define SERVES   "agent:'" SLOE_BINARY_DIR "/sloe' agent -b " /* and a backend */
#define STAND_IN "agent:'" SLOE_STAND_IN "' "                 /* and how it misbehaves */

/* No child is left, running or not reaped. */
static inline void assert_no_child(void) {
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
}

#endif
