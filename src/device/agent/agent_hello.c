/* agent_hello.c: who measures, told by the agent and checked at this end. */
#include <math.h>
#include <string.h>

#include "device/agent/agent_wire.h"

enum { ARENA_LIMIT = 1 << 20, TEXT_MOST = 400, PAIRS_MOST = 100 };

/* ---- telling ---- */

static json_t *environment_of(const sloe_device_info *info) {
  json_t *object = json_object();
  for (size_t i = 0; object && i < info->n_environment; i++)
    json_object_set_new(object, info->environment[i].key,
                        sloe_agent_text(info->environment[i].value));
  return object;
}

static json_t *fusion_of(const sloe_fusion *fusion) {
  return json_pack("{s:s, s:i, s:s, s:i}", "runtime", sloe_runtime_name(fusion->runtime), "version",
                   fusion->version, "precision", sloe_precision_name(fusion->precision),
                   "compute_capability", fusion->compute_capability);
}

static json_t *abilities_of(const sloe_backend *backend) {
  return json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "networks", backend->load_network != NULL,
                   "layers", backend->run_layers != NULL, "settle", backend->settle != NULL,
                   "memory", backend->memory != NULL, "power", backend->sensor != NULL, "sensor",
                   backend->sensor != NULL, "proposals", backend->proposals != NULL);
}

json_t *sloe_agent_write_hello(const sloe_device_info *info, const sloe_backend *backend,
                               const char *text) {
  const struct {
    const char *key, *value;
  } texts[] = {{"sloe", sloe_version()},       {"backend", text},
               {"device", info->device},       {"title", info->title},
               {"runtime", info->runtime},     {"version", info->version},
               {"precision", info->precision}, {"mode", info->mode}};
  json_t *object = json_object();
  int failed = json_object_set_new(object, "protocol", json_integer(SLOE_AGENT_PROTOCOL));
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    failed |= json_object_set_new(object, texts[i].key, sloe_agent_text(texts[i].value));
  failed |= json_object_set_new(object, "batch", json_integer(info->batch));
  failed |= json_object_set_new(object, "threads", json_integer(info->threads));
  failed |= json_object_set_new(object, "memory_mb", sloe_agent_number(info->memory_mb));
  failed |= json_object_set_new(object, "layer_s", sloe_agent_number(info->layer_s));
  failed |= json_object_set_new(object, "network_s", sloe_agent_number(info->network_s));
  failed |= json_object_set_new(object, "self_clocked", json_boolean(info->self_clocked));
  failed |= json_object_set_new(object, "fusion", fusion_of(&info->fusion));
  failed |= json_object_set_new(object, "environment", environment_of(info));
  failed |= json_object_set_new(object, "can", abilities_of(backend));
  if (!failed) return object;
  json_decref(object);
  return NULL;
}

/* ---- hearing ---- */

typedef struct hearing {
  const json_t *answer;
  sloe_agent_hello *out;
  sloe_error *err;
} hearing;

static sloe_status lacks(const hearing *x, const char *key) {
  return sloe_fail(x->err, SLOE_DEVICE, "the agent's hello lacks a sound '%s'", key);
}

static sloe_status copy(const hearing *x, const char *text, const char **out) {
  const size_t len = strlen(text);
  *out = sloe_arena_strn(&x->out->arena, text, len < TEXT_MOST ? len : TEXT_MOST);
  return *out ? SLOE_OK : sloe_fail(x->err, SLOE_NOMEM, "out of memory reading a hello");
}

/* Names go into files and the names of platforms: no blanks, quotes or control characters. */
static int is_token(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f || strchr("\"',;:/\\", *text))
      return 0;
  return 1;
}

static sloe_status hear_token(const hearing *x, const char *key, int may_lack, const char **out) {
  const char *text = sloe_agent_get_text(x->answer, key);
  if ((!*text && !may_lack) || strlen(text) > 60 || !is_token(text)) return lacks(x, key);
  return copy(x, text, out);
}

static sloe_status hear_names(const hearing *x) {
  sloe_device_info *info = &x->out->info;
  SLOE_TRY(hear_token(x, "device", 0, &info->device));
  SLOE_TRY(hear_token(x, "runtime", 0, &info->runtime));
  SLOE_TRY(hear_token(x, "version", 1, &info->version));
  SLOE_TRY(hear_token(x, "precision", 0, &info->precision));
  SLOE_TRY(hear_token(x, "mode", 1, &info->mode));
  return copy(x, sloe_agent_get_text(x->answer, "title"), &info->title);
}

static sloe_status hear_numbers(const hearing *x) {
  sloe_device_info *info = &x->out->info;
  if (!sloe_agent_get_int(x->answer, "batch", 1, 1 << 20, &info->batch)) return lacks(x, "batch");
  if (!sloe_agent_get_int(x->answer, "threads", 1, 1 << 20, &info->threads))
    return lacks(x, "threads");
  info->layer_s = sloe_agent_get_number(x->answer, "layer_s");
  info->network_s = sloe_agent_get_number(x->answer, "network_s");
  info->self_clocked = sloe_agent_get_flag(x->answer, "self_clocked");
  info->memory_mb = sloe_agent_get_number(x->answer, "memory_mb");
  return info->memory_mb <= 0 ? lacks(x, "memory_mb") : SLOE_OK;
}

/* Rules that this side does not know would make other layers of the same network. */
static sloe_status hear_fusion(const hearing *x) {
  const json_t *object = json_object_get(x->answer, "fusion");
  sloe_fusion *fusion = &x->out->info.fusion;
  int64_t version, capability;
  if (sloe_runtime_parse(sloe_agent_get_text(object, "runtime"), &fusion->runtime, NULL) ||
      sloe_precision_parse(sloe_agent_get_text(object, "precision"), &fusion->precision, NULL) ||
      !sloe_agent_get_int(object, "version", 0, 1 << 20, &version) ||
      !sloe_agent_get_int(object, "compute_capability", 0, 1 << 20, &capability))
    return lacks(x, "fusion");
  if (sloe_precision_parse(x->out->info.precision, &(sloe_precision){0}, NULL) != SLOE_OK)
    return lacks(x, "precision");
  fusion->version = (int)version;
  fusion->compute_capability = (int)capability;
  return SLOE_OK;
}

static sloe_status hear_environment(const hearing *x) {
  json_t *object = json_object_get(x->answer, "environment");
  sloe_device_info *info = &x->out->info;
  const size_t n = json_object_size(object);
  const char *key;
  json_t *value;
  sloe_device_pair *pairs =
      SLOE_ARENA_NEW(&x->out->arena, sloe_device_pair, (n < PAIRS_MOST ? n : PAIRS_MOST) + 1);
  if (!pairs) return sloe_fail(x->err, SLOE_NOMEM, "out of memory reading a hello");
  json_object_foreach(object, key, value) {
    if (!json_is_string(value) || info->n_environment == PAIRS_MOST) continue;
    sloe_device_pair *pair = &pairs[info->n_environment++];
    SLOE_TRY(copy(x, key, &pair->key));
    SLOE_TRY(copy(x, json_string_value(value), &pair->value));
  }
  pairs[info->n_environment++] = (sloe_device_pair){"agent", ""};
  info->environment = pairs;
  return copy(x, sloe_agent_get_text(x->answer, "sloe"), &pairs[info->n_environment - 1].value);
}

static void hear_abilities(const hearing *x) {
  const json_t *can = json_object_get(x->answer, "can");
  x->out->networks = sloe_agent_get_flag(can, "networks");
  x->out->layers = sloe_agent_get_flag(can, "layers");
  x->out->settle = sloe_agent_get_flag(can, "settle");
  x->out->memory = sloe_agent_get_flag(can, "memory");
  x->out->power = sloe_agent_get_flag(can, "power");
  x->out->sensor = sloe_agent_get_flag(can, "sensor");
  x->out->proposals = sloe_agent_get_flag(can, "proposals");
}

sloe_status sloe_agent_read_hello(const json_t *answer, sloe_agent_hello *out, sloe_error *err) {
  const hearing x = {answer, out, err};
  int64_t protocol;
  *out = (sloe_agent_hello){.info = {.memory_mb = NAN, .layer_s = NAN, .network_s = NAN}};
  sloe_arena_init(&out->arena, ARENA_LIMIT);
  if (!sloe_agent_get_int(answer, "protocol", 1, INT64_MAX, &protocol))
    return lacks(&x, "protocol");
  if (protocol != SLOE_AGENT_PROTOCOL)
    return sloe_fail(err, SLOE_UNSUPPORTED, "the agent speaks protocol %lld, this sloe %d",
                     (long long)protocol, SLOE_AGENT_PROTOCOL);
  SLOE_TRY(hear_names(&x));
  SLOE_TRY(hear_numbers(&x));
  SLOE_TRY(hear_fusion(&x));
  hear_abilities(&x);
  return hear_environment(&x);
}

void sloe_agent_hello_fini(sloe_agent_hello *hello) {
  sloe_arena_fini(&hello->arena);
  *hello = (sloe_agent_hello){0};
}

int sloe_agent_same_device(const sloe_device_info *a, const sloe_device_info *b) {
  return strcmp(a->device, b->device) == 0 && strcmp(a->runtime, b->runtime) == 0 &&
         strcmp(a->version, b->version) == 0 && strcmp(a->precision, b->precision) == 0 &&
         strcmp(a->mode, b->mode) == 0 && a->batch == b->batch && a->threads == b->threads &&
         a->fusion.runtime == b->fusion.runtime && a->fusion.version == b->fusion.version &&
         a->fusion.precision == b->fusion.precision &&
         a->fusion.compute_capability == b->fusion.compute_capability;
}
