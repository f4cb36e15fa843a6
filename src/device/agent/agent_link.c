#include "device/agent/agent_link.h"

#include <math.h>
#include <string.h>

/* What came of one exchange: GONE is the only one after which asking again makes sense. */
typedef struct exchange {
  sloe_agent_link *link;
  int64_t id;
  double began, limit_s, silence_s;
  json_t *answer;
  int gone;
  sloe_error *err;
} exchange;

/* ---- ends ---- */

static void drop(sloe_agent_link *link, double grace_s) {
  link->is_up = 0;
  sloe_agent_stop(&link->child, grace_s);
  sloe_agent_lines_fini(&link->lines);
}

/* The pipe is closed: why, as far as the process tells. It may need a moment to end. */
static sloe_status lost(exchange *x) {
  sloe_agent_link *link = x->link;
  drop(link, 0.5);
  return sloe_fail(x->err, SLOE_DEVICE, "the agent closed its end%s%s%s",
                   *link->child.how ? " (" : "", link->child.how, *link->child.how ? ")" : "");
}

static sloe_status fault(exchange *x, sloe_agent_got got, double waited_s) {
  if (got == SLOE_AGENT_END) return lost(x);
  drop(x->link, 0);
  switch (got) {
    case SLOE_AGENT_LATE:
      return sloe_fail(x->err, SLOE_DEVICE, "the agent hung: nothing came for %.1f s", waited_s);
    case SLOE_AGENT_LONG:
      return sloe_fail(x->err, SLOE_DEVICE, "the agent says a line of more than %d bytes",
                       SLOE_AGENT_REPLY_MOST);
    default: return sloe_fail(x->err, SLOE_DEVICE, "the pipe to the agent is broken");
  }
}

/* ---- one request ---- */

static sloe_status send_line(exchange *x, const sloe_text *line) {
  const double deadline = x->began + x->limit_s;
  const sloe_agent_got got = sloe_agent_put(x->link->child.to, 1, line->data, line->len, deadline);
  /* One that says why it ends has said it before. */
  if (got == SLOE_AGENT_LINE || got == SLOE_AGENT_END) return SLOE_OK;
  return fault(x, got, x->limit_s);
}

static double first(double a, double b) {
  return a < b ? a : b;
}

/* No line: the pipe ended, broke, or too much time went by. */
static sloe_status no_line(exchange *x, sloe_agent_got got, int n_beats, double from) {
  const double now = sloe_agent_now();
  x->gone = got == SLOE_AGENT_END && !n_beats && x->link->lines.start == x->link->lines.end;
  if (got != SLOE_AGENT_LATE || !n_beats || now < x->began + x->limit_s)
    return fault(x, got, now - from);
  drop(x->link, 0);
  return sloe_fail(x->err, SLOE_DEVICE, "the agent hung: still busy after %.1f s", x->limit_s);
}

/* Lines until one is the answer. */
static sloe_status receive(exchange *x) {
  sloe_agent_link *link = x->link;
  const double deadline = x->began + x->limit_s;
  sloe_status status = SLOE_OK;
  for (int n_beats = 0; status == SLOE_OK && !x->answer; n_beats++) {
    const double from = sloe_agent_now();
    sloe_agent_got got = SLOE_AGENT_LATE;
    sloe_agent_reply reply;
    char *line;
    size_t len;
    if (!n_beats || from < deadline)
      got = sloe_agent_lines_next(&link->lines, first(from + x->silence_s, deadline), &line, &len);
    if (got != SLOE_AGENT_LINE) return no_line(x, got, n_beats, from);
    status = sloe_agent_read_reply(line, len, x->id, &reply, x->err);
    if (status != SLOE_OK && reply.broken) drop(link, 0);
    x->answer = reply.answer;
  }
  return status;
}

/* `request` stays the caller's: it may have to be asked again. */
static sloe_status exchange_once(exchange *x, json_t *request) {
  sloe_text line = {0};
  x->id = ++x->link->last_id;
  x->began = sloe_agent_now();
  if (json_object_set_new(request, "id", json_integer(x->id)) != 0)
    return sloe_fail(x->err, SLOE_NOMEM, "out of memory asking an agent");
  sloe_status status = sloe_agent_print(json_incref(request), &line, x->err);
  if (status == SLOE_OK && line.len > SLOE_AGENT_REQUEST_MOST)
    status = sloe_fail(x->err, SLOE_UNSUPPORTED, "a request of %zu bytes, more than %d", line.len,
                       SLOE_AGENT_REQUEST_MOST);
  if (status == SLOE_OK) status = send_line(x, &line);
  sloe_text_fini(&line);
  return status == SLOE_OK ? receive(x) : status;
}

/* ---- starting ---- */

static sloe_status say_hello(exchange *x) {
  sloe_agent_link *link = x->link;
  json_t *request = json_pack("{s:s, s:i, s:s}", "op", "hello", "protocol", SLOE_AGENT_PROTOCOL,
                              "sloe", sloe_version());
  if (!request) return sloe_fail(x->err, SLOE_NOMEM, "out of memory asking an agent");
  x->limit_s = x->silence_s = link->limits.hello;
  sloe_status status = exchange_once(x, request);
  json_decref(request);
  if (status != SLOE_OK) return status;
  sloe_agent_hello hello;
  status = sloe_agent_read_hello(x->answer, &hello, x->err);
  json_decref(x->answer);
  x->answer = NULL;
  if (status == SLOE_OK && link->has_hello &&
      !sloe_agent_same_device(&hello.info, &link->hello.info))
    status = sloe_fail(x->err, SLOE_DEVICE, "the agent came back as another device: %.60s",
                       hello.info.device);
  if (status == SLOE_OK && !link->has_hello) {
    link->hello = hello;
    link->has_hello = 1;
    return SLOE_OK;
  }
  sloe_agent_hello_fini(&hello);
  return status;
}

static sloe_status start(sloe_agent_link *link, sloe_error *err) {
  exchange x = {.link = link, .err = err};
  SLOE_TRY(sloe_agent_start(link->words, &link->child, err));
  sloe_agent_lines_init(&link->lines, link->child.from, SLOE_AGENT_REPLY_MOST);
  link->is_up = 1;
  link->generation++;
  const sloe_status status = say_hello(&x);
  if (status != SLOE_OK && link->is_up) drop(link, 0);
  return status;
}

static sloe_status restart(sloe_agent_link *link, sloe_error *err) {
  if (link->restarts == SLOE_AGENT_RESTARTS)
    return sloe_fail(err, SLOE_DEVICE, "the agent was started again %d times already",
                     SLOE_AGENT_RESTARTS);
  link->restarts++;
  return start(link, err);
}

static sloe_status see_that_it_is_up(sloe_agent_link *link, sloe_error *err) {
  if (link->is_up && !sloe_agent_has_ended(&link->child)) return SLOE_OK;
  if (link->is_up) drop(link, 0);
  return restart(link, err);
}

static double or_default(double given, double usual) {
  return given > 0 ? given : usual;
}

sloe_status sloe_agent_link_open(const char *command, const sloe_agent_limits *limits,
                                 sloe_agent_link *out, sloe_error *err) {
  const sloe_agent_limits given = limits ? *limits : (sloe_agent_limits){0};
  *out = (sloe_agent_link){.child = {.to = -1, .from = -1}, .lines = {.fd = -1}, .counted_mj = NAN};
  out->limits = (sloe_agent_limits){or_default(given.hello, 120), or_default(given.silence, 30),
                                    or_default(given.load, 1800), or_default(given.run, 90),
                                    or_default(given.other, 60),  or_default(given.close, 3)};
  sloe_arena_init(&out->arena, 1 << 20);
  SLOE_TRY(sloe_agent_words(command, &out->arena, &out->words, err));
  return start(out, err);
}

void sloe_agent_link_close(sloe_agent_link *link) {
  drop(link, link->limits.close);
  if (link->has_hello) sloe_agent_hello_fini(&link->hello);
  sloe_arena_fini(&link->arena);
}

/* ---- asking ---- */

static sloe_status put_job(sloe_agent_link *link, sloe_agent_loaded *loaded, json_t *request,
                           sloe_error *err) {
  if (!loaded) return SLOE_OK;
  exchange x = {
      .link = link, .limit_s = link->limits.load, .silence_s = link->limits.silence, .err = err};
  if (loaded->generation != link->generation) {
    SLOE_TRY(exchange_once(&x, loaded->request));
    const int ok = sloe_agent_get_int(x.answer, "job", 1, INT64_MAX, &loaded->job);
    json_decref(x.answer);
    if (!ok) return sloe_fail(err, SLOE_DEVICE, "the agent loads a job and gives no number");
    loaded->generation = link->generation;
  }
  if (json_object_set_new(request, "job", json_integer(loaded->job)) == 0) return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory asking an agent");
}

/* `request` stays the caller's. */
static sloe_status ask(sloe_agent_link *link, sloe_agent_loaded *loaded, json_t *request,
                       double limit_s, json_t **answer, sloe_error *err) {
  *answer = NULL;
  for (int again = 0;; again = 1) {
    exchange x = {.link = link, .limit_s = limit_s, .silence_s = link->limits.silence, .err = err};
    SLOE_TRY(see_that_it_is_up(link, err));
    SLOE_TRY(put_job(link, loaded, request, err));
    const sloe_status status = exchange_once(&x, request);
    if (x.gone && !again && link->restarts < SLOE_AGENT_RESTARTS) continue;
    *answer = x.answer;
    return status;
  }
}

sloe_status sloe_agent_ask(sloe_agent_link *link, sloe_agent_loaded *loaded, json_t *request,
                           double limit_s, json_t **answer, sloe_error *err) {
  *answer = NULL;
  if (!request) return sloe_fail(err, SLOE_NOMEM, "out of memory asking an agent");
  const sloe_status status = ask(link, loaded, request, limit_s, answer, err);
  json_decref(request);
  return status;
}

sloe_status sloe_agent_load(sloe_agent_link *link, sloe_agent_loaded *loaded, json_t **answer,
                            sloe_error *err) {
  *answer = NULL;
  if (!loaded->request) return sloe_fail(err, SLOE_NOMEM, "out of memory asking an agent");
  SLOE_TRY(ask(link, NULL, loaded->request, link->limits.load, answer, err));
  loaded->generation = link->generation;
  if (sloe_agent_get_int(*answer, "job", 1, INT64_MAX, &loaded->job)) return SLOE_OK;
  json_decref(*answer);
  *answer = NULL;
  return sloe_fail(err, SLOE_DEVICE, "the agent loads a job and gives no number");
}
