/* trt_option.c: what trtexec says before it runs: its command line, its options, the device, the
 * bindings. Words of several versions for one thing stand side by side. */
#include <math.h>
#include <string.h>

#include "device/trtexec/trt_parts.h"

/* ---- precision ---- */

/*  X(how trtexec writes it, our name), the lowest first. Options count from the name on. */
#define PRECISION_MAP(X) \
  X("INT4", "int4")      \
  X("FP8", "fp8")        \
  X("INT8", "int8")      \
  X("BF16", "bf16")      \
  X("FP16", "fp16")      \
  X("FP32", "fp32")

/* "FP32+FP16" -> "fp16". Networks that are strongly typed have that of each tensor. */
static const char *lowest_of_list(sloe_trt_span list) {
#define LOWEST(text, name) \
  if (sloe_trt_find(list, text)) return name;
  PRECISION_MAP(LOWEST)
#undef LOWEST
  return "";
}

/* The next word; 0: there is none. */
static int take_any_word(sloe_trt_span *rest, sloe_trt_span *word) {
  (void)sloe_trt_take_blank(rest);
  word->p = rest->p;
  while (rest->p < rest->end && *rest->p != ' ') rest->p++;
  word->end = rest->p;
  return word->p < word->end;
}

static int has_word(sloe_trt_span command, const char *option) {
  for (sloe_trt_span word; take_any_word(&command, &word);)
    if (sloe_trt_is(word, option)) return 1;
  return 0;
}

const char *sloe_trt_asked_precision(sloe_trt_span command) {
  if (has_word(command, "--best")) return "int8";
#define LOWEST(text, name) \
  if (has_word(command, "--" name)) return name;
  PRECISION_MAP(LOWEST)
#undef LOWEST
  return "";
}

/* ---- options that are echoed ---- */

static int on(sloe_trt_span value) {
  return sloe_trt_take(&value, "Enabled") ? 1 : sloe_trt_take(&value, "Disabled") ? 0 : -1;
}

static int64_t whole(sloe_trt_span value, int64_t fallback) {
  int64_t n;
  return sloe_trt_take_int(&value, &n) && n >= 0 ? n : fallback;
}

static double first_number(sloe_trt_span value) {
  double x;
  return sloe_trt_take_number(&value, &x) ? x : NAN;
}

/* "8.7" -> 87 */
static int tenths(sloe_trt_span value) {
  const double x = first_number(value);
  return x > 0 && x < 1000 ? (int)lround(x * 10) : 0;
}

/* "3s (+ 200ms warm up)" */
static void take_duration(sloe_trt_run *run, sloe_trt_span v) {
  double s, ms;
  if (!sloe_trt_take_number(&v, &s)) return;
  run->duration_s = s;
  if (sloe_trt_take(&v, "s (+ ") && sloe_trt_take_number(&v, &ms)) run->warmup_ms = ms;
}

static void take_precision(sloe_trt_reader *r, sloe_trt_run *run, sloe_trt_span v) {
  run->precisions = sloe_trt_keep(r, v);
  run->precision = sloe_trt_find(v, "trongly") ? "" : lowest_of_list(v);
}

static void take_batch(sloe_trt_run *run, sloe_trt_span v) {
  const int64_t n = whole(v, 0); /* "explicit", "Explicit": the bindings say it */
  if (n > 0) run->batch = n;
}

static void take_version(sloe_trt_reader *r, sloe_trt_run *run, sloe_trt_span v);

/*  X(words before the colon, what is done with `v`) */
#define OPTION_MAP(X)                                                                \
  X("Model", if (v.p < v.end) run->model = sloe_trt_keep(r, v))                      \
  X("Prototxt", if (v.p < v.end) run->model = sloe_trt_keep(r, v))                   \
  X("Save engine", run->save_engine = sloe_trt_keep(r, v))                           \
  X("Load engine", run->load_engine = sloe_trt_keep(r, v))                           \
  X("Export timing to JSON file", run->times_path = sloe_trt_keep(r, v))             \
  X("Export profile to JSON file", run->profile_path = sloe_trt_keep(r, v))          \
  X("Export layer information to JSON file", run->layers_path = sloe_trt_keep(r, v)) \
  X("Precision", take_precision(r, run, v))                                          \
  X("Max batch", take_batch(run, v))                                                 \
  X("Batch", take_batch(run, v))                                                     \
  X("Iterations", run->iterations = whole(v, -1))                                    \
  X("Duration", take_duration(run, v))                                               \
  X("Streams", run->streams = whole(v, -1))                                          \
  X("Inference Streams", run->streams = whole(v, -1))                                \
  X("Data transfers", run->transfers = on(v); o->has_transfers_line = 1)             \
  X("Spin-wait", run->spin_wait = on(v))                                             \
  X("Multithreading", run->multithreading = on(v))                                   \
  X("CUDA Graph", run->cuda_graph = on(v))                                           \
  X("Separate profiling", run->separate_profile = on(v))                             \
  X("Profile", run->profiler = on(v))                                                \
  X("DLACore", run->dla_core = whole(v, -1))                                         \
  X("Skip inference", if (on(v) == 1) run->remarks |= SLOE_TRT_NO_INFERENCE)         \
  X("Build only", if (on(v) == 1) run->remarks |= SLOE_TRT_NO_INFERENCE)             \
  X("Selected Device", run->device = sloe_trt_keep(r, v))                            \
  X("Compute Capability", run->compute_capability = tenths(v))                       \
  X("SMs", run->sms = whole(v, 0))                                                   \
  X("Compute Clock Rate", run->gpu_mhz = first_number(v) * 1e3)                      \
  X("Application Compute Clock Rate", run->gpu_mhz = first_number(v) * 1e3)          \
  X("Memory Clock Rate", run->memory_mhz = first_number(v) * 1e3)                    \
  X("Application Memory Clock Rate", run->memory_mhz = first_number(v) * 1e3)        \
  X("Device Global Memory", run->memory_mib = first_number(v))                       \
  X("TensorRT version", take_version(r, run, v))

/* ---- version ---- */

static void set_version(sloe_trt_reader *r, sloe_trt_run *run, int64_t major, int64_t minor,
                        int64_t patch) {
  if (major < 1 || major > 99 || minor < 0 || minor > 99 || patch < 0 || patch > 99) return;
  run->version_number = (int)(major * 10000 + minor * 100 + patch);
  run->version_told = 1;
  const char *text = sloe_arena_printf(&r->arena, "%d.%d.%d", (int)major, (int)minor, (int)patch);
  if (text) run->version = text;
  r->failed |= !text;
}

/* "8201" and "100300", as the frame and 8.0 have it. */
static void take_packed(sloe_trt_reader *r, sloe_trt_run *run, int64_t n) {
  if (n >= 1000 && n < 10000)
    set_version(r, run, n / 1000, n / 100 % 10, n % 100);
  else if (n >= 100000 && n < 1000000)
    set_version(r, run, n / 10000, n / 100 % 100, n % 100);
}

/* "8.2.1", or packed. */
static void take_version(sloe_trt_reader *r, sloe_trt_run *run, sloe_trt_span v) {
  int64_t major, minor, patch = 0;
  if (!sloe_trt_take_int(&v, &major)) return;
  if (!sloe_trt_take(&v, ".")) {
    take_packed(r, run, major);
    return;
  }
  if (!sloe_trt_take_int(&v, &minor)) return;
  if (sloe_trt_take(&v, ".")) (void)sloe_trt_take_int(&v, &patch);
  set_version(r, run, major, minor, patch);
}

/* ---- bindings ---- */

static void add_binding(sloe_trt_reader *r, sloe_trt_open_run *o, int is_output, sloe_trt_span name,
                        sloe_trt_span shape) {
  sloe_trt_binding b = {.is_output = is_output, .shape = {.rank = -1}};
  if (!sloe_trt_room(r, &o->bindings, o->run.n_bindings, &o->cap_bindings, sizeof b)) return;
  b.name = sloe_trt_keep(r, name);
  if (!sloe_trt_take_shape(&shape, 'x', &b.shape)) b.shape.rank = -1;
  o->bindings[o->run.n_bindings++] = b;
}

/* "Created input binding for NAME with dimensions 1x3x224x224",
   "Input binding for NAME with dimensions 1x3x224x224 is created." */
static int take_binding(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  const int created = sloe_trt_take(&line, "Created ");
  const int in = sloe_trt_take(&line, created ? "input" : "Input");
  if (!in && !sloe_trt_take(&line, created ? "output" : "Output")) return 0;
  if (!sloe_trt_take(&line, " binding for ")) return 0;
  const char *with = sloe_trt_find(line, " with dimensions ");
  if (!with) return 0;
  sloe_trt_span shape = {with, line.end};
  (void)sloe_trt_take(&shape, " with dimensions ");
  add_binding(r, o, !in, (sloe_trt_span){line.p, with}, shape);
  return 1;
}

/* "Dynamic dimensions required for input: X, but no shapes were provided. Automatically overriding
   shape to: 1x3x1x1". A batch of 1 is what was meant; an image of one pixel is not. */
static int take_dynamic(sloe_trt_run *run, sloe_trt_span line) {
  sloe_shape shape;
  if (!sloe_trt_take(&line, "Dynamic dimensions required for input")) return 0;
  const char *p = sloe_trt_find(line, "shape to: ");
  if (!p) return 1;
  sloe_trt_span rest = {p + strlen("shape to: "), line.end};
  if (!sloe_trt_take_shape(&rest, 'x', &shape)) return 1;
  for (int i = shape.rank > 2 ? 2 : 1; i < shape.rank; i++)
    if (shape.dim[i] == 1) run->remarks |= SLOE_TRT_DYNAMIC_AT_ONE;
  return 1;
}

/* ---- lines ---- */

int sloe_trt_read_option(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  sloe_trt_run *run = &o->run;
  if (take_binding(r, o, line) || take_dynamic(run, line)) return 1;
  const char *colon = memchr(line.p, ':', (size_t)(line.end - line.p));
  if (!colon) return 0;
  const sloe_trt_span key = {line.p, colon};
  const sloe_trt_span v = sloe_trt_trim((sloe_trt_span){colon + 1, line.end});
#define TAKE(words, action)      \
  if (sloe_trt_is(key, words)) { \
    action;                      \
    return 1;                    \
  }
  OPTION_MAP(TAKE)
#undef TAKE
  return 0;
}

/* ---- the command line ---- */

static sloe_trt_span value_of(sloe_trt_span word) {
  const char *equals = memchr(word.p, '=', (size_t)(word.end - word.p));
  return (sloe_trt_span){equals ? equals + 1 : word.end, word.end};
}

static int begins(sloe_trt_span word, const char *with) {
  return sloe_trt_take(&word, with);
}

static void take_word(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span word) {
  sloe_trt_run *run = &o->run;
  const sloe_trt_span v = value_of(word);
  if (begins(word, "--onnx=") || begins(word, "--deploy=") || begins(word, "--uff="))
    run->model = sloe_trt_keep(r, v);
  else if (begins(word, "--loadEngine="))
    run->load_engine = sloe_trt_keep(r, v);
  else if (begins(word, "--saveEngine="))
    run->save_engine = sloe_trt_keep(r, v);
  else if (begins(word, "--shapes="))
    run->shapes = sloe_trt_keep(r, v);
  else if (begins(word, "--exportTimes="))
    run->times_path = sloe_trt_keep(r, v);
  else if (begins(word, "--exportLayerInfo="))
    run->layers_path = sloe_trt_keep(r, v);
  else if (begins(word, "--exportProfile="))
    run->profile_path = sloe_trt_keep(r, v);
  else if (begins(word, "--batch="))
    take_batch(run, v);
  else if (begins(word, "--dumpProfile"))
    o->asked_export = 1;
  else if (begins(word, "--separateProfileRun"))
    o->asked_separate = 1;
  else if (begins(word, "--buildOnly") || begins(word, "--skipInference"))
    run->remarks |= SLOE_TRT_NO_INFERENCE;
}

void sloe_trt_read_command(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span command) {
  sloe_trt_run *run = &o->run;
  run->command = sloe_trt_keep(r, command);
  sloe_trt_span rest = command;
  for (sloe_trt_span word; take_any_word(&rest, &word);) take_word(r, o, word);
  if (*run->precision) return;
  run->precision = sloe_trt_asked_precision(command);
  /* Of a loaded engine only what is said. */
  if (!*run->precision && *run->model && !has_word(command, "--stronglyTyped"))
    run->precision = "fp32";
}
