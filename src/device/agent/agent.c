/* agent.c: the backend `agent:COMMAND`: whatever `sloe agent -b BACKEND` serves at the other end of
 * a pipe, as in agent:ssh nano sloe agent -b trtexec.
 *
 * One request a run: the times that count are taken at the other end, how long the pipe takes is in
 * none of them. Settling goes along with the run that it is for, so that nothing comes between the
 * two. A network is sent as ONNX without weights; the other end makes its layers by the same rules
 * and says how many, which must be as many as here.
 */
#include "device/agent/agent.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/opened.h"
#include "onnx/onnx.h"

extern const sloe_backend sloe_backend_agent;

typedef sloe_agent_link agent; /* the state */

typedef struct agent_job {
  sloe_agent_loaded loaded;
  int settle;      /* before its next run */
  json_t *of_load; /* of a layer: the answer, which says what was chosen; NULL */
} agent_job;

/* ---- opening ---- */

static void agent_close(void *state) {
  agent *a = state;
  if (!a) return;
  sloe_agent_link_close(a);
  sloe_dealloc(a);
}

sloe_status sloe_agent_open(const char *command, const sloe_agent_limits *limits, void **state,
                            sloe_device_info *info, sloe_error *err) {
  *state = NULL;
  agent *a = sloe_alloc(1, sizeof *a);
  if (!a) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  const sloe_status status = sloe_agent_link_open(command, limits, a, err);
  if (status == SLOE_OK) {
    *info = a->hello.info;
    *state = a;
  } else {
    agent_close(a);
  }
  return status;
}

static sloe_status agent_open(const sloe_backend_options *options, void **state,
                              sloe_device_info *info, sloe_error *err) {
  return sloe_agent_open(sloe_backend_option(options, "command", ""), NULL, state, info, err);
}

/* ---- loading ---- */

static void forget(agent_job *job) {
  json_decref(job->loaded.request);
  json_decref(job->of_load);
  sloe_dealloc(job);
}

/* Nothing depends on whether the agent hears it: one that is gone has forgotten it anyway. */
static void agent_unload(void *state, void *job) {
  agent *a = state;
  agent_job *j = job;
  json_t *answer;
  if (!j) return;
  if (a->is_up && j->loaded.generation == a->generation && !sloe_agent_has_ended(&a->child)) {
    json_t *request = json_pack("{s:s, s:I}", "op", "unload", "job", (json_int_t)j->loaded.job);
    sloe_agent_ask(a, NULL, request, a->limits.other, &answer, NULL);
    json_decref(answer);
  }
  forget(j);
}

/* Takes `request` over. */
static sloe_status load(agent *a, json_t *request, agent_job **out, json_t **answer,
                        sloe_error *err) {
  *out = NULL;
  *answer = NULL;
  agent_job *job = sloe_alloc(1, sizeof *job);
  if (!job) {
    json_decref(request);
    return sloe_fail(err, SLOE_NOMEM, "out of memory loading a job");
  }
  *job = (agent_job){.loaded.request = request};
  const sloe_status status = sloe_agent_load(a, &job->loaded, answer, err);
  if (status == SLOE_OK)
    *out = job;
  else
    forget(job);
  return status;
}

/* Kernels are named in printable ASCII. */
static int is_line(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return 0;
  return 1;
}

static sloe_status agent_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                    sloe_error *err) {
  char text[SLOE_SPEC_TEXT];
  agent_job *j;
  json_t *answer;
  *job = NULL;
  json_t *request =
      json_pack("{s:s, s:s}", "op", "load_layer", "spec", sloe_layer_spec_print(spec, text));
  SLOE_TRY(load(state, request, &j, &answer, err));
  j->of_load = answer;
  if (is_line(sloe_agent_get_text(answer, "choice")) &&
      is_line(sloe_agent_get_text(answer, "kernels"))) {
    *job = j;
    return SLOE_OK;
  }
  agent_unload(state, j);
  return sloe_fail(err, SLOE_DEVICE, "the agent tells kernels whose names are no names");
}

static sloe_status network_request(const sloe_layers *layers, json_t **out, sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  sloe_text base64 = {0};
  unsigned char *onnx;
  size_t len;
  *out = NULL;
  SLOE_TRY(sloe_onnx_write_memory(net, &onnx, &len, err));
  if (len <= SLOE_AGENT_NET_MOST) sloe_agent_base64(onnx, len, &base64);
  sloe_dealloc(onnx);
  if (len > SLOE_AGENT_NET_MOST)
    return sloe_fail(err, SLOE_UNSUPPORTED, "a network of %zu bytes of ONNX, more than %d", len,
                     SLOE_AGENT_NET_MOST);
  if (!base64.failed)
    *out =
        json_pack("{s:s, s:o, s:s%}", "op", "load_network", "name",
                  sloe_agent_text(sloe_net_get_info(net)->name), "onnx", base64.data, base64.len);
  sloe_text_fini(&base64);
  return *out ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory sending a network");
}

static sloe_status agent_load_network(void *state, const sloe_layers *layers, void **job,
                                      sloe_error *err) {
  agent *a = state;
  const size_t here = sloe_layers_count(layers);
  agent_job *j;
  json_t *request, *answer;
  int64_t there;
  *job = NULL;
  if (!a->hello.networks)
    return sloe_fail(err, SLOE_UNSUPPORTED, "the agent runs no whole networks");
  SLOE_TRY(network_request(layers, &request, err));
  SLOE_TRY(load(a, request, &j, &answer, err));
  const int told = sloe_agent_get_int(answer, "layers", 0, INT32_MAX, &there);
  json_decref(answer);
  if (told && (size_t)there == here) {
    *job = j;
    return SLOE_OK;
  }
  agent_unload(a, j);
  return sloe_fail(err, SLOE_UNSUPPORTED, "the agent makes %lld layers of it, here they are %zu",
                   (long long)there, here);
}

/* ---- kernels ---- */

static const char *agent_choice(void *state, void *job, size_t layer) {
  const agent_job *j = job;
  (void)state;
  return j->of_load && !layer ? sloe_agent_get_text(j->of_load, "choice") : "";
}

static const char *agent_kernels(void *state, void *job) {
  const agent_job *j = job;
  (void)state;
  return j->of_load ? sloe_agent_get_text(j->of_load, "kernels") : "";
}

static sloe_status agent_proposals(void *state, const sloe_layer_spec *spec, sloe_text *out,
                                   sloe_error *err) {
  agent *a = state;
  char text[SLOE_SPEC_TEXT];
  json_t *answer;
  if (!a->hello.proposals)
    return sloe_fail(err, SLOE_UNSUPPORTED, "the agent cannot be asked which kernels it would try");
  json_t *request =
      json_pack("{s:s, s:s}", "op", "proposals", "spec", sloe_layer_spec_print(spec, text));
  SLOE_TRY(sloe_agent_ask(a, NULL, request, a->limits.other, &answer, err));
  const json_t *kernels = json_object_get(answer, "kernels");
  const int ok = json_is_string(kernels) && is_line(json_string_value(kernels));
  if (ok) sloe_text_add(out, json_string_value(kernels));
  json_decref(answer);
  return ok ? SLOE_OK
            : sloe_fail(err, SLOE_DEVICE, "the agent proposes kernels and gives no names");
}

/* ---- running ---- */

static sloe_status agent_settle(void *state, void *job, sloe_error *err) {
  agent_job *j = job;
  (void)state;
  (void)err;
  j->settle = 1;
  return SLOE_OK;
}

/* Times as the agent gives them, negative ones too: timing judges them. */
static sloe_status get_ns(const json_t *value, const char *what, uint64_t *out, sloe_error *err) {
  *out = 0;
  if (!json_is_integer(value))
    return sloe_fail(err, SLOE_DEVICE, "the agent runs it and gives no %s", what);
  *out = (uint64_t)json_integer_value(value);
  return SLOE_OK;
}

static sloe_status agent_run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                             sloe_error *err) {
  agent *a = state;
  agent_job *j = job;
  json_t *answer;
  const int settles = j->settle && a->hello.settle;
  *device_ns = *host_ns = 0;
  j->settle = 0;
  SLOE_TRY(sloe_agent_ask(a, &j->loaded, json_pack("{s:s, s:b}", "op", "run", "settle", settles),
                          a->limits.run, &answer, err));
  sloe_status status = get_ns(json_object_get(answer, "device_ns"), "device_ns", device_ns, err);
  if (status == SLOE_OK && json_object_get(answer, "host_ns"))
    status = get_ns(json_object_get(answer, "host_ns"), "host_ns", host_ns, err);
  json_decref(answer);
  return status;
}

static sloe_status agent_run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                                    sloe_error *err) {
  agent *a = state;
  agent_job *j = job;
  json_t *answer;
  memset(layer_ns, 0, n * sizeof *layer_ns);
  if (!a->hello.layers)
    return sloe_fail(err, SLOE_UNSUPPORTED, "the agent has no clock around layers");
  SLOE_TRY(sloe_agent_ask(a, &j->loaded, json_pack("{s:s}", "op", "run_layers"), a->limits.run,
                          &answer, err));
  const json_t *times = json_object_get(answer, "layer_ns");
  sloe_status status = SLOE_OK;
  if (json_array_size(times) != n)
    status = sloe_fail(err, SLOE_DEVICE, "the agent gives %zu times for %zu layers",
                       json_array_size(times), n);
  for (size_t i = 0; status == SLOE_OK && i < n; i++)
    status = get_ns(json_array_get(times, i), "layer_ns", &layer_ns[i], err);
  json_decref(answer);
  return status;
}

/* ---- sensors ---- */

/* The word, where it is `known`; else "" and no figure may be told under it. */
static const char *one_of(const json_t *answer, const char *key, const char *const *known) {
  const char *word = sloe_agent_get_text(answer, key);
  for (; *known; known++)
    if (strcmp(*known, word) == 0) return *known;
  return "";
}

static sloe_status agent_memory(void *state, void *job, sloe_device_memory *out, sloe_error *err) {
  static const char *const kinds[] = {"process", "device", "system", NULL};
  agent *a = state;
  agent_job *j = job;
  json_t *answer;
  *out = (sloe_device_memory){NAN, NAN, NAN, NAN, ""};
  if (!a->hello.memory) return SLOE_OK;
  SLOE_TRY(sloe_agent_ask(a, &j->loaded, json_pack("{s:s}", "op", "memory"), a->limits.other,
                          &answer, err));
  const sloe_device_memory told = {
      sloe_agent_get_number(answer, "total_mb"), sloe_agent_get_number(answer, "weights_mb"),
      sloe_agent_get_number(answer, "activations_mb"),
      sloe_agent_get_number(answer, "workspace_mb"), one_of(answer, "kind", kinds)};
  json_decref(answer);
  if (!isnan(told.total_mb) && (!*told.kind || told.total_mb < 0))
    return sloe_fail(err, SLOE_DEVICE, "the agent tells %.0f MB of no known kind", told.total_mb);
  *out = told;
  return SLOE_OK;
}

static sloe_status read_sensor(const json_t *answer, sloe_device_sensor *out, sloe_error *err) {
  static const char *const rails[] = {"gpu", "input", "device", NULL};
  *out = (sloe_device_sensor){sloe_agent_get_number(answer, "power_w"),
                              sloe_agent_get_number(answer, "energy_mj"), 0,
                              one_of(answer, "rail", rails)};
  if (*out->rail || (isnan(out->power_w) && isnan(out->energy_mj))) return SLOE_OK;
  return sloe_fail(err, SLOE_DEVICE, "the agent tells %.0f W of no known rail", out->power_w);
}

/* `power` tells the energy since the last time, and no clock. */
static void count(agent *a, sloe_device_sensor *told) {
  if (told->energy_mj >= 0) a->counted_mj = fmax(a->counted_mj, 0) + told->energy_mj;
  if (!(told->energy_mj < 0)) told->energy_mj = a->counted_mj;
  told->at_ns = (uint64_t)(sloe_agent_now() * 1e9);
}

static sloe_status agent_sensor(void *state, sloe_device_sensor *out, sloe_error *err) {
  agent *a = state;
  json_t *answer;
  *out = (sloe_device_sensor){NAN, NAN, 0, ""};
  if (!a->hello.sensor && !a->hello.power) return SLOE_OK;
  json_t *request = json_pack("{s:s}", "op", a->hello.sensor ? "sensor" : "power");
  SLOE_TRY(sloe_agent_ask(a, NULL, request, a->limits.other, &answer, err));
  sloe_device_sensor told;
  sloe_status status = read_sensor(answer, &told, err);
  if (status == SLOE_OK && a->hello.sensor)
    status = get_ns(json_object_get(answer, "at_ns"), "at_ns", &told.at_ns, err);
  json_decref(answer);
  SLOE_TRY(status);
  if (!a->hello.sensor) count(a, &told);
  *out = told;
  return SLOE_OK;
}

/* One request for all of it: the pipe would let the device lie idle between two runs. */
static sloe_status agent_keep_busy(void *state, void *job, uint64_t ns, uint64_t *n,
                                   sloe_error *err) {
  agent *a = state;
  agent_job *j = job;
  json_t *answer;
  *n = 0;
  if (!a->hello.sensor) return sloe_load_by_runs(&sloe_backend_agent, state, job, ns, n, err);
  json_t *request = json_pack("{s:s, s:I}", "op", "load", "ns", (json_int_t)ns);
  SLOE_TRY(sloe_agent_ask(a, &j->loaded, request, a->limits.run, &answer, err));
  int64_t told;
  const int ok = sloe_agent_get_int(answer, "count", 0, INT64_MAX, &told);
  json_decref(answer);
  if (!ok) return sloe_fail(err, SLOE_DEVICE, "the agent loads the device and gives no count");
  *n = (uint64_t)told;
  return SLOE_OK;
}

static sloe_status agent_rest(void *state, uint64_t ns, sloe_error *err) {
  agent *a = state;
  json_t *answer;
  if (!a->hello.sensor) return sloe_rest_by_sleep(ns);
  json_t *request = json_pack("{s:s, s:I}", "op", "rest", "ns", (json_int_t)ns);
  SLOE_TRY(sloe_agent_ask(a, NULL, request, a->limits.run, &answer, err));
  json_decref(answer);
  return SLOE_OK;
}

const sloe_backend sloe_backend_agent = {
    .name = "agent",
    .open = agent_open,
    .close = agent_close,
    .load_layer = agent_load_layer,
    .load_network = agent_load_network,
    .unload = agent_unload,
    .run = agent_run,
    .run_layers = agent_run_layers,
    .settle = agent_settle,
    .choice = agent_choice,
    .kernels = agent_kernels,
    .proposals = agent_proposals,
    .memory = agent_memory,
    .sensor = agent_sensor,
    .load = agent_keep_busy,
    .rest = agent_rest,
};
