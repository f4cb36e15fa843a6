/* trt_child.h: a command that is run to its end, within a time. Private to trtexec/.
 *
 * It is started without a shell, in a process group of its own, and is killed when the thread that
 * started it ends, however that ends: a measurement that is killed leaves nothing that goes on
 * loading the board. What it says, on both streams, goes into a file.
 */
#ifndef SLOE_DEVICE_TRTEXEC_TRT_CHILD_H
#define SLOE_DEVICE_TRTEXEC_TRT_CHILD_H

#include <sys/types.h>

#include "base/arena.h"

enum { SLOE_TRTEXEC_OUTPUT_MOST = 64 << 20, SLOE_TRTEXEC_WORDS = 40 };

/* The words of a command, NULL behind the last. What does not fit, or finds no memory, is told by
   `failed`. */
typedef struct sloe_trtexec_words {
  sloe_arena *arena;
  char *word[SLOE_TRTEXEC_WORDS + 1];
  size_t n;
  int failed;
} sloe_trtexec_words;
void sloe_trtexec_word(sloe_trtexec_words *words, const char *fmt, ...) SLOE_PRINTF(2, 3);

typedef enum sloe_trtexec_end {
  SLOE_TRTEXEC_EXITED, /* by itself: `code` is its exit status */
  SLOE_TRTEXEC_KILLED, /* by a signal of someone else: `code` */
  SLOE_TRTEXEC_HUNG,   /* it took too long and was killed */
  SLOE_TRTEXEC_FLOOD,  /* it said more than SLOE_TRTEXEC_OUTPUT_MOST bytes and was killed */
} sloe_trtexec_end;

typedef struct sloe_trtexec_outcome {
  sloe_trtexec_end end;
  int code;
  double seconds;
} sloe_trtexec_outcome;

/* "exit status 1", "signal 9", "hung: killed after 60 s". Returns buf. */
enum { SLOE_TRTEXEC_HOW = 64 };
const char *sloe_trtexec_how(const sloe_trtexec_outcome *outcome, char buf[SLOE_TRTEXEC_HOW]);

typedef struct sloe_trtexec_child {
  pid_t pid; /* 0: none, or reaped */
  double began_s;
  sloe_trtexec_outcome outcome; /* once reaped */
} sloe_trtexec_child;

/* Starts words[0], looked up in PATH; what it says goes into the file `output`, anew. Errors:
   DEVICE (it cannot be started), IO. */
sloe_status sloe_trtexec_start(char *const *words, const char *output, sloe_trtexec_child *out,
                               sloe_error *err);
/* 1 where it has ended; it is reaped then. */
int sloe_trtexec_has_ended(sloe_trtexec_child *child);
/* Kills its group and reaps it. */
void sloe_trtexec_stop(sloe_trtexec_child *child);

/* What is to be done while a command runs: called every 0.1 s or so; NULL: nothing. */
typedef struct sloe_trtexec_meanwhile {
  void (*tick)(void *context);
  void *context;
} sloe_trtexec_meanwhile;

/* Wait until it ends, `limit_s` at most: then it is killed. */
void sloe_trtexec_wait(sloe_trtexec_child *child, double limit_s, const char *output,
                       const sloe_trtexec_meanwhile *meanwhile, sloe_trtexec_outcome *out);

double sloe_trtexec_now(void); /* seconds, monotonic */

#endif
