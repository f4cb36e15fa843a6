/* values.c: tensors, their layouts and bytes. */
#include <string.h>

#include "device/onednn/onednn.h"

sloe_status sloe_onednn_plain(int rank, const int64_t *dims, dnnl_memory_desc_t *md,
                              sloe_error *err) {
  dnnl_dims_t strides;
  int64_t stride = 1;
  if (rank < 1 || rank > SLOE_MAX_RANK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a tensor of rank %d", rank);
  for (int i = rank - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= dims[i] > 0 ? dims[i] : 1;
  }
  dnnl_dims_t copy = {0};
  memcpy(copy, dims, (size_t)rank * sizeof *dims);
  ONEDNN_TRY(dnnl_memory_desc_init_by_strides(md, rank, copy, dnnl_f32, strides), "a tensor");
  return SLOE_OK;
}

sloe_status sloe_onednn_any(int rank, const int64_t *dims, dnnl_memory_desc_t *md,
                            sloe_error *err) {
  dnnl_dims_t copy = {0};
  if (rank < 1 || rank > SLOE_MAX_RANK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a tensor of rank %d", rank);
  memcpy(copy, dims, (size_t)rank * sizeof *dims);
  ONEDNN_TRY(dnnl_memory_desc_init_by_tag(md, rank, copy, dnnl_f32, dnnl_format_tag_any),
             "a tensor");
  return SLOE_OK;
}

sloe_status sloe_onednn_wish(const onednn_value *value, dnnl_memory_desc_t *md, sloe_error *err) {
  if (!value->fixed) return sloe_onednn_any(value->rank, value->dims, md, err);
  *md = value->md;
  return SLOE_OK;
}

uint64_t sloe_onednn_elements(const onednn_value *value) {
  uint64_t n = 1;
  for (int i = 0; i < value->rank; i++) n = sloe_mul_sat(n, (uint64_t)value->dims[i]);
  return n;
}

float *sloe_onednn_bytes(const onednn_job *job, const onednn_value *value) {
  (void)job;
  void *handle = NULL;
  if (!value->memory || dnnl_memory_get_data_handle(value->memory, &handle) != dnnl_success)
    return NULL;
  return (float *)handle + value->md.offset0;
}

/* ---- bytes ---- */

static char *start_of(const onednn_job *job, const onednn_data *data) {
  const size_t at = (data->block->at + 63) / 64 * 64;
  return job->device->region.base + at;
}

/* Bytes that no value of the job holds any more, the smallest that are enough and no more than
   four times as many; else a new block. What is written at load only must have bytes of its own. */
static sloe_status take_bytes(onednn_job *job, onednn_kind kind, size_t bytes, onednn_data **out,
                              sloe_error *err) {
  onednn_data *best = NULL;
  for (onednn_data *d = kind == ONEDNN_ACTIVATION ? job->data : NULL; d; d = d->next)
    if (!d->refs && d->bytes >= bytes && d->bytes / 4 <= bytes && (!best || d->bytes < best->bytes))
      best = d;
  *out = NULL;
  if (!best) {
    best = SLOE_ARENA_NEW(&job->arena, onednn_data, 1);
    if (!best) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
    SLOE_TRY(sloe_onednn_block_take(&job->device->region, bytes, &best->block, err));
    best->bytes = bytes;
    best->next = job->data;
    job->data = best;
    *(kind == ONEDNN_CONSTANT ? &job->weights_bytes : &job->activation_bytes) += (double)bytes;
  }
  best->refs = 1;
  best->views = 0;
  *out = best;
  return SLOE_OK;
}

static sloe_status take_memory(onednn_job *job, onednn_value *value, onednn_data *data,
                               const dnnl_memory_desc_t *md, size_t skip, sloe_error *err) {
  char *at = start_of(job, data) + skip;
  ONEDNN_TRY(dnnl_memory_create(&value->memory, md, job->device->engine, at), "a tensor");
  value->md = *md;
  value->data = data;
  value->fixed = 1;
  return SLOE_OK;
}

/* ---- contents ---- */

static void write_known(const onednn_value *value, float *to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const size_t k = value->known->n == 1 ? 0 : i;
    to[i] = value->known->real ? (float)value->known->f[k] : (float)value->known->i[k];
  }
}

/* Plain contents. */
static void write_contents(const onednn_job *job, const onednn_value *value, float *to, size_t n) {
  const onednn_device *device = job->device;
  if (value->known && (value->known->n == n || value->known->n == 1)) {
    write_known(value, to, n);
    return;
  }
  if (device->fill && value->name && device->fill(device->fill_context, value->name, to, n)) return;
  sloe_onednn_pattern(to, n, value->scale);
  if (value->offset != 0)
    for (size_t i = 0; i < n; i++) to[i] += value->offset;
}

static sloe_status reorder_now(onednn_job *job, const onednn_value *from, const onednn_value *to,
                               sloe_error *err) {
  dnnl_primitive_desc_t pd = NULL;
  dnnl_primitive_t primitive = NULL;
  const onednn_device *device = job->device;
  dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from->memory}, {DNNL_ARG_TO, to->memory}};
  dnnl_status_t said = dnnl_reorder_primitive_desc_create(&pd, &from->md, device->engine, &to->md,
                                                          device->engine, NULL);
  if (said == dnnl_success) said = dnnl_primitive_create(&primitive, pd);
  if (said == dnnl_success) said = dnnl_primitive_execute(primitive, device->stream, 2, args);
  if (said == dnnl_success) said = dnnl_stream_wait(device->stream);
  dnnl_primitive_destroy(primitive);
  dnnl_primitive_desc_destroy(pd);
  return said == dnnl_success ? SLOE_OK : sloe_onednn_said(said, "a reorder", err);
}

static void drop(onednn_value *value) {
  dnnl_memory_destroy(value->memory);
  value->memory = NULL;
  if (value->data && value->data->refs) value->data->refs--;
  value->data = NULL;
}

/* Fill a value of any layout by way of a plain one. */
static sloe_status fill_contents(onednn_job *job, const onednn_value *value, sloe_error *err) {
  dnnl_memory_desc_t plain;
  onednn_value temp = *value;
  const size_t n = (size_t)sloe_onednn_elements(value);
  SLOE_TRY(sloe_onednn_plain(value->rank, value->dims, &plain, err));
  if (dnnl_memory_desc_equal(&plain, &value->md)) {
    write_contents(job, value, sloe_onednn_bytes(job, value), n);
    return SLOE_OK;
  }
  temp.memory = NULL;
  temp.data = NULL;
  onednn_data data = {.bytes = dnnl_memory_desc_get_size(&plain), .refs = 1};
  SLOE_TRY(sloe_onednn_block_take(&job->device->region, data.bytes, &data.block, err));
  sloe_status status = take_memory(job, &temp, &data, &plain, 0, err);
  if (status == SLOE_OK) {
    write_contents(job, value, sloe_onednn_bytes(job, &temp), n);
    status = reorder_now(job, &temp, value, err);
  }
  drop(&temp);
  sloe_onednn_block_give(&job->device->region, data.block);
  return status;
}

/* ---- values ---- */

sloe_status sloe_onednn_value_new(onednn_job *job, onednn_kind kind, int rank, const int64_t *dims,
                                  const char *name, onednn_value **out, sloe_error *err) {
  onednn_value *value = SLOE_ARENA_NEW(&job->arena, onednn_value, 1);
  *out = NULL;
  if (!value) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  if (rank < 1 || rank > SLOE_MAX_RANK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a tensor of rank %d", rank);
  value->kind = kind;
  value->rank = rank;
  value->name = name;
  value->scale = 1.0F;
  memcpy(value->dims, dims, (size_t)rank * sizeof *dims);
  value->next = job->values;
  job->values = value;
  *out = value;
  return SLOE_OK;
}

sloe_status sloe_onednn_fix(onednn_job *job, onednn_value *value, const dnnl_memory_desc_t *md,
                            sloe_error *err) {
  onednn_data *data;
  const size_t bytes = dnnl_memory_desc_get_size(md);
  SLOE_TRY(take_bytes(job, value->kind, bytes, &data, err));
  SLOE_TRY(take_memory(job, value, data, md, 0, err));
  return value->kind == ONEDNN_ACTIVATION ? SLOE_OK : fill_contents(job, value, err);
}

sloe_status sloe_onednn_result(onednn_job *job, const dnnl_memory_desc_t *md, onednn_value **out,
                               sloe_error *err) {
  onednn_value *value;
  *out = NULL;
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_ACTIVATION, md->ndims, md->dims, NULL, &value, err));
  SLOE_TRY(sloe_onednn_fix(job, value, md, err));
  *out = value;
  return SLOE_OK;
}

static onednn_value *find_twin(onednn_value *value, const dnnl_memory_desc_t *md) {
  for (; value; value = value->twin)
    if (value->fixed && dnnl_memory_desc_equal(&value->md, md)) return value;
  return NULL;
}

sloe_status sloe_onednn_as(onednn_job *job, onednn_value *value, const dnnl_memory_desc_t *md,
                           onednn_value **out, sloe_error *err) {
  onednn_value *twin;
  *out = NULL;
  if (!value->fixed) {
    SLOE_TRY(sloe_onednn_fix(job, value, md, err));
    *out = value;
    return SLOE_OK;
  }
  twin = find_twin(value, md);
  if (!twin) {
    SLOE_TRY(
        sloe_onednn_value_new(job, value->kind, value->rank, value->dims, value->name, &twin, err));
    twin->known = value->known;
    twin->scale = value->scale;
    twin->offset = value->offset;
    if (value->kind != ONEDNN_CONSTANT) twin->kind = ONEDNN_ACTIVATION;
    SLOE_TRY(sloe_onednn_fix(job, twin, md, err));
    if (value->kind != ONEDNN_CONSTANT) SLOE_TRY(sloe_onednn_reorder(job, value, twin, err));
    twin->twin = value->twin;
    value->twin = twin;
  }
  *out = twin;
  return SLOE_OK;
}

sloe_status sloe_onednn_as_plain(onednn_job *job, onednn_value *value, onednn_value **out,
                                 sloe_error *err) {
  dnnl_memory_desc_t plain;
  *out = NULL;
  SLOE_TRY(sloe_onednn_plain(value->rank, value->dims, &plain, err));
  return sloe_onednn_as(job, value, &plain, out, err);
}

sloe_status sloe_onednn_view(onednn_job *job, onednn_value *value, const dnnl_memory_desc_t *md,
                             onednn_value **out, sloe_error *err) {
  onednn_value *view;
  void *handle = NULL;
  *out = NULL;
  SLOE_TRY(
      sloe_onednn_value_new(job, ONEDNN_ACTIVATION, md->ndims, md->dims, value->name, &view, err));
  ONEDNN_TRY(dnnl_memory_get_data_handle(value->memory, &handle), "a view");
  const size_t skip = (size_t)((char *)handle - start_of(job, value->data));
  SLOE_TRY(take_memory(job, view, value->data, md, skip, err));
  if (value->kind == ONEDNN_INPUT) view->kind = ONEDNN_INPUT;
  value->data->refs++;
  value->data->views++;
  *out = view;
  return SLOE_OK;
}

sloe_status sloe_onednn_reshape(onednn_job *job, onednn_value *value, int rank, const int64_t *dims,
                                onednn_value **out, sloe_error *err) {
  dnnl_memory_desc_t md;
  dnnl_dims_t copy = {0};
  *out = NULL;
  if (rank < 1 || rank > SLOE_MAX_RANK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a tensor of rank %d", rank);
  if (value->rank == rank && memcmp(value->dims, dims, (size_t)rank * sizeof *dims) == 0) {
    *out = value;
    return SLOE_OK;
  }
  memcpy(copy, dims, (size_t)rank * sizeof *dims);
  if (value->kind == ONEDNN_CONSTANT) { /* contents are written in plain order, whatever the dims */
    SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_CONSTANT, rank, dims, value->name, out, err));
    (*out)->known = value->known;
    (*out)->scale = value->scale;
    (*out)->offset = value->offset;
    return SLOE_OK;
  }
  if (!value->fixed) SLOE_TRY(sloe_onednn_as_plain(job, value, &value, err));
  if (dnnl_memory_desc_reshape(&md, &value->md, rank, copy) != dnnl_success) {
    SLOE_TRY(sloe_onednn_as_plain(job, value, &value, err));
    ONEDNN_TRY(dnnl_memory_desc_reshape(&md, &value->md, rank, copy), "a reshape");
  }
  return sloe_onednn_view(job, value, &md, out, err);
}

void sloe_onednn_release(onednn_job *job, onednn_value *value) {
  (void)job;
  for (; value; value = value->twin) {
    if (!value->data || value->released || value->kind != ONEDNN_ACTIVATION) continue;
    value->released = 1;
    value->data->refs--;
  }
}
