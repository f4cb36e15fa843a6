/* Between channels and space: DepthToSpace, SpaceToDepth, Col2Im. */
#include "net/shape/fold.h"

static sloe_status divide(sloe_infer *cx, int64_t dim, int64_t by, const char *what, int64_t *out) {
  *out = SLOE_DIM_UNKNOWN;
  if (dim == SLOE_DIM_UNKNOWN || by == SLOE_DIM_UNKNOWN) return SLOE_OK;
  if (by == 0 || dim % by)
    return sloe_fail(cx->err, SLOE_FORMAT, "%s %lld is no multiple of %lld", what, (long long)dim,
                     (long long)by);
  *out = dim / by;
  return SLOE_OK;
}

/* The block size, and the input's four dims in *out; rank -1 where they are not known. */
static sloe_status read_block(sloe_infer *cx, int64_t *block, sloe_shape *out) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  *out = s ? *s : sloe_shape_unknown();
  *block = sloe_node_int(cx->node, "blocksize", 0);
  if (*block < 1 || *block > INT32_MAX)
    return sloe_fail(cx->err, SLOE_FORMAT, "blocksize %lld must be positive", (long long)*block);
  if (s && s->rank != 4)
    return sloe_fail(cx->err, SLOE_FORMAT, "input of rank %d, must be 4", s->rank);
  return SLOE_OK;
}

static void finish(sloe_infer *cx, const sloe_shape *out) {
  sloe_set_out(cx, 0, out, sloe_in(cx, 0) ? sloe_in(cx, 0)->dtype : SLOE_DT_UNDEFINED);
}

sloe_status sloe_shape_depth_to_space(sloe_infer *cx) {
  int64_t block;
  sloe_shape out;
  SLOE_TRY(read_block(cx, &block, &out));
  if (out.rank == 4) {
    SLOE_TRY(divide(cx, out.dim[1], block * block, "channels", &out.dim[1]));
    SLOE_TRY(sloe_dim_mul(cx, out.dim[2], block, &out.dim[2]));
    SLOE_TRY(sloe_dim_mul(cx, out.dim[3], block, &out.dim[3]));
  }
  finish(cx, &out);
  return SLOE_OK;
}

sloe_status sloe_shape_space_to_depth(sloe_infer *cx) {
  int64_t block;
  sloe_shape out;
  SLOE_TRY(read_block(cx, &block, &out));
  if (out.rank == 4) {
    SLOE_TRY(sloe_dim_mul(cx, out.dim[1], block * block, &out.dim[1]));
    SLOE_TRY(divide(cx, out.dim[2], block, "height", &out.dim[2]));
    SLOE_TRY(divide(cx, out.dim[3], block, "width", &out.dim[3]));
  }
  finish(cx, &out);
  return SLOE_OK;
}

/* [N, C x product of the block, L] -> [N, C, image...] */
sloe_status sloe_shape_col2im(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints image = sloe_list_of(cx, "image_shape", 1), block = sloe_list_of(cx, "block_shape", 2);
  int64_t dims = image.v ? (int64_t)image.n : sloe_in_length(cx, 1), size = 1;
  sloe_shape out = sloe_shape_unknown(), sizes = out;
  if (dims >= 0) SLOE_TRY(sloe_shape_blank(cx, dims < INT32_MAX ? dims + 2 : dims, &out));
  if (image.v) SLOE_TRY(sloe_shape_from(cx, image.v, image.n, &sizes));
  if (s && s->rank != 3)
    return sloe_fail(cx->err, SLOE_FORMAT, "input of rank %d, must be 3", s->rank);
  for (int a = 0; a < sizes.rank; a++) out.dim[a + 2] = sizes.dim[a];
  for (size_t k = 0; k < block.n; k++) {
    int64_t b = block.v[k] == SLOE_ELEM_UNKNOWN ? SLOE_DIM_UNKNOWN : block.v[k];
    if (b < SLOE_DIM_UNKNOWN)
      return sloe_fail(cx->err, SLOE_FORMAT, "block of %lld is negative", (long long)b);
    SLOE_TRY(sloe_dim_mul(cx, size, b, &size));
  }
  if (s && out.rank >= 2) {
    out.dim[0] = s->dim[0];
    SLOE_TRY(divide(cx, s->dim[1], block.v ? size : SLOE_DIM_UNKNOWN, "channels", &out.dim[1]));
  }
  finish(cx, &out);
  return SLOE_OK;
}
