#include <string.h>

#include "cli.h"

static void print_option(FILE *to, const sloe_option *option) {
  char left[64];
  snprintf(left, sizeof left, "%s%c%s--%s%s%s", option->letter ? "-" : " ",
           option->letter ? option->letter : ' ', option->letter ? ", " : "  ", option->name,
           *option->takes ? " " : "", option->takes);
  fprintf(to, "  %-32s  %s%s\n", left, option->help, option->many == 1 ? "; repeatable" : "");
}

static void print_usage(FILE *to, const char *before, const sloe_command *command) {
  fprintf(to, "%ssloe %s%s%s%s\n", before, command->name, *command->operands ? " " : "",
          command->operands, command->options ? " [OPTION...]" : "");
}

static void print_command(FILE *to, const sloe_command *command) {
  print_usage(to, "Usage: ", command);
  fprintf(to, "\n%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
  if (*command->details) fprintf(to, "\n%s", command->details);
  fprintf(to, "\nOptions:\n");
  for (size_t i = 0; i < SLOE_OPT_COUNT; i++)
    if (i == SLOE_OPT_HELP || (command->options >> i & 1)) print_option(to, &sloe_options[i]);
  if (command->options & SLOE_OPTION_BIT(BACKEND)) sloe_cli_print_backends(to, "\nBackends:\n");
}

static void print_summary(FILE *to, const sloe_command *command) {
  char left[64];
  snprintf(left, sizeof left, "%s%s%s", command->name, *command->operands ? " " : "",
           command->operands);
  fprintf(to, "  %-34s  %s\n", left, command->summary);
}

static void print_all(FILE *to) {
  fputs(
      "Usage: sloe COMMAND [ARGUMENT...]\n\n"
      "Tells how fast, how power-hungry and how large a CNN will be on an edge GPU.\n\n"
      "Commands:\n",
      to);
  for (size_t i = 0; sloe_commands[i]; i++) print_summary(to, sloe_commands[i]);
  fputs(
      "\n"
      "  sloe COMMAND --help says what a command takes; sloe --version which sloe this is.\n"
      "  A NET is an ONNX file or zoo:FAMILY,key=value,...; a PLATFORM a platform file or the\n"
      "  name of one; a BACKEND what 'sloe --version' lists.\n\n"
      "Exit codes:\n",
      to);
#define EXIT_LINE(name, value, text) fprintf(to, "  %d  %s\n", value, text);
  SLOE_EXIT_MAP(EXIT_LINE)
#undef EXIT_LINE
}

void sloe_help_print(FILE *to, const sloe_command *command) {
  if (command)
    print_command(to, command);
  else
    print_all(to);
}

int sloe_help_print_group(FILE *to, const char *word) {
  size_t len = strlen(word), n = 0;
  for (size_t i = 0; sloe_commands[i]; i++) {
    if (strncmp(sloe_commands[i]->name, word, len) || sloe_commands[i]->name[len] != ' ') continue;
    if (!n++) fprintf(to, "Usage: sloe %s COMMAND [ARGUMENT...]\n\nCommands:\n", word);
    print_summary(to, sloe_commands[i]);
  }
  return n > 0;
}
