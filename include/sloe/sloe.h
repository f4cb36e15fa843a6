/* sloe.h: how fast, how power-hungry and how large a CNN will be on an edge GPU.
 *
 * The answering half of sloe (libsloe). It needs libc, libm and a JSON writer; no device, no GPU
 * library, no database and no Python.
 *
 *   sloe_net *net; sloe_platform *p; sloe_layers *layers; sloe_estimate *e; sloe_error err;
 *   sloe_net_open("resnet50.onnx", NULL, &net, &err);
 *   sloe_platform_open("jetson-orin-nano-8gb-datasheet-fp16", &search, &p, &err);
 *   sloe_layers_new(net, sloe_platform_fusion(p), &layers, &err);
 *   sloe_estimate_new(layers, p, NULL, &e, &err);
 *   printf("%g ms\n", sloe_estimate_get(e)->latency_ms.value);
 *
 * What holds for every function:
 *  - Ownership: what a function returns through `**out` belongs to the caller, who frees it with
 *    the type's own `_free`; every `_free` takes NULL. Pointers inside a returned struct live as
 *    long as the object that they were asked of.
 *  - Failure: the status says what kind, `err->msg` says what and where in one line, without a
 *    full stop. On failure `*out` is NULL. `err` may be NULL. There is no global state.
 *  - Threads: different objects may be used by different threads at once; a const object by many.
 *  - Units stand in the names: `_ms`, `_w`, `_mj`, `_mb` (10^6 bytes), `_bytes`. Counts are
 * elements or operations. FLOPs are 2 x multiply-accumulates.
 *  - Unknown numbers are NAN (null in JSON), never 0.
 *  - Strings are UTF-8, NUL-terminated.
 */
#ifndef SLOE_SLOE_H
#define SLOE_SLOE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLOE_VERSION_MAJOR 0
#define SLOE_VERSION_MINOR 1
#define SLOE_VERSION_PATCH 0

#if defined(__GNUC__)
#define SLOE_API               __attribute__((visibility("default")))
#define SLOE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SLOE_API
#define SLOE_PRINTF(fmt, args)
#endif

/* ---- errors ------------------------------------------------------------------------------ */

/* Append only: the values go into files and exit codes. */
#define SLOE_STATUS_MAP(X)                                         \
  X(OK, 0, "success")                                              \
  X(NOMEM, 1, "out of memory, or the memory limit of the net")     \
  X(USAGE, 2, "an argument is wrong")                              \
  X(FORMAT, 3, "malformed input")                                  \
  X(UNSUPPORTED, 4, "well-formed input that sloe does not handle") \
  X(IO, 5, "reading or writing failed")                            \
  X(NOTFOUND, 6, "no such file, platform or name")                 \
  X(INTERNAL, 7, "a bug in sloe")                                  \
  X(DEVICE, 8, "a device or a sensor failed")                      \
  X(STOPPED, 9, "stopped when asked to")

typedef enum sloe_status {
#define SLOE_STATUS_ENUM(name, value, text) SLOE_##name = value,
  SLOE_STATUS_MAP(SLOE_STATUS_ENUM)
#undef SLOE_STATUS_ENUM
} sloe_status;

typedef struct sloe_error {
  sloe_status code;
  uint64_t offset; /* of the byte in the input file where the trouble stands; 0 where none does */
  char msg[256];   /* one line: what, where, which rule */
} sloe_error;

/* "malformed input" for SLOE_FORMAT; "unknown status" for what is none. Never NULL. */
SLOE_API const char *sloe_status_text(sloe_status status);

/* The library's version, "0.1.0". */
SLOE_API const char *sloe_version(void);

/* ---- shapes ------------------------------------------------------------------------------ */

#define SLOE_MAX_RANK    8
#define SLOE_DIM_UNKNOWN (-1) /* a dimension that depends on the data */

typedef struct sloe_shape {
  int rank; /* -1: not even the rank is known; then no dim is */
  int64_t dim[SLOE_MAX_RANK];
} sloe_shape;

/* ---- networks ---------------------------------------------------------------------------- */

typedef struct sloe_net sloe_net; /* a network whose shapes are inferred; immutable */

typedef struct sloe_input_shape {
  const char *name; /* of the graph input; NULL or "": the only one */
  sloe_shape shape;
} sloe_input_shape;

typedef struct sloe_dim_binding {
  const char *symbol; /* of a symbolic dimension, "N" or "batch_size" */
  int64_t value;
} sloe_dim_binding;

/* All zero is a good default. */
typedef struct sloe_net_options {
  int64_t batch; /* leading dimension of every graph input; 0: as in the file, 1 where unbound.
                    The batch that a zoo spec says is multiplied by it */
  const sloe_input_shape *inputs;
  size_t n_inputs;
  const sloe_dim_binding *dims;
  size_t n_dims;
  size_t memory_limit; /* bytes that the net may claim; 0: 1 GiB */
} sloe_net_options;

/* Open NET: the path of an ONNX file, or a zoo spec ("zoo:FAMILY,key=value,..."). Reads the graph
   and not the weights, binds the open dimensions, infers every shape. A leading dimension left
   unbound is taken as 1 with a warning, any other is SLOE_FORMAT and names the input and the option
   that would bind it. `options` may be NULL. Errors: NOTFOUND, IO, FORMAT (err->offset is the
   byte), USAGE (a zoo spec's key), UNSUPPORTED, NOMEM. */
SLOE_API sloe_status sloe_net_open(const char *net, const sloe_net_options *options, sloe_net **out,
                                   sloe_error *err);

/* The same for `len` bytes of ONNX in memory. They are not copied and not needed afterwards. */
SLOE_API sloe_status sloe_net_from_memory(const void *buf, size_t len,
                                          const sloe_net_options *options, sloe_net **out,
                                          sloe_error *err);

SLOE_API void sloe_net_free(sloe_net *net);

/* What a user should know of this reading: a batch taken as 1, an operator not known. */
SLOE_API size_t sloe_net_warning_count(const sloe_net *net);
SLOE_API const char *sloe_net_warning(const sloe_net *net, size_t i);

/* Kinds of operation by which FLOPs are told apart. */
#define SLOE_FLOP_KIND_MAP(X)                                                       \
  X(CONV, "conv", "convolutions and transposed convolutions, 2 x MAC")              \
  X(MATMUL, "matmul", "matrix products, fully connected layers, Einsum, 2 x MAC")   \
  X(NORM, "norm", "batch, layer, instance, group and local response normalisation") \
  X(ACTIVATION, "activation", "one-input elementwise functions and softmax")        \
  X(ELEMENTWISE, "elementwise", "arithmetic of two or more tensors")                \
  X(POOL, "pool", "pooling and reductions")                                         \
  X(RESAMPLE, "resample", "interpolation")                                          \
  X(OTHER, "other", "anything else that computes")

typedef enum sloe_flop_kind {
#define SLOE_FLOP_KIND_ENUM(name, text, doc) SLOE_FLOPS_##name,
  SLOE_FLOP_KIND_MAP(SLOE_FLOP_KIND_ENUM)
#undef SLOE_FLOP_KIND_ENUM
      SLOE_FLOP_KIND_COUNT
} sloe_flop_kind;

typedef struct sloe_feature {
  const char *name; /* stable: key in JSON and column in tables */
  const char *doc;  /* one line: unit and source */
  double value;
} sloe_feature;

typedef struct sloe_tensor_info {
  const char *name;
  const char *dtype; /* "float32" */
  sloe_shape shape;
} sloe_tensor_info;

typedef struct sloe_unknown_op {
  const char *op;     /* "Foo" or "domain::Foo" */
  size_t count;       /* nodes of it */
  const char *reason; /* "operator not known", "depends on data", ... */
} sloe_unknown_op;

/* What is known of the whole network, over its ops as they stand in the file unless it says
   "folded". Every figure counts one inference of the whole batch. */
typedef struct sloe_net_info {
  const char *name;     /* the file's base name without its ending */
  const char *producer; /* "pytorch 1.13.1"; "" where the file does not say */
  int64_t ir_version, opset;
  const sloe_tensor_info *inputs, *outputs; /* graph inputs that are no weights; outputs */
  size_t n_inputs, n_outputs;
  int64_t batch;   /* leading dimension of the first input; 1 for an image without one (3xHxW) */
  size_t n_ops;    /* nodes that run, constants aside */
  uint64_t params; /* DESIGN: elements of consumed float constants, per use */
  uint64_t trainable_params; /* without the mean and variance of normalisations */
  uint64_t macs;             /* of conv, transposed conv and matrix products */
  uint64_t flops;            /* the sum of flops_by_kind */
  uint64_t mac_flops;        /* 2 x macs */
  uint64_t flops_by_kind[SLOE_FLOP_KIND_COUNT];
  uint64_t activations;           /* elements written by ops */
  uint64_t weights_bytes;         /* params in the file's own types */
  uint64_t peak_activation_bytes; /* largest sum of live activations, liveness in node order */
  const sloe_feature *features;   /* after batch normalisation is folded; see docs/features.md */
  size_t n_features;
  const sloe_unknown_op *unknown_ops;
  size_t n_unknown_ops;
  double unknown_bytes_share; /* of all bytes that ops read and write, 0..1 */
} sloe_net_info;

/* Never NULL; lives as long as the net. */
SLOE_API const sloe_net_info *sloe_net_get_info(const sloe_net *net);

/* Write a net as ONNX (opset 17). Atomic: `path` is either whole or as before. What the net knows
   of its constants is written; `weights` says what becomes of the others. A file of weights made by
   ConstantOfShape is small and valid: ONNX's checker takes it, and any runtime runs it. Errors: IO,
   UNSUPPORTED. */
enum {
  SLOE_WEIGHTS_NONE,   /* initializers have shape and type and no data */
  SLOE_WEIGHTS_RANDOM, /* random normal values from a fixed seed */
  SLOE_WEIGHTS_SHAPES, /* zeros, made from their shape by a ConstantOfShape node */
};
typedef struct sloe_onnx_options {
  int weights;
} sloe_onnx_options;
SLOE_API sloe_status sloe_net_write_onnx(const sloe_net *net, const char *path,
                                         const sloe_onnx_options *options, sloe_error *err);

/* ---- the zoo: networks made from a line of text, "zoo:FAMILY,key=value,..." ---------------- */

/* What a key takes. X(NAME, text, meaning) */
#define SLOE_ZOO_TAKES_MAP(X)                                                             \
  X(WHOLE, "whole", "a whole number")                                                     \
  X(REAL, "real", "a decimal number")                                                     \
  X(WORD, "word", "one of a few words")                                                   \
  X(IMAGE, "image", "224 (3x224x224), 224x320 (3x224x320), or channels x height x width") \
  X(TEXT, "text", "as its description says")

typedef enum sloe_zoo_takes {
#define SLOE_ZOO_TAKES_ENUM(name, text, doc) SLOE_ZOO_##name,
  SLOE_ZOO_TAKES_MAP(SLOE_ZOO_TAKES_ENUM)
#undef SLOE_ZOO_TAKES_ENUM
} sloe_zoo_takes;

typedef struct sloe_zoo_key {
  const char *name, *doc;
  sloe_zoo_takes takes;
  const char *fallback; /* where it is not given; "": the family decides; NULL: must be given */
  const char *words;    /* of WORD: all there are, between '|' */
  double least, most;   /* of WHOLE and REAL, and of an IMAGE's height and width */
} sloe_zoo_key;

typedef struct sloe_zoo_family {
  const char *name, *doc;
  const sloe_zoo_key *keys;
  size_t n_keys;
} sloe_zoo_family;

/* Every family, in the order of `sloe zoo list`; constants. `i` from 0 to count - 1. */
SLOE_API size_t sloe_zoo_family_count(void);
SLOE_API const sloe_zoo_family *sloe_zoo_family_at(size_t i);
SLOE_API const char *sloe_zoo_takes_name(sloe_zoo_takes takes);

/* ---- layers: what a runtime launches after fusion ---------------------------------------- */

#define SLOE_PRECISION_MAP(X) \
  X(FP32, "fp32", 4)          \
  X(FP16, "fp16", 2)          \
  X(INT8, "int8", 1)

typedef enum sloe_precision {
#define SLOE_PRECISION_ENUM(name, text, bytes) SLOE_##name,
  SLOE_PRECISION_MAP(SLOE_PRECISION_ENUM)
#undef SLOE_PRECISION_ENUM
      SLOE_PRECISION_COUNT
} sloe_precision;

#define SLOE_RUNTIME_MAP(X) \
  X(NONE, "none")           \
  X(ONEDNN, "onednn")       \
  X(CUDNN, "cudnn")         \
  X(TENSORRT, "tensorrt")

typedef enum sloe_runtime {
#define SLOE_RUNTIME_ENUM(name, text) SLOE_RUNTIME_##name,
  SLOE_RUNTIME_MAP(SLOE_RUNTIME_ENUM)
#undef SLOE_RUNTIME_ENUM
      SLOE_RUNTIME_COUNT
} sloe_runtime;

/* The rule set by which ops become layers. All zero: no fusion, every op is a layer. */
typedef struct sloe_fusion {
  sloe_runtime runtime;
  int version; /* of TensorRT, major * 100 + minor (802, 1003); 0: the newest that is known */
  sloe_precision precision;
  int compute_capability; /* major * 10 + minor (53, 87); 0: the newest */
} sloe_fusion;

/* "onednn" -> SLOE_RUNTIME_ONEDNN, "fp16" -> SLOE_FP16. SLOE_USAGE with the known names in msg. */
SLOE_API sloe_status sloe_runtime_parse(const char *text, sloe_runtime *out, sloe_error *err);
SLOE_API sloe_status sloe_precision_parse(const char *text, sloe_precision *out, sloe_error *err);
SLOE_API const char *sloe_runtime_name(sloe_runtime runtime);
SLOE_API const char *sloe_precision_name(sloe_precision precision);
SLOE_API size_t sloe_precision_bytes(sloe_precision precision);

#define SLOE_LAYER_KIND_MAP(X)                                          \
  X(CONV, "conv", "convolution")                                        \
  X(DWCONV, "dwconv", "depthwise convolution: groups = input channels") \
  X(DECONV, "deconv", "transposed convolution")                         \
  X(FC, "fc", "fully connected: matrix product with constant weights")  \
  X(MATMUL, "matmul", "matrix product of two activations")              \
  X(POOL, "pool", "max, average or global pooling")                     \
  X(NORM, "norm", "normalisation")                                      \
  X(ACTIVATION, "activation", "one-input elementwise function")         \
  X(ELEMENTWISE, "elementwise", "arithmetic, pointwise chains")         \
  X(SOFTMAX, "softmax", "softmax")                                      \
  X(REDUCE, "reduce", "reduction")                                      \
  X(RESAMPLE, "resample", "resize, upsample, grid sample")              \
  X(COPY, "copy", "moves data: concat, slice, transpose, pad, gather")  \
  X(REFORMAT, "reformat", "changes layout or precision")                \
  X(VIEW, "view", "moves nothing: reshape, flatten, identity")          \
  X(OTHER, "other", "anything else that is known")                      \
  X(UNKNOWN, "unknown", "operator not known: costed by the bytes it moves")

typedef enum sloe_layer_kind {
#define SLOE_LAYER_KIND_ENUM(name, text, doc) SLOE_LAYER_##name,
  SLOE_LAYER_KIND_MAP(SLOE_LAYER_KIND_ENUM)
#undef SLOE_LAYER_KIND_ENUM
      SLOE_LAYER_KIND_COUNT
} sloe_layer_kind;

SLOE_API const char *sloe_layer_kind_name(sloe_layer_kind kind);

/* One execution unit. Spatial attributes are 0 where they mean nothing. Repeats of a Loop body are
   in the counts. */
typedef struct sloe_layer {
  const char *name; /* as the runtime's profile prints it */
  sloe_layer_kind kind;
  const char *const *ops; /* names of the ONNX nodes in it, in the order of the name */
  size_t n_ops;
  const sloe_shape *in, *out; /* activations in and out; weights are not among them */
  size_t n_in, n_out;
  uint64_t macs, flops;
  uint64_t params;                           /* float constants, elements */
  uint64_t in_elements, out_elements;        /* activations read and written, elements */
  int64_t kernel[2], stride[2], dilation[2]; /* height, width */
  int64_t pads[4];                           /* top, left, bottom, right */
  int64_t groups, filters;                   /* filters: output channels, or units of an fc */
  int data_dependent; /* a shape depends on data: the counts cover what is known */
} sloe_layer;

typedef struct sloe_layers sloe_layers;

/* The net's layers under a rule set, in execution order. `fusion` NULL: no fusion.
   The net must outlive them. */
SLOE_API sloe_status sloe_layers_new(const sloe_net *net, const sloe_fusion *fusion,
                                     sloe_layers **out, sloe_error *err);
SLOE_API void sloe_layers_free(sloe_layers *layers);
SLOE_API size_t sloe_layers_count(const sloe_layers *layers);
SLOE_API const sloe_layer *sloe_layers_at(const sloe_layers *layers, size_t i);
SLOE_API const sloe_net *sloe_layers_net(const sloe_layers *layers);
SLOE_API const sloe_fusion *sloe_layers_fusion(const sloe_layers *layers);

/* ---- platforms --------------------------------------------------------------------------- */

typedef struct sloe_platform sloe_platform; /* all that is known of one device, runtime, mode */

/* Folders searched for platform files by name, in order. */
typedef struct sloe_search {
  const char *const *dirs;
  size_t n_dirs;
} sloe_search;

#define SLOE_SOURCE_MAP(X)                                               \
  X(NONE, "none", "unknown")                                             \
  X(DATASHEET, "datasheet", "from published peaks, uncalibrated")        \
  X(FITTED, "fitted", "from step and linear functions fitted to layers") \
  X(LEARNED, "learned", "from regressors trained on whole networks")     \
  X(MEASURED, "measured", "measured on the device")

typedef enum sloe_source {
#define SLOE_SOURCE_ENUM(name, text, doc) SLOE_SOURCE_##name,
  SLOE_SOURCE_MAP(SLOE_SOURCE_ENUM)
#undef SLOE_SOURCE_ENUM
} sloe_source;

SLOE_API const char *sloe_source_name(sloe_source source);

/* The card: what a platform is and where its figures come from. */
typedef struct sloe_card {
  const char *name;            /* "jetson-orin-nano-8gb-datasheet-fp16-15w" */
  const char *path;            /* of the file it was read from; "" from memory */
  const char *device;          /* "jetson-orin-nano-8gb" */
  const char *title;           /* "NVIDIA Jetson Orin Nano 8GB" */
  const char *runtime;         /* "datasheet", "tensorrt", ... as in the name */
  const char *runtime_version; /* "" where it does not apply */
  sloe_precision precision;
  const char *mode; /* power mode, "15w" */
  int default_mode; /* NVIDIA's default, which the name may leave out */
  sloe_source source;
  const char *notes; /* where the figures come from, one line */
  int transfers;     /* 1: latency includes copies to and from the device */
  double gpu_mhz, peak_gflops, bandwidth_gbs, launch_us; /* NAN where unknown */
  double memory_mb;                                      /* RAM of the board, 10^6 bytes */
  double memory_reserved_mb; /* of it taken by system and runtime before any network */
  double power_cap_w;        /* of the mode; NAN where it has none */
  double validated_mape;     /* per cent, held-out networks; NAN: never validated */
  const char *validated_on;  /* how many networks, which; "" */
} sloe_card;

/* Open PLATFORM: a path (it holds a '/' or ends in ".sloe"), or a name looked up in `search`. A
   path gives the file's default platform, "FILE.sloe:fp16-7w" the one that is called so. Errors:
   NOTFOUND (msg names the nearest known name), FORMAT (offset), UNSUPPORTED, IO, NOMEM. */
SLOE_API sloe_status sloe_platform_open(const char *platform, const sloe_search *search,
                                        sloe_platform **out, sloe_error *err);

/* The same from `len` bytes; `variant` names one of the platforms inside, whole or by its end
   ("fp16-7w"). NULL: the default mode's FP16, else FP32, else INT8 (docs/platform-file.md). */
SLOE_API sloe_status sloe_platform_from_memory(const void *buf, size_t len, const char *variant,
                                               sloe_platform **out, sloe_error *err);
SLOE_API void sloe_platform_free(sloe_platform *platform);
SLOE_API const sloe_card *sloe_platform_card(const sloe_platform *platform);
SLOE_API const sloe_fusion *sloe_platform_fusion(const sloe_platform *platform);
/* Time of the reference layer when the platform was measured; NAN: unknown. Measurements that come
   with theirs (`ref_ms` of a table) are compared with the platform in the ratio of the two. */
SLOE_API double sloe_platform_reference_ms(const sloe_platform *platform);

/* Every platform in the folders of `search`, sorted by name; a file that cannot be read becomes a
   warning. One name in two folders: the first wins. */
typedef struct sloe_platform_list sloe_platform_list;
SLOE_API sloe_status sloe_platform_list_new(const sloe_search *search, sloe_platform_list **out,
                                            sloe_error *err);
SLOE_API void sloe_platform_list_free(sloe_platform_list *list);
SLOE_API size_t sloe_platform_list_count(const sloe_platform_list *list);
SLOE_API const sloe_card *sloe_platform_list_at(const sloe_platform_list *list, size_t i);
SLOE_API size_t sloe_platform_list_warning_count(const sloe_platform_list *list);
SLOE_API const char *sloe_platform_list_warning(const sloe_platform_list *list, size_t i);

/* ---- estimates --------------------------------------------------------------------------- */

typedef enum sloe_method { SLOE_METHOD_AUTO, SLOE_METHOD_LAYERS, SLOE_METHOD_NETWORK } sloe_method;
SLOE_API sloe_status sloe_method_parse(const char *text, sloe_method *out, sloe_error *err);
SLOE_API const char *sloe_method_name(sloe_method method);

/* A figure that says how good it is. */
typedef struct sloe_figure {
  double value;     /* NAN: unknown */
  double low, high; /* 90 % interval of the model's error; of a datasheet: what its shares allow */
  sloe_source source;
  sloe_method method;
  double validated_mape; /* per cent; NAN */
  double validated_n;    /* networks of that mean; 0: those of the platform's validated_on */
  int in_domain;         /* 1: the question lies inside what was measured */
} sloe_figure;

#define SLOE_BOUND_MAP(X)     \
  X(NONE, "none")             \
  X(ARITHMETIC, "arithmetic") \
  X(MEMORY, "memory")         \
  X(LAUNCH, "launch")

typedef enum sloe_bound {
#define SLOE_BOUND_ENUM(name, text) SLOE_BOUND_##name,
  SLOE_BOUND_MAP(SLOE_BOUND_ENUM)
#undef SLOE_BOUND_ENUM
} sloe_bound;
SLOE_API const char *sloe_bound_name(sloe_bound bound);

typedef struct sloe_layer_estimate {
  const sloe_layer *layer;
  double latency_ms;
  double share;   /* of the sum of layers, 0..1 */
  uint64_t bytes; /* moved to and from memory at the platform's precision */
  sloe_bound bound;
  sloe_source source;
  int in_domain;
} sloe_layer_estimate;

typedef struct sloe_result {
  sloe_figure latency_ms; /* median device time of one inference, transfers excluded */
  double latency_p75_ms, latency_p97_5_ms; /* of runs on the device; NAN where never measured */
  double sum_of_layers_ms;
  sloe_figure power_w, energy_mj, memory_mb;
  const char *power_rail;  /* "gpu", "input", "device", "" */
  const char *memory_kind; /* "system", "process", "device" */
  int fits;                /* memory_mb against the board's RAM: 1 yes, 0 no, -1 unknown */
  const sloe_layer_estimate *layers; /* in execution order */
  size_t n_layers;
  const char *const *warnings;
  size_t n_warnings;
} sloe_result;

typedef struct sloe_estimate sloe_estimate;

/* All zero is a good default. */
typedef struct sloe_estimate_options {
  sloe_method method;
  const char *model; /* of whole networks: "xgb"; NULL: the one that validated best */
} sloe_estimate_options;

/* Estimate layers on a platform. They should come from sloe_platform_fusion(platform).
   `options` may be NULL. `layers` and `platform` must outlive the estimate.
   Errors: UNSUPPORTED (the platform has no model for the method), NOMEM. */
SLOE_API sloe_status sloe_estimate_new(const sloe_layers *layers, const sloe_platform *platform,
                                       const sloe_estimate_options *options, sloe_estimate **out,
                                       sloe_error *err);
SLOE_API void sloe_estimate_free(sloe_estimate *estimate);
SLOE_API const sloe_result *sloe_estimate_get(const sloe_estimate *estimate);
SLOE_API const sloe_layers *sloe_estimate_layers(const sloe_estimate *estimate);
SLOE_API const sloe_platform *sloe_estimate_platform(const sloe_estimate *estimate);

/* What a measurement says beside its result. NAN where unknown. */
typedef struct sloe_measured_extra {
  double latency_min_ms, latency_mean_ms, host_ms, sum_of_layers_ms, isolated_sum_ms, ref_ms;
  const char *quality; /* "ok", "noisy" */
  size_t n_runs;
  const double *isolated_ms; /* of each layer of the result, timed by itself; NULL: not done */
  int sensor;                /* 1: power was taken, 0: there is no sensor, -1: it was not asked */
  double power_s;            /* of steady load under which it was taken */
  size_t power_readings;     /* of the sensor */
  double peak_w;             /* median of the peaks of five parts of that load (Z 4.2) */
  double idle_w;             /* before anything ran */
  double dynamic_mj;         /* of one inference, above idle */
  double weights_mb, activations_mb, workspace_mb;     /* of memory_mb */
  const double *isolated_power_w, *isolated_energy_mj; /* as isolated_ms */
  double move_ms; /* a fixed move of memory, timed beside it: how busy others kept memory */
} sloe_measured_extra;

/* An answer: who was asked, about what, and what is said. Estimates and measurements alike. */
typedef struct sloe_answer {
  const sloe_card *card;
  const sloe_layers *layers;
  const sloe_result *result;
  const sloe_measured_extra *extra; /* of a measurement; else NULL */
} sloe_answer;

SLOE_API sloe_answer sloe_estimate_answer(const sloe_estimate *estimate);

/* ---- pruning targets (B Fig. 9) ----------------------------------------------------------- */

/* One convolution: the tread of the latency staircase that its filter count stands on. */
typedef struct sloe_prune_layer {
  const sloe_layer *layer;
  int64_t filters;              /* as it is */
  int64_t tread_lo, tread_hi;   /* first and last filter count of about equal latency; hi is the
                                   Pareto-optimal one */
  int64_t target;               /* the right end of the next tread below */
  double latency_ms, target_ms; /* of the layer as it is, and at `target` filters */
  double saved_ms, saved_share; /* of the layer alone; saved_share is of the network */
  double network_saved_ms;      /* with the layers that read its output narrowed too */
  int in_domain;
} sloe_prune_layer;

/* A point of the network's Pareto front: prune greedily, best milliseconds per filter first. */
typedef struct sloe_prune_step {
  size_t layer;      /* index into layers */
  int64_t filters;   /* it has after this step */
  double latency_ms; /* of the network after it */
  double params;     /* of the network after it */
} sloe_prune_step;

typedef struct sloe_prune sloe_prune;
typedef struct sloe_prune_result {
  const sloe_prune_layer *layers; /* convolutions and fully connected layers, in order */
  size_t n_layers;
  const sloe_prune_step *steps; /* the Pareto table, from the network as it is */
  size_t n_steps;
  double latency_ms;
} sloe_prune_result;

typedef struct sloe_prune_options {
  double slack;     /* latencies within this share are one tread: 0 takes 0.03 */
  size_t max_steps; /* 0: 32 */
} sloe_prune_options;

/* Needs a platform that is fitted (a data sheet has no treads: UNSUPPORTED). `options` may be NULL.
   The estimate must outlive the answer. */
SLOE_API sloe_status sloe_prune_new(const sloe_estimate *estimate,
                                    const sloe_prune_options *options, sloe_prune **out,
                                    sloe_error *err);
SLOE_API void sloe_prune_free(sloe_prune *prune);
SLOE_API const sloe_prune_result *sloe_prune_get(const sloe_prune *prune);

/* ---- evaluations: a platform's errors against measurements -------------------------------- */

/* Of one metric, over all rows or one group. Errors in per cent unless they say so; NAN where there
   are too few rows. Definitions: docs/json.md. X(NAME, doc) */
#define SLOE_ERROR_MAP(X)                                              \
  X(mape, "mean absolute percentage error")                            \
  X(mape_constant, "the same of the best constant prediction")         \
  X(mape_ci95, "half width of its 95 % confidence interval")           \
  X(rmse, "root mean square error, in the metric's unit")              \
  X(mae, "mean absolute error, in the metric's unit")                  \
  X(mpe, "mean of (estimated - measured) / measured")                  \
  X(mpe_sd, "its standard deviation")                                  \
  X(rmspe, "root mean square percentage error")                        \
  X(max_ape, "largest absolute percentage error")                      \
  X(min_ape, "smallest absolute percentage error")                     \
  X(within_10, "share of rows within 10 %, per cent")                  \
  X(kendall, "Kendall's rank correlation tau-b, -1..1")                \
  X(pearson, "Pearson's correlation, -1..1")                           \
  X(coverage_90, "share of rows inside their 90 % interval, per cent") \
  X(interval_width_median, "median of (high - low) / estimate, per cent")

typedef struct sloe_errors {
  const char *metric; /* "latency_ms" */
  const char *group;  /* "" for all rows, else the value of the column */
  size_t n, left_out; /* rows compared; rows with another quality, or that could not be answered */
#define SLOE_ERROR_MEMBER(name, doc) double name;
  SLOE_ERROR_MAP(SLOE_ERROR_MEMBER)
#undef SLOE_ERROR_MEMBER
} sloe_errors;

typedef struct sloe_evaluation {
  const char *table, *platform, *by; /* by: "" */
  const char *scaled;                /* "" or how measured times were scaled, one line */
  const sloe_errors *errors;         /* all rows of each metric first, then the groups */
  size_t n_errors;
  const char *const *warnings; /* rows that could not be answered, and why */
  size_t n_warnings;
} sloe_evaluation;

/* ---- trainings: what was learned of whole networks ----------------------------------------- */

typedef struct sloe_trained {
  const char *metric, *regressor; /* "latency_ms", "xgb" */
  int on_layers;                  /* learned what the platform's layers leave over */
  int chosen;                     /* of its metric the one that answers */
  int outside;                    /* the one that answers of networks unlike those learned from */
  sloe_errors errors;             /* of cross-validation; of draws: the median of each figure */
  sloe_errors kinds;              /* of whole kinds left out; n 0: there is one kind only */
  double mape_p90;                /* of draws: the 90th percentile of their MAPE; NAN */
  double train_s, tune_s;         /* seconds; NAN: not done */
  double predict_us;              /* one network after the other, from its features */
  size_t points, abandoned;       /* of tuning */
  const char *hyper;              /* "n_estimators=500 max_depth=6": those it was trained with */
} sloe_trained;

/* A step of forward selection: the feature that came in, and the error with all so far. */
typedef struct sloe_selected {
  const char *metric, *feature;
  double score; /* F-score of XGBoost */
  double mape;  /* per cent, cross-validation */
  int chosen;
} sloe_selected;

typedef struct sloe_training {
  const char *table, *platform; /* platform: the file written; "" */
  const char *kinds;            /* the column that kinds were told apart by; "" */
  size_t rows, left_out, n_kinds, n_features;
  size_t draw, repeat; /* 0: not drawn */
  const sloe_trained *models;
  size_t n_models;
  const sloe_selected *selected;
  size_t n_selected;
  const char *const *warnings;
  size_t n_warnings;
} sloe_training;

/* ---- reports: the same answers as text --------------------------------------------------- */

typedef enum sloe_format { SLOE_FORMAT_TABLE, SLOE_FORMAT_JSON, SLOE_FORMAT_CSV } sloe_format;
SLOE_API sloe_status sloe_format_parse(const char *text, sloe_format *out, sloe_error *err);

typedef struct sloe_report_options {
  sloe_format format;
  int layers;   /* per-layer rows */
  int features; /* model-level features */
  int color;    /* tables: ANSI colours */
  int bars;     /* tables: shares drawn as bars; 1: UTF-8 blocks, 2: ASCII */
  int width;    /* of the terminal in columns; 0: 100 */
  int list;     /* JSON: a list document even of one answer */
  double budget_ms, budget_w, budget_mb; /* 0: none; shown beside the figure */
} sloe_report_options;

/* `*text` is malloc'ed and NUL-terminated; free it with sloe_text_free. Schemas: docs/json.md. */
SLOE_API void sloe_text_free(char *text);

/* layers[i] belongs to the net of the i-th answer (its net is sloe_layers_net()). */
SLOE_API sloe_status sloe_report_info(const sloe_layers *const *layers, size_t n,
                                      const sloe_report_options *options, char **text,
                                      sloe_error *err);
SLOE_API sloe_status sloe_report_estimates(const sloe_estimate *const *estimates, size_t n,
                                           const sloe_report_options *options, char **text,
                                           sloe_error *err);
/* prunes[i] is of the network and platform of answers[i]. */
SLOE_API sloe_status sloe_report_prune(const sloe_answer *answers,
                                       const sloe_prune_result *const *prunes, size_t n,
                                       const sloe_report_options *options, char **text,
                                       sloe_error *err);
/* The same as sloe_report_estimates for any answers: all estimates, or all measurements. */
SLOE_API sloe_status sloe_report_answers(const sloe_answer *answers, size_t n,
                                         const sloe_report_options *options, char **text,
                                         sloe_error *err);
SLOE_API sloe_status sloe_report_evaluations(const sloe_evaluation *const *evaluations, size_t n,
                                             const sloe_report_options *options, char **text,
                                             sloe_error *err);
SLOE_API sloe_status sloe_report_training(const sloe_training *training,
                                          const sloe_report_options *options, char **text,
                                          sloe_error *err);
SLOE_API sloe_status sloe_report_platforms(const sloe_platform_list *list,
                                           const sloe_report_options *options, char **text,
                                           sloe_error *err);
/* Every family of the zoo with its keys, their defaults and ranges. */
SLOE_API sloe_status sloe_report_zoo(const sloe_report_options *options, char **text,
                                     sloe_error *err);
/* One platform: its card and all its parameters. JSON is what `platform export` writes. */
SLOE_API sloe_status sloe_report_platform(const sloe_platform *platform,
                                          const sloe_report_options *options, char **text,
                                          sloe_error *err);

/* A flat document of named facts, for what is a handful of numbers (the summary of a campaign). */
typedef enum sloe_fact_type {
  SLOE_FACT_TEXT,
  SLOE_FACT_COUNT,
  SLOE_FACT_NUMBER,
  SLOE_FACT_FLAG
} sloe_fact_type;

typedef struct sloe_fact {
  const char *key;   /* in JSON and CSV, "layer_rmspe" */
  const char *label; /* in tables; NULL: not there */
  const char *unit;  /* in tables, behind the value; NULL */
  sloe_fact_type type;
  const char *text; /* of TEXT: "" is unknown */
  int64_t count;    /* of COUNT and FLAG: below 0 is unknown */
  double number;    /* of NUMBER: NAN is unknown */
} sloe_fact;

/* `schema`: "sloe/profile/1"; `title`: above the table. */
SLOE_API sloe_status sloe_report_facts(const char *schema, const char *title,
                                       const sloe_fact *facts, size_t n,
                                       const sloe_report_options *options, char **text,
                                       sloe_error *err);

#ifdef __cplusplus
}
#endif
#endif
