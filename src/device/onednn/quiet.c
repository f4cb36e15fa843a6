/* quiet.c: a processor whose neighbours leave memory to it.
 *
 * The processors of a virtual machine are cores of a host on which others work too. What those take
 * of the third-level cache and of memory's bandwidth shows in times only: the same convolution took
 * 0.85, 1.3 or 2.2 ms for minutes, on one of two processors and not on the other, while the
 * reference layer, which lives in the second-level cache, moved by 4 % (docs/notes/accuracy.md). So
 * a fixed move of memory is timed before and behind each take; where it takes longer than it did,
 * one thread goes to the quietest processor that it may run on, and waits for a quiet moment, a
 * tenth of the time at most.
 */
#define _GNU_SOURCE /* sched_setaffinity */
#include <math.h>
#include <sched.h>
#include <time.h>

#include "base/alloc.h"
#include "device/onednn/onednn.h"

enum { MOVES = 3, NAP_NS = 20000000, BINS = 2048 };

/* Of what the move takes usually: where it looks around, where it waits. */
static const double LOOK = 1.1, WAIT = 1.25;
static const double BIN = 0.01; /* of the logarithm of ns; the last stands for a second */

struct onednn_quiet {
  onednn_job *move;
  int64_t seen[BINS];       /* how often it took that long */
  double usual_ns;          /* the tenth of them that were shortest end here */
  double begun_s, waited_s; /* for quiet moments */
  cpu_set_t allowed;        /* before any was chosen */
  int moves;                /* there is a choice */
  int at;                   /* -1: any of them */
};

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The sum of two tensors of 16.8 MB, which no second-level cache holds. */
static sloe_status load_move(onednn_device *device, onednn_job **out, sloe_error *err) {
  sloe_layer_spec spec = sloe_layer_spec_none();
  void *job;
  spec.op = SLOE_SPEC_BINARY;
  spec.c = spec.k = 64;
  spec.h = spec.w = spec.out[0] = spec.out[1] = 256;
  SLOE_TRY(sloe_onednn_load_layer(device, &spec, &job, err));
  *out = job;
  return SLOE_OK;
}

/* There is a choice where one thread may run on several processors. */
static sloe_status begin(onednn_device *device, sloe_error *err) {
  onednn_quiet *q = sloe_alloc(1, sizeof *q);
  if (!q) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  *q = (onednn_quiet){.usual_ns = NAN, .begun_s = now_s(), .at = -1};
  q->moves = device->threads == 1 && sched_getaffinity(0, sizeof q->allowed, &q->allowed) == 0 &&
             CPU_COUNT(&q->allowed) > 1;
  device->quiet = q;
  const sloe_status status = load_move(device, &q->move, err);
  return status == SLOE_UNSUPPORTED ? SLOE_OK : status; /* a device of little memory: unwatched */
}

static int go_to(onednn_quiet *q, int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) return 0;
  q->at = cpu;
  return 1;
}

static void note(onednn_quiet *q, double ns) {
  const double bin = log(ns) / BIN;
  int64_t n = 0, below = 0;
  q->seen[bin < BINS ? (size_t)bin : BINS - 1]++;
  for (size_t i = 0; i < BINS; i++) n += q->seen[i];
  for (size_t i = 0; i < BINS; i++) {
    below += q->seen[i];
    if (below < (n + 9) / 10) continue;
    q->usual_ns = exp(BIN * ((double)i + 0.5));
    return;
  }
}

/* The least of some moves, ns, here and now. */
static sloe_status time_move(onednn_device *device, double *ns, sloe_error *err) {
  onednn_quiet *q = device->quiet;
  *ns = INFINITY;
  for (int i = 0; i < MOVES; i++) {
    uint64_t host;
    sloe_onednn_settle(device, q->move);
    const onednn_clock clock = sloe_onednn_clock_start(device);
    SLOE_TRY(sloe_onednn_job_run(q->move, err));
    *ns = fmin(*ns, (double)sloe_onednn_clock_stop(&clock, &host));
  }
  note(q, *ns);
  return SLOE_OK;
}

/* To the quietest processor of all; *ns: of the move there. */
static sloe_status look_around(onednn_device *device, double *ns, sloe_error *err) {
  onednn_quiet *q = device->quiet;
  int best = q->at;
  if (best < 0) *ns = INFINITY; /* it may have been timed on any */
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    double there;
    if (!CPU_ISSET((size_t)cpu, &q->allowed) || cpu == best || !go_to(q, cpu)) continue;
    SLOE_TRY(time_move(device, &there, err));
    if (there >= *ns) continue;
    *ns = there;
    best = cpu;
  }
  if (best >= 0) go_to(q, best);
  return SLOE_OK;
}

static int may_wait(const onednn_quiet *q) {
  return q->waited_s < 0.1 * (now_s() - q->begun_s);
}

static sloe_status find_quiet(onednn_device *device, double *ns, sloe_error *err) {
  onednn_quiet *q = device->quiet;
  if (q->moves && (q->at < 0 || *ns > LOOK * q->usual_ns)) SLOE_TRY(look_around(device, ns, err));
  while (*ns > WAIT * q->usual_ns && may_wait(q)) {
    const struct timespec nap = {0, NAP_NS};
    const double from = now_s();
    nanosleep(&nap, NULL);
    SLOE_TRY(time_move(device, ns, err));
    if (q->moves && *ns > WAIT * q->usual_ns) SLOE_TRY(look_around(device, ns, err));
    q->waited_s += now_s() - from;
  }
  return SLOE_OK;
}

sloe_status sloe_onednn_quiet(onednn_device *device, int find, double *ns, double *usual_ns,
                              sloe_error *err) {
  *ns = *usual_ns = NAN;
  if (!device->quiet) SLOE_TRY(begin(device, err));
  const onednn_quiet *q = device->quiet;
  if (!q->move) return SLOE_OK;
  SLOE_TRY(time_move(device, ns, err));
  if (find) SLOE_TRY(find_quiet(device, ns, err));
  *usual_ns = q->usual_ns;
  return SLOE_OK;
}

void sloe_onednn_quiet_end(onednn_device *device) {
  onednn_quiet *q = device->quiet;
  if (!q) return;
  sloe_onednn_job_free(q->move);
  if (q->at >= 0) sched_setaffinity(0, sizeof q->allowed, &q->allowed);
  sloe_dealloc(q);
  device->quiet = NULL;
}
