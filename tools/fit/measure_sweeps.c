/* measure_sweeps BACKEND [KEY=VALUE...]: what the fitter makes of a device, against points that it
 * did not ask for. The tables "on a device" of docs/notes/fit.md (B Table II, Fig. 8).
 *
 *   part=sweeps       or plane
 *   seed=1 count=64   how many sweeps are drawn; of the first `dense`=8 every x is a truth,
 *   truth=64          of the others this many random ones
 *   planes: random points `plane`=768, channels and filters 1..`plane_hi`=1024 of a 3x3 over 32x32
 *   record=FILE       read first, added to: measured points, so that it can be stopped and go on
 *   csv=FILE          every point: measured and fitted
 *   fit_ms=12 truth_ms=8     measured time of one take; a point is the mean of as many takes as
 *   fit_takes=2 truth_takes=2   say, those of the truths being taken in rounds over the sweep
 *   modules=DIR       of the backends
 *   slack=0.01       what no template explains: as much as two measurements of a point are apart
 *   max_points=14    of a sweep
 *   method=1         BLACKTHORN; trust=... and other knobs of fit.h
 *
 * Three fits of each sweep: with all templates, with the paper's two, each choosing its own points,
 * and a straight line through the points of the first.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "sweeps.h"

typedef struct settings {
  taking_options taking;
  const char *part, *csv;
  double seed, count, dense, truth, plane, plane_hi, fit_takes, truth_takes;
  sloe_fit_params params;
} settings;

typedef struct errors { /* of a fit at the truth points */
  double sum, worst, n;
} errors;

typedef struct tally { /* over sweeps */
  double n, points, most_points, mean[3], worst[3], noise, undecided, truths;
} tally;

enum { FIT_ALL, FIT_PAPER, FIT_LINE };

/* ---- settings ---- */

typedef struct key {
  const char *name;
  size_t offset;
  enum { TEXT, NUMBER, WHOLE } kind;
} key;

#define OPTION(name, field, kind) \
  { name, offsetof(settings, field), kind }
#define KNOB(field, kind) \
  { #field, offsetof(settings, params.field), kind }

static const key keys[] = {
    OPTION("part", part, TEXT),
    OPTION("csv", csv, TEXT),
    OPTION("record", taking.record, TEXT),
    OPTION("modules", taking.modules, TEXT),
    OPTION("fit_ms", taking.fit_ms, NUMBER),
    OPTION("truth_ms", taking.truth_ms, NUMBER),
    OPTION("seed", seed, NUMBER),
    OPTION("count", count, NUMBER),
    OPTION("dense", dense, NUMBER),
    OPTION("truth", truth, NUMBER),
    OPTION("plane", plane, NUMBER),
    OPTION("plane_hi", plane_hi, NUMBER),
    OPTION("fit_takes", fit_takes, NUMBER),
    OPTION("truth_takes", truth_takes, NUMBER),
    KNOB(method, WHOLE),
    KNOB(slack, NUMBER),
    KNOB(agree, NUMBER),
    KNOB(cut, NUMBER),
    KNOB(extension_cost, NUMBER),
    KNOB(odd_width_cost, NUMBER),
    KNOB(outlier_cost, NUMBER),
    KNOB(trust, NUMBER),
    KNOB(heat, NUMBER),
    KNOB(bin, NUMBER),
    KNOB(carry, NUMBER),
    KNOB(min_points, WHOLE),
    KNOB(max_points, WHOLE),
    KNOB(width_min, WHOLE),
    KNOB(width_step, WHOLE),
};

static int set(settings *s, const char *arg) {
  const char *equals = strchr(arg, '=');
  const size_t len = equals ? (size_t)(equals - arg) : 0;
  for (size_t i = 0; len && i < sizeof keys / sizeof *keys; i++) {
    double value;
    char *at = (char *)s + keys[i].offset;
    if (strlen(keys[i].name) != len || strncmp(keys[i].name, arg, len) != 0) continue;
    if (keys[i].kind == TEXT) {
      memcpy(at, &(const char *){equals + 1}, sizeof(const char *));
      return 1;
    }
    if (!sloe_parse_double(equals + 1, strlen(equals + 1), &value)) return 0;
    if (keys[i].kind == NUMBER)
      memcpy(at, &value, sizeof value);
    else
      memcpy(at, &(int32_t){(int32_t)value}, sizeof(int32_t));
    return 1;
  }
  return 0;
}

/* ---- fitting ---- */

typedef struct asking {
  taking *taking;
  const settings *settings;
  const sweep *sweep; /* NULL: filters and channels of `plane` */
  const sloe_layer_spec *plane;
  int64_t x[64]; /* asked for, of a sweep */
  double y[64];
  size_t n;
} asking;

static sloe_layer_spec spec_at(const asking *a, const int64_t *coords) {
  if (a->sweep) return sweep_spec(a->sweep, coords[0]);
  sloe_layer_spec s = *a->plane;
  s.k = coords[0];
  s.c = coords[1];
  return s;
}

static sloe_status ask(void *user, const int64_t *coords, size_t n_dims, sloe_fit_sample *out,
                       sloe_error *err) {
  asking *a = user;
  const sloe_layer_spec spec = spec_at(a, coords);
  (void)n_dims;
  const sloe_status status =
      taking_mean(a->taking, &spec, TAKEN_FIT, (size_t)a->settings->fit_takes, out, err);
  if (status == SLOE_OK && a->n < 64) {
    a->x[a->n] = coords[0];
    a->y[a->n++] = out->value;
  }
  return status;
}

/* Relative least squares of d + m x. */
static void straight_line(const asking *a, double line[2]) {
  double s = 0, sx = 0, sxx = 0, sy = 0, sxy = 0;
  for (size_t i = 0; i < a->n; i++) {
    const double x = (double)a->x[i], w = 1 / (a->y[i] * a->y[i]);
    s += w, sx += w * x, sxx += w * x * x, sy += w * a->y[i], sxy += w * x * a->y[i];
  }
  line[1] = (s * sxy - sx * sy) / (s * sxx - sx * sx);
  line[0] = (sy - line[1] * sx) / s;
}

static void count_error(errors *e, double fitted, double truth) {
  const double error = fabs(fitted / truth - 1);
  e->sum += error;
  e->worst = fmax(e->worst, error);
  e->n++;
}

static double mape(const errors *e) {
  return 100 * e->sum / e->n;
}

/* "steps of 16 in 64, floor" */
static const char *shape_text(const sloe_stair_model *m, size_t d, char *buf, size_t size) {
  const sloe_stair *s = &m->shape[d];
  int n = snprintf(buf, size, s->width ? "%d" : "line", (int)s->width);
#define PART(cond, ...) \
  if (cond) n += snprintf(buf + n, size - (size_t)n, __VA_ARGS__)
  PART(s->outer, " in %d", (int)s->outer);
  PART(s->width && s->slope, " + slope");
  PART(s->start, ", line to %d", (int)s->start);
  PART(s->change, ", change at %d", (int)s->change);
  PART(m->floor > 0, ", floor");
#undef PART
  return buf;
}

/* ---- sweeps ---- */

/* Truths of a sweep in random order; returns how many. */
static size_t draw_truths(sloe_rng *rng, int64_t hi, size_t wanted, int64_t *x) {
  for (int64_t i = 0; i < hi; i++) x[i] = i + 1;
  for (int64_t i = 0; i < hi; i++) {
    const int64_t j = sloe_rng_between(rng, i, hi - 1), kept = x[i];
    x[i] = x[j];
    x[j] = kept;
  }
  return wanted < (size_t)hi ? wanted : (size_t)hi;
}

typedef struct sweep_result {
  sloe_fit_result fit[2]; /* FIT_ALL, FIT_PAPER */
  double line[2];
  asking asked; /* by FIT_ALL */
  errors errors[3], noise;
} sweep_result;

static double fitted_at(const sweep_result *r, int fit, int64_t x) {
  if (fit == FIT_LINE) return r->line[0] + r->line[1] * (double)x;
  return sloe_stair_model_eval(&r->fit[fit].model, &x);
}

static sloe_status fit_sweep(taking *t, const settings *s, const sweep *w, sweep_result *r,
                             sloe_error *err) {
  const sloe_fit_axis axis = {1, w->hi};
  sloe_fit_params paper = s->params;
  asking other = {.taking = t, .settings = s, .sweep = w};
  *r = (sweep_result){.asked = other};
  paper.templates = SLOE_FIT_PAPER;
  SLOE_TRY(sloe_fit_space(&s->params, &axis, 1, ask, &r->asked, &r->fit[FIT_ALL], err));
  SLOE_TRY(sloe_fit_space(&paper, &axis, 1, ask, &other, &r->fit[FIT_PAPER], err));
  straight_line(&r->asked, r->line);
  return SLOE_OK;
}

static void write_point(FILE *csv, size_t number, const sweep_result *r, int64_t x, double truth) {
  if (!csv) return;
  fprintf(csv, "%zu,%s,%lld,%.6g,%.6g,%.6g,%.6g\n", number, sweep_dim_names[r->asked.sweep->dim],
          (long long)x, truth, fitted_at(r, FIT_ALL, x), fitted_at(r, FIT_PAPER, x),
          fitted_at(r, FIT_LINE, x));
}

/* Every truth once a round, so that its takes lie apart in time. What cannot be had is no truth. */
static sloe_status take_truths(const asking *a, const int64_t *x, size_t n, sloe_error *err) {
  const size_t rounds = (size_t)a->settings->truth_takes;
  for (size_t take = 0; take < rounds; take++)
    for (size_t i = 0; i < n; i++) {
      sloe_fit_sample sample;
      const sloe_layer_spec spec = sweep_spec(a->sweep, x[i]);
      const sloe_status status = taking_time(a->taking, &spec, TAKEN_TRUTH, take, &sample, err);
      if (status != SLOE_UNSUPPORTED) SLOE_TRY(status);
    }
  return SLOE_OK;
}

/* What a truth is off by itself, from how far its takes lie apart. */
static sloe_status count_noise(const asking *a, const sloe_layer_spec *spec, errors *noise,
                               sloe_error *err) {
  sloe_fit_sample one, other;
  const double takes = a->settings->truth_takes;
  if (takes < 2) return SLOE_OK;
  SLOE_TRY(taking_time(a->taking, spec, TAKEN_TRUTH, 0, &one, err));
  SLOE_TRY(taking_time(a->taking, spec, TAKEN_TRUTH, 1, &other, err));
  noise->sum += fabs(one.value / other.value - 1) / sqrt(2 * takes);
  noise->n++;
  return SLOE_OK;
}

static sloe_status compare(sweep_result *r, const int64_t *x, size_t n, size_t number, FILE *csv,
                           sloe_error *err) {
  const asking *a = &r->asked;
  sloe_fit_sample truth;
  SLOE_TRY(take_truths(a, x, n, err));
  for (size_t i = 0; i < n; i++) {
    const sloe_layer_spec spec = sweep_spec(a->sweep, x[i]);
    const sloe_status status =
        taking_mean(a->taking, &spec, TAKEN_TRUTH, (size_t)a->settings->truth_takes, &truth, err);
    if (status == SLOE_UNSUPPORTED) continue;
    SLOE_TRY(status);
    for (int fit = 0; fit < 3; fit++)
      count_error(&r->errors[fit], fitted_at(r, fit, x[i]), truth.value);
    SLOE_TRY(count_noise(a, &spec, &r->noise, err));
    write_point(csv, number, r, x[i], truth.value);
  }
  return SLOE_OK;
}

static void print_sweep(size_t number, const sweep_result *r) {
  const sweep *w = r->asked.sweep;
  const sloe_layer_spec *b = &w->base;
  char what[96], shape[64];
  snprintf(what, sizeof what, "%s 1..%lld, %lldx%lld/%lld, %lld to %lld, %lldx%lld",
           sweep_dim_names[w->dim], (long long)w->hi, (long long)b->kernel[0],
           (long long)b->kernel[1], (long long)b->stride[0], (long long)b->c, (long long)b->k,
           (long long)b->out[0], (long long)b->out[1]);
  printf("| %zu | %s | %s%s | %zu | %.2f | %.1f | %.2f | %.2f | %.2f |\n", number, what,
         shape_text(&r->fit[0].model, 0, shape, sizeof shape), r->fit[0].undecided ? " ?" : "",
         r->fit[0].points, mape(&r->errors[FIT_ALL]), 100 * r->errors[FIT_ALL].worst,
         mape(&r->errors[FIT_PAPER]), mape(&r->errors[FIT_LINE]), mape(&r->noise));
  fflush(stdout);
}

static void add_sweep(tally *t, const sweep_result *r) {
  t->n++;
  t->points += (double)r->fit[0].points;
  t->most_points = fmax(t->most_points, (double)r->fit[0].points);
  t->undecided += (double)r->fit[0].undecided;
  t->truths += r->errors[0].n;
  t->noise += mape(&r->noise);
  for (int fit = 0; fit < 3; fit++) {
    t->mean[fit] += mape(&r->errors[fit]);
    t->worst[fit] = fmax(t->worst[fit], 100 * r->errors[fit].worst);
  }
}

static void print_tally(const char *what, const tally *t) {
  if (!(t->n > 0)) return;
  printf("| %s | %.0f | %.0f | %.1f | %.0f | %.0f | %.2f | %.1f | %.2f | %.2f | %.2f |\n", what,
         t->n, t->truths, t->points / t->n, t->most_points, t->undecided, t->mean[0] / t->n,
         t->worst[0], t->mean[1] / t->n, t->mean[2] / t->n, t->noise / t->n);
}

static sloe_status sweeps(taking *t, const settings *s, FILE *csv, sloe_error *err) {
  tally tallies[7] = {{0}}; /* all, dense, sparse, then each dimension */
  static const char *const rows[] = {"all",      "dense",  "random x", "filters",
                                     "channels", "height", "width"};
  static int64_t x[1024];
  sloe_rng rng;
  sloe_rng_seed(&rng, (uint64_t)s->seed);
  printf(
      "| | sweep | shape | points | MAPE | worst | paper's two | line | noise |\n"
      "|---|---|---|---|---|---|---|---|---|\n");
  if (csv) fprintf(csv, "sweep,over,x,measured,fitted,paper,line\n");
  for (size_t i = 0; i < (size_t)s->count; i++) {
    const sweep w = sweep_draw(&rng);
    const int dense = (double)i < s->dense;
    const size_t n = draw_truths(&rng, w.hi, dense ? (size_t)w.hi : (size_t)s->truth, x);
    sweep_result r;
    SLOE_TRY(fit_sweep(t, s, &w, &r, err));
    SLOE_TRY(compare(&r, x, n, i, csv, err));
    print_sweep(i, &r);
    add_sweep(&tallies[0], &r);
    add_sweep(&tallies[dense ? 1 : 2], &r);
    add_sweep(&tallies[3 + w.dim], &r);
  }
  printf(
      "\n| sweeps | n | truths | points | most | undecided | MAPE | worst | paper's two | line | "
      "noise |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (size_t i = 0; i < 7; i++) print_tally(rows[i], &tallies[i]);
  return SLOE_OK;
}

/* ---- the plane ---- */

static sloe_status plane(taking *t, const settings *s, FILE *csv, sloe_error *err) {
  const sloe_fit_axis axes[2] = {{1, (int64_t)s->plane_hi}, {1, (int64_t)s->plane_hi}};
  const sloe_layer_spec base = sweep_convolution(3, 1, 1, 1, 32);
  asking a = {.taking = t, .settings = s, .plane = &base};
  sloe_fit_result r;
  errors e = {0};
  char shape[2][64];
  sloe_rng rng;
  SLOE_TRY(sloe_fit_space(&s->params, axes, 2, ask, &a, &r, err));
  sloe_rng_seed(&rng, (uint64_t)s->seed + 1000003);
  if (csv) fprintf(csv, "filters,channels,measured,fitted\n");
  for (size_t i = 0; i < (size_t)s->plane; i++) {
    const int64_t k = sloe_rng_between(&rng, 1, axes[0].hi);
    const int64_t at[2] = {k, sloe_rng_between(&rng, 1, axes[1].hi)};
    const sloe_layer_spec spec = spec_at(&a, at);
    sloe_fit_sample truth;
    SLOE_TRY(taking_mean(t, &spec, TAKEN_TRUTH, (size_t)s->truth_takes, &truth, err));
    const double fitted = sloe_stair_model_eval(&r.model, at);
    count_error(&e, fitted, truth.value);
    if (csv)
      fprintf(csv, "%lld,%lld,%.6g,%.6g\n", (long long)at[0], (long long)at[1], truth.value,
              fitted);
  }
  printf(
      "| plane | filters | channels | points | MAPE | worst | undecided lines |\n"
      "|---|---|---|---|---|---|---|\n| %.0f x %.0f | %s | %s | %zu | %.2f | %.1f | %zu |\n",
      s->plane_hi, s->plane_hi, shape_text(&r.model, 0, shape[0], sizeof *shape),
      shape_text(&r.model, 1, shape[1], sizeof *shape), r.points, mape(&e), 100 * e.worst,
      r.undecided);
  return SLOE_OK;
}

static sloe_status run(const settings *s, FILE *csv, sloe_error *err) {
  taking *t;
  SLOE_TRY(taking_open(&s->taking, &t, err));
  printf("%s, %s, seed %.0f\n\n", taking_device(t)->title, s->taking.backend, s->seed);
  const sloe_status status =
      strcmp(s->part, "plane") != 0 ? sweeps(t, s, csv, err) : plane(t, s, csv, err);
  printf("\n%zu points measured now\n", taking_measured(t));
  taking_close(t);
  return status;
}

int main(int argc, char **argv) {
  settings s = {.taking = {.modules = SLOE_BINARY_DIR},
                .part = "sweeps",
                .seed = 1,
                .count = 64,
                .dense = 8,
                .truth = 64,
                .fit_takes = 2,
                .truth_takes = 2,
                .plane = 768,
                .plane_hi = 1024,
                .params = {.runs = 1, .slack = 0.01, .max_points = 14}};
  sloe_error err = {0};
  FILE *csv = NULL;
  for (int i = 2; i < argc; i++)
    if (!set(&s, argv[i])) return fprintf(stderr, "measure_sweeps: what is '%s'?\n", argv[i]), 2;
  if (argc < 2) return fprintf(stderr, "usage: measure_sweeps BACKEND [KEY=VALUE...]\n"), 2;
  s.taking.backend = argv[1];
  if (s.csv && !(csv = fopen(s.csv, "w"))) return perror(s.csv), 4;
  const sloe_status status = run(&s, csv, &err);
  if (csv && fclose(csv)) return perror(s.csv), 4;
  if (status) fprintf(stderr, "measure_sweeps: %s\n", err.msg);
  return status ? 4 : 0;
}
