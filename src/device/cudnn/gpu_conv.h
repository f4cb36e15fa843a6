/* gpu_conv.h: a convolution being made. Private to gpu_conv.c, gpu_plan.c and gpu_classic.c. */
#ifndef SLOE_DEVICE_CUDNN_GPU_CONV_H
#define SLOE_DEVICE_CUDNN_GPU_CONV_H

#include "device/cudnn/cudnn.h"

typedef struct cudnn_conv {
  cudnn_value *in, *weights, *bias, *residual, *out; /* residual NULL: none */
  sloe_window window;
  int transposed;
} cudnn_conv;

/* Candidates of one convolution. */
enum { CUDNN_MOST_CANDIDATES = 64 };
typedef struct cudnn_candidates {
  cudnn_step step[CUDNN_MOST_CANDIDATES];
  size_t n;
} cudnn_candidates;

/* gpu_plan.c: what cuDNN's heuristics propose for it, as one kernel with bias, residual and Relu
   (`relu`; else nothing) where `behind` is NULL; else bare, and `behind` follows. Adds none where
   cuDNN has none. */
sloe_status sloe_cudnn_plans(cudnn_job *job, const cudnn_conv *conv, int relu,
                             const cudnn_step *behind, cudnn_candidates *to, sloe_error *err);

/* gpu_classic.c: every algorithm of the classic calls; with bias, residual and Relu as one call too
   where it is `fusable`. */
sloe_status sloe_cudnn_classic(cudnn_job *job, const cudnn_conv *conv, int relu,
                               const cudnn_step *behind, int fusable, cudnn_candidates *to,
                               sloe_error *err);

#endif
