#include <stdlib.h>

#include "cli.h"

static sloe_exit read_fusion(const sloe_args *args, sloe_fusion *out) {
  const char *runtime = sloe_args_value(args, SLOE_OPT_FUSION);
  const char *precision = sloe_args_value(args, SLOE_OPT_PRECISION);
  sloe_error err;
  *out = (sloe_fusion){.runtime = SLOE_RUNTIME_NONE};
  if (runtime && sloe_runtime_parse(runtime, &out->runtime, &err) != SLOE_OK)
    return sloe_cli_mistake(args->command, "%s", err.msg);
  if (precision && sloe_precision_parse(precision, &out->precision, &err) != SLOE_OK)
    return sloe_cli_mistake(args->command, "%s", err.msg);
  return SLOE_EXIT_YES;
}

typedef struct answers {
  sloe_net **nets;
  sloe_layers **layers;
  size_t n;
} answers;

static sloe_exit open_one(const char *path, const sloe_net_flags *flags, const sloe_fusion *fusion,
                          answers *a) {
  sloe_error err = {0};
  sloe_exit code = sloe_cli_open_net(path, flags, &a->nets[a->n]);
  if (code) return code;
  sloe_status status = sloe_layers_new(a->nets[a->n], fusion, &a->layers[a->n], &err);
  if (status == SLOE_OK) {
    a->n++;
    return SLOE_EXIT_YES;
  }
  sloe_net_free(a->nets[a->n]);
  return sloe_cli_failed(path, status, &err);
}

static sloe_exit answer(const answers *a, const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  if (!a->n) return SLOE_EXIT_YES;
  sloe_status status =
      sloe_report_info((const sloe_layers *const *)a->layers, a->n, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_fusion fusion;
  sloe_net_flags flags;
  sloe_exit code = sloe_args_report(args, &report);
  if (!code) code = read_fusion(args, &fusion);
  if (!code) code = sloe_net_flags_init(args, &flags);
  if (code) return code;
  report.list = args->n_operands > 1;
  answers a = {.nets = sloe_cli_alloc(args->n_operands, sizeof *a.nets),
               .layers = sloe_cli_alloc(args->n_operands, sizeof *a.layers)};
  for (size_t i = 0; i < args->n_operands; i++)
    code = sloe_cli_worse(code, open_one(args->operands[i], &flags, &fusion, &a));
  code = sloe_cli_worse(code, answer(&a, &report));
  for (size_t i = 0; i < a.n; i++) {
    sloe_layers_free(a.layers[i]);
    sloe_net_free(a.nets[i]);
  }
  free(a.layers);
  free(a.nets);
  sloe_net_flags_fini(&flags);
  return code;
}

const sloe_command sloe_cmd_info = {
    .name = "info",
    .operands = "NET...",
    .summary = "what a network is: shapes, parameters, work, memory, layers, features",
    .details =
        "Several NETs give a table of one row each. Where one of them cannot be read, the "
        "others are\nanswered and the exit code is 3. JSON always holds the layers and the "
        "features.\n",
    .options = SLOE_OPTION_BIT(LAYERS) | SLOE_OPTION_BIT(FEATURES) | SLOE_OPTION_BIT(FUSION) |
               SLOE_OPTION_BIT(PRECISION) | SLOE_OPTION_BIT(FORMAT) | SLOE_NET_OPTIONS,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
