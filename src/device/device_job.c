/* device_job.c: layers and networks made ready to run. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/opened.h"

const char *sloe_device_doubt(const sloe_device *device) {
  const sloe_device_info *info = &device->info;
  for (size_t i = 0; i < info->n_environment; i++) {
    const char *value = info->environment[i].value;
    if (strcmp(info->environment[i].key, "reproducible") != 0 || strncmp(value, "no", 2) != 0)
      continue;
    return strncmp(value, "no: ", 4) == 0 ? value + 4 : "its clocks are not known";
  }
  return NULL;
}

static sloe_status new_job(sloe_device *device, size_t n_layers, sloe_job **out, sloe_error *err) {
  *out = sloe_alloc(1, sizeof **out);
  if (!*out) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a job");
  **out = (sloe_job){.device = device, .n_layers = n_layers};
  return SLOE_OK;
}

/* Hands the job over where loading its state went well. */
static sloe_status keep(sloe_job *job, sloe_status status, sloe_job **out) {
  if (status == SLOE_OK)
    *out = job;
  else
    sloe_dealloc(job);
  return status;
}

sloe_status sloe_device_load_layer(sloe_device *device, const sloe_layer_spec *spec, sloe_job **out,
                                   sloe_error *err) {
  sloe_job *job;
  *out = NULL;
  SLOE_TRY(sloe_layer_spec_check(spec, err));
  SLOE_TRY(new_job(device, 0, &job, err));
  return keep(job, device->backend->load_layer(device->state, spec, &job->state, err), out);
}

sloe_status sloe_device_load_network(sloe_device *device, const sloe_layers *layers, sloe_job **out,
                                     sloe_error *err) {
  const size_t n = sloe_layers_count(layers);
  sloe_job *job;
  *out = NULL;
  if (!device->backend->load_network)
    return sloe_fail(err, SLOE_UNSUPPORTED, "backend %s: it runs no whole networks",
                     device->backend->name);
  if (!n) return sloe_fail(err, SLOE_UNSUPPORTED, "a network without layers: nothing to run");
  SLOE_TRY(new_job(device, n, &job, err));
  return keep(job, device->backend->load_network(device->state, layers, &job->state, err), out);
}

void sloe_job_unload(sloe_job *job) {
  if (!job) return;
  job->device->backend->unload(job->device->state, job->state);
  sloe_dealloc(job);
}

sloe_status sloe_job_memory(sloe_job *job, sloe_device_memory *out, sloe_error *err) {
  const sloe_backend *backend = job->device->backend;
  *out = (sloe_device_memory){NAN, NAN, NAN, NAN, ""};
  return backend->memory ? backend->memory(job->device->state, job->state, out, err) : SLOE_OK;
}

const char *sloe_job_kernels(const sloe_job *job) {
  const sloe_backend *backend = job->device->backend;
  return backend->kernels ? backend->kernels(job->device->state, job->state) : "";
}

sloe_status sloe_device_proposals(sloe_device *device, const sloe_layer_spec *spec, sloe_text *out,
                                  sloe_error *err) {
  const sloe_backend *backend = device->backend;
  if (!backend->proposals)
    return sloe_fail(err, SLOE_UNSUPPORTED,
                     "backend %s: it cannot be asked which kernels it would try", backend->name);
  SLOE_TRY(sloe_layer_spec_check(spec, err));
  return backend->proposals(device->state, spec, out, err);
}

const char *sloe_job_choice(const sloe_job *job, size_t layer) {
  const sloe_backend *backend = job->device->backend;
  return backend->choice ? backend->choice(job->device->state, job->state, layer) : "";
}
