#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

const sloe_command *const sloe_commands[] = {
    &sloe_cmd_info,           &sloe_cmd_estimate,
    &sloe_cmd_prune,          &sloe_cmd_measure,
    &sloe_cmd_profile,        &sloe_cmd_collect,
    &sloe_cmd_evaluate,       &sloe_cmd_platform_list,
    &sloe_cmd_platform_show,  &sloe_cmd_platform_export,
    &sloe_cmd_platform_check, &sloe_cmd_db_export,
    &sloe_cmd_db_merge,       &sloe_cmd_db_info,
    &sloe_cmd_import_icas,    &sloe_cmd_import_trtexec,
    &sloe_cmd_zoo_list,       &sloe_cmd_zoo_emit,
    &sloe_cmd_agent,          &sloe_cmd_completion,
    &sloe_cmd_help,           NULL,
};

sloe_exit sloe_cli_worse(sloe_exit a, sloe_exit b) {
  return a > b ? a : b;
}

/* Does "WORD WORD" begin with argv[0], and go on with argv[1]? The number of its words. */
static int matches(const char *name, int argc, char **argv) {
  size_t len = strcspn(name, " ");
  if (argc < 1 || strlen(argv[0]) != len || strncmp(argv[0], name, len)) return 0;
  if (!name[len]) return 1;
  return argc > 1 && !strcmp(argv[1], name + len + 1) ? 2 : 0;
}

const sloe_command *sloe_cli_find(int argc, char **argv, int *words) {
  for (size_t i = 0; sloe_commands[i]; i++)
    if ((*words = matches(sloe_commands[i]->name, argc, argv))) return sloe_commands[i];
  return NULL;
}

/* The second words of a group of commands, or the first words of all. */
static const char *nearest_word(const char *group, const char *word) {
  const char *names[32];
  char firsts[32][16];
  size_t n = 0, len = group ? strlen(group) : 0;
  for (size_t i = 0; sloe_commands[i] && n < 32; i++) {
    const char *name = sloe_commands[i]->name;
    if (group && (strncmp(name, group, len) || name[len] != ' ')) continue;
    snprintf(firsts[n], sizeof firsts[n], "%.*s", (int)(group ? 15 : strcspn(name, " ")),
             group ? name + len + 1 : name);
    names[n] = firsts[n];
    n++;
  }
  const char *near = sloe_nearest(word, names, n);
  for (size_t i = 0; near && sloe_commands[i]; i++) { /* one that outlives this function */
    const char *name = sloe_commands[i]->name + (group ? len + 1 : 0);
    if (group && strncmp(sloe_commands[i]->name, group, len)) continue;
    if (!strncmp(name, near, strlen(near))) return name;
  }
  return NULL;
}

/* "platform", "platform --help", "platform lst" */
static sloe_exit group(int argc, char **argv) {
  if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
    sloe_help_print_group(stdout, argv[0]);
    return sloe_cli_flush();
  }
  sloe_help_print_group(stderr, argv[0]);
  if (argc < 2) {
    fprintf(stderr, "\nsloe %s: COMMAND is missing\n", argv[0]);
    return SLOE_EXIT_USAGE;
  }
  const char *near = nearest_word(argv[0], argv[1]);
  fputc('\n', stderr);
  sloe_cli_say(stderr, "sloe %s: unknown command '%s'%s%s%s", argv[0], argv[1],
               near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
  return SLOE_EXIT_USAGE;
}

static int is_group(const char *word) {
  size_t len = strlen(word);
  for (size_t i = 0; sloe_commands[i]; i++)
    if (!strncmp(sloe_commands[i]->name, word, len) && sloe_commands[i]->name[len] == ' ') return 1;
  return 0;
}

static sloe_exit version(void) {
  const char *why;
  printf("sloe %s\nanswering: datasheet and fitted platforms\n", sloe_version());
  if (sloe_cli_find_lab(&why))
    sloe_cli_print_backends(stdout, "measuring:\n");
  else
    sloe_cli_say(stdout, "measuring: not here: %s", why);
  return sloe_cli_flush();
}

static sloe_exit run(const sloe_command *command, int argc, char **argv) {
  sloe_args args;
  sloe_exit code = sloe_args_parse(command, argc, argv, &args);
  if (code) return code;
  if (sloe_args_has(&args, SLOE_OPT_HELP)) {
    sloe_help_print(stdout, command);
    code = sloe_cli_flush();
  } else {
    code = command->run(&args);
  }
  sloe_args_fini(&args);
  return code;
}

static sloe_exit dispatch(int argc, char **argv) {
  int words;
  if (argc < 1) return sloe_cli_mistake(NULL, "COMMAND is missing");
  if (!strcmp(argv[0], "--version") || !strcmp(argv[0], "-V")) return version();
  if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
    sloe_help_print(stdout, NULL);
    return sloe_cli_flush();
  }
  const sloe_command *command = sloe_cli_find(argc, argv, &words);
  if (command) return run(command, argc - words, argv + words);
  if (is_group(argv[0])) return group(argc, argv);
  const char *near = nearest_word(NULL, argv[0]);
  if (near)
    return sloe_cli_mistake(NULL, "unknown command '%s': did you mean '%.*s'?", argv[0],
                            (int)strcspn(near, " "), near);
  return sloe_cli_mistake(NULL, "unknown %s '%s'", argv[0][0] == '-' ? "option" : "command",
                          argv[0]);
}

/* Standard streams that are closed get /dev/null for reading: no file that is opened later can take
   their number, and writing to them fails as it should. */
static void occupy_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) < 0) return;
}

int main(int argc, char **argv) {
  occupy_streams();
  return dispatch(argc - 1, argv + 1);
}
