#include <string.h>

#include "cli.h"

static sloe_exit run_list(const sloe_args *args) {
  sloe_report_options report;
  sloe_error err = {0};
  char *text;
  sloe_exit code = sloe_args_report(args, &report);
  if (code) return code;
  sloe_status status = sloe_report_zoo(&report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit emit(const char *spec, const sloe_net_flags *flags, const char *out,
                      const sloe_onnx_options *options) {
  sloe_net *net;
  sloe_error err = {0};
  sloe_exit code = sloe_cli_open_net(spec, flags, &net);
  if (code) return code;
  sloe_status status = sloe_net_write_onnx(net, out, options, &err);
  if (status != SLOE_OK) code = sloe_cli_failed(out, status, &err);
  sloe_net_free(net);
  return code;
}

static sloe_exit run_emit(const sloe_args *args) {
  const char *spec = args->operands[0];
  const sloe_onnx_options options = {
      .weights = sloe_args_has(args, SLOE_OPT_WEIGHTS) ? SLOE_WEIGHTS_RANDOM : SLOE_WEIGHTS_SHAPES};
  sloe_net_flags flags;
  sloe_exit code = sloe_args_needs(args, SLOE_OPT_OUT, "it is the ONNX file to write");
  if (code) return code;
  if (strncmp(spec, "zoo:", 4))
    return sloe_cli_mistake(args->command, "'%s' is no SPEC: zoo:FAMILY,key=value,...", spec);
  code = sloe_net_flags_init(args, &flags);
  if (code) return code;
  code = emit(spec, &flags, sloe_args_value(args, SLOE_OPT_OUT), &options);
  sloe_net_flags_fini(&flags);
  return code;
}

const sloe_command sloe_cmd_zoo_list = {
    .name = "zoo list",
    .operands = "",
    .summary = "every family of networks that can be named, its keys and their ranges",
    .details =
        "A SPEC is zoo:FAMILY,key=value,...; keys that are not given are as they are by default.\n",
    .options = SLOE_OPTION_BIT(FORMAT),
    .run = run_list,
};

const sloe_command sloe_cmd_zoo_emit = {
    .name = "zoo emit",
    .operands = "SPEC -o FILE.onnx",
    .summary = "a network of the zoo as an ONNX file",
    .details =
        "Without --weights they are zeros that a node makes from their shape: the file is small, "
        "and\nany runtime reads it.\n",
    .options = SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(WEIGHTS) | SLOE_OPTION_BIT(BATCH),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_emit,
};
