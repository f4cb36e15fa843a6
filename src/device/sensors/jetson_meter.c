/* jetson_meter.c: a thread that reads what a board draws until it is told to end.
 *
 * Files: rails, clock and load of the GPU at every turn, the slower temperatures and memory at
 * every tenth. tegrastats: what its lines say. It never ends by itself, so that it is ended here,
 * and what it said until then counts.
 */
#include "device/sensors/jetson_meter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

enum { PERIOD_MS = 20, CHILD_PERIOD_MS = 100, FIRST_CAP = 1024, SELDOM = 10, LINE_MOST = 1 << 16 };

static const double SILENT_S = 10; /* a child that says nothing for so long is none */

/* ---- keeping readings ---- */

static void thin_out(sloe_jetson_meter *m) {
  size_t kept = 0;
  for (size_t i = 0; i < m->n; i += 2) m->readings[kept++] = m->readings[i];
  if (m->n % 2 == 0) m->readings[kept++] = m->readings[m->n - 1];
  m->n = kept;
}

static int make_room(sloe_jetson_meter *m) {
  if (m->n < m->cap) return 1;
  if (m->cap >= SLOE_METER_READINGS) {
    thin_out(m);
    return 1;
  }
  sloe_meter_reading *wide = sloe_realloc(m->readings, 2 * m->cap, sizeof *wide);
  if (!wide) return 0;
  m->readings = wide;
  m->cap *= 2;
  return 1;
}

/* Adds trapezoids to what the reading before had. */
static void integrate(sloe_jetson_meter *m, sloe_meter_reading *r) {
  const sloe_meter_reading *before = m->n ? &m->readings[m->n - 1] : NULL;
  const double ms = before ? (double)(r->at_ns - before->at_ns) / 1e6 : 0;
  for (size_t i = 0; i < m->n_rails; i++) {
    const double watts = isnan(r->watts[i]) ? m->last_w[i] : (double)r->watts[i];
    r->energy_mj[i] = before ? before->energy_mj[i] + ms * (watts + m->last_w[i]) / 2 : 0;
    m->last_w[i] = watts;
  }
}

sloe_status sloe_meter_keep(sloe_jetson_meter *m, sloe_meter_reading *r, sloe_error *err) {
  pthread_mutex_lock(&m->mutex);
  const int has_room = make_room(m);
  if (has_room) {
    integrate(m, r);
    m->readings[m->n++] = *r;
  }
  pthread_mutex_unlock(&m->mutex);
  return has_room ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory reading power");
}

static void name_rails(sloe_jetson_meter *m) {
  const char *names[SLOE_JETSON_RAILS];
  for (size_t i = 0; i < m->n_rails; i++) names[i] = m->name[i];
  sloe_rails_input(names, m->n_rails, &m->input);
  sloe_rails_gpu(names, m->n_rails, &m->on_gpu);
}

/* ---- of files ---- */

static void read_seldom(sloe_jetson_meter *m) {
  double total_mb;
  if (m->turn++ % SELDOM) return;
  sloe_jetson_read_heat(m->b, &m->heat);
  m->memory_mb = sloe_jetson_read_memory(m->b, &total_mb);
}

static sloe_status read_files(sloe_jetson_meter *m, sloe_error *err) {
  sloe_meter_reading r = {.at_ns = sloe_jetson_now_ns()};
  double watts[SLOE_JETSON_RAILS], mhz, load;
  if (!sloe_jetson_read_rails(m->b, watts))
    return sloe_fail(err, SLOE_DEVICE, "%s: none of its %zu rails can be read any more", m->source,
                     m->n_rails);
  for (size_t i = 0; i < m->n_rails; i++) r.watts[i] = (float)watts[i];
  sloe_jetson_read_gpu(m->b, &mhz, &load);
  read_seldom(m);
  r.gpu_mhz = (float)mhz;
  r.gpu_load = (float)load;
  r.hottest_c = (float)m->heat.hottest_c;
  r.memory_mb = (float)m->memory_mb;
  r.throttling = m->heat.throttling;
  return sloe_meter_keep(m, &r, err);
}

/* Until the next turn, or the end. */
static int rest(sloe_jetson_meter *m) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += (long)m->period_ms % 1000 * 1000000;
  until.tv_sec += m->period_ms / 1000 + until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock(&m->mutex);
  if (!m->is_over) pthread_cond_timedwait(&m->ends, &m->mutex, &until);
  const int go_on = !m->is_over;
  pthread_mutex_unlock(&m->mutex);
  return go_on;
}

static sloe_status watch_files(sloe_jetson_meter *m, sloe_error *err) {
  do SLOE_TRY(read_files(m, err));
  while (rest(m));
  return SLOE_OK;
}

/* ---- of tegrastats ---- */

static int is_over(sloe_jetson_meter *m) {
  pthread_mutex_lock(&m->mutex);
  const int over = m->is_over;
  pthread_mutex_unlock(&m->mutex);
  return over;
}

static void take_names(sloe_jetson_meter *m, const sloe_tegrastats_line *line) {
  pthread_mutex_lock(&m->mutex);
  m->n_rails = line->n_rails < SLOE_JETSON_RAILS ? line->n_rails : SLOE_JETSON_RAILS;
  for (size_t i = 0; i < m->n_rails; i++)
    snprintf(m->name[i], sizeof m->name[i], "%s", line->rail[i].name);
  name_rails(m);
  pthread_mutex_unlock(&m->mutex);
}

static float hottest_of(const sloe_tegrastats_line *line) {
  double hottest = NAN;
  for (size_t i = 0; i < line->n_sensors; i++)
    if (strcmp(line->sensor[i].name, "PMIC") != 0 && line->sensor[i].value > -200)
      hottest = fmax(hottest, line->sensor[i].value);
  return (float)hottest;
}

static sloe_status take_line(sloe_jetson_meter *m, const char *text, size_t len, sloe_error *err) {
  sloe_meter_reading r = {.at_ns = sloe_jetson_now_ns(), .throttling = -1};
  sloe_tegrastats_line line;
  if (!sloe_tegrastats_parse(text, len, &line)) return SLOE_OK; /* a warning before the first */
  if (!m->n_rails && !line.n_rails)
    return sloe_fail(err, SLOE_DEVICE, "tegrastats tells no rails to this user");
  if (!m->n_rails) take_names(m, &line);
  for (size_t i = 0; i < m->n_rails; i++) {
    const int is_there = i < line.n_rails && strcmp(line.rail[i].name, m->name[i]) == 0;
    r.watts[i] = is_there ? (float)line.rail[i].value : NAN;
  }
  r.gpu_mhz = (float)line.gpu_mhz;
  r.gpu_load = (float)line.gpu_load;
  r.hottest_c = hottest_of(&line);
  r.memory_mb = (float)(line.ram_mib * 1.048576);
  return sloe_meter_keep(m, &r, err);
}

static sloe_status watch_child(sloe_jetson_meter *m, sloe_error *err) {
  sloe_status status = SLOE_OK;
  double heard_s = sloe_agent_now();
  sloe_agent_lines_init(&m->lines, m->child.from, LINE_MOST);
  while (status == SLOE_OK && !is_over(m)) {
    char *line;
    size_t len;
    const sloe_agent_got got =
        sloe_agent_lines_next(&m->lines, sloe_agent_now() + 0.1, &line, &len);
    if (got == SLOE_AGENT_LINE) {
      heard_s = sloe_agent_now();
      status = take_line(m, line, len, err);
    } else if (got != SLOE_AGENT_LATE || sloe_agent_now() - heard_s > SILENT_S) {
      status = sloe_fail(err, SLOE_DEVICE, "'%.60s' %s", m->b->tegrastats,
                         got == SLOE_AGENT_LATE ? "says nothing" : "ended by itself");
    }
  }
  sloe_agent_lines_fini(&m->lines);
  return status;
}

/* *started is 0 where there is no such program. */
static sloe_status start_child(sloe_jetson_meter *m, int *started, sloe_error *err) {
  const sloe_jetson *b = m->b;
  sloe_arena arena;
  char **words;
  sloe_error why;
  *started = 0;
  if (!*b->tegrastats) return SLOE_OK;
  sloe_arena_init(&arena, 1 << 16);
  const char *command = sloe_arena_printf(&arena, "%s --interval %d", b->tegrastats, m->period_ms);
  sloe_status status = command ? sloe_agent_words(command, &arena, &words, err)
                               : sloe_fail(err, SLOE_NOMEM, "out of memory starting tegrastats");
  if (status == SLOE_OK) *started = sloe_agent_start(words, &m->child, &why) == SLOE_OK;
  sloe_arena_fini(&arena);
  return status;
}

/* ---- starting and ending ---- */

static void *live(void *context) {
  sloe_jetson_meter *m = context;
  sloe_error why = {0};
  const sloe_status status = m->child.pid ? watch_child(m, &why) : watch_files(m, &why);
  pthread_mutex_lock(&m->mutex);
  m->status = status;
  m->why = why;
  pthread_mutex_unlock(&m->mutex);
  return NULL;
}

static void take_rails_of_files(sloe_jetson_meter *m) {
  const sloe_jetson *b = m->b;
  m->source = b->source;
  m->n_rails = b->n_rails;
  for (size_t i = 0; i < b->n_rails; i++) memcpy(m->name[i], b->rail[i].name, sizeof m->name[i]);
  name_rails(m);
}

static sloe_status choose_source(sloe_jetson_meter *m, int period_ms, sloe_error *err) {
  int started;
  m->period_ms = period_ms > 0 ? period_ms : PERIOD_MS;
  if (m->b->update_ms > m->period_ms) m->period_ms = (int)fmin(ceil(m->b->update_ms), 10000);
  if (m->b->n_rails) {
    take_rails_of_files(m);
    return SLOE_OK;
  }
  if (m->period_ms < CHILD_PERIOD_MS) m->period_ms = CHILD_PERIOD_MS;
  m->source = "tegrastats";
  SLOE_TRY(start_child(m, &started, err));
  return started ? SLOE_OK : sloe_fail(err, SLOE_UNSUPPORTED, "no power sensor can be read");
}

static sloe_status start_thread(sloe_jetson_meter *m, sloe_error *err) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&m->mutex, NULL);
  pthread_cond_init(&m->ends, &attributes);
  pthread_condattr_destroy(&attributes);
  if (pthread_create(&m->thread, NULL, live, m) == 0) return SLOE_OK;
  pthread_cond_destroy(&m->ends);
  pthread_mutex_destroy(&m->mutex);
  return sloe_fail(err, SLOE_NOMEM, "no thread to read power");
}

static void discard(sloe_jetson_meter *m) {
  if (m->child.pid) sloe_agent_stop(&m->child, 0);
  sloe_dealloc(m->readings);
  sloe_dealloc(m);
}

sloe_status sloe_jetson_meter_start(sloe_jetson *board, int period_ms, sloe_jetson_meter **out,
                                    sloe_error *err) {
  sloe_jetson_meter *m = sloe_alloc(1, sizeof *m);
  *out = NULL;
  if (!m) return sloe_fail(err, SLOE_NOMEM, "out of memory starting a meter");
  *m = (sloe_jetson_meter){.b = board,
                           .child = {.to = -1, .from = -1},
                           .heat = {.hottest_c = NAN, .throttling = -1},
                           .memory_mb = NAN,
                           .cap = FIRST_CAP};
  m->readings = sloe_alloc(m->cap, sizeof *m->readings);
  sloe_status status = m->readings ? choose_source(m, period_ms, err)
                                   : sloe_fail(err, SLOE_NOMEM, "out of memory starting a meter");
  if (status == SLOE_OK) status = start_thread(m, err);
  if (status == SLOE_OK)
    *out = m;
  else
    discard(m);
  return status;
}

void sloe_jetson_meter_stop(sloe_jetson_meter *meter) {
  if (!meter) return;
  pthread_mutex_lock(&meter->mutex);
  meter->is_over = 1;
  pthread_cond_signal(&meter->ends);
  pthread_mutex_unlock(&meter->mutex);
  pthread_join(meter->thread, NULL);
  pthread_cond_destroy(&meter->ends);
  pthread_mutex_destroy(&meter->mutex);
  discard(meter);
}
