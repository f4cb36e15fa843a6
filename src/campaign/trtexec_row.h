/* trtexec_row.h: a record of the table that `sloe import trtexec` writes. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_TRTEXEC_ROW_H
#define SLOE_CAMPAIGN_TRTEXEC_ROW_H

#include "base/csv.h"
#include "campaign/trtexec_bundle.h"

/* NAN, "" and below 0: unknown, an empty field. docs/import.md says what each column is. */
typedef struct sloe_trt_row {
  const char *net, *device, *version, *precision;
  int64_t batch;
  double latency_ms, latency_min_ms, latency_mean_ms, latency_max_ms, latency_median_ms;
  double p75, p97_5, p90, p95, p99;
  double host_ms, h2d_ms, d2h_ms, enqueue_ms, end_to_end_ms, throughput_qps, sum_of_layers_ms;
  const char *quality, *row; /* row: "network", "layer" */
  sloe_text reason, remarks;
  int64_t runs;
  double weights_mb, activations_mb, workspace_mb;
  const sloe_trt_run *run; /* NULL: no log */
  const char *source;      /* the file */
  /* of a layer */
  int64_t layer_index;
  const char *layer, *role, *layer_type, *kind, *tactic, *found, *ours, *difference;
  sloe_text ops;
  double share, total_ms;
  const sloe_trt_layer *info;
} sloe_trt_row;

void sloe_trt_row_init(sloe_trt_row *row);
void sloe_trt_row_fini(sloe_trt_row *row);

/* Adds to a text of several, "; " between. */
void sloe_trt_say(sloe_text *text, const char *format, ...) SLOE_PRINTF(2, 3);

sloe_status sloe_trt_row_write_header(sloe_csv_writer *w, sloe_error *err);
sloe_status sloe_trt_row_write(const sloe_trt_row *row, sloe_csv_writer *w, sloe_error *err);

/* Of the whole network: figures, quality and its reasons, by all that is in the bundle
   (trtexec_judge.c). Errors: NOMEM. */
sloe_status sloe_trt_judge(const sloe_trt_bundle *b, sloe_trt_row *row, sloe_error *err);

#endif
