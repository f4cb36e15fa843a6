/* zoo_ends.c: how networks begin and end, and the widths between. */
#include "zoo/zoo_family.h"

sloe_zoo_map sloe_zoo_begin(sloe_zoo_builder *b, const sloe_zoo_call *call,
                            const sloe_zoo_value *image) {
  sloe_zoo_map x = {0, call->batch, image->image[0], image->image[1], image->image[2]};
  x.t = sloe_zoo_input(b, "input", 4, (int64_t[]){x.n, x.c, x.h, x.w});
  return x;
}

sloe_status sloe_zoo_end(sloe_zoo_builder *b, sloe_zoo_map x) {
  sloe_zoo_output(b, x.t);
  return b->status;
}

sloe_status sloe_zoo_end_mean_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes) {
  x = sloe_zoo_add_global_pool(b, x);
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, x, classes, SLOE_SPEC_ACT_NONE));
}

sloe_status sloe_zoo_end_reduce_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes) {
  x = sloe_zoo_add_reduce_mean(b, x);
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, x, classes, SLOE_SPEC_ACT_NONE));
}

sloe_status sloe_zoo_end_mean_conv(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes) {
  x = sloe_zoo_add_global_pool(b, x);
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = classes});
  x.t = sloe_zoo_node(b, SLOE_OP_FLATTEN, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

int64_t sloe_zoo_divisible(double width, int64_t divisor) {
  int64_t n = (int64_t)(width + (double)divisor / 2) / divisor * divisor;
  if (n < divisor) n = divisor;
  return (double)n < 0.9 * width ? n + divisor : n;
}
