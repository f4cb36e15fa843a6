/* format.h: the platform file, version 1.
 *
 * A platform file is text that a person can write from a data sheet and a diff can show:
 *
 *   sloe-platform 1
 *   # one module, all its precisions and power modes
 *   [platform]
 *   device = jetson-nano-4gb
 *   ...
 *   [chip]
 *   bus_bits = 64
 *   [precision fp16]
 *   matrix_flop = 512
 *   [mode maxn]
 *   gpu_mhz = 921.6
 *
 * Every (precision, mode) pair is one platform, named <device>-<runtime>-<precision>-<mode>; of the
 * default mode the last part is left out. Peaks are not written but computed, so that no two
 * numbers can disagree: FLOP/s = SMs x FLOP per clock and SM x clock, bytes/s = bus bytes x 2 x EMC
 * clock.
 *
 * Invariants of a file that was read: every number is finite and within the range in the tables
 * below; sections [platform] and [chip] stand once; at least one precision and one mode, names
 * unique, at most one default; no more than the caps in this header. All of it is checked while
 * reading, so that nothing behind needs to check again.
 *
 * Rejected: JSON (no comments, and libsloe's JSON parser gives no byte offsets for rule
 * violations); one file a platform (12 near copies a module). What is fitted to measurements is too
 * large for a text and has a binary form, fitted_format.h.
 *
 * The keys exist once, here. K(name, KIND, min, max, need, doc). KIND:
 *   TOKEN  lower-case letters, digits and inner '-', `min`..`max` of them      const char *
 *   TEXT   printable ASCII, `min`..`max` bytes                                 const char *
 *   REAL   a number in [min, max]                                              double
 *   WHOLE  a whole number in [min, max]                                        double
 *   SHARE  two numbers, the typical and the worst, which is not larger         sloe_range
 *   COST   two numbers, the typical and the worst, which is not smaller        sloe_range
 *   DOTTED a version "major.minor" with minor < 100 -> major * 100 + minor     double
 *   YESNO  "yes" or "no"                                                       int
 * `need`: 1 the section must have it. Absent numbers are NAN, absent texts "".
 */
#ifndef SLOE_PLATFORM_FORMAT_H
#define SLOE_PLATFORM_FORMAT_H

#include "platform/platform.h"

#define SLOE_PF_MAGIC "sloe-platform"
enum {
  SLOE_PF_VERSION = 1,
  SLOE_PF_MAX_BYTES = 1 << 18,
  SLOE_PF_MAX_LINE = 1000,
  SLOE_PF_MAX_MODES = 32,
  SLOE_PF_MAX_NAME = 200, /* of a platform */
};

#define SLOE_PF_PLATFORM_KEYS(K)                                                            \
  K(device, TOKEN, 1, 48, 1, "name of the board; platform names begin with it")             \
  K(title, TEXT, 1, 100, 1, "the board's name for people")                                  \
  K(runtime, TOKEN, 1, 32, 1, "second part of platform names; 'datasheet' in this version") \
  K(source, TOKEN, 1, 32, 1, "where the figures come from; 'datasheet' in this version")    \
  K(notes, TEXT, 0, 600, 0, "where the figures come from, for people")

#define SLOE_PF_CHIP_KEYS(K)                                                              \
  K(gpu, TEXT, 1, 60, 1, "name of the GPU")                                               \
  K(compute_capability, DOTTED, 100, 9999, 1, "CUDA compute capability")                  \
  K(tensorrt, DOTTED, 100, 9999, 1, "newest TensorRT that supports the module")           \
  K(cores, WHOLE, 1, 65536, 1, "CUDA cores of the whole chip")                            \
  K(sms, WHOLE, 1, 1024, 1, "streaming multiprocessors of the whole chip")                \
  K(bus_bits, WHOLE, 8, 8192, 1, "width of the memory bus")                               \
  K(l2_kib, REAL, 1, 1048576, 0, "L2 cache")                                              \
  K(ram_mib, REAL, 64, 16777216, 1, "RAM of the module")                                  \
  K(carve_out_mib, REAL, 0, 1048576, 1, "RAM that the system never sees")                 \
  K(system_mib, REAL, 0, 1048576, 1, "RAM that an idle system uses")                      \
  K(runtime_mib, REAL, 0, 1048576, 1, "RAM for CUDA and the runtime's libraries")         \
  K(workspace_mib, COST, 0, 1048576, 1, "scratch memory of a network: typical and worst") \
  K(launch_us, COST, 0, 100000, 1, "time to launch a layer: typical and worst")           \
  K(memory_share, SHARE, 1e-4, 1, 1, "share of the bandwidth reached: typical and worst")

#define SLOE_PF_PRECISION_KEYS(K)                                                           \
  K(matrix_flop, REAL, 1, 1e6, 1, "FLOP per clock and SM of matrix products, dense")        \
  K(vector_flop, REAL, 1, 1e6, 1, "FLOP per clock and SM of everything else")               \
  K(fast_conv, REAL, 1, 16, 0, "most by which a fast algorithm cuts a convolution's FLOPs") \
  K(fast_matrix, REAL, 1, 16, 0, "most by which another number format (TF32) beats it")     \
  K(conv, SHARE, 1e-4, 16, 1, "share of the peak reached by dense convolutions")            \
  K(conv3x3, SHARE, 1e-4, 16, 1, "the same, 3x3 of stride 1")                               \
  K(pointwise, SHARE, 1e-4, 16, 1, "the same, 1x1 convolutions")                            \
  K(grouped, SHARE, 1e-4, 16, 1, "the same, convolutions in groups")                        \
  K(matmul, SHARE, 1e-4, 16, 1, "the same, matrix products")                                \
  K(vector, SHARE, 1e-4, 1, 1, "the same, everything else")

#define SLOE_PF_MODE_KEYS(K)                                         \
  K(sms, WHOLE, 1, 1024, 1, "streaming multiprocessors switched on") \
  K(gpu_mhz, REAL, 1, 10000, 1, "largest GPU clock")                 \
  K(emc_mhz, REAL, 1, 50000, 1, "largest memory clock")              \
  K(power_cap_w, REAL, 0.1, 10000, 0, "power budget of the mode")    \
  K(default, YESNO, 0, 0, 0, "the mode that NVIDIA ships")

#define SLOE_PF_VALIDATED_KEYS(K)                                                            \
  K(mape, REAL, 0, 100000, 1, "mean absolute error of latency, per cent, held-out networks") \
  K(on, TEXT, 1, 200, 1, "how many networks, which")

#define SLOE_PF_C_TOKEN                                const char *
#define SLOE_PF_C_TEXT                                 const char *
#define SLOE_PF_C_REAL                                 double
#define SLOE_PF_C_WHOLE                                double
#define SLOE_PF_C_SHARE                                sloe_range
#define SLOE_PF_C_COST                                 sloe_range
#define SLOE_PF_C_DOTTED                               double
#define SLOE_PF_C_YESNO                                int

#define SLOE_PF_FIELD(name, kind, min, max, need, doc) SLOE_PF_C_##kind name##_;
typedef struct sloe_pf_platform {
  SLOE_PF_PLATFORM_KEYS(SLOE_PF_FIELD)
} sloe_pf_platform;
typedef struct sloe_pf_chip {
  SLOE_PF_CHIP_KEYS(SLOE_PF_FIELD)
} sloe_pf_chip;
typedef struct sloe_pf_precision {
  SLOE_PF_PRECISION_KEYS(SLOE_PF_FIELD)
} sloe_pf_precision;
typedef struct sloe_pf_mode {
  const char *name; /* "15w" */
  SLOE_PF_MODE_KEYS(SLOE_PF_FIELD)
} sloe_pf_mode;
typedef struct sloe_pf_validated {
  SLOE_PF_VALIDATED_KEYS(SLOE_PF_FIELD)
} sloe_pf_validated;
#undef SLOE_PF_FIELD

/* A whole file. Strings live in the arena that it was read into. */
typedef struct sloe_pf {
  sloe_pf_platform platform;
  sloe_pf_chip chip;
  sloe_pf_precision precision[SLOE_PRECISION_COUNT];
  sloe_pf_mode mode[SLOE_PF_MAX_MODES];
  sloe_pf_validated validated[SLOE_PRECISION_COUNT][SLOE_PF_MAX_MODES];
  int has_platform, has_chip, has_precision[SLOE_PRECISION_COUNT];
  int has_validated[SLOE_PRECISION_COUNT][SLOE_PF_MAX_MODES];
  size_t n_modes;
} sloe_pf;

/* Read a file. Errors: FORMAT (offset, and the line in the message), UNSUPPORTED (a version,
   section or key that is not known here), NOMEM. */
sloe_status sloe_pf_parse(const char *text, size_t len, sloe_arena *arena, sloe_pf *out,
                          sloe_error *err);

/* The mode that a name without one means: the default, or the only one there is. -1: neither. */
int sloe_pf_default_mode(const sloe_pf *pf);

/* Find `variant` (a full name, or its end "fp16", "fp16-7w"); NULL or "": the default mode's FP16,
   else FP32, else INT8; without a default mode, of the first mode. 0: there is none. */
int sloe_pf_find(const sloe_pf *pf, const char *variant, sloe_precision *precision, size_t *mode);

/* The canonical name of one platform: without the mode where that is the default. */
void sloe_pf_name(const sloe_pf *pf, sloe_precision precision, size_t mode,
                  char out[SLOE_PF_MAX_NAME]);

/* The card of one platform, strings copied into `arena`. */
sloe_status sloe_pf_card(const sloe_pf *pf, sloe_precision precision, size_t mode, const char *path,
                         sloe_arena *arena, sloe_card *out, sloe_error *err);

/* Fill all of *out but its arena, which must be initialised and holds what `pf` points to. */
sloe_status sloe_pf_build(const sloe_pf *pf, sloe_precision precision, size_t mode,
                          const char *path, sloe_platform *out, sloe_error *err);

/* The three of SLOE_PRECISION_MAP by text, without messages. -1: none. */
int sloe_pf_precision_index(const char *text, size_t len);
const char *sloe_pf_precision_text(sloe_precision precision);

#endif
