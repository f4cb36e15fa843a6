#include <math.h>
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

static sloe_exit report_facts(const sloe_fact *facts, size_t n, const char *plan,
                              const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  sloe_status status = sloe_report_facts("sloe/collect/1", plan, facts, n, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

/* A label that is not shown where there is nothing to say. */
static const char *label_if(int shown, const char *label) {
  return shown ? label : NULL;
}

static sloe_exit answer(const sloe_collect_options *o, const sloe_collect_summary *s,
                        const sloe_report_options *report) {
  const int measured = !o->plan_only;
  const sloe_fact facts[] = {
      TEXT("plan", NULL, o->plan),
      TEXT("backend", label_if(measured, "backend"), o->backend),
      TEXT("db", label_if(measured, "samples"), o->db),
      TEXT("table", label_if(measured && o->out, "table"), o->out),
      FLAG("plan_only", NULL, o->plan_only),
      FLAG("complete", label_if(measured, "complete"), o->plan_only ? -1 : s->complete),
      COUNT("networks", "networks", s->networks),
      COUNT("for_test", "for testing", s->for_test),
      COUNT("to_repeat", label_if(!measured, "to be repeated"), s->to_repeat),
      COUNT("measured", label_if(measured, "measured now"), s->measured),
      COUNT("reused", label_if(measured, "known before"), s->reused),
      COUNT("short", label_if(measured, "below 1 ms"), s->is_short),
      COUNT("skipped", label_if(measured, "skipped"), s->skipped),
      COUNT("repeated", label_if(measured, "repeated"), s->repeated),
      NUMBER("latency_noise", label_if(!isnan(s->latency_noise), "latency, noise"), "%",
             s->latency_noise),
      NUMBER("power_noise", label_if(!isnan(s->power_noise), "power, noise"), "%", s->power_noise),
      NUMBER("memory_noise", label_if(!isnan(s->memory_noise), "memory, noise"), "%",
             s->memory_noise),
      NUMBER("seconds", label_if(measured, "took"), "s", s->seconds),
  };
  return report_facts(facts, sizeof facts / sizeof *facts, o->plan, report);
}

/* --plan: how much would be measured; as CSV, what. */
static sloe_exit answer_plan(const sloe_lab *lab, const sloe_collect_options *options,
                             const sloe_report_options *report) {
  sloe_collect_summary summary;
  sloe_error err = {0};
  char *text;
  sloe_status status;
  if (report->format == SLOE_FORMAT_CSV) {
    status = lab->collect_plan(options, &text, &err);
    return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
  }
  status = lab->collect(options, NULL, &summary, &err);
  return status == SLOE_OK ? answer(options, &summary, report)
                           : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit collect(const sloe_lab *lab, const sloe_collect_options *options,
                         const sloe_report_options *report) {
  sloe_collect_summary summary;
  sloe_error err = {0};
  sloe_cli_watch watch;
  sloe_cli_watch_begin(&watch, 1);
  sloe_status status = lab->collect(options, &watch.watch, &summary, &err);
  sloe_cli_watch_end(&watch);
  if (status == SLOE_STOPPED) {
    sloe_cli_say(stderr, "sloe: stopped; run the same command to go on");
    return SLOE_EXIT_NO;
  }
  if (status != SLOE_OK) return sloe_cli_failed(options->backend, status, &err);
  if (!summary.complete)
    sloe_cli_warn(NULL, "the budget ran out first; run the same command to go on");
  return answer(options, &summary, report);
}

/* "2/5" */
static sloe_exit read_share(const sloe_args *args, sloe_collect_options *options) {
  const char *text = sloe_args_value(args, SLOE_OPT_SHARE);
  if (!text) return SLOE_EXIT_YES;
  const size_t len = strcspn(text, "/");
  const int64_t share = sloe_cli_whole(text, len);
  const int64_t shares = text[len] ? sloe_cli_whole(text + len + 1, strlen(text + len + 1)) : 0;
  if (!share || !shares || share > shares)
    return sloe_cli_mistake(args->command,
                            "--share '%s': 1/5 to 5/5, the I-th of N shares, is needed", text);
  options->share = (size_t)share;
  options->shares = (size_t)shares;
  return SLOE_EXIT_YES;
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_collect_options *options) {
  int64_t seed = 0, count = 0, runs = 0;
  *options = (sloe_collect_options){.plan = args->operands[0],
                                    .backend = sloe_args_value(args, SLOE_OPT_BACKEND),
                                    .db = sloe_args_value(args, SLOE_OPT_DB),
                                    .out = sloe_args_value(args, SLOE_OPT_OUT),
                                    .families = sloe_args_value(args, SLOE_OPT_FAMILIES),
                                    .sizes = sloe_args_value(args, SLOE_OPT_SIZES),
                                    .plan_only = sloe_args_has(args, SLOE_OPT_PLAN)};
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = sloe_args_duration(args, SLOE_OPT_BUDGET, &options->budget_s);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_SEED, INT64_MAX, &seed);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_NETS, INT64_MAX, &count);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_RUNS, INT32_MAX, &runs);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_SECONDS, &options->seconds);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_MAX_GFLOP, &options->max_gflop);
  if (!code) code = read_share(args, options);
  if (!code && !options->plan_only)
    code = sloe_args_needs(args, SLOE_OPT_BACKEND, SLOE_BACKEND_HINT);
  if (!code && !options->plan_only && !options->db && !options->out)
    code = sloe_cli_mistake(args->command,
                            "--db FILE or -o TABLE is missing; FILE is the store of "
                            "all samples, TABLE what comes out");
  options->seed = (uint64_t)seed;
  options->count = (size_t)count;
  options->runs = (int32_t)runs;
  return code;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_collect_options options;
  const sloe_lab *lab;
  sloe_exit code = read_options(args, &report, &options);
  if (!code) code = sloe_cli_lab(&lab);
  if (code) return code;
  if (options.plan_only) return answer_plan(lab, &options, &report);
  char *db = options.db ? NULL : sloe_cli_store_of(options.out);
  if (db) options.db = db;
  code = collect(lab, &options, &report);
  free(db);
  return code;
}

const sloe_command sloe_cmd_collect = {
    .name = "collect",
    .operands = "PLAN -b BACKEND",
    .summary = "measures whole networks of a plan: a table to learn from",
    .details =
        "PLAN is nis (known networks at many image sizes), ncv (their variants), nca (random "
        "networks) or a\ntable with a column net. Takes time, memory and power of each, one in "
        "twenty a second time, in an\norder of which any beginning is a fair sample. Every sample "
        "goes into the store at once: after an\ninterrupt (exit code 1), a kill or the end of the "
        "budget the same command goes on. -o writes the\nmeasurement table; --plan --format csv "
        "lists the networks.\n",
    .options = SLOE_OPTION_BIT(BACKEND) | SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(DB) |
               SLOE_OPTION_BIT(BUDGET) | SLOE_OPTION_BIT(PLAN) | SLOE_OPTION_BIT(NETS) |
               SLOE_OPTION_BIT(FAMILIES) | SLOE_OPTION_BIT(SIZES) | SLOE_OPTION_BIT(SHARE) |
               SLOE_OPTION_BIT(RUNS) | SLOE_OPTION_BIT(SECONDS) | SLOE_OPTION_BIT(MAX_GFLOP) |
               SLOE_OPTION_BIT(SEED) | SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
