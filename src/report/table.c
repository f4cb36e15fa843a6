/* Tables: cells are collected, then measured, then written. Where the terminal is narrower than
 * the table, names are cut in the middle (both ends of a layer's name say which it is) down to
 * FLEX_GOOD columns, then whole columns are left out by their `drop`, then names are cut down to
 * FLEX_MIN; a line that is too long after that stays too long. A width of 0 in
 * `sloe_report_options` is 100; output that is piped comes with a width that nothing reaches, so
 * that it is whole.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

enum { FLEX_GOOD = 24, FLEX_MIN = 12, GAP = 2, TABLE_LIMIT = 1 << 28 };

void sloe_table_init(sloe_table *table, const sloe_column *columns, size_t n_columns) {
  *table = (sloe_table){.columns = columns, .n_columns = n_columns};
  sloe_arena_init(&table->arena, TABLE_LIMIT);
}

void sloe_table_fini(sloe_table *table) {
  sloe_arena_fini(&table->arena);
}

void sloe_table_add_styled(sloe_table *table, sloe_style style, const char *text) {
  sloe_text name = {0};
  sloe_text_name(&name, text);
  const char *copy = sloe_arena_strn(&table->arena, name.data ? name.data : "", name.len);
  table->failed |= name.failed || !copy;
  sloe_text_fini(&name);
  if (!sloe_arena_grow(&table->arena, &table->cells, table->n_cells, &table->cap_cells,
                       sizeof *table->cells))
    table->failed = 1;
  if (!table->failed) table->cells[table->n_cells++] = (sloe_cell){.text = copy, .style = style};
}

void sloe_table_add(sloe_table *table, const char *text) {
  sloe_table_add_styled(table, SLOE_STYLE_PLAIN, text);
}

void sloe_table_addf(sloe_table *table, const char *fmt, ...) {
  char buf[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(buf, sizeof buf, fmt, ap);
  va_end(ap);
  sloe_table_add(table, buf);
}

void sloe_text_styled(sloe_text *text, const sloe_report_options *options, sloe_style style,
                      const char *s) {
  static const char *const codes[] = {"", "\033[1m", "\033[2m", "\033[32m", "\033[31m"};
  int styled = options->color && style != SLOE_STYLE_PLAIN;
  if (styled) sloe_text_add(text, codes[style]);
  sloe_text_name(text, s);
  if (styled) sloe_text_add(text, "\033[0m");
}

void sloe_text_bar(sloe_text *text, const sloe_report_options *options, double part, int columns) {
  static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!options->bars || !(part > 0)) return;
  if (part > 1) part = 1;
  int units = options->bars == 2 ? 1 : 8;
  int n = (int)(part * columns * units + 0.5);
  for (int i = 0; i < n / units; i++) sloe_text_add(text, units == 1 ? "#" : "█");
  if (units == 8) sloe_text_add(text, eighths[n % 8]);
}

static size_t columns_of(const char *s) {
  return sloe_text_columns(s, strlen(s));
}

/* Columns for each column of the table; 0: left out. */
typedef struct layout {
  size_t w[SLOE_TABLE_COLUMNS];
} layout;

static layout natural(const sloe_table *table) {
  layout widths = {{0}};
  for (size_t c = 0; c < table->n_columns; c++) {
    size_t widest = columns_of(table->columns[c].title);
    for (size_t i = c; i < table->n_cells; i += table->n_columns) {
      size_t width = columns_of(table->cells[i].text);
      if (width > widest) widest = width;
    }
    widths.w[c] = widest ? widest : 1;
  }
  return widths;
}

static size_t total(const sloe_table *table, const layout *widths) {
  size_t sum = 0;
  for (size_t c = 0; c < table->n_columns; c++) sum += widths->w[c] ? widths->w[c] + GAP : 0;
  return sum ? sum - GAP : 0;
}

/* Cut the widest names down to `min` until the table has `room`. */
static void cut_names(const sloe_table *table, layout *widths, size_t room, size_t min) {
  for (size_t over; (over = total(table, widths)) > room;) {
    size_t best = table->n_columns;
    for (size_t c = 0; c < table->n_columns; c++)
      if (table->columns[c].flex && widths->w[c] > min &&
          (best == table->n_columns || widths->w[c] > widths->w[best]))
        best = c;
    if (best == table->n_columns) return;
    size_t spare = widths->w[best] - min;
    widths->w[best] -= over - room < spare ? over - room : spare;
  }
}

static size_t first_to_drop(const sloe_table *table, const layout *widths) {
  size_t best = table->n_columns;
  for (size_t c = 0; c < table->n_columns; c++)
    if (table->columns[c].drop && widths->w[c] &&
        (best == table->n_columns || table->columns[c].drop > table->columns[best].drop))
      best = c;
  return best;
}

static layout fitted(const sloe_table *table, size_t room) {
  layout full = natural(table), widths = full;
  for (;;) {
    widths = full;
    cut_names(table, &widths, room, FLEX_GOOD);
    size_t c = first_to_drop(table, &full);
    if (total(table, &widths) <= room || c == table->n_columns) break;
    full.w[c] = 0;
  }
  cut_names(table, &widths, room, FLEX_MIN);
  return widths;
}

/* The first `columns` code points of `s`, in bytes. */
static size_t prefix_bytes(const char *s, size_t columns) {
  size_t i = 0;
  for (; s[i]; i++)
    if (((unsigned char)s[i] & 0xc0) != 0x80 && !columns--) break;
  return i;
}

static void add_cut(sloe_text *text, const char *s, size_t width, const char *mark) {
  size_t columns = columns_of(s), keep = width - columns_of(mark), head = keep / 2;
  sloe_text_addn(text, s, prefix_bytes(s, head));
  sloe_text_add(text, mark);
  sloe_text_add(text, s + prefix_bytes(s, columns - (keep - head)));
}

static void add_spaces(sloe_text *text, size_t n) {
  sloe_text_addf(text, "%*s", (int)n, "");
}

typedef struct writer {
  sloe_text *out;
  const sloe_report_options *options;
  size_t pending; /* spaces owed: none stand at the end of a line */
} writer;

static void add_cell(writer *line, const sloe_column *column, const sloe_cell *cell, size_t width) {
  sloe_text text = {0};
  size_t columns = columns_of(cell->text);
  if (columns > width) {
    add_cut(&text, cell->text, width, line->options->bars == 1 ? "…" : "..");
    columns = width;
  } else {
    sloe_text_add(&text, cell->text);
  }
  if (column->right) line->pending += width - columns;
  if (columns) {
    add_spaces(line->out, line->pending);
    sloe_text_styled(line->out, line->options, cell->style, text.data ? text.data : "");
    line->pending = 0;
  }
  if (!column->right) line->pending += width - columns;
  line->pending += GAP;
  line->out->failed |= text.failed;
  sloe_text_fini(&text);
}

static void add_row(const sloe_table *table, const layout *widths, const sloe_cell *cells,
                    size_t indent, const sloe_report_options *options, sloe_text *out) {
  writer line = {.out = out, .options = options, .pending = indent};
  for (size_t c = 0; c < table->n_columns; c++)
    if (widths->w[c]) add_cell(&line, &table->columns[c], &cells[c], widths->w[c]);
  sloe_text_add(out, "\n");
}

void sloe_table_print(const sloe_table *table, const sloe_report_options *options, size_t indent,
                      sloe_text *out) {
  if (table->failed) out->failed = 1;
  if (out->failed) return;
  size_t room = options->width > 0 ? (size_t)options->width : 100;
  layout widths = fitted(table, room > indent ? room - indent : 1);
  sloe_cell header[SLOE_TABLE_COLUMNS];
  for (size_t c = 0; c < table->n_columns; c++)
    header[c] = (sloe_cell){.text = table->columns[c].title, .style = SLOE_STYLE_DIM};
  add_row(table, &widths, header, indent, options, out);
  for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns)
    add_row(table, &widths, table->cells + i, indent, options, out);
}
