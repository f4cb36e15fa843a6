#include <math.h>
#include <stdlib.h>

#include "cli.h"

/* The evaluations that could be made, tables outside. */
typedef struct evaluations {
  const sloe_lab *lab;
  sloe_platform **platforms; /* NULL where one could not be opened */
  size_t n_platforms;
  sloe_evaluation **of;
  size_t n;
} evaluations;

static void evaluations_fini(evaluations *e) {
  for (size_t i = 0; i < e->n; i++) e->lab->evaluation_free(e->of[i]);
  for (size_t j = 0; j < e->n_platforms; j++) sloe_platform_free(e->platforms[j]);
  free(e->of);
  free(e->platforms);
}

/* ---- --max-mape ---- */

static sloe_exit hold(const sloe_evaluation *e, double limit) {
  sloe_exit code = SLOE_EXIT_YES;
  size_t known = 0;
  for (size_t i = 0; i < e->n_errors; i++) {
    const sloe_errors *errors = &e->errors[i];
    if (*errors->group || isnan(errors->mape)) continue;
    known++;
    if (errors->mape <= limit) continue;
    sloe_cli_say(stderr, "sloe: %s on %s: the mean error of %s of %.4g %% is over %.6g %%",
                 e->platform, e->table, errors->metric, errors->mape, limit);
    code = SLOE_EXIT_NO;
  }
  if (known) return code;
  sloe_cli_say(stderr, "sloe: %s on %s: the mean error is unknown: --max-mape cannot be checked",
               e->platform, e->table);
  return SLOE_EXIT_INPUT;
}

/* ---- the command ---- */

static sloe_exit evaluate_one(evaluations *e, const sloe_evaluate_options *options,
                              const sloe_platform *platform, sloe_cli_watch *watch,
                              sloe_status *status) {
  sloe_error err = {0};
  *status = e->lab->evaluate(options, platform, &watch->watch, &e->of[e->n], &err);
  sloe_cli_watch_end(watch);
  if (*status != SLOE_OK) return sloe_cli_failed(options->table, *status, &err);
  e->n++;
  return SLOE_EXIT_YES;
}

/* Every table on each platform that can be opened. */
static sloe_exit evaluate_all(evaluations *e, const sloe_args *args,
                              sloe_evaluate_options *options) {
  sloe_exit code = SLOE_EXIT_YES;
  sloe_status status = SLOE_OK;
  sloe_cli_watch watch;
  sloe_cli_watch_begin(&watch, 0);
  for (size_t j = 0; j < e->n_platforms; j++) {
    const char *name = sloe_args_nth(args, SLOE_OPT_PLATFORM, j);
    code = sloe_cli_worse(code, sloe_cli_open_platform(name, &e->platforms[j]));
  }
  for (size_t i = 0; i < args->n_operands; i++) {
    options->table = args->operands[i];
    for (size_t j = 0; j < e->n_platforms && status != SLOE_STOPPED; j++)
      if (e->platforms[j])
        code = sloe_cli_worse(code, evaluate_one(e, options, e->platforms[j], &watch, &status));
  }
  return code;
}

static sloe_exit answer(const evaluations *e, const sloe_report_options *report, double max_mape) {
  sloe_error err = {0};
  char *text;
  if (!e->n) return SLOE_EXIT_YES;
  for (size_t i = 0; report->format != SLOE_FORMAT_TABLE && i < e->n; i++)
    for (size_t k = 0; k < e->of[i]->n_warnings; k++)
      sloe_cli_warn(e->of[i]->table, e->of[i]->warnings[k]);
  sloe_status status =
      sloe_report_evaluations((const sloe_evaluation *const *)e->of, e->n, report, &text, &err);
  sloe_exit code = status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
  for (size_t i = 0; max_mape > 0 && i < e->n; i++)
    code = sloe_cli_worse(code, hold(e->of[i], max_mape));
  return code;
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_evaluate_options *options, double *max_mape) {
  const char *method = sloe_args_value(args, SLOE_OPT_METHOD);
  sloe_error err;
  *max_mape = 0;
  *options = (sloe_evaluate_options){.by = sloe_args_value(args, SLOE_OPT_BY),
                                     .predictions = sloe_args_value(args, SLOE_OPT_PREDICTIONS),
                                     .raw = sloe_args_has(args, SLOE_OPT_RAW),
                                     .models = sloe_args_has(args, SLOE_OPT_MODELS),
                                     .method = SLOE_METHOD_AUTO};
  sloe_exit code = sloe_args_report(args, report);
  if (!code && method && sloe_method_parse(method, &options->method, &err) != SLOE_OK)
    code = sloe_cli_mistake(args->command, "%s", err.msg);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_MAX_MAPE, max_mape);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_PLATFORM, SLOE_PLATFORM_HINT);
  if (!code && options->models && options->by)
    code = sloe_cli_mistake(args->command, "--models and --by are two groupings");
  if (!code && options->predictions &&
      (args->n_operands > 1 || sloe_args_count(args, SLOE_OPT_PLATFORM) > 1))
    code = sloe_cli_mistake(args->command, "--predictions is of one TABLE on one PLATFORM");
  return code;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_evaluate_options options;
  double max_mape;
  evaluations e = {.n = 0};
  sloe_exit code = read_options(args, &report, &options, &max_mape);
  if (!code) code = sloe_cli_lab(&e.lab);
  if (code) return code;
  e.n_platforms = sloe_args_count(args, SLOE_OPT_PLATFORM);
  e.platforms = sloe_cli_alloc(e.n_platforms, sizeof *e.platforms);
  size_t pairs = args->n_operands * e.n_platforms;
  e.of = sloe_cli_alloc(pairs, sizeof *e.of);
  report.list = pairs > 1;
  code = evaluate_all(&e, args, &options);
  code = sloe_cli_worse(code, answer(&e, &report, max_mape));
  evaluations_fini(&e);
  return code;
}

const sloe_command sloe_cmd_evaluate = {
    .name = "evaluate",
    .operands = "TABLE... -p PLATFORM...",
    .summary = "errors of platforms against measurement tables",
    .details =
        "A TABLE is a measurement table, CSV or .csv.gz, of networks or single layers. Rows of "
        "another\nquality than ok, and those that cannot be answered, are left out and counted. "
        "Measured times are\nscaled by the reference layer's time then and the platform's, unless "
        "--raw is given.\n",
    .options = SLOE_OPTION_BIT(PLATFORM) | SLOE_OPTION_BIT(BY) | SLOE_OPTION_BIT(METHOD) |
               SLOE_OPTION_BIT(MODELS) | SLOE_OPTION_BIT(RAW) | SLOE_OPTION_BIT(PREDICTIONS) |
               SLOE_OPTION_BIT(MAX_MAPE) | SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
