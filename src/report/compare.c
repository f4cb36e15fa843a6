#include <math.h>
#include <string.h>

#include "report/sheet.h"

static void budget_cell(sloe_table *table, const sloe_figure *figure, double limit) {
  char number[SLOE_HUMAN_BUF];
  int over = limit > 0 && figure->value > limit;
  sloe_table_add_styled(table, over ? SLOE_STYLE_BAD : SLOE_STYLE_PLAIN,
                        sloe_human_number(figure->value, number));
}

static int over_budget(const sloe_sheet *page) {
  const sloe_report_options *o = page->options;
  return (o->budget_ms > 0 && page->result->latency_ms.value > o->budget_ms) ||
         (o->budget_w > 0 && page->result->power_w.value > o->budget_w) ||
         (o->budget_mb > 0 && page->result->memory_mb.value > o->budget_mb);
}

/* Columns of a comparison. A net or a platform that all rows share stands above the table. */
enum { NET, ON, MODE, RANGE = 4, COMPARED = 12 };

typedef struct comparison {
  const sloe_answer *answers;
  size_t n;
  int shared[MODE + 1]; /* of NET, ON, MODE: left out */
  int transfers;        /* one of the platforms includes them */
  int ranges;           /* one is no measurement: those have no range */
} comparison;

static const char *key_of(const sloe_sheet *page, int column) {
  return column == NET ? page->info->name : column == ON ? page->card->name : page->card->mode;
}

static comparison compare(const sloe_answer *answers, size_t n) {
  comparison c = {.answers = answers, .n = n, .shared = {1, 1, 1}};
  sloe_sheet first = sloe_sheet_of(NULL, NULL, &answers[0]);
  for (size_t i = 0; i < n; i++) {
    sloe_sheet page = sloe_sheet_of(NULL, NULL, &answers[i]);
    for (int k = NET; k <= MODE; k++)
      if (strcmp(key_of(&first, k), key_of(&page, k))) c.shared[k] = 0;
    c.transfers |= page.card->transfers;
    c.ranges |= !sloe_is_measured(&answers[i]);
  }
  if (c.shared[NET] && c.shared[ON]) c.shared[NET] = c.shared[ON] = 0; /* one file, twice */
  c.shared[MODE] = c.shared[ON];
  return c;
}

static void range_cell(sloe_table *table, const sloe_figure *figure) {
  char low[SLOE_HUMAN_BUF], high[SLOE_HUMAN_BUF];
  if (isnan(figure->low) || isnan(figure->high))
    sloe_table_add(table, "-");
  else
    sloe_table_addf(table, "%s to %s", sloe_human_number(figure->low, low),
                    sloe_human_number(figure->high, high));
}

static void comparison_row(sloe_table *table, const comparison *c, const sloe_sheet *page) {
  char rate[SLOE_HUMAN_BUF];
  const sloe_result *result = page->result;
  double ms = result->latency_ms.value;
  for (int k = NET; k <= MODE; k++)
    if (!c->shared[k]) sloe_table_add(table, key_of(page, k));
  budget_cell(table, &result->latency_ms, page->options->budget_ms);
  if (c->ranges) range_cell(table, &result->latency_ms);
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

static void comparison_title(const comparison *c, const sloe_sheet *page) {
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
    if (k > MODE ? k != RANGE || c->ranges : !c->shared[k]) used[n++] = columns[k];
  sloe_table table;
  sloe_table_init(&table, used, n);
  for (size_t i = 0; i < c->n; i++) {
    sloe_sheet page = sloe_sheet_of(text, options, &c->answers[i]);
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
    if (i == 1 && !c->ranges) continue;
    sloe_text_styled(text, options, SLOE_STYLE_DIM, notes[i]);
    sloe_text_add(text, "\n");
  }
}

void sloe_compare_answers(const sloe_answer *answers, size_t n, const sloe_report_options *options,
                          sloe_text *text) {
  comparison c = compare(answers, n);
  comparison_page(&c, options, text);
}
