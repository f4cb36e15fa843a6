/* trt_build.c: what the builder and the runtime say of an engine. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "device/trtexec/trt_parts.h"

static int number_behind(sloe_trt_span line, const char *word, double *out) {
  double x;
  if (!sloe_trt_take(&line, word) || !sloe_trt_take_number(&line, &x)) return 0;
  *out = x;
  return 1;
}

/* "[GpuLayer] NAME", from 8.4 "[GpuLayer] CONVOLUTION: NAME" */
static sloe_trt_span without_type(sloe_trt_span line) {
  sloe_trt_span s = sloe_trt_trim(line);
  const char *p = s.p;
  while (p < s.end && (isupper((unsigned char)*p) || *p == '_')) p++;
  if (p > s.p && s.end - p > 2 && p[0] == ':' && p[1] == ' ') s.p = p + 2;
  return s;
}

static void add_layer(sloe_trt_reader *r, sloe_trt_open_run *o, int dla, sloe_trt_span name) {
  const char ***list = dla ? &o->dla_layers : &o->gpu_layers;
  size_t *n = dla ? &o->run.n_dla_layers : &o->run.n_gpu_layers;
  if (sloe_trt_room(r, list, *n, dla ? &o->cap_dla : &o->cap_gpu, sizeof **list))
    (*list)[(*n)++] = sloe_trt_keep(r, name);
}

/* To 7.x one line lists all: "conv1 + conv1_relu, PWN(a, b), pool5, " */
static void add_list(sloe_trt_reader *r, sloe_trt_open_run *o, int dla, sloe_trt_span line) {
  int depth = 0;
  const char *from = line.p;
  for (const char *p = line.p; p <= line.end; p++) {
    const char c = p < line.end ? *p : ',';
    depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    if (c != ',' || (p < line.end && (depth > 0 || (p + 1 < line.end && p[1] != ' ')))) continue;
    const sloe_trt_span name = sloe_trt_trim((sloe_trt_span){from, p});
    if (name.p < name.end) add_layer(r, o, dla, name);
    from = p + 1;
  }
}

static int read_layers(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  const sloe_trt_section section = o->section;
  if (sloe_trt_take(&line, "[GpuLayer] ") || sloe_trt_take(&line, "[DlaLayer] ")) {
    add_layer(r, o, line.p[-10] == 'D', without_type(line));
    return 1;
  }
  if (sloe_trt_take(&line, "--------------- Layers running on ")) {
    o->section = sloe_trt_take(&line, "GPU") ? SLOE_TRT_IN_GPU_LIST : SLOE_TRT_IN_DLA_LIST;
    return 1;
  }
  if (section != SLOE_TRT_IN_GPU_LIST && section != SLOE_TRT_IN_DLA_LIST) return 0;
  o->section = SLOE_TRT_IN_NONE;
  add_list(r, o, section == SLOE_TRT_IN_DLA_LIST, line);
  return 1;
}

/* "... in IExecutionContext creation: CPU +0, GPU +80, now: CPU 0, GPU 266 (MiB)" */
static int read_runtime_memory(sloe_trt_run *run, sloe_trt_span line) {
  const char *p = sloe_trt_find(line, "in IExecutionContext creation");
  if (!p) return 0;
  line.p = p;
  p = sloe_trt_find(line, "now: ");
  if (!p) return 1;
  line.p = p;
  p = sloe_trt_find(line, "GPU ");
  sloe_trt_span rest = {p ? p + 4 : line.end, line.end};
  double mib;
  if (sloe_trt_take_number(&rest, &mib)) run->runtime_mib = mib;
  return 1;
}

int sloe_trt_read_build(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  sloe_trt_run *run = &o->run;
  if (read_layers(r, o, line) || read_runtime_memory(run, line)) return 1;
  return number_behind(line, "Engine built in ", &run->build_s) ||
         number_behind(line, "Created engine with size: ", &run->engine_mib) ||
         (isnan(run->engine_mib) &&
          number_behind(line, "Loaded engine size: ", &run->engine_mib)) ||
         number_behind(line, "Total Weights Memory: ", &run->weights_bytes) ||
         number_behind(line, "Total Activation Memory: ", &run->activation_bytes) ||
         number_behind(line, "Total Scratch Memory: ", &run->scratch_bytes) ||
         number_behind(line, "Total Device Persistent Memory: ", &run->persistent_bytes);
}
