/* job_life.c: the life of a job and its running. */
#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "device/onednn/onednn.h"

enum { ARENA_LIMIT = 256 << 20 };

static uint64_t read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The thread's own clock is a system call, which the outer pair of readings keeps out of what the
   inner pair, a few ns each, takes. */
onednn_clock sloe_onednn_clock_start(const onednn_device *device) {
  onednn_clock c = {.alone = device->threads == 1};
  if (c.alone) c.cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
  c.wall_ns = read_clock(CLOCK_MONOTONIC);
  return c;
}

uint64_t sloe_onednn_clock_stop(const onednn_clock *c, uint64_t *wall_ns) {
  const uint64_t wall = read_clock(CLOCK_MONOTONIC) - c->wall_ns;
  *wall_ns = wall;
  if (!c->alone) return wall;
  const uint64_t cpu = read_clock(CLOCK_THREAD_CPUTIME_ID) - c->cpu_ns;
  return cpu > 0 && cpu < wall ? cpu : wall;
}

sloe_status sloe_onednn_job_new(onednn_device *device, onednn_job **out, sloe_error *err) {
  onednn_job *job = sloe_alloc(1, sizeof *job);
  *out = NULL;
  if (!job) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  *job = (onednn_job){.device = device};
  sloe_arena_init(&job->arena, ARENA_LIMIT);
  *out = job;
  return SLOE_OK;
}

sloe_status sloe_onednn_job_finish(onednn_job *job, sloe_error *err) {
  if (!job->scratch_bytes) return SLOE_OK;
  onednn_data *data = SLOE_ARENA_NEW(&job->arena, onednn_data, 1);
  if (!data) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  SLOE_TRY(
      sloe_onednn_block_take(&job->device->region, job->scratch_bytes + 64, &data->block, err));
  data->next = job->data;
  data->refs = 1;
  job->data = data;
  char *at = job->device->region.base + (data->block->at + 63) / 64 * 64;
  for (onednn_step *s = job->first; s; s = s->next)
    if (s->scratch) ONEDNN_TRY(dnnl_memory_set_data_handle(s->scratch, at), "a scratchpad");
  return SLOE_OK;
}

void sloe_onednn_job_free(onednn_job *job) {
  if (!job) return;
  for (onednn_step *s = job->first; s; s = s->next) {
    dnnl_primitive_destroy(s->primitive);
    dnnl_memory_destroy(s->scratch);
  }
  for (onednn_value *v = job->values; v; v = v->next) dnnl_memory_destroy(v->memory);
  for (onednn_data *d = job->data; d; d = d->next)
    sloe_onednn_block_give(&job->device->region, d->block);
  sloe_arena_fini(&job->arena);
  sloe_dealloc(job);
}

sloe_status sloe_onednn_job_run(onednn_job *job, sloe_error *err) {
  for (const onednn_step *s = job->first; s; s = s->next)
    SLOE_TRY(sloe_onednn_step_run(job->device, s, err));
  ONEDNN_TRY(dnnl_stream_wait(job->device->stream), "running");
  return SLOE_OK;
}

sloe_status sloe_onednn_job_run_layers(onednn_job *job, uint64_t *layer_ns, size_t n,
                                       sloe_error *err) {
  uint64_t wall_ns;
  for (size_t i = 0; i < n; i++) layer_ns[i] = 0;
  for (const onednn_step *s = job->first; s;) {
    const size_t layer = s->layer;
    const onednn_clock clock = sloe_onednn_clock_start(job->device);
    for (; s && s->layer == layer; s = s->next) SLOE_TRY(sloe_onednn_step_run(job->device, s, err));
    ONEDNN_TRY(dnnl_stream_wait(job->device->stream), "running");
    const uint64_t taken = sloe_onednn_clock_stop(&clock, &wall_ns);
    if (layer < n) layer_ns[layer] += taken;
  }
  return SLOE_OK;
}

sloe_status sloe_onednn_read(onednn_job *job, onednn_value *value, float *to, sloe_error *err) {
  dnnl_memory_desc_t plain;
  dnnl_memory_t memory = NULL;
  dnnl_primitive_desc_t pd = NULL;
  dnnl_primitive_t primitive = NULL;
  const onednn_device *device = job->device;
  SLOE_TRY(sloe_onednn_plain(value->rank, value->dims, &plain, err));
  dnnl_status_t said = dnnl_memory_create(&memory, &plain, device->engine, to);
  if (said == dnnl_success)
    said = dnnl_reorder_primitive_desc_create(&pd, &value->md, device->engine, &plain,
                                              device->engine, NULL);
  if (said == dnnl_success) said = dnnl_primitive_create(&primitive, pd);
  dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, value->memory}, {DNNL_ARG_TO, memory}};
  if (said == dnnl_success) said = dnnl_primitive_execute(primitive, device->stream, 2, args);
  if (said == dnnl_success) said = dnnl_stream_wait(device->stream);
  dnnl_primitive_destroy(primitive);
  dnnl_primitive_desc_destroy(pd);
  dnnl_memory_destroy(memory);
  return said == dnnl_success ? SLOE_OK : sloe_onednn_said(said, "reading", err);
}
