/* zoo.h: networks made from a line of text, "zoo:FAMILY,key=value,...". See families.def. */
#ifndef SLOE_ZOO_ZOO_H
#define SLOE_ZOO_ZOO_H

#include "net/net.h"

/* Build and finish the network that `text` names; its name is `text`. Weights are initializers that
   have a shape and no contents. options->batch multiplies the batch that the text says; the other
   options may be NULL or as in sloe_net_open. Errors: USAGE naming the key, UNSUPPORTED (a layer
   that no ONNX operator stands for), NOMEM. */
sloe_status sloe_zoo_open(const char *text, const sloe_net_options *options, sloe_net **out,
                          sloe_error *err);

#endif
