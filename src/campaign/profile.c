/* profile.c: Blackthorn's profiling tool: chooses what to measure, measures it, writes the
 * platform.
 *
 * Phases, each with its share of the budget: lines (one-dimensional fits that choose their own
 * points), the design (random layers of every kind in random order, so that whatever is
 * reached is a sample of the whole), held-out layers, each timed twice, and random networks, as a
 * whole and layer by layer; what was timed beside busy neighbours once more. What a phase leaves
 * unused, the next ones have. A campaign of the same backend and seed goes on where it stopped:
 * points that are in the store are not measured again.
 *
 * The layers of networks teach what a place in a network does to a layer. A network is judged by
 * models that have not seen its layers: FOLDS times the models are made anew without a part of
 * them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "campaign/bench.h"
#include "campaign/design.h"
#include "campaign/design_known.h"
#include "campaign/fit_layers.h"
#include "campaign/fit_network.h"
#include "campaign/today.h"

enum {
  HELD_OUT_LAYERS = 80,
  NETWORKS = 160,      /* of any size, */
  SMALL_NETWORKS = 40, /* on small images, so that a cache may hold what a pass touches */
  FOLDS = 5,
  MAX_LINES = 128,
  LINE_POINTS = 14, /* at most: steps of a real device are found or never will be */
  EDGE_EACH = 13,   /* every 13th layer of the design is of its edges */
  MOST_TAKES = 4
};
typedef enum stream_name {
  DESIGN_STREAM = 1,
  HELD_OUT_STREAM,
  FIRST_STREAM,
  MORE_STREAM,
  KNOWN_STREAM,
  EDGE_STREAM /* no stream by itself: DESIGN_STREAM takes from it */
} stream_name;
/* Of a device that starts a job at once: what bench.c gives to the runs, and as much around them.
 */
static const double LAYER_S = 0.1, NETWORK_S = 3, LEAST_GFLOP = 0.001;
static const double BUSY = 1.15; /* of what a move of memory takes where it is quiet */
static const double share_of_lines = 0.25, share_of_design = 0.75, share_of_layers = 0.88;

typedef struct profiler {
  const sloe_profile_options *options;
  sloe_bench *bench;
  sloe_line_shape shapes[MAX_LINES];
  size_t n_shapes;
  int complete;
  size_t n_points, n_held_out, n_networks; /* of the plan; measured */
  uint64_t seed;
  sloe_design_limits limits;
  sloe_design_known known;  /* where more layers are asked for */
  sloe_proposals proposals; /* none: all zero */
} profiler;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int is_wanted(const profiler *p, const sloe_layer_spec *spec) {
  const char *only = p->options->only;
  return !only || !strncmp(sloe_spec_op_text(spec->op), only, strlen(only));
}

/* ---- lines ---- */

typedef struct line_asking {
  profiler *p;
  const sloe_design_line *line;
} line_asking;

static sloe_status ask_line(void *user, const int64_t *coords, size_t n_dims, sloe_fit_sample *out,
                            sloe_error *err) {
  const line_asking *asking = user;
  sloe_bench *b = asking->p->bench;
  const sloe_layer_spec spec = sloe_design_line_spec(asking->line, coords[0]);
  size_t at;
  (void)n_dims;
  if (!sloe_bench_has_time(b, share_of_lines) && !sloe_bench_knows(b, &spec))
    return sloe_fail(err, SLOE_STOPPED, "no time left for lines");
  SLOE_TRY(sloe_layer_spec_check(&spec, NULL) == SLOE_OK
               ? sloe_bench_layer(b, &spec, sloe_split_line, &at, err)
               : sloe_fail(err, SLOE_UNSUPPORTED, "no such layer"));
  const sloe_bench_point *point = &b->points[at];
  if (point->refused) return sloe_fail(err, SLOE_UNSUPPORTED, "refused");
  /* Of the first take, so that a campaign that goes on asks for the same points. */
  *out = (sloe_fit_sample){point->first, point->first * fmax(point->first_error, 1e-4)};
  return SLOE_OK;
}

/* A line that could not be finished leaves no shape; that is no failure of the campaign. */
static sloe_status fit_line(profiler *p, const sloe_design_line *line, sloe_error *err) {
  const sloe_fit_params params = {.runs = 1, .max_points = LINE_POINTS};
  const sloe_fit_axis axis = {line->lo, line->hi};
  line_asking asking = {p, line};
  sloe_fit_result result;
  sloe_error why = {0};
  const sloe_status status = sloe_fit_space(&params, &axis, 1, ask_line, &asking, &result, &why);
  if (status == SLOE_OK)
    p->shapes[p->n_shapes++] =
        (sloe_line_shape){sloe_layer_key_of(&line->base), line->dim, result.model.shape[0]};
  const int is_over = status == SLOE_STOPPED && !sloe_bench_has_time(p->bench, share_of_lines);
  if (is_over) p->complete = 0;
  if (status == SLOE_OK || status == SLOE_UNSUPPORTED || is_over) return SLOE_OK;
  return sloe_fail(err, status, "%s", why.msg);
}

static sloe_status fit_lines(profiler *p, sloe_error *err) {
  const size_t n = sloe_design_line_count();
  p->bench->phase = "fitting lines";
  for (size_t i = 0; i < n && i < MAX_LINES; i++) {
    const sloe_design_line line = sloe_design_line_at(i);
    if (!is_wanted(p, &line.base)) continue;
    SLOE_TRY(fit_line(p, &line, err));
    p->bench->done += LINE_POINTS;
  }
  return SLOE_OK;
}

/* ---- random layers ---- */

/* The layers of a stream of the seed, one after the other. */
typedef struct stream {
  stream_name name;
  sloe_rng rng, edges;
  size_t i, n; /* next, and how many */
} stream;

static size_t size_of(const profiler *p, stream_name name) {
  switch (name) {
    case FIRST_STREAM: return SLOE_DESIGN_FIRST * sloe_design_kinds();
    case DESIGN_STREAM: return sloe_design_size() * EDGE_EACH / (EDGE_EACH - 1);
    case MORE_STREAM: return (size_t)(p->options->more - p->options->more / 3);
    case KNOWN_STREAM: return (size_t)(p->options->more / 3);
    case HELD_OUT_STREAM: return HELD_OUT_LAYERS;
    case EDGE_STREAM: break;
  }
  return 0;
}

static stream open_stream(const profiler *p, stream_name name) {
  stream s = {.name = name, .n = size_of(p, name)};
  sloe_rng_seed(&s.rng, p->seed * 1000003 + name);
  sloe_rng_seed(&s.edges, p->seed * 1000003 + EDGE_STREAM);
  return s;
}

/* The next that is wanted; 0: none. What is not is drawn all the same: the others are those of a
   whole campaign. */
static int draw_next(const profiler *p, stream *s, sloe_layer_spec *out) {
  while (s->i < s->n) {
    const size_t i = s->i++;
    if (s->name == FIRST_STREAM)
      sloe_design_draw_kind(&s->rng, i % sloe_design_kinds(), &p->limits, out);
    else if (s->name == MORE_STREAM)
      sloe_design_draw_more(&s->rng, i, &p->limits, out);
    else if (s->name == KNOWN_STREAM)
      sloe_design_known_draw(&p->known, &s->rng, &p->limits, out);
    else if (s->name == DESIGN_STREAM && i % EDGE_EACH == EDGE_EACH - 1)
      sloe_design_draw_edge(&s->edges, &p->limits, out);
    else
      sloe_design_draw(&s->rng, NULL, &p->limits, out);
    if (is_wanted(p, out)) return 1;
  }
  return 0;
}

static sloe_status draw_layers(profiler *p, const char *split, stream_name name, double share,
                               sloe_error *err) {
  sloe_bench *b = p->bench;
  sloe_layer_spec spec;
  stream s = open_stream(p, name);
  while (draw_next(p, &s, &spec)) {
    size_t at;
    if (!sloe_bench_has_time(b, share) && !sloe_bench_knows(b, &spec)) {
      p->complete = 0;
      continue; /* what is in the store is taken all the same */
    }
    SLOE_TRY(sloe_bench_layer(b, &spec, split, &at, err));
    b->done++;
  }
  return SLOE_OK;
}

/* The second measurement of each, when all have been measured once: minutes lie between. */
static sloe_status measure_again(profiler *p, sloe_error *err) {
  sloe_bench *b = p->bench;
  b->phase = "timing held-out layers again";
  for (size_t i = 0; i < b->n_points; i++) {
    if (!sloe_is_layer_time(&b->points[i]) || !sloe_is_held_out(&b->points[i])) continue;
    p->n_held_out++;
    if (sloe_bench_has_time(b, share_of_layers)) SLOE_TRY(sloe_bench_again(b, i, err));
    b->done++;
  }
  return SLOE_OK;
}

/* ---- networks ---- */

/* Of a network that was measured `known` is its point: it is measured once more. NULL: not yet. */
static sloe_status measure_network(profiler *p, const char *text, const size_t *known,
                                   sloe_error *err) {
  sloe_bench *b = p->bench;
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  sloe_status status;
  size_t at;
  SLOE_GOTO(sloe_net_open(text, NULL, &net, err));
  SLOE_GOTO(sloe_layers_new(net, &sloe_device_describe(b->device)->fusion, &layers, err));
  if (known) {
    SLOE_GOTO(sloe_bench_network_quieter(b, *known, layers, err));
  } else {
    SLOE_GOTO(sloe_bench_network(b, text, layers, sloe_split_network, &at, err));
    p->n_networks += !b->points[at].refused;
  }
fail:
  sloe_layers_free(layers);
  sloe_net_free(net);
  return status;
}

static void name_network(const profiler *p, uint64_t i, char *text, size_t len) {
  const int n = snprintf(text, len, "zoo:random,seed=%" PRIu64, p->seed * 1000 + i);
  if (i >= NETWORKS) snprintf(text + n, len - (size_t)n, ",input=%" PRIu64, 64 + 32 * (i % 3));
}

static sloe_status measure_networks(profiler *p, sloe_error *err) {
  sloe_bench *b = p->bench;
  b->phase = "timing networks";
  for (uint64_t i = 0; i < NETWORKS + SMALL_NETWORKS && !p->options->only; i++) {
    char text[64];
    name_network(p, i, text, sizeof text);
    if (!sloe_bench_has_time(b, 1) && sloe_map_get(&b->index, text) < 0) {
      p->complete = 0;
      continue;
    }
    SLOE_TRY(measure_network(p, text, NULL, err));
    b->done++;
  }
  return SLOE_OK;
}

/* ---- what others disturbed ---- */

static sloe_status measure_quieter(profiler *p, size_t point, sloe_error *err) {
  const sloe_bench_point *known = &p->bench->points[point];
  if (known->network) return measure_network(p, known->key, &point, err);
  return sloe_bench_quieter(p->bench, point, err);
}

/* Points beside which others kept memory busy, until they are quiet or the budget is spent. */
static sloe_status measure_disturbed(profiler *p, sloe_error *err) {
  sloe_bench *b = p->bench;
  double quiet;
  b->phase = "timing what others disturbed again";
  SLOE_TRY(sloe_bench_quiet_ms(b, &quiet, err));
  for (size_t takes = 1; takes < MOST_TAKES; takes++)
    for (size_t i = 0; i < b->n_points && sloe_bench_has_time(b, 1); i++) {
      const sloe_bench_point *point = &b->points[i];
      if (point->refused || point->place.in_network || point->n_takes > takes) continue;
      if (point->move_ms > BUSY * quiet) SLOE_TRY(measure_quieter(p, i, err));
    }
  return SLOE_OK;
}

/* ---- the platform ---- */

static void fill_card(const profiler *p, sloe_fitted_platform *out) {
  const sloe_device_info *info = sloe_device_describe(p->bench->device);
  out->fusion = info->fusion;
  out->card = (sloe_card){.device = info->device,
                          .title = info->title,
                          .runtime = info->runtime,
                          .runtime_version = info->version,
                          .precision = info->fusion.precision,
                          .mode = info->mode,
                          .source = SLOE_SOURCE_FITTED,
                          .notes =
                              "measured layer by layer; batch as each layer says, transfers "
                              "excluded",
                          .memory_mb = info->memory_mb,
                          .memory_reserved_mb = NAN,
                          .power_cap_w = NAN,
                          .gpu_mhz = NAN,
                          .peak_gflops = NAN,
                          .bandwidth_gbs = NAN,
                          .launch_us = NAN,
                          .validated_mape = NAN};
}

static sloe_status take_environment(const profiler *p, sloe_fitted *fitted, sloe_error *err) {
  const sloe_device_info *info = sloe_device_describe(p->bench->device);
  const char *(*pairs)[2] =
      sloe_arena_alloc(&p->bench->arena, info->n_environment + 1, sizeof *pairs);
  if (!pairs) return sloe_fail(err, SLOE_NOMEM, "out of memory writing the platform");
  for (size_t i = 0; i < info->n_environment; i++) {
    pairs[i][0] = info->environment[i].key;
    pairs[i][1] = info->environment[i].value;
  }
  fitted->environment = (const char *const(*)[2])pairs;
  fitted->n_environment = info->n_environment;
  return SLOE_OK;
}

/* Layers by themselves and networks; a network's layers come with it. */
static size_t count_measured(const sloe_bench *b) {
  size_t n = 0;
  for (size_t i = 0; i < b->n_points; i++)
    n += !b->points[i].refused && !b->points[i].place.in_network;
  return n;
}

static sloe_status write_platform(const profiler *p, const sloe_fitted *models, double seconds,
                                  sloe_error *err) {
  sloe_fitted_platform platform = {.fitted = *models};
  char date[32], tool[32], seed[32];
  sloe_fitted *fitted = &platform.fitted;
  fill_card(p, &platform);
  snprintf(tool, sizeof tool, "sloe %s", sloe_version());
  snprintf(seed, sizeof seed, "%" PRIu64, p->seed);
  fitted->created = sloe_today(date);
  fitted->tool = tool;
  fitted->seed = seed;
  fitted->points = (double)count_measured(p->bench);
  fitted->seconds = seconds;
  SLOE_TRY(take_environment(p, fitted, err));
  return sloe_fitted_write(&platform, p->options->out, err);
}

/* All of it; or without the layers of one in `folds` networks, to be judged by them. */
static sloe_status fit_models(const profiler *p, size_t folds, size_t fold,
                              const sloe_layer_models *like, sloe_layer_models *out,
                              sloe_error *err) {
  const sloe_fit_layers_switches switches = {.folds = folds,
                                             .fold = fold,
                                             .like = like,
                                             .proposals = p->proposals.n ? &p->proposals : NULL};
  return sloe_fit_layers(p->bench, p->shapes, p->n_shapes, sloe_bench_reference_ms(p->bench),
                         &switches, out, err);
}

typedef struct folding {
  const profiler *p;
  const sloe_layer_models *all;
  sloe_layer_models without[FOLDS];
} folding;

static sloe_status fit_fold(void *context, size_t fold, sloe_error *err) {
  folding *f = context;
  return fit_models(f->p, FOLDS, fold, f->all, &f->without[fold], err);
}

static sloe_status fit_and_write(profiler *p, double begun, sloe_profile_summary *out,
                                 sloe_error *err) {
  sloe_layer_models models = {0};
  folding folds = {.p = p, .all = &models};
  sloe_bench *b = p->bench;
  b->phase = "fitting";
  const sloe_fusion *fusion = &sloe_device_describe(b->device)->fusion;
  const double bytes = (double)sloe_precision_bytes(fusion->precision);
  SLOE_TRY(sloe_bench_steady(b, err));
  SLOE_TRY(sloe_bench_unclock(b, err));
  SLOE_TRY(sloe_bench_place_scratch(b, bytes, err));
  sloe_fitted *fitted = &models.fitted;
  const size_t n_folds = p->n_networks >= FOLDS ? FOLDS : 0;
  sloe_status status = sloe_bench_step(b, err);
  if (status == SLOE_OK) status = fit_models(p, 0, 0, NULL, &models, err);
  if (status == SLOE_OK) status = sloe_judge_layers(b, fitted, &fitted->layer_errors, err);
  if (status == SLOE_OK) status = sloe_bench_step(b, err);
  if (status == SLOE_OK)
    status = sloe_parallel_try(sloe_processors(), n_folds, fit_fold, &folds, err);
  if (status == SLOE_OK) status = sloe_fit_network(b, fusion, folds.without, n_folds, fitted, err);
  if (status == SLOE_OK) status = write_platform(p, fitted, now_s() - begun, err);
  if (status == SLOE_OK) {
    out->layer_rmspe = fitted->layer_errors.rmspe;
    out->layer_mape = fitted->layer_errors.mape;
    out->layer_max_ape = fitted->layer_errors.max_ape;
    out->network_mape = fitted->network_errors.mape;
    out->network_max_ape = fitted->network_errors.max_ape;
  }
  for (size_t i = 0; i < FOLDS; i++) sloe_layer_models_fini(&folds.without[i]);
  sloe_layer_models_fini(&models);
  return status;
}

/* ---- the campaign ---- */

static size_t count_drawn(const profiler *p, stream_name name) {
  sloe_layer_spec spec;
  size_t n = 0;
  for (stream s = open_stream(p, name); draw_next(p, &s, &spec);) n++;
  return n;
}

/* By phase; the sum of them. Held-out layers are timed twice. */
static size_t plan(const profiler *p, sloe_profile_summary *out) {
  for (size_t i = 0; i < sloe_design_line_count(); i++) {
    const sloe_design_line line = sloe_design_line_at(i);
    out->plan_lines += is_wanted(p, &line.base) ? LINE_POINTS : 0;
  }
  out->plan_design = count_drawn(p, FIRST_STREAM) + count_drawn(p, DESIGN_STREAM) +
                     count_drawn(p, MORE_STREAM) + count_drawn(p, KNOWN_STREAM);
  out->plan_held_out = 2 * count_drawn(p, HELD_OUT_STREAM);
  out->plan_networks = p->options->only ? 0 : NETWORKS + SMALL_NETWORKS;
  return out->plan_lines + out->plan_design + out->plan_held_out + out->plan_networks;
}

/* A device that is not there, or cannot be reached, leaves it open. */
static void ask_how_long(const profiler *p, sloe_profile_summary *out) {
  sloe_device *device;
  sloe_error why;
  if (sloe_device_open(p->options->backend, NULL, &device, &why) != SLOE_OK) return;
  const sloe_device_info *info = sloe_device_describe(device);
  const double layer_s = info->layer_s > 0 ? info->layer_s : LAYER_S;
  const double network_s = info->network_s > 0 ? info->network_s : NETWORK_S;
  const size_t layers = out->points - out->plan_networks;
  out->plan_s = (double)layers * layer_s + (double)out->plan_networks * network_s;
  if (p->options->budget_s > 0) out->plan_s = fmin(out->plan_s, p->options->budget_s);
  sloe_device_close(device);
}

static sloe_status measure_all(profiler *p, sloe_error *err) {
  SLOE_TRY(fit_lines(p, err));
  p->bench->phase = "timing the design";
  SLOE_TRY(draw_layers(p, sloe_split_design, FIRST_STREAM, share_of_design, err));
  SLOE_TRY(draw_layers(p, sloe_split_design, DESIGN_STREAM, share_of_design, err));
  SLOE_TRY(draw_layers(p, sloe_split_design, MORE_STREAM, share_of_design, err));
  SLOE_TRY(draw_layers(p, sloe_split_design, KNOWN_STREAM, share_of_design, err));
  p->bench->phase = "timing held-out layers";
  SLOE_TRY(draw_layers(p, sloe_split_held_out, HELD_OUT_STREAM, share_of_layers, err));
  SLOE_TRY(measure_again(p, err));
  SLOE_TRY(measure_networks(p, err));
  return measure_disturbed(p, err);
}

/* From their file; where it is not there, from the device, into it. */
static sloe_status find_proposals(profiler *p, sloe_error *err) {
  const char *path = p->options->proposals;
  if (!path) return SLOE_OK;
  const sloe_status status = sloe_proposals_read(path, &p->proposals, err);
  if (status != SLOE_NOTFOUND) return status;
  p->bench->phase = "asking for kernels";
  const sloe_status asked = sloe_proposals_ask(p->bench, &p->limits, &p->proposals, err);
  if (asked != SLOE_OK) return sloe_fail_in(err, asked, "there is no table %s", path);
  return sloe_proposals_write(&p->proposals, path, err);
}

static sloe_status open_bench(profiler *p, const sloe_watch *watch, sloe_error *err) {
  char db[4096], plan[128];
  snprintf(plan, sizeof plan, "profile-2 seed=%" PRIu64, p->seed);
  if (p->options->max_gflop > 0)
    snprintf(plan + strlen(plan), sizeof plan - strlen(plan), " macs=%" PRIu64, p->limits.macs);
  if (p->limits.batch > 1)
    snprintf(plan + strlen(plan), sizeof plan - strlen(plan), " batch=%" PRId64, p->limits.batch);
  const char *given = p->options->db;
  if (!given && (size_t)snprintf(db, sizeof db, "%s.db", p->options->out) >= sizeof db)
    return sloe_fail(err, SLOE_USAGE, "the path of the platform is too long");
  const sloe_bench_options options = {p->options->backend, given ? given : db, plan,
                                      p->options->budget_s, watch};
  SLOE_TRY(sloe_bench_open(&options, &p->bench, err));
  p->bench->total = p->n_points;
  return SLOE_OK;
}

/* Of still less there are kinds that have no layer. */
static sloe_status check_limit(const sloe_profile_options *options, sloe_error *err) {
  if (options->max_gflop > 0 && options->max_gflop < LEAST_GFLOP)
    return sloe_fail(err, SLOE_USAGE, "max-gflop %g: at least %g is needed", options->max_gflop,
                     LEAST_GFLOP);
  return SLOE_OK;
}

sloe_status sloe_profile(const sloe_profile_options *options, const sloe_watch *watch,
                         sloe_profile_summary *out, sloe_error *err) {
  const double begun = now_s();
  *out = (sloe_profile_summary){.layer_rmspe = NAN,
                                .layer_mape = NAN,
                                .layer_max_ape = NAN,
                                .network_mape = NAN,
                                .network_max_ape = NAN,
                                .plan_s = NAN};
  profiler *p = sloe_alloc(1, sizeof *p);
  if (!p) return sloe_fail(err, SLOE_NOMEM, "out of memory profiling");
  *p = (profiler){
      .options = options,
      .complete = 1,
      .seed = options->seed ? options->seed : 1,
      .limits = {.macs = (uint64_t)(5e8 * (options->max_gflop > 0 ? options->max_gflop : 20)),
                 .batch = options->max_batch > 1 ? options->max_batch : 1}};
  sloe_status status = check_limit(options, err);
  if (status == SLOE_OK && size_of(p, KNOWN_STREAM))
    status = sloe_design_known_init(&p->known, err);
  if (status == SLOE_OK) out->points = p->n_points = plan(p, out);
  if (status == SLOE_OK && !out->points)
    status = sloe_fail(err, SLOE_USAGE, "only: no op begins with '%.40s'", options->only);
  if (status == SLOE_OK && options->plan_only) ask_how_long(p, out);
  if (status == SLOE_OK && !options->plan_only) {
    status = open_bench(p, watch, err);
    if (status == SLOE_OK) status = measure_all(p, err);
    if (status == SLOE_OK) status = find_proposals(p, err);
    if (status == SLOE_OK && !options->no_fit) status = fit_and_write(p, begun, out, err);
    if (p->bench) {
      out->points_measured = p->bench->measured;
      out->points_reused = p->bench->reused;
      out->points_refused = p->bench->refused;
    }
    sloe_bench_close(p->bench);
    sloe_proposals_fini(&p->proposals);
  }
  out->heldout_layers = p->n_held_out;
  out->heldout_networks = p->n_networks;
  out->complete = p->complete && !options->plan_only;
  out->seconds = now_s() - begun;
  sloe_design_known_fini(&p->known);
  sloe_dealloc(p);
  return status;
}
