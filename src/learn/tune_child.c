/* What happens in a child: learn, tell, end. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/alloc.h"
#include "base/error.h"
#include "learn/regressors.h"
#include "learn/tune_child.h"

typedef struct child {
  const sloe_fit_job *job;
  const sloe_fit_task *task;
  int fd;
  size_t n_held, n_learned;
  double *x, *y, *held_x, *held_y, *said; /* held_x [n_held][d] */
} child;

/* All of it or not at all: what reads the other end is gone if it fails, and so is the need. */
static void tell(const child *c, const void *data, size_t len) {
  const char *p = data;
  while (len) {
    const ssize_t n = write(c->fd, p, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    p += n;
    len -= (size_t)n;
  }
}

/* From now on: the default action of SIGPROF is to end the process. */
static void set_limit(const child *c) {
  const double s = c->job->limit_s;
  struct itimerval timer = {{0, 0}, {0, 0}};
  if (!(s > 0)) return;
  timer.it_value.tv_sec = (time_t)s;
  timer.it_value.tv_usec = (suseconds_t)((s - floor(s)) * 1e6);
  if (!timer.it_value.tv_sec && !timer.it_value.tv_usec) timer.it_value.tv_usec = 1;
  setitimer(ITIMER_PROF, &timer, NULL);
}

/* The caller's handlers are not for here. */
static void set_signals(void) {
  static const int usual[] = {SIGPROF, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM};
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigset_t none;
  sigemptyset(&plain.sa_mask);
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) sigaction(usual[i], &plain, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
}

/* Nor are its streams: libsvm cannot be kept from saying that it gave up. */
static void set_streams(void) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
}

static sloe_status part_rows(child *c, sloe_error *err) {
  const sloe_learn_rows *rows = c->job->rows;
  const size_t n = rows->n, d = rows->d;
  c->x = sloe_alloc(n * d, sizeof *c->x);
  c->y = sloe_alloc(n, sizeof *c->y);
  c->held_x = sloe_alloc(n * d, sizeof *c->held_x);
  c->held_y = sloe_alloc(n, sizeof *c->held_y);
  c->said = sloe_alloc(n, sizeof *c->said);
  if (!c->x || !c->y || !c->held_x || !c->held_y || !c->said)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu rows of a fold", n);
  for (size_t i = 0; i < n; i++) {
    const int held = c->job->fold[i] == c->task->fold;
    const size_t to = held ? c->n_held++ : c->n_learned++;
    memcpy((held ? c->held_x : c->x) + to * d, rows->x + i * d, d * sizeof *c->x);
    (held ? c->held_y : c->y)[to] = rows->y[i];
  }
  return SLOE_OK;
}

static sloe_status arrived(void *context, size_t i, const sloe_learned *m, sloe_error *err) {
  child *c = context;
  double sum = 0;
  SLOE_TRY(sloe_learned_predict_many(m, c->held_x, c->n_held, c->said, err));
  for (size_t k = 0; k < c->n_held; k++) sum += fabs(c->said[k] / c->held_y[k] - 1);
  const sloe_fit_record record = {.place = (uint32_t)i, .sum = sum};
  tell(c, &record, sizeof record);
  if (c->job->estimated && i + 1 == c->task->n) tell(c, c->said, c->n_held * sizeof *c->said);
  set_limit(c);
  return SLOE_OK;
}

static sloe_status learn(child *c, sloe_error *err) {
  const sloe_tune_options *o = c->job->options;
  const sloe_learn_options options = {.hyper = c->task->hyper,
                                      .log_inputs = o->log_inputs,
                                      .log_target = o->log_target,
                                      .plain_target = o->plain_target,
                                      .seed = o->seed};
  const sloe_learn_path path = {c->task->path, c->task->n, c->job->quick, arrived, c};
  SLOE_TRY(part_rows(c, err));
  const sloe_learn_rows rows = {c->x, c->y, c->n_learned, c->job->rows->d};
  return sloe_learn_along(c->job->r, &rows, &options, &path, err);
}

void sloe_fit_child(const sloe_fit_job *job, const sloe_fit_task *task, int fd) {
  child c = {.job = job, .task = task, .fd = fd};
  sloe_fit_record record = {.place = SLOE_FIT_ENDED};
  set_signals();
  set_streams();
  set_limit(&c);
  record.code = learn(&c, &record.why);
  tell(&c, &record, sizeof record);
  for (;;) kill(getpid(), SIGKILL); /* memory goes with the process */
}
