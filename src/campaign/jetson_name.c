#include "campaign/jetson_name.h"

#include <math.h>
#include <stdio.h>

/* Of one board: compute capability, multiprocessors (0: any), GB of memory, clock in MHz (0: any).
   The clock is told apart only where two boards share the rest. Sources: docs/import.md. */
/*  X(name, capability, multiprocessors, GB, MHz) */
#define BOARD_MAP(X)                        \
  X("jetson-nano-4gb", 53, 1, 4, 0)         \
  X("jetson-nano-2gb", 53, 1, 2, 0)         \
  X("jetson-tx1", 53, 2, 4, 0)              \
  X("jetson-tx2-8gb", 62, 0, 8, 0)          \
  X("jetson-xavier-nx-8gb", 72, 6, 8, 0)    \
  X("jetson-xavier-nx-16gb", 72, 6, 16, 0)  \
  X("jetson-agx-xavier-16gb", 72, 8, 16, 0) \
  X("jetson-agx-xavier-32gb", 72, 0, 32, 0) \
  X("jetson-agx-xavier-64gb", 72, 0, 64, 0) \
  X("jetson-orin-nano-4gb", 87, 0, 4, 0)    \
  X("jetson-orin-nano-8gb", 87, 0, 8, 625)  \
  X("jetson-orin-nano-8gb", 87, 0, 8, 918)  \
  X("jetson-orin-nano-8gb", 87, 0, 8, 1020) \
  X("jetson-orin-nx-8gb", 87, 0, 8, 765)    \
  X("jetson-orin-nx-8gb", 87, 0, 8, 1173)   \
  X("jetson-orin-nx-16gb", 87, 0, 16, 0)    \
  X("jetson-agx-orin-32gb", 87, 0, 32, 0)   \
  X("jetson-agx-orin-64gb", 87, 0, 64, 0)   \
  X("jetson-thor-t4000", 101, 0, 64, 0)     \
  X("jetson-thor-t5000", 101, 0, 128, 0)    \
  X("jetson-thor-t4000", 110, 0, 64, 0)     \
  X("jetson-thor-t5000", 110, 0, 128, 0)

typedef struct board {
  const char *name;
  int capability;
  int64_t sms;
  int gb;
  double mhz;
} board;

static const board BOARDS[] = {
#define BOARD(name, capability, sms, gb, mhz) {name, capability, sms, gb, mhz},
    BOARD_MAP(BOARD)
#undef BOARD
};

/* CUDA shows a little less than there is. */
static int gigabytes(double mib) {
  int gb = 1;
  while (gb < 1024 && mib > gb * 1024.0) gb *= 2;
  return mib > 0 ? gb : 0;
}

static int is_it(const board *b, const sloe_gpu_told *gpu) {
  return b->capability == gpu->compute_capability && b->gb == gigabytes(gpu->memory_mib) &&
         (!b->sms || b->sms == gpu->sms) && (b->mhz == 0 || fabs(gpu->gpu_mhz / b->mhz - 1) < 0.01);
}

static void as_token(const char *name, char *buf, size_t size) {
  size_t n = 0;
  for (; *name && n + 1 < size; name++) {
    const int upper = *name >= 'A' && *name <= 'Z', lower = *name >= 'a' && *name <= 'z';
    if (upper || lower || (*name >= '0' && *name <= '9'))
      buf[n++] = (char)(upper ? *name + 32 : *name);
    else if (n && buf[n - 1] != '-')
      buf[n++] = '-';
  }
  if (n && buf[n - 1] == '-') n--;
  buf[n] = 0;
}

const char *sloe_jetson_name(const sloe_gpu_told *gpu, char *buf, size_t size) {
  for (size_t i = 0; i < sizeof BOARDS / sizeof *BOARDS; i++)
    if (is_it(&BOARDS[i], gpu)) {
      snprintf(buf, size, "%s", BOARDS[i].name);
      return buf;
    }
  as_token(gpu->name, buf, size);
  return buf;
}
