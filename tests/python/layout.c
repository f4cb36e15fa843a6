/* layout.c: what sloe.py has to know of sloe.h, as the compiler sees it, a line each:
 *   SLOE_NAME VALUE
 *   struct BYTES
 *   struct.member OFFSET BYTES
 * check_sloe.py holds the module against it. */
#include <sloe/sloe.h>
#include <stdio.h>

typedef struct member {
  const char *name;
  size_t offset, bytes;
} member;

#define M(type, member) \
  { #type "." #member, offsetof(type, member), sizeof(((type *)0)->member) }

static const member members[] = {
    M(sloe_shape, rank),
    M(sloe_shape, dim),
    M(sloe_error, code),
    M(sloe_error, offset),
    M(sloe_error, msg),
    M(sloe_input_shape, name),
    M(sloe_input_shape, shape),
    M(sloe_dim_binding, symbol),
    M(sloe_dim_binding, value),
    M(sloe_net_options, batch),
    M(sloe_net_options, inputs),
    M(sloe_net_options, n_inputs),
    M(sloe_net_options, dims),
    M(sloe_net_options, n_dims),
    M(sloe_net_options, memory_limit),
    M(sloe_feature, name),
    M(sloe_feature, doc),
    M(sloe_feature, value),
    M(sloe_tensor_info, name),
    M(sloe_tensor_info, dtype),
    M(sloe_tensor_info, shape),
    M(sloe_unknown_op, op),
    M(sloe_unknown_op, count),
    M(sloe_unknown_op, reason),
    M(sloe_net_info, name),
    M(sloe_net_info, producer),
    M(sloe_net_info, ir_version),
    M(sloe_net_info, opset),
    M(sloe_net_info, inputs),
    M(sloe_net_info, outputs),
    M(sloe_net_info, n_inputs),
    M(sloe_net_info, n_outputs),
    M(sloe_net_info, batch),
    M(sloe_net_info, n_ops),
    M(sloe_net_info, params),
    M(sloe_net_info, trainable_params),
    M(sloe_net_info, macs),
    M(sloe_net_info, flops),
    M(sloe_net_info, mac_flops),
    M(sloe_net_info, flops_by_kind),
    M(sloe_net_info, activations),
    M(sloe_net_info, weights_bytes),
    M(sloe_net_info, peak_activation_bytes),
    M(sloe_net_info, features),
    M(sloe_net_info, n_features),
    M(sloe_net_info, unknown_ops),
    M(sloe_net_info, n_unknown_ops),
    M(sloe_net_info, unknown_bytes_share),
    M(sloe_layer, name),
    M(sloe_layer, kind),
    M(sloe_layer, ops),
    M(sloe_layer, n_ops),
    M(sloe_layer, in),
    M(sloe_layer, out),
    M(sloe_layer, n_in),
    M(sloe_layer, n_out),
    M(sloe_layer, macs),
    M(sloe_layer, flops),
    M(sloe_layer, params),
    M(sloe_layer, in_elements),
    M(sloe_layer, out_elements),
    M(sloe_layer, kernel),
    M(sloe_layer, stride),
    M(sloe_layer, dilation),
    M(sloe_layer, pads),
    M(sloe_layer, groups),
    M(sloe_layer, filters),
    M(sloe_layer, data_dependent),
    M(sloe_search, dirs),
    M(sloe_search, n_dirs),
    M(sloe_card, name),
    M(sloe_card, path),
    M(sloe_card, device),
    M(sloe_card, title),
    M(sloe_card, runtime),
    M(sloe_card, runtime_version),
    M(sloe_card, precision),
    M(sloe_card, mode),
    M(sloe_card, default_mode),
    M(sloe_card, source),
    M(sloe_card, notes),
    M(sloe_card, transfers),
    M(sloe_card, gpu_mhz),
    M(sloe_card, peak_gflops),
    M(sloe_card, bandwidth_gbs),
    M(sloe_card, launch_us),
    M(sloe_card, memory_mb),
    M(sloe_card, memory_reserved_mb),
    M(sloe_card, power_cap_w),
    M(sloe_card, validated_mape),
    M(sloe_card, validated_on),
    M(sloe_figure, value),
    M(sloe_figure, low),
    M(sloe_figure, high),
    M(sloe_figure, source),
    M(sloe_figure, method),
    M(sloe_figure, validated_mape),
    M(sloe_figure, validated_n),
    M(sloe_figure, in_domain),
    M(sloe_layer_estimate, layer),
    M(sloe_layer_estimate, latency_ms),
    M(sloe_layer_estimate, share),
    M(sloe_layer_estimate, bytes),
    M(sloe_layer_estimate, bound),
    M(sloe_layer_estimate, source),
    M(sloe_layer_estimate, in_domain),
    M(sloe_result, latency_ms),
    M(sloe_result, latency_p75_ms),
    M(sloe_result, latency_p97_5_ms),
    M(sloe_result, sum_of_layers_ms),
    M(sloe_result, power_w),
    M(sloe_result, energy_mj),
    M(sloe_result, memory_mb),
    M(sloe_result, power_rail),
    M(sloe_result, memory_kind),
    M(sloe_result, fits),
    M(sloe_result, layers),
    M(sloe_result, n_layers),
    M(sloe_result, warnings),
    M(sloe_result, n_warnings),
    M(sloe_estimate_options, method),
    M(sloe_estimate_options, model),
    M(sloe_prune_layer, layer),
    M(sloe_prune_layer, filters),
    M(sloe_prune_layer, tread_lo),
    M(sloe_prune_layer, tread_hi),
    M(sloe_prune_layer, target),
    M(sloe_prune_layer, latency_ms),
    M(sloe_prune_layer, target_ms),
    M(sloe_prune_layer, saved_ms),
    M(sloe_prune_layer, saved_share),
    M(sloe_prune_layer, network_saved_ms),
    M(sloe_prune_layer, in_domain),
    M(sloe_prune_step, layer),
    M(sloe_prune_step, filters),
    M(sloe_prune_step, latency_ms),
    M(sloe_prune_step, params),
    M(sloe_prune_result, layers),
    M(sloe_prune_result, n_layers),
    M(sloe_prune_result, steps),
    M(sloe_prune_result, n_steps),
    M(sloe_prune_result, latency_ms),
    M(sloe_prune_options, slack),
    M(sloe_prune_options, max_steps),
    M(sloe_report_options, format),
    M(sloe_report_options, layers),
    M(sloe_report_options, features),
    M(sloe_report_options, color),
    M(sloe_report_options, bars),
    M(sloe_report_options, width),
    M(sloe_report_options, list),
    M(sloe_report_options, budget_ms),
    M(sloe_report_options, budget_w),
    M(sloe_report_options, budget_mb),
};

static void print_sizes(void) {
#define S(type) printf(#type " %zu\n", sizeof(type))
  S(sloe_shape);
  S(sloe_error);
  S(sloe_input_shape);
  S(sloe_dim_binding);
  S(sloe_net_options);
  S(sloe_feature);
  S(sloe_tensor_info);
  S(sloe_unknown_op);
  S(sloe_net_info);
  S(sloe_layer);
  S(sloe_search);
  S(sloe_card);
  S(sloe_figure);
  S(sloe_layer_estimate);
  S(sloe_result);
  S(sloe_estimate_options);
  S(sloe_prune_layer);
  S(sloe_prune_step);
  S(sloe_prune_result);
  S(sloe_prune_options);
  S(sloe_report_options);
#undef S
}

int main(void) {
#define STATUS(name, value, text) printf("SLOE_" #name " %d\n", value);
  SLOE_STATUS_MAP(STATUS)
#undef STATUS
  printf("SLOE_FORMAT_JSON %d\nSLOE_METHOD_AUTO %d\n", SLOE_FORMAT_JSON, SLOE_METHOD_AUTO);
  print_sizes();
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    printf("%s %zu %zu\n", members[i].name, members[i].offset, members[i].bytes);
  return 0;
}
