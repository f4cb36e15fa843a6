/* measured_table.c: measurements as a measurement table, with the store's column names. */
#include <math.h>

#include "base/csv.h"
#include "campaign/session.h"

typedef struct row {
  const char *name; /* the NET as given */
  const sloe_device_info *info;
  const sloe_result *result;
  const sloe_measured_extra *extra;
  int64_t batch;
} row;

/*  X(column, how it is written from `r` to `csv`) */
#define TABLE_COLUMN_MAP(X)                                                      \
  X("net", sloe_csv_writer_string(csv, r->name))                                 \
  X("device", sloe_csv_writer_string(csv, r->info->device))                      \
  X("runtime", sloe_csv_writer_string(csv, r->info->runtime))                    \
  X("version", sloe_csv_writer_string(csv, r->info->version))                    \
  X("precision", sloe_csv_writer_string(csv, r->info->precision))                \
  X("mode", sloe_csv_writer_string(csv, r->info->mode))                          \
  X("batch", sloe_csv_writer_int(csv, r->batch))                                 \
  X("threads", sloe_csv_writer_int(csv, r->info->threads))                       \
  X("latency_ms", sloe_csv_writer_number(csv, r->result->latency_ms.value))      \
  X("latency_min_ms", sloe_csv_writer_number(csv, r->extra->latency_min_ms))     \
  X("latency_mean_ms", sloe_csv_writer_number(csv, r->extra->latency_mean_ms))   \
  X("p75", sloe_csv_writer_number(csv, r->result->latency_p75_ms))               \
  X("p97_5", sloe_csv_writer_number(csv, r->result->latency_p97_5_ms))           \
  X("host_ms", sloe_csv_writer_number(csv, r->extra->host_ms))                   \
  X("sum_of_layers_ms", sloe_csv_writer_number(csv, r->extra->sum_of_layers_ms)) \
  X("ref_ms", sloe_csv_writer_number(csv, r->extra->ref_ms))                     \
  X("power_w", sloe_csv_writer_number(csv, r->result->power_w.value))            \
  X("power_rail", sloe_csv_writer_string(csv, r->result->power_rail))            \
  X("energy_mj", sloe_csv_writer_number(csv, r->result->energy_mj.value))        \
  X("memory_mb", sloe_csv_writer_number(csv, r->result->memory_mb.value))        \
  X("memory_kind", sloe_csv_writer_string(csv, r->result->memory_kind))          \
  X("quality", sloe_csv_writer_string(csv, r->extra->quality))                   \
  X("runs", sloe_csv_writer_int(csv, (int64_t)r->extra->n_runs))                 \
  X("isolated_sum_ms", sloe_csv_writer_number(csv, r->extra->isolated_sum_ms))   \
  X("peak_w", sloe_csv_writer_number(csv, r->extra->peak_w))                     \
  X("idle_w", sloe_csv_writer_number(csv, r->extra->idle_w))                     \
  X("dynamic_mj", sloe_csv_writer_number(csv, r->extra->dynamic_mj))             \
  X("weights_mb", sloe_csv_writer_number(csv, r->extra->weights_mb))             \
  X("activations_mb", sloe_csv_writer_number(csv, r->extra->activations_mb))     \
  X("workspace_mb", sloe_csv_writer_number(csv, r->extra->workspace_mb))         \
  X("move_ms", sloe_csv_writer_number(csv, r->extra->move_ms))

static void write_header(sloe_csv_writer *csv) {
#define SLOE_TABLE_NAME(name, write) sloe_csv_writer_string(csv, name);
  TABLE_COLUMN_MAP(SLOE_TABLE_NAME)
#undef SLOE_TABLE_NAME
}

static void write_row(sloe_csv_writer *csv, const row *r) {
#define SLOE_TABLE_FIELD(name, write) write;
  TABLE_COLUMN_MAP(SLOE_TABLE_FIELD)
#undef SLOE_TABLE_FIELD
}

static sloe_status keep_text(void *context, const void *data, size_t len, sloe_error *err) {
  sloe_text_addn(context, data, len);
  if (!((sloe_text *)context)->failed) return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory writing a table");
}

static sloe_status write_table(sloe_csv_writer *csv, const sloe_session *session,
                               const char *const *names, sloe_measured *const *measured, size_t n,
                               sloe_error *err) {
  write_header(csv);
  SLOE_TRY(sloe_csv_writer_end_record(csv, err));
  for (size_t i = 0; i < n; i++) {
    const sloe_layers *layers = measured[i]->answer.layers;
    const row r = {names[i], sloe_device_describe(session->device), &measured[i]->result,
                   &measured[i]->extra, sloe_net_get_info(sloe_layers_net(layers))->batch};
    write_row(csv, &r);
    SLOE_TRY(sloe_csv_writer_end_record(csv, err));
  }
  return sloe_csv_writer_flush(csv, err);
}

sloe_status sloe_measured_table(const sloe_session *session, const char *const *names,
                                sloe_measured *const *measured, size_t n, char **text,
                                sloe_error *err) {
  sloe_text out = {0};
  sloe_csv_writer csv;
  *text = NULL;
  sloe_csv_writer_init(&csv, (sloe_csv_sink){&out, keep_text});
  const sloe_status status = write_table(&csv, session, names, measured, n, err);
  sloe_csv_writer_fini(&csv);
  if (status == SLOE_OK) return sloe_text_take(&out, text, err);
  sloe_text_fini(&out);
  return status;
}
