#include <string.h>

#include "cli.h"

static void print_options(const sloe_command *command) {
  for (size_t i = 0; i < SLOE_OPT_COUNT; i++)
    if (i == SLOE_OPT_HELP || (command->options >> i & 1)) printf(" --%s", sloe_options[i].name);
}

/* The first words of all commands, each once. */
static void print_first_words(void) {
  const char *last = "";
  for (size_t i = 0; sloe_commands[i]; i++) {
    const char *name = sloe_commands[i]->name;
    size_t len = strcspn(name, " ");
    if (strlen(last) < len || strncmp(last, name, len)) printf(" %.*s", (int)len, name);
    last = name;
  }
}

/* "    --format) COMPREPLY=... ;;" for each option that takes one of a few words. */
static void print_choices(void) {
  for (size_t i = 0; i < SLOE_OPT_COUNT; i++) {
    const char *takes = sloe_options[i].takes;
    if (!strchr(takes, '|')) continue;
    printf("    --%s) COMPREPLY=($(compgen -W \"", sloe_options[i].name);
    for (; *takes; takes++) putchar(*takes == '|' ? ' ' : *takes);
    printf("\" -- \"$word\")); return ;;\n");
  }
}

static sloe_exit run(const sloe_args *args) {
  if (strcmp(args->operands[0], "bash"))
    return sloe_cli_mistake(args->command, "shell '%s' is none of bash", args->operands[0]);
  printf(
      "# bash completion of sloe: source <(sloe completion bash)\n"
      "_sloe_platforms() { sloe platform list --format csv 2>/dev/null | tail -n +2 | "
      "cut -d, -f1; }\n"
      "_sloe() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options\n"
      "  local command=${COMP_WORDS[1]}\n"
      "  [ \"$command\" = platform ] && command=\"platform ${COMP_WORDS[2]}\"\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"");
  print_first_words();
  printf(
      " --help --version\" -- \"$word\")); return\n  fi\n"
      "  if [ \"$COMP_CWORD\" = 2 ] && [ \"${COMP_WORDS[1]}\" = platform ]; then\n"
      "    COMPREPLY=($(compgen -W \"");
  for (size_t i = 0; sloe_commands[i]; i++)
    if (!strncmp(sloe_commands[i]->name, "platform ", 9)) printf("%s ", sloe_commands[i]->name + 9);
  printf("\" -- \"$word\")); return\n  fi\n  case \"$command\" in\n");
  for (size_t i = 0; sloe_commands[i]; i++) {
    printf("    \"%s\") options=\"", sloe_commands[i]->name);
    print_options(sloe_commands[i]);
    printf("\" ;;\n");
  }
  printf(
      "  esac\n"
      "  case \"$before\" in\n"
      "    -p|--platform|show|export|check)\n"
      "      COMPREPLY=($(compgen -W \"$(_sloe_platforms)\" -f -- \"$word\")); return ;;\n");
  print_choices();
  printf(
      "  esac\n"
      "  case \"$word\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -X '!*.onnx' -- \"$word\") $(compgen -d -- \"$word\")) ;;\n"
      "  esac\n"
      "}\n"
      "complete -o filenames -F _sloe sloe\n");
  return sloe_cli_flush();
}

const sloe_command sloe_cmd_completion = {
    .name = "completion",
    .operands = "bash",
    .summary = "a completion script for the shell: source <(sloe completion bash)",
    .details = "",
    .options = 0,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
