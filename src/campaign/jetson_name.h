/* jetson_name.h: which board a GPU is on, by what CUDA tells of it. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_JETSON_NAME_H
#define SLOE_CAMPAIGN_JETSON_NAME_H

#include <stddef.h>
#include <stdint.h>

typedef struct sloe_gpu_told { /* 0, NAN and "": unknown */
  const char *name;            /* "Orin", "NVIDIA GeForce RTX 3060" */
  int compute_capability;      /* major * 10 + minor */
  int64_t sms;
  double gpu_mhz; /* the chip's */
  double memory_mib;
} sloe_gpu_told;

/* "jetson-nano-4gb" into `buf`. Boards of one chip are told apart by multiprocessors, memory and
   clock; where those do not tell them apart, and of other GPUs, it is the GPU's own name as a
   token.
   "" where it has none. Returns buf. */
const char *sloe_jetson_name(const sloe_gpu_told *gpu, char *buf, size_t size);

#endif
