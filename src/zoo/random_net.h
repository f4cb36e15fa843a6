/* random_net.h: the choices that make a random CNN. Private to zoo/.
 *
 * All that is drawn stands in the plan; putting it down draws nothing more. So the same plan can be
 * counted at several widths before one is built, and a key that overrides a choice leaves the
 * others as the seed drew them. */
#ifndef SLOE_ZOO_RANDOM_NET_H
#define SLOE_ZOO_RANDOM_NET_H

#include "base/rng.h"
#include "zoo/zoo_build.h"

enum { SLOE_RANDOM_STAGES = 5, SLOE_RANDOM_BLOCKS = 100 };

/* X(ID, fewest and most blocks: 10 to 60 layers, most of the width of a first stage, blocks like)
 */
#define SLOE_RANDOM_STYLE_MAP(X)                                       \
  X(PLAIN, 7, 36, 192, "VGG: convolutions, pooling between stages")    \
  X(BASIC, 4, 20, 192, "ResNet-18: two convolutions and a residual")   \
  X(BOTTLENECK, 3, 14, 256, "ResNet-50: 1x1, 3x3, 1x1 and a residual") \
  X(GROUPED, 3, 14, 256, "ResNeXt: a bottleneck of grouped 3x3")       \
  X(INVERTED, 3, 16, 96, "MobileNet: wide depthwise, narrow residual") \
  X(GATED, 2, 7, 96, "EfficientNet: the same with squeeze and excite") \
  X(BRANCHED, 2, 6, 320, "GoogLeNet: four branches put together")      \
  X(DENSE, 3, 10, 160, "DenseNet: each block adds channels to all before")

typedef enum sloe_random_style {
#define SLOE_RANDOM_STYLE_ENUM(id, least, most, width, doc) SLOE_RANDOM_##id,
  SLOE_RANDOM_STYLE_MAP(SLOE_RANDOM_STYLE_ENUM)
#undef SLOE_RANDOM_STYLE_ENUM
      SLOE_RANDOM_STYLE_COUNT
} sloe_random_style;

typedef enum sloe_random_head {
  SLOE_RANDOM_HEAD_NONE,   /* ResNet: the means of the last map */
  SLOE_RANDOM_HEAD_CONV,   /* MobileNet v2: a wide 1x1 convolution, then the means */
  SLOE_RANDOM_HEAD_HIDDEN, /* MobileNet v3: the means, then a hidden layer */
  SLOE_RANDOM_HEAD_FLAT,   /* VGG: the whole last map, then a hidden layer */
} sloe_random_head;

typedef struct sloe_random_block {
  int64_t kernel; /* 3, 5 or 7 */
  double width;   /* of the stage's, 0.7 to 1.3 */
  double inner;   /* bottleneck 0.2 to 0.6; branches' shares */
  double expand;  /* inverted: 2 to 6 */
} sloe_random_block;

typedef struct sloe_random_plan {
  sloe_random_style style;
  int64_t input, classes;
  int64_t stages, blocks; /* blocks in all, spread over the stages, the later ones first */
  int64_t stem_kernel, stem_stride, stem_pool;
  int64_t round;      /* widths are multiples of it */
  int64_t group_size; /* channels of a group */
  double growth;      /* of the width from stage to stage */
  int norm;
  sloe_op pool; /* between plain stages */
  sloe_random_head head;
  int64_t head_width;
  sloe_spec_act act;
  sloe_random_block block[SLOE_RANDOM_BLOCKS];
} sloe_random_plan;

/* One block of the plan's style onto x. `width` is the stage's; `first` of its stage: halves the
   image if it can. */
sloe_zoo_map sloe_random_add_block(sloe_zoo_builder *b, const sloe_random_plan *plan,
                                   const sloe_random_block *block, sloe_zoo_map x, double width,
                                   int first);

/* The nearest multiple of the plan's `round`, at least one. */
int64_t sloe_random_width(const sloe_random_plan *plan, double width);

#endif
