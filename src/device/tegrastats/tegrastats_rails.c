/* tegrastats_rails.c: which of a board's rails are its whole input, and which the GPU's. */
#include <stdio.h>
#include <string.h>

#include "device/tegrastats/tegrastats.h"

enum { PARTS = 6 };

typedef struct rule {
  const char *part[PARTS]; /* all of them must be there */
  int is_shared;
} rule;

/* The first that fits. */
static const rule inputs[] = {
    {{"VDD_IN"}, 0},                                    /* TX2, Xavier NX, Orin NX and Nano */
    {{"POM_5V_IN"}, 0},                                 /* Nano */
    {{"VIN"}, 0},                                       /* Thor */
    {{"GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"}, 0}, /* AGX Xavier */
    {{"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"}, 0},  /* AGX Orin */
};

static const rule gpus[] = {
    {{"POM_5V_GPU"}, 0}, {{"VDD_GPU"}, 0},        {{"VDD_SYS_GPU"}, 0},
    {{"GPU"}, 0},        {{"VDD_CPU_GPU_CV"}, 1}, {{"VDD_GPU_SOC"}, 1},
};

static size_t find(const char *const *names, size_t n, const char *name) {
  size_t i = 0;
  while (i < n && strcmp(names[i], name) != 0) i++;
  return i;
}

static int fits(const rule *r, const char *const *names, size_t n, sloe_rails *out) {
  size_t len = 0;
  *out = (sloe_rails){.is_shared = r->is_shared};
  for (size_t i = 0; i < PARTS && r->part[i]; i++) {
    const size_t at = find(names, n, r->part[i]);
    if (at == n) return 0;
    out->index[out->n++] = at;
    len +=
        (size_t)snprintf(out->text + len, sizeof out->text - len, "%s%s", i ? "+" : "", r->part[i]);
  }
  return 1;
}

static void choose(const rule *rules, size_t n_rules, const char *const *names, size_t n,
                   sloe_rails *out) {
  for (size_t i = 0; i < n_rules; i++)
    if (fits(&rules[i], names, n, out)) return;
  *out = (sloe_rails){0};
}

void sloe_rails_input(const char *const *names, size_t n, sloe_rails *out) {
  choose(inputs, sizeof inputs / sizeof *inputs, names, n, out);
}

void sloe_rails_gpu(const char *const *names, size_t n, sloe_rails *out) {
  choose(gpus, sizeof gpus / sizeof *gpus, names, n, out);
}
