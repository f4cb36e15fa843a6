/* trt_table.c: --dumpProfile's table. To 8.5 the name stands first, right-aligned, and may hold
 * anything: the last three or four words of a row are its numbers. From 8.6 the numbers come first.
 * Layers that took 0 ms are left out by trtexec (from 8.4). 5.x and 6.0:
 *
 *   name   12.3%   10   4.56      share, invocations, ms in all
 */
#include <math.h>

#include "device/trtexec/trt_parts.h"

enum { NUMBERS_MOST = 4 };

/* The last word; s keeps what stands before it. */
static sloe_trt_span last_word(sloe_trt_span *s) {
  *s = sloe_trt_trim(*s);
  const char *p = s->end;
  while (p > s->p && p[-1] != ' ' && p[-1] != '\t' && p[-1] != '|') p--;
  const sloe_trt_span word = {p, s->end};
  s->end = p;
  return word;
}

static int whole_number(sloe_trt_span word, double *out) {
  return word.p < word.end && sloe_trt_take_number(&word, out) && word.p == word.end;
}

/* Numbers from the right; x[0] is the leftmost. */
static int numbers_last(sloe_trt_span *s, int most, double x[NUMBERS_MOST]) {
  int n = 0;
  double found[NUMBERS_MOST];
  while (n < most) {
    sloe_trt_span rest = *s;
    if (!whole_number(last_word(&rest), &found[n])) break;
    *s = rest;
    n++;
  }
  for (int i = 0; i < n; i++) x[i] = found[n - 1 - i];
  return n;
}

static int numbers_first(sloe_trt_span *s, int most, double x[NUMBERS_MOST]) {
  int n = 0;
  while (n < most) {
    sloe_trt_span rest = *s;
    (void)sloe_trt_take_blank(&rest);
    if (!sloe_trt_take_number(&rest, &x[n]) || (rest.p < rest.end && *rest.p != ' ')) break;
    *s = rest;
    n++;
  }
  return n;
}

static void add_row(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_layer_time row) {
  sloe_trt_profile *p = &o->profile;
  if (sloe_trt_room(r, &o->rows, p->n_layers, &o->cap_rows, sizeof row))
    o->rows[p->n_layers++] = row;
}

/* total, average, (median,) per cent */
static int take_row(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span name, const double *x,
                    int n) {
  name = sloe_trt_trim(name);
  if (n < 3 || name.p == name.end) return 0;
  const double median = n == 4 ? x[2] : NAN;
  if (sloe_trt_is(name, "Total")) {
    o->profile.total_average_ms = x[1];
    o->profile.total_median_ms = median;
    o->section = SLOE_TRT_IN_NONE;
    return 1;
  }
  add_row(r, o, (sloe_trt_layer_time){sloe_trt_keep(r, name), x[0], x[1], median, x[n - 1]});
  return 1;
}

/* A name may begin or end with a number of its own: no more are taken than the table has. */
static int read_row(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  double x[NUMBERS_MOST];
  if (o->section == SLOE_TRT_IN_TABLE) {
    const int n = numbers_last(&line, o->table_numbers, x);
    return take_row(r, o, line, x, n);
  }
  const int n = numbers_first(&line, o->table_numbers, x);
  return take_row(r, o, line, x, n);
}

static int read_old_row(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  double ms, count, percent;
  sloe_trt_span s = line;
  if (!whole_number(last_word(&s), &ms)) return 0;
  if (s.end > s.p && s.end[-1] == '|') s.end--;
  if (!whole_number(last_word(&s), &count) || !(count >= 1)) return 0;
  if (s.end > s.p && s.end[-1] == '|') s.end--;
  sloe_trt_span share = last_word(&s);
  if (share.p == share.end || !sloe_trt_take_number(&share, &percent) ||
      !sloe_trt_take(&share, "%"))
    return 0;
  if (s.end > s.p && s.end[-1] == '|') s.end--;
  o->profile.count = count < 1e15 ? (int64_t)count : -1;
  add_row(r, o, (sloe_trt_layer_time){sloe_trt_keep(r, s), ms, ms / count, NAN, percent});
  return 1;
}

static void begin(sloe_trt_open_run *o, sloe_trt_section section, int64_t count) {
  o->profile = (sloe_trt_profile){
      .count = count < 0 ? -1 : count, .total_average_ms = NAN, .total_median_ms = NAN};
  o->rows = NULL;
  o->cap_rows = 0;
  o->table_numbers = NUMBERS_MOST;
  o->section = section;
}

int sloe_trt_read_table(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  int64_t count;
  sloe_trt_span s = sloe_trt_trim(line);
  if (sloe_trt_take(&s, "=== Profile (") && sloe_trt_take_int(&s, &count)) {
    begin(o, SLOE_TRT_IN_TABLE, count);
    return 1;
  }
  if (sloe_trt_find(s, "========== ") == s.p && sloe_trt_find(s, " profile ==========")) {
    begin(o, SLOE_TRT_IN_OLD_TABLE, -1);
    return 1;
  }
  if (o->section == SLOE_TRT_IN_OLD_TABLE) return read_old_row(r, o, line);
  if (o->section != SLOE_TRT_IN_TABLE && o->section != SLOE_TRT_IN_TABLE_LAST) return 0;
  if (sloe_trt_find(s, "Time") && sloe_trt_find(s, "Avg.") && sloe_trt_find(s, "%")) {
    o->table_numbers = sloe_trt_find(s, "Median") ? 4 : 3;
    if (!sloe_trt_take(&s, "Layer")) o->section = SLOE_TRT_IN_TABLE_LAST;
    return 1;
  }
  return read_row(r, o, s);
}
