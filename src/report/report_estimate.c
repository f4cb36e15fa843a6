#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "report/report.h"

typedef struct sheet {
  sloe_text *text;
  const sloe_report_options *options;
  const sloe_net *net;
  const sloe_net_info *info;
  const sloe_card *card;
  const sloe_result *result;
} sheet;

static sheet page_of(sloe_text *text, const sloe_report_options *options,
                     const sloe_estimate *estimate) {
  const sloe_net *net = sloe_layers_net(sloe_estimate_layers(estimate));
  return (sheet){.text = text,
                 .options = options,
                 .net = net,
                 .info = sloe_net_get_info(net),
                 .card = sloe_platform_card(sloe_estimate_platform(estimate)),
                 .result = sloe_estimate_get(estimate)};
}

static void label(const sheet *page, const char *name) {
  char padded[32];
  snprintf(padded, sizeof padded, "%-10s", name);
  sloe_text_add(page->text, "  ");
  sloe_text_styled(page->text, page->options, SLOE_STYLE_DIM, padded);
}

/* ---- one net on one platform ---- */

/* ", within the budget of 5 ms" or ", over the budget of 5 ms" */
static void budget(const sheet *page, double value, double limit, const char *unit) {
  char buf[SLOE_HUMAN_BUF], line[128];
  if (!(limit > 0)) return;
  int over = value > limit, unknown = isnan(value);
  snprintf(line, sizeof line, "%s the budget of %s %s",
           unknown ? "cannot be held against"
           : over  ? "over"
                   : "within",
           sloe_human_plain(limit, buf), unit);
  sloe_text_add(page->text, "   ");
  sloe_text_styled(page->text, page->options, unknown || over ? SLOE_STYLE_BAD : SLOE_STYLE_GOOD,
                   line);
}

/* "1.93 ms   90 % interval 0.97 to 3.9 ms"; what a data sheet allows is wider and is not said to be
   an interval of 90 %. */
static void figure(const sheet *page, const sloe_figure *figure, const char *unit) {
  char number[SLOE_HUMAN_BUF], line[128], low[SLOE_HUMAN_BUF], high[SLOE_HUMAN_BUF];
  if (isnan(figure->value)) {
    sloe_text_add(page->text, "unknown");
    return;
  }
  snprintf(line, sizeof line, "%s %s", sloe_human_number(figure->value, number), unit);
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, line);
  if (isfinite(figure->low) && isfinite(figure->high) && figure->low < figure->high)
    sloe_text_addf(page->text, "   %s %s to %s %s",
                   figure->source == SLOE_SOURCE_DATASHEET ? "range" : "90 % interval",
                   sloe_human_number(figure->low, low), sloe_human_number(figure->high, high),
                   unit);
}

static void latency_line(const sheet *page) {
  char rate[SLOE_HUMAN_BUF];
  double ms = page->result->latency_ms.value;
  label(page, "latency");
  figure(page, &page->result->latency_ms, "ms");
  if (ms > 0)
    sloe_text_addf(
        page->text, "   %s inferences/s",
        sloe_human_number(1000 * (double)sloe_net_get_info(page->net)->batch / ms, rate));
  budget(page, ms, page->options->budget_ms, "ms");
  sloe_text_add(page->text, "\n");
}

static void power_lines(const sheet *page) {
  char cap[SLOE_HUMAN_BUF];
  label(page, "power");
  figure(page, &page->result->power_w, "W");
  if (isnan(page->result->power_w.value) && page->card->power_cap_w > 0)
    sloe_text_addf(page->text, "; the power mode is capped at %s W",
                   sloe_human_plain(page->card->power_cap_w, cap));
  if (!isnan(page->result->power_w.value) && *page->result->power_rail)
    sloe_text_addf(page->text, "   at the rail '%s'", page->result->power_rail);
  budget(page, page->result->power_w.value, page->options->budget_w, "W");
  sloe_text_add(page->text, "\n");
  label(page, "energy");
  figure(page, &page->result->energy_mj, "mJ");
  sloe_text_add(page->text, isnan(page->result->energy_mj.value) ? "\n" : " an inference\n");
}

static void memory_line(const sheet *page) {
  char buf[SLOE_HUMAN_BUF];
  const sloe_result *result = page->result;
  label(page, "memory");
  figure(page, &result->memory_mb, "MB");
  if (*result->memory_kind && !isnan(result->memory_mb.value))
    sloe_text_addf(page->text, " (%s)", result->memory_kind);
  if (result->fits >= 0) {
    sloe_text_add(page->text, "   ");
    sloe_text_styled(page->text, page->options, result->fits ? SLOE_STYLE_GOOD : SLOE_STYLE_BAD,
                     result->fits ? "fits into" : "does not fit into");
    sloe_text_addf(page->text, " the board's %s MB", sloe_human_number(page->card->memory_mb, buf));
  }
  budget(page, result->memory_mb.value, page->options->budget_mb, "MB");
  sloe_text_add(page->text, "\n");
}

static void question_line(const sheet *page) {
  const sloe_card *card = page->card;
  char shape[SLOE_HUMAN_SHAPE_BUF];
  label(page, "question");
  sloe_text_addf(page->text, "batch %" PRId64, sloe_net_get_info(page->net)->batch);
  if (page->info->n_inputs)
    sloe_text_addf(page->text, " (%s)", sloe_human_shape(&page->info->inputs[0].shape, shape));
  sloe_text_addf(page->text, ", %s, power mode ", sloe_precision_name(card->precision));
  sloe_text_name(page->text, *card->mode ? card->mode : "not stated");
  sloe_text_addf(page->text, "%s, transfers %s\n", card->default_mode ? " (the default)" : "",
                 card->transfers ? "included" : "excluded");
}

static const char *source_text(sloe_source source) {
  switch (source) {
#define SOURCE_TEXT(name, text, doc) \
  case SLOE_SOURCE_##name: return text ": " doc;
    SLOE_SOURCE_MAP(SOURCE_TEXT)
#undef SOURCE_TEXT
  }
  return "unknown";
}

static void source_lines(const sheet *page) {
  const sloe_figure *latency = &page->result->latency_ms;
  char buf[SLOE_HUMAN_BUF];
  label(page, "platform");
  sloe_text_name(page->text, page->card->name);
  sloe_text_add(page->text, "\n");
  label(page, "source");
  sloe_text_addf(page->text, "%s\n", source_text(latency->source));
  label(page, "");
  if (isnan(latency->validated_mape)) {
    sloe_text_add(page->text, "never validated against measurements");
  } else {
    sloe_text_addf(page->text, "validated: mean error %s %% on ",
                   sloe_human_number(latency->validated_mape, buf));
    sloe_text_name(page->text,
                   *page->card->validated_on ? page->card->validated_on : "held-out networks");
  }
  if (latency->source != SLOE_SOURCE_DATASHEET)
    sloe_text_add(page->text, latency->in_domain ? "; the question lies inside what was measured"
                                                 : "; the question lies outside what was measured");
  sloe_text_add(page->text, "\n");
  for (size_t i = 0; i < page->result->n_warnings; i++) {
    label(page, i ? "" : "note");
    sloe_text_name(page->text, page->result->warnings[i]);
    sloe_text_add(page->text, "\n");
  }
}

static double largest_share(const sloe_result *result) {
  double largest = 0;
  for (size_t i = 0; i < result->n_layers; i++)
    if (result->layers[i].share > largest) largest = result->layers[i].share;
  return largest;
}

static void bar_cell(sloe_table *table, const sheet *page, double part) {
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

static void layer_row(sloe_table *table, const sheet *page, size_t i, double largest) {
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
  sloe_table_add(table, row->bound == SLOE_BOUND_NONE ? "-" : sloe_bound_name(row->bound));
  sloe_table_add(table, row->layer->macs ? fixed((double)row->layer->macs / 1e6, 1, number) : "");
  sloe_table_add(table, fixed((double)row->bytes / 1e6, 2, number));
  sloe_table_addf(table, "%zu", row->layer->n_ops);
}

static void layer_table(const sheet *page) {
  static const sloe_column columns[] = {{"#", 1, 0, 2},      {"layer", 0, 1, 0}, {"kind", 0, 0, 0},
                                        {"output", 0, 0, 4}, {"ms", 1, 0, 0},    {"share", 1, 0, 0},
                                        {"", 0, 0, 1},       {"bound", 0, 0, 0}, {"MMAC", 1, 0, 6},
                                        {"MB", 1, 0, 5},     {"ops", 1, 0, 3}};
  enum { N = sizeof columns / sizeof *columns, BAR = 6 };
  sloe_column used[N];
  size_t n = 0;
  for (size_t i = 0; i < N; i++)
    if (i != BAR || page->options->bars) used[n++] = columns[i];
  sloe_table table;
  sloe_table_init(&table, used, n);
  double largest = largest_share(page->result);
  for (size_t i = 0; i < page->result->n_layers; i++) layer_row(&table, page, i, largest);
  sloe_text_add(page->text, "\n");
  sloe_table_print(&table, page->options, 2, page->text);
  sloe_table_fini(&table);
}

/* "61 % of the time is bound by arithmetic, 30 % by memory, 9 % by launches" */
static void bound_line(const sheet *page) {
  static const char *const words[] = {"nothing known", "arithmetic", "memory", "launches"};
  double parts[sizeof words / sizeof *words] = {0};
  for (size_t i = 0; i < page->result->n_layers; i++)
    if (page->result->layers[i].share > 0)
      parts[page->result->layers[i].bound] += page->result->layers[i].share;
  label(page, "bound by");
  const char *comma = "";
  for (size_t i = 1; i < sizeof words / sizeof *words; i++) {
    if (!(parts[i] >= 0.005)) continue;
    sloe_text_addf(page->text, "%s%s %.0f %%", comma, words[i], 100 * parts[i]);
    comma = ", ";
  }
  if (!*comma) sloe_text_add(page->text, "unknown");
  sloe_text_addf(page->text, " of the time, %zu layers\n", page->result->n_layers);
}

static void single_page(const sheet *page) {
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, page->info->name);
  sloe_text_add(page->text, " on ");
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, page->card->title);
  sloe_text_add(page->text, "\n");
  latency_line(page);
  power_lines(page);
  memory_line(page);
  if (page->result->n_layers) bound_line(page);
  question_line(page);
  source_lines(page);
  if (page->options->layers) layer_table(page);
}

/* ---- several ---- */

static void budget_cell(sloe_table *table, const sloe_figure *figure, double limit) {
  char number[SLOE_HUMAN_BUF];
  int over = limit > 0 && figure->value > limit;
  sloe_table_add_styled(table, over ? SLOE_STYLE_BAD : SLOE_STYLE_PLAIN,
                        sloe_human_number(figure->value, number));
}

static int over_budget(const sheet *page) {
  const sloe_report_options *o = page->options;
  return (o->budget_ms > 0 && page->result->latency_ms.value > o->budget_ms) ||
         (o->budget_w > 0 && page->result->power_w.value > o->budget_w) ||
         (o->budget_mb > 0 && page->result->memory_mb.value > o->budget_mb);
}

/* Columns of a comparison. A net or a platform that all rows share stands above the table. */
enum { NET, ON, MODE, COMPARED = 12 };

typedef struct comparison {
  const sloe_estimate *const *estimates;
  size_t n;
  int shared[MODE + 1]; /* of NET, ON, MODE: left out */
  int transfers;        /* one of the platforms includes them */
} comparison;

static const char *key_of(const sheet *page, int column) {
  return column == NET ? page->info->name : column == ON ? page->card->name : page->card->mode;
}

static comparison compare(const sloe_estimate *const *estimates, size_t n) {
  comparison c = {.estimates = estimates, .n = n, .shared = {1, 1, 1}};
  sheet first = page_of(NULL, NULL, estimates[0]);
  for (size_t i = 0; i < n; i++) {
    sheet page = page_of(NULL, NULL, estimates[i]);
    for (int k = NET; k <= MODE; k++)
      if (strcmp(key_of(&first, k), key_of(&page, k))) c.shared[k] = 0;
    c.transfers |= page.card->transfers;
  }
  if (c.shared[NET] && c.shared[ON]) c.shared[NET] = c.shared[ON] = 0; /* one file, twice */
  c.shared[MODE] = c.shared[ON];
  return c;
}

static void comparison_row(sloe_table *table, const comparison *c, const sheet *page) {
  char low[SLOE_HUMAN_BUF], high[SLOE_HUMAN_BUF], rate[SLOE_HUMAN_BUF];
  const sloe_result *result = page->result;
  double ms = result->latency_ms.value;
  for (int k = NET; k <= MODE; k++)
    if (!c->shared[k]) sloe_table_add(table, key_of(page, k));
  budget_cell(table, &result->latency_ms, page->options->budget_ms);
  if (isnan(result->latency_ms.low) || isnan(result->latency_ms.high))
    sloe_table_add(table, "-");
  else
    sloe_table_addf(table, "%s to %s", sloe_human_number(result->latency_ms.low, low),
                    sloe_human_number(result->latency_ms.high, high));
  sloe_table_add(table, ms > 0 ? sloe_human_number(
                                     1000 * (double)sloe_net_get_info(page->net)->batch / ms, rate)
                               : "-");
  budget_cell(table, &result->power_w, page->options->budget_w);
  budget_cell(table, &result->energy_mj, 0);
  budget_cell(table, &result->memory_mb, page->options->budget_mb);
  sloe_table_add_styled(table, result->fits == 0 ? SLOE_STYLE_BAD : SLOE_STYLE_PLAIN,
                        result->fits < 0 ? "-"
                        : result->fits   ? "yes"
                                         : "no");
  sloe_table_add(table, isnan(ms) ? "-" : sloe_source_name(result->latency_ms.source));
  sloe_table_add_styled(table, SLOE_STYLE_BAD, over_budget(page) ? "over budget" : "");
}

static void comparison_title(const comparison *c, const sheet *page) {
  if (!c->shared[NET] && !c->shared[ON]) return;
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD,
                   c->shared[NET] ? page->info->name : page->card->name);
  if (c->shared[ON]) {
    sloe_text_add(page->text, " (");
    sloe_text_name(page->text, page->card->title);
    sloe_text_add(page->text, *page->card->mode ? ", " : "");
    sloe_text_name(page->text, page->card->mode);
    sloe_text_add(page->text, ")");
  }
  sloe_text_add(page->text, "\n");
}

static void comparison_page(const comparison *c, const sloe_report_options *options,
                            sloe_text *text) {
  static const sloe_column columns[COMPARED] = {
      {"net", 0, 1, 0},   {"platform", 0, 0, 0}, {"mode", 0, 0, 5},   {"ms", 1, 0, 0},
      {"range", 1, 0, 1}, {"/s", 1, 0, 3},       {"W", 1, 0, 4},      {"mJ", 1, 0, 6},
      {"MB", 1, 0, 0},    {"fits", 0, 0, 0},     {"source", 0, 0, 2}, {"", 0, 0, 0}};
  sloe_column used[COMPARED];
  size_t n = 0;
  for (int k = 0; k < COMPARED; k++)
    if (k > MODE || !c->shared[k]) used[n++] = columns[k];
  sloe_table table;
  sloe_table_init(&table, used, n);
  for (size_t i = 0; i < c->n; i++) {
    sheet page = page_of(text, options, c->estimates[i]);
    if (i == 0) comparison_title(c, &page);
    comparison_row(&table, c, &page);
  }
  sloe_table_print(&table, options, 0, text);
  sloe_table_fini(&table);
  sloe_text_add(text, "\n");
  const char *const notes[] = {"ms: median device time of one inference; MB: memory; -: unknown",
                               "range: the 90 % interval of the model's error; of a data sheet, "
                               "what its best and worst shares allow",
                               c->transfers ? "transfers are included where the platform says so"
                                            : "transfers are excluded"};
  for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
    sloe_text_styled(text, options, SLOE_STYLE_DIM, notes[i]);
    sloe_text_add(text, "\n");
  }
}

sloe_status sloe_report_estimates(const sloe_estimate *const *estimates, size_t n,
                                  const sloe_report_options *options, char **text,
                                  sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON)
    return sloe_estimates_json(estimates, n, options->list, text, err);
  if (options->format == SLOE_FORMAT_CSV)
    return sloe_estimates_csv(estimates, n, options, text, err);
  sloe_text out = {0};
  if (n > 1 && !options->layers) {
    comparison c = compare(estimates, n);
    comparison_page(&c, options, &out);
    return sloe_text_take(&out, text, err);
  }
  for (size_t i = 0; i < n; i++) {
    sheet page = page_of(&out, options, estimates[i]);
    if (i) sloe_text_add(&out, "\n");
    single_page(&page);
  }
  return sloe_text_take(&out, text, err);
}
