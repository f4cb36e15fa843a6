/* proposals.h: which kernels a runtime would try on layers that nobody times. Private to campaign/.
 *
 * A runtime that chooses among kernels proposes a few of them for each layer, by heuristics that
 * look at the device and the layer's sizes and run nothing: to ask takes a hundredth of what timing
 * takes. Where a kernel's own time is smooth, whether it is proposed is not
 * (docs/notes/gpu-accuracy.md), so what is asked of many layers tells where a platform's few timed
 * ones do not.
 *
 * The file is a table, CSV or .csv.gz, of two columns: net, "zoo:layer,...", and kernels, their
 * names with a blank between two, as in `kernels` of device.h without the times.
 */
#ifndef SLOE_CAMPAIGN_PROPOSALS_H
#define SLOE_CAMPAIGN_PROPOSALS_H

#include "base/map.h"
#include "campaign/bench.h"
#include "campaign/design.h"

/* "eng=41,2=1,13=0,fused" to "eng=41,fused": the parts that are no number's value, and the first.
   Of more than SLOE_KERNEL_NAMES kernels those of one family are one. */
enum { SLOE_KERNEL_NAMES = 64 };
void sloe_kernel_family(char *name);

typedef struct sloe_proposal {
  sloe_layer_spec spec;
  const char *kernels; /* "": none */
} sloe_proposal;

typedef struct sloe_proposals { /* begins all zero */
  sloe_arena arena;
  sloe_map lists; /* each text once */
  const char **texts;
  sloe_proposal *rows;
  size_t n, cap, n_texts, cap_texts;
} sloe_proposals;

/* Errors: those of the file; FORMAT with the line where a column is missing, a net is no layer or
   nothing is there; NOMEM. On failure *out is all zero. */
sloe_status sloe_proposals_read(const char *path, sloe_proposals *out, sloe_error *err);
sloe_status sloe_proposals_write(const sloe_proposals *proposals, const char *path,
                                 sloe_error *err);

/* Of an op with more names than SLOE_KERNEL_NAMES, families are kept. Ask the bench's device about
   SLOE_PROPOSALS_EACH layers for each that was timed and is the fastest of several kernels, at most
   SLOE_PROPOSALS_MOST: half of the design's, half near those, all of their ops. Errors: UNSUPPORTED
   (it cannot be asked, or nothing timed has kernels), DEVICE, STOPPED, NOMEM. */
enum { SLOE_PROPOSALS_EACH = 50, SLOE_PROPOSALS_MOST = 200000 };
sloe_status sloe_proposals_ask(sloe_bench *bench, const sloe_design_limits *limits,
                               sloe_proposals *out, sloe_error *err);

void sloe_proposals_fini(sloe_proposals *proposals); /* takes what is all zero */

#endif
