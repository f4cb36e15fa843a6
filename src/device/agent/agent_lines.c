/* agent_lines.c: lines over a pipe, within a deadline and a size. */
#define _GNU_SOURCE /* MSG_DONTWAIT */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "device/agent/agent_wire.h"

enum { PIECE = 1 << 16 };

double sloe_agent_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void sloe_agent_lines_init(sloe_agent_lines *lines, int fd, size_t most) {
  *lines = (sloe_agent_lines){.fd = fd, .most = most};
}

void sloe_agent_lines_fini(sloe_agent_lines *lines) {
  sloe_dealloc(lines->data);
  *lines = (sloe_agent_lines){.fd = -1};
}

/* Wait until `fd` can be read or written. 1 yes, 0 too late, -1 failed. */
static int wait_for(int fd, short events, double deadline) {
  for (;;) {
    struct pollfd p = {.fd = fd, .events = events};
    const double left = deadline - sloe_agent_now();
    const int ms = left > 1e6 ? (int)1e9 : left > 0 ? (int)ceil(left * 1e3) : 0;
    const int n = poll(&p, 1, isinf(deadline) ? -1 : ms);
    if (n > 0) return 1;
    if (n < 0 && errno != EINTR) return -1;
    if (n == 0 && left <= 0) return 0;
  }
}

/* Room for another piece and a NUL. What was given out goes. */
static int make_room(sloe_agent_lines *lines) {
  if (lines->start) {
    memmove(lines->data, lines->data + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->seen -= lines->start;
    lines->start = 0;
  }
  if (lines->cap - lines->end > PIECE) return 1;
  const size_t cap = lines->cap > PIECE ? 2 * lines->cap : 2 * PIECE;
  char *wide = sloe_realloc(lines->data, cap, 1);
  if (!wide) return 0;
  lines->data = wide;
  lines->cap = cap;
  return 1;
}

/* A whole line of what was read already. */
static int take_line(sloe_agent_lines *lines, char **line, size_t *len) {
  if (lines->seen == lines->end) return 0;
  char *newline = memchr(lines->data + lines->seen, '\n', lines->end - lines->seen);
  lines->seen = lines->end;
  if (!newline) return 0;
  *newline = 0;
  *line = lines->data + lines->start;
  *len = (size_t)(newline - *line);
  lines->start = lines->seen = (size_t)(newline + 1 - lines->data);
  return 1;
}

static sloe_agent_got read_piece(sloe_agent_lines *lines, double deadline) {
  if (lines->end - lines->start > lines->most) return SLOE_AGENT_LONG;
  if (!make_room(lines)) return SLOE_AGENT_BROKEN;
  const int ready = wait_for(lines->fd, POLLIN, deadline);
  if (ready <= 0) return ready ? SLOE_AGENT_BROKEN : SLOE_AGENT_LATE;
  const ssize_t n = read(lines->fd, lines->data + lines->end, PIECE);
  if (n < 0) return errno == EINTR || errno == EAGAIN ? SLOE_AGENT_LINE : SLOE_AGENT_BROKEN;
  lines->end += (size_t)n;
  return n ? SLOE_AGENT_LINE : SLOE_AGENT_END;
}

sloe_agent_got sloe_agent_lines_next(sloe_agent_lines *lines, double deadline, char **line,
                                     size_t *len) {
  *line = NULL;
  *len = 0;
  while (!take_line(lines, line, len)) {
    const sloe_agent_got got = read_piece(lines, deadline);
    if (got != SLOE_AGENT_LINE) return got;
  }
  return SLOE_AGENT_LINE;
}

sloe_agent_got sloe_agent_put(int fd, int is_socket, const char *data, size_t len,
                              double deadline) {
  while (len) {
    const int ready = wait_for(fd, POLLOUT, deadline);
    if (ready <= 0) return ready ? SLOE_AGENT_BROKEN : SLOE_AGENT_LATE;
    const ssize_t n =
        is_socket ? send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) : write(fd, data, len);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return errno == EPIPE || errno == ECONNRESET ? SLOE_AGENT_END : SLOE_AGENT_BROKEN;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
    }
  }
  return SLOE_AGENT_LINE;
}
