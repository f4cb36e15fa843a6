/* zoo PASSES FILE: how long networks of the zoo take from their specs, one in a line of FILE, to
   costs and features, in one thread; nothing is kept from one to the next. Each pass takes all of
   them in an order of its own. A row: microseconds of a network, mean of a pass: median, smallest
   and largest of the passes; then the 5th, 50th and 95th of 100 networks over all passes, how many
   networks, and how many ops one has on average. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sloe/sloe.h"
#include "stats.h"

enum { MOST_NETS = 20000, LONGEST = 200 };

typedef struct specs {
  char (*spec)[LONGEST];
  size_t n;
} specs;

static int read_specs(const char *path, specs *s) {
  FILE *file = fopen(path, "r");
  s->spec = calloc(MOST_NETS, LONGEST);
  while (file && s->spec && s->n < MOST_NETS && fgets(s->spec[s->n], LONGEST, file)) {
    s->spec[s->n][strcspn(s->spec[s->n], "\n")] = '\0';
    s->n += s->spec[s->n][0] != '\0';
  }
  if (file) fclose(file);
  return s->n > 0;
}

/* Fisher and Yates, by the generator of Knuth's MMIX. */
static void shuffle(size_t *order, size_t n, unsigned long long *state) {
  for (size_t i = n; i > 1; i--) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    const size_t j = (size_t)((*state >> 33) % i), kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
}

/* Seconds from text to features; below 0 where there are none. */
static double open_one(const char *spec, double *ops) {
  sloe_error err = {SLOE_OK, 0, ""};
  sloe_net *net = NULL;
  const double start = bench_now();
  const sloe_status status = sloe_net_open(spec, NULL, &net, &err);
  const sloe_net_info *info = status == SLOE_OK ? sloe_net_get_info(net) : NULL;
  const int whole = info && info->flops && info->n_features && info->features[0].name;
  if (whole) *ops += (double)info->n_ops;
  sloe_net_free(net);
  const double seconds = bench_now() - start;
  if (whole) return seconds;
  fprintf(stderr, "zoo: %s: %s\n", spec, err.msg);
  return -1;
}

static int run(const specs *s, size_t passes, size_t *order, double *each, double *means) {
  unsigned long long state = 1;
  double unused = 0, ops = 0;
  for (size_t i = 0; i < s->n; i++) order[i] = i;
  for (size_t i = 0; i < s->n; i++)
    if (open_one(s->spec[i], &unused) < 0) return 3; /* warms up */
  for (size_t p = 0; p < passes; p++) {
    double sum = 0;
    shuffle(order, s->n, &state);
    for (size_t i = 0; i < s->n; i++) sum += each[p * s->n + i] = open_one(s->spec[order[i]], &ops);
    means[p] = sum / (double)s->n;
  }
  const bench_stats pass = bench_stats_of(means, passes), net = bench_stats_of(each, passes * s->n);
  printf("%.2f %.2f %.2f %.2f %.2f %.2f %zu %.0f\n", 1e6 * pass.median, 1e6 * pass.min,
         1e6 * pass.max, 1e6 * net.p5, 1e6 * net.median, 1e6 * net.p95, s->n,
         ops / (double)(passes * s->n));
  return 0;
}

int main(int argc, char **argv) {
  const size_t passes = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
  specs s = {0};
  if (passes == 0 || !read_specs(argv[2], &s)) {
    fprintf(stderr, "usage: zoo PASSES FILE\n");
    return 2;
  }
  size_t *order = calloc(s.n, sizeof *order);
  double *each = calloc(passes * s.n, sizeof *each), *means = calloc(passes, sizeof *means);
  const int code = order && each && means ? run(&s, passes, order, each, means) : 2;
  free(order);
  free(each);
  free(means);
  free(s.spec);
  return code;
}
