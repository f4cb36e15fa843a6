#include "campaign/teach.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/sort_numbers.h"
#include "campaign/design.h"
#include "campaign/kernels.h"
#include "campaign/teach_mlp.h"
#include "campaign/teach_trees.h"
#include "estimate/estimate.h"
#include "net/net.h"

enum {
  TOLD_MOST = 24000,
  TOLD_MOST_OF_MANY = 96000,
  TOLD_EACH = 12, /* a measured row; */
  TOLD_EACH_OF_MANY = 24,
  MANY = 2000,      /* measured rows, or fewer with kernels */
  SHAPE_ROWS = 1500 /* a process finds its shape from */
};
static const double chance_ms = 0.0005;
static const double share_of_variations = 0.5;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory teaching");
}

/* Where kernels are known by their own times, they say more than registers' blocks. */
static sloe_teach_inputs inputs_of(const sloe_class *class) {
  unsigned taste = SLOE_TEACH_BLOCKS;
  for (size_t i = 0; i < class->n; i++)
    if (*class->lessons[i].kernels) taste = SLOE_TEACH_PLAIN;
  return sloe_teach_inputs_of(taste, class->units);
}

static int is_busy(const sloe_class *class) {
  for (size_t i = 0; i < class->n; i++)
    if (class->lessons[i].busy != 0) return 1;
  return 0;
}

/* ---- what is told ---- */

/* As large as what was measured. */
static sloe_design_limits largest(const sloe_layer_lesson *lessons, size_t n) {
  sloe_design_limits out = {.macs = 10000000000, .batch = 1};
  for (size_t i = 0; i < n; i++) {
    const sloe_layer_spec *s = &lessons[i].spec;
    const uint64_t macs = sloe_layer_spec_macs(s);
    if (macs > out.macs) out.macs = macs;
    if (s->op == SLOE_SPEC_CONV && s->n > out.batch) out.batch = s->n;
  }
  return out;
}

typedef struct drawing {
  const sloe_fitted *fitted;
  const sloe_layer_lesson *lessons;
  size_t n;
  sloe_layer_key key; /* op and grouping are those of all */
  sloe_rng rng;
  sloe_design_limits limits;
} drawing;

static int is_kin(const drawing *d, const sloe_layer_spec *spec) {
  const sloe_layer_key key = sloe_layer_key_of(spec);
  return key.op == d->key.op && key.grouping == d->key.grouping;
}

/* A layer of the design, or one near a measured one; at the place of a measured one. */
static int draw(drawing *d, sloe_layer_lesson *out) {
  const sloe_layer_lesson *like = &d->lessons[sloe_rng_between(&d->rng, 0, (int64_t)d->n - 1)];
  int exact;
  *out = *like;
  if (sloe_rng_uniform(&d->rng) < share_of_variations) {
    if (!sloe_design_vary(&d->rng, &like->spec, &d->limits, &out->spec)) return 0;
  } else if (!sloe_design_draw(&d->rng, sloe_spec_op_text((sloe_spec_op)d->key.op), &d->limits,
                               &out->spec)) {
    return 0;
  }
  if (!is_kin(d, &out->spec)) return 0;
  out->stair_ms = sloe_estimate_staircase(d->fitted, &out->spec, &exact);
  return out->stair_ms > 0;
}

static size_t draw_many(drawing *d, sloe_layer_lesson *out, size_t most) {
  size_t n = 0;
  for (size_t tries = 0; n < most && tries < 40 * most; tries++) n += (size_t)draw(d, &out[n]);
  return n;
}

/* ---- teachers ---- */

typedef struct teacher {
  const sloe_fitted *fitted;
  sloe_teach_inputs inputs;       /* of its processes */
  size_t is_busy;                 /* 1: and how busy others kept memory, last; 0 */
  size_t most;                    /* lessons of each */
  sloe_gauss alone, placed;       /* placed.n is 0: a place changes nothing */
  int64_t batch;                  /* that layers were placed at */
  const sloe_kernel_set *kernels; /* NULL: none */
  sloe_gauss rest;                /* what they leave */
} teacher;

static void teacher_fini(teacher *t) {
  sloe_gauss_fini(&t->alone);
  sloe_gauss_fini(&t->rest);
  sloe_gauss_fini(&t->placed);
}

static size_t count_inputs(const teacher *t) {
  return t->inputs.n + t->is_busy;
}

static void take_inputs(const teacher *t, const sloe_layer_lesson *l, int in_place, double *out) {
  float x[SLOE_LAYER_FEATURES];
  sloe_layer_features(&l->spec, in_place ? &l->place : NULL, x);
  sloe_teach_take(&t->inputs, l, x, out);
  if (t->is_busy) out[t->inputs.n] = l->busy;
}

/* The mean of a process at lessons in their places, or as if by themselves. */
static sloe_status ask(const teacher *t, const sloe_gauss *g, const sloe_layer_lesson *lessons,
                       size_t n, int in_place, double *y, sloe_error *err) {
  double *x = sloe_alloc(n * g->d + 1, sizeof *x);
  if (!x) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) take_inputs(t, &lessons[i], in_place, x + i * g->d);
  const sloe_status status = sloe_gauss_eval(g, x, n, y, err);
  sloe_dealloc(x);
  return status;
}

/* As if by themselves: by their kernels, and where none applies at once. `transformed`: of
   sloe_kernels_tell, where there are kernels. */
static sloe_status ask_alone(const teacher *t, const sloe_layer_lesson *lessons, size_t n,
                             double *y, double *transformed, sloe_error *err) {
  SLOE_TRY(ask(t, &t->alone, lessons, n, 0, y, err));
  if (!t->kernels) return SLOE_OK;
  double *ms = sloe_alloc(2 * n + 1, sizeof *ms), *rest = ms + n;
  if (!ms) return out_of_memory(err);
  sloe_status status = sloe_kernels_tell(t->kernels, lessons, n, ms, transformed, err);
  if (status == SLOE_OK) status = ask(t, &t->rest, lessons, n, 0, rest, err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++)
    if (ms[i] > 0) y[i] = log(ms[i] / lessons[i].stair_ms) + rest[i];
  sloe_dealloc(ms);
  return status;
}

/* What a place adds is that weights and what was written last come from memory: of a larger batch
   than was placed as much time as of that one, not as large a share. */
static int is_larger(const teacher *t, const sloe_layer_lesson *l) {
  return l->place.in_network && sloe_layer_spec_has_window(&l->spec) && l->spec.n > t->batch;
}

/* Itself where the staircases do not know the smaller batch. */
static sloe_layer_lesson of_batch(const teacher *t, const sloe_layer_lesson *l) {
  sloe_layer_lesson out = *l;
  int exact;
  out.spec.n = t->batch;
  out.stair_ms = sloe_estimate_staircase(t->fitted, &out.spec, &exact);
  return out.stair_ms > 0 ? out : *l;
}

/* ln(time / staircase) with the time that a place adds to a smaller batch, of which `alone` and
   `more` are told. */
static double placed_of_larger(const sloe_layer_lesson *larger, double y,
                               const sloe_layer_lesson *smaller, double alone, double more) {
  const double ms = larger->stair_ms * exp(y);
  const double added = smaller->stair_ms * exp(alone) * (exp(more) - 1);
  return log(fmax(ms + added, ms / 2) / larger->stair_ms);
}

static sloe_status tell(const teacher *t, const sloe_layer_lesson *lessons, size_t n, double *y,
                        double *transformed, sloe_error *err) {
  SLOE_TRY(ask_alone(t, lessons, n, y, transformed, err));
  if (!t->placed.n) return SLOE_OK;
  sloe_layer_lesson *placed = sloe_alloc(2 * n + 1, sizeof *placed), *smaller = placed + n;
  double *more = sloe_alloc(2 * n + 1, sizeof *more), *alone = more + n;
  size_t m = 0;
  sloe_status status = placed && more ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++) {
    placed[i] = is_larger(t, &lessons[i]) ? of_batch(t, &lessons[i]) : lessons[i];
    if (is_larger(t, &lessons[i])) smaller[m++] = placed[i];
  }
  if (status == SLOE_OK) status = ask(t, &t->placed, placed, n, 1, more, err);
  if (status == SLOE_OK) status = ask_alone(t, smaller, m, alone, NULL, err);
  m = 0;
  for (size_t i = 0; status == SLOE_OK && i < n; i++) {
    if (is_larger(t, &lessons[i])) {
      y[i] = placed_of_larger(&lessons[i], y[i], &placed[i], alone[m++], more[i]);
    } else if (lessons[i].place.in_network) {
      y[i] += more[i];
    }
  }
  sloe_dealloc(placed);
  sloe_dealloc(more);
  return status;
}

static int is_known(const sloe_gauss_shape *shape) {
  return shape->height != 0 || shape->noise != 0 || shape->slope != 0;
}

/* Some tenths of a microsecond more or less, whether a kernel's code is still in the cache say, are
   much of a short layer. */
static double own_variance(const sloe_layer_lesson *l) {
  const double share = chance_ms / (l->stair_ms * exp(l->y));
  return share * share;
}

/* A part: the lessons that are in networks, or those that are not, where y is a number. */
static int is_part(const sloe_layer_lesson *l, double y, int in_place) {
  return l->place.in_network == in_place && !isnan(y);
}

/* Is the i-th of `n` among the `most` that are evenly taken of them? */
static int is_taken(size_t i, size_t n, size_t most) {
  return n <= most || (i + 1) * most / n > i * most / n;
}

/* To y[i] of a part. */
static sloe_status fit_part(const teacher *t, const sloe_layer_lesson *lessons, const double *y,
                            size_t n, int in_place, sloe_gauss_shape *shape, sloe_gauss *out,
                            sloe_error *err) {
  const size_t d = count_inputs(t);
  size_t of = 0, at = 0;
  for (size_t i = 0; i < n; i++) of += (size_t)is_part(&lessons[i], y[i], in_place);
  double *x = sloe_alloc(n * d + 1, sizeof *x), *part = sloe_alloc(2 * n + 1, sizeof *part),
         *own = part + n;
  size_t m = 0;
  sloe_status status = x && part ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++) {
    if (!is_part(&lessons[i], y[i], in_place) || !is_taken(at++, of, t->most)) continue;
    take_inputs(t, &lessons[i], in_place, x + m * d);
    own[m] = own_variance(&lessons[i]);
    part[m++] = y[i];
  }
  if (status == SLOE_OK && m < SLOE_TEACH_LEAST)
    status = sloe_fail(err, SLOE_UNSUPPORTED, "a teacher of %zu layers", m);
  if (status == SLOE_OK && !is_known(shape))
    status = sloe_gauss_find_shape(x, part, own, m, d, SHAPE_ROWS, shape, err);
  if (status == SLOE_OK) status = sloe_gauss_fit(x, part, own, m, d, shape, out, err);
  sloe_dealloc(x);
  sloe_dealloc(part);
  return status;
}

static double mean_square(const sloe_gauss *g) {
  double sum = 0;
  for (size_t i = 0; i < g->n; i++) sum += g->left[i] * g->left[i];
  return sum / (double)g->n;
}

/* Leaving one layer out after the other, do kernels tell more than the layers at once? Nearly all
   layers must have one that is told. */
static int is_better(const teacher *t) {
  return 10 * t->rest.n > 9 * t->alone.n && mean_square(&t->rest) < mean_square(&t->alone);
}

/* Without kernels, or with too few layers that have any, there is no rest. */
static sloe_status fit_kernels(const sloe_class *class, sloe_teacher_shape *shape, teacher *t,
                               double *y, sloe_error *err) {
  const sloe_layer_lesson *lessons = class->lessons;
  const size_t n = class->n;
  if (!shape->kernels) SLOE_TRY(sloe_kernels_fit(class, &shape->kernels, err));
  if (!shape->kernels) return SLOE_OK;
  for (size_t i = 0, alone = 0; i < n; i++) {
    y[i] = NAN;
    if (lessons[i].place.in_network) continue;
    y[i] = lessons[i].y - log(sloe_kernels_left(shape->kernels, alone++) / lessons[i].stair_ms);
  }
  const sloe_status status = fit_part(t, lessons, y, n, 0, &shape->rest, &t->rest, err);
  if (status == SLOE_OK && is_better(t)) t->kernels = shape->kernels;
  return status == SLOE_UNSUPPORTED ? SLOE_OK : status;
}

static sloe_status fit_teacher(const sloe_class *class, sloe_teacher_shape *shape, teacher *t,
                               sloe_error *err) {
  const sloe_layer_lesson *lessons = class->lessons;
  const size_t n = class->n;
  double *y = sloe_alloc(n + 1, sizeof *y);
  sloe_status status;
  if (!y) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) y[i] = lessons[i].y;
  SLOE_GOTO(fit_part(t, lessons, y, n, 0, &shape->alone, &t->alone, err));
  SLOE_GOTO(fit_kernels(class, shape, t, y, err));
  SLOE_GOTO(ask_alone(t, lessons, n, y, NULL, err));
  for (size_t i = 0; i < n; i++) {
    y[i] = lessons[i].y - y[i];
    if (lessons[i].place.in_network && lessons[i].spec.n > t->batch) t->batch = lessons[i].spec.n;
  }
  status = fit_part(t, lessons, y, n, 1, &shape->placed, &t->placed, err);
  if (status == SLOE_UNSUPPORTED) status = SLOE_OK;
fail:
  sloe_dealloc(y);
  return status;
}

/* ---- what is made of it ---- */

/* What leave-one-out leaves of a part's lessons, one after the other; NAN of one that was not
 * taken. */
typedef struct left_out {
  const double *left;         /* of the process; NULL: it has none */
  size_t of, most, at, taken; /* lessons of the part, taken at most; asked for, of these taken */
} left_out;

static double next_left(left_out *l) {
  return l->left && is_taken(l->at++, l->of, l->most) ? l->left[l->taken++] : NAN;
}

static left_out begin_left(const teacher *t, const sloe_class *class, int by_kernels) {
  left_out out = {.left = by_kernels ? t->rest.left : t->alone.left, .most = t->most};
  for (size_t i = 0, alone = 0; i < class->n; i++) {
    if (class->lessons[i].place.in_network) continue;
    out.of += !by_kernels || !isnan(sloe_kernels_left(t->kernels, alone));
    alone++;
  }
  return out;
}

/* Of layers by themselves: what leave-one-out leaves of the process, and what the op makes of its
   mean. */
static sloe_status find_spread(const teacher *t, const sloe_class *class, sloe_fitted_op *op,
                               sloe_error *err) {
  const sloe_layer_lesson *lessons = class->lessons;
  const size_t n = class->n;
  size_t m = 0;
  double *e = sloe_alloc(n + 1, sizeof *e);
  if (!e) return out_of_memory(err);
  left_out at_once = begin_left(t, class, 0), rests = {0};
  if (t->kernels) rests = begin_left(t, class, 1);
  const sloe_status status = ask_alone(t, lessons, n, e, NULL, err);
  for (size_t i = 0, alone = 0; status == SLOE_OK && i < n; i++) {
    float features[SLOE_LAYER_FEATURES];
    if (lessons[i].place.in_network) continue;
    const double told = e[i], stair_ms = lessons[i].stair_ms;
    double left = next_left(&at_once);
    if (t->kernels && !isnan(sloe_kernels_left(t->kernels, alone))) left = next_left(&rests);
    alone++;
    if (isnan(left)) continue;
    sloe_fitted_features(op, &lessons[i].spec, NULL, features);
    e[m++] = fabs(left + told - sloe_fitted_correction(op, &lessons[i].spec, stair_ms, features));
  }
  if (status == SLOE_OK) {
    sloe_sort_doubles(e, m);
    const size_t at = (size_t)ceil(0.9 * (double)(m + 1));
    op->error_90 = e[at > m ? m - 1 : at - 1];
  }
  sloe_dealloc(e);
  return status;
}

/* The lessons of a class as they would have been on a quiet machine: what is told of them there is
   added to them, over what is told of them as they were. */
static sloe_status quieten(const teacher *t, const sloe_class *class, sloe_layer_lesson *out,
                           sloe_error *err) {
  const size_t n = class->n;
  double *busy = sloe_alloc(2 * n + 1, sizeof *busy), *quiet = busy + n;
  sloe_status status = busy ? SLOE_OK : out_of_memory(err);
  memcpy(out, class->lessons, n * sizeof *out);
  for (size_t i = 0; i < n; i++) out[i].busy = 0;
  if (status == SLOE_OK && t->is_busy) {
    status = tell(t, class->lessons, n, busy, NULL, err);
    if (status == SLOE_OK) status = tell(t, out, n, quiet, NULL, err);
    for (size_t i = 0; status == SLOE_OK && i < n; i++) out[i].y += quiet[i] - busy[i];
  }
  sloe_dealloc(busy);
  return status;
}

/* The measured ones, which are in all[], then `told` drawn ones. transformed[]: of these. */
static sloe_status tell_many(const teacher *t, const sloe_class *class, sloe_layer_lesson *all,
                             double *transformed, size_t *told, sloe_error *err) {
  const size_t n = class->n;
  drawing d = {.fitted = class->fitted,
               .lessons = all,
               .n = n,
               .key = sloe_layer_key_of(&all[0].spec),
               .limits = largest(all, n)};
  const int many = t->kernels || n >= MANY;
  const size_t room = many ? TOLD_MOST_OF_MANY : TOLD_MOST,
               each = n * (many ? TOLD_EACH_OF_MANY : TOLD_EACH);
  double *y = sloe_alloc(TOLD_MOST_OF_MANY, sizeof *y);
  if (!y) return out_of_memory(err);
  sloe_rng_seed(&d.rng, 1);
  *told = draw_many(&d, all + n, each < room ? each : room);
  const sloe_status status = tell(t, all + n, *told, y, transformed, err);
  for (size_t i = 0; status == SLOE_OK && i < *told; i++) all[n + i].y = y[i];
  sloe_dealloc(y);
  return status;
}

static sloe_status teach(const teacher *t, const sloe_class *class, sloe_layer_lesson *all,
                         double *transformed_of, sloe_fitted_op *op, sloe_boost *out,
                         sloe_odds *transformed, sloe_error *err) {
  size_t told = 0;
  SLOE_TRY(quieten(t, class, all, err));
  SLOE_TRY(tell_many(t, class, all, transformed_of, &told, err));
  if (t->kernels) {
    op->n_proposed = sloe_kernels_proposed(t->kernels, op->proposed);
    op->transform_bytes = sloe_kernels_transform_bytes(t->kernels);
  }
  const size_t n = class->n + told;
  SLOE_TRY(class->lessons->chosen ? sloe_teach_mlp(all, n, class->units, op, class->arena, err)
                                  : sloe_teach_grow(all, class->n, n, op, out, err));
  if (op->transform_bytes > 0)
    SLOE_TRY(
        sloe_teach_grow_transformed(all, class->n, told, transformed_of, op, transformed, err));
  sloe_class quiet = *class;
  quiet.lessons = all;
  return find_spread(t, &quiet, op, err);
}

sloe_status sloe_teach(const sloe_class *class, sloe_teacher_shape *shape, sloe_fitted_op *op,
                       sloe_boost *out, sloe_odds *transformed, sloe_error *err) {
  teacher t = {.fitted = class->fitted,
               .inputs = inputs_of(class),
               .is_busy = is_busy(class),
               .most = class->most ? class->most : SLOE_GAUSS_ROWS};
  sloe_status status;
  *out = (sloe_boost){0};
  *transformed = (sloe_odds){0};
  op->error_90 = NAN;
  op->forest = (sloe_forest){0};
  op->mlp = (sloe_fitted_mlp){0};
  op->n_proposed = 0;
  op->transform_bytes = 0;
  sloe_layer_lesson *all = sloe_alloc(class->n + TOLD_MOST_OF_MANY, sizeof *all);
  double *transformed_of = sloe_alloc(TOLD_MOST_OF_MANY, sizeof *transformed_of);
  if (!all || !transformed_of) SLOE_GOTO(out_of_memory(err));
  SLOE_GOTO(fit_teacher(class, shape, &t, err));
  SLOE_GOTO(teach(&t, class, all, transformed_of, op, out, transformed, err));
fail:
  if (status != SLOE_OK) {
    sloe_boost_fini(out);
    sloe_odds_fini(transformed);
    *transformed = (sloe_odds){0};
    op->forest = (sloe_forest){0};
    op->mlp = (sloe_fitted_mlp){0};
    op->transform_bytes = 0;
  }
  teacher_fini(&t);
  sloe_dealloc(all);
  sloe_dealloc(transformed_of);
  return status;
}
