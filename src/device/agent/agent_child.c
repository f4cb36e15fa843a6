#define _GNU_SOURCE /* pipe2, environ */
#include "device/agent/agent_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device/agent/agent_wire.h"

/* ---- starting ---- */

typedef struct ends { /* theirs are given to the child and closed here */
  int to, from, their_in, their_out;
} ends;

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* Above the standard streams, so that setting those up cannot overwrite it. */
static int lift(int *fd) {
  if (*fd > 2) return 1;
  const int high = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
  close(*fd);
  *fd = high;
  return high >= 0;
}

static int open_ends(ends *e) {
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  const int made =
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) == 0 && pipe2(out, O_CLOEXEC) == 0;
  *e = (ends){in[0], out[0], in[1], out[1]};
  return made && lift(&e->to) && lift(&e->from) && lift(&e->their_in) && lift(&e->their_out);
}

static int set_attributes(posix_spawnattr_t *attributes) {
  const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none, usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGTERM);
  int rc = posix_spawnattr_setflags(attributes, flags);
  if (!rc) rc = posix_spawnattr_setpgroup(attributes, 0);
  if (!rc) rc = posix_spawnattr_setsigmask(attributes, &none);
  return rc ? rc : posix_spawnattr_setsigdefault(attributes, &usual);
}

static int spawn(char *const *words, const ends *e, pid_t *pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int rc = posix_spawn_file_actions_init(&actions);
  if (rc) return rc;
  rc = posix_spawnattr_init(&attributes);
  if (!rc) {
    rc = set_attributes(&attributes);
    if (!rc) rc = posix_spawn_file_actions_adddup2(&actions, e->their_in, STDIN_FILENO);
    if (!rc) rc = posix_spawn_file_actions_adddup2(&actions, e->their_out, STDOUT_FILENO);
    if (!rc) rc = posix_spawnp(pid, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return rc;
}

sloe_status sloe_agent_start(char *const *words, sloe_agent_child *out, sloe_error *err) {
  ends e = {-1, -1, -1, -1};
  pid_t pid = 0;
  *out = (sloe_agent_child){.to = -1, .from = -1};
  const int rc = open_ends(&e) ? spawn(words, &e, &pid) : errno;
  close_fd(&e.their_in);
  close_fd(&e.their_out);
  if (rc) {
    close_fd(&e.to);
    close_fd(&e.from);
    return sloe_fail(err, SLOE_DEVICE, "cannot start '%.100s': %s", words[0], strerror(rc));
  }
  *out = (sloe_agent_child){.pid = pid, .to = e.to, .from = e.from};
  return SLOE_OK;
}

/* ---- ending ---- */

static void note_end(sloe_agent_child *child, int how) {
  child->pid = 0;
  if (WIFSIGNALED(how))
    snprintf(child->how, sizeof child->how, "signal %d", WTERMSIG(how));
  else
    snprintf(child->how, sizeof child->how, "exit status %d", WEXITSTATUS(how));
}

int sloe_agent_has_ended(sloe_agent_child *child) {
  int how = 0;
  pid_t pid;
  if (!child->pid) return 1;
  do pid = waitpid(child->pid, &how, WNOHANG);
  while (pid < 0 && errno == EINTR);
  if (pid == 0) return 0;
  note_end(child, pid > 0 ? how : 0); /* else someone else reaped it */
  return 1;
}

static int ends_within(sloe_agent_child *child, double seconds) {
  const double deadline = sloe_agent_now() + seconds;
  long pause_ns = 200000;
  while (!sloe_agent_has_ended(child)) {
    if (sloe_agent_now() >= deadline) return 0;
    nanosleep(&(struct timespec){0, pause_ns}, NULL);
    if (pause_ns < 20000000) pause_ns *= 2;
  }
  return 1;
}

/* The whole group; the child alone where it has left it. */
static void send_signal(const sloe_agent_child *child, int number) {
  if (kill(-child->pid, number) != 0) kill(child->pid, number);
}

void sloe_agent_stop(sloe_agent_child *child, double grace_s) {
  close_fd(&child->to);
  if (child->pid && !(grace_s > 0 && ends_within(child, grace_s))) {
    send_signal(child, SIGTERM);
    if (!ends_within(child, 1)) {
      send_signal(child, SIGKILL);
      if (!ends_within(child, 10)) *child = (sloe_agent_child){.to = -1, .from = child->from};
    }
  }
  close_fd(&child->from);
}
