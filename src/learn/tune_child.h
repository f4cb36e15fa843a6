/* tune_child.h: between a fit's process and the one that waits for it. Private to learn/. */
#ifndef SLOE_LEARN_TUNE_CHILD_H
#define SLOE_LEARN_TUNE_CHILD_H

#include "learn/tune_fit.h"

enum { SLOE_FIT_ENDED = UINT32_MAX };

/* Through the pipe: one for each value, then one with place SLOE_FIT_ENDED. Behind that of the last
   value come the estimates, if they are asked for. */
typedef struct sloe_fit_record {
  uint32_t place;
  sloe_status code; /* of ENDED */
  double sum;
  sloe_error why; /* of ENDED */
} sloe_fit_record;

/* Does not return. */
void sloe_fit_child(const sloe_fit_job *job, const sloe_fit_task *task, int fd);

#endif
