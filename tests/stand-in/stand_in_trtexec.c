/* A trtexec that needs no GPU: options, output and bugs of each version, times by a formula of the
 * network's layers. What is to be known beside the command line stands in the environment:
 *
 *   STAND_IN_VERSION=10.3.0    of TensorRT, 6.0 to 11
 *   STAND_IN_FAULT=NAME        always this one (below); of one command alone: NAME@--saveEngine
 *   STAND_IN_ONCE=FILE         only where FILE is not there, and makes it
 *   STAND_IN_RATE=N            one command in N suffers any of them
 *   STAND_IN_NOISE=0.01        deviation of an inference; the same engine has the same each time
 *   STAND_IN_CURRENT=FILE      mA go there while it is under load: a sensor's file
 *
 * Faults: kill, hang, abort; cuda (a driver's error), oom, unsupported (the engine cannot be
 * built); half (killed in the middle of what it exports), cut (a file without its end), digit (a
 * figure in it is another), twice (it stands there twice), empty, rubbish (bytes in its log),
 * silent (exit status 0 and nothing done), flood.
 */
#include "stand_in_trtexec.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sloe/sloe.h"

static const char *const faults[] = {"kill",  "hang",  "cuda",  "half",    "cut",
                                     "digit", "twice", "empty", "rubbish", "silent"};
enum { N_FAULTS = sizeof faults / sizeof *faults };

/* ---- output ---- */

void line(const trtexec *t, char level, const char *fmt, ...) {
  const int month = t->version < 70000 ? 0 : 1; /* 6.0 counts from 0 */
  va_list ap;
  printf("[%02d/22/2021-15:14:52] [%c] ", month, level);
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  printf("\n");
}

static void frame(const trtexec *t, const char *what) {
  const int major = t->version / 10000, minor = t->version / 100 % 100, patch = t->version % 100;
  printf("&&&& %s TensorRT.trtexec", what);
  if (major >= 10)
    printf(" [TensorRT v%d%02d%02d]", major, minor, patch);
  else if (major >= 8)
    printf(" [TensorRT v%d%d%02d]", major, minor, patch);
  printf(" #");
  for (int i = 0; i < t->argc; i++) printf(" %s", t->argv[i]);
  printf("\n");
}

static int fail(const trtexec *t) {
  frame(t, "FAILED");
  return EXIT_FAILURE;
}

const char *flag(const trtexec *t, const char *name) {
  const size_t len = strlen(name);
  for (int i = 1; i < t->argc; i++)
    if (!strncmp(t->argv[i], name, len) && (!t->argv[i][len] || t->argv[i][len] == '='))
      return t->argv[i] + len + (t->argv[i][len] == '=');
  return NULL;
}

static int has_fault(const trtexec *t, const char *name) {
  return strcmp(t->fault, name) == 0;
}

static void stay(void) {
  for (;;) pause();
}

/* ---- files ---- */

FILE *export_begin(const trtexec *t, const char *path) {
  FILE *file = *path ? fopen(path, "w") : NULL;
  if (!file && *path) line(t, 'E', "Cannot open %s", path);
  return file;
}

static void mangle(const char *path, const char *how) {
  static char bytes[1 << 22];
  FILE *file = fopen(path, "r");
  if (!file) return;
  const size_t len = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  file = fopen(path, "w");
  if (!file) return;
  char *digits = strstr(bytes, "\"computeMs\" : ");
  if (!digits) digits = strstr(bytes, "averageMs\" : ");
  if (!strcmp(how, "digit") && digits) { /* the first figure behind it becomes another */
    for (digits = strchr(digits, ':'); *digits < '1' || *digits > '9'; digits++) continue;
    *digits = *digits == '9' ? '3' : '9';
  }
  fwrite(bytes, 1, !strcmp(how, "cut") ? len * 2 / 3 : !strcmp(how, "empty") ? 0 : len, file);
  if (!strcmp(how, "twice")) fwrite(bytes, 1, len, file);
  fclose(file);
}

void export_end(const trtexec *t, FILE *file, const char *path) {
  if (has_fault(t, "half")) {
    fflush(file);
    if (ftruncate(fileno(file), ftell(file) / 2) == 0) raise(SIGKILL);
  }
  fclose(file);
  mangle(path, t->fault);
}

/* ---- engines ---- */

static uint64_t hash(const char *s) {
  uint64_t h = 1469598103934665603u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
  return h ^ h >> 29;
}

static double up(int64_t x, int64_t step) {
  return (double)((x + step - 1) / step * step);
}

/* Steps over filters, a floor, and what is moved. */
static double formula_ms(const sloe_layer *layer, double element_bytes) {
  const double filters = layer->filters > 0 ? (double)layer->filters : 1;
  const double macs =
      (double)layer->macs * up(layer->filters > 0 ? layer->filters : 1, 32) / filters;
  const double moved = (double)(layer->in_elements + layer->out_elements + layer->params);
  return 0.004 + macs * 1e-9 + moved * element_bytes * 2e-8;
}

static void add_layer(engine *e, const char *name, double ms) {
  if (e->n == MOST_LAYERS) return;
  e->name[e->n] = malloc(strlen(name) + 1);
  memcpy(e->name[e->n], name, strlen(name) + 1);
  e->ms[e->n++] = ms;
}

static int build(trtexec *t, const char *onnx, sloe_error *err) {
  const sloe_precision precision = flag(t, "--int8")   ? SLOE_INT8
                                   : flag(t, "--fp16") ? SLOE_FP16
                                                       : SLOE_FP32;
  const sloe_fusion fusion = {SLOE_RUNTIME_TENSORRT, t->version / 100, precision, 87};
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  sloe_status status = sloe_net_open(onnx, NULL, &net, err);
  if (status == SLOE_OK) status = sloe_layers_new(net, &fusion, &layers, err);
  for (size_t i = 0; status == SLOE_OK && i < sloe_layers_count(layers); i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    if (layer->kind == SLOE_LAYER_VIEW) continue;
    add_layer(&t->engine, layer->name, formula_ms(layer, (double)sloe_precision_bytes(precision)));
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
  return status == SLOE_OK;
}

static int save(const trtexec *t, const char *path) {
  FILE *file = fopen(path, "w");
  if (!file) return 0;
  fprintf(file, "stand-in engine %d\n", t->version);
  for (size_t i = 0; i < t->engine.n; i++)
    fprintf(file, "%.17g %s\n", t->engine.ms[i], t->engine.name[i]);
  if (has_fault(t, "half")) {
    fflush(file);
    raise(SIGKILL);
  }
  fprintf(file, "end\n");
  return fclose(file) == 0;
}

static int load(trtexec *t, const char *path) {
  static char text[1 << 16];
  FILE *file = fopen(path, "r");
  int version = 0, is_whole = 0;
  if (!file) return 0;
  if (fscanf(file, "stand-in engine %d\n", &version) != 1) version = 0;
  while (version == t->version && fgets(text, sizeof text, file)) {
    char *name = strchr(text, ' ');
    text[strcspn(text, "\n")] = 0;
    is_whole = !strcmp(text, "end");
    if (name) add_layer(&t->engine, name + 1, strtod(text, NULL));
  }
  fclose(file);
  return is_whole;
}

/* The cache only ever grows, and one that is none is refused. */
static int use_cache(const trtexec *t) {
  const char *path = flag(t, "--timingCacheFile");
  char text[32] = "";
  FILE *file = path ? fopen(path, "r") : NULL;
  if (file) {
    const int is_one = fgets(text, sizeof text, file) && !strcmp(text, "stand-in cache\n");
    fclose(file);
    if (!is_one) return 0;
  }
  file = path ? fopen(path, "a") : NULL;
  if (!file) return 1;
  fprintf(file, *text ? "more\n" : "stand-in cache\n");
  fclose(file);
  return 1;
}

/* ---- commands ---- */

static void say_device(const trtexec *t) {
  if (t->version < 80000) return;
  line(t, 'I', "=== Device Information ===");
  line(t, 'I', "Selected Device: Orin");
  line(t, 'I', "Compute Capability: 8.7");
  line(t, 'I', "SMs: 8");
  line(t, 'I', "Compute Clock Rate: 1.02 GHz");
  line(t, 'I', "Device Global Memory: 7619 MiB");
  line(t, 'I', t->version < 80200 ? "TensorRT version: %d%d%02d" : "TensorRT version: %d.%d.%d",
       t->version / 10000, t->version / 100 % 100, t->version % 100);
}

static int build_command(trtexec *t) {
  sloe_error err = {0};
  if (has_fault(t, "oom")) {
    line(t, 'E',
         "[TRT] 2: [virtualMemoryBuffer.cpp::resizePhysical::140] Error Code 2: OutOfMemory (no "
         "further information)");
    return fail(t);
  }
  if (has_fault(t, "unsupported") || !build(t, flag(t, "--onnx"), &err)) {
    line(t, 'E',
         "[TRT] 10: [optimizer.cpp::computeCosts::2011] Error Code 10: Internal Error (Could "
         "not find any implementation for node %s.)",
         *err.msg ? err.msg : "Conv_0");
    line(t, 'E', "Engine could not be created from network");
    line(t, 'E', "Building engine failed");
    return fail(t);
  }
  if (!use_cache(t)) {
    line(t, 'E', "Timing cache could not be read");
    return fail(t);
  }
  if (t->version >= 100000) {
    line(t, 'I', "[TRT] Total Scratch Memory: 1024");
    line(t, 'I', "[TRT] Total Activation Memory: 2410496");
    line(t, 'I', "[TRT] Total Weights Memory: 23375312");
  }
  line(t, 'I', "Engine built in 0.0132 sec.");
  if (!save(t, flag(t, "--saveEngine"))) return fail(t);
  if (flag(t, "--exportLayerInfo")) export_layers(t, flag(t, "--exportLayerInfo"));
  frame(t, "PASSED");
  return EXIT_SUCCESS;
}

/* Deviations that depend on the engine and the inference alone. */
static void draw_times(trtexec *t) {
  const char *iterations = flag(t, "--iterations");
  double ms = 0.01;
  uint64_t state = 88172645463325252u;
  for (size_t i = 0; i < t->engine.n; i++) {
    ms += t->engine.ms[i];
    state ^= hash(t->engine.name[i]);
  }
  t->n_warm = 7;
  t->n = t->n_warm + (iterations ? (size_t)strtol(iterations, NULL, 10) : 10);
  t->ms = malloc((t->n + 1) * sizeof *t->ms);
  for (size_t i = 0; i < t->n; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    t->ms[i] =
        ms * (1 + t->noise * ((double)(state >> 11) / 0x1p52 - 1)) * (i < t->n_warm ? 1.5 : 1);
  }
}

/* Until it is killed: a sensor sees it. */
static void be_busy(void) {
  const char *path = getenv("STAND_IN_CURRENT");
  for (unsigned i = 0; path && *path; i++) {
    FILE *file = fopen(path, "r+"); /* at no moment is it empty */
    if (!file) break;
    fprintf(file, "%u\n", 1500 + i % 2 * 20);
    fclose(file);
    nanosleep(&(struct timespec){0, 5000000}, NULL);
  }
  stay();
}

static int run_command(trtexec *t) {
  const char *duration = flag(t, "--duration"), *profile = flag(t, "--exportProfile");
  if (!load(t, flag(t, "--loadEngine"))) {
    line(t, 'E',
         "[TRT] 1: [stdArchiveReader.cpp::StdArchiveReader::40] Error Code 1: Serialization");
    line(t, 'E', "Engine creation failed");
    return fail(t);
  }
  line(t, 'I', t->version < 80000 ? "Starting inference threads" : "Starting inference");
  fflush(stdout);
  if (duration && strtol(duration, NULL, 10) >= 60) be_busy();
  draw_times(t);
  if (profile && t->version >= 80200 && !flag(t, "--separateProfileRun"))
    line(t, 'I',
         "The e2e network timing is not reported since it is inaccurate due to the extra "
         "synchronizations when the profiler is enabled.");
  else
    report_performance(t);
  if (flag(t, "--dumpProfile")) report_profile(t);
  if (flag(t, "--exportTimes")) export_times(t, flag(t, "--exportTimes"));
  if (profile) export_profile(t, profile);
  if (flag(t, "--exportLayerInfo")) export_layers(t, flag(t, "--exportLayerInfo"));
  frame(t, "PASSED");
  return EXIT_SUCCESS;
}

/* ---- faults that need no command ---- */

static int misbehave(const trtexec *t) {
  if (has_fault(t, "kill")) raise(SIGKILL);
  if (has_fault(t, "abort")) abort();
  if (has_fault(t, "hang")) stay();
  if (has_fault(t, "silent")) return EXIT_SUCCESS;
  if (has_fault(t, "rubbish"))
    for (unsigned i = 0; i < 3000; i++) putchar((int)(i * 7919 % 251));
  while (has_fault(t, "flood"))
    for (unsigned i = 0; i < 100000; i++) line(t, 'I', "and so on");
  if (!has_fault(t, "cuda")) return -1;
  line(t, 'E', "Cuda failure: unspecified launch failure");
  return fail(t);
}

/* 1 where FILE was there; it is from now on. */
static int was_there(const char *path) {
  if (!path || !*path) return 0;
  if (access(path, F_OK) == 0) return 1;
  FILE *file = fopen(path, "w");
  if (file) fclose(file);
  return 0;
}

static const char *choose_fault(trtexec *t) {
  const char *fault = getenv("STAND_IN_FAULT"), *rate = getenv("STAND_IN_RATE");
  static char name[40];
  if (fault && *fault) {
    const size_t len = strcspn(fault, "@");
    snprintf(name, sizeof name, "%.*s", (int)len, fault);
    const int is_meant = !fault[len] || flag(t, fault + len + 1);
    return is_meant && !was_there(getenv("STAND_IN_ONCE")) ? name : "";
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  const uint64_t drawn =
      ((uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 20) * 6364136223846793005u >> 33;
  const uint64_t one_in = rate ? strtoull(rate, NULL, 10) : 0;
  return one_in && drawn % one_in == 0 ? faults[drawn / one_in % N_FAULTS] : "";
}

static int read_version(const char *text) {
  char *at;
  const long major = strtol(text, &at, 10), minor = *at ? strtol(at + 1, &at, 10) : 0;
  const long patch = *at ? strtol(at + 1, &at, 10) : 0;
  return (int)(major * 10000 + minor * 100 + patch);
}

int main(int argc, char **argv) {
  static trtexec t;
  const char *version = getenv("STAND_IN_VERSION"), *noise = getenv("STAND_IN_NOISE");
  t.argc = argc;
  t.argv = argv;
  t.version = read_version(version ? version : "10.3.0");
  t.noise = noise ? strtod(noise, NULL) : 0.01;
  t.fault = choose_fault(&t);
  frame(&t, "RUNNING");
  const int code = misbehave(&t);
  if (code >= 0) return code;
  if (flag(&t, "--help")) {
    print_help(t.version);
    return EXIT_SUCCESS;
  }
  for (int i = 1; i < argc; i++)
    if (!takes(t.version, argv[i])) {
      line(&t, 'E', "Unknown option: %s", argv[i]);
      print_help(t.version);
      return fail(&t);
    }
  say_device(&t);
  return flag(&t, "--onnx") ? build_command(&t) : run_command(&t);
}
