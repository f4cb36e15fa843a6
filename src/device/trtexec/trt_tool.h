/* trt_tool.h: which trtexec there is, and how it is to be called. Private to trtexec/.
 *
 * A flag is given where trtexec's own help lists it, and left out where it does not: 10.x refuses
 * flags that 8.x needs, 11 has other defaults. The version decides what the answers mean; before
 * 8.0 trtexec does not say it: then it is read from TensorRT's header, or told by the flags.
 */
#ifndef SLOE_DEVICE_TRTEXEC_TRT_TOOL_H
#define SLOE_DEVICE_TRTEXEC_TRT_TOOL_H

#include "device/trtexec/trt_child.h"

/* X(NAME, text): what is asked of a help, one bit each. */
#define SLOE_TRTEXEC_FLAG_MAP(X)        \
  X(FP16, "--fp16")                     \
  X(INT8, "--int8")                     \
  X(BEST, "--best")                     \
  X(WORKSPACE, "--workspace")           \
  X(POOL, "--memPoolSize")              \
  X(EXPLICIT, "--explicitBatch")        \
  X(BUILD_ONLY, "--buildOnly")          \
  X(SKIP_INFERENCE, "--skipInference")  \
  X(SPIN, "--useSpinWait")              \
  X(GRAPH, "--useCudaGraph")            \
  X(NO_TRANSFERS, "--noDataTransfers")  \
  X(SEPARATE, "--separateProfileRun")   \
  X(TIMING_CACHE, "--timingCacheFile")  \
  X(VERBOSITY, "--profilingVerbosity")  \
  X(EXPORT_TIMES, "--exportTimes")      \
  X(EXPORT_PROFILE, "--exportProfile")  \
  X(EXPORT_LAYERS, "--exportLayerInfo") \
  X(STRONGLY_TYPED, "--stronglyTyped")  \
  X(NO_GRAPH, "--noCudaGraph")

enum {
#define SLOE_TRTEXEC_FLAG_NUMBER(name, text) SLOE_TRTEXEC_NUMBER_##name,
  SLOE_TRTEXEC_FLAG_MAP(SLOE_TRTEXEC_FLAG_NUMBER)
#undef SLOE_TRTEXEC_FLAG_NUMBER
};
enum {
#define SLOE_TRTEXEC_FLAG_BIT(name, text) SLOE_TRTEXEC_##name = 1 << SLOE_TRTEXEC_NUMBER_##name,
  SLOE_TRTEXEC_FLAG_MAP(SLOE_TRTEXEC_FLAG_BIT)
#undef SLOE_TRTEXEC_FLAG_BIT
};

typedef struct sloe_trtexec_tool {
  const char *path;
  unsigned flags;        /* bits that its help lists */
  int version;           /* major * 10000 + minor * 100 + patch, as in trtexec_log.h */
  char version_text[24]; /* "8.2.1"; "7.1" where the patch is not known */
} sloe_trtexec_tool;

/* Whatever `help`, the output of `trtexec --help`, and NvInferVersion.h (`header`, "" where there
   is none) tell. DEVICE: it is no trtexec's help. */
sloe_status sloe_trtexec_tool_read(const char *help, size_t len, const char *header,
                                   sloe_trtexec_tool *tool, sloe_error *err);

/* ---- the commands (research: one build, two timed runs) ---- */

typedef struct sloe_trtexec_build {
  const char *onnx, *engine, *cache, *layers; /* paths; cache and layers may be NULL */
  int fp16, int8;
  int64_t workspace_mib;
} sloe_trtexec_build;
void sloe_trtexec_build_words(const sloe_trtexec_tool *tool, const sloe_trtexec_build *build,
                              sloe_trtexec_words *out);

typedef struct sloe_trtexec_pass {
  const char *engine;
  const char *times;            /* of a latency pass; NULL: not exported */
  const char *profile, *layers; /* of a layer pass; NULL: it is a latency pass */
  double warmup_ms, seconds;
  int64_t iterations; /* at least */
} sloe_trtexec_pass;
void sloe_trtexec_pass_words(const sloe_trtexec_tool *tool, const sloe_trtexec_pass *pass,
                             sloe_trtexec_words *out);

#endif
