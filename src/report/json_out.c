/* JSON documents: built with jansson, written here. jansson's own writer puts every element of an
 * array on a line of its own or the whole document on one line, and prints 0.1 as
 * 0.10000000000000001; here what fits into a line stands on a line, and a number is the shortest
 * that reads back the same.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "report/report.h"

enum { LINE = 96 }; /* columns of a container that is written on one line */

json_t *sloe_json_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *sloe_json_count(uint64_t value) {
  return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

/* jansson refuses what is no UTF-8: then every byte over 0x7f becomes U+FFFD. */
json_t *sloe_json_string(const char *s) {
  if (!s) return json_null();
  json_t *string = json_string(s);
  if (string) return string;
  sloe_text clean = {0};
  for (; *s; s++) {
    if ((unsigned char)*s < 0x80) {
      sloe_text_addn(&clean, s, 1);
    } else {
      sloe_text_add(&clean, "\xef\xbf\xbd");
    }
  }
  if (!clean.failed) string = json_string(clean.data ? clean.data : "");
  sloe_text_fini(&clean);
  return string;
}

json_t *sloe_json_text(const char *s) {
  return s && *s ? sloe_json_string(s) : json_null();
}

json_t *sloe_json_append(json_t *array, json_t *value) {
  if (json_array_append_new(array, value) == 0) return array; /* frees `value` when it fails */
  json_decref(array);
  return NULL;
}

json_t *sloe_json_ints(const int64_t *v, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) array = sloe_json_append(array, json_integer(v[i]));
  return array;
}

json_t *sloe_json_shape(const sloe_shape *shape) {
  if (shape->rank < 0) return json_null();
  json_t *array = json_array();
  for (int i = 0; i < shape->rank; i++)
    array = sloe_json_append(array, shape->dim[i] < 0 ? json_null() : json_integer(shape->dim[i]));
  return array;
}

sloe_json sloe_json_new(void) {
  json_t *object = json_object();
  return (sloe_json){.object = object, .failed = !object};
}

sloe_json sloe_json_document(const char *schema) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "schema", json_string(schema));
  sloe_json_set(&json, "tool_version", json_string(sloe_version()));
  return json;
}

void sloe_json_set(sloe_json *json, const char *key, json_t *value) {
  if (json_object_set_new(json->object, key, value)) json->failed = 1;
}

json_t *sloe_json_take(sloe_json *json) {
  json_t *object = json->object;
  json->object = NULL;
  if (!json->failed) return object;
  json_decref(object);
  return NULL;
}

/* ---- writing ---- */

static void write_string(sloe_text *text, const char *s) {
  sloe_text_add(text, "\"");
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\') {
      sloe_text_addf(text, "\\%c", c);
    } else if (c < 0x20 || c == 0x7f) {
      sloe_text_addf(text, "\\u%04x", c);
    } else {
      sloe_text_addn(text, s, 1);
    }
  }
  sloe_text_add(text, "\"");
}

static void write_leaf(sloe_text *text, const json_t *value) {
  char buf[SLOE_NUMBER_BUF];
  switch (json_typeof(value)) {
    case JSON_STRING: write_string(text, json_string_value(value)); break;
    case JSON_INTEGER:
      sloe_text_addf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
      break;
    case JSON_REAL: sloe_text_add(text, sloe_format_double(json_real_value(value), buf)); break;
    case JSON_TRUE: sloe_text_add(text, "true"); break;
    case JSON_FALSE: sloe_text_add(text, "false"); break;
    default: sloe_text_add(text, "null"); break;
  }
}

static void write_value(sloe_text *text, json_t *value, int indent);

typedef struct layout {
  int indent;      /* of this container; -1: all on this line */
  size_t end;      /* on one line: where to give up */
  size_t n_before; /* members written */
} layout;

static void write_members(sloe_text *text, json_t *value, layout at);

static void write_member(sloe_text *text, layout *at, const char *key, json_t *member) {
  int one_line = at->indent < 0;
  if (one_line && text->len > at->end) return;
  if (at->n_before++) sloe_text_add(text, one_line ? ", " : ",");
  if (!one_line) sloe_text_addf(text, "\n%*s", at->indent + 2, "");
  if (key) {
    write_string(text, key);
    sloe_text_add(text, ": ");
  }
  if (!json_is_object(member) && !json_is_array(member))
    write_leaf(text, member);
  else if (one_line)
    write_members(text, member, (layout){.indent = -1, .end = at->end});
  else
    write_value(text, member, at->indent + 2);
}

static void write_members(sloe_text *text, json_t *value, layout at) {
  const char *key;
  json_t *member;
  size_t i;
  sloe_text_add(text, json_is_object(value) ? "{" : "[");
  if (json_is_object(value)) {
    json_object_foreach(value, key, member) write_member(text, &at, key, member);
  } else {
    json_array_foreach(value, i, member) write_member(text, &at, NULL, member);
  }
  if (at.indent >= 0) sloe_text_addf(text, "\n%*s", at.indent, "");
  sloe_text_add(text, json_is_object(value) ? "}" : "]");
}

/* A container stands on one line where it fits, else each member on its own; the document always
   so. */
static void write_value(sloe_text *text, json_t *value, int indent) {
  size_t start = text->len, end = start + LINE - (size_t)(indent < LINE / 2 ? indent : LINE / 2);
  if (indent > 0) {
    write_members(text, value, (layout){.indent = -1, .end = end});
    if (text->failed || text->len <= end) return;
    text->len = start;
  }
  write_members(text, value, (layout){.indent = indent});
}

sloe_status sloe_json_finish(json_t *document, char **out, sloe_error *err) {
  sloe_text text = {.failed = !document};
  if (document) {
    write_value(&text, document, 0);
    sloe_text_add(&text, "\n");
    json_decref(document);
  }
  return sloe_text_take(&text, out, err);
}
