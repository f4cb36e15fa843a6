/* op_move.c: what moves data: concatenation, slices, padding, transposition, copies. */
#include <string.h>

#include "device/onednn/onednn.h"

/* The dimensions of a blocked layout by their outer strides, largest first. */
static void outer_order(const dnnl_memory_desc_t *md, int order[DNNL_MAX_NDIMS]) {
  const dnnl_dim_t *strides = md->format_desc.blocking.strides;
  for (int i = 0; i < md->ndims; i++) {
    int at = i;
    while (at > 0 && strides[order[at - 1]] < strides[i]) {
      order[at] = order[at - 1];
      at--;
    }
    order[at] = i;
  }
}

sloe_status sloe_onednn_like(const dnnl_memory_desc_t *md, const int64_t *dims,
                             dnnl_memory_desc_t *out, sloe_error *err) {
  int order[DNNL_MAX_NDIMS] = {0};
  if (md->format_kind != dnnl_blocked) return sloe_onednn_plain(md->ndims, dims, out, err);
  const dnnl_blocking_desc_t *from = &md->format_desc.blocking;
  SLOE_TRY(sloe_onednn_plain(md->ndims, dims, out, err));
  dnnl_blocking_desc_t *to = &out->format_desc.blocking;
  dnnl_dims_t outer;
  int64_t stride = 1;
  memcpy(outer, out->dims, sizeof outer);
  to->inner_nblks = from->inner_nblks;
  for (int i = from->inner_nblks - 1; i >= 0; i--) {
    const int d = (int)from->inner_idxs[i];
    const int64_t blk = from->inner_blks[i];
    to->inner_blks[i] = blk;
    to->inner_idxs[i] = d;
    outer[d] = (outer[d] + blk - 1) / blk;
    stride *= blk;
  }
  for (int d = 0; d < md->ndims; d++) out->padded_dims[d] = outer[d];
  for (int i = 0; i < from->inner_nblks; i++)
    out->padded_dims[from->inner_idxs[i]] *= from->inner_blks[i];
  outer_order(md, order);
  for (int i = md->ndims - 1; i >= 0; i--) {
    to->strides[order[i]] = stride;
    stride *= outer[order[i]] > 0 ? outer[order[i]] : 1;
  }
  return SLOE_OK;
}

sloe_status sloe_onednn_copy(onednn_job *job, onednn_value *src, const dnnl_memory_desc_t *md,
                             onednn_value **dst, sloe_error *err) {
  *dst = NULL;
  if (!src->fixed) SLOE_TRY(sloe_onednn_as_plain(job, src, &src, err));
  SLOE_TRY(sloe_onednn_result(job, md, dst, err));
  return sloe_onednn_reorder(job, src, *dst, err);
}

/* ---- concatenation ---- */

static sloe_status concat_with(onednn_job *job, onednn_value *const *src,
                               const dnnl_memory_desc_t *mds, size_t n, int axis,
                               onednn_value **dst, sloe_error *err) {
  onednn_make make;
  dnnl_primitive_desc_t pd = NULL;
  dnnl_memory_desc_t dst_md;
  sloe_status status;
  int64_t dims[SLOE_MAX_RANK];
  memcpy(dims, mds[0].dims, sizeof dims);
  for (size_t i = 1; i < n; i++) dims[axis] += mds[i].dims[axis];
  SLOE_TRY(sloe_onednn_like(&mds[0], dims, &dst_md, err));
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t said = dnnl_primitive_attr_create(&attr);
  if (said == dnnl_success)
    said = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
  if (said == dnnl_success)
    said = dnnl_concat_primitive_desc_create(&pd, &dst_md, (int)n, axis, mds, attr,
                                             job->device->engine);
  dnnl_primitive_attr_destroy(attr);
  if (said != dnnl_success) return sloe_onednn_said(said, "concatenation", err);
  sloe_onednn_make_with(&make, job, "concatenation", pd);
  for (size_t i = 0; i < n; i++)
    SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_MULTIPLE_SRC + (int)i, src[i], err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

/* The part with most elements: the others are brought into its layout. */
static onednn_value *largest(onednn_value *const *src, size_t n) {
  onednn_value *best = src[0];
  for (size_t i = 1; i < n; i++)
    if (sloe_onednn_elements(src[i]) > sloe_onednn_elements(best)) best = src[i];
  return best;
}

/* All parts in the layout of the largest; plain where that cannot be put together. */
sloe_status sloe_onednn_concat(onednn_job *job, onednn_value *const *src, size_t n, int axis,
                               onednn_value **dst, sloe_error *err) {
  onednn_value **part = SLOE_ARENA_NEW(&job->arena, onednn_value *, n);
  dnnl_memory_desc_t *mds = SLOE_ARENA_NEW(&job->arena, dnnl_memory_desc_t, n);
  sloe_status status = SLOE_UNSUPPORTED;
  *dst = NULL;
  if (!part || !mds) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  onednn_value *lead = largest(src, n);
  SLOE_TRY(sloe_onednn_as_usual(job, lead, err));
  for (int plain = 0; plain < 2 && status == SLOE_UNSUPPORTED; plain++) {
    for (size_t i = 0; i < n; i++) {
      dnnl_memory_desc_t like;
      if (plain)
        SLOE_TRY(sloe_onednn_plain(src[i]->rank, src[i]->dims, &like, err));
      else
        SLOE_TRY(sloe_onednn_like(&lead->md, src[i]->dims, &like, err));
      SLOE_TRY(sloe_onednn_as(job, src[i], &like, &part[i], err));
      mds[i] = part[i]->md;
    }
    status = concat_with(job, part, mds, n, axis, dst, err);
  }
  return status;
}

/* ---- parts of a tensor ---- */

/* A part of `whole` as a value on its bytes; of a plain twin where blocks are cut. */
static sloe_status part_of(onednn_job *job, onednn_value **whole, const int64_t *dims,
                           const int64_t *from, onednn_value **out, sloe_error *err) {
  dnnl_memory_desc_t md;
  dnnl_dims_t d = {0}, f = {0};
  memcpy(d, dims, (size_t)(*whole)->rank * sizeof *dims);
  memcpy(f, from, (size_t)(*whole)->rank * sizeof *from);
  if (dnnl_memory_desc_init_submemory(&md, &(*whole)->md, d, f) != dnnl_success) {
    SLOE_TRY(sloe_onednn_as_plain(job, *whole, whole, err));
    ONEDNN_TRY(dnnl_memory_desc_init_submemory(&md, &(*whole)->md, d, f), "a slice");
  }
  return sloe_onednn_view(job, *whole, &md, out, err);
}

sloe_status sloe_onednn_slice(onednn_job *job, onednn_value *src, const int64_t *from,
                              const int64_t *dims, onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t md;
  onednn_value *part = NULL;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  SLOE_TRY(sloe_onednn_like(&src->md, dims, &md, err));
  SLOE_TRY(part_of(job, &src, dims, from, &part, err));
  SLOE_TRY(sloe_onednn_result(job, &md, dst, err));
  const sloe_status status = sloe_onednn_reorder(job, part, *dst, err);
  sloe_onednn_release(job, part);
  return status;
}

static void zero(const onednn_step *step) {
  const size_t *bytes = step->params;
  memset(step->out, 0, *bytes);
}

static sloe_status pad_out(onednn_job *job, onednn_value *src, const int64_t *before,
                           const int64_t *dims, onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t md;
  onednn_value *part = NULL, *whole;
  size_t *bytes = SLOE_ARENA_NEW(&job->arena, size_t, 1);
  *dst = NULL;
  if (!bytes) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  SLOE_TRY(sloe_onednn_like(&src->md, dims, &md, err));
  for (int i = 0; i < md.format_desc.blocking.inner_nblks; i++) /* the padding would cut blocks */
    if (before[md.format_desc.blocking.inner_idxs[i]]) {
      SLOE_TRY(sloe_onednn_plain(src->rank, dims, &md, err));
      break;
    }
  SLOE_TRY(sloe_onednn_result(job, &md, &whole, err));
  *bytes = dnnl_memory_desc_get_size(&md);
  SLOE_TRY(sloe_onednn_step_plain(job, zero, bytes, NULL, 0, whole, err));
  *dst = whole;
  SLOE_TRY(part_of(job, &whole, src->dims, before, &part, err));
  const sloe_status status = sloe_onednn_reorder(job, src, part, err);
  sloe_onednn_release(job, part);
  return status;
}

/* What is cut off is so first. */
sloe_status sloe_onednn_pad(onednn_job *job, onednn_value *src, const int64_t *before,
                            const int64_t *dims, onednn_value **dst, sloe_error *err) {
  const size_t bytes = (size_t)src->rank * sizeof *dims;
  sloe_pad pad;
  *dst = NULL;
  if (!sloe_pad_of(src->rank, src->dims, before, dims, &pad))
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: nothing is left of a tensor");
  if (memcmp(pad.kept, src->dims, bytes) != 0) {
    SLOE_TRY(sloe_onednn_slice(job, src, pad.from, pad.kept, dst, err));
    if (memcmp(pad.kept, dims, bytes) == 0) return SLOE_OK;
    src = *dst;
  }
  return pad_out(job, src, pad.to, dims, dst, err);
}

/* The result is plain: its strides, seen by the source's dimensions, are where the reorder puts
   them. */
sloe_status sloe_onednn_transpose(onednn_job *job, onednn_value *src, const int *perm,
                                  onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t plain, seen;
  onednn_value *view;
  int64_t dims[SLOE_MAX_RANK];
  *dst = NULL;
  if (!src->fixed) SLOE_TRY(sloe_onednn_as_plain(job, src, &src, err));
  for (int i = 0; i < src->rank; i++) dims[i] = src->dims[perm[i]];
  SLOE_TRY(sloe_onednn_plain(src->rank, dims, &plain, err));
  ONEDNN_TRY(dnnl_memory_desc_permute_axes(&seen, &plain, perm), "transposition");
  SLOE_TRY(sloe_onednn_result(job, &plain, dst, err));
  SLOE_TRY(sloe_onednn_view(job, *dst, &seen, &view, err));
  const sloe_status status = sloe_onednn_reorder(job, src, view, err);
  sloe_onednn_release(job, view);
  return status;
}
