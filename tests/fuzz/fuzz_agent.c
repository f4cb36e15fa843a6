/* Any bytes from the other end of an agent's pipe, at both ends. What must hold:
 *  - of a stream every line is given out once, within the cap
 *  - a request is answered by one line that is a JSON object with its id, or is none
 *  - a reply is an answer, a heartbeat, or a status with a message; so is the hello in it
 *  - nothing is left allocated
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "device/agent/agent_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok) {
  if (!ok) __builtin_trap();
}

/* ---- the serving end ---- */

static void serve_line(sloe_agent_server *server, const char *line, size_t len) {
  sloe_text text = {0};
  json_t *request, *answer;
  sloe_error err = {0};
  int64_t to;
  const int64_t id = sloe_agent_read_request(line, len, &request, &err);
  check((id > 0) == (request != NULL) && (id > 0 || (err.code == SLOE_FORMAT && err.msg[0])));
  if (!id) return;
  check(sloe_agent_answer(server, request, id, &text, &err) == SLOE_OK);
  check(text.len > 1 && memchr(text.data, '\n', text.len) == text.data + text.len - 1);
  check(sloe_agent_parse(text.data, text.len - 1, &answer, &err) == SLOE_OK);
  check(sloe_agent_get_int(answer, "id", 1, INT64_MAX, &to) && to == id);
  json_decref(answer);
  json_decref(request);
  sloe_text_fini(&text);
}

/* ---- the asking end ---- */

static void hear_hello(const json_t *answer) {
  sloe_agent_hello hello;
  sloe_error err = {0};
  const sloe_status status = sloe_agent_read_hello(answer, &hello, &err);
  check(status == SLOE_OK || ((status == SLOE_DEVICE || status == SLOE_UNSUPPORTED) &&
                              err.code == status && err.msg[0]));
  if (status == SLOE_OK) {
    check(*hello.info.device && *hello.info.runtime && hello.info.batch > 0);
    check(sloe_agent_same_device(&hello.info, &hello.info));
  }
  sloe_agent_hello_fini(&hello);
}

static void hear_line(const char *line, size_t len) {
  sloe_agent_reply reply;
  sloe_error err = {0};
  const sloe_status status = sloe_agent_read_reply(line, len, 1, &reply, &err);
  check(status == SLOE_OK || (!reply.answer && err.code == status && err.msg[0]));
  if (reply.answer) hear_hello(reply.answer);
  json_decref(reply.answer);
}

/* As they come out of a pipe, which holds all that is given to it here. */
static void each_line(sloe_agent_server *server, const uint8_t *data, size_t size) {
  enum { MOST = 4096, PIPE = 60000 };
  sloe_agent_lines lines;
  sloe_agent_got got;
  size_t given = 0, len;
  char *line;
  int fd[2];
  check(pipe(fd) == 0);
  if (size > PIPE) size = PIPE;
  check(sloe_agent_put(fd[1], 0, (const char *)data, size, INFINITY) == SLOE_AGENT_LINE);
  close(fd[1]);
  sloe_agent_lines_init(&lines, fd[0], MOST);
  while ((got = sloe_agent_lines_next(&lines, INFINITY, &line, &len)) == SLOE_AGENT_LINE) {
    check(len <= size && memcmp(line, data + given, len) == 0 && line[len] == 0);
    given += len + 1;
    serve_line(server, line, len);
    hear_line(line, len);
  }
  check(got == SLOE_AGENT_END || (got == SLOE_AGENT_LONG && size - given > MOST));
  check(got != SLOE_AGENT_END || given + lines.end - lines.start == size);
  sloe_agent_lines_fini(&lines);
  close(fd[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const long live = sloe_alloc_live();
  sloe_agent_server server;
  sloe_device *device;
  check(sloe_device_open("sim:noise=0", NULL, &device, NULL) == SLOE_OK);
  sloe_agent_server_init(&server, device);
  server.net_limit = (size_t)64 << 20;
  each_line(&server, data, size);
  sloe_agent_server_fini(&server);
  check(sloe_alloc_live() == live);
  return 0;
}
