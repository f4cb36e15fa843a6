#include "campaign/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/sort_numbers.h"
#include "campaign/kernel_chance.h"

enum {
  ARENA_LIMIT = 1 << 28,
  LEAST = 40,       /* layers of a kernel */
  MOST_ROWS = 1500, /* of a process, evenly taken of all */
  BLOCK = 2000,     /* lessons that are told at once */
  LEAST_TRANSFORMED = 8,
  FEATURES = SLOE_LAYER_FEATURES
};
static const double least_gain = 0.002, near_usual = 0.25;

typedef struct sample { /* one layer on one kernel */
  size_t lesson;
  double ms;
} sample;

typedef struct kernel {
  const char *name;
  sample *samples;
  size_t n, cap;
  sloe_gauss process;
  double *left;      /* [n] ms of each sample's layer as told without it; until all are fitted */
  sloe_odds applies; /* that it does */
  int everywhere;
  int transforms; /* it goes by them */
  double gain; /* ln(next best / its own time), summed over the layers that it is the fastest of */
} kernel;

struct sloe_kernel_set {
  sloe_arena arena;
  sloe_map by_name;
  kernel *kernels;
  size_t n, cap;
  sloe_teach_inputs inputs; /* of the processes */
  int by_family;            /* kernels that differ in a parameter alone are one: their fastest */
  double *left;             /* ms of each lesson of the fit */
  size_t n_left;
  int is_asked; /* `applies` is learned from proposals */
  double transform_bytes;
};

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory learning kernels");
}

/* ---- what was measured ---- */

static kernel *find(sloe_kernel_set *set, const char *name, size_t len, sloe_error *err) {
  char *key = sloe_arena_strn(&set->arena, name, len);
  if (key && set->by_family) sloe_kernel_family(key);
  const int32_t at = key ? sloe_map_get(&set->by_name, key) : -1;
  if (at >= 0) return &set->kernels[at];
  if (!key ||
      !sloe_arena_grow(&set->arena, &set->kernels, set->n, &set->cap, sizeof *set->kernels) ||
      !sloe_map_put(&set->by_name, &set->arena, key, (int32_t)set->n)) {
    (void)out_of_memory(err);
    return NULL;
  }
  set->kernels[set->n] = (kernel){.name = key};
  return &set->kernels[set->n++];
}

/* The least of a lesson, where its list names a kernel twice. */
static sloe_status add_sample(sloe_kernel_set *set, kernel *k, size_t lesson, double ms,
                              sloe_error *err) {
  if (k->n && k->samples[k->n - 1].lesson == lesson) {
    if (ms < k->samples[k->n - 1].ms) k->samples[k->n - 1].ms = ms;
    return SLOE_OK;
  }
  if (!sloe_arena_grow(&set->arena, &k->samples, k->n, &k->cap, sizeof *k->samples))
    return out_of_memory(err);
  k->samples[k->n++] = (sample){lesson, ms};
  return SLOE_OK;
}

/* "NAME:US NAME:US ..."; what is none is passed over. */
static sloe_status read_list(sloe_kernel_set *set, size_t lesson, const char *list,
                             sloe_error *err) {
  for (const char *s = list; *s;) {
    const size_t len = strcspn(s, " ");
    const char *colon = memchr(s, ':', len);
    double us;
    if (colon && colon > s && sloe_parse_double(colon + 1, len - (size_t)(colon + 1 - s), &us) &&
        us > 0) {
      kernel *k = find(set, s, (size_t)(colon - s), err);
      if (!k) return SLOE_NOMEM;
      SLOE_TRY(add_sample(set, k, lesson, us / 1e3, err));
    }
    s += len + (s[len] == ' ');
  }
  return SLOE_OK;
}

/* ---- a kernel ---- */

/* What the process says of a layer that it did not learn from: the fastest kernel's stays. */
static void leave(const sloe_kernel_set *set, const kernel *k) {
  for (size_t i = 0; i < k->n; i++) {
    double *left = &set->left[k->samples[i].lesson];
    if (!(k->left[i] >= *left)) *left = k->left[i];
  }
}

/* Of the layers that are none of the `m` that the process learned from. */
static sloe_status tell_others(const sloe_kernel_set *set, const kernel *k, size_t m,
                               const double *x, sloe_error *err) {
  const size_t others = k->n - m, d = set->inputs.n;
  double *rows = sloe_alloc(others * d + 1, sizeof *rows), *y = sloe_alloc(others + 1, sizeof *y);
  size_t *sample_of = sloe_alloc(others + 1, sizeof *sample_of), n = 0;
  sloe_status status = rows && y && sample_of ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0, at = 0; status == SLOE_OK && at < k->n; at++) {
    if (i < m && at == i * k->n / m) {
      i++;
      continue;
    }
    sample_of[n] = at;
    memcpy(rows + n++ * d, x + k->samples[at].lesson * d, d * sizeof *rows);
  }
  if (status == SLOE_OK && n) status = sloe_gauss_eval(&k->process, rows, n, y, err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++) k->left[sample_of[i]] = exp(y[i]);
  sloe_dealloc(rows);
  sloe_dealloc(y);
  sloe_dealloc(sample_of);
  return status;
}

static sloe_status fit_process(const sloe_kernel_set *set, kernel *k, const double *x,
                               sloe_error *err) {
  const size_t m = k->n < MOST_ROWS ? k->n : MOST_ROWS, d = set->inputs.n;
  double *rows = sloe_alloc(m * d, sizeof *rows), *y = sloe_alloc(m, sizeof *y);
  k->left = sloe_alloc(k->n, sizeof *k->left);
  sloe_status status = rows && y && k->left ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < m; i++) {
    const sample *s = &k->samples[i * k->n / m];
    memcpy(rows + i * d, x + s->lesson * d, d * sizeof *rows);
    y[i] = log(s->ms);
  }
  if (status == SLOE_OK) status = sloe_gauss_fit(rows, y, NULL, m, d, NULL, &k->process, err);
  for (size_t i = 0; status == SLOE_OK && i < m; i++)
    k->left[i * k->n / m] = exp(y[i] - k->process.left[i]);
  if (status == SLOE_OK) status = tell_others(set, k, m, x, err);
  sloe_dealloc(rows);
  sloe_dealloc(y);
  return status;
}

/* `timed`: the lessons that have kernels, of which is known whether this one is tried. */
static sloe_status fit_applies(const sloe_kernel_set *set, kernel *k, const size_t *timed,
                               const sloe_known_layers *known, sloe_error *err) {
  double *is_tried = sloe_alloc(known->n_timed + 1, sizeof *is_tried);
  if (!is_tried) return out_of_memory(err);
  for (size_t i = 0, at = 0; i < known->n_timed; i++) {
    while (at < k->n && k->samples[at].lesson < timed[i]) at++;
    is_tried[i] = at < k->n && k->samples[at].lesson == timed[i];
  }
  const sloe_status status = sloe_kernel_chance(known, k->name, set->by_family, is_tried,
                                                &k->applies, &k->everywhere, err);
  sloe_dealloc(is_tried);
  return status;
}

/* ---- all of them ---- */

static int by_count(const void *a, const void *b) {
  const kernel *p = a, *q = b;
  return p->n != q->n ? (p->n < q->n) - (p->n > q->n) : strcmp(p->name, q->name);
}

typedef struct fitting { /* of all kernels, beside each other */
  const sloe_kernel_set *set;
  const double *x;
  const size_t *timed;
  const sloe_known_layers *known;
} fitting;

static sloe_status fit_one(void *context, size_t i, sloe_error *err) {
  const fitting *f = context;
  kernel *k = &f->set->kernels[i];
  SLOE_TRY(fit_process(f->set, k, f->x, err));
  return fit_applies(f->set, k, f->timed, f->known, err);
}

static sloe_status fit_each(const sloe_kernel_set *set, const double *x, const size_t *timed,
                            const sloe_known_layers *known, sloe_error *err) {
  fitting f = {set, x, timed, known};
  const sloe_status status = sloe_parallel_try(sloe_processors(), set->n, fit_one, &f, err);
  for (size_t i = 0; i < set->n; i++) {
    if (status == SLOE_OK) leave(set, &set->kernels[i]);
    sloe_dealloc(set->kernels[i].left);
    set->kernels[i].left = NULL;
  }
  return status;
}

/* The most tried first. */
static sloe_status fit_all(sloe_kernel_set *set, const double *x, const size_t *timed,
                           const sloe_known_layers *known, sloe_error *err) {
  if (set->n) qsort(set->kernels, set->n, sizeof *set->kernels, by_count);
  while (set->n && set->kernels[set->n - 1].n < LEAST) set->n--;
  set->is_asked = known->n_asked > 0;
  return fit_each(set, x, timed, known, err);
}

/* Of each lesson what its fastest kernel takes, and the next; INFINITY without one. */
static void find_best(const sloe_kernel_set *set, size_t n, double *best, double *next) {
  for (size_t i = 0; i < n; i++) best[i] = next[i] = INFINITY;
  for (size_t i = 0; i < set->n; i++)
    for (size_t j = 0; j < set->kernels[i].n; j++) {
      const sample *s = &set->kernels[i].samples[j];
      if (s->ms < best[s->lesson]) next[s->lesson] = best[s->lesson];
      if (s->ms < best[s->lesson])
        best[s->lesson] = s->ms;
      else if (s->ms < next[s->lesson])
        next[s->lesson] = s->ms;
    }
}

/* What each kernel is worth to the layers that it is the fastest of. */
static void weigh(sloe_kernel_set *set, size_t n, const double *best, const double *next) {
  for (size_t i = 0; i < set->n; i++)
    for (size_t j = 0; j < set->kernels[i].n; j++) {
      const sample *s = &set->kernels[i].samples[j];
      if (s->ms <= best[s->lesson] && isfinite(next[s->lesson]))
        set->kernels[i].gain += log(next[s->lesson] / s->ms) / (double)n;
    }
}

/* ---- workspace ---- */

/* Bytes an element of transforms that the kernel needs, if it does: most of the layers that it is
   the fastest of need about as many. 0: another number of bytes, or none. `ratio`: room for all. */
static double bytes_of(const kernel *k, const sloe_layer_lesson *const *alone, const double *best,
                       double *ratio) {
  size_t n = 0, near = 0;
  for (size_t i = 0; i < k->n; i++) {
    const sloe_layer_lesson *l = alone[k->samples[i].lesson];
    if (k->samples[i].ms > best[k->samples[i].lesson] || isnan(l->workspace_mb)) continue;
    ratio[n++] = 1e6 * l->workspace_mb / sloe_layer_half_transforms(&l->spec);
  }
  if (n < LEAST_TRANSFORMED) return 0;
  sloe_sort_doubles(ratio, n);
  const double usual = ratio[n / 2];
  for (size_t i = 0; i < n; i++) near += fabs(ratio[i] / usual - 1) < near_usual;
  return usual > 0 && 10 * near >= 8 * n ? usual : 0;
}

/* Which kernels go by transforms, and the bytes of the one that is tried most often. `ratio`: room
   for all layers. */
static void find_transforms(sloe_kernel_set *set, const sloe_layer_lesson *const *alone,
                            const double *best, double *ratio) {
  for (size_t i = 0; i < set->n; i++) {
    const double bytes = bytes_of(&set->kernels[i], alone, best, ratio);
    set->kernels[i].transforms = bytes > 0;
    if (!(set->transform_bytes > 0)) set->transform_bytes = bytes;
  }
}

/* What the layers' fastest kernels tell of them. */
static sloe_status judge(sloe_kernel_set *set, const sloe_layer_lesson *const *alone, size_t n,
                         sloe_error *err) {
  double *best = sloe_alloc(2 * n + 1, sizeof *best), *next = best + n;
  if (!best) return out_of_memory(err);
  find_best(set, n, best, next);
  weigh(set, n, best, next);
  find_transforms(set, alone, best, next);
  sloe_dealloc(best);
  return SLOE_OK;
}

/* All lists; anew by families where that makes too many names. */
static sloe_status read_lists(sloe_kernel_set *set, const sloe_layer_lesson *const *alone, size_t n,
                              sloe_error *err) {
  for (size_t i = 0; i < n; i++) {
    SLOE_TRY(read_list(set, i, alone[i]->kernels, err));
    if (set->by_family || set->n <= SLOE_KERNEL_NAMES) continue;
    *set = (sloe_kernel_set){
        .arena = set->arena, .inputs = set->inputs, .left = set->left, .n_left = n, .by_family = 1};
    return read_lists(set, alone, n, err);
  }
  return SLOE_OK;
}

static sloe_status fit_alone(sloe_kernel_set *set, const sloe_layer_lesson *const *alone, size_t n,
                             const sloe_proposals *proposals, sloe_error *err) {
  const size_t d = set->inputs.n;
  double *x = sloe_alloc(n * d + 1, sizeof *x);
  size_t *timed = sloe_alloc(n + 1, sizeof *timed), n_timed = 0;
  const sloe_layer_spec **specs = sloe_alloc(n + 1, sizeof *specs);
  sloe_known_layers known = {0};
  sloe_status status = x && timed && specs ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++) {
    set->left[i] = NAN;
    if (!*alone[i]->kernels) continue;
    specs[n_timed] = &alone[i]->spec;
    timed[n_timed++] = i;
    float features[FEATURES];
    sloe_layer_features(&alone[i]->spec, NULL, features);
    sloe_teach_take(&set->inputs, alone[i], features, x + i * d);
  }
  if (status == SLOE_OK) status = read_lists(set, alone, n, err);
  if (status == SLOE_OK) status = sloe_known_layers_init(specs, n_timed, proposals, &known, err);
  if (status == SLOE_OK) status = fit_all(set, x, timed, &known, err);
  if (status == SLOE_OK) status = judge(set, alone, n, err);
  sloe_known_layers_fini(&known);
  sloe_dealloc(x);
  sloe_dealloc(timed);
  sloe_dealloc((void *)specs);
  return status;
}

static sloe_status fit_lessons(sloe_kernel_set *set, const sloe_class *class, sloe_error *err) {
  const sloe_layer_lesson *lessons = class->lessons;
  const size_t n = class->n;
  const sloe_layer_lesson **alone = sloe_alloc(n + 1, sizeof *alone);
  size_t m = 0;
  set->left = SLOE_ARENA_NEW(&set->arena, double, n + 1);
  sloe_status status = set->left && alone ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++)
    if (!lessons[i].place.in_network) alone[m++] = &lessons[i];
  set->n_left = m;
  if (status == SLOE_OK) status = fit_alone(set, alone, m, class->proposals, err);
  sloe_dealloc((void *)alone);
  return status;
}

sloe_status sloe_kernels_fit(const sloe_class *class, sloe_kernel_set **out, sloe_error *err) {
  *out = NULL;
  sloe_kernel_set *set = sloe_alloc(1, sizeof *set);
  if (!set) return out_of_memory(err);
  *set = (sloe_kernel_set){.inputs = sloe_teach_inputs_of(SLOE_TEACH_ROUNDS, class->units)};
  sloe_arena_init(&set->arena, ARENA_LIMIT);
  const sloe_status status = fit_lessons(set, class, err);
  if (status == SLOE_OK && set->n) {
    *out = set;
    return SLOE_OK;
  }
  sloe_kernels_free(set);
  return status;
}

void sloe_kernels_free(sloe_kernel_set *set) {
  if (!set) return;
  for (size_t i = 0; i < set->n; i++) {
    sloe_gauss_fini(&set->kernels[i].process);
    sloe_odds_fini(&set->kernels[i].applies);
  }
  sloe_arena_fini(&set->arena);
  sloe_dealloc(set);
}

/* ---- telling ---- */

/* Of one block of lessons. */
typedef struct telling {
  size_t n;
  double *x;       /* [n][inputs] */
  float *features; /* [n][FEATURES] */
  double *rows, *y;
  size_t *at;
  double *ms, *chance; /* [kernels][n]: what each takes where it applies, and how likely that is */
  size_t *order;       /* [kernels] */
} telling;

static double chance_of(const kernel *k, const float *features) {
  if (k->everywhere) return 1;
  const sloe_fitted_odds odds = sloe_odds_view(&k->applies);
  return sloe_fitted_chance(&odds, features);
}

/* Where it may apply. */
static sloe_status tell_kernel(const kernel *k, const telling *t, double *ms, double *chance,
                               sloe_error *err) {
  const size_t d = k->process.d;
  size_t m = 0;
  for (size_t i = 0; i < t->n; i++) {
    chance[i] = chance_of(k, t->features + i * FEATURES);
    if (!(chance[i] > 0)) continue;
    memcpy(t->rows + m * d, t->x + i * d, d * sizeof *t->rows);
    t->at[m++] = i;
  }
  SLOE_TRY(sloe_gauss_eval(&k->process, t->rows, m, t->y, err));
  for (size_t i = 0; i < m; i++) ms[t->at[i]] = exp(t->y[i]);
  return SLOE_OK;
}

/* The kernels that may apply to lesson i into t->order, the fastest first; how many. */
static size_t sort_kernels(const telling *t, size_t n_kernels, size_t i) {
  size_t n = 0;
  for (size_t k = 0; k < n_kernels; k++) {
    size_t at = n;
    if (!(t->chance[k * t->n + i] > 0)) continue;
    for (; at && t->ms[t->order[at - 1] * t->n + i] > t->ms[k * t->n + i]; at--)
      t->order[at] = t->order[at - 1];
    t->order[at] = k;
    n++;
  }
  return n;
}

/* The time from which the expected relative error, |told - true| / true, is least: the median of
   what may be true, each weighted by its chance over itself. NAN: no kernel may apply. */
static double combine(const telling *t, size_t n_kernels, size_t i) {
  const size_t n = sort_kernels(t, n_kernels, i);
  double all = 0, sum = 0;
  for (int pass = 0; pass < 2; pass++) {
    double left = 1; /* the chance that none before applies */
    for (size_t j = 0; j < n; j++) {
      const size_t at = t->order[j] * t->n + i;
      const double weight = left * t->chance[at] / t->ms[at];
      left *= 1 - t->chance[at];
      if (!pass)
        all += weight;
      else if ((sum += weight) >= all / 2)
        return t->ms[at];
    }
  }
  return NAN;
}

/* The chance that the fastest of those that apply goes by transforms. */
static double transformed(const sloe_kernel_set *set, const telling *t, size_t i) {
  const size_t n = sort_kernels(t, set->n, i);
  double left = 1, sum = 0;
  for (size_t j = 0; j < n; j++) {
    const double chance = t->chance[t->order[j] * t->n + i];
    if (set->kernels[t->order[j]].transforms) sum += left * chance;
    left *= 1 - chance;
  }
  return sum;
}

static sloe_status tell_block(const sloe_kernel_set *set, const sloe_layer_lesson *lessons,
                              telling *t, double *ms, double *by_transforms, sloe_error *err) {
  for (size_t i = 0; i < t->n; i++) {
    float *features = t->features + i * FEATURES;
    sloe_layer_features(&lessons[i].spec, NULL, features);
    sloe_teach_take(&set->inputs, &lessons[i], features, t->x + i * set->inputs.n);
  }
  for (size_t k = 0; k < set->n; k++)
    SLOE_TRY(tell_kernel(&set->kernels[k], t, t->ms + k * t->n, t->chance + k * t->n, err));
  for (size_t i = 0; i < t->n; i++) ms[i] = combine(t, set->n, i);
  for (size_t i = 0; by_transforms && i < t->n; i++) by_transforms[i] = transformed(set, t, i);
  return SLOE_OK;
}

sloe_status sloe_kernels_tell(const sloe_kernel_set *set, const sloe_layer_lesson *lessons,
                              size_t n, double *ms, double *by_transforms, sloe_error *err) {
  const size_t block = n < BLOCK ? n : BLOCK, d = set->inputs.n;
  telling t = {.x = sloe_alloc(block * d + 1, sizeof *t.x),
               .features = sloe_alloc(block * FEATURES + 1, sizeof *t.features),
               .rows = sloe_alloc(block * d + 1, sizeof *t.rows),
               .y = sloe_alloc(block + 1, sizeof *t.y),
               .at = sloe_alloc(block + 1, sizeof *t.at),
               .ms = sloe_alloc(block * set->n + 1, sizeof *t.ms),
               .chance = sloe_alloc(block * set->n + 1, sizeof *t.chance),
               .order = sloe_alloc(set->n + 1, sizeof *t.order)};
  sloe_status status = t.x && t.features && t.rows && t.y && t.at && t.ms && t.chance && t.order
                           ? SLOE_OK
                           : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i += t.n) {
    t.n = n - i < block ? n - i : block;
    status =
        tell_block(set, lessons + i, &t, ms + i, by_transforms ? by_transforms + i : NULL, err);
  }
  sloe_dealloc(t.x);
  sloe_dealloc(t.features);
  sloe_dealloc(t.rows);
  sloe_dealloc(t.y);
  sloe_dealloc(t.at);
  sloe_dealloc(t.ms);
  sloe_dealloc(t.chance);
  sloe_dealloc(t.order);
  return status;
}

double sloe_kernels_left(const sloe_kernel_set *set, size_t i) {
  return i < set->n_left ? set->left[i] : NAN;
}

double sloe_kernels_transform_bytes(const sloe_kernel_set *set) {
  return set->transform_bytes;
}

size_t sloe_kernels_proposed(const sloe_kernel_set *set,
                             sloe_fitted_odds proposed[SLOE_LAYER_PROPOSED]) {
  const kernel *best[SLOE_LAYER_PROPOSED] = {NULL};
  size_t n = 0;
  for (size_t i = 0; set->is_asked && i < set->n; i++) {
    const kernel *k = &set->kernels[i];
    if (k->everywhere || k->gain < least_gain) continue;
    size_t at = n < SLOE_LAYER_PROPOSED ? n++ : SLOE_LAYER_PROPOSED - 1;
    if (best[at] && best[at]->gain >= k->gain) continue;
    for (; at && best[at - 1]->gain < k->gain; at--) best[at] = best[at - 1];
    best[at] = k;
  }
  for (size_t i = 0; i < n; i++) proposed[i] = sloe_odds_view(&best[i]->applies);
  return n;
}
