#define _GNU_SOURCE /* pipe2 */
#include "device/trtexec/trt_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double sloe_trtexec_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void sloe_trtexec_word(sloe_trtexec_words *words, const char *fmt, ...) {
  char text[4096];
  va_list ap;
  va_start(ap, fmt);
  const int len = vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  char *word = NULL;
  if (len >= 0 && (size_t)len < sizeof text && words->n < SLOE_TRTEXEC_WORDS)
    word = sloe_arena_strn(words->arena, text, (size_t)len);
  if (word)
    words->word[words->n++] = word;
  else
    words->failed = 1;
}

/* ---- starting ---- */

/* In the child, between fork and exec: nothing but system calls. `tell` is closed by the exec;
   where that fails it carries the reason, and the child ends by a signal, having no other way. */
static void become(char *const *words, int output, int tell, pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (getppid() == parent && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
      dup2(output, STDERR_FILENO) >= 0) {
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(words[0], words);
  }
  const int why = errno;
  while (write(tell, &why, sizeof why) < 0 && errno == EINTR) continue;
  raise(SIGKILL);
}

/* Why the exec failed; 0: it did not. */
static int hear(int fd) {
  int why = 0;
  ssize_t n;
  do n = read(fd, &why, sizeof why);
  while (n < 0 && errno == EINTR);
  return n == sizeof why ? (why ? why : EIO) : 0;
}

/* errno of what failed; 0: it runs. */
static int spawn(char *const *words, int output, pid_t *pid) {
  int tell[2];
  const pid_t parent = getpid();
  if (pipe2(tell, O_CLOEXEC) != 0) return errno;
  *pid = fork();
  if (*pid == 0) become(words, output, tell[1], parent);
  int why = *pid < 0 ? errno : 0;
  close(tell[1]);
  if (!why) why = hear(tell[0]);
  close(tell[0]);
  if (*pid > 0 && why) waitpid(*pid, NULL, 0);
  if (*pid > 0 && !why) setpgid(*pid, *pid); /* whoever of the two comes first */
  return why;
}

sloe_status sloe_trtexec_start(char *const *words, const char *output, sloe_trtexec_child *out,
                               sloe_error *err) {
  pid_t pid = 0;
  *out = (sloe_trtexec_child){.began_s = sloe_trtexec_now()};
  const int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return sloe_fail(err, SLOE_IO, "%.100s: %s", output, strerror(errno));
  const int why = spawn(words, fd, &pid);
  close(fd);
  if (why) return sloe_fail(err, SLOE_DEVICE, "cannot start '%.100s': %s", words[0], strerror(why));
  out->pid = pid;
  return SLOE_OK;
}

/* ---- ending ---- */

static void note_end(sloe_trtexec_child *child, int how) {
  child->pid = 0;
  child->outcome.end = WIFSIGNALED(how) ? SLOE_TRTEXEC_KILLED : SLOE_TRTEXEC_EXITED;
  child->outcome.code = WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how);
  child->outcome.seconds = sloe_trtexec_now() - child->began_s;
}

static int reap(sloe_trtexec_child *child, int flags) {
  int how = 0;
  pid_t pid;
  if (!child->pid) return 1;
  do pid = waitpid(child->pid, &how, flags);
  while (pid < 0 && errno == EINTR);
  if (pid == 0) return 0;
  note_end(child, pid > 0 ? how : 0); /* else someone else reaped it */
  return 1;
}

int sloe_trtexec_has_ended(sloe_trtexec_child *child) {
  return reap(child, WNOHANG);
}

void sloe_trtexec_stop(sloe_trtexec_child *child) {
  if (!child->pid) return;
  if (kill(-child->pid, SIGKILL) != 0) kill(child->pid, SIGKILL);
  reap(child, 0);
}

static int is_flood(const char *output) {
  struct stat s;
  return stat(output, &s) == 0 && s.st_size > SLOE_TRTEXEC_OUTPUT_MOST;
}

void sloe_trtexec_wait(sloe_trtexec_child *child, double limit_s, const char *output,
                       const sloe_trtexec_meanwhile *meanwhile, sloe_trtexec_outcome *out) {
  static const double TICK_S = 0.1;
  long pause_ns = 200000;
  double ticked_s = child->began_s;
  sloe_trtexec_end end = SLOE_TRTEXEC_EXITED;
  while (!sloe_trtexec_has_ended(child)) {
    const double now = sloe_trtexec_now();
    if (now - child->began_s > limit_s) end = SLOE_TRTEXEC_HUNG;
    if (now - ticked_s > TICK_S) {
      ticked_s = now;
      if (is_flood(output)) end = SLOE_TRTEXEC_FLOOD;
      if (meanwhile && meanwhile->tick) meanwhile->tick(meanwhile->context);
    }
    if (end != SLOE_TRTEXEC_EXITED) {
      sloe_trtexec_stop(child);
      child->outcome.end = end;
      break;
    }
    nanosleep(&(struct timespec){0, pause_ns}, NULL);
    if (pause_ns < 10000000) pause_ns *= 2;
  }
  *out = child->outcome;
}

const char *sloe_trtexec_how(const sloe_trtexec_outcome *outcome, char buf[SLOE_TRTEXEC_HOW]) {
  switch (outcome->end) {
    case SLOE_TRTEXEC_EXITED:
      snprintf(buf, SLOE_TRTEXEC_HOW, "exit status %d", outcome->code);
      break;
    case SLOE_TRTEXEC_KILLED: snprintf(buf, SLOE_TRTEXEC_HOW, "signal %d", outcome->code); break;
    case SLOE_TRTEXEC_HUNG:
      snprintf(buf, SLOE_TRTEXEC_HOW, "hung: killed after %.0f s", outcome->seconds);
      break;
    case SLOE_TRTEXEC_FLOOD:
      snprintf(buf, SLOE_TRTEXEC_HOW, "killed: it said more than %d MiB",
               SLOE_TRTEXEC_OUTPUT_MOST >> 20);
      break;
  }
  return buf;
}
