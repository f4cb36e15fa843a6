/* agent_wire.h: what goes over the pipe, for both ends of it: lines, JSON objects, base64. Private
 * to agent/. The protocol itself is written down in docs/agent.md.
 */
#ifndef SLOE_DEVICE_AGENT_WIRE_H
#define SLOE_DEVICE_AGENT_WIRE_H

#include <jansson.h>

#include "base/arena.h"
#include "base/text.h"
#include "device/device.h"

enum {
  SLOE_AGENT_PROTOCOL = 1,
  SLOE_AGENT_REQUEST_MOST = 64 << 20, /* bytes of a line to the agent; a net is sent in one */
  SLOE_AGENT_REPLY_MOST = 4 << 20,    /* and of one from it */
  SLOE_AGENT_NET_MOST = 44 << 20,     /* bytes of ONNX; base64 makes 4/3 of them */
  SLOE_AGENT_VALUES_MOST = 1 << 17    /* commas and brackets in a line: a JSON tree takes 50 times
                                         the room of its text */
};

/* ---- time ---- */

double sloe_agent_now(void); /* seconds, monotonic */

/* ---- lines (agent_lines.c) ---- */

typedef enum sloe_agent_got {
  SLOE_AGENT_LINE,
  SLOE_AGENT_END,    /* the other end closed its side */
  SLOE_AGENT_LATE,   /* the deadline passed */
  SLOE_AGENT_LONG,   /* no newline within `most` bytes */
  SLOE_AGENT_BROKEN, /* reading failed, or no memory */
} sloe_agent_got;

typedef struct sloe_agent_lines { /* an end to read lines from */
  int fd;
  size_t most;
  char *data; /* data[start..end) is read and not given out; no newline before `seen` */
  size_t start, seen, end, cap;
} sloe_agent_lines;

void sloe_agent_lines_init(sloe_agent_lines *lines, int fd, size_t most);
void sloe_agent_lines_fini(sloe_agent_lines *lines);
/* The next line without its newline, with a NUL behind it; it lives until the next call. `deadline`
   as sloe_agent_now tells it; INFINITY: none. */
sloe_agent_got sloe_agent_lines_next(sloe_agent_lines *lines, double deadline, char **line,
                                     size_t *len);

/* All of it: SLOE_AGENT_LINE, else END (nobody reads any more), LATE, BROKEN. `is_socket`: never
   raises SIGPIPE and never waits past the deadline. */
sloe_agent_got sloe_agent_put(int fd, int is_socket, const char *data, size_t len, double deadline);

/* ---- JSON (agent_json.c) ---- */

/* One object. FORMAT with what stands there instead. json_decref. */
sloe_status sloe_agent_parse(const char *line, size_t len, json_t **out, sloe_error *err);
/* As a line, newline included, behind what is in `out`. Takes `object` over; NULL is NOMEM. */
sloe_status sloe_agent_print(json_t *object, sloe_text *out, sloe_error *err);

json_t *sloe_agent_number(double value); /* null where it is not finite */
json_t *sloe_agent_text(const char *s);  /* what is no UTF-8 becomes '?' */

/* 0: not there, or no whole number in lo..hi. */
int sloe_agent_get_int(const json_t *object, const char *key, int64_t lo, int64_t hi, int64_t *out);
/* NAN: not there, null, or no number. */
double sloe_agent_get_number(const json_t *object, const char *key);
const char *sloe_agent_get_text(const json_t *object, const char *key); /* "": not there */
int sloe_agent_get_flag(const json_t *object, const char *key);

/* What `len` bytes of someone else look like in a message: control characters are '?'. */
enum { SLOE_AGENT_QUOTE = 64 };
const char *sloe_agent_quote(const char *s, size_t len, char buf[SLOE_AGENT_QUOTE]);

/* "device", as a reply names a status; and back: DEVICE for what is none that an agent may give. */
const char *sloe_agent_status_name(sloe_status status);
sloe_status sloe_agent_status_of(const char *name);

/* ---- replies ---- */

typedef struct sloe_agent_reply {
  json_t *answer; /* NULL: it is still at it */
  int broken;     /* where reading fails: 1: what came breaks the protocol, 0: the agent refuses */
} sloe_agent_reply;

/* What a line says to request `id`. Errors: DEVICE where it breaks the protocol, else what the
   agent refuses with. */
sloe_status sloe_agent_read_reply(const char *line, size_t len, int64_t id, sloe_agent_reply *out,
                                  sloe_error *err);

/* ---- who measures (agent_hello.c) ---- */

typedef struct sloe_agent_hello {
  sloe_arena arena; /* of the strings */
  sloe_device_info info;
  /* what the backend behind the agent can */
  int networks, layers, settle, memory, power, sensor, proposals;
} sloe_agent_hello;

/* The answer to "hello" but for its id; NULL: out of memory. */
json_t *sloe_agent_write_hello(const sloe_device_info *info, const sloe_backend *backend,
                               const char *text);
/* UNSUPPORTED: of another version of the protocol; DEVICE: incomplete. sloe_agent_hello_fini in
   any case. */
sloe_status sloe_agent_read_hello(const json_t *answer, sloe_agent_hello *out, sloe_error *err);
void sloe_agent_hello_fini(sloe_agent_hello *hello);
/* One and the same device, runtime, precision, mode? */
int sloe_agent_same_device(const sloe_device_info *a, const sloe_device_info *b);

/* ---- base64 (agent_base64.c) ---- */

void sloe_agent_base64(const void *data, size_t len, sloe_text *out);
/* FORMAT: it is none. *data is freed with sloe_dealloc. */
sloe_status sloe_agent_unbase64(const char *text, size_t len, unsigned char **data, size_t *n,
                                sloe_error *err);

#endif
