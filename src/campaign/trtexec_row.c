#include "campaign/trtexec_row.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "net/net.h"

void sloe_trt_row_init(sloe_trt_row *row) {
  *row = (sloe_trt_row){.net = "",
                        .device = "",
                        .version = "",
                        .precision = "",
                        .batch = -1,
                        .latency_ms = NAN,
                        .latency_min_ms = NAN,
                        .latency_mean_ms = NAN,
                        .latency_max_ms = NAN,
                        .latency_median_ms = NAN,
                        .p75 = NAN,
                        .p97_5 = NAN,
                        .p90 = NAN,
                        .p95 = NAN,
                        .p99 = NAN,
                        .host_ms = NAN,
                        .h2d_ms = NAN,
                        .d2h_ms = NAN,
                        .enqueue_ms = NAN,
                        .end_to_end_ms = NAN,
                        .throughput_qps = NAN,
                        .sum_of_layers_ms = NAN,
                        .quality = "ok",
                        .row = "network",
                        .runs = -1,
                        .weights_mb = NAN,
                        .activations_mb = NAN,
                        .workspace_mb = NAN,
                        .source = "",
                        .layer_index = -1,
                        .layer = "",
                        .role = "",
                        .layer_type = "",
                        .kind = "",
                        .tactic = "",
                        .found = "",
                        .ours = "",
                        .difference = "",
                        .share = NAN,
                        .total_ms = NAN};
}

void sloe_trt_row_fini(sloe_trt_row *row) {
  sloe_text_fini(&row->reason);
  sloe_text_fini(&row->remarks);
  sloe_text_fini(&row->ops);
}

void sloe_trt_say(sloe_text *text, const char *format, ...) {
  char said[400];
  va_list ap;
  va_start(ap, format);
  vsnprintf(said, sizeof said, format, ap);
  va_end(ap);
  if (text->len) sloe_text_add(text, "; ");
  sloe_text_add(text, said);
}

/* ---- fields ---- */

static void string(sloe_csv_writer *w, const char *s) {
  sloe_csv_writer_string(w, s);
}

static void text(sloe_csv_writer *w, const sloe_text *s) {
  sloe_csv_writer_string(w, s->data ? s->data : "");
}

static void number(sloe_csv_writer *w, double x) {
  sloe_csv_writer_number(w, isfinite(x) ? x : NAN);
}

static void count(sloe_csv_writer *w, int64_t n) {
  if (n < 0)
    sloe_csv_writer_string(w, "");
  else
    sloe_csv_writer_int(w, n);
}

static void positive(sloe_csv_writer *w, int64_t n) {
  count(w, n ? n : -1);
}

static void flag(sloe_csv_writer *w, int on) {
  sloe_csv_writer_string(w, on < 0 ? "" : on ? "yes" : "no");
}

static void pair(sloe_csv_writer *w, const int64_t *x) {
  char buf[64];
  if (x && x[0])
    snprintf(buf, sizeof buf, "%lldx%lld", (long long)x[0], (long long)x[1]);
  else
    buf[0] = 0;
  sloe_csv_writer_string(w, buf);
}

static void shape(sloe_csv_writer *w, const sloe_trt_tensor *t, size_t n) {
  char buf[SLOE_SHAPE_BUF];
  sloe_csv_writer_string(w, n && t->shape.rank >= 0 ? sloe_shape_print(&t->shape, buf) : "");
}

/* A run's place and clocks are told by no log of trtexec: a power mode is nowhere in it. */
static const char *reproducible(const sloe_trt_row *r) {
  if (!r->run) return "no: no log";
  return *r->run->device ? "no: power mode and clocks are not in a log of trtexec"
                         : "no: the log names no device";
}

/* ---- columns ---- */

static const sloe_trt_run NO_RUN = {.command = "",
                                    .device = "",
                                    .model = "",
                                    .load_engine = "",
                                    .shapes = "",
                                    .gpu_mhz = NAN,
                                    .memory_mhz = NAN,
                                    .memory_mib = NAN,
                                    .build_s = NAN,
                                    .engine_mib = NAN,
                                    .runtime_mib = NAN,
                                    .streams = -1,
                                    .cuda_graph = -1,
                                    .spin_wait = -1,
                                    .transfers = -1};
static const sloe_trt_layer NO_INFO = {.name = ""};
static const double MIB = 1.048576;

/*  X(column, how it is written) of r: the record, run: its log, info: of its layer */
#define TABLE_COLUMN_MAP(X)                                                    \
  X("net", string(w, r->net))                                                  \
  X("device", string(w, r->device))                                            \
  X("runtime", string(w, "tensorrt"))                                          \
  X("version", string(w, r->version))                                          \
  X("precision", string(w, r->precision))                                      \
  X("mode", string(w, ""))                                                     \
  X("batch", positive(w, r->batch))                                            \
  X("latency_ms", number(w, r->latency_ms))                                    \
  X("latency_min_ms", number(w, r->latency_min_ms))                            \
  X("latency_mean_ms", number(w, r->latency_mean_ms))                          \
  X("p75", number(w, r->p75))                                                  \
  X("p97_5", number(w, r->p97_5))                                              \
  X("host_ms", number(w, r->host_ms))                                          \
  X("sum_of_layers_ms", number(w, r->sum_of_layers_ms))                        \
  X("quality", string(w, r->quality))                                          \
  X("space", string(w, ""))                                                    \
  X("split", string(w, ""))                                                    \
  X("row", string(w, r->row))                                                  \
  X("reason", text(w, &r->reason))                                             \
  X("remarks", text(w, &r->remarks))                                           \
  X("reproducible", string(w, reproducible(r)))                                \
  X("runs", count(w, r->runs))                                                 \
  X("latency_median_ms", number(w, r->latency_median_ms))                      \
  X("latency_max_ms", number(w, r->latency_max_ms))                            \
  X("p90", number(w, r->p90))                                                  \
  X("p95", number(w, r->p95))                                                  \
  X("p99", number(w, r->p99))                                                  \
  X("h2d_ms", number(w, r->h2d_ms))                                            \
  X("d2h_ms", number(w, r->d2h_ms))                                            \
  X("enqueue_ms", number(w, r->enqueue_ms))                                    \
  X("end_to_end_ms", number(w, r->end_to_end_ms))                              \
  X("throughput_qps", number(w, r->throughput_qps))                            \
  X("layer_index", count(w, r->layer_index))                                   \
  X("layer", string(w, r->layer))                                              \
  X("role", string(w, r->role))                                                \
  X("kind", string(w, r->kind))                                                \
  X("ops", text(w, &r->ops))                                                   \
  X("found", string(w, r->found))                                              \
  X("our_layer", string(w, r->ours))                                           \
  X("difference", string(w, r->difference))                                    \
  X("share", number(w, r->share))                                              \
  X("total_ms", number(w, r->total_ms))                                        \
  X("layer_type", string(w, r->layer_type))                                    \
  X("kernel", pair(w, info->kernel))                                           \
  X("stride", pair(w, info->stride))                                           \
  X("groups", positive(w, info->groups))                                       \
  X("filters", positive(w, info->filters))                                     \
  X("input", shape(w, info->in, info->n_in))                                   \
  X("output", shape(w, info->out, info->n_out))                                \
  X("tactic", string(w, r->tactic))                                            \
  X("model", string(w, *run->model ? run->model : run->load_engine))           \
  X("shapes", string(w, run->shapes))                                          \
  X("streams", count(w, run->streams))                                         \
  X("cuda_graph", flag(w, run->cuda_graph))                                    \
  X("spin_wait", flag(w, run->spin_wait))                                      \
  X("transfers", flag(w, run->transfers))                                      \
  X("gpu", string(w, run->device))                                             \
  X("compute_capability",                                                      \
    number(w, run->compute_capability ? run->compute_capability / 10.0 : NAN)) \
  X("sms", positive(w, run->sms))                                              \
  X("gpu_mhz_most", number(w, run->gpu_mhz))                                   \
  X("memory_mhz_told", number(w, run->memory_mhz))                             \
  X("ram_mb", number(w, run->memory_mib *MIB))                                 \
  X("build_s", number(w, run->build_s))                                        \
  X("engine_mb", number(w, run->engine_mib *MIB))                              \
  X("tensorrt_mb", number(w, run->runtime_mib *MIB))                           \
  X("weights_mb", number(w, r->weights_mb))                                    \
  X("activations_mb", number(w, r->activations_mb))                            \
  X("workspace_mb", number(w, r->workspace_mb))                                \
  X("command", string(w, run->command))                                        \
  X("source", string(w, r->source))

sloe_status sloe_trt_row_write_header(sloe_csv_writer *w, sloe_error *err) {
#define COLUMN(name, write) sloe_csv_writer_string(w, name);
  TABLE_COLUMN_MAP(COLUMN)
#undef COLUMN
  return sloe_csv_writer_end_record(w, err);
}

sloe_status sloe_trt_row_write(const sloe_trt_row *r, sloe_csv_writer *w, sloe_error *err) {
  const sloe_trt_run *run = r->run ? r->run : &NO_RUN;
  const sloe_trt_layer *info = r->info ? r->info : &NO_INFO;
  if (r->reason.failed || r->remarks.failed || r->ops.failed)
    return sloe_fail(err, SLOE_NOMEM, "out of memory importing");
#define COLUMN(name, write) write;
  TABLE_COLUMN_MAP(COLUMN)
#undef COLUMN
  return sloe_csv_writer_end_record(w, err);
}
