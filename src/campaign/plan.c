#include "campaign/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/hash.h"
#include "base/number.h"
#include "base/rng.h"

enum {
  ARENA_LIMIT = 1 << 28,
  STEP = 32,
  MOST_SIZES = 64,
  OTHER_SIZES = 4,  /* of a variant in ncv */
  RANDOM_NETS = 335 /* with the 1,721 of nis the 2,056 that Z measured on an AGX Xavier */
};
static const uint64_t MOST_SEED = 1000000000, SEEDS_APART = 1000000;
static const double TEST_SHARE = 0.3, AGAIN_SHARE = 0.05; /* Z 4.3; what tells the noise */

typedef enum role { NOT, TRAIN, TEST } role;

typedef struct row { /* a family, or a variant of the one above */
  const char *family, *variant;
  int64_t least, most;
  size_t n_sizes;
  int in_nis;
  role in_ncv;
} row;

static const row ROWS[] = {
#define FAMILY(name, least, most, n) {name, NULL, least, most, n, 0, NOT},
#define VARIANT(spec, nis, ncv)      {NULL, spec, 0, 0, 0, nis, ncv},
#include "campaign/plan_families.def"
#undef FAMILY
#undef VARIANT
};
enum { N_ROWS = sizeof ROWS / sizeof *ROWS };

typedef struct planner {
  const sloe_collect_options *options;
  sloe_plan *plan;
  int64_t sizes[MOST_SIZES]; /* as given */
  size_t n_sizes;
} planner;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory planning");
}

/* ---- entries ---- */

enum { FOR_ORDER = 1, FOR_SPLIT, FOR_AGAIN };

static uint64_t hash(const sloe_plan *plan, const char *net, uint64_t what) {
  uint64_t state = sloe_hash64(net, strlen(net)) ^ (plan->seed * 8 + what);
  sloe_splitmix64(&state);
  return sloe_splitmix64(&state);
}

static int is_drawn(const sloe_plan *plan, const char *net, uint64_t what, double share) {
  return (double)hash(plan, net, what) < share * 0x1p64;
}

static int copy(sloe_plan *plan, const char **text) {
  *text = sloe_arena_strn(&plan->arena, *text ? *text : "", *text ? strlen(*text) : 0);
  return *text != NULL;
}

sloe_status sloe_plan_add(sloe_plan *plan, const sloe_plan_entry *entry, sloe_error *err) {
  sloe_plan_entry e = *entry;
  if (!e.split) e.split = is_drawn(plan, e.net, FOR_SPLIT, TEST_SHARE) ? "test" : "train";
  if (!e.rank) e.rank = hash(plan, e.net, FOR_ORDER);
  e.again = is_drawn(plan, e.net, FOR_AGAIN, AGAIN_SHARE);
  if (!copy(plan, &e.net) || !copy(plan, &e.family) || !copy(plan, &e.variant) ||
      !copy(plan, &e.space) || !copy(plan, &e.split) ||
      !sloe_arena_grow(&plan->arena, &plan->entries, plan->n, &plan->cap, sizeof e))
    return out_of_memory(err);
  plan->entries[plan->n++] = e;
  return SLOE_OK;
}

/* ---- sizes ---- */

/* `n` of the `k` things from 0 on, evenly spread: the i-th. n <= k. */
static size_t spread(size_t i, size_t n, size_t k) {
  return (2 * i + 1) * k / (2 * n);
}

static int64_t multiples_between(int64_t least, int64_t most, int64_t *first) {
  *first = (least / STEP + 1) * STEP;
  return most > *first ? (most - 1 - *first) / STEP + 1 : 0;
}

size_t sloe_plan_sizes(int64_t least, int64_t most, size_t n, int64_t *sizes) {
  int64_t first;
  const size_t between = (size_t)multiples_between(least, most, &first);
  size_t inner = n > 2 ? n - 2 : 0;
  if (inner > between) inner = between;
  sizes[0] = least;
  for (size_t i = 0; i < inner; i++)
    sizes[1 + i] = first + STEP * (int64_t)spread(i, inner, between);
  sizes[1 + inner] = most;
  return inner + 2;
}

static int is_among(int64_t size, const int64_t *sizes, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (sizes[i] == size) return 1;
  return 0;
}

size_t sloe_plan_other_sizes(int64_t least, int64_t most, size_t of_nis, size_t n, int64_t *sizes) {
  int64_t taken[MOST_SIZES], left[4 * MOST_SIZES], first;
  const size_t n_taken = sloe_plan_sizes(least, most, of_nis, taken);
  const int64_t between = multiples_between(least, most, &first);
  size_t n_left = 0;
  for (int64_t i = 0; i < between && n_left < sizeof left / sizeof *left; i++)
    if (!is_among(first + STEP * i, taken, n_taken)) left[n_left++] = first + STEP * i;
  if (n > n_left) n = n_left;
  for (size_t i = 0; i < n; i++) sizes[i] = left[spread(i, n, n_left)];
  return n;
}

/* ---- known families ---- */

/* Is `name` of `len` bytes the family, or the family without its version? */
static int names_family(const char *name, size_t len, const char *family) {
  return strncmp(family, name, len) == 0 && (!family[len] || strncmp(family + len, "-v", 2) == 0);
}

static int is_wanted(const planner *p, const char *family) {
  const char *at = p->options->families;
  if (!at) return 1;
  for (; *at; at += *at == ',') {
    const size_t len = strcspn(at, ",");
    if (names_family(at, len, family)) return 1;
    at += len;
  }
  return 0;
}

static sloe_status unknown_family(const char *name, size_t len, sloe_error *err) {
  char known[400] = "";
  size_t n = 0;
  for (size_t i = 0; i < N_ROWS; i++)
    if (ROWS[i].family && n < sizeof known)
      n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", ROWS[i].family);
  /* the list comes last: a message that is too long loses its end */
  return sloe_fail(err, SLOE_USAGE, "families: there is no '%.*s' in the plan; there are %s",
                   len > 40 ? 40 : (int)len, name, known);
}

static sloe_status check_families(const planner *p, sloe_error *err) {
  const char *at = p->options->families;
  for (; at && *at; at += *at == ',') {
    const size_t len = strcspn(at, ",");
    int found = 0;
    for (size_t i = 0; i < N_ROWS; i++)
      found |= ROWS[i].family && names_family(at, len, ROWS[i].family);
    if (!found || !len) return unknown_family(at, len, err);
    at += len;
  }
  return SLOE_OK;
}

static sloe_status add_variant(planner *p, const row *family, const row *variant, role part,
                               const int64_t *sizes, size_t n, sloe_error *err) {
  static const char *const split[] = {[TRAIN] = "train", [TEST] = "test"};
  for (size_t i = 0; i < n; i++) {
    char net[200];
    snprintf(net, sizeof net, "zoo:%s,input=%" PRId64, variant->variant, sizes[i]);
    const sloe_plan_entry e = {.net = net,
                               .family = family->family,
                               .variant = variant->variant,
                               .space = p->plan->name,
                               .split = split[part]};
    SLOE_TRY(sloe_plan_add(p->plan, &e, err));
  }
  return SLOE_OK;
}

static size_t sizes_of(const planner *p, const row *family, int is_nis, int64_t *sizes) {
  if (p->n_sizes) {
    memcpy(sizes, p->sizes, p->n_sizes * sizeof *sizes);
    return p->n_sizes;
  }
  return is_nis ? sloe_plan_sizes(family->least, family->most, family->n_sizes, sizes)
                : sloe_plan_other_sizes(family->least, family->most, family->n_sizes, OTHER_SIZES,
                                        sizes);
}

static sloe_status add_known(planner *p, int is_nis, sloe_error *err) {
  const row *family = NULL;
  int64_t sizes[MOST_SIZES];
  size_t n = 0;
  SLOE_TRY(check_families(p, err));
  for (size_t i = 0; i < N_ROWS; i++) {
    const row *r = &ROWS[i];
    if (r->family) {
      family = r;
      n = sizes_of(p, r, is_nis, sizes);
    } else if (family && is_wanted(p, family->family) && (is_nis ? r->in_nis : r->in_ncv != NOT)) {
      SLOE_TRY(add_variant(p, family, r, is_nis ? NOT : r->in_ncv, sizes, n, err));
    }
  }
  return SLOE_OK;
}

static sloe_status add_nis(planner *p, sloe_error *err) {
  return add_known(p, 1, err);
}

static sloe_status add_ncv(planner *p, sloe_error *err) {
  return add_known(p, 0, err);
}

/* ---- random networks ---- */

static sloe_status add_nca(planner *p, sloe_error *err) {
  const size_t n = p->options->count ? p->options->count : RANDOM_NETS;
  if (p->options->families)
    return sloe_fail(err, SLOE_USAGE, "families: the plan nca is of random networks");
  if (n > SEEDS_APART)
    return sloe_fail(err, SLOE_USAGE, "count %zu: of nca at most %" PRIu64, n, SEEDS_APART);
  for (size_t i = 0; i < n; i++) {
    char net[96];
    int len = snprintf(net, sizeof net, "zoo:random,seed=%" PRIu64,
                       p->plan->seed * SEEDS_APART + (uint64_t)i);
    if (p->n_sizes)
      snprintf(net + len, sizeof net - (size_t)len, ",input=%" PRId64, p->sizes[i % p->n_sizes]);
    const sloe_plan_entry e = {.net = net,
                               .family = "random",
                               .variant = "random",
                               .space = p->plan->name,
                               .split = "test",
                               .rank = i + 1};
    SLOE_TRY(sloe_plan_add(p->plan, &e, err));
  }
  return SLOE_OK;
}

/* ---- a table ---- */

static sloe_status add_table(planner *p, sloe_error *err) {
  if (p->options->families || p->options->sizes)
    return sloe_fail(err, SLOE_USAGE, "families and sizes are of the plans nis, ncv and nca");
  return sloe_plan_read(p->plan, p->options->plan, err);
}

/* ---- a plan ---- */

static const struct {
  const char *name;
  sloe_status (*add)(planner *p, sloe_error *err);
} PLANS[] = {{"nis", add_nis}, {"ncv", add_ncv}, {"nca", add_nca}, {"table", add_table}};
enum { N_NAMED = 3 };

static int by_rank(const void *a, const void *b) {
  const sloe_plan_entry *p = a, *q = b;
  if (p->rank != q->rank) return p->rank < q->rank ? -1 : 1;
  return strcmp(p->net, q->net);
}

static sloe_status read_sizes(planner *p, sloe_error *err) {
  const char *at = p->options->sizes;
  for (; at && *at; at += *at == ',') {
    const size_t len = strcspn(at, ",");
    int64_t size;
    if (!sloe_parse_int(at, len, &size) || size < 8 || size > 8192)
      return sloe_fail(err, SLOE_USAGE, "sizes: '%.*s' is no image size of 8 to 8192 pixels",
                       len > 40 ? 40 : (int)len, at);
    if (p->n_sizes == MOST_SIZES)
      return sloe_fail(err, SLOE_USAGE, "sizes: more than %d", MOST_SIZES);
    if (!is_among(size, p->sizes, p->n_sizes)) p->sizes[p->n_sizes++] = size;
    at += len;
  }
  return SLOE_OK;
}

/* The first ones, then every so many-th of them. */
static void cut(sloe_plan *plan, const sloe_collect_options *o) {
  size_t n = 0;
  if (o->count && o->count < plan->n) plan->n = o->count;
  for (size_t i = 0; i < plan->n; i++)
    if (!o->shares || i % o->shares == o->share - 1) plan->entries[n++] = plan->entries[i];
  plan->n = n;
}

static sloe_status fill(planner *p, sloe_error *err) {
  const sloe_collect_options *o = p->options;
  size_t which = 0;
  if (o->shares && (o->share < 1 || o->share > o->shares))
    return sloe_fail(err, SLOE_USAGE, "share %zu/%zu: the first of %zu is 1", o->share, o->shares,
                     o->shares);
  if (p->plan->seed > MOST_SEED)
    return sloe_fail(err, SLOE_USAGE, "seed: at most %" PRIu64, MOST_SEED);
  SLOE_TRY(read_sizes(p, err));
  while (which < N_NAMED && strcmp(PLANS[which].name, o->plan) != 0) which++;
  p->plan->name = PLANS[which].name;
  SLOE_TRY(PLANS[which].add(p, err));
  if (p->plan->n) qsort(p->plan->entries, p->plan->n, sizeof *p->plan->entries, by_rank);
  cut(p->plan, o);
  return SLOE_OK;
}

sloe_status sloe_plan_new(const sloe_collect_options *options, sloe_plan **out, sloe_error *err) {
  *out = NULL;
  sloe_plan *plan = sloe_alloc(1, sizeof *plan);
  if (!plan) return out_of_memory(err);
  *plan = (sloe_plan){.seed = options->seed ? options->seed : 1};
  sloe_arena_init(&plan->arena, ARENA_LIMIT);
  planner p = {.options = options, .plan = plan};
  const sloe_status status = fill(&p, err);
  if (status == SLOE_OK)
    *out = plan;
  else
    sloe_plan_free(plan);
  return status;
}

void sloe_plan_free(sloe_plan *plan) {
  if (!plan) return;
  sloe_arena_fini(&plan->arena);
  sloe_dealloc(plan);
}
