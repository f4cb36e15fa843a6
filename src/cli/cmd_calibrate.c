#include <string.h>

#include "cli.h"

static sloe_exit calibrate(const sloe_lab *lab, const sloe_calibrate_options *options,
                           const sloe_report_options *report) {
  sloe_training *told;
  sloe_error err = {0};
  sloe_cli_watch watch;
  char *text;
  sloe_cli_watch_begin(&watch, 0);
  sloe_status status = lab->calibrate(options, &watch.watch, &told, &err);
  sloe_cli_watch_end(&watch);
  if (status == SLOE_STOPPED) {
    sloe_cli_say(stderr, "sloe: stopped");
    return SLOE_EXIT_NO;
  }
  if (status != SLOE_OK) return sloe_cli_failed(options->table, status, &err);
  status = sloe_report_training(told, report, &text, &err);
  lab->calibration_free(told);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

/* --set KEY=TEXT */
static sloe_exit read_set(const sloe_args *args, sloe_calibrate_options *options) {
  for (size_t i = 0; i < sloe_args_count(args, SLOE_OPT_SET); i++) {
    const char *given = sloe_args_nth(args, SLOE_OPT_SET, i);
    if (!strncmp(given, "device=", 7))
      options->device = given + 7;
    else if (!strncmp(given, "title=", 6))
      options->title = given + 6;
    else if (!strncmp(given, "notes=", 6))
      options->notes = given + 6;
    else
      return sloe_cli_mistake(args->command, "--set '%s': device=, title= or notes= is needed",
                              given);
  }
  return SLOE_EXIT_YES;
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_calibrate_options *options) {
  int64_t seed = 0;
  *options = (sloe_calibrate_options){.table = args->operands[0],
                                      .prior = sloe_args_value(args, SLOE_OPT_PLATFORM),
                                      .out = sloe_args_value(args, SLOE_OPT_OUT)};
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = read_set(args, options);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_SEED, INT64_MAX, &seed);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_PLATFORM, SLOE_PLATFORM_HINT);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_OUT, "the platform file to write");
  if (!code && sloe_args_count(args, SLOE_OPT_PLATFORM) > 1)
    code = sloe_cli_mistake(args->command, "one PRIOR is calibrated at a time");
  options->seed = (uint64_t)seed;
  return code;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_calibrate_options options;
  sloe_folders folders;
  const sloe_lab *lab;
  sloe_exit code = read_options(args, &report, &options);
  if (code) return code;
  code = sloe_folders_init(&folders);
  options.search = &folders.search;
  if (!code) code = sloe_cli_lab(&lab);
  if (!code) code = calibrate(lab, &options, &report);
  sloe_folders_fini(&folders);
  return code;
}

const sloe_command sloe_cmd_calibrate = {
    .name = "calibrate",
    .operands = "TABLE -p PRIOR -o PLATFORM",
    .summary = "corrects a platform by a few measured networks",
    .details =
        "TABLE has three networks at least. Of a data sheet the layers learn what its peaks do not "
        "say; of a\nplatform that was measured or learned, another board's say, each metric gets a "
        "factor. The errors told\nare of PRIOR as it was and of each network by what was learned "
        "without it.\n",
    .options = SLOE_OPTION_BIT(PLATFORM) | SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(SET) |
               SLOE_OPTION_BIT(SEED) | SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
