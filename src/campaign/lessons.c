#include "campaign/lessons.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/gzip.h"
#include "base/sort_numbers.h"
#include "campaign/busy.h"

enum { ARENA_LIMIT = 1 << 30, LEAST_ROWS = 10 };

static const double BUSY = 1.25; /* of what a move of memory took in the quietest tenth of rows */
static const uint64_t TABLE_LIMIT = UINT64_C(1) << 30; /* bytes, unpacked */

typedef struct reading {
  const sloe_lessons_options *options;
  sloe_lessons *out;
  sloe_eval_table table;
  int *opened;       /* [nets] its features are known */
  double *feature;   /* [nets][all features] */
  double *layers;    /* [nets][metrics] */
  sloe_pace *pace;   /* [nets] */
  size_t n_all;      /* features */
  size_t cap_layers; /* of the layers' terms */
  double *terms, *traits;
  uint64_t *family;
  double quiet_ms, *busy; /* of a move (busy.h); [rows] */
  sloe_error *err;
} reading;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory reading what is to be learned");
}

/* ---- the table, grouped by kind ---- */

static sloe_status has_column(const char *path, const char *name, int *out, sloe_error *err) {
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *r = NULL;
  *out = 0;
  SLOE_TRY(sloe_gzip_open(path, TABLE_LIMIT, &file, err));
  const sloe_status status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &r, err);
  if (status == SLOE_OK) *out = sloe_csv_reader_find(r, name) >= 0;
  sloe_csv_reader_close(r);
  sloe_gzip_close(file);
  return status == SLOE_OK ? status : sloe_fail_in(err, status, "%s", path);
}

static sloe_status read_by(reading *r, const char *column) {
  const sloe_evaluate_options options = {.table = r->options->table, .by = *column ? column : NULL};
  r->out->kind_column = column;
  return sloe_eval_table_read(&options, &r->out->arena, &r->table, r->err);
}

/* The column asked for; else the first of family and variant that tells kinds apart. */
static sloe_status read_table(reading *r) {
  static const char *const columns[] = {"family", "variant", ""};
  if (r->options->kinds) return read_by(r, r->options->kinds);
  for (size_t i = 0;; i++) {
    int there = !*columns[i];
    if (!there) SLOE_TRY(has_column(r->options->table, columns[i], &there, r->err));
    if (!there) continue;
    SLOE_TRY(read_by(r, columns[i]));
    if (!*columns[i] || r->table.n_groups > 1) return SLOE_OK;
  }
}

/* ---- layers of a network ---- */

static sloe_status ask_layers(reading *r, const sloe_layers *layers, size_t net) {
  double *out = r->layers + net * SLOE_EVAL_METRICS;
  const sloe_estimate_options how = {.method = r->options->method};
  sloe_estimate *answer = NULL;
  SLOE_TRY(sloe_estimate_new(layers, r->options->platform, &how, &answer, r->err));
  const sloe_result *result = sloe_estimate_get(answer);
#define TAKE_VALUE(name) out[SLOE_EVAL_##name] = result->name.value;
  SLOE_EVAL_METRIC_MAP(TAKE_VALUE)
#undef TAKE_VALUE
  r->pace[net] = *sloe_estimate_pace(answer);
  sloe_estimate_free(answer);
  return SLOE_OK;
}

/* Room for twice as many layers. */
static sloe_status grow(reading *r) {
  sloe_arena *arena = &r->out->arena;
  const size_t n = r->out->layer.n, cap = r->cap_layers ? 2 * r->cap_layers : 4096;
  double *terms = SLOE_ARENA_NEW(arena, double, cap *SLOE_LAYER_TERMS);
  double *traits = SLOE_ARENA_NEW(arena, double, cap *SLOE_LAYER_TRAITS);
  uint64_t *family = SLOE_ARENA_NEW(arena, uint64_t, cap);
  if (!terms || !traits || !family) return no_memory(r->err);
  if (n) {
    memcpy(terms, r->terms, n * SLOE_LAYER_TERMS * sizeof *terms);
    memcpy(traits, r->traits, n * SLOE_LAYER_TRAITS * sizeof *traits);
    memcpy(family, r->family, n * sizeof *family);
  }
  r->terms = terms, r->traits = traits, r->family = family;
  r->cap_layers = cap;
  r->out->layer = (sloe_layer_rows){n, terms, traits, family};
  return SLOE_OK;
}

static sloe_status take_layers(reading *r, const sloe_layers *layers) {
  const double bytes = (double)sloe_precision_bytes(r->out->fusion.precision);
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    if (layer->kind == SLOE_LAYER_VIEW) continue;
    if (r->out->layer.n == r->cap_layers) SLOE_TRY(grow(r));
    const size_t n = r->out->layer.n++;
    sloe_layer_terms(layer, bytes, r->terms + n * SLOE_LAYER_TERMS);
    sloe_layer_traits(layer, r->traits + n * SLOE_LAYER_TRAITS);
    r->family[n] = sloe_layer_family(layer);
  }
  return SLOE_OK;
}

static sloe_status open_layers(reading *r, size_t i, const sloe_net *net) {
  sloe_layers *layers = NULL;
  if (!r->layers && !r->options->sums) return SLOE_OK;
  SLOE_TRY(sloe_layers_new(net, &r->out->fusion, &layers, r->err));
  sloe_status status = SLOE_OK;
  if (r->layers) status = ask_layers(r, layers, i);
  if (status == SLOE_OK && r->options->sums) status = take_layers(r, layers);
  sloe_layers_free(layers);
  return status;
}

static sloe_status open_net(reading *r, size_t i, const char *path) {
  const sloe_net_options how = {.batch = r->table.nets[i].batch};
  sloe_net *net = NULL;
  SLOE_TRY(sloe_net_open(path, &how, &net, r->err));
  const sloe_net_info *info = sloe_net_get_info(net);
  for (size_t j = 0; j < r->n_all; j++) r->feature[i * r->n_all + j] = info->features[j].value;
  r->out->input_elements[i] = info->features[sloe_feature_find("input_elements")].value;
  const sloe_status status = open_layers(r, i, net);
  sloe_net_free(net);
  return status;
}

/* A net that cannot be read costs its rows; only memory that ran out fails the whole. */
static sloe_status open_nets(reading *r) {
  const sloe_watch *watch = r->options->watch;
  for (size_t i = 0; i < r->table.n_nets; i++) {
    if (watch && watch->stop && watch->stop(watch->context))
      return sloe_fail(r->err, SLOE_STOPPED, "stopped after %zu of %zu nets", i, r->table.n_nets);
    sloe_error why = {0}, *err = r->err;
    const char *path = sloe_eval_net_path(&r->out->arena, r->options->table, r->table.nets[i].text);
    if (!path) return no_memory(err);
    r->out->first[i] = r->out->layer.n;
    r->err = &why;
    const sloe_status status = open_net(r, i, path);
    r->err = err;
    r->opened[i] = status == SLOE_OK;
    if (status == SLOE_NOMEM) return sloe_fail(err, status, "%s", why.msg);
    if (status != SLOE_OK && !r->out->why &&
        !(r->out->why = sloe_arena_printf(&r->out->arena, "%s", why.msg)))
      return no_memory(err);
    const sloe_progress now = {"reading networks", i + 1, r->table.n_nets, NAN, NAN};
    if (watch && watch->progress) watch->progress(watch->context, &now);
  }
  r->out->first[r->table.n_nets] = r->out->layer.n;
  return SLOE_OK;
}

static sloe_status count_features(reading *r, const sloe_feature **out, sloe_net **net) {
  SLOE_TRY(sloe_net_open("zoo:chain,layers=1,filters=1", NULL, net, r->err));
  *out = sloe_net_get_info(*net)->features;
  r->n_all = sloe_net_get_info(*net)->n_features;
  return SLOE_OK;
}

static int asks_layers(const reading *r) {
  if (!r->options->platform) return 0;
  return r->options->method == SLOE_METHOD_AUTO ||
         sloe_fitted_has_layers(r->options->platform->fitted);
}

static sloe_status make_room(reading *r) {
  sloe_arena *arena = &r->out->arena;
  const size_t n = r->table.n_nets + 1;
  r->opened = SLOE_ARENA_NEW(arena, int, n);
  r->feature = SLOE_ARENA_NEW(arena, double, n * r->n_all);
  r->out->first = SLOE_ARENA_NEW(arena, size_t, n);
  r->out->input_elements = SLOE_ARENA_NEW(arena, double, n);
  r->out->nets = r->table.nets;
  int room = r->opened && r->feature && r->out->first && r->out->input_elements;
  if (asks_layers(r)) {
    r->layers = SLOE_ARENA_NEW(arena, double, n *SLOE_EVAL_METRICS);
    r->pace = SLOE_ARENA_NEW(arena, sloe_pace, n);
    room = room && r->layers && r->pace;
  }
  return room ? SLOE_OK : no_memory(r->err);
}

/* ---- rows ---- */

static int is_taken(const reading *r, const sloe_eval_row *row) {
  return row->ok && r->opened[row->net];
}

static void count_rows(reading *r) {
  for (size_t i = 0; i < r->table.n_rows; i++) {
    const sloe_eval_row *row = &r->table.rows[i];
    r->out->n += (size_t)is_taken(r, row);
    r->out->left_out += !row->ok;
    r->out->refused += row->ok && !r->opened[row->net];
  }
}

/* What all rows that say something say of who measured them. */
static sloe_status take_who(reading *r) {
  for (int w = 0; w < SLOE_EVAL_WHOS; w++) {
    r->out->who[w] = NULL;
    for (size_t i = 0; i < r->table.n_rows; i++) {
      const sloe_eval_row *row = &r->table.rows[i];
      if (!is_taken(r, row) || !*row->who[w]) continue;
      if (!r->out->who[w]) r->out->who[w] = row->who[w];
      if (strcmp(r->out->who[w], row->who[w]) != 0)
        return sloe_fail(r->err, SLOE_FORMAT,
                         "%s: rows of '%.40s' and of '%.40s' in the column %s cannot be learned "
                         "together",
                         r->options->table, r->out->who[w], row->who[w], sloe_eval_who[w]);
    }
    if (!r->out->who[w]) r->out->who[w] = "";
  }
  return SLOE_OK;
}

/* By itself nothing that counts a file as it is: an exported network and the graph that it was
   trained as have to get the same answer. */
static int is_wanted(const char *list, const char *name) {
  const size_t len = strlen(name);
  if (!list) return len < 4 || strcmp(name + len - 4, "_raw") != 0;
  for (; list && *list; list += strcspn(list, ","), list += *list == ',')
    if (strcspn(list, ",") == len && memcmp(list, name, len) == 0) return 1;
  return 0;
}

static int varies(const reading *r, size_t j) {
  const sloe_eval_row *first = NULL;
  for (size_t i = 0; i < r->table.n_rows; i++) {
    const sloe_eval_row *row = &r->table.rows[i];
    if (!is_taken(r, row)) continue;
    if (!first) first = row;
    if (r->feature[(size_t)row->net * r->n_all + j] !=
        r->feature[(size_t)first->net * r->n_all + j])
      return 1;
  }
  return 0;
}

static sloe_status check_features(const reading *r) {
  for (const char *list = r->options->features; list && *list;) {
    char name[64] = "";
    const size_t len = strcspn(list, ",");
    if (len < sizeof name) memcpy(name, list, len);
    if (sloe_feature_find(name) < 0)
      return sloe_fail(r->err, SLOE_USAGE, "no feature '%.*s'; 'sloe info --features' names them",
                       (int)(len < 60 ? len : 60), list);
    list += len;
    list += *list == ',';
  }
  return SLOE_OK;
}

/* Those wanted that vary, or those that do not. */
static sloe_status add_features(reading *r, const sloe_feature *all, int vary) {
  sloe_lessons *out = r->out;
  for (size_t j = 0; j < r->n_all; j++) {
    if (!is_wanted(r->options->features, all[j].name) || varies(r, j) != vary) continue;
    out->feature[out->n_features] = sloe_arena_printf(&out->arena, "%s", all[j].name);
    if (!out->feature[out->n_features]) return no_memory(r->err);
    out->at[out->n_features++] = (uint32_t)j;
  }
  return SLOE_OK;
}

static sloe_status choose_features(reading *r, const sloe_feature *all) {
  sloe_lessons *out = r->out;
  SLOE_TRY(check_features(r));
  out->feature = SLOE_ARENA_NEW(&out->arena, const char *, r->n_all);
  out->at = SLOE_ARENA_NEW(&out->arena, uint32_t, r->n_all);
  if (!out->feature || !out->at) return no_memory(r->err);
  SLOE_TRY(add_features(r, all, 1));
  out->n_varying = out->n_features;
  if (!out->n_varying)
    return sloe_fail(r->err, SLOE_FORMAT, "%s: no feature differs between the networks",
                     r->options->table);
  return add_features(r, all, 0);
}

/* The platform's reference, else the median of the rows'; NAN unless every timed row has one. */
static sloe_status choose_reference(reading *r) {
  sloe_lessons *out = r->out;
  double *refs = SLOE_ARENA_NEW(&out->arena, double, r->table.n_rows + 1);
  size_t n = 0, timed = 0;
  if (!refs) return no_memory(r->err);
  for (size_t i = 0; i < r->table.n_rows; i++) {
    const sloe_eval_row *row = &r->table.rows[i];
    if (!is_taken(r, row) || isnan(row->measured[SLOE_EVAL_latency_ms])) continue;
    timed++;
    if (row->ref_ms > 0 && !isinf(row->ref_ms)) refs[n++] = row->ref_ms;
  }
  out->reference_ms = NAN;
  if (!n || n < timed) return SLOE_OK;
  sloe_sort_doubles(refs, n);
  out->reference_ms = refs[n / 2];
  const double platform = r->options->platform ? r->options->platform->reference_ms : NAN;
  if (platform > 0) out->reference_ms = platform;
  return SLOE_OK;
}

static void take_row(reading *r, size_t i, const sloe_eval_row *row) {
  sloe_lessons *out = r->out;
  for (size_t j = 0; j < out->n_features; j++)
    out->x[i * out->n_features + j] = r->feature[(size_t)row->net * r->n_all + out->at[j]];
  for (int m = 0; m < SLOE_EVAL_METRICS; m++) {
    const double y = row->measured[m];
    out->y[m][i] = y > 0 && !isinf(y) ? y : NAN;
    if (out->layers[m])
      out->layers[m][i] = r->layers[(size_t)row->net * SLOE_EVAL_METRICS + (size_t)m];
  }
  if (out->pace) out->pace[i] = r->pace[row->net];
  if (!isnan(out->reference_ms)) out->y[SLOE_EVAL_latency_ms][i] *= out->reference_ms / row->ref_ms;
  out->net[i] = (size_t)row->net;
  r->busy[i] = sloe_busy(row->move_ms, r->quiet_ms);
  if (out->kind) out->kind[i] = (size_t)row->group;
}

static sloe_status take_rows(reading *r) {
  sloe_lessons *out = r->out;
  int room = 1;
  out->x = SLOE_ARENA_NEW(&out->arena, double, out->n * out->n_features);
  out->net = SLOE_ARENA_NEW(&out->arena, size_t, out->n);
  r->busy = SLOE_ARENA_NEW(&out->arena, double, out->n);
  for (int m = 0; m < SLOE_EVAL_METRICS; m++) {
    room &= (out->y[m] = SLOE_ARENA_NEW(&out->arena, double, out->n)) != NULL;
    if (r->layers) room &= (out->layers[m] = SLOE_ARENA_NEW(&out->arena, double, out->n)) != NULL;
  }
  if (r->layers) room &= (out->pace = SLOE_ARENA_NEW(&out->arena, sloe_pace, out->n)) != NULL;
  out->n_kinds = r->table.n_groups > 1 ? r->table.n_groups : 1;
  if (out->n_kinds > 1) room &= (out->kind = SLOE_ARENA_NEW(&out->arena, size_t, out->n)) != NULL;
  if (!out->x || !out->net || !r->busy || !room) return no_memory(r->err);
  for (size_t i = 0, at = 0; i < r->table.n_rows; i++)
    if (is_taken(r, &r->table.rows[i])) take_row(r, at++, &r->table.rows[i]);
  return SLOE_OK;
}

/* ---- the whole ---- */

/* "8.2.1" -> 802 */
static int fusion_version(const char *version) {
  int major = 0, minor = 0;
  while (*version >= '0' && *version <= '9' && major < 1000) major = 10 * major + *version++ - '0';
  if (*version == '.')
    for (version++; *version >= '0' && *version <= '9' && minor < 10; version++)
      minor = 10 * minor + *version - '0';
  return major * 100 + (minor < 100 ? minor : 99);
}

static const char *first_who(const reading *r, int w) {
  for (size_t i = 0; i < r->table.n_rows; i++)
    if (r->table.rows[i].ok && *r->table.rows[i].who[w]) return r->table.rows[i].who[w];
  return "";
}

/* The platform's rules; else those of the runtime that the first row that says one names. */
static sloe_status choose_fusion(reading *r) {
  sloe_fusion *out = &r->out->fusion;
  if (r->options->platform) {
    *out = r->options->platform->fusion;
    return SLOE_OK;
  }
  const char *runtime = first_who(r, SLOE_EVAL_WHO_runtime),
             *precision = first_who(r, SLOE_EVAL_WHO_precision);
  if (*precision) SLOE_TRY(sloe_precision_parse(precision, &out->precision, r->err));
  if (sloe_runtime_parse(runtime, &out->runtime, NULL) != SLOE_OK)
    out->runtime = strncmp(runtime, "trt", 3) ? SLOE_RUNTIME_NONE : SLOE_RUNTIME_TENSORRT;
  if (out->runtime == SLOE_RUNTIME_TENSORRT)
    out->version = fusion_version(first_who(r, SLOE_EVAL_WHO_version));
  return SLOE_OK;
}

/* Rows beside which others kept memory busy, where rows say so, as of another quality: their times
   are of another machine, and their reference does not show it. */
static sloe_status leave_out_busy(reading *r) {
  double *moves = SLOE_ARENA_NEW(&r->out->arena, double, r->table.n_rows + 1);
  size_t n = 0;
  if (!moves) return no_memory(r->err);
  for (size_t i = 0; i < r->table.n_rows; i++)
    if (r->table.rows[i].move_ms > 0) moves[n++] = r->table.rows[i].move_ms;
  r->quiet_ms = sloe_quiet_move_ms(moves, n);
  for (size_t i = 0; n && i < r->table.n_rows; i++)
    if (r->table.rows[i].move_ms > BUSY * r->quiet_ms) r->table.rows[i].ok = 0;
  return SLOE_OK;
}

/* What others took of the rest's times, where layers tell how long each takes on a quiet machine.
 */
static sloe_status take_off_busy(const reading *r) {
  sloe_lessons *out = r->out;
  double *y = out->y[SLOE_EVAL_latency_ms], *told = out->layers[SLOE_EVAL_latency_ms];
  double *busy = SLOE_ARENA_NEW(&out->arena, double, 2 * out->n + 1), *off = busy + out->n;
  size_t n = 0;
  if (!busy) return no_memory(r->err);
  for (size_t i = 0; told && i < out->n; i++) {
    if (!(y[i] > 0) || !(told[i] > 0)) continue;
    busy[n] = r->busy[i];
    off[n++] = log(y[i] / told[i]);
  }
  const double power = sloe_busy_power(busy, off, n);
  for (size_t i = 0; i < out->n; i++) y[i] *= exp(-power * r->busy[i]);
  return SLOE_OK;
}

static sloe_status read_all(reading *r, const sloe_feature *all) {
  sloe_lessons *out = r->out;
  SLOE_TRY(leave_out_busy(r));
  SLOE_TRY(choose_fusion(r));
  SLOE_TRY(make_room(r));
  SLOE_TRY(open_nets(r));
  count_rows(r);
  const size_t least = r->options->least ? r->options->least : LEAST_ROWS;
  if (out->n < least)
    return sloe_fail(r->err, SLOE_FORMAT,
                     "%s: %zu rows to learn from, at least %zu are needed (%zu of another quality "
                     "than ok, %zu whose network cannot be read%s%s)",
                     r->options->table, out->n, least, out->left_out, out->refused,
                     out->why ? ": " : "", out->why ? out->why : "");
  SLOE_TRY(take_who(r));
  SLOE_TRY(choose_features(r, all));
  SLOE_TRY(choose_reference(r));
  SLOE_TRY(take_rows(r));
  return take_off_busy(r);
}

sloe_status sloe_lessons_read(const sloe_lessons_options *options, sloe_lessons *out,
                              sloe_error *err) {
  reading r = {.options = options, .out = out, .err = err};
  const sloe_feature *all;
  sloe_net *net = NULL;
  *out = (sloe_lessons){.kind_column = "", .reference_ms = NAN};
  sloe_arena_init(&out->arena, ARENA_LIMIT);
  SLOE_TRY(count_features(&r, &all, &net));
  sloe_status status = read_table(&r);
  if (status == SLOE_OK) status = read_all(&r, all);
  sloe_net_free(net);
  return status;
}

void sloe_lessons_fini(sloe_lessons *lessons) {
  sloe_arena_fini(&lessons->arena);
  *lessons = (sloe_lessons){.kind_column = ""};
}
