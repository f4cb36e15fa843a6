#include "cli.h"

static sloe_exit answer_list(const sloe_platform_list *list, const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  sloe_exit code = SLOE_EXIT_YES;
  for (size_t i = 0; i < sloe_platform_list_warning_count(list); i++) {
    sloe_cli_warn(NULL, sloe_platform_list_warning(list, i));
    code = SLOE_EXIT_INPUT;
  }
  sloe_status status = sloe_report_platforms(list, report, &text, &err);
  return sloe_cli_worse(
      code, status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err));
}

static sloe_exit run_list(const sloe_args *args) {
  sloe_report_options report;
  sloe_folders folders;
  sloe_platform_list *list;
  sloe_error err = {0};
  sloe_exit code = sloe_args_report(args, &report);
  if (!code) code = sloe_folders_init(&folders);
  if (code) return code;
  sloe_status status = sloe_platform_list_new(&folders.search, &list, &err);
  if (status == SLOE_OK)
    code = answer_list(list, &report);
  else
    code = sloe_cli_failed(NULL, status, &err);
  if (status == SLOE_OK && !sloe_platform_list_count(list)) {
    fputs("sloe: no platform in any of:\n", stderr);
    for (size_t i = 0; i < folders.search.n_dirs; i++)
      sloe_cli_say(stderr, "  %s", folders.search.dirs[i]);
  }
  sloe_platform_list_free(list);
  sloe_folders_fini(&folders);
  return code;
}

static sloe_exit answer_one(const char *name, const sloe_report_options *report) {
  sloe_platform *platform;
  sloe_error err = {0};
  char *text;
  sloe_exit code = sloe_cli_open_platform(name, &platform);
  if (code) return code;
  sloe_status status = sloe_report_platform(platform, report, &text, &err);
  code = status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(name, status, &err);
  sloe_platform_free(platform);
  return code;
}

static sloe_exit run_show(const sloe_args *args) {
  sloe_report_options report;
  sloe_exit code = sloe_args_report(args, &report);
  return code ? code : answer_one(args->operands[0], &report);
}

static sloe_exit run_export(const sloe_args *args) {
  sloe_report_options report;
  sloe_exit code = sloe_args_report(args, &report);
  if (code) return code;
  if (!sloe_args_has(args, SLOE_OPT_FORMAT)) report.format = SLOE_FORMAT_JSON;
  if (report.format == SLOE_FORMAT_TABLE)
    return sloe_cli_mistake(args->command,
                            "an export is json or csv; 'sloe platform show' is for "
                            "reading");
  return answer_one(args->operands[0], &report);
}

static sloe_exit run_check(const sloe_args *args) {
  sloe_exit code = SLOE_EXIT_YES;
  for (size_t i = 0; i < args->n_operands; i++) {
    sloe_platform *platform;
    sloe_exit one = sloe_cli_open_platform(args->operands[i], &platform);
    code = sloe_cli_worse(code, one);
    if (one) continue;
    const sloe_card *card = sloe_platform_card(platform);
    sloe_cli_say(stdout, "%s: ok: %s, %s", args->operands[i], card->name,
                 sloe_source_name(card->source));
    sloe_platform_free(platform);
  }
  return sloe_cli_worse(code, sloe_cli_flush());
}

const sloe_command sloe_cmd_platform_list = {
    .name = "platform list",
    .operands = "",
    .summary = "every platform that can be named, '*' at the board's default power mode",
    .details = "",
    .options = SLOE_OPTION_BIT(FORMAT),
    .run = run_list,
};

const sloe_command sloe_cmd_platform_show = {
    .name = "platform show",
    .operands = "PLATFORM",
    .summary = "what is known of a platform and where it comes from",
    .details = "",
    .options = SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_show,
};

const sloe_command sloe_cmd_platform_export = {
    .name = "platform export",
    .operands = "PLATFORM",
    .summary = "a platform with all its parameters, for other programs",
    .details = "The format is json unless --format csv is given.\n",
    .options = SLOE_OPTION_BIT(FORMAT),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_export,
};

const sloe_command sloe_cmd_platform_check = {
    .name = "platform check",
    .operands = "PLATFORM...",
    .summary = "reads platform files and says whether they are whole",
    .details = "Exit code 3 where one of them is not, with the line and the byte on stderr.\n",
    .options = 0,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run_check,
};
