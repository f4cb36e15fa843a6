/* agent_serve.c: the loop of the serving end, and its heart.
 *
 * The device belongs to the thread that answers. Another one says every second that a request is
 * still at it; it sleeps by itself and is not woken by requests, so that it takes nothing from what
 * is timed.
 */
#include <math.h>
#include <pthread.h>
#include <time.h>

#include "device/agent/agent_server.h"

enum { BEAT_S = 1 };

typedef struct heart {
  pthread_mutex_t mutex; /* of all below, and of writing to `out` while busy */
  pthread_cond_t ends;
  pthread_t thread;
  int out, is_over;
  int64_t busy; /* the request that is being answered; 0: none */
  double began_s;
} heart;

/* ---- the heart ---- */

static void beat(const heart *h) {
  const double busy_s = sloe_agent_now() - h->began_s;
  sloe_text line = {0};
  if (busy_s < 0.9 * BEAT_S) return;
  if (sloe_agent_print(json_pack("{s:I, s:f}", "id", (json_int_t)h->busy, "busy", busy_s), &line,
                       NULL) == SLOE_OK)
    sloe_agent_put(h->out, 0, line.data, line.len, INFINITY); /* the answer fails where this does */
  sloe_text_fini(&line);
}

static void *live(void *context) {
  heart *h = context;
  pthread_mutex_lock(&h->mutex);
  while (!h->is_over) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += BEAT_S;
    pthread_cond_timedwait(&h->ends, &h->mutex, &t);
    if (h->busy && !h->is_over) beat(h);
  }
  pthread_mutex_unlock(&h->mutex);
  return NULL;
}

static sloe_status heart_begin(heart *h, int out, sloe_error *err) {
  pthread_condattr_t attributes;
  *h = (heart){.out = out};
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&h->mutex, NULL);
  pthread_cond_init(&h->ends, &attributes);
  pthread_condattr_destroy(&attributes);
  if (pthread_create(&h->thread, NULL, live, h) == 0) return SLOE_OK;
  pthread_cond_destroy(&h->ends);
  pthread_mutex_destroy(&h->mutex);
  return sloe_fail(err, SLOE_NOMEM, "no thread for heartbeats");
}

static void heart_end(heart *h) {
  pthread_mutex_lock(&h->mutex);
  h->is_over = 1;
  pthread_cond_signal(&h->ends);
  pthread_mutex_unlock(&h->mutex);
  pthread_join(h->thread, NULL);
  pthread_cond_destroy(&h->ends);
  pthread_mutex_destroy(&h->mutex);
}

static void set_busy(heart *h, int64_t id) {
  pthread_mutex_lock(&h->mutex);
  h->busy = id;
  h->began_s = sloe_agent_now();
  pthread_mutex_unlock(&h->mutex);
}

/* ---- the loop ---- */

static sloe_status say(int out, sloe_text *line, sloe_error *err) {
  const sloe_agent_got got = sloe_agent_put(out, 0, line->data, line->len, INFINITY);
  sloe_text_fini(line);
  return got == SLOE_AGENT_LINE ? SLOE_OK
                                : sloe_fail(err, SLOE_IO, "nobody reads the answers any more");
}

/* About the agent itself; it ends after that. */
static void say_last(int out, const sloe_error *why) {
  sloe_text line = {0};
  if (sloe_agent_refuse(0, why, &line, NULL) == SLOE_OK) say(out, &line, NULL);
  sloe_text_fini(&line);
}

static sloe_status answer(sloe_agent_server *server, heart *h, const char *line, size_t len,
                          sloe_error *err) {
  sloe_text text = {0};
  json_t *request;
  const int64_t id = sloe_agent_read_request(line, len, &request, err);
  if (!id) return SLOE_FORMAT;
  set_busy(h, id);
  const sloe_status status = sloe_agent_answer(server, request, id, &text, err);
  set_busy(h, 0);
  json_decref(request);
  if (status == SLOE_OK) return say(h->out, &text, err);
  sloe_text_fini(&text);
  return status;
}

static sloe_status serve(sloe_agent_server *server, heart *h, int in, sloe_error *err) {
  sloe_agent_lines lines;
  sloe_status status = SLOE_OK;
  sloe_agent_got got = SLOE_AGENT_LINE;
  sloe_agent_lines_init(&lines, in, SLOE_AGENT_REQUEST_MOST);
  while (status == SLOE_OK) {
    char *line;
    size_t len;
    got = sloe_agent_lines_next(&lines, INFINITY, &line, &len);
    if (got != SLOE_AGENT_LINE) break;
    status = answer(server, h, line, len, err);
  }
  const int is_cut = got == SLOE_AGENT_END && lines.start != lines.end;
  sloe_agent_lines_fini(&lines);
  if (status != SLOE_OK || (got == SLOE_AGENT_END && !is_cut)) return status;
  if (is_cut) return sloe_fail(err, SLOE_FORMAT, "the last request is cut short");
  if (got == SLOE_AGENT_LONG)
    return sloe_fail(err, SLOE_FORMAT, "a request of more than %d bytes", SLOE_AGENT_REQUEST_MOST);
  return sloe_fail(err, SLOE_IO, "reading the requests failed");
}

sloe_status sloe_device_serve(const char *backend, const char *modules, int in, int out,
                              sloe_error *err) {
  sloe_agent_server server;
  sloe_device *device;
  sloe_error why = {0};
  heart h;
  sloe_status status = sloe_device_open(backend, modules, &device, &why);
  if (status == SLOE_OK) {
    sloe_agent_server_init(&server, device);
    status = heart_begin(&h, out, &why);
    if (status == SLOE_OK) {
      status = serve(&server, &h, in, &why);
      heart_end(&h);
    }
    sloe_agent_server_fini(&server);
  }
  if (status == SLOE_OK) return SLOE_OK;
  if (status != SLOE_IO) say_last(out, &why);
  return sloe_fail(err, status, "%s", why.msg);
}
