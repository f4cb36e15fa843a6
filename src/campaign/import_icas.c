/* import_icas.c: what iCAS-Lab measured of 11,316 chains of convolutions on a Jetson Nano 4 GB
 * (NAS-Performance-Modeling: TensorRT, fp32, batch 1, MAXN), as a measurement table.
 *
 *   net                zoo:chain,... that the row's kind, L, F, K1, K2 and W describe
 *   latency_ms         of 60 s of inferences: host time with transfers, the only one there is
 *   latency_again_ms   of 100 runs before
 *   power_w            mean of the GPU's rail; power_input_w that of the board's
 *   memory_mb          mean memory of the whole system
 *   transfers          1: latency includes copies to and from the GPU
 *   quality            throttled where the GPU was slower than 921 MHz, noisy where the two
 *                      latencies differ by more than 10 %
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/gzip.h"
#include "campaign/import.h"

static const uint64_t TABLE_LIMIT = UINT64_C(1) << 30; /* bytes, unpacked */
static const double MIB = 1.048576, FULL_MHZ = 921, NOISY = 0.10;

/*  X(column of the file): those that are numbers, then those that are text */
#define NUMBER_MAP(X) \
  X(lat_ms_100runs)   \
  X(lat_ms_60s)       \
  X(gpu_mhz_min)      \
  X(ram_mb_mean)      \
  X(p_in_mw_mean)     \
  X(p_gpu_mw_mean)
#define TEXT_MAP(X) \
  X(group)          \
  X(kind)           \
  X(L)              \
  X(F)              \
  X(K1)             \
  X(K2)             \
  X(W)

typedef struct row {
#define NUMBER(name) double name;
  NUMBER_MAP(NUMBER)
#undef NUMBER
#define TEXT(name) const char *name;
  TEXT_MAP(TEXT)
#undef TEXT
  char net[256];
} row;

typedef struct columns {
#define COLUMN(name) int name;
  NUMBER_MAP(COLUMN)
  TEXT_MAP(COLUMN)
#undef COLUMN
} columns;

/* ---- reading ---- */

static sloe_status find_columns(const sloe_csv_reader *r, columns *c, sloe_error *err) {
#define COLUMN(name)                                  \
  if ((c->name = sloe_csv_reader_find(r, #name)) < 0) \
    return sloe_fail(err, SLOE_FORMAT, "no column '%s'", #name);
  NUMBER_MAP(COLUMN)
  TEXT_MAP(COLUMN)
#undef COLUMN
  return SLOE_OK;
}

static sloe_status read_row(const sloe_csv_reader *r, const columns *c, row *out, sloe_error *err) {
#define NUMBER(name) SLOE_TRY(sloe_csv_reader_number(r, (size_t)c->name, &out->name, err));
  NUMBER_MAP(NUMBER)
#undef NUMBER
#define TEXT(name) out->name = sloe_csv_reader_field(r, (size_t)c->name);
  TEXT_MAP(TEXT)
#undef TEXT
  const int n = snprintf(out->net, sizeof out->net,
                         "zoo:chain,kind=%s,layers=%s,filters=%s,k1=%s%s%s,input=%s", out->kind,
                         out->L, out->F, out->K1, *out->K2 ? ",k2=" : "", out->K2, out->W);
  if (n > 0 && (size_t)n < sizeof out->net) return SLOE_OK;
  return sloe_fail(err, SLOE_FORMAT, "line %llu: no chain of convolutions",
                   (unsigned long long)sloe_csv_reader_line(r));
}

/* ---- writing ---- */

static const char *quality_of(const row *r) {
  if (r->gpu_mhz_min < FULL_MHZ) return "throttled";
  return fabs(r->lat_ms_100runs / r->lat_ms_60s - 1) > NOISY ? "noisy" : "ok";
}

/*  X(column of the table, how it is written from `r` to `w`) */
#define TABLE_COLUMN_MAP(X)                                                         \
  X("net", sloe_csv_writer_string(w, r->net))                                       \
  X("device", sloe_csv_writer_string(w, "jetson-nano-4gb"))                         \
  X("runtime", sloe_csv_writer_string(w, "tensorrt"))                               \
  X("version", sloe_csv_writer_string(w, ""))                                       \
  X("precision", sloe_csv_writer_string(w, "fp32"))                                 \
  X("mode", sloe_csv_writer_string(w, "maxn"))                                      \
  X("batch", sloe_csv_writer_int(w, 1))                                             \
  X("latency_ms", sloe_csv_writer_number(w, r->lat_ms_60s))                         \
  X("latency_again_ms", sloe_csv_writer_number(w, r->lat_ms_100runs))               \
  X("power_w", sloe_csv_writer_number(w, r->p_gpu_mw_mean / 1e3))                   \
  X("power_rail", sloe_csv_writer_string(w, "gpu"))                                 \
  X("energy_mj", sloe_csv_writer_number(w, r->p_gpu_mw_mean / 1e3 * r->lat_ms_60s)) \
  X("power_input_w", sloe_csv_writer_number(w, r->p_in_mw_mean / 1e3))              \
  X("memory_mb", sloe_csv_writer_number(w, r->ram_mb_mean *MIB))                    \
  X("memory_kind", sloe_csv_writer_string(w, "system"))                             \
  X("quality", sloe_csv_writer_string(w, quality_of(r)))                            \
  X("space", sloe_csv_writer_string(w, ""))                                         \
  X("split", sloe_csv_writer_string(w, ""))                                         \
  X("family", sloe_csv_writer_string(w, "chain"))                                   \
  X("variant", sloe_csv_writer_string(w, r->kind))                                  \
  X("group", sloe_csv_writer_string(w, r->group))                                   \
  X("transfers", sloe_csv_writer_int(w, 1))

static int is_further(const sloe_feature *f) {
  return strcmp(f->name, "batch") != 0; /* a column of every table */
}

/* Behind the columns the features under their names: those that any net has. */
static sloe_status write_header(sloe_csv_writer *w, sloe_error *err) {
  sloe_net *net;
#define COLUMN(name, write) sloe_csv_writer_string(w, name);
  TABLE_COLUMN_MAP(COLUMN)
#undef COLUMN
  SLOE_TRY(sloe_net_open("zoo:chain,layers=1,filters=1", NULL, &net, err));
  const sloe_net_info *info = sloe_net_get_info(net);
  for (size_t i = 0; i < info->n_features; i++)
    if (is_further(&info->features[i])) sloe_csv_writer_string(w, info->features[i].name);
  sloe_net_free(net);
  return sloe_csv_writer_end_record(w, err);
}

static sloe_status write_row(const row *r, sloe_csv_writer *w, sloe_error *err) {
  sloe_net *net;
  SLOE_TRY(sloe_net_open(r->net, NULL, &net, err));
#define COLUMN(name, write) write;
  TABLE_COLUMN_MAP(COLUMN)
#undef COLUMN
  const sloe_net_info *info = sloe_net_get_info(net);
  for (size_t i = 0; i < info->n_features; i++)
    if (is_further(&info->features[i])) sloe_csv_writer_number(w, info->features[i].value);
  sloe_net_free(net);
  return sloe_csv_writer_end_record(w, err);
}

static sloe_status copy_rows(sloe_csv_reader *r, sloe_csv_writer *w, sloe_error *err) {
  columns c = {0};
  SLOE_TRY(find_columns(r, &c, err));
  for (int more;;) {
    row one;
    SLOE_TRY(sloe_csv_reader_next(r, &more, err));
    if (!more) return SLOE_OK;
    SLOE_TRY(read_row(r, &c, &one, err));
    sloe_error why = {0};
    const sloe_status status = write_row(&one, w, &why);
    if (status == SLOE_USAGE || status == SLOE_UNSUPPORTED) /* no such chain */
      return sloe_fail(err, SLOE_FORMAT, "line %llu: %s",
                       (unsigned long long)sloe_csv_reader_line(r), why.msg);
    if (status != SLOE_OK) return sloe_fail(err, status, "%s", why.msg);
  }
}

static sloe_status write_rows(const sloe_import_options *options, const char *path,
                              sloe_csv_writer *w, sloe_error *err) {
  (void)options;
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *r = NULL;
  SLOE_TRY(sloe_gzip_open(path, TABLE_LIMIT, &file, err));
  sloe_status status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &r, err);
  if (status == SLOE_OK) status = copy_rows(r, w, err);
  if (status != SLOE_OK) status = sloe_fail_in(err, status, "%s", path);
  sloe_csv_reader_close(r);
  sloe_gzip_close(file);
  return status;
}

const sloe_importer sloe_importer_icas = {"icas", write_header, write_rows, NULL};
