#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "report/report.h"

static const char *const flop_kinds[] = {
#define KIND_NAME(name, text, doc) text,
    SLOE_FLOP_KIND_MAP(KIND_NAME)
#undef KIND_NAME
};

static const sloe_net_info *info_of(const sloe_layers *layers) {
  return sloe_net_get_info(sloe_layers_net(layers));
}

typedef struct sheet {
  sloe_text *text;
  const sloe_report_options *options;
} sheet;

static void label(const sheet *page, const char *name) {
  char padded[32];
  snprintf(padded, sizeof padded, "%-14s", name);
  sloe_text_add(page->text, "  ");
  sloe_text_styled(page->text, page->options, SLOE_STYLE_DIM, padded);
}

static void tensor_lines(const sheet *page, const char *name, const sloe_tensor_info *v, size_t n) {
  char buf[SLOE_HUMAN_SHAPE_BUF];
  for (size_t i = 0; i < n; i++) {
    label(page, i ? "" : name);
    sloe_text_name(page->text, v[i].name);
    sloe_text_addf(page->text, "  %s  %s\n", v[i].dtype, sloe_human_shape(&v[i].shape, buf));
  }
}

static void flop_lines(const sheet *page, const sloe_net_info *info) {
  char buf[SLOE_HUMAN_BUF];
  for (size_t i = 0; i < SLOE_FLOP_KIND_COUNT; i++) {
    double part = info->flops ? (double)info->flops_by_kind[i] / (double)info->flops : 0;
    if (!info->flops_by_kind[i]) continue;
    label(page, "");
    sloe_text_addf(page->text, "%-12s %5.1f %%  %8sFLOP  ", flop_kinds[i], 100 * part,
                   sloe_human_si((double)info->flops_by_kind[i], buf));
    sloe_text_bar(page->text, page->options, part, 20);
    while (page->text->len && page->text->data && page->text->data[page->text->len - 1] == ' ')
      page->text->data[--page->text->len] = 0;
    sloe_text_add(page->text, "\n");
  }
}

static void unknown_lines(const sheet *page, const sloe_net_info *info) {
  label(page, "unknown ops");
  if (!info->n_unknown_ops) sloe_text_add(page->text, "none\n");
  for (size_t i = 0; i < info->n_unknown_ops; i++) {
    const sloe_unknown_op *op = &info->unknown_ops[i];
    if (i) label(page, "");
    sloe_text_styled(page->text, page->options, SLOE_STYLE_BAD, op->op);
    sloe_text_addf(page->text, " x %zu: ", op->count);
    sloe_text_name(page->text, op->reason);
    sloe_text_add(page->text, "\n");
  }
  if (!info->n_unknown_ops) return;
  label(page, "");
  sloe_text_addf(page->text, "they move %.1f %% of all bytes\n", 100 * info->unknown_bytes_share);
}

static void count_lines(const sheet *page, const sloe_net_info *info) {
  char a[SLOE_HUMAN_BUF], b[SLOE_HUMAN_BUF], c[SLOE_HUMAN_BUF];
  sloe_text *text = page->text;
  label(page, "parameters");
  sloe_text_addf(text, "%s", sloe_human_count(info->params, a));
  if (info->trainable_params != info->params)
    sloe_text_addf(text, " (%s trainable)", sloe_human_count(info->trainable_params, b));
  sloe_text_addf(text, ", %s\n", sloe_human_bytes((double)info->weights_bytes, c));
  label(page, "work");
  sloe_text_addf(text, "%sMAC in convolutions and matrix products\n",
                 sloe_human_si((double)info->macs, a));
  label(page, "");
  sloe_text_addf(text, "%sFLOP in all, of them %sFLOP as 2 x MAC\n",
                 sloe_human_si((double)info->flops, a), sloe_human_si((double)info->mac_flops, b));
  flop_lines(page, info);
  label(page, "activations");
  sloe_text_addf(text, "%s elements written, at most %s live at once\n",
                 sloe_human_si((double)info->activations, a),
                 sloe_human_bytes((double)info->peak_activation_bytes, b));
}

static void header_lines(const sheet *page, const sloe_layers *layers) {
  const sloe_net_info *info = info_of(layers);
  const sloe_fusion *fusion = sloe_layers_fusion(layers);
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, info->name);
  sloe_text_add(page->text, "\n");
  label(page, "file");
  if (*info->producer) {
    sloe_text_name(page->text, info->producer);
    sloe_text_add(page->text, ", ");
  }
  sloe_text_addf(page->text, "opset %" PRId64 ", IR version %" PRId64 "\n", info->opset,
                 info->ir_version);
  tensor_lines(page, "input", info->inputs, info->n_inputs);
  tensor_lines(page, "output", info->outputs, info->n_outputs);
  label(page, "ops");
  sloe_text_addf(page->text, "%zu", info->n_ops);
  if (fusion->runtime != SLOE_RUNTIME_NONE)
    sloe_text_addf(page->text, " in %zu layers as %s %s fuses them", sloe_layers_count(layers),
                   sloe_runtime_name(fusion->runtime), sloe_precision_name(fusion->precision));
  sloe_text_add(page->text, "\n");
}

static void window_cell(sloe_table *table, const int64_t v[2]) {
  if (v[0] <= 0)
    sloe_table_add(table, "");
  else
    sloe_table_addf(table, "%" PRId64 "x%" PRId64, v[0], v[1]);
}

static const char *millions(uint64_t value, char buf[SLOE_HUMAN_BUF]) {
  return sloe_format_fixed((double)value / 1e6, 2, buf, SLOE_HUMAN_BUF);
}

static void layer_table(const sheet *page, const sloe_layers *layers) {
  static const sloe_column columns[] = {
      {"#", 1, 0, 2},      {"layer", 0, 1, 0},  {"kind", 0, 0, 0},   {"input", 0, 0, 5},
      {"output", 0, 0, 0}, {"kernel", 1, 0, 3}, {"stride", 1, 0, 4}, {"MMAC", 1, 0, 0},
      {"MFLOP", 1, 0, 7},  {"params", 1, 0, 6}, {"ops", 1, 0, 1}};
  enum { N = sizeof columns / sizeof *columns };
  char buf[SLOE_HUMAN_SHAPE_BUF], number[SLOE_HUMAN_BUF];
  sloe_table table;
  sloe_table_init(&table, columns, N);
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    sloe_table_addf(&table, "%zu", i);
    sloe_table_add(&table, layer->name);
    sloe_table_add_styled(&table,
                          layer->kind == SLOE_LAYER_UNKNOWN ? SLOE_STYLE_BAD : SLOE_STYLE_PLAIN,
                          sloe_layer_kind_name(layer->kind));
    sloe_table_add(&table, layer->n_in ? sloe_human_shape(&layer->in[0], buf) : "-");
    sloe_table_add(&table, sloe_layer_shape(layer, buf));
    window_cell(&table, layer->kernel);
    window_cell(&table, layer->kernel[0] > 0 ? layer->stride : layer->kernel);
    sloe_table_add(&table, layer->macs ? millions(layer->macs, number) : "");
    sloe_table_add(&table, layer->flops ? millions(layer->flops, number) : "");
    sloe_table_add(&table, layer->params ? sloe_human_count(layer->params, number) : "");
    sloe_table_addf(&table, "%zu", layer->n_ops);
  }
  sloe_text_add(page->text, "\n");
  sloe_table_print(&table, page->options, 2, page->text);
  sloe_table_fini(&table);
}

static void feature_table(const sheet *page, const sloe_net_info *info) {
  static const sloe_column columns[] = {{"feature", 0, 0, 0}, {"value", 1, 0, 0}, {"", 0, 1, 1}};
  char number[SLOE_HUMAN_BUF];
  sloe_table table;
  sloe_table_init(&table, columns, 3);
  for (size_t i = 0; i < info->n_features; i++) {
    const sloe_feature *feature = &info->features[i];
    int whole =
        feature->value >= 0 && feature->value < 1e15 && feature->value == floor(feature->value);
    sloe_table_add(&table, feature->name);
    sloe_table_add(&table, whole ? sloe_human_count((uint64_t)feature->value, number)
                                 : sloe_human_number(feature->value, number));
    sloe_table_add_styled(&table, SLOE_STYLE_DIM, feature->doc);
  }
  sloe_text_add(page->text, "\n");
  sloe_table_print(&table, page->options, 2, page->text);
  sloe_table_fini(&table);
}

static void net_page(const sheet *page, const sloe_layers *layers) {
  const sloe_net_info *info = info_of(layers);
  header_lines(page, layers);
  count_lines(page, info);
  unknown_lines(page, info);
  if (page->options->features) feature_table(page, info);
  if (page->options->layers) layer_table(page, layers);
}

static void comparison(const sheet *page, const sloe_layers *const *layers, size_t n) {
  static const sloe_column columns[] = {
      {"net", 0, 1, 0},       {"input", 0, 0, 2},  {"ops", 1, 0, 4},   {"params", 1, 0, 0},
      {"weights", 1, 0, 3},   {"GMAC", 1, 0, 0},   {"GFLOP", 1, 0, 0}, {"activations", 1, 0, 5},
      {"peak live", 1, 0, 1}, {"unknown", 1, 0, 0}};
  enum { N = sizeof columns / sizeof *columns };
  char buf[SLOE_HUMAN_SHAPE_BUF], number[SLOE_HUMAN_BUF];
  sloe_table table;
  sloe_table_init(&table, columns, N);
  for (size_t i = 0; i < n; i++) {
    const sloe_net_info *info = info_of(layers[i]);
    sloe_table_add(&table, info->name);
    sloe_table_add(&table, info->n_inputs ? sloe_human_shape(&info->inputs[0].shape, buf) : "-");
    sloe_table_addf(&table, "%zu", info->n_ops);
    sloe_table_add(&table, sloe_human_si((double)info->params, number));
    sloe_table_add(&table, sloe_human_bytes((double)info->weights_bytes, number));
    sloe_table_add(&table, sloe_human_number((double)info->macs / 1e9, number));
    sloe_table_add(&table, sloe_human_number((double)info->flops / 1e9, number));
    sloe_table_add(&table, sloe_human_si((double)info->activations, number));
    sloe_table_add(&table, sloe_human_bytes((double)info->peak_activation_bytes, number));
    sloe_table_addf(&table, "%zu", info->n_unknown_ops);
  }
  sloe_table_print(&table, page->options, 0, page->text);
  sloe_table_fini(&table);
}

sloe_status sloe_report_info(const sloe_layers *const *layers, size_t n,
                             const sloe_report_options *options, char **text, sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON)
    return sloe_info_json(layers, n, options->list, text, err);
  if (options->format == SLOE_FORMAT_CSV) return sloe_info_csv(layers, n, options, text, err);
  sloe_text out = {0};
  sheet page = {.text = &out, .options = options};
  if (n > 1 && !options->layers && !options->features) {
    comparison(&page, layers, n);
    return sloe_text_take(&out, text, err);
  }
  for (size_t i = 0; i < n; i++) {
    if (i) sloe_text_add(&out, "\n");
    net_page(&page, layers[i]);
  }
  return sloe_text_take(&out, text, err);
}
