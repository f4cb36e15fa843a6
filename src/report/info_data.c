#include <math.h>

#include "report/report.h"

/* The counts of a whole network: members of sloe_net_info, keys in JSON, columns in CSV. */
#define INFO_COUNT_MAP(X) \
  X(params)               \
  X(trainable_params)     \
  X(macs) X(flops) X(mac_flops) X(activations) X(weights_bytes) X(peak_activation_bytes)

static const char *const flop_kinds[] = {
#define KIND_NAME(name, text, doc) text,
    SLOE_FLOP_KIND_MAP(KIND_NAME)
#undef KIND_NAME
};

static const sloe_net_info *info_of(const sloe_layers *layers) {
  return sloe_net_get_info(sloe_layers_net(layers));
}

/* ---- JSON ---- */

static json_t *tensors_json(const sloe_tensor_info *v, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) {
    sloe_json tensor = sloe_json_new();
    sloe_json_set(&tensor, "name", sloe_json_string(v[i].name));
    sloe_json_set(&tensor, "dtype", sloe_json_string(v[i].dtype));
    sloe_json_set(&tensor, "shape", sloe_json_shape(&v[i].shape));
    array = sloe_json_append(array, sloe_json_take(&tensor));
  }
  return array;
}

static json_t *flops_json(const sloe_net_info *info) {
  sloe_json kinds = sloe_json_new();
  for (size_t i = 0; i < SLOE_FLOP_KIND_COUNT; i++)
    sloe_json_set(&kinds, flop_kinds[i], sloe_json_count(info->flops_by_kind[i]));
  return sloe_json_take(&kinds);
}

static json_t *features_json(const sloe_net_info *info) {
  sloe_json features = sloe_json_new();
  for (size_t i = 0; i < info->n_features; i++)
    sloe_json_set(&features, info->features[i].name, sloe_json_number(info->features[i].value));
  return sloe_json_take(&features);
}

static json_t *unknown_json(const sloe_net_info *info) {
  json_t *array = json_array();
  for (size_t i = 0; i < info->n_unknown_ops; i++) {
    sloe_json op = sloe_json_new();
    sloe_json_set(&op, "op", sloe_json_string(info->unknown_ops[i].op));
    sloe_json_set(&op, "count", sloe_json_count(info->unknown_ops[i].count));
    sloe_json_set(&op, "reason", sloe_json_string(info->unknown_ops[i].reason));
    array = sloe_json_append(array, sloe_json_take(&op));
  }
  return array;
}

static json_t *fusion_json(const sloe_fusion *fusion) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "runtime", json_string(sloe_runtime_name(fusion->runtime)));
  sloe_json_set(
      &json, "runtime_version",
      fusion->runtime == SLOE_RUNTIME_TENSORRT ? json_integer(fusion->version) : json_null());
  sloe_json_set(&json, "precision", json_string(sloe_precision_name(fusion->precision)));
  return sloe_json_take(&json);
}

static json_t *layers_json(const sloe_layers *layers) {
  json_t *array = json_array();
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    sloe_json layer = sloe_json_new();
    sloe_json_layer(&layer, sloe_layers_at(layers, i));
    sloe_json_layer_cost(&layer, sloe_layers_at(layers, i));
    array = sloe_json_append(array, sloe_json_take(&layer));
  }
  return array;
}

static json_t *warnings_json(const sloe_net *net) {
  json_t *array = json_array();
  for (size_t i = 0; i < sloe_net_warning_count(net); i++)
    array = sloe_json_append(array, sloe_json_string(sloe_net_warning(net, i)));
  return array;
}

static void net_json(sloe_json *json, const sloe_layers *layers) {
  const sloe_net_info *info = info_of(layers);
  sloe_json_set(json, "net", sloe_json_string(info->name));
  sloe_json_set(json, "producer", sloe_json_text(info->producer));
  sloe_json_set(json, "ir_version", json_integer(info->ir_version));
  sloe_json_set(json, "opset", json_integer(info->opset));
  sloe_json_set(json, "batch", json_integer(sloe_net_get_info(sloe_layers_net(layers))->batch));
  sloe_json_set(json, "inputs", tensors_json(info->inputs, info->n_inputs));
  sloe_json_set(json, "outputs", tensors_json(info->outputs, info->n_outputs));
  sloe_json_set(json, "n_ops", sloe_json_count(info->n_ops));
#define SET_COUNT(key) sloe_json_set(json, #key, sloe_json_count(info->key));
  INFO_COUNT_MAP(SET_COUNT)
#undef SET_COUNT
  sloe_json_set(json, "flops_by_kind", flops_json(info));
  sloe_json_set(json, "unknown_ops", unknown_json(info));
  sloe_json_set(json, "unknown_bytes_share", sloe_json_number(info->unknown_bytes_share));
  sloe_json_set(json, "features", features_json(info));
  sloe_json_set(json, "fusion", fusion_json(sloe_layers_fusion(layers)));
  sloe_json_set(json, "layers", layers_json(layers));
  sloe_json_set(json, "warnings", warnings_json(sloe_layers_net(layers)));
}

sloe_status sloe_info_json(const sloe_layers *const *layers, size_t n, int list, char **text,
                           sloe_error *err) {
  if (n == 1 && !list) {
    sloe_json json = sloe_json_document("sloe/info/1");
    net_json(&json, layers[0]);
    return sloe_json_finish(sloe_json_take(&json), text, err);
  }
  sloe_json json = sloe_json_document("sloe/info-list/1");
  json_t *nets = json_array();
  for (size_t i = 0; i < n; i++) {
    sloe_json one = sloe_json_new();
    net_json(&one, layers[i]);
    nets = sloe_json_append(nets, sloe_json_take(&one));
  }
  sloe_json_set(&json, "nets", nets);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

/* ---- CSV ---- */

static void csv_nets(sloe_csv *csv, const sloe_layers *const *layers, size_t n, int features) {
#define COUNT_COLUMN(key)            "," #key
#define KIND_COLUMN(name, text, doc) ",flops_" text
  sloe_text_add(&csv->text,
                "net,producer,ir_version,opset,batch,input,n_ops" INFO_COUNT_MAP(COUNT_COLUMN)
                    SLOE_FLOP_KIND_MAP(KIND_COLUMN) ",unknown_ops,unknown_bytes_share");
#undef KIND_COLUMN
#undef COUNT_COLUMN
  const sloe_net_info *first = n ? info_of(layers[0]) : NULL;
  for (size_t i = 0; features && first && i < first->n_features; i++)
    sloe_text_addf(&csv->text, ",%s", first->features[i].name);
  sloe_csv_end(csv);
  for (size_t i = 0; i < n; i++) {
    const sloe_net_info *info = info_of(layers[i]);
    sloe_csv_string(csv, info->name);
    sloe_csv_string(csv, info->producer);
    sloe_csv_int(csv, info->ir_version);
    sloe_csv_int(csv, info->opset);
    sloe_csv_int(csv, sloe_net_get_info(sloe_layers_net(layers[i]))->batch);
    sloe_csv_shapes(csv, info->n_inputs ? &info->inputs[0].shape : NULL, info->n_inputs ? 1 : 0);
    sloe_csv_count(csv, info->n_ops);
#define COUNT_CELL(key) sloe_csv_count(csv, info->key);
    INFO_COUNT_MAP(COUNT_CELL)
#undef COUNT_CELL
    for (size_t k = 0; k < SLOE_FLOP_KIND_COUNT; k++) sloe_csv_count(csv, info->flops_by_kind[k]);
    sloe_csv_count(csv, info->n_unknown_ops);
    sloe_csv_number(csv, info->unknown_bytes_share);
    for (size_t k = 0; features && k < info->n_features; k++)
      sloe_csv_number(csv, info->features[k].value);
    sloe_csv_end(csv);
  }
}

static void csv_pair(sloe_csv *csv, const sloe_layer *layer, const int64_t v[2]) {
  for (int i = 0; i < 2; i++) sloe_csv_number(csv, layer->kernel[0] > 0 ? (double)v[i] : NAN);
}

static void csv_layers(sloe_csv *csv, const sloe_layers *const *layers, size_t n) {
  sloe_csv_header(csv,
                  "net,index,name,kind,ops,in,out,macs,flops,params,in_elements,out_elements,"
                  "kernel_h,kernel_w,stride_h,stride_w,dilation_h,dilation_w,groups,filters");
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < sloe_layers_count(layers[i]); k++) {
      const sloe_layer *layer = sloe_layers_at(layers[i], k);
      sloe_csv_string(csv, info_of(layers[i])->name);
      sloe_csv_count(csv, k);
      sloe_csv_string(csv, layer->name);
      sloe_csv_string(csv, sloe_layer_kind_name(layer->kind));
      sloe_csv_strings(csv, layer->ops, layer->n_ops);
      sloe_csv_shapes(csv, layer->in, layer->n_in);
      sloe_csv_shapes(csv, layer->out, layer->n_out);
      sloe_csv_count(csv, layer->macs);
      sloe_csv_count(csv, layer->flops);
      sloe_csv_count(csv, layer->params);
      sloe_csv_count(csv, layer->in_elements);
      sloe_csv_count(csv, layer->out_elements);
      csv_pair(csv, layer, layer->kernel);
      csv_pair(csv, layer, layer->stride);
      csv_pair(csv, layer, layer->dilation);
      sloe_csv_number(csv, layer->groups > 0 ? (double)layer->groups : NAN);
      sloe_csv_number(csv, layer->filters > 0 ? (double)layer->filters : NAN);
      sloe_csv_end(csv);
    }
  }
}

sloe_status sloe_info_csv(const sloe_layers *const *layers, size_t n,
                          const sloe_report_options *options, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  if (options->layers)
    csv_layers(&csv, layers, n);
  else
    csv_nets(&csv, layers, n, options->features);
  return sloe_text_take(&csv.text, text, err);
}
