/* kernels.h: the time of a layer that is the fastest of several kernels. Private to campaign/.
 *
 * A runtime that measures its kernels and keeps the fastest has a time that jumps wherever another
 * one wins. Each kernel's own time does not: it goes with the work, in steps of its tiles over the
 * device's units. So each kernel has a Gaussian process of its own (fit/gauss.h), learned from all
 * layers that it was tried on, and trees that say how likely it is that it can be tried on a layer,
 * learned from these or from many more that the runtime was asked about (proposals.h).
 * A runtime proposes a kernel for one layer and not for its neighbour, and a kernel that does not
 * apply may be ten times as fast as the next: so a layer takes not the least of what the processes
 * say, but the time from which the expected relative error is least. What that leaves of the
 * layers' own times is the teacher's to learn.
 */
#ifndef SLOE_CAMPAIGN_KERNELS_H
#define SLOE_CAMPAIGN_KERNELS_H

#include "campaign/teach_lesson.h"

typedef struct sloe_kernel_set sloe_kernel_set;

/* From the lessons of layers by themselves that have `kernels`, and the proposals for layers of
   their op and grouping. *out is NULL where there are too few of them. Errors: NOMEM, UNSUPPORTED
   as of sloe_gauss_fit. */
sloe_status sloe_kernels_fit(const sloe_class *class, sloe_kernel_set **out, sloe_error *err);
void sloe_kernels_free(sloe_kernel_set *set);

/* Where proposals are known: the kernels that are proposed for some layers and decide most about
   the time of those that were measured, at most SLOE_LAYER_PROPOSED, as trees over
   sloe_layer_features that live as long as the set. Returns how many. */
size_t sloe_kernels_proposed(const sloe_kernel_set *set,
                             sloe_fitted_odds proposed[SLOE_LAYER_PROPOSED]);

/* ms[i]: what the fastest of the kernels that apply takes, as the layer by itself; NAN where none
   does. transformed[i] (may be NULL): the chance that it is one that goes by transforms. */
sloe_status sloe_kernels_tell(const sloe_kernel_set *set, const sloe_layer_lesson *lessons,
                              size_t n, double *ms, double *transformed, sloe_error *err);
/* The same of the fit's lesson `i` of those by themselves, told by each kernel's process without
   that lesson (leave-one-out). */
double sloe_kernels_left(const sloe_kernel_set *set, size_t i);

/* Kernels go by Fourier transforms where their workspace grows with these: bytes of it an element
   (sloe_layer_half_transforms) of those that do; 0: none does. */
double sloe_kernels_transform_bytes(const sloe_kernel_set *set);

#endif
