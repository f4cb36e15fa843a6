#include <stdlib.h>

#include "cli.h"

/* Of each NET that could be answered. */
typedef struct answers {
  const sloe_platform *platform;
  sloe_net **nets;
  sloe_layers **layers;
  sloe_estimate **estimates;
  sloe_prune **prunes;
  size_t n;
} answers;

static void answers_init(answers *a, size_t n) {
  a->nets = sloe_cli_alloc(n, sizeof *a->nets);
  a->layers = sloe_cli_alloc(n, sizeof *a->layers);
  a->estimates = sloe_cli_alloc(n, sizeof *a->estimates);
  a->prunes = sloe_cli_alloc(n, sizeof *a->prunes);
}

/* Of the i-th net, all that there is. */
static void forget(answers *a, size_t i) {
  sloe_prune_free(a->prunes[i]);
  sloe_estimate_free(a->estimates[i]);
  sloe_layers_free(a->layers[i]);
  sloe_net_free(a->nets[i]);
  a->prunes[i] = NULL;
  a->estimates[i] = NULL;
  a->layers[i] = NULL;
  a->nets[i] = NULL;
}

static void answers_fini(answers *a) {
  for (size_t i = 0; i < a->n; i++) forget(a, i);
  free(a->nets);
  free(a->layers);
  free(a->estimates);
  free(a->prunes);
}

static sloe_exit prune_one(answers *a, const char *name, const sloe_net_flags *flags,
                           const sloe_prune_options *options) {
  sloe_error err = {0};
  size_t i = a->n;
  sloe_exit code = sloe_cli_open_net(name, flags, &a->nets[i]);
  if (code) return code;
  sloe_status status =
      sloe_layers_new(a->nets[i], sloe_platform_fusion(a->platform), &a->layers[i], &err);
  if (status == SLOE_OK)
    status = sloe_estimate_new(a->layers[i], a->platform, NULL, &a->estimates[i], &err);
  if (status == SLOE_OK) status = sloe_prune_new(a->estimates[i], options, &a->prunes[i], &err);
  if (status == SLOE_OK) {
    a->n++;
    return SLOE_EXIT_YES;
  }
  forget(a, i);
  return sloe_cli_failed(name, status, &err);
}

static sloe_exit answer(const answers *a, const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  if (!a->n) return SLOE_EXIT_YES;
  sloe_answer *estimates = sloe_cli_alloc(a->n, sizeof *estimates);
  const sloe_prune_result **results = sloe_cli_alloc(a->n, sizeof *results);
  for (size_t i = 0; i < a->n; i++) {
    estimates[i] = sloe_estimate_answer(a->estimates[i]);
    results[i] = sloe_prune_get(a->prunes[i]);
  }
  sloe_cli_say_warnings(estimates, a->n);
  sloe_status status = sloe_report_prune(estimates, results, a->n, report, &text, &err);
  free(estimates);
  free((void *)results);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_prune_options *options) {
  int64_t steps = 0;
  double slack = 0;
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_STEPS, INT32_MAX, &steps);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_SLACK, &slack);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_PLATFORM, SLOE_PLATFORM_HINT);
  if (!code && sloe_args_count(args, SLOE_OPT_PLATFORM) > 1)
    code = sloe_cli_mistake(args->command, "one PLATFORM is pruned for at a time");
  *options = (sloe_prune_options){.slack = slack / 100, .max_steps = (size_t)steps};
  return code;
}

static sloe_exit prune_all(const sloe_args *args, const sloe_net_flags *flags,
                           const sloe_prune_options *options, const sloe_report_options *report) {
  sloe_platform *platform;
  answers a = {.n = 0};
  sloe_exit code = sloe_cli_open_platform(sloe_args_value(args, SLOE_OPT_PLATFORM), &platform);
  if (code) return code;
  answers_init(&a, args->n_operands);
  a.platform = platform;
  for (size_t i = 0; i < args->n_operands; i++)
    code = sloe_cli_worse(code, prune_one(&a, args->operands[i], flags, options));
  code = sloe_cli_worse(code, answer(&a, report));
  answers_fini(&a);
  sloe_platform_free(platform);
  return code;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_prune_options options;
  sloe_net_flags flags;
  sloe_exit code = read_options(args, &report, &options);
  if (!code) code = sloe_net_flags_init(args, &flags);
  if (code) return code;
  report.list = args->n_operands > 1;
  code = prune_all(args, &flags, &options, &report);
  sloe_net_flags_fini(&flags);
  return code;
}

const sloe_command sloe_cmd_prune = {
    .name = "prune",
    .operands = "NET... -p PLATFORM",
    .summary = "filter counts at the right end of a latency step, and what they save",
    .details =
        "The latency of a convolution over its filter count is a staircase: of the counts on one "
        "step the\nlargest is the best. Says for each convolution and fully connected layer on "
        "which step it stands and\nwhat the next one below saves, then prunes one by one, most "
        "milliseconds a filter first. The platform\nmust be fitted: a data sheet has no steps.\n",
    .options = SLOE_OPTION_BIT(PLATFORM) | SLOE_OPTION_BIT(STEPS) | SLOE_OPTION_BIT(SLACK) |
               SLOE_OPTION_BIT(FORMAT) | SLOE_NET_OPTIONS,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
