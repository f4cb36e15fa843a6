/* workspace.c: scratch memory of a network: that of the layer that needs the most.
 *
 * Layers are known to need it with some chance, so that the most that any needs has a distribution.
 * Its median is told: it is as likely more as less. (To expect the least relative error, smaller
 * ones would have to count for more; that is wrong by less on a few networks, and tells the others
 * in a worse order.) Equal layers take one kernel: their chance counts once.
 */
#include <stdlib.h>

#include "estimate/estimate.h"

static int largest_first(const void *a, const void *b) {
  const sloe_workspace *p = a, *q = b;
  if (p->mb != q->mb) return (p->mb < q->mb) - (p->mb > q->mb);
  return (p->chance < q->chance) - (p->chance > q->chance);
}

const sloe_workspace *sloe_estimate_workspace(sloe_workspace *of_layers, size_t n) {
  double left = 1; /* the chance that no larger one is needed */
  if (n) qsort(of_layers, n, sizeof *of_layers, largest_first);
  for (size_t i = 0; i < n; i++) {
    if (i && of_layers[i].mb == of_layers[i - 1].mb) continue;
    left *= 1 - of_layers[i].chance;
    if (left <= 0.5) return &of_layers[i];
  }
  return NULL;
}
