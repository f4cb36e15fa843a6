/* plan.h: which whole networks a collection measures, and in which order. Private to campaign/.
 *
 * A plan is a list of NETs made from a seed, the same everywhere. Whether a network is for testing,
 * whether it is measured a second time and where it stands in the order are each decided by a hash
 * of seed and NET alone: fewer families, another count or a share of a plan change nothing of what
 * stays, and any beginning of a plan is a fair sample of it.
 *
 *   nis   known networks at new image sizes (Z 4.3): Table 3's variants at each of its sizes;
 *         three sizes in ten are for testing
 *   ncv   new variants (Z 4.3): scaling factors, some of them for testing as a whole, at sizes
 *         that nis leaves out
 *   nca   new architectures (Z 4.3, Fig. 10): zoo:random, all for testing
 *   else  the networks of a table, in an order by the seed, with its space and split
 */
#ifndef SLOE_CAMPAIGN_PLAN_H
#define SLOE_CAMPAIGN_PLAN_H

#include "base/arena.h"
#include "base/text.h"
#include "sloe/lab.h"

typedef struct sloe_plan_entry {
  const char *net;           /* "zoo:resnet,depth=18,input=224" */
  const char *family;        /* "resnet-v1"; "" where it is not known */
  const char *variant;       /* "resnet,depth=18"; "" */
  const char *space, *split; /* "nis", "train" */
  int again;                 /* to be measured a second time: one in twenty */
  uint64_t rank;             /* by which they are in order */
} sloe_plan_entry;

typedef struct sloe_plan {
  sloe_arena arena;
  const char *name; /* "nis", ..., "table" */
  uint64_t seed;
  sloe_plan_entry *entries;
  size_t n, cap;
} sloe_plan;

/* plan, families, sizes, count, seed, share of `options` are looked at. Errors: USAGE (an unknown
   family, a size out of range, options that the plan has not), of a table also NOTFOUND, IO and
   FORMAT; NOMEM. */
sloe_status sloe_plan_new(const sloe_collect_options *options, sloe_plan **out, sloe_error *err);
void sloe_plan_free(sloe_plan *plan);

/* As CSV: net, space, split, family, variant, again. */
sloe_status sloe_plan_write(const sloe_plan *plan, sloe_text *out, sloe_error *err);

/* ---- for the parts of it ---- */

/* `split` NULL: drawn. All strings are copied. */
sloe_status sloe_plan_add(sloe_plan *plan, const sloe_plan_entry *entry, sloe_error *err);
/* plan_table.c: the networks of a table. */
sloe_status sloe_plan_read(sloe_plan *plan, const char *path, sloe_error *err);

/* Sizes of images, smallest to largest: both ends, and between them `n` - 2 multiples of 32, evenly
   spread. At most as many as there are: returns how many. `sizes` has room for n. */
size_t sloe_plan_sizes(int64_t least, int64_t most, size_t n, int64_t *sizes);
/* `n` of the multiples of 32 between the ends that sloe_plan_sizes leaves out of `of_nis`. */
size_t sloe_plan_other_sizes(int64_t least, int64_t most, size_t of_nis, size_t n, int64_t *sizes);

#endif
