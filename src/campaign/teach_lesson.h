/* teach_lesson.h: layers as teachers look at them. Private to campaign/.
 */
#ifndef SLOE_CAMPAIGN_TEACH_LESSON_H
#define SLOE_CAMPAIGN_TEACH_LESSON_H

#include "campaign/proposals.h"
#include "platform/platform.h"

typedef struct sloe_layer_lesson { /* one row, measured or told */
  sloe_layer_spec spec;
  sloe_layer_place place;
  double stair_ms;     /* of the staircase */
  double y;            /* ln(time / staircase) */
  const char *kernels; /* what each took (device.h); "": not known */
  int chosen; /* of a runtime that chooses among kernels: what divides the channels counts */
  double workspace_mb; /* of the fastest of them; NAN: not known */
} sloe_layer_lesson;

/* The inputs of a process. Features that are remainders or names are no lengths: remainders become
   waste, a name one input for each; what is a sum of others, for trees alone, is left out. What
   divides the channels is always 0 where it does not count. `place` NULL: by itself. */
enum {
  SLOE_TEACH_ALIGNED = 13,
  SLOE_TEACH_INPUTS = SLOE_LAYER_FEATURES - 10 - SLOE_LAYER_PROPOSED + 4 + 1 + SLOE_SPEC_ACT_COUNT +
                      (int)SLOE_TEACH_ALIGNED
};
void sloe_teach_inputs(const sloe_layer_lesson *lesson, const sloe_layer_place *place,
                       double out[SLOE_TEACH_INPUTS]);

/* Is it a feature of how a runtime chooses kernels? Where none are known it says nothing. */
int sloe_teach_is_choice(int feature);

typedef struct sloe_class {  /* what is taught from */
  const sloe_fitted *fitted; /* its staircases */
  const sloe_layer_lesson *lessons;
  size_t n;                        /* measured lessons of one op and grouping */
  double units;                    /* of the device, as in kernels.h */
  const sloe_proposals *proposals; /* NULL: none */
} sloe_class;

#endif
