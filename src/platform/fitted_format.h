/* fitted_format.h: the platform file of source FITTED, binary, version 4. Private to platform/.
 *
 *   offset  bytes
 *        0      8  89 'S' 'L' 'O' CR LF 1A LF: no text file begins so, and a transfer that
 *                  turns line ends or cuts the eighth bit changes it
 *        8      4  version; 1, 2 and 3 are read, too
 *       12      4  32: where what the checksum covers begins
 *       16      8  length of the file
 *       24      8  XXH64 of all bytes from 32 on
 *       32      8  number of sections, 4 or 5
 *       40   nx24  tag (8 bytes, filled up with 0), offset, length: card, families, ops, network,
 *                  and learned, where whole networks were learned from
 *      ...         the sections in this order, each at the next multiple of 16
 *
 * Integers are little-endian, reals IEEE 754. Zeros fill up to multiples.
 *
 *   card      lines "key = value" (the keys stand below), so that `strings` shows what a file is
 *   families  u32 count, then at 16 each
 *               i32 op, grouping, kernel height, width, stride height, width
 *               u32 points, n_dims, n_coefs, 0;  f64 floor
 *               n_dims x { i64 lo, hi; i32 width, outer, slope, start, change, 0 }
 *               n_coefs x f64
 *   ops       u32 count, then at 16 each
 *               i32 op, grouping; u32 features in the domain, features of the forest, trees, depth
 *               f64 base, p75, p97_5, error_90; u32 activations; f64 add_ns, act_ns[activations]
 *               u32 first[features of the forest + 1]; f32 lo[features], hi[features]
 *             and at multiples of 16 the forest's f32 thresholds, u8 rows, f32 leaves;
 *             where the domain has the features proposed_1 ...: u32 count, then at 16 each
 *               u32 features, trees, depth, nodes; f64 base; where there are no nodes (before
 *               version 3 there are none) u32 first[features + 1] and a forest's thresholds, rows
 *               and leaves likewise, else fitted_trees.h;
 *             since version 2: f64 transform_bytes, and where it is > 0 a chance as those;
 *             since version 3: fitted_mlp.h, since version 4 more than one
 *   network   f64 scale, per_layer_ms, per_mb_ms, per_reorder, error_90,
 *               memory_scale, memory_offset_mb, memory_error_90
 *   learned   networks_file.c
 *
 * Families and ops stand in ascending order of their keys, each key once.
 *
 * Invariants of a file that was read: numbers that are needed are finite, no section reaches
 * outside the file, the staircases and forests passed their checks, and any layer's time is finite
 * (SLOE_FITTED_MAX_*), so that nothing behind needs to check again.
 *
 * A file is read in one read and not mapped: the forests' arrays are used where they lie in that
 * memory. A mapping would follow a file that another program cuts (SIGBUS) or writes to (leaves
 * that do not exist) after it was checked, and saves nothing, since the checksum reads every byte.
 *
 * Rejected: sections of the text format (a thousand families are a megabyte of decimals to parse
 * for one estimate); offsets inside sections (each would be one more number to distrust).
 */
#ifndef SLOE_PLATFORM_FITTED_FORMAT_H
#define SLOE_PLATFORM_FITTED_FORMAT_H

#include "base/text.h"
#include "platform/fitted.h"
#include "platform/format.h"

#define SLOE_FITTED_MAGIC "\x89SLO\r\n\x1a\n"

enum {
  SLOE_FITTED_VERSION = 4,
  SLOE_FITTED_MAGIC_BYTES = 8,
  SLOE_FITTED_KNOWN_BY = 4, /* bytes of the magic by which a binary file is told from a text */
  SLOE_FITTED_HEADER = 32,
  SLOE_FITTED_ALIGN = 16,
  SLOE_FITTED_TAG = 8,
  SLOE_FITTED_FAMILY_LEAST = 96, /* bytes of a family with one dimension and one coefficient */
  SLOE_FITTED_OP_LEAST = 80,
  SLOE_FITTED_MAX_BYTES = 1 << 28,
  SLOE_FITTED_MAX_FAMILIES = 8192,
  SLOE_FITTED_MAX_OPS = 256,
  SLOE_FITTED_MAX_ENVIRONMENT = 256,
  SLOE_FITTED_MLPS = 8, /* of an op */
};

#define SLOE_FITTED_MAX_COEF            1e30 /* of a staircase: finite wherever coordinates are int64 */
#define SLOE_FITTED_MAX_NS              1e9 /* of an element */
#define SLOE_FITTED_MAX_LN              300. /* what a forest can give at most: exp() of it is finite */
#define SLOE_FITTED_MAX_MLP_LN          100. /* and what an MLP can */
#define SLOE_FITTED_MAX_TRANSFORM_BYTES 4096.

/* X(ID, tag), in the order of the file; the last may be missing */
#define SLOE_FITTED_SECTION_MAP(X) \
  X(CARD, "card")                  \
  X(FAMILIES, "families")          \
  X(OPS, "ops")                    \
  X(NETWORK, "network")            \
  X(LEARNED, "learned")

typedef enum sloe_fitted_section {
#define SLOE_FITTED_SECTION_ENUM(id, tag) SLOE_FITTED_##id,
  SLOE_FITTED_SECTION_MAP(SLOE_FITTED_SECTION_ENUM)
#undef SLOE_FITTED_SECTION_ENUM
      SLOE_FITTED_SECTION_COUNT,
  SLOE_FITTED_SECTIONS_NEEDED = SLOE_FITTED_LEARNED /* those before it */
} sloe_fitted_section;

extern const char *const sloe_fitted_tags[SLOE_FITTED_SECTION_COUNT];

/* Do the bytes begin as a binary platform file does? */
int sloe_fitted_is(const void *data, size_t len);

/* Read `len` bytes at `data` into *platform (all but its path), whose arena is initialised and
   which holds on to `data`, aligned to 16. Errors: FORMAT (offset), UNSUPPORTED (newer), NOMEM. */
sloe_status sloe_fitted_read(const void *data, size_t len, sloe_platform *platform,
                             sloe_error *err);

/* The bytes of a file; a failure sticks in `out`. Errors: USAGE (a text of more than a line). */
sloe_status sloe_fitted_encode(const sloe_fitted_platform *platform, sloe_text *out,
                               sloe_error *err);

/* Does `variant` (NULL, "", "fp32", "fp32-t1", the full name, with the mode or without) name it? */
int sloe_fitted_is_called(const sloe_card *card, const char *variant);

/* ---- the card (fitted_card.c) ---- */

/* The card's keys, as in format.h: K(name, KIND, min, max, need, doc). Further lines are pairs of
   the environment, "env.NAME = value". */
#define SLOE_FITTED_CARD_KEYS(K)                                                         \
  K(device, TOKEN, 1, 48, 1, "name of the device; the platform's name begins with it")   \
  K(title, TEXT, 1, 100, 1, "the device's name for people")                              \
  K(runtime, TOKEN, 1, 32, 1, "second part of the name")                                 \
  K(runtime_version, TEXT, 0, 60, 0, "of the runtime that was measured")                 \
  K(precision, TOKEN, 1, 8, 1, "third part of the name: fp32, fp16, int8")               \
  K(mode, TOKEN, 1, 32, 0, "last part of the name: power mode, threads")                 \
  K(notes, TEXT, 0, 600, 0, "for people")                                                \
  K(transfers, YESNO, 0, 0, 0, "latency includes copies to and from the device")         \
  K(gpu_mhz, REAL, 0, 1e6, 0, "clock of the GPU")                                        \
  K(memory_mb, REAL, 0, 1e9, 0, "RAM of the device")                                     \
  K(memory_reserved_mb, REAL, 0, 1e9, 0, "of it taken by system and runtime")            \
  K(power_cap_w, REAL, 0, 1e6, 0, "power budget of the mode")                            \
  K(validated_on, TEXT, 0, 200, 0, "held-out networks, which")                           \
  K(fusion, TOKEN, 1, 32, 1, "the runtime whose fusion rules apply")                     \
  K(fusion_version, WHOLE, 0, 99999, 0, "of that runtime, major x 100 + minor")          \
  K(fusion_capability, WHOLE, 0, 9999, 0, "CUDA compute capability, major x 10 + minor") \
  K(created, TEXT, 0, 40, 0, "the day")                                                  \
  K(tool, TEXT, 0, 60, 0, "what wrote the file")                                         \
  K(seed, TEXT, 0, 40, 0, "of the campaign's random choices")                            \
  K(memory_kind, TOKEN, 1, 16, 0, "of the networks' memory: process, device, system")    \
  K(memory_of, TOKEN, 1, 16, 0, "what it goes with: buffers; absent: live activations")  \
  K(reference_ms, REAL, 0, 1e9, 0, "time of the reference layer")                        \
  K(points, REAL, 0, 1e12, 0, "layers measured")                                         \
  K(seconds, REAL, 0, 1e12, 0, "how long that took")                                     \
  SLOE_FITTED_ERROR_KEYS(K, layer, "held-out layers")                                    \
  SLOE_FITTED_ERROR_KEYS(K, network, "held-out networks")                                \
  SLOE_FITTED_ERROR_KEYS(K, memory, "memory of held-out networks")                       \
  SLOE_FITTED_POWER_KEYS(K)                                                              \
  SLOE_FITTED_ERROR_KEYS(K, power, "power of held-out networks")

/* The terms of SLOE_POWER_TERM_MAP. */
#define SLOE_FITTED_POWER_KEYS(K)                                                          \
  K(power_rest, REAL, 0, 1e6, 0, "W of layers whatever they do")                           \
  K(power_arithmetic, REAL, 0, 1e6, 0, "W of 10^12 multiply-accumulates a second")         \
  K(power_traffic, REAL, 0, 1e6, 0, "W of 10^12 bytes a second")                           \
  K(power_root_arithmetic, REAL, 0, 1e6, 0, "W of the root of those multiply-accumulates") \
  K(power_root_traffic, REAL, 0, 1e6, 0, "W of the root of those bytes")                   \
  K(power_error_90, REAL, 0, 1e3, 0, "nine in ten held-out networks lie within exp(+-this)")

#define SLOE_FITTED_ERROR_KEYS(K, of, text)                                   \
  K(of##_n, REAL, 0, 1e12, 0, text ": how many")                              \
  K(of##_mape, REAL, 0, 1e9, 0, text ": mean absolute error, per cent")       \
  K(of##_rmspe, REAL, 0, 1e9, 0, text ": root mean square error, per cent")   \
  K(of##_max_ape, REAL, 0, 1e9, 0, text ": largest absolute error, per cent") \
  K(of##_noise_mape, REAL, 0, 1e9, 0, text ": the same things measured twice, per cent")

#define SLOE_FITTED_CARD_FIELD(name, kind, min, max, need, doc) SLOE_PF_C_##kind name##_;
typedef struct sloe_fitted_card {
  SLOE_FITTED_CARD_KEYS(SLOE_FITTED_CARD_FIELD)
} sloe_fitted_card;
#undef SLOE_FITTED_CARD_FIELD

struct sloe_pf_section;
extern const struct sloe_pf_section sloe_fitted_card_section; /* the keys as data */

sloe_status sloe_fitted_card_encode(const sloe_fitted_platform *platform, sloe_text *out,
                                    sloe_error *err);
/* `text` begins at `offset` of the file. Fills card, fusion and the card's part of *fitted. */
sloe_status sloe_fitted_card_read(const char *text, size_t len, uint64_t offset,
                                  sloe_platform *platform, sloe_fitted *fitted, sloe_error *err);

#endif
