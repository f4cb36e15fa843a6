#include <string.h>

#include "cli.h"

enum { WORD = 48 };

static size_t least(size_t a, size_t b, size_t c) {
  size_t ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`. */
static size_t distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b), rows[3][WORD + 1];
  if (n > WORD || m > WORD) return WORD;
  for (size_t j = 0; j <= m; j++) rows[0][j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
          before[j - 2] + 1 < row[j])
        row[j] = before[j - 2] + 1;
    }
  }
  return rows[n % 3][m];
}

const char *sloe_nearest(const char *word, const char *const *candidates, size_t n) {
  size_t len = strlen(word), best = len / 3 + 2;
  const char *near = NULL;
  if (!len) return NULL;
  for (size_t i = 0; i < n; i++) {
    size_t far = distance(word, candidates[i]);
    if (len >= 3 && !strncmp(word, candidates[i], len)) far = 1; /* the beginning of it */
    if (far < best && far < strlen(candidates[i])) {
      best = far;
      near = candidates[i];
    }
  }
  return near;
}
