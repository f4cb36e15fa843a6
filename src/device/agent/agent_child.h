/* agent_child.h: the process at the other end of the pipe. Private to agent/.
 *
 * It is started without a shell, in a process group of its own, so that an interrupt at the
 * terminal ends the measuring and not the agent under it, and so that whatever it starts can be
 * ended with it. Its stdin is a socket, for a write to one whose reader is gone is an error and no
 * signal; its stderr is this process's.
 */
#ifndef SLOE_DEVICE_AGENT_CHILD_H
#define SLOE_DEVICE_AGENT_CHILD_H

#include <sys/types.h>

#include "base/arena.h"

typedef struct sloe_agent_child {
  pid_t pid;    /* 0: none, or reaped */
  int to;       /* its stdin; -1 */
  int from;     /* its stdout; -1 */
  char how[64]; /* once reaped: "exit status 1", "signal 9" */
} sloe_agent_child;

/* The words of a command: separated by blanks; '...' and "..." keep blanks, a backslash keeps the
   next character, but not within '...'. NULL behind the last; all in `arena`. USAGE: no word, or a
   quote that is not closed. */
sloe_status sloe_agent_words(const char *command, sloe_arena *arena, char ***out, sloe_error *err);

/* Starts words[0], looked up in PATH. Errors: DEVICE. */
sloe_status sloe_agent_start(char *const *words, sloe_agent_child *out, sloe_error *err);

/* 1 where it has ended; it is reaped then. */
int sloe_agent_has_ended(sloe_agent_child *child);

/* Closes its stdin and gives it `grace_s` to end by itself, then SIGTERM and a second, then
   SIGKILL; closes its stdout. It is reaped in any case but one: what the kernel does not end within
   10 s is left behind. */
void sloe_agent_stop(sloe_agent_child *child, double grace_s);

#endif
