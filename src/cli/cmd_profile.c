#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define TEXT(key, label, value) \
  { key, label, NULL, SLOE_FACT_TEXT, value, 0, 0 }
#define COUNT(key, label, value) \
  { key, label, NULL, SLOE_FACT_COUNT, NULL, (int64_t)(value), 0 }
#define NUMBER(key, label, unit, value) \
  { key, label, unit, SLOE_FACT_NUMBER, NULL, 0, value }
#define FLAG(key, label, value) \
  { key, label, NULL, SLOE_FACT_FLAG, NULL, value, 0 }

/* A table has no row of what has no label: a plan's own rows, and those of what was measured. */
static const char *of_plan(const sloe_profile_options *options, const char *label) {
  return options->plan_only ? label : NULL;
}

static const char *of_profile(const sloe_profile_options *options, const char *label) {
  return options->plan_only ? NULL : label;
}

static const char *of_fit(const sloe_profile_options *options, const char *label) {
  return options->no_fit ? NULL : of_profile(options, label);
}

/* Two figures are enough of a guess: "50 s", "35 min", "29 h"; "": not known. */
static const char *how_long(double seconds, char buf[32]) {
  if (!(seconds > 0)) return "";
  if (seconds < 100)
    snprintf(buf, 32, "%.0f s", ceil(seconds));
  else if (seconds < 100 * 60)
    snprintf(buf, 32, "%.0f min", seconds / 60);
  else
    snprintf(buf, 32, "%.0f h", seconds / 3600);
  return buf;
}

static sloe_exit answer(const sloe_profile_options *options, const sloe_profile_summary *s,
                        const sloe_report_options *report) {
  char time[32];
  const sloe_fact facts[] = {
      TEXT("backend", "backend", options->backend),
      TEXT("platform_file", options->no_fit ? NULL : "platform file",
           options->no_fit ? NULL : options->out),
      TEXT("db", "samples", options->db),
      FLAG("plan_only", NULL, options->plan_only != 0),
      FLAG("complete", of_profile(options, "complete"), options->plan_only ? -1 : s->complete != 0),
      COUNT("points", "points", s->points),
      COUNT("plan_lines", of_plan(options, "lines"), s->plan_lines),
      COUNT("plan_design", of_plan(options, "of the design"), s->plan_design),
      COUNT("plan_held_out", of_plan(options, "held out, twice"), s->plan_held_out),
      COUNT("plan_networks", of_plan(options, "networks"), s->plan_networks),
      NUMBER("plan_s", NULL, "s", s->plan_s),
      TEXT("plan_time", of_plan(options, "takes about"), how_long(s->plan_s, time)),
      COUNT("points_measured", of_profile(options, "measured now"), s->points_measured),
      COUNT("points_reused", of_profile(options, "measured before"), s->points_reused),
      COUNT("points_refused", of_profile(options, "refused"), s->points_refused),
      COUNT("heldout_layers", of_profile(options, "held-out layers"), s->heldout_layers),
      COUNT("heldout_networks", of_profile(options, "held-out nets"), s->heldout_networks),
      NUMBER("seconds", of_profile(options, "took"), "s", s->seconds),
      NUMBER("layer_rmspe", of_fit(options, "layers, RMSPE"), "%", s->layer_rmspe),
      NUMBER("layer_mape", of_fit(options, "mean error"), "%", s->layer_mape),
      NUMBER("layer_max_ape", of_fit(options, "worst"), "%", s->layer_max_ape),
      NUMBER("network_mape", of_fit(options, "nets, mean error"), "%", s->network_mape),
      NUMBER("network_max_ape", of_fit(options, "worst"), "%", s->network_max_ape),
  };
  sloe_error err = {0};
  char *text;
  sloe_status status = sloe_report_facts("sloe/profile/1", options->backend, facts,
                                         sizeof facts / sizeof *facts, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_profile_options *options) {
  int64_t seed = 0;
  *options = (sloe_profile_options){.backend = sloe_args_value(args, SLOE_OPT_BACKEND),
                                    .out = sloe_args_value(args, SLOE_OPT_OUT),
                                    .db = sloe_args_value(args, SLOE_OPT_DB),
                                    .proposals = sloe_args_value(args, SLOE_OPT_PROPOSALS),
                                    .only = sloe_args_value(args, SLOE_OPT_ONLY),
                                    .plan_only = sloe_args_has(args, SLOE_OPT_PLAN),
                                    .no_fit = sloe_args_has(args, SLOE_OPT_NO_FIT)};
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = sloe_args_duration(args, SLOE_OPT_BUDGET, &options->budget_s);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_SEED, INT64_MAX, &seed);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_MAX_GFLOP, &options->max_gflop);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_MAX_BATCH, 65536, &options->max_batch);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_MORE, 1000000, &options->more);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_BACKEND, SLOE_BACKEND_HINT);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_OUT, "it names the platform file to write");
  options->seed = (uint64_t)seed;
  return code;
}

static sloe_exit profile(const sloe_profile_options *options, const sloe_report_options *report) {
  const sloe_lab *lab;
  sloe_profile_summary summary = {0};
  sloe_error err = {0};
  sloe_cli_watch watch;
  sloe_exit code = sloe_cli_lab(&lab);
  if (code) return code;
  sloe_cli_watch_begin(&watch, 1);
  sloe_status status = lab->profile(options, &watch.watch, &summary, &err);
  sloe_cli_watch_end(&watch);
  if (status == SLOE_STOPPED) {
    sloe_cli_say(stderr, "sloe: stopped; run the same command to go on");
    return SLOE_EXIT_NO;
  }
  if (status != SLOE_OK) return sloe_cli_failed(options->backend, status, &err);
  if (!summary.complete && !options->plan_only)
    sloe_cli_warn(NULL, "the budget ran out first; run the same command to go on");
  return answer(options, &summary, report);
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_profile_options options;
  sloe_exit code = read_options(args, &report, &options);
  if (code) return code;
  char *db = options.db ? NULL : sloe_cli_store_of(options.out);
  if (db) options.db = db;
  code = profile(&options, &report);
  free(db);
  return code;
}

const sloe_command sloe_cmd_profile = {
    .name = "profile",
    .operands = "-b BACKEND -o P.sloe",
    .summary = "measures layers of a device and fits a platform to them",
    .details =
        "Chooses layers, times each, fits step and linear functions and writes the platform file, "
        "with the\nerrors on layers and networks that the fit never saw. Every sample goes into "
        "the store at once:\nafter an interrupt (exit code 1), a kill or the end of the budget the "
        "same command goes on.\n",
    .options = SLOE_OPTION_BIT(BACKEND) | SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(DB) |
               SLOE_OPTION_BIT(BUDGET) | SLOE_OPTION_BIT(PLAN) | SLOE_OPTION_BIT(NO_FIT) |
               SLOE_OPTION_BIT(SEED) | SLOE_OPTION_BIT(ONLY) | SLOE_OPTION_BIT(MAX_GFLOP) |
               SLOE_OPTION_BIT(MAX_BATCH) | SLOE_OPTION_BIT(MORE) | SLOE_OPTION_BIT(PROPOSALS) |
               SLOE_OPTION_BIT(FORMAT),
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};
