/* roofline.h: the time of one layer from what a data sheet says.
 *
 *   value = max(arithmetic, bytes) + launch, with typical shares of the peaks
 *   low   = max(arithmetic, bytes) at the full peaks: what the hardware cannot beat
 *   high  = max(arithmetic, bytes) + launch, with the worst shares on record
 *
 * Arithmetic. Multiply-accumulates run at the matrix rate (tensor cores where the precision has
 * them), all other FLOPs at the vector rate. `fast_conv` is the most by which a fast algorithm
 * (Winograd) can cut the multiplications of a convolution: the low end divides by it, since
 * recorded 3x3 convolutions exceed the peak of the direct algorithm by a third
 * (docs/notes/datasheet.md).
 *
 * Bytes. The low end subtracts what the L2 cache can keep from the layer before and for the layer
 * after: one cache size of each.
 *
 * Idea: Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009; the launch term is ours.
 */
#ifndef SLOE_MODEL_ROOFLINE_H
#define SLOE_MODEL_ROOFLINE_H

#include "sloe/sloe.h"

/* Classes of arithmetic that reach different shares of a peak. X(ID, key, doc) */
#define SLOE_WORK_MAP(X)                                                      \
  X(CONV, "conv", "dense convolutions that no fast algorithm serves")         \
  X(CONV3, "conv3x3", "dense 3x3 convolutions of stride 1 (Winograd's case)") \
  X(POINTWISE, "pointwise", "1x1 convolutions")                               \
  X(GROUPED, "grouped", "convolutions in groups, depthwise ones too")         \
  X(MATMUL, "matmul", "matrix products and fully connected layers")           \
  X(VECTOR, "vector", "everything else")

typedef enum sloe_work {
#define SLOE_WORK_ENUM(id, key, doc) SLOE_WORK_##id,
  SLOE_WORK_MAP(SLOE_WORK_ENUM)
#undef SLOE_WORK_ENUM
      SLOE_WORK_COUNT
} sloe_work;

typedef struct sloe_range { /* of a share of a peak, or of a time: the usual one and the worst */
  double typical, worst;
} sloe_range;

/* Everything positive and finite; the reader of platform files sees to it. */
typedef struct sloe_roofline {
  double matrix_flops, vector_flops; /* peak FLOP/s */
  double bandwidth;                  /* peak bytes/s */
  double l2_bytes;
  double fast_conv, fast_matrix; /* >= 1 */
  sloe_range launch_s;
  sloe_range share[SLOE_WORK_COUNT]; /* of the arithmetic peak; above 1: a fast algorithm */
  sloe_range memory_share;           /* of the bandwidth, (0, 1] */
} sloe_roofline;

typedef struct sloe_roofline_work {
  sloe_work work;
  double matrix_flops, vector_flops; /* 2 x MAC; all other operations */
  double bytes;                      /* activations read and written, weights read */
  int can_be_fast;                   /* a convolution that a fast algorithm may serve */
} sloe_roofline_work;

typedef struct sloe_roofline_time {
  double value_s, low_s, high_s; /* low <= value <= high */
  sloe_bound bound;              /* what `value` is made of for the most part */
} sloe_roofline_time;

/* The time of one launch. Counts must be >= 0; saturated counts give large finite times. */
sloe_roofline_time sloe_roofline_eval(const sloe_roofline *roof, const sloe_roofline_work *work);

const char *sloe_work_key(sloe_work work);

#endif
