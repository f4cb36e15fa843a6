/* model.h: what this room shows to those above, one header per kind of model. */
#ifndef SLOE_MODEL_MODEL_H
#define SLOE_MODEL_MODEL_H

#include "model/forest.h"
#include "model/layer_sum.h"
#include "model/learned.h"
#include "model/roofline.h"
#include "model/staircase.h"

#endif
