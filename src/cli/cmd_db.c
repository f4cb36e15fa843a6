#include "cli.h"

static sloe_exit run_export(const sloe_args *args) {
  const sloe_db_export_options options = {.db = args->operands[0],
                                          .out = sloe_args_value(args, SLOE_OPT_OUT),
                                          .samples = sloe_args_has(args, SLOE_OPT_SAMPLES),
                                          .all = sloe_args_has(args, SLOE_OPT_ALL),
                                          .runs = sloe_args_has(args, SLOE_OPT_RECORDING)};
  const sloe_lab *lab;
  sloe_error err = {0};
  char *text;
  sloe_exit code = sloe_cli_lab(&lab);
  if (code) return code;
  sloe_status status = lab->db_export(&options, &text, &err);
  if (status != SLOE_OK) return sloe_cli_failed(options.db, status, &err);
  return text ? sloe_cli_answer(text) : SLOE_EXIT_YES;
}

static sloe_exit answer(const char *schema, const char *title, const sloe_fact *facts, size_t n,
                        const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  sloe_status status = sloe_report_facts(schema, title, facts, n, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit run_merge(const sloe_args *args) {
  const char *into = args->operands[0];
  const sloe_lab *lab;
  sloe_report_options report;
  sloe_error err = {0};
  int64_t added;
  sloe_exit code = sloe_args_report(args, &report);
  if (!code) code = sloe_cli_lab(&lab);
  if (code) return code;
  sloe_status status = lab->db_merge(into, args->operands + 1, args->n_operands - 1, &added, &err);
  if (status != SLOE_OK) return sloe_cli_failed(into, status, &err);
  const sloe_fact facts[] = {
      {.key = "file", .type = SLOE_FACT_TEXT, .text = into},
      {.key = "merged", .type = SLOE_FACT_COUNT, .count = (int64_t)args->n_operands - 1},
      {"added_samples", "added", "samples", SLOE_FACT_COUNT, NULL, added, 0}};
  return answer("sloe/db-merge/1", into, facts, sizeof facts / sizeof *facts, &report);
}

static sloe_exit answer_info(const char *path, const sloe_db_info *info,
                             const sloe_report_options *report) {
  const struct {
    const char *key, *text;
  } names[] = {{"file", path},
               {"device", info->device},
               {"runtime", info->runtime},
               {"runtime_version", info->version},
               {"precision", info->precision},
               {"mode", info->mode}};
  const struct {
    const char *key;
    int64_t count;
  } counts[] = {
      {"campaigns", info->campaigns}, {"visits", info->visits},   {"points", info->points},
      {"done", info->done},           {"open", info->open},       {"skipped", info->skipped},
      {"failed", info->failed},       {"samples", info->samples}, {"runs", info->runs}};
  enum { NAMES = sizeof names / sizeof *names, COUNTS = sizeof counts / sizeof *counts };
  sloe_fact facts[NAMES + COUNTS];
  for (size_t i = 0; i < NAMES; i++)
    facts[i] = (sloe_fact){.key = names[i].key,
                           .label = i ? names[i].key : NULL,
                           .type = SLOE_FACT_TEXT,
                           .text = names[i].text};
  for (size_t i = 0; i < COUNTS; i++)
    facts[NAMES + i] = (sloe_fact){.key = counts[i].key,
                                   .label = counts[i].key,
                                   .type = SLOE_FACT_COUNT,
                                   .count = counts[i].count};
  return answer("sloe/db-info/1", path, facts, NAMES + COUNTS, report);
}

static sloe_exit run_info(const sloe_args *args) {
  const sloe_lab *lab;
  sloe_report_options report;
  sloe_db_info info;
  sloe_error err = {0};
  sloe_exit code = sloe_args_report(args, &report);
  if (!code) code = sloe_cli_lab(&lab);
  if (code) return code;
  sloe_status status = lab->db_info(args->operands[0], &info, &err);
  if (status != SLOE_OK) return sloe_cli_failed(args->operands[0], status, &err);
  return answer_info(args->operands[0], &info, &report);
}

const sloe_command sloe_cmd_db_export = {
    .name = "db export",
    .operands = "FILE",
    .summary = "the measurement table of a store, as CSV",
    .details =
        "To stdout, or to the file of -o, compressed where its name ends in .gz. A row for each "
        "finished\npoint: a layer or a network. With --recording -b replay:file=FILE answers from "
        "it.\n",
    .options = SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(SAMPLES) | SLOE_OPTION_BIT(ALL) |
               SLOE_OPTION_BIT(RECORDING),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_export,
};

const sloe_command sloe_cmd_db_merge = {
    .name = "db merge",
    .operands = "INTO FROM...",
    .summary = "adds to a store what others hold",
    .details =
        "INTO is made where it is not there. Stores of another device, runtime or precision are "
        "refused;\nwhat is known already is not added again.\n",
    .options = SLOE_OPTION_BIT(FORMAT),
    .min_operands = 2,
    .max_operands = SIZE_MAX,
    .run = run_merge,
};

const sloe_command sloe_cmd_db_info = {
    .name = "db info",
    .operands = "FILE",
    .summary = "what a store holds, and of which device",
    .details = "",
    .options = SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_info,
};
