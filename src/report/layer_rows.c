#include "report/report.h"

static json_t *strings(const char *const *v, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) array = sloe_json_append(array, sloe_json_string(v[i]));
  return array;
}

static json_t *shapes(const sloe_shape *v, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) array = sloe_json_append(array, sloe_json_shape(&v[i]));
  return array;
}

void sloe_json_layer(sloe_json *json, const sloe_layer *layer) {
  sloe_json_set(json, "name", sloe_json_string(layer->name));
  sloe_json_set(json, "kind", json_string(sloe_layer_kind_name(layer->kind)));
  sloe_json_set(json, "ops", strings(layer->ops, layer->n_ops));
  sloe_json_set(json, "in", shapes(layer->in, layer->n_in));
  sloe_json_set(json, "out", shapes(layer->out, layer->n_out));
}

/* Attributes of a window mean nothing for most layers: null there. */
static json_t *window(const sloe_layer *layer, const int64_t *v, size_t n) {
  return layer->kernel[0] > 0 ? sloe_json_ints(v, n) : json_null();
}

static json_t *positive(int64_t value) {
  return value > 0 ? json_integer(value) : json_null();
}

void sloe_json_layer_cost(sloe_json *json, const sloe_layer *layer) {
  sloe_json_set(json, "macs", sloe_json_count(layer->macs));
  sloe_json_set(json, "flops", sloe_json_count(layer->flops));
  sloe_json_set(json, "params", sloe_json_count(layer->params));
  sloe_json_set(json, "in_elements", sloe_json_count(layer->in_elements));
  sloe_json_set(json, "out_elements", sloe_json_count(layer->out_elements));
  sloe_json_set(json, "kernel", window(layer, layer->kernel, 2));
  sloe_json_set(json, "stride", window(layer, layer->stride, 2));
  sloe_json_set(json, "dilation", window(layer, layer->dilation, 2));
  sloe_json_set(json, "pads", window(layer, layer->pads, 4));
  sloe_json_set(json, "groups", positive(layer->groups));
  sloe_json_set(json, "filters", positive(layer->filters));
  sloe_json_set(json, "data_dependent", json_boolean(layer->data_dependent));
}

const char *sloe_layer_shape(const sloe_layer *layer, char buf[SLOE_HUMAN_SHAPE_BUF]) {
  return layer->n_out ? sloe_human_shape(&layer->out[0], buf) : "-";
}
