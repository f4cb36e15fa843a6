#define _GNU_SOURCE /* pipe2 */
#include "learn/tune_fit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "learn/tune_child.h"

enum { WAKE_MS = 500 };

/* A child that runs. */
typedef struct runner {
  pid_t pid; /* 0: none */
  int fd;
  sloe_fit_task *task;
  char *got; /* what came through the pipe */
  size_t len, cap;
} runner;

typedef struct crew {
  const sloe_fit_job *job;
  runner runner[SLOE_PARALLEL_MOST];
  size_t n;
  sloe_error *err;
} crew;

/* ---- starting ---- */

static sloe_status start(crew *c, runner *r, sloe_fit_task *task) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return sloe_fail(c->err, SLOE_IO, "no pipe to a fit: %s", strerror(errno));
  const pid_t pid = fork();
  if (pid == 0) sloe_fit_child(c->job, task, ends[1]);
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return sloe_fail(c->err, SLOE_IO, "no process for a fit: %s", strerror(errno));
  }
  r->pid = pid;
  r->fd = ends[0];
  r->task = task;
  r->len = 0;
  return SLOE_OK;
}

/* Ends it if it still runs; how it ended, and its processor time. */
static int reap(runner *r, double *seconds) {
  struct rusage before, after;
  int how = 0;
  getrusage(RUSAGE_CHILDREN, &before);
  while (waitpid(r->pid, &how, 0) < 0 && errno == EINTR) continue;
  getrusage(RUSAGE_CHILDREN, &after);
  *seconds = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
             (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
             1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) +
             1e-6 * (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec);
  close(r->fd);
  r->pid = 0;
  return how;
}

static void end_all(crew *c) {
  for (size_t i = 0; i < c->n; i++) {
    double unused;
    if (c->runner[i].pid) {
      kill(c->runner[i].pid, SIGKILL);
      reap(&c->runner[i], &unused);
    }
    sloe_dealloc(c->runner[i].got);
  }
}

/* ---- reading ---- */

/* 1: more may come; 0: the end; -1: out of memory */
static int read_some(runner *r) {
  if (r->len == r->cap) {
    const size_t cap = r->cap ? 2 * r->cap : 1 << 13;
    char *more = sloe_realloc(r->got, cap, 1);
    if (!more) return -1;
    r->got = more;
    r->cap = cap;
  }
  const ssize_t n = read(r->fd, r->got + r->len, r->cap - r->len);
  if (n < 0) return errno == EINTR;
  r->len += (size_t)n;
  return n > 0;
}

static size_t rows_of_fold(const sloe_fit_job *job, size_t fold) {
  size_t n = 0;
  for (size_t i = 0; i < job->rows->n; i++) n += job->fold[i] == fold;
  return n;
}

/* The estimates at `at`, if all are there. */
static void take_estimates(const crew *c, const runner *r, size_t at) {
  const sloe_fit_job *job = c->job;
  const size_t fold = r->task->fold;
  if (r->len - at < rows_of_fold(job, fold) * sizeof(double)) return;
  for (size_t i = 0; i < job->rows->n; i++)
    if (job->fold[i] == fold) {
      memcpy(&job->estimated[i], r->got + at, sizeof(double));
      at += sizeof(double);
    }
}

/* How the rest of the path is called. */
static sloe_fit_state rest_of(const crew *c, runner *r, int how) {
  sloe_fit_task *t = r->task;
  if (t->why.code != SLOE_OK) return SLOE_FIT_FAILED;
  if (WIFSIGNALED(how) && WTERMSIG(how) == SIGPROF) {
    sloe_fail(&t->why, SLOE_UNSUPPORTED, "%s: out of time after %.3g s", c->job->r->name,
              c->job->limit_s);
    return SLOE_FIT_LATE;
  }
  sloe_fail(&t->why, SLOE_UNSUPPORTED, "%s: its process ended by signal %d", c->job->r->name,
            WIFSIGNALED(how) ? WTERMSIG(how) : 0);
  return SLOE_FIT_FAILED;
}

static void take_answers(const crew *c, runner *r, int how) {
  sloe_fit_task *t = r->task;
  sloe_fit_record record;
  int ended = 0;
  for (size_t at = 0; !ended && r->len - at >= sizeof record;) {
    memcpy(&record, r->got + at, sizeof record);
    at += sizeof record;
    if (record.place < t->n) {
      t->answer[record.place].state = isfinite(record.sum) ? SLOE_FIT_ARRIVED : SLOE_FIT_FAILED;
      t->answer[record.place].sum = record.sum;
      if (c->job->estimated && record.place + 1 == t->n) {
        take_estimates(c, r, at);
        at += rows_of_fold(c->job, t->fold) * sizeof(double);
        if (at > r->len) break;
      }
    } else {
      ended = 1;
      t->why = record.why;
      t->why.code = record.code;
    }
  }
  if (ended && t->why.code == SLOE_OK) return;
  const sloe_fit_state rest = rest_of(c, r, how);
  for (size_t i = 0; i < t->n; i++)
    if (t->answer[i].state == SLOE_FIT_NONE) t->answer[i].state = rest;
}

static sloe_status finish(crew *c, runner *r) {
  sloe_fit_task *t = r->task;
  const int how = reap(r, &t->seconds);
  take_answers(c, r, how);
  if (t->why.code == SLOE_NOMEM) {
    if (c->err) *c->err = t->why;
    return SLOE_NOMEM;
  }
  return c->job->done ? c->job->done(c->job->context, t, c->err) : SLOE_OK;
}

/* ---- all of them ---- */

static sloe_status serve(crew *c, size_t *running) {
  struct pollfd wait[SLOE_PARALLEL_MOST];
  for (size_t i = 0; i < c->n; i++)
    wait[i] = (struct pollfd){c->runner[i].pid ? c->runner[i].fd : -1, POLLIN, 0};
  if (poll(wait, c->n, WAKE_MS) < 0 && errno != EINTR)
    return sloe_fail(c->err, SLOE_IO, "waiting for a fit: %s", strerror(errno));
  if (c->job->done) SLOE_TRY(c->job->done(c->job->context, NULL, c->err));
  for (size_t i = 0; i < c->n; i++) {
    runner *r = &c->runner[i];
    if (!r->pid || !(wait[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
    const int more = read_some(r);
    if (more < 0) return sloe_fail(c->err, SLOE_NOMEM, "out of memory for what a fit says");
    if (more) continue;
    --*running;
    SLOE_TRY(finish(c, r));
  }
  return SLOE_OK;
}

sloe_status sloe_fit_all(const sloe_fit_job *job, sloe_fit_task *tasks, size_t n, sloe_error *err) {
  const int threads = job->options->threads;
  crew c = {.job = job, .n = threads > 1 ? (size_t)threads : 1, .err = err};
  size_t next = 0, running = 0;
  sloe_status status = SLOE_OK;
  if (c.n > SLOE_PARALLEL_MOST) c.n = SLOE_PARALLEL_MOST;
  while (next < n || running) {
    for (size_t i = 0; i < c.n && next < n; i++)
      if (!c.runner[i].pid) {
        SLOE_GOTO(start(&c, &c.runner[i], &tasks[next++]));
        running++;
      }
    SLOE_GOTO(serve(&c, &running));
  }
fail:
  end_all(&c);
  return status;
}
