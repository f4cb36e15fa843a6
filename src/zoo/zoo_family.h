/* zoo_family.h: what a family is given and what it does. Private to zoo/.
 *
 * A family is one constant: its name, its keys and its builder. The keys are read before the
 * builder runs, which finds their values in the order in which it lists them. */
#ifndef SLOE_ZOO_ZOO_FAMILY_H
#define SLOE_ZOO_ZOO_FAMILY_H

#include "zoo/zoo_build.h"

enum { SLOE_ZOO_MOST_KEYS = 12 };

typedef struct sloe_zoo_value {
  int given;        /* 0: the fallback is read */
  int64_t whole;    /* of WHOLE; of WORD: which, from 0 */
  double real;      /* of REAL and WHOLE */
  int64_t image[3]; /* channels, height, width */
  const char *text; /* of all, `len` bytes */
  size_t len;
} sloe_zoo_value;

/* A spec as read. A fallback of "" leaves its value zero: the family decides. */
typedef struct sloe_zoo_call {
  const char *args; /* what stands behind "zoo:FAMILY,", "" where nothing does */
  int64_t batch;    /* at least 1 */
  sloe_zoo_value v[SLOE_ZOO_MOST_KEYS];
} sloe_zoo_call;

/* Puts the network's inputs, nodes and outputs into the builder's net. */
typedef sloe_status (*sloe_zoo_build)(sloe_zoo_builder *b, const sloe_zoo_call *call);

typedef struct sloe_zoo_entry {
  sloe_zoo_family face;
  sloe_zoo_build build;
  int reads_itself; /* args are left to the builder; the keys are there to be listed */
} sloe_zoo_entry;

#define FAMILY(id) extern const sloe_zoo_entry sloe_zoo_family_##id;
#include "zoo/families.def"
#undef FAMILY

/* ---- keys (zoo_keys.c) ---- */

#define SLOE_ZOO_COUNT_OF(list) (sizeof(list) / sizeof *(list))
/* The keys that all networks have, with their usual limits. */
#define SLOE_ZOO_KEY_INPUT(size, smallest, largest)                                              \
  {                                                                                              \
    .name = "input", .doc = "the image that is read", .takes = SLOE_ZOO_IMAGE, .fallback = size, \
    .least = smallest, .most = largest                                                           \
  }
#define SLOE_ZOO_KEY_CLASSES(number)                                              \
  {                                                                               \
    .name = "classes", .doc = "units of the last layer", .takes = SLOE_ZOO_WHOLE, \
    .fallback = number, .least = 1, .most = 100000                                \
  }

/* Reads args: each key must be listed, its value within its bounds, and stand once. USAGE naming
   the key. */
sloe_status sloe_zoo_read_keys(const sloe_zoo_family *family, sloe_zoo_call *call, sloe_error *err);

/* Decides an image that was not given. */
void sloe_zoo_default_image(sloe_zoo_value *value, int64_t size);

/* What two flavours count by: torchvision's or timm's network, or Keras's. */
enum { SLOE_ZOO_TORCH, SLOE_ZOO_KERAS };
#define SLOE_ZOO_KEY_FLAVOUR(text)                                               \
  {                                                                              \
    .name = "flavour", .doc = text, .takes = SLOE_ZOO_WORD, .fallback = "torch", \
    .words = "torch|keras"                                                       \
  }

/* ---- the two ends of a network (zoo_ends.c) ---- */

sloe_zoo_map sloe_zoo_begin(sloe_zoo_builder *b, const sloe_zoo_call *call,
                            const sloe_zoo_value *image);
/* The mean of each channel, a fully connected layer, the output. */
sloe_status sloe_zoo_end_mean_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes);
/* The same, the means by ReduceMean. */
sloe_status sloe_zoo_end_reduce_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes);
/* The same, the classifier a 1x1 convolution. */
sloe_status sloe_zoo_end_mean_conv(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes);
/* x is the output. */
sloe_status sloe_zoo_end(sloe_zoo_builder *b, sloe_zoo_map x);

/* ---- widths ---- */

/* The multiple of `divisor` nearest to `width`, not under it by more than a tenth, and at least
   one: MobileNet's rule (tensorflow/models, slim/nets/mobilenet, _make_divisible), which its
   successors share. */
int64_t sloe_zoo_divisible(double width, int64_t divisor);

#endif
