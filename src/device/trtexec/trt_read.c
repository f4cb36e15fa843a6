/* trt_read.c: which kind of bytes these are, and statistics as trtexec computes them. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sort_numbers.h"
#include "device/trtexec/trt_parts.h"

static const size_t LIMIT = (size_t)256 << 20;

/* JSON begins with a bracket and has no log's prefix there ("[05/13/2026-12:54:14] [I]"). */
static int is_json(sloe_trt_span s) {
  while (s.p < s.end && strchr(" \t\r\n", *s.p) && *s.p) s.p++;
  if (s.p == s.end) return 0;
  if (*s.p == '{') return 1;
  if (*s.p != '[') return 0;
  for (s.p++; s.p < s.end && strchr(" \t\r\n", *s.p) && *s.p;) s.p++;
  return s.p == s.end || *s.p == '{' || *s.p == ']';
}

static sloe_trt_span without_mark(const void *bytes, size_t len) {
  sloe_trt_span s = {bytes, (const char *)bytes + len};
  (void)sloe_trt_take(&s, "\xef\xbb\xbf");
  return s;
}

sloe_status sloe_trt_read(const void *bytes, size_t len, size_t memory_limit, sloe_trt_file **out,
                          sloe_error *err) {
  *out = NULL;
  const sloe_trt_span s = len ? without_mark(bytes, len) : (sloe_trt_span){"", ""};
  sloe_trt_reader *r = sloe_alloc(1, sizeof *r);
  if (!r) return sloe_fail(err, SLOE_NOMEM, "out of memory reading a log");
  memset(r, 0, sizeof *r);
  sloe_arena_init(&r->arena, memory_limit ? memory_limit : LIMIT);
  const sloe_status status =
      is_json(s) ? sloe_trt_read_json(r, s, err) : sloe_trt_read_log(r, s, err);
  if (status == SLOE_OK)
    *out = &r->file;
  else
    sloe_trt_free(&r->file);
  return status;
}

void sloe_trt_free(sloe_trt_file *file) {
  sloe_trt_reader *r = (sloe_trt_reader *)file; /* its first member */
  if (!r) return;
  sloe_arena_fini(&r->arena);
  sloe_dealloc(r);
}

/* ---- statistics ---- */

size_t sloe_trt_times_behind_warmup(const sloe_trt_times *times, double warmup_ms) {
  size_t i = 0;
  while (i < times->n && !(times->records[i].start_ms >= warmup_ms)) i++;
  return i;
}

double sloe_trt_percentile_of(double *values, size_t n, double percent) {
  if (!n || !(percent >= 0 && percent <= 100)) return NAN;
  sloe_sort_doubles(values, n);
  const size_t exclude = (size_t)((1 - percent / 100) * (double)n);
  return values[exclude < n ? n - 1 - exclude : 0];
}

double sloe_trt_median(double *values, size_t n) {
  if (!n) return NAN;
  sloe_sort_doubles(values, n);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}
