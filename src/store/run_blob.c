/* All runs of a sample as bytes: for each run the difference to the one before (the first: to 0),
 * in nanoseconds modulo 2^64, zigzag (0, -1, 1, -2 ... as 0, 1, 2, 3 ...), seven bits a byte from
 * the lowest, the eighth set on all but the last. Runs lie near each other: 2 to 3 bytes each,
 * where text takes 8. Their order is kept, since drift shows in it. Compressing instead would take
 * more code to save less: the low bits are noise.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/sort_numbers.h"
#include "store/store_db.h"

enum { LONGEST = 10 /* bytes of a run */ };

static unsigned char *pack_one(unsigned char *p, uint64_t difference) {
  uint64_t zigzag = difference << 1 ^ (0 - (difference >> 63));
  for (; zigzag >= 0x80; zigzag >>= 7) *p++ = (unsigned char)(zigzag | 0x80);
  *p++ = (unsigned char)zigzag;
  return p;
}

sloe_status sloe_store_pack_runs(const uint64_t *runs, size_t n, unsigned char **out, size_t *len,
                                 sloe_error *err) {
  *len = 0;
  *out = sloe_alloc(n, LONGEST);
  if (!*out) return sloe_fail(err, SLOE_NOMEM, "out of memory packing %zu runs", n);
  unsigned char *p = *out;
  for (size_t i = 0; i < n; i++) p = pack_one(p, runs[i] - (i ? runs[i - 1] : 0));
  *len = (size_t)(p - *out);
  return SLOE_OK;
}

/* NULL where the bytes end too early or a number is wider than 64 bits. */
static const unsigned char *unpack_one(const unsigned char *p, const unsigned char *end,
                                       uint64_t *difference) {
  uint64_t zigzag = 0;
  for (int shift = 0; p < end && shift < 64; shift += 7, p++) {
    if (shift == 63 && *p > 1) return NULL;
    zigzag |= (uint64_t)(*p & 0x7f) << shift;
    if (*p & 0x80) continue;
    *difference = zigzag >> 1 ^ (0 - (zigzag & 1));
    return p + 1;
  }
  return NULL;
}

sloe_status sloe_store_unpack_runs(const unsigned char *data, size_t len, size_t n, uint64_t **out,
                                   sloe_error *err) {
  *out = NULL;
  if (n > len) /* each takes a byte at least */
    return sloe_fail(err, SLOE_FORMAT, "%zu runs in %zu bytes", n, len);
  uint64_t *runs = sloe_alloc(n, sizeof *runs);
  if (!runs) return sloe_fail(err, SLOE_NOMEM, "out of memory unpacking %zu runs", n);
  const unsigned char *p = data, *end = data + len;
  uint64_t last = 0, difference;
  for (size_t i = 0; i < n && p; i++) {
    p = unpack_one(p, end, &difference);
    if (p) runs[i] = last += difference;
  }
  if (p == end) {
    *out = runs;
    return SLOE_OK;
  }
  sloe_dealloc(runs);
  return sloe_fail(err, SLOE_FORMAT, "the %zu bytes of runs are not %zu numbers", len, n);
}

/* Between the two nearest of `n` sorted values, linearly. */
static double quantile(const uint64_t *sorted, size_t n, double q) {
  const double at = q * (double)(n - 1);
  const size_t i = (size_t)at;
  const double low = (double)sorted[i], high = (double)sorted[i + 1 < n ? i + 1 : i];
  return low + (high - low) * (at - (double)i);
}

sloe_status sloe_store_summarise(sloe_store_sample *sample, sloe_error *err) {
  const size_t n = sample->n_runs;
  if (!n) return SLOE_OK;
  uint64_t *sorted = sloe_alloc(n, sizeof *sorted);
  if (!sorted) return sloe_fail(err, SLOE_NOMEM, "out of memory sorting %zu runs", n);
  memcpy(sorted, sample->runs_ns, n * sizeof *sorted);
  sloe_sort_u64(sorted, n);
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)sorted[i];
  sample->min_ns = (double)sorted[0];
  sample->median_ns = quantile(sorted, n, 0.5);
  sample->p75_ns = quantile(sorted, n, 0.75);
  sample->p97_5_ns = quantile(sorted, n, 0.975);
  sample->mean_ns = sum / (double)n;
  sloe_dealloc(sorted);
  return SLOE_OK;
}
