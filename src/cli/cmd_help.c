#include "cli.h"

/* `sloe help`, `sloe help info`, `sloe help platform list`, `sloe help platform` */
static sloe_exit run(const sloe_args *args) {
  int words;
  char **argv = (char **)args->operands;
  if (!args->n_operands) {
    sloe_help_print(stdout, NULL);
    return sloe_cli_flush();
  }
  const sloe_command *command = sloe_cli_find((int)args->n_operands, argv, &words);
  if (command && (size_t)words == args->n_operands) {
    sloe_help_print(stdout, command);
    return sloe_cli_flush();
  }
  if (args->n_operands == 1 && sloe_help_print_group(stdout, argv[0])) return sloe_cli_flush();
  return sloe_cli_mistake(NULL, "no command '%s%s%s'", argv[0], args->n_operands > 1 ? " " : "",
                          args->n_operands > 1 ? argv[1] : "");
}

const sloe_command sloe_cmd_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = "what a command does and takes",
    .details = "",
    .options = 0,
    .min_operands = 0,
    .max_operands = 2,
    .run = run,
};
