#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static sloe_exit report_training(const sloe_training *training, const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  for (size_t i = 0; report->format != SLOE_FORMAT_TABLE && i < training->n_warnings; i++)
    sloe_cli_warn(training->table, training->warnings[i]);
  const sloe_status status = sloe_report_training(training, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit train(const sloe_lab *lab, const sloe_train_options *options,
                       const sloe_platform *platform, const sloe_report_options *report) {
  sloe_training *training;
  sloe_error err = {0};
  sloe_cli_watch watch;
  sloe_cli_watch_begin(&watch, 0);
  const sloe_status status = lab->train(options, platform, &watch.watch, &training, &err);
  sloe_cli_watch_end(&watch);
  if (status == SLOE_STOPPED) {
    sloe_cli_say(stderr, "sloe: stopped%s", options->tune ? "; run the same command to go on" : "");
    return SLOE_EXIT_NO;
  }
  if (status != SLOE_OK) return sloe_cli_failed(options->table, status, &err);
  const sloe_exit code = report_training(training, report);
  lab->training_free(training);
  return code;
}

/* ---- options ---- */

/* --set KEY=TEXT */
static sloe_exit read_set(const sloe_args *args, sloe_train_options *options) {
  const char *memory_mb = NULL;
  const struct {
    const char *key;
    const char **text;
  } keys[] = {{"device", &options->device},
              {"runtime", &options->runtime},
              {"title", &options->title},
              {"notes", &options->notes},
              {"memory_mb", &memory_mb}};
  enum { N = sizeof keys / sizeof *keys };
  for (size_t i = 0; i < sloe_args_count(args, SLOE_OPT_SET); i++) {
    const char *given = sloe_args_nth(args, SLOE_OPT_SET, i);
    const size_t len = strcspn(given, "=");
    size_t k = 0;
    while (k < N && (strlen(keys[k].key) != len || memcmp(keys[k].key, given, len) != 0)) k++;
    if (k == N || !given[len])
      return sloe_cli_mistake(args->command,
                              "--set '%s': device=, runtime=, title=, notes= or memory_mb= is "
                              "needed",
                              given);
    *keys[k].text = given + len + 1;
  }
  if (memory_mb && !(options->memory_mb = sloe_cli_decimal(memory_mb, strlen(memory_mb))))
    return sloe_cli_mistake(args->command, "--set memory_mb=%s: a positive number is needed",
                            memory_mb);
  return SLOE_EXIT_YES;
}

static sloe_exit read_log(const sloe_args *args, sloe_train_options *options) {
  const char *log = sloe_args_value(args, SLOE_OPT_LOG);
  if (!log || strcmp(log, "both") == 0) return SLOE_EXIT_YES;
  options->log_power_inputs = strcmp(log, "paper") == 0;
  const int none = strcmp(log, "none") == 0 || options->log_power_inputs;
  options->raw_inputs = none || strcmp(log, "target") == 0;
  options->raw_target = none || strcmp(log, "inputs") == 0;
  if (options->raw_inputs || options->raw_target) return SLOE_EXIT_YES;
  return sloe_cli_mistake(args->command,
                          "--log '%s': both, inputs, target, none or paper is needed", log);
}

static sloe_exit read_reduce(const sloe_args *args, sloe_train_options *options) {
  const char *reduce = sloe_args_value(args, SLOE_OPT_REDUCE);
  if (!reduce || strcmp(reduce, "none") == 0) return SLOE_EXIT_YES;
  const int both = strcmp(reduce, "both") == 0;
  options->memory_ends = both || strcmp(reduce, "sizes") == 0;
  options->memory_inputs = both || strcmp(reduce, "inputs") == 0;
  if (options->memory_ends || options->memory_inputs) return SLOE_EXIT_YES;
  return sloe_cli_mistake(args->command, "--reduce '%s': none, sizes, inputs or both is needed",
                          reduce);
}

/* A whole number into a size. */
static sloe_exit read_size(const sloe_args *args, sloe_option_id id, size_t *out) {
  int64_t value = 0;
  const sloe_exit code = sloe_args_whole(args, id, INT32_MAX, &value);
  *out = (size_t)value;
  return code;
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_train_options *options) {
  int64_t seed = 0, threads = sysconf(_SC_NPROCESSORS_ONLN);
  *options = (sloe_train_options){.table = args->operands[0],
                                  .out = sloe_args_value(args, SLOE_OPT_OUT),
                                  .model = sloe_args_value(args, SLOE_OPT_MODEL),
                                  .features = sloe_args_value(args, SLOE_OPT_INPUTS),
                                  .kinds = sloe_args_value(args, SLOE_OPT_KINDS),
                                  .board = sloe_args_value(args, SLOE_OPT_BOARD),
                                  .tune = sloe_args_has(args, SLOE_OPT_TUNE),
                                  .select = sloe_args_has(args, SLOE_OPT_SELECT)};
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = read_set(args, options);
  if (!code) code = read_log(args, options);
  if (!code) code = read_reduce(args, options);
  if (!code) code = read_size(args, SLOE_OPT_TUNE_ROWS, &options->tune_rows);
  if (!code) code = read_size(args, SLOE_OPT_DRAW, &options->draw);
  if (!code) code = read_size(args, SLOE_OPT_REPEAT, &options->repeat);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_SEED, INT64_MAX, &seed);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_THREADS, 1024, &threads);
  if (!code && options->repeat && !options->draw)
    code = sloe_cli_mistake(args->command, "--repeat is of --draw N");
  if (!code && !options->out && !options->draw)
    code = sloe_args_needs(args, SLOE_OPT_OUT, "the platform file to write");
  options->seed = (uint64_t)seed;
  options->threads = threads > 0 ? (int)threads : 1;
  return code;
}

/* The caller frees them. */
static const char **read_hyper(const sloe_args *args, sloe_train_options *options) {
  const size_t n = sloe_args_count(args, SLOE_OPT_HYPER);
  const char **hyper = sloe_cli_alloc(n, sizeof *hyper);
  for (size_t i = 0; i < n; i++) hyper[i] = sloe_args_nth(args, SLOE_OPT_HYPER, i);
  options->hyper = hyper;
  options->n_hyper = n;
  return hyper;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_train_options options;
  sloe_platform *platform = NULL;
  const sloe_lab *lab;
  const char *into = sloe_args_value(args, SLOE_OPT_INTO);
  sloe_folders folders;
  sloe_exit code = read_options(args, &report, &options);
  if (code) return code;
  code = sloe_folders_init(&folders);
  options.search = &folders.search;
  const char **hyper = read_hyper(args, &options);
  if (!code && into) code = sloe_cli_open_platform(into, &platform);
  if (!code) code = sloe_cli_lab(&lab);
  if (!code) code = train(lab, &options, platform, &report);
  sloe_platform_free(platform);
  sloe_folders_fini(&folders);
  free(hyper);
  return code;
}

const sloe_command sloe_cmd_train = {
    .name = "train",
    .operands = "TABLE -o PLATFORM",
    .summary = "learns time, power and memory of whole networks from a measurement table",
    .details =
        "Every regressor is judged by cross-validation, networks kept together, and by leaving "
        "out kinds of\nnetworks; the best of each metric answers. With --tune their "
        "hyperparameters "
        "are searched first, with\na journal in PLATFORM.tune. With --draw the errors tell what so "
        "few networks are good for: the median\nof the draws, p90 their 90th percentile. With "
        "--into what is learned goes into a copy of a measured\nplatform.\n",
    .options = SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(MODEL) | SLOE_OPTION_BIT(INTO) |
               SLOE_OPTION_BIT(BOARD) | SLOE_OPTION_BIT(HYPER) | SLOE_OPTION_BIT(TUNE) |
               SLOE_OPTION_BIT(TUNE_ROWS) | SLOE_OPTION_BIT(INPUTS) | SLOE_OPTION_BIT(SELECT) |
               SLOE_OPTION_BIT(LOG) | SLOE_OPTION_BIT(REDUCE) | SLOE_OPTION_BIT(KINDS) |
               SLOE_OPTION_BIT(DRAW) | SLOE_OPTION_BIT(REPEAT) | SLOE_OPTION_BIT(SET) |
               SLOE_OPTION_BIT(THREADS) | SLOE_OPTION_BIT(SEED) | SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
