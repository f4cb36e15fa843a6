/* layer_work.h: from a layer to what a roofline asks of it. Private to estimate/. */
#ifndef SLOE_ESTIMATE_LAYER_WORK_H
#define SLOE_ESTIMATE_LAYER_WORK_H

#include "model/model.h"
#include "sloe/sloe.h"

/* Activations in and out and weights, each read or written once, at `element_bytes` each. */
double sloe_layer_bytes(const sloe_layer *layer, size_t element_bytes);

/* Class and counts of arithmetic, and the bytes. An operator that is not known has bytes only. */
sloe_roofline_work sloe_layer_work(const sloe_layer *layer, size_t element_bytes);

#endif
