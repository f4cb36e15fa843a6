#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "report/sheet.h"

static double largest_share(const sloe_result *result) {
  double largest = 0;
  for (size_t i = 0; i < result->n_layers; i++)
    if (result->layers[i].share > largest) largest = result->layers[i].share;
  return largest;
}

static void bar_cell(sloe_table *table, const sloe_sheet *page, double part) {
  sloe_text bar = {0};
  sloe_text_bar(&bar, page->options, part, 10);
  table->failed |= bar.failed;
  sloe_table_add(table, bar.data ? bar.data : "");
  sloe_text_fini(&bar);
}

/* Columns of many rows read best with their points below one another. */
static const char *fixed(double value, int digits, char buf[SLOE_HUMAN_BUF]) {
  return isnan(value) ? "-" : sloe_format_fixed(value, digits, buf, SLOE_HUMAN_BUF);
}

/* Has layers timed by themselves, perhaps, and nothing that is known to bound them. */
static int is_measurement(const sloe_sheet *page) {
  return page->result->latency_ms.source == SLOE_SOURCE_MEASURED && page->extra;
}

/* Has layers' power, each by itself. */
static int has_power(const sloe_sheet *page) {
  return is_measurement(page) && page->extra->isolated_power_w && page->extra->isolated_energy_mj;
}

static void layer_row(sloe_table *table, const sloe_sheet *page, size_t i, double largest) {
  const sloe_layer_estimate *row = &page->result->layers[i];
  char shape[SLOE_HUMAN_SHAPE_BUF], number[SLOE_HUMAN_BUF];
  sloe_table_addf(table, "%zu", i);
  sloe_table_add(table, row->layer->name);
  sloe_table_add_styled(table,
                        row->layer->kind == SLOE_LAYER_UNKNOWN ? SLOE_STYLE_BAD : SLOE_STYLE_PLAIN,
                        sloe_layer_kind_name(row->layer->kind));
  sloe_table_add(table, sloe_layer_shape(row->layer, shape));
  sloe_table_add(table, fixed(row->latency_ms, 4, number));
  if (isnan(row->share))
    sloe_table_add(table, "-");
  else
    sloe_table_addf(table, "%.1f %%", 100 * row->share);
  if (page->options->bars) bar_cell(table, page, largest > 0 ? row->share / largest : 0);
  if (is_measurement(page))
    sloe_table_add(table,
                   page->extra->isolated_ms ? fixed(page->extra->isolated_ms[i], 4, number) : "-");
  if (has_power(page)) {
    sloe_table_add(table, fixed(page->extra->isolated_power_w[i], 1, number));
    sloe_table_add(table, fixed(page->extra->isolated_energy_mj[i], 3, number));
  }
  if (!is_measurement(page))
    sloe_table_add(table, row->bound == SLOE_BOUND_NONE ? "-" : sloe_bound_name(row->bound));
  sloe_table_add(table, row->layer->macs ? fixed((double)row->layer->macs / 1e6, 1, number) : "");
  sloe_table_add(table, fixed((double)row->bytes / 1e6, 2, number));
  sloe_table_addf(table, "%zu", row->layer->n_ops);
}

void sloe_sheet_layers(const sloe_sheet *page) {
  static const sloe_column columns[] = {{"#", 1, 0, 2},      {"layer", 0, 1, 0}, {"kind", 0, 0, 0},
                                        {"output", 0, 0, 4}, {"ms", 1, 0, 0},    {"share", 1, 0, 0},
                                        {"", 0, 0, 1},       {"bound", 0, 0, 0}, {"MMAC", 1, 0, 6},
                                        {"MB", 1, 0, 5},     {"ops", 1, 0, 3}};
  enum { N = sizeof columns / sizeof *columns, BAR = 6, BOUND = 7 };
  sloe_column used[N + 2];
  size_t n = 0;
  for (size_t i = 0; i < N; i++)
    if (i == BOUND && is_measurement(page)) {
      used[n++] = (sloe_column){"alone ms", 1, 0, 1};
      if (has_power(page)) used[n++] = (sloe_column){"alone W", 1, 0, 7};
      if (has_power(page)) used[n++] = (sloe_column){"alone mJ", 1, 0, 8};
    } else if (i != BAR || page->options->bars)
      used[n++] = columns[i];
  sloe_table table;
  sloe_table_init(&table, used, n);
  double largest = largest_share(page->result);
  for (size_t i = 0; i < page->result->n_layers; i++) layer_row(&table, page, i, largest);
  sloe_text_add(page->text, "\n");
  sloe_table_print(&table, page->options, 2, page->text);
  sloe_table_fini(&table);
}
