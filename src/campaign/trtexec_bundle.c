#include "campaign/trtexec_bundle.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/text.h"

static const size_t FILE_LIMIT = (size_t)1 << 28;
static const double PROFILE_FACTOR = 2, MEDIAN_SHARE = 0.1;
enum { STEM_MOST = 256 };

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory importing");
}

/* ---- reading ---- */

static sloe_status read_bytes(const char *path, sloe_text *text, sloe_error *err) {
  sloe_gzip_reader *file;
  char buf[65536];
  SLOE_TRY(sloe_gzip_open(path, FILE_LIMIT, &file, err));
  sloe_status status;
  size_t got = 1;
  while ((status = sloe_gzip_read(file, buf, sizeof buf, &got, err)) == SLOE_OK && got)
    sloe_text_addn(text, buf, got);
  sloe_gzip_close(file);
  if (status == SLOE_OK && text->failed) status = no_memory(err);
  return status;
}

static sloe_status read_file(const char *path, sloe_trt_file **out, sloe_error *err) {
  sloe_text text = {0};
  *out = NULL;
  sloe_status status = read_bytes(path, &text, err); /* whose messages name the file */
  if (status == SLOE_OK) {
    status = text.len ? sloe_trt_read(text.data, text.len, 0, out, err)
                      : sloe_fail(err, SLOE_FORMAT, "an empty file");
    if (status != SLOE_OK) status = sloe_fail_in(err, status, "%s", path);
  }
  sloe_text_fini(&text);
  return status;
}

/* ---- names ---- */

const char *sloe_trt_base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int is_kind_word(const char *s, size_t len) {
  static const char *const words[] = {
      "times",   "time", "timing",    "timings",    "profile", "prof",     "layers",
      "layer",   "info", "layerinfo", "engineinfo", "engine",  "trace",    "raw",
      "log",     "run",  "build",     "trtexec",    "stdout",  "output",   "out",
      "console", "json", "txt",       "gz",         "latency", "profiling"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == len && memcmp(words[i], s, len) == 0) return 1;
  return 0;
}

static int between(char c) {
  return c == '.' || c == '-' || c == '_';
}

/* The name in lower case without what tells kinds at either end: "r18_fp16_run.log" -> "r18_fp16".
 */
static void stem_of(const char *path, char stem[STEM_MOST]) {
  const char *name = sloe_trt_base_name(path);
  size_t len = strlen(name), from = 0;
  if (len >= STEM_MOST) len = STEM_MOST - 1;
  for (size_t i = 0; i < len; i++)
    stem[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
  while (len) {
    size_t at = len;
    while (at && !between(stem[at - 1])) at--;
    if (!is_kind_word(stem + at, len - at)) break;
    len = at ? at - 1 : 0;
  }
  while (from < len) {
    size_t at = from;
    while (at < len && !between(stem[at])) at++;
    if (!is_kind_word(stem + from, at - from)) break;
    from = at + 1;
  }
  if (from > len) from = len;
  memmove(stem, stem + from, len - from);
  stem[len - from] = 0;
}

static int same_stem(const char *a, const char *b) {
  char x[STEM_MOST], y[STEM_MOST];
  stem_of(a, x);
  stem_of(b, y);
  return *x && strcmp(x, y) == 0;
}

static int either_has_none(const char *a, const char *b) {
  char x[STEM_MOST], y[STEM_MOST];
  stem_of(a, x);
  stem_of(b, y);
  return !*x || !*y;
}

/* ---- putting together ---- */

typedef struct document { /* one of times, profile, layers */
  const char *path;
  const sloe_trt_times *times;
  const sloe_trt_profile *profile;
  const sloe_trt_layers *layers;
  size_t at; /* its file */
  int cut, placed;
} document;

typedef struct sorter {
  sloe_trt_bundles *b;
  document *documents;
  size_t n, cap;
  size_t *run_at; /* of each bundle with a run: its file */
  size_t n_runs;
} sorter;

static int is_free(const sloe_trt_bundle *b, const document *d) {
  return d->times ? !b->times : d->profile ? !b->profile_path : !b->layers;
}

static void place(sloe_trt_bundle *b, document *d) {
  if (d->times) b->times = d->times, b->times_path = d->path;
  if (d->profile) b->profile = d->profile, b->profile_path = d->path;
  if (d->layers) b->layers = d->layers, b->layers_path = d->path;
  b->cut |= d->cut;
  d->placed = 1;
}

static int is_named(const sloe_trt_bundle *b, const document *d) {
  const sloe_trt_run *run = b->run;
  const char *exported = d->times     ? run->times_path
                         : d->profile ? run->profile_path
                                      : run->layers_path;
  return *exported && !strcmp(sloe_trt_base_name(exported), sloe_trt_base_name(d->path));
}

static int is_counted(const sloe_trt_bundle *b, const document *d) {
  const sloe_trt_run *run = b->run;
  if (run->queries <= 0 || d->layers) return 0;
  const int64_t all = run->queries + (run->warmup_queries > 0 ? run->warmup_queries : 0);
  if (d->profile) return d->profile->count == all;
  return d->times->n == (size_t)all || d->times->n == (size_t)run->queries;
}

static void place_named(sorter *s) {
  for (size_t k = 0; k < s->n; k++)
    for (size_t i = 0; i < s->n_runs && !s->documents[k].placed; i++)
      if (is_free(&s->b->of[i], &s->documents[k]) && is_named(&s->b->of[i], &s->documents[k]))
        place(&s->b->of[i], &s->documents[k]);
}

static void place_counted(sorter *s) {
  for (size_t k = 0; k < s->n; k++) {
    size_t found = 0, n = 0;
    for (size_t i = 0; i < s->n_runs && !s->documents[k].placed; i++)
      if (is_free(&s->b->of[i], &s->documents[k]) && is_counted(&s->b->of[i], &s->documents[k])) {
        found = i;
        n++;
      }
    if (n == 1) place(&s->b->of[found], &s->documents[k]);
  }
}

static int shares_stem(const sloe_trt_bundle *b, const document *d) {
  const char *const paths[] = {b->times_path, b->profile_path, b->layers_path,
                               b->lone ? b->run_path : NULL};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (paths[i] && same_stem(paths[i], d->path)) return 1;
  return 0;
}

/* Of two runs of one stem the one given last before the document. */
static void place_by_stem(sorter *s, document *d) {
  sloe_trt_bundle *best = NULL;
  for (size_t i = 0; i < s->b->n; i++) {
    sloe_trt_bundle *b = &s->b->of[i];
    const int before = i >= s->n_runs || s->run_at[i] < d->at;
    if (is_free(b, d) && shares_stem(b, d) && (!best || before)) best = b;
  }
  if (best) place(best, d);
}

static double median_of(const sloe_trt_times *t) {
  double *x = sloe_alloc(t->n + 1, sizeof *x);
  size_t n = 0;
  for (size_t i = 0; x && i < t->n; i++)
    if (isfinite(t->records[i].compute_ms)) x[n++] = t->records[i].compute_ms;
  const double median = x ? sloe_trt_median(x, n) : NAN;
  sloe_dealloc(x);
  return median;
}

/* Whether it can be of the run by its times, as far as both tell. */
static int is_likely(const sloe_trt_bundle *b, const document *d) {
  const double ms = isnan(b->run->gpu.median_ms) ? b->run->gpu.mean_ms : b->run->gpu.median_ms;
  if (isnan(ms) || d->layers) return 1;
  const double here = d->profile ? d->profile->sum_ms : median_of(d->times);
  if (d->times) return isnan(here) || fabs(here / ms - 1) <= MEDIAN_SHARE;
  return here <= ms * PROFILE_FACTOR && here >= ms / PROFILE_FACTOR;
}

static void place_by_order(sorter *s, document *d) {
  sloe_trt_bundle *best = NULL;
  for (size_t i = 0; i < s->n_runs; i++) {
    sloe_trt_bundle *b = &s->b->of[i];
    if (b->lone && is_free(b, d) && is_likely(b, d) && (!best || s->run_at[i] < d->at)) best = b;
  }
  if (best) place(best, d);
}

static sloe_status add_bundle(sloe_trt_bundles *b, sloe_trt_bundle one, sloe_error *err) {
  if (!sloe_arena_grow(&b->arena, &b->of, b->n, &b->cap, sizeof one)) return no_memory(err);
  b->of[b->n++] = one;
  return SLOE_OK;
}

static int may_join(const sloe_trt_bundle *b, const document *d) {
  const char *path = b->times_path     ? b->times_path
                     : b->profile_path ? b->profile_path
                                       : b->layers_path;
  return !b->run && path && is_free(b, d) && either_has_none(path, d->path);
}

static sloe_status place_alone(sorter *s, document *d, sloe_error *err) {
  for (size_t i = 0; i < s->b->n && !d->placed; i++)
    if (may_join(&s->b->of[i], d)) place(&s->b->of[i], d);
  if (d->placed) return SLOE_OK;
  SLOE_TRY(add_bundle(s->b, (sloe_trt_bundle){0}, err));
  place(&s->b->of[s->b->n - 1], d);
  return SLOE_OK;
}

static sloe_status add_document(sorter *s, document d, sloe_error *err) {
  if (!sloe_arena_grow(&s->b->arena, &s->documents, s->n, &s->cap, sizeof d)) return no_memory(err);
  s->documents[s->n++] = d;
  return SLOE_OK;
}

static sloe_status add_runs(sorter *s, const char *path, const sloe_trt_file *f, sloe_error *err) {
  for (size_t k = 0; k < f->n_runs; k++)
    SLOE_TRY(add_bundle(s->b,
                        (sloe_trt_bundle){.run = &f->runs[k],
                                          .run_path = path,
                                          .profile = f->runs[k].profile,
                                          .lone = f->n_runs == 1,
                                          .cut = f->runs[k].end == SLOE_TRT_CUT},
                        err));
  return SLOE_OK;
}

static sloe_status list_file(sorter *s, const char *path, size_t at, sloe_error *err) {
  const sloe_trt_file *f = s->b->files[at];
  SLOE_TRY(add_runs(s, path, f, err));
  for (size_t k = 0; k < f->n_times; k++)
    SLOE_TRY(add_document(
        s, (document){.path = path, .at = at, .cut = f->cut, .times = &f->times[k]}, err));
  for (size_t k = 0; k < f->n_profiles; k++)
    SLOE_TRY(add_document(
        s, (document){.path = path, .at = at, .cut = f->cut, .profile = &f->profiles[k]}, err));
  for (size_t k = 0; k < f->n_layers; k++)
    SLOE_TRY(add_document(
        s, (document){.path = path, .at = at, .cut = f->cut, .layers = &f->layers[k]}, err));
  return SLOE_OK;
}

static sloe_status list_files(sorter *s, const char *const *paths, sloe_error *err) {
  for (size_t i = 0; i < s->b->n_files; i++) SLOE_TRY(list_file(s, paths[i], i, err));
  return SLOE_OK;
}

static sloe_status find_run_files(sorter *s, const char *const *paths, sloe_error *err) {
  s->n_runs = s->b->n;
  s->run_at = SLOE_ARENA_NEW(&s->b->arena, size_t, s->n_runs + 1);
  if (!s->run_at) return no_memory(err);
  for (size_t i = 0; i < s->n_runs; i++)
    for (size_t k = 0; k < s->b->n_files; k++)
      if (paths[k] == s->b->of[i].run_path) s->run_at[i] = k;
  return SLOE_OK;
}

static sloe_status put_together(sloe_trt_bundles *b, const char *const *paths, sloe_error *err) {
  sorter s = {.b = b};
  SLOE_TRY(list_files(&s, paths, err));
  SLOE_TRY(find_run_files(&s, paths, err));
  place_named(&s);
  place_counted(&s);
  for (size_t k = 0; k < s.n; k++) {
    document *d = &s.documents[k];
    if (!d->placed) place_by_stem(&s, d);
    if (!d->placed) place_by_order(&s, d);
    if (!d->placed) SLOE_TRY(place_alone(&s, d, err));
  }
  return SLOE_OK;
}

sloe_status sloe_trt_bundles_read(const char *const *paths, size_t n, sloe_trt_bundles *out,
                                  sloe_error *err) {
  *out = (sloe_trt_bundles){0};
  sloe_arena_init(&out->arena, SIZE_MAX / 2);
  sloe_status status = SLOE_OK;
  out->files = SLOE_ARENA_NEW(&out->arena, sloe_trt_file *, n + 1);
  if (!out->files) status = no_memory(err);
  for (size_t i = 0; i < n && status == SLOE_OK; i++) {
    status = read_file(paths[i], &out->files[i], err);
    out->n_files += status == SLOE_OK;
  }
  if (status == SLOE_OK) status = put_together(out, paths, err);
  if (status != SLOE_OK) sloe_trt_bundles_fini(out);
  return status;
}

void sloe_trt_bundles_fini(sloe_trt_bundles *bundles) {
  for (size_t i = 0; i < bundles->n_files; i++) sloe_trt_free(bundles->files[i]);
  sloe_arena_fini(&bundles->arena);
  *bundles = (sloe_trt_bundles){0};
}
