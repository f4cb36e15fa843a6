/* Any bytes as what trtexec wrote. What must hold:
 *  - status and handle agree; a refusal has a message and an offset inside the input
 *  - twice gives the same; more memory than the limit is never taken
 *  - what is counted is there: every string ends, every list is as long as it says, every number of
 * a kind that has no sign is not below 0
 *  - cut it is read, or refused, and holds at most one more run or record: names that nobody
 * escaped leave open whether a brace before the cut closes an object
 *  - a name's parts lie inside it
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "campaign/engine_kinds.h"
#include "device/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t LIMIT = (size_t)16 << 20;

typedef struct total { /* what a file holds */
  size_t runs, records, layers, bytes;
} total;

static void check(int ok) {
  if (!ok) __builtin_trap();
}

typedef struct inside {
  const char *name;
  size_t len;
} inside;

static void is_inside(void *context, const char *part, size_t len, int from) {
  const inside *i = context;
  (void)from;
  check(part >= i->name && part + len <= i->name + i->len);
}

static void take_text(const char *s, total *t) {
  t->bytes += strlen(s);
}

static void take_name(const char *name, total *t) {
  inside i = {name, strlen(name)};
  const sloe_engine_layer layer = {.name = name};
  size_t len;
  int sure, adds;
  take_text(name, t);
  sloe_engine_parts(name, i.len, is_inside, &i);
  const char *owner = sloe_engine_owner(name, &len);
  check(owner >= name && owner + len <= name + i.len);
  (void)sloe_engine_role_of(name, "", "");
  check(sloe_engine_kinds(&layer, &sure) != 0 && !sure);
  (void)sloe_engine_ops(name, &adds);
  (void)sloe_engine_is_shortcut(name);
}

static void take_profile(const sloe_trt_profile *p, total *t) {
  check(p->n_layers > 0 && p->count >= -1);
  for (size_t i = 0; i < p->n_layers; i++) take_name(p->layers[i].name, t);
  t->layers += p->n_layers;
}

static void take_run(const sloe_trt_run *run, total *t) {
  const char *const texts[] = {run->command,    run->version,      run->device,
                               run->model,      run->save_engine,  run->load_engine,
                               run->times_path, run->profile_path, run->layers_path,
                               run->precisions, run->precision,    run->shapes};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) take_text(texts[i], t);
  for (size_t i = 0; i < run->n_warnings; i++) take_text(run->warnings[i], t);
  for (size_t i = 0; i < run->n_errors; i++) take_text(run->errors[i], t);
  for (size_t i = 0; i < run->n_gpu_layers; i++) take_name(run->gpu_layers[i], t);
  for (size_t i = 0; i < run->n_dla_layers; i++) take_name(run->dla_layers[i], t);
  for (size_t i = 0; i < run->n_bindings; i++) take_text(run->bindings[i].name, t);
  if (run->profile) take_profile(run->profile, t);
  check(run->batch >= 0 && run->compute_capability >= 0 && run->version_number >= 0);
  check(run->n_warnings <= 100 && run->n_errors <= 100);
  check(run->gpu.n_percentiles <= SLOE_TRT_PERCENTILES);
}

static void take_layers(const sloe_trt_layers *info, total *t) {
  for (size_t i = 0; i < info->n_layers; i++) {
    const sloe_trt_layer *layer = &info->layers[i];
    take_name(layer->name, t);
    take_text(layer->tactic, t);
    for (size_t k = 0; k < layer->n_onnx; k++) take_text(layer->onnx[k], t);
    for (size_t k = 0; k < layer->n_in; k++) check(layer->in[k].shape.rank <= SLOE_MAX_RANK);
    for (size_t k = 0; k < layer->n_out; k++) take_text(layer->out[k].format, t);
  }
  for (size_t i = 0; i < info->n_bindings; i++) take_text(info->bindings[i], t);
  t->layers += info->n_layers;
}

static void take_times(const sloe_trt_times *times, total *t) {
  check(times->n > 0);
  const size_t from = sloe_trt_times_behind_warmup(times, 200);
  check(from <= times->n);
  t->records += times->n;
}

static sloe_status read_all(const uint8_t *data, size_t size, total *t, sloe_error *err) {
  sloe_trt_file *file = (sloe_trt_file *)&file;
  *t = (total){0};
  const sloe_status status = sloe_trt_read(data, size, LIMIT, &file, err);
  check((status == SLOE_OK) == (file != NULL));
  if (!file) {
    check(status == SLOE_FORMAT || status == SLOE_NOMEM);
    check(err->code == status && err->msg[0] && err->offset <= size);
    return status;
  }
  for (size_t i = 0; i < file->n_runs; i++) take_run(&file->runs[i], t);
  for (size_t i = 0; i < file->n_times; i++) take_times(&file->times[i], t);
  for (size_t i = 0; i < file->n_profiles; i++) take_profile(&file->profiles[i], t);
  for (size_t i = 0; i < file->n_layers; i++) take_layers(&file->layers[i], t);
  t->runs = file->n_runs;
  check(t->runs + file->n_times + file->n_profiles + file->n_layers > 0);
  sloe_trt_free(file);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  total once, again, cut;
  sloe_error err = {0}, err2 = {0};
  const long live = sloe_alloc_live();
  const sloe_status status = read_all(data, size, &once, &err);
  check(read_all(data, size, &again, &err2) == status);
  check(memcmp(&once, &again, sizeof once) == 0 && strcmp(err.msg, err2.msg) == 0);
  (void)read_all(data, size - size / 3, &cut, &err2);
  if (status == SLOE_OK) check(cut.records <= once.records + 1 && cut.runs <= once.runs + 1);
  check(sloe_alloc_live() == live);
  return 0;
}
