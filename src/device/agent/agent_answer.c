/* agent_answer.c: what the serving end does with a request. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/agent/agent_server.h"
#include "device/opened.h"
#include "onnx/onnx.h"

static const int64_t MOST_NS = 60000000000; /* of a load or a rest */

typedef struct asked {
  sloe_agent_server *server;
  const json_t *request;
  json_t *answer; /* made by the op; NULL where it fails */
  sloe_error *err;
} asked;

/* ---- jobs ---- */

static void unload(sloe_agent_server_job *job) {
  sloe_job_unload(job->job);
  sloe_layers_free(job->layers);
  sloe_net_free(job->net);
  *job = (sloe_agent_server_job){0};
}

void sloe_agent_server_init(sloe_agent_server *server, sloe_device *device) {
  *server = (sloe_agent_server){.device = device, .told = {NAN, NAN, 0, ""}};
}

void sloe_agent_server_fini(sloe_agent_server *server) {
  for (size_t i = 0; i < server->n_jobs; i++) unload(&server->jobs[i]);
  sloe_dealloc(server->jobs);
  sloe_device_close(server->device);
  *server = (sloe_agent_server){0};
}

static sloe_status find_job(const asked *x, sloe_agent_server_job **out) {
  const sloe_agent_server *s = x->server;
  int64_t number;
  *out = NULL;
  if (sloe_agent_get_int(x->request, "job", 1, (int64_t)s->n_jobs, &number) &&
      s->jobs[number - 1].job) {
    *out = &s->jobs[number - 1];
    return SLOE_OK;
  }
  return sloe_fail(x->err, SLOE_USAGE, "'job' is none that is loaded");
}

/* A free place; its number from 1. */
static sloe_status make_place(const asked *x, size_t *number) {
  sloe_agent_server *s = x->server;
  for (size_t i = 0; i < s->n_jobs; i++) {
    *number = i + 1;
    if (!s->jobs[i].job) return SLOE_OK;
  }
  if (s->n_jobs == SLOE_AGENT_JOBS_MOST)
    return sloe_fail(x->err, SLOE_NOMEM, "%zu jobs are loaded already", s->n_jobs);
  if (s->n_jobs == s->cap_jobs) {
    const size_t cap = s->cap_jobs ? 2 * s->cap_jobs : 8;
    sloe_agent_server_job *wide = sloe_realloc(s->jobs, cap, sizeof *wide);
    if (!wide) return sloe_fail(x->err, SLOE_NOMEM, "out of memory loading a job");
    s->jobs = wide;
    s->cap_jobs = cap;
  }
  s->jobs[s->n_jobs] = (sloe_agent_server_job){0};
  *number = ++s->n_jobs;
  return SLOE_OK;
}

static sloe_status keep_job(asked *x, sloe_agent_server_job *job) {
  size_t number = 0;
  sloe_status status = make_place(x, &number);
  if (status != SLOE_OK) {
    unload(job);
    return status;
  }
  x->answer = json_pack("{s:I, s:I}", "job", (json_int_t)number, "layers",
                        (json_int_t)(job->layers ? sloe_layers_count(job->layers) : 1));
  x->server->jobs[number - 1] = *job;
  return SLOE_OK;
}

/* What a job of one layer chose, and from what, where it did. */
static void tell_choice(const asked *x, const sloe_job *job) {
  const char *choice = sloe_job_choice(job, 0), *kernels = sloe_job_kernels(job);
  if (x->answer && *choice) json_object_set_new(x->answer, "choice", sloe_agent_text(choice));
  if (x->answer && *kernels) json_object_set_new(x->answer, "kernels", sloe_agent_text(kernels));
}

/* ---- the ops ---- */

static sloe_status say_hello(asked *x) {
  const sloe_device *device = x->server->device;
  x->answer = sloe_agent_write_hello(&device->info, device->backend, device->text);
  return SLOE_OK;
}

static sloe_status load_layer(asked *x) {
  sloe_agent_server_job job = {0};
  sloe_layer_spec spec;
  SLOE_TRY(sloe_layer_spec_parse(sloe_agent_get_text(x->request, "spec"), &spec, x->err));
  SLOE_TRY(sloe_device_load_layer(x->server->device, &spec, &job.job, x->err));
  const sloe_job *loaded = job.job;
  SLOE_TRY(keep_job(x, &job));
  tell_choice(x, loaded);
  return SLOE_OK;
}

static sloe_status tell_proposals(asked *x) {
  sloe_layer_spec spec;
  sloe_text text = {0};
  SLOE_TRY(sloe_layer_spec_parse(sloe_agent_get_text(x->request, "spec"), &spec, x->err));
  sloe_text_add(&text, ""); /* a string where nothing is proposed, too */
  sloe_status status = sloe_device_proposals(x->server->device, &spec, &text, x->err);
  if (status == SLOE_OK && text.failed)
    status = sloe_fail(x->err, SLOE_NOMEM, "out of memory telling kernels");
  if (status == SLOE_OK) x->answer = json_pack("{s:o}", "kernels", sloe_agent_text(text.data));
  sloe_text_fini(&text);
  return status;
}

/* Read from the bytes as it would be from a file called NAME.onnx. */
static sloe_status read_net(asked *x, sloe_net **out) {
  const sloe_net_options options = {.memory_limit = x->server->net_limit};
  const char *name = sloe_agent_get_text(x->request, "name");
  const json_t *onnx = json_object_get(x->request, "onnx");
  sloe_net *net = NULL;
  unsigned char *bytes;
  size_t len;
  *out = NULL;
  if (!json_is_string(onnx)) return sloe_fail(x->err, SLOE_FORMAT, "'onnx' is no text");
  SLOE_TRY(
      sloe_agent_unbase64(json_string_value(onnx), json_string_length(onnx), &bytes, &len, x->err));
  sloe_status status = sloe_onnx_read_memory(bytes, len, options.memory_limit, &net, x->err);
  if (status == SLOE_OK) {
    net->name = sloe_arena_strn(&net->arena, name, strlen(name));
    status = net->name ? sloe_net_finish(net, &options, x->err)
                       : sloe_fail(x->err, SLOE_NOMEM, "out of memory reading a network");
  }
  sloe_dealloc(bytes);
  if (status == SLOE_OK)
    *out = net;
  else
    sloe_net_free(net);
  return status;
}

static sloe_status load_network(asked *x) {
  sloe_device *device = x->server->device;
  sloe_agent_server_job job = {0};
  SLOE_TRY(read_net(x, &job.net));
  sloe_status status = sloe_layers_new(job.net, &device->info.fusion, &job.layers, x->err);
  if (status == SLOE_OK) status = sloe_device_load_network(device, job.layers, &job.job, x->err);
  if (status == SLOE_OK) return keep_job(x, &job);
  unload(&job);
  return status;
}

static sloe_status unload_job(asked *x) {
  sloe_agent_server_job *job;
  SLOE_TRY(find_job(x, &job));
  unload(job);
  x->answer = json_object();
  return SLOE_OK;
}

static sloe_status run(asked *x) {
  const sloe_device *device = x->server->device;
  const sloe_backend *backend = device->backend;
  sloe_agent_server_job *job;
  uint64_t device_ns, host_ns;
  SLOE_TRY(find_job(x, &job));
  if (sloe_agent_get_flag(x->request, "settle") && backend->settle)
    SLOE_TRY(backend->settle(device->state, job->job->state, x->err));
  SLOE_TRY(backend->run(device->state, job->job->state, &device_ns, &host_ns, x->err));
  x->answer =
      json_pack("{s:I, s:I}", "device_ns", (json_int_t)device_ns, "host_ns", (json_int_t)host_ns);
  return SLOE_OK;
}

static json_t *times_of(const uint64_t *ns, size_t n) {
  json_t *times = json_array();
  for (size_t i = 0; times && i < n; i++)
    json_array_append_new(times, json_integer((json_int_t)ns[i]));
  return times;
}

static sloe_status run_layers(asked *x) {
  const sloe_device *device = x->server->device;
  sloe_agent_server_job *job;
  SLOE_TRY(find_job(x, &job));
  const size_t n = job->job->n_layers;
  if (!n || !device->backend->run_layers)
    return sloe_fail(x->err, SLOE_UNSUPPORTED, "backend %s: no clock around the layers of this job",
                     device->backend->name);
  uint64_t *ns = sloe_alloc(n, sizeof *ns);
  if (!ns) return sloe_fail(x->err, SLOE_NOMEM, "out of memory timing layers");
  const sloe_status status =
      device->backend->run_layers(device->state, job->job->state, ns, n, x->err);
  if (status == SLOE_OK) x->answer = json_pack("{s:o}", "layer_ns", times_of(ns, n));
  sloe_dealloc(ns);
  return status;
}

static sloe_status tell_memory(asked *x) {
  sloe_agent_server_job *job;
  sloe_device_memory m;
  SLOE_TRY(find_job(x, &job));
  SLOE_TRY(sloe_job_memory(job->job, &m, x->err));
  x->answer = json_pack("{s:o, s:o, s:o, s:o, s:s}", "total_mb", sloe_agent_number(m.total_mb),
                        "weights_mb", sloe_agent_number(m.weights_mb), "activations_mb",
                        sloe_agent_number(m.activations_mb), "workspace_mb",
                        sloe_agent_number(m.workspace_mb), "kind", m.kind);
  return SLOE_OK;
}

static json_t *sensed(const sloe_device_sensor *s) {
  return json_pack("{s:o, s:o, s:s}", "power_w", sloe_agent_number(s->power_w), "energy_mj",
                   sloe_agent_number(s->energy_mj), "rail", s->rail);
}

static sloe_status tell_sensor(asked *x) {
  sloe_device_sensor s;
  SLOE_TRY(sloe_device_sensor_read(x->server->device, &s, x->err));
  x->answer = sensed(&s);
  if (x->answer) json_object_set_new(x->answer, "at_ns", json_integer((json_int_t)s.at_ns));
  return SLOE_OK;
}

/* Of the counter since the last time, where it moved. */
static sloe_status tell_power(asked *x) {
  sloe_device_sensor s, *last = &x->server->told;
  SLOE_TRY(sloe_device_sensor_read(x->server->device, &s, x->err));
  sloe_device_sensor since = s;
  since.energy_mj = NAN;
  if (*last->rail && s.energy_mj > last->energy_mj && s.at_ns > last->at_ns) {
    since.energy_mj = s.energy_mj - last->energy_mj;
    since.power_w = since.energy_mj * 1e6 / (double)(s.at_ns - last->at_ns);
  }
  if (!*last->rail || !isnan(since.energy_mj)) *last = s;
  x->answer = sensed(&since);
  return SLOE_OK;
}

static sloe_status get_span(const asked *x, uint64_t *ns) {
  int64_t given;
  *ns = 0;
  if (!sloe_agent_get_int(x->request, "ns", 0, MOST_NS, &given))
    return sloe_fail(x->err, SLOE_USAGE, "'ns' is no whole number of 0 to %lld",
                     (long long)MOST_NS);
  *ns = (uint64_t)given;
  return SLOE_OK;
}

static sloe_status load(asked *x) {
  sloe_agent_server_job *job;
  uint64_t ns, count;
  SLOE_TRY(find_job(x, &job));
  SLOE_TRY(get_span(x, &ns));
  SLOE_TRY(sloe_job_load(job->job, ns, &count, x->err));
  x->answer = json_pack("{s:I}", "count", (json_int_t)count);
  return SLOE_OK;
}

static sloe_status rest(asked *x) {
  uint64_t ns;
  SLOE_TRY(get_span(x, &ns));
  SLOE_TRY(sloe_device_rest(x->server->device, ns, x->err));
  x->answer = json_object();
  return SLOE_OK;
}

/* ---- requests ---- */

static const struct {
  const char *name;
  sloe_status (*carry_out)(asked *x);
} ops[] = {{"hello", say_hello},
           {"load_layer", load_layer},
           {"load_network", load_network},
           {"unload", unload_job},
           {"run", run},
           {"run_layers", run_layers},
           {"memory", tell_memory},
           {"proposals", tell_proposals},
           {"power", tell_power},
           {"sensor", tell_sensor},
           {"load", load},
           {"rest", rest}};

static sloe_status carry_out(asked *x) {
  char quote[SLOE_AGENT_QUOTE];
  const char *op = sloe_agent_get_text(x->request, "op");
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (strcmp(ops[i].name, op) == 0) return ops[i].carry_out(x);
  return sloe_fail(x->err, SLOE_UNSUPPORTED, "no op '%s' in protocol %d",
                   sloe_agent_quote(op, strlen(op), quote), SLOE_AGENT_PROTOCOL);
}

int64_t sloe_agent_read_request(const char *line, size_t len, json_t **request, sloe_error *err) {
  int64_t id;
  if (sloe_agent_parse(line, len, request, err) != SLOE_OK) return 0;
  if (sloe_agent_get_int(*request, "id", 1, INT64_MAX, &id)) return id;
  json_decref(*request);
  *request = NULL;
  sloe_fail(err, SLOE_FORMAT, "a request without an 'id' of 1 and more");
  return 0;
}

sloe_status sloe_agent_refuse(int64_t id, const sloe_error *why, sloe_text *out, sloe_error *err) {
  return sloe_agent_print(
      json_pack("{s:I, s:s, s:o}", "id", (json_int_t)id, "status",
                sloe_agent_status_name(why->code), "message", sloe_agent_text(why->msg)),
      out, err);
}

sloe_status sloe_agent_answer(sloe_agent_server *server, const json_t *request, int64_t id,
                              sloe_text *out, sloe_error *err) {
  sloe_error why = {0};
  asked x = {.server = server, .request = request, .err = &why};
  const sloe_status status = carry_out(&x);
  if (status != SLOE_OK) return sloe_agent_refuse(id, &why, out, err);
  if (x.answer && json_object_set_new(x.answer, "id", json_integer(id)) == 0)
    return sloe_agent_print(x.answer, out, err);
  json_decref(x.answer);
  return sloe_fail(err, SLOE_NOMEM, "out of memory answering");
}
