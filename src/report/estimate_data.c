#include <math.h>
#include <string.h>

#include "report/report.h"

static const sloe_net *net_of(const sloe_answer *answer) {
  return sloe_layers_net(answer->layers);
}

static const char *net_name(const sloe_answer *answer) {
  return sloe_net_get_info(net_of(answer))->name;
}

/* ---- JSON ---- */

static json_t *source_json(sloe_source source) {
  return source == SLOE_SOURCE_NONE ? json_null() : json_string(sloe_source_name(source));
}

/* Where a figure comes from; of an unknown one nothing is known. */
static void provenance(sloe_json *json, const sloe_figure *figure) {
  int known = isfinite(figure->value);
  sloe_json_set(json, "source", known ? source_json(figure->source) : json_null());
  sloe_json_set(json, "method",
                known ? json_string(sloe_method_name(figure->method)) : json_null());
  sloe_json_set(json, "validated_mape", sloe_json_number(figure->validated_mape));
  sloe_json_set(json, "validated_n",
                figure->validated_n > 0 ? sloe_json_number(figure->validated_n) : json_null());
  sloe_json_set(json, "in_domain", known ? json_boolean(figure->in_domain) : json_null());
}

/* Of an answer that is no measurement nothing is known. */
static sloe_measured_extra extra_of(const sloe_answer *answer) {
  if (answer->extra) return *answer->extra;
  return (sloe_measured_extra){NAN, NAN, NAN, NAN, NAN, NAN, "",  0,    NULL, -1, NAN,
                               0,   NAN, NAN, NAN, NAN, NAN, NAN, NULL, NULL, NAN};
}

static json_t *latency_json(const sloe_answer *answer) {
  const sloe_result *result = answer->result;
  sloe_measured_extra extra = extra_of(answer);
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "p50", sloe_json_number(result->latency_ms.value));
  sloe_json_set(&json, "p75", sloe_json_number(result->latency_p75_ms));
  sloe_json_set(&json, "p97_5", sloe_json_number(result->latency_p97_5_ms));
  sloe_json_set(&json, "low", sloe_json_number(result->latency_ms.low));
  sloe_json_set(&json, "high", sloe_json_number(result->latency_ms.high));
  if (sloe_is_measured(answer)) {
    sloe_json_set(&json, "min", sloe_json_number(extra.latency_min_ms));
    sloe_json_set(&json, "mean", sloe_json_number(extra.latency_mean_ms));
  }
  provenance(&json, &result->latency_ms);
  return sloe_json_take(&json);
}

static json_t *figure_json(const sloe_figure *figure) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "value", sloe_json_number(figure->value));
  sloe_json_set(&json, "low", sloe_json_number(figure->low));
  sloe_json_set(&json, "high", sloe_json_number(figure->high));
  provenance(&json, figure);
  return sloe_json_take(&json);
}

static double at(const double *of_layers, size_t i) {
  return of_layers ? of_layers[i] : NAN;
}

static json_t *layers_json(const sloe_answer *answer) {
  const sloe_result *result = answer->result;
  sloe_measured_extra extra = extra_of(answer);
  json_t *array = json_array();
  for (size_t i = 0; i < result->n_layers; i++) {
    const sloe_layer_estimate *row = &result->layers[i];
    sloe_json json = sloe_json_new();
    sloe_json_layer(&json, row->layer);
    sloe_json_set(&json, "latency_ms", sloe_json_number(row->latency_ms));
    if (sloe_is_measured(answer)) {
      sloe_json_set(&json, "isolated_ms", sloe_json_number(at(extra.isolated_ms, i)));
      sloe_json_set(&json, "isolated_power_w", sloe_json_number(at(extra.isolated_power_w, i)));
      sloe_json_set(&json, "isolated_energy_mj", sloe_json_number(at(extra.isolated_energy_mj, i)));
    }
    sloe_json_set(&json, "share", sloe_json_number(row->share));
    sloe_json_set(
        &json, "bound",
        row->bound == SLOE_BOUND_NONE ? json_null() : json_string(sloe_bound_name(row->bound)));
    sloe_json_set(&json, "source", source_json(row->source));
    sloe_json_set(&json, "in_domain", json_boolean(row->in_domain));
    sloe_json_set(&json, "bytes", sloe_json_count(row->bytes));
    sloe_json_set(&json, "macs", sloe_json_count(row->layer->macs));
    sloe_json_set(&json, "flops", sloe_json_count(row->layer->flops));
    array = sloe_json_append(array, sloe_json_take(&json));
  }
  return array;
}

static json_t *warnings_json(const sloe_net *net, const sloe_result *result) {
  json_t *array = json_array();
  for (size_t i = 0; i < sloe_net_warning_count(net); i++)
    array = sloe_json_append(array, sloe_json_string(sloe_net_warning(net, i)));
  for (size_t i = 0; i < result->n_warnings; i++)
    array = sloe_json_append(array, sloe_json_string(result->warnings[i]));
  return array;
}

static void extra_json(sloe_json *json, const sloe_answer *answer) {
  sloe_measured_extra extra = extra_of(answer);
  if (!sloe_is_measured(answer)) return;
  sloe_json_set(json, "isolated_sum_ms", sloe_json_number(extra.isolated_sum_ms));
  sloe_json_set(json, "host_ms", sloe_json_number(extra.host_ms));
  sloe_json_set(json, "ref_ms", sloe_json_number(extra.ref_ms));
  sloe_json_set(json, "quality", sloe_json_text(extra.quality));
  sloe_json_set(json, "n_runs", extra.n_runs ? sloe_json_count(extra.n_runs) : json_null());
  sloe_json_set(json, "sensor", extra.sensor < 0 ? json_null() : json_boolean(extra.sensor));
  sloe_json_set(json, "power_s", sloe_json_number(extra.power_s));
  sloe_json_set(json, "power_readings",
                extra.sensor == 1 ? sloe_json_count(extra.power_readings) : json_null());
  sloe_json_set(json, "peak_w", sloe_json_number(extra.peak_w));
  sloe_json_set(json, "idle_w", sloe_json_number(extra.idle_w));
  sloe_json_set(json, "dynamic_mj", sloe_json_number(extra.dynamic_mj));
  sloe_json_set(json, "weights_mb", sloe_json_number(extra.weights_mb));
  sloe_json_set(json, "activations_mb", sloe_json_number(extra.activations_mb));
  sloe_json_set(json, "workspace_mb", sloe_json_number(extra.workspace_mb));
  sloe_json_set(json, "move_ms", sloe_json_number(extra.move_ms));
}

static void answer_json(sloe_json *json, const sloe_answer *answer) {
  const sloe_card *card = answer->card;
  const sloe_result *result = answer->result;
  sloe_json_set(json, "net", sloe_json_string(net_name(answer)));
  sloe_json_set(json, "platform", sloe_json_string(card->name));
  sloe_json_set(json, "device", sloe_json_text(card->device));
  sloe_json_set(json, "runtime", sloe_json_text(card->runtime));
  sloe_json_set(json, "runtime_version", sloe_json_text(card->runtime_version));
  sloe_json_set(json, "precision", json_string(sloe_precision_name(card->precision)));
  sloe_json_set(json, "mode", sloe_json_text(card->mode));
  sloe_json_set(json, "batch", json_integer(sloe_net_get_info(net_of(answer))->batch));
  sloe_json_set(json, "transfers", json_boolean(card->transfers));
  sloe_json_set(json, "latency_ms", latency_json(answer));
  sloe_json_set(json, "sum_of_layers_ms", sloe_json_number(result->sum_of_layers_ms));
  extra_json(json, answer);
  sloe_json_set(json, "power_w", figure_json(&result->power_w));
  sloe_json_set(json, "power_rail", sloe_json_text(result->power_rail));
  sloe_json_set(json, "energy_mj", figure_json(&result->energy_mj));
  sloe_json_set(json, "memory_mb", figure_json(&result->memory_mb));
  sloe_json_set(json, "memory_kind", sloe_json_text(result->memory_kind));
  sloe_json_set(json, "fits", result->fits < 0 ? json_null() : json_boolean(result->fits));
  sloe_json_set(json, "layers", layers_json(answer));
  sloe_json_set(json, "warnings", warnings_json(net_of(answer), result));
}

sloe_status sloe_answers_json(const sloe_answer *answers, size_t n, int list, char **text,
                              sloe_error *err) {
  int measured = n > 0 && sloe_is_measured(&answers[0]);
  if (n == 1 && !list) {
    sloe_json json = sloe_json_document(measured ? "sloe/measure/1" : "sloe/estimate/1");
    answer_json(&json, &answers[0]);
    return sloe_json_finish(sloe_json_take(&json), text, err);
  }
  sloe_json json = sloe_json_document(measured ? "sloe/measure-list/1" : "sloe/estimate-list/1");
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) {
    sloe_json one = sloe_json_new();
    answer_json(&one, &answers[i]);
    array = sloe_json_append(array, sloe_json_take(&one));
  }
  sloe_json_set(&json, measured ? "measurements" : "estimates", array);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

/* ---- CSV ---- */

static void csv_figure(sloe_csv *csv, const sloe_figure *figure) {
  sloe_csv_number(csv, figure->value);
  sloe_csv_number(csv, figure->low);
  sloe_csv_number(csv, figure->high);
}

static void csv_pair(sloe_csv *csv, const sloe_answer *answer) {
  const sloe_card *card = answer->card;
  const sloe_result *result = answer->result;
  const sloe_figure *latency = &result->latency_ms;
  int known = isfinite(latency->value);
  sloe_csv_string(csv, net_name(answer));
  sloe_csv_string(csv, card->name);
  sloe_csv_string(csv, card->device);
  sloe_csv_string(csv, card->runtime);
  sloe_csv_string(csv, card->runtime_version);
  sloe_csv_string(csv, sloe_precision_name(card->precision));
  sloe_csv_string(csv, card->mode);
  sloe_csv_int(csv, sloe_net_get_info(net_of(answer))->batch);
  sloe_csv_flag(csv, card->transfers != 0);
  csv_figure(csv, latency);
  sloe_csv_number(csv, result->latency_p75_ms);
  sloe_csv_number(csv, result->latency_p97_5_ms);
  sloe_csv_number(csv, result->sum_of_layers_ms);
  sloe_csv_string(csv, known ? sloe_source_name(latency->source) : "");
  sloe_csv_string(csv, known ? sloe_method_name(latency->method) : "");
  sloe_csv_number(csv, latency->validated_mape);
  sloe_csv_flag(csv, known ? latency->in_domain != 0 : -1);
  csv_figure(csv, &result->power_w);
  sloe_csv_string(csv, result->power_rail);
  csv_figure(csv, &result->energy_mj);
  csv_figure(csv, &result->memory_mb);
  sloe_csv_string(csv, result->memory_kind);
  sloe_csv_flag(csv, result->fits);
  sloe_csv_end(csv);
}

static void csv_layer(sloe_csv *csv, const sloe_answer *answer, size_t i) {
  const sloe_layer_estimate *row = &answer->result->layers[i];
  sloe_csv_string(csv, net_name(answer));
  sloe_csv_string(csv, answer->card->name);
  sloe_csv_count(csv, i);
  sloe_csv_string(csv, row->layer->name);
  sloe_csv_string(csv, sloe_layer_kind_name(row->layer->kind));
  sloe_csv_strings(csv, row->layer->ops, row->layer->n_ops);
  sloe_csv_shapes(csv, row->layer->in, row->layer->n_in);
  sloe_csv_shapes(csv, row->layer->out, row->layer->n_out);
  sloe_csv_number(csv, row->latency_ms);
  sloe_csv_number(csv, row->share);
  sloe_csv_string(csv, row->bound == SLOE_BOUND_NONE ? "" : sloe_bound_name(row->bound));
  sloe_csv_string(csv, row->source == SLOE_SOURCE_NONE ? "" : sloe_source_name(row->source));
  sloe_csv_flag(csv, row->in_domain != 0);
  sloe_csv_count(csv, row->bytes);
  sloe_csv_count(csv, row->layer->macs);
  sloe_csv_count(csv, row->layer->flops);
  if (sloe_is_measured(answer)) {
    const sloe_measured_extra extra = extra_of(answer);
    sloe_csv_number(csv, at(extra.isolated_ms, i));
    sloe_csv_number(csv, at(extra.isolated_power_w, i));
    sloe_csv_number(csv, at(extra.isolated_energy_mj, i));
  }
  sloe_csv_end(csv);
}

static const char *csv_columns(const sloe_answer *answers, size_t n, int layers) {
  if (!layers)
    return "net,platform,device,runtime,runtime_version,precision,mode,batch,transfers,"
           "latency_ms,latency_low_ms,latency_high_ms,latency_p75_ms,latency_p97_5_ms,"
           "sum_of_layers_ms,source,method,validated_mape,in_domain,"
           "power_w,power_low_w,power_high_w,power_rail,"
           "energy_mj,energy_low_mj,energy_high_mj,"
           "memory_mb,memory_low_mb,memory_high_mb,memory_kind,fits";
  return n && sloe_is_measured(&answers[0])
             ? "net,platform,index,name,kind,ops,in,out,latency_ms,share,bound,source,in_domain,"
               "bytes,macs,flops,isolated_ms,isolated_power_w,isolated_energy_mj"
             : "net,platform,index,name,kind,ops,in,out,latency_ms,share,bound,source,in_domain,"
               "bytes,macs,flops";
}

sloe_status sloe_answers_csv(const sloe_answer *answers, size_t n,
                             const sloe_report_options *options, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  sloe_csv_header(&csv, csv_columns(answers, n, options->layers));
  for (size_t i = 0; i < n; i++) {
    if (!options->layers) csv_pair(&csv, &answers[i]);
    for (size_t k = 0; options->layers && k < answers[i].result->n_layers; k++)
      csv_layer(&csv, &answers[i], k);
  }
  return sloe_text_take(&csv.text, text, err);
}
