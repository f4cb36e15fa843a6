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

static int is_group(const char *name, size_t len) {
  return name[len] == ' ';
}

/* For each group of commands, once, `fn` with its word. */
static void each_group(void (*fn)(const char *word)) {
  char last[16] = "", word[16];
  for (size_t i = 0; sloe_commands[i]; i++) {
    size_t len = strcspn(sloe_commands[i]->name, " ");
    snprintf(word, sizeof word, "%.*s", (int)len, sloe_commands[i]->name);
    if (is_group(sloe_commands[i]->name, len) && strcmp(word, last)) fn(word);
    memcpy(last, word, sizeof last);
  }
}

static void print_group_case(const char *word) {
  printf("    %s) command=\"%s ${COMP_WORDS[2]}\" ;;\n", word, word);
}

static void print_second_words(const char *word) {
  size_t len = strlen(word);
  printf("      %s) COMPREPLY=($(compgen -W \"", word);
  for (size_t i = 0; sloe_commands[i]; i++)
    if (!strncmp(sloe_commands[i]->name, word, len) && is_group(sloe_commands[i]->name, len))
      printf("%s ", sloe_commands[i]->name + len + 1);
  printf("\" -- \"$word\")); return ;;\n");
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
      "_sloe_backends() { sloe --version 2>/dev/null | sed -n 's/^  \\([a-z0-9]*\\) .*/\\1/p'; }\n"
      "_sloe() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options\n"
      "  local command=${COMP_WORDS[1]}\n"
      "  case \"$command\" in\n");
  each_group(print_group_case);
  printf(
      "  esac\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"");
  print_first_words();
  printf(
      " --help --version\" -- \"$word\")); return\n  fi\n"
      "  if [ \"$COMP_CWORD\" = 2 ]; then\n"
      "    case \"${COMP_WORDS[1]}\" in\n");
  each_group(print_second_words);
  printf("    esac\n  fi\n  case \"$command\" in\n");
  for (size_t i = 0; sloe_commands[i]; i++) {
    printf("    \"%s\") options=\"", sloe_commands[i]->name);
    print_options(sloe_commands[i]);
    printf("\" ;;\n");
  }
  printf(
      "  esac\n"
      "  case \"$before\" in\n"
      "    -p|--platform)\n"
      "      COMPREPLY=($(compgen -W \"$(_sloe_platforms)\" -f -- \"$word\")); return ;;\n");
  printf(
      "    -b|--backend) COMPREPLY=($(compgen -W \"$(_sloe_backends)\" -- \"$word\")); return ;;\n"
      "    -o|--out|--db|--predictions) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
  print_choices();
  printf(
      "  esac\n"
      "  case \"$command:$word\" in\n"
      "    *:-*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
      "    platform*) COMPREPLY=($(compgen -W \"$(_sloe_platforms)\" -f -- \"$word\")) ;;\n"
      "    db*|evaluate*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
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
