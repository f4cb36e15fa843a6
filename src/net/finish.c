/* From a built net to an answer: the steps, in the order in which each needs the one before. */
#include "net/infer.h"

sloe_status sloe_net_finish(sloe_net *net, const sloe_net_options *options, sloe_error *err) {
  SLOE_TRY(sloe_sort_graph(net, &net->graph, err));
  SLOE_TRY(sloe_mark_weights(net, err));
  SLOE_TRY(sloe_bind_inputs(net, options, err));
  SLOE_TRY(sloe_infer_net(net, err));
  SLOE_TRY(sloe_index_uses(net, err));
  SLOE_TRY(sloe_count_costs(net, err));
  return sloe_collect_info(net, err);
}
