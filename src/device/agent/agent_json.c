/* agent_json.c: the objects in the lines. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/agent/agent_wire.h"

/* ---- objects ---- */

const char *sloe_agent_quote(const char *s, size_t len, char buf[SLOE_AGENT_QUOTE]) {
  size_t n = len < SLOE_AGENT_QUOTE - 4 ? len : SLOE_AGENT_QUOTE - 4;
  for (size_t i = 0; i < n; i++)
    buf[i] = (unsigned char)s[i] < 0x20 || (unsigned char)s[i] >= 0x7f ? '?' : s[i];
  snprintf(buf + n, 4, "%s", n < len ? "..." : "");
  return buf;
}

/* How many values a line can hold at most, without reading it. */
static size_t count_marks(const char *line, size_t len) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) n += line[i] == ',' || line[i] == '[' || line[i] == '{';
  return n;
}

sloe_status sloe_agent_parse(const char *line, size_t len, json_t **out, sloe_error *err) {
  char quote[SLOE_AGENT_QUOTE];
  json_error_t why;
  *out = NULL;
  if (count_marks(line, len) > SLOE_AGENT_VALUES_MOST)
    return sloe_fail(err, SLOE_FORMAT, "a line of more than %d values", SLOE_AGENT_VALUES_MOST);
  json_t *root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
  if (json_is_object(root)) {
    *out = root;
    return SLOE_OK;
  }
  json_decref(root);
  return sloe_fail(err, SLOE_FORMAT, "no JSON object: '%s'", sloe_agent_quote(line, len, quote));
}

static int append(const char *buffer, size_t size, void *text) {
  sloe_text_addn(text, buffer, size);
  return 0;
}

sloe_status sloe_agent_print(json_t *object, sloe_text *out, sloe_error *err) {
  const int failed = !object || json_dump_callback(object, append, out, JSON_COMPACT);
  json_decref(object);
  sloe_text_addn(out, "\n", 1);
  return failed || out->failed ? sloe_fail(err, SLOE_NOMEM, "out of memory writing a line")
                               : SLOE_OK;
}

json_t *sloe_agent_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *sloe_agent_text(const char *s) {
  char ascii[256];
  json_t *text = json_string(s);
  if (text) return text;
  size_t n = 0;
  for (; s[n] && n + 1 < sizeof ascii; n++) ascii[n] = (unsigned char)s[n] >= 0x7f ? '?' : s[n];
  ascii[n] = 0;
  return json_string(ascii);
}

int sloe_agent_get_int(const json_t *object, const char *key, int64_t lo, int64_t hi,
                       int64_t *out) {
  const json_t *value = json_object_get(object, key);
  *out = lo;
  if (!json_is_integer(value)) return 0;
  const int64_t number = json_integer_value(value);
  if (number < lo || number > hi) return 0;
  *out = number;
  return 1;
}

double sloe_agent_get_number(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *sloe_agent_get_text(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

int sloe_agent_get_flag(const json_t *object, const char *key) {
  return json_is_true(json_object_get(object, key));
}

/* ---- statuses ---- */

static const struct {
  const char *name;
  sloe_status status;
} names[] = {{"nomem", SLOE_NOMEM},
             {"usage", SLOE_USAGE},
             {"format", SLOE_FORMAT},
             {"unsupported", SLOE_UNSUPPORTED},
             {"io", SLOE_IO},
             {"notfound", SLOE_NOTFOUND},
             {"internal", SLOE_INTERNAL},
             {"device", SLOE_DEVICE}};

const char *sloe_agent_status_name(sloe_status status) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].status == status) return names[i].name;
  return "device";
}

sloe_status sloe_agent_status_of(const char *name) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i].name, name) == 0) return names[i].status;
  return SLOE_DEVICE;
}

/* ---- replies ---- */

/* Request 0 is the agent itself: it ends after such a line. */
static sloe_status refused(const json_t *object, sloe_error *err) {
  char quote[200];
  const char *message = sloe_agent_get_text(object, "message");
  size_t n = 0;
  for (; message[n] && n + 1 < sizeof quote; n++)
    quote[n] = (unsigned char)message[n] < 0x20 || message[n] == 0x7f ? '?' : message[n];
  quote[n] = 0;
  return sloe_fail(err, sloe_agent_status_of(sloe_agent_get_text(object, "status")), "%s",
                   n ? quote : "the agent refuses and does not say why");
}

static sloe_status read_object(json_t *object, int64_t id, sloe_agent_reply *out, sloe_error *err) {
  int64_t to;
  if (!sloe_agent_get_int(object, "id", 0, INT64_MAX, &to))
    return sloe_fail(err, SLOE_DEVICE, "the agent's line has no id");
  const int is_refusal = json_is_string(json_object_get(object, "status"));
  if (to != id && !(to == 0 && is_refusal))
    return sloe_fail(err, SLOE_DEVICE, "the agent answers request %lld where %lld was asked",
                     (long long)to, (long long)id);
  out->broken = to != id;
  if (is_refusal) return refused(object, err);
  if (!json_object_get(object, "busy")) out->answer = json_incref(object);
  return SLOE_OK;
}

sloe_status sloe_agent_read_reply(const char *line, size_t len, int64_t id, sloe_agent_reply *out,
                                  sloe_error *err) {
  json_t *object;
  char quote[SLOE_AGENT_QUOTE];
  *out = (sloe_agent_reply){.broken = 1};
  if (sloe_agent_parse(line, len, &object, NULL) != SLOE_OK)
    return sloe_fail(err, SLOE_DEVICE, "the agent says no JSON object: '%s'",
                     sloe_agent_quote(line, len, quote));
  const sloe_status status = read_object(object, id, out, err);
  json_decref(object);
  return status;
}
