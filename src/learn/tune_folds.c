/* Folds: groups in random order, each into the smallest fold. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "learn/learn.h"

typedef struct member {
  size_t group, row;
} member;

static int by_group(const void *a, const void *b) {
  const member *p = a, *q = b;
  if (p->group != q->group) return p->group < q->group ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

/* start[]: where each group begins in `m`; how many there are */
static size_t part(const member *m, size_t n, size_t *start) {
  size_t groups = 0;
  for (size_t i = 0; i < n; i++)
    if (!i || m[i].group != m[i - 1].group) start[groups++] = i;
  start[groups] = n;
  return groups;
}

static void shuffle(size_t *order, size_t n, uint64_t seed) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed ^ 0x666f6c64u);
  for (size_t i = 0; i < n; i++) order[i] = i;
  for (size_t i = n; i-- > 1;) {
    const size_t j = (size_t)sloe_rng_between(&rng, 0, (int64_t)i), was = order[i];
    order[i] = order[j];
    order[j] = was;
  }
}

static size_t smallest(const size_t *rows, size_t n_folds) {
  size_t at = 0;
  for (size_t k = 1; k < n_folds; k++)
    if (rows[k] < rows[at]) at = k;
  return at;
}

sloe_status sloe_tune_folds(size_t n, const size_t *group, size_t n_folds, uint64_t seed,
                            size_t *fold, sloe_error *err) {
  member *m = sloe_alloc(n, sizeof *m);
  size_t *start = sloe_alloc(n + 1, sizeof *start), *order = sloe_alloc(n, sizeof *order);
  size_t *rows = sloe_alloc(n_folds, sizeof *rows), groups = 0;
  sloe_status status = SLOE_OK;
  if (!m || !start || !order || !rows) {
    status = sloe_fail(err, SLOE_NOMEM, "out of memory for folds of %zu rows", n);
    goto end;
  }
  for (size_t i = 0; i < n; i++) m[i] = (member){group ? group[i] : i, i};
  qsort(m, n, sizeof *m, by_group);
  groups = part(m, n, start);
  if (n_folds < 2 || groups < n_folds) {
    status = sloe_fail(err, SLOE_USAGE, "%zu folds of %zu groups of rows, at least 2 of as many",
                       n_folds, groups);
    goto end;
  }
  shuffle(order, groups, seed);
  memset(rows, 0, n_folds * sizeof *rows);
  for (size_t g = 0; g < groups; g++) {
    const size_t from = start[order[g]], to = start[order[g] + 1], k = smallest(rows, n_folds);
    for (size_t i = from; i < to; i++) fold[m[i].row] = k;
    rows[k] += to - from;
  }
end:
  sloe_dealloc(m);
  sloe_dealloc(start);
  sloe_dealloc(order);
  sloe_dealloc(rows);
  return status;
}
