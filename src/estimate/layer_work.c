#include "estimate/layer_work.h"

double sloe_layer_bytes(const sloe_layer *layer, size_t element_bytes) {
  return ((double)layer->in_elements + (double)layer->out_elements + (double)layer->params) *
         (double)element_bytes;
}

static int both(const int64_t pair[2], int64_t value) {
  return pair[0] == value && pair[1] == value;
}

/* A dilation that is not given is 1. */
static int undilated(const sloe_layer *layer) {
  return layer->dilation[0] <= 1 && layer->dilation[1] <= 1;
}

static sloe_work convolution(const sloe_layer *layer) {
  if (layer->kind == SLOE_LAYER_DWCONV || layer->groups > 1) return SLOE_WORK_GROUPED;
  if (layer->kind == SLOE_LAYER_DECONV) return SLOE_WORK_CONV;
  if (layer->kernel[0] <= 1 && layer->kernel[1] <= 1) return SLOE_WORK_POINTWISE;
  int winograd = both(layer->kernel, 3) && both(layer->stride, 1) && undilated(layer);
  return winograd ? SLOE_WORK_CONV3 : SLOE_WORK_CONV;
}

static int is_convolution(const sloe_layer *layer) {
  return layer->kind == SLOE_LAYER_CONV || layer->kind == SLOE_LAYER_DWCONV ||
         layer->kind == SLOE_LAYER_DECONV;
}

sloe_roofline_work sloe_layer_work(const sloe_layer *layer, size_t element_bytes) {
  double matrix = 2 * (double)layer->macs, rest = (double)layer->flops - matrix;
  sloe_roofline_work work = {.work = SLOE_WORK_VECTOR,
                             .matrix_flops = matrix,
                             .vector_flops = rest > 0 ? rest : 0,
                             .bytes = sloe_layer_bytes(layer, element_bytes)};
  if (is_convolution(layer)) {
    work.work = convolution(layer);
    work.can_be_fast = layer->kernel[0] > 1 || layer->kernel[1] > 1;
  } else if (layer->macs) {
    work.work = SLOE_WORK_MATMUL;
  }
  return work;
}
