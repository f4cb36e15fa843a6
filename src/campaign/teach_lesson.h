/* teach_lesson.h: layers as teachers look at them. Private to campaign/.
 */
#ifndef SLOE_CAMPAIGN_TEACH_LESSON_H
#define SLOE_CAMPAIGN_TEACH_LESSON_H

#include "campaign/proposals.h"
#include "net/net.h"
#include "platform/platform.h"

typedef struct sloe_layer_lesson { /* one row, measured or told */
  sloe_layer_spec spec;
  sloe_layer_place place;
  double stair_ms;     /* of the staircase */
  double y;            /* ln(time / staircase) */
  const char *kernels; /* what each took (device.h); "": not known */
  int chosen; /* of a runtime that chooses among kernels: what divides the channels counts */
  double workspace_mb; /* of the fastest of them; NAN: not known */
  double busy; /* ln of a move of memory beside it over what one takes where it is quiet; 0 */
} sloe_layer_lesson;

/* Of sloe_layer_inputs those that a process, or an MLP, learns from. */
typedef enum sloe_teach_taste {
  SLOE_TEACH_PLAIN = 0,
  SLOE_TEACH_BLOCKS = 1,   /* and registers' blocks; */
  SLOE_TEACH_ROUNDS = 2,   /* rounds of tiles, and transforms; */
  SLOE_TEACH_PROPOSED = 4, /* the chances of kernels that are proposed */
} sloe_teach_taste;

typedef struct sloe_teach_inputs {
  uint32_t at[SLOE_LAYER_INPUTS]; /* ascending */
  size_t n;
  double units; /* of the device, as in kernels.h */
} sloe_teach_inputs;

/* `taste`: sum of the above. */
sloe_teach_inputs sloe_teach_inputs_of(unsigned taste, double units);

/* out[inputs->n] of a lesson whose features at the place asked for are x. */
void sloe_teach_take(const sloe_teach_inputs *inputs, const sloe_layer_lesson *lesson,
                     const float x[SLOE_LAYER_FEATURES], double *out);

/* Is it a feature of how a runtime chooses kernels? Where none are known it says nothing. */
int sloe_teach_is_choice(int feature);

typedef struct sloe_class {  /* what is taught from */
  const sloe_fitted *fitted; /* its staircases */
  const sloe_layer_lesson *lessons;
  size_t n;                        /* measured lessons of one op and grouping */
  double units;                    /* of the device, as in kernels.h */
  const sloe_proposals *proposals; /* NULL: none */
  size_t most;                     /* lessons of a process, evenly taken; 0: SLOE_GAUSS_ROWS */
  sloe_arena *arena;               /* of what lasts */
} sloe_class;

#endif
