#include "cli.h"

static sloe_exit answer(const sloe_split_options *o, const sloe_split_summary *s,
                        const sloe_report_options *report) {
#define COUNT(key, label, value) \
  { key, label, NULL, SLOE_FACT_COUNT, NULL, (int64_t)(value), 0 }
#define TEXT(key, label, value) \
  { key, label, NULL, SLOE_FACT_TEXT, value, 0, 0 }
  const sloe_fact facts[] = {
      TEXT("table", NULL, o->table),
      TEXT("by", "by", o->by),
      TEXT("train", "to learn from", o->train),
      COUNT("train_rows", "rows", s->train_rows),
      COUNT("train_nets", "networks", s->train_nets),
      TEXT("test", "to test on", o->test),
      COUNT("test_rows", "rows", s->test_rows),
      COUNT("test_nets", "networks", s->test_nets),
  };
#undef COUNT
#undef TEXT
  sloe_error err = {0};
  char *text;
  sloe_status status = sloe_report_facts("sloe/split/1", o->table, facts,
                                         sizeof facts / sizeof *facts, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_split_options *options) {
  int64_t seed = 0;
  *options = (sloe_split_options){.table = args->operands[0],
                                  .test = args->operands[1],
                                  .train = sloe_args_value(args, SLOE_OPT_OUT),
                                  .by = sloe_args_value(args, SLOE_OPT_SPLIT_BY)};
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_SEED, INT64_MAX, &seed);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_TEST, &options->share);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_OUT, "the table to learn from");
  if (!code && options->share >= 1)
    code = sloe_cli_mistake(args->command, "--test %g: a share below 1 is needed", options->share);
  if (!options->by) options->by = "random";
  options->seed = (uint64_t)seed;
  return code;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_split_options options;
  sloe_split_summary summary;
  const sloe_lab *lab;
  sloe_error err = {0};
  sloe_exit code = read_options(args, &report, &options);
  if (!code) code = sloe_cli_lab(&lab);
  if (code) return code;
  const sloe_status status = lab->split(&options, &summary, &err);
  return status == SLOE_OK ? answer(&options, &summary, &report)
                           : sloe_cli_failed(options.table, status, &err);
}

const sloe_command sloe_cmd_split = {
    .name = "split",
    .operands = "TABLE TEST -o TRAIN",
    .summary = "a measurement table in two, to learn from and to test on",
    .details =
        "By random, or with the rows for testing in which COLUMN has VALUE (--by split=test, --by "
        "family=resnet).\nAll rows of one network go the same way. Every column is kept; names "
        "that end in .gz are compressed.\n",
    .options = SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(SPLIT_BY) | SLOE_OPTION_BIT(TEST) |
               SLOE_OPTION_BIT(SEED) | SLOE_OPTION_BIT(FORMAT),
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
