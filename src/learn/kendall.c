/* Kendall's tau-b as W. R. Knight counts it (A computer method for calculating Kendall's tau with
 * ungrouped data, JASA 61, 1966): order by x, then y; the exchanges that a merge sort by y then
 * needs are the discordant pairs. Pairs tied in x, in y and in both are counted in runs of equals.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "learn/learn.h"

typedef struct pair {
  double x, y;
} pair;

static int by_x_then_y(const void *a, const void *b) {
  const pair *p = a, *q = b;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->y > q->y) - (p->y < q->y);
}

static double pairs_in(size_t n) {
  return (double)n * ((double)n - 1) / 2;
}

/* Merge the sorted halves of p[0..n) by y; the pairs that stood in the wrong order. */
static double merge(pair *p, size_t half, size_t n, pair *buf) {
  double exchanges = 0;
  size_t i = 0, j = half, k = 0;
  while (i < half && j < n)
    if (p[j].y < p[i].y) {
      exchanges += (double)(half - i);
      buf[k++] = p[j++];
    } else {
      buf[k++] = p[i++];
    }
  memcpy(buf + k, p + i, (half - i) * sizeof *p); /* what is left of the right half stays there */
  memcpy(p, buf, j * sizeof *p);
  return exchanges;
}

static double sort_by_y(pair *p, size_t n, pair *buf) {
  double exchanges = 0;
  for (size_t width = 1; width < n; width *= 2)
    for (size_t at = 0; at + width < n; at += 2 * width)
      exchanges += merge(p + at, width, n - at < 2 * width ? n - at : 2 * width, buf);
  return exchanges;
}

typedef int (*pair_equals)(const pair *p, const pair *q);

static int equal_x(const pair *p, const pair *q) {
  return p->x == q->x;
}

static int equal_y(const pair *p, const pair *q) {
  return p->y == q->y;
}

static int equal_both(const pair *p, const pair *q) {
  return equal_x(p, q) && equal_y(p, q);
}

/* Pairs within the runs of equals. */
static double tied(const pair *p, size_t n, pair_equals equals) {
  double count = 0;
  for (size_t first = 0, i = 1; i <= n; i++) {
    if (i < n && equals(&p[first], &p[i])) continue;
    count += pairs_in(i - first);
    first = i;
  }
  return count;
}

static double tau_b(pair *p, size_t n, pair *buf) {
  qsort(p, n, sizeof *p, by_x_then_y);
  const double all = pairs_in(n), in_x = tied(p, n, equal_x), in_both = tied(p, n, equal_both);
  const double discordant = sort_by_y(p, n, buf), in_y = tied(p, n, equal_y);
  if (in_x == all || in_y == all) return NAN;
  return (all - in_x - in_y + in_both - 2 * discordant) / sqrt((all - in_x) * (all - in_y));
}

sloe_status sloe_kendall(const double *x, const double *y, size_t n, double *out, sloe_error *err) {
  *out = NAN;
  if (n < 2) return SLOE_OK;
  pair *p = n <= SIZE_MAX / 2 ? sloe_alloc(2 * n, sizeof *p) : NULL;
  if (!p) return sloe_fail(err, SLOE_NOMEM, "out of memory ranking %zu rows", n);
  for (size_t i = 0; i < n; i++) p[i] = (pair){x[i], y[i]};
  *out = tau_b(p, n, p + n);
  sloe_dealloc(p);
  return SLOE_OK;
}
