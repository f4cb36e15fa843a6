/* inside RUNS PLATFORM_FOLDER PLATFORM NET: how long the library's steps take in one process,
   caches warm. A row per step: name, then microseconds median, p5, p95. The steps are timed in
   turn, so that a slow moment of the machine falls on all of them. `layer` is a second estimate,
   for which the platform is in memory, over the number of layers that take time. PLATFORM is a name
   in the folder, or a file. */
#include <stdio.h>
#include <stdlib.h>

#include "sloe/sloe.h"
#include "stats.h"

enum { OPEN, FUSE, OPEN_AND_FUSE, PLATFORM, ESTIMATE, LAYER, N_STEPS };
static const char *const step_names[N_STEPS] = {"open",     "fuse",     "open+fuse",
                                                "platform", "estimate", "layer"};

typedef struct question {
  const char *net, *platform;
  sloe_search search;
} question;

static size_t count_timed(const sloe_layers *layers) {
  size_t n = 0;
  for (size_t i = 0; i < sloe_layers_count(layers); i++)
    n += sloe_layers_at(layers, i)->kind != SLOE_LAYER_VIEW;
  return n ? n : 1;
}

/* One pass through all steps: seconds of each into t[]. */
static sloe_status answer(const question *q, double t[N_STEPS], sloe_error *err) {
  sloe_net *net = NULL;
  sloe_platform *platform = NULL;
  sloe_layers *layers = NULL;
  sloe_estimate *estimate = NULL, *second = NULL;
  sloe_status status;

  double start = bench_now();
  status = sloe_platform_open(q->platform, &q->search, &platform, err);
  if (status != SLOE_OK) goto done;
  double begin = bench_now();
  status = sloe_net_open(q->net, NULL, &net, err);
  if (status != SLOE_OK) goto done;
  double opened = bench_now();
  status = sloe_layers_new(net, sloe_platform_fusion(platform), &layers, err);
  if (status != SLOE_OK) goto done;
  double fused = bench_now();
  status = sloe_estimate_new(layers, platform, NULL, &estimate, err);
  if (status != SLOE_OK) goto done;
  double estimated = bench_now();
  status = sloe_estimate_new(layers, platform, NULL, &second, err);
  if (status != SLOE_OK) goto done;
  double ended = bench_now();
  if (!(sloe_estimate_get(second)->latency_ms.value > 0)) status = SLOE_INTERNAL;

  t[PLATFORM] = begin - start;
  t[OPEN] = opened - begin;
  t[FUSE] = fused - opened;
  t[OPEN_AND_FUSE] = fused - begin;
  t[ESTIMATE] = estimated - fused;
  t[LAYER] = (ended - estimated) / (double)count_timed(layers);
done:
  sloe_estimate_free(second);
  sloe_estimate_free(estimate);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_platform_free(platform);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: inside RUNS PLATFORM_FOLDER PLATFORM NET\n");
    return 2;
  }
  size_t runs = strtoul(argv[1], NULL, 10);
  const char *folder = argv[2];
  question q = {argv[4], argv[3], {&folder, 1}};
  double *samples = calloc(runs * N_STEPS + 1, sizeof *samples);
  if (!samples || runs == 0) return 2;

  double t[N_STEPS];
  sloe_error err = {SLOE_OK, 0, ""};
  for (size_t i = 0; i < runs + 3; i++) { /* the first three warm up */
    if (answer(&q, t, &err) != SLOE_OK) {
      fprintf(stderr, "inside: %s\n", err.msg);
      free(samples);
      return 3;
    }
    for (size_t step = 0; i >= 3 && step < N_STEPS; step++) samples[step * runs + i - 3] = t[step];
  }
  for (size_t step = 0; step < N_STEPS; step++) {
    bench_stats s = bench_stats_of(samples + step * runs, runs);
    printf("%s %.3f %.3f %.3f\n", step_names[step], 1e6 * s.median, 1e6 * s.p5, 1e6 * s.p95);
  }
  free(samples);
  return 0;
}
