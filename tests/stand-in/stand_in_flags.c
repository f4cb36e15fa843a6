/* stand_in_flags.c: which option came with which version, and went with which. */
#include <string.h>

#include "stand_in_trtexec.h"

static const struct {
  const char *name;
  int from, until; /* until: the first that has it no more; 0: all have it */
} flags[] = {
    {"--onnx", 0, 0},
    {"--saveEngine", 0, 0},
    {"--loadEngine", 0, 0},
    {"--iterations", 0, 0},
    {"--duration", 0, 0},
    {"--warmUp", 0, 0},
    {"--avgRuns", 0, 0},
    {"--percentile", 0, 0},
    {"--useCudaGraph", 0, 0},
    {"--streams", 0, 0},
    {"--shapes", 0, 0},
    {"--dumpProfile", 0, 0},
    {"--exportTimes", 0, 0},
    {"--exportProfile", 0, 0},
    {"--verbose", 0, 0},
    {"--help", 0, 0},
    {"--fp16", 0, 110000},
    {"--int8", 0, 110000},
    {"--best", 70100, 110000},
    {"--workspace", 0, 100000},
    {"--batch", 0, 100000},
    {"--explicitBatch", 0, 100000},
    {"--buildOnly", 0, 90000},
    {"--memPoolSize", 80400, 0},
    {"--skipInference", 80600, 0},
    {"--useSpinWait", 70000, 0},
    {"--exportOutput", 70000, 0},
    {"--noDataTransfers", 70200, 0},
    {"--separateProfileRun", 70200, 0},
    {"--timingCacheFile", 80000, 0},
    {"--profilingVerbosity", 80200, 0},
    {"--exportLayerInfo", 80200, 0},
    {"--stronglyTyped", 90000, 0},
    {"--noCudaGraph", 110000, 0},
    {"--noSpinWait", 110000, 0},
    {"--includeDataTransfers", 110000, 0},
};
enum { N_FLAGS = sizeof flags / sizeof *flags };

static int is_there(int version, size_t i) {
  return version >= flags[i].from && (!flags[i].until || version < flags[i].until);
}

int takes(int version, const char *argument) {
  const size_t len = strcspn(argument, "=");
  for (size_t i = 0; i < N_FLAGS; i++)
    if (strlen(flags[i].name) == len && !strncmp(flags[i].name, argument, len))
      return is_there(version, i);
  return 0;
}

void print_help(int version) {
  printf("=== Model Options ===\n");
  for (size_t i = 0; i < N_FLAGS; i++)
    if (is_there(version, i))
      printf("  %-27s as its name says (default = disabled)\n", flags[i].name);
}
