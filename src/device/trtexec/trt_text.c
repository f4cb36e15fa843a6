/* trt_text.c: pieces of text, and what is kept of them. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "device/trtexec/trt_parts.h"

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

sloe_trt_span sloe_trt_trim(sloe_trt_span s) {
  while (s.p < s.end && is_blank(*s.p)) s.p++;
  while (s.p < s.end && is_blank(s.end[-1])) s.end--;
  return s;
}

int sloe_trt_take(sloe_trt_span *s, const char *word) {
  const size_t len = strlen(word);
  if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len)) return 0;
  s->p += len;
  return 1;
}

int sloe_trt_take_blank(sloe_trt_span *s) {
  while (s->p < s->end && is_blank(*s->p)) s->p++;
  return 1;
}

static int of_number(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-' || c == 'e' || c == 'E';
}

int sloe_trt_take_number(sloe_trt_span *s, double *out) {
  if (sloe_trt_take(s, "nan") || sloe_trt_take(s, "-nan")) {
    *out = NAN;
    return 1;
  }
  if (sloe_trt_take(s, "inf")) {
    *out = INFINITY;
    return 1;
  }
  const char *p = s->p;
  while (p < s->end && of_number(*p)) p++;
  if (!sloe_parse_double(s->p, (size_t)(p - s->p), out)) return 0;
  s->p = p;
  return 1;
}

int sloe_trt_take_int(sloe_trt_span *s, int64_t *out) {
  const char *p = s->p + (s->p < s->end && *s->p == '-');
  while (p < s->end && *p >= '0' && *p <= '9') p++;
  if (!sloe_parse_int(s->p, (size_t)(p - s->p), out)) return 0;
  s->p = p;
  return 1;
}

int sloe_trt_take_shape(sloe_trt_span *s, char between, sloe_shape *out) {
  sloe_trt_span t = *s;
  sloe_shape shape = {0};
  do {
    int64_t *dim = &shape.dim[shape.rank];
    if (shape.rank == SLOE_MAX_RANK || !sloe_trt_take_int(&t, dim)) return 0;
    if (*dim < 0) *dim = SLOE_DIM_UNKNOWN;
    shape.rank++;
  } while (t.p < t.end && *t.p == between && t.p++);
  *out = shape;
  *s = t;
  return 1;
}

const char *sloe_trt_find(sloe_trt_span s, const char *word) {
  const size_t len = strlen(word);
  while ((size_t)(s.end - s.p) >= len) {
    const char *p = memchr(s.p, word[0], (size_t)(s.end - s.p) - len + 1);
    if (!p) return NULL;
    if (!memcmp(p, word, len)) return p;
    s.p = p + 1;
  }
  return NULL;
}

int sloe_trt_is(sloe_trt_span s, const char *word) {
  return (size_t)(s.end - s.p) == strlen(word) && !memcmp(s.p, word, strlen(word));
}

/* ---- keeping ---- */

const char *sloe_trt_keep(sloe_trt_reader *r, sloe_trt_span s) {
  s = sloe_trt_trim(s);
  char *copy = sloe_arena_raw(&r->arena, (size_t)(s.end - s.p) + 1, 1), *to = copy;
  if (!copy) {
    r->failed = 1;
    return "";
  }
  for (const char *p = s.p; p < s.end; p++)
    if (*p) *to++ = *p;
  *to = 0;
  return copy;
}

int sloe_trt_room(sloe_trt_reader *r, void *data_ptr, size_t n, size_t *cap, size_t size) {
  if (sloe_arena_grow(&r->arena, data_ptr, n, cap, size)) return 1;
  r->failed = 1;
  return 0;
}

/* ---- remarks and figures ---- */

const char *sloe_trt_remark_text(unsigned bit) {
#define SLOE_TRT_REMARK_TEXT(name, place, text) \
  if (bit == 1u << (place)) return text;
  SLOE_TRT_REMARK_MAP(SLOE_TRT_REMARK_TEXT)
#undef SLOE_TRT_REMARK_TEXT
  return "";
}

void sloe_trt_figures_forget(sloe_trt_figures *f) {
  *f = (sloe_trt_figures){.min_ms = NAN, .max_ms = NAN, .mean_ms = NAN, .median_ms = NAN};
}

double sloe_trt_percentile(const sloe_trt_figures *figures, double percent) {
  for (size_t i = 0; i < figures->n_percentiles; i++)
    if (figures->percent[i] == percent) return figures->percentile_ms[i];
  return NAN;
}
