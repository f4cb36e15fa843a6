#include <stdlib.h>
#include <string.h>

#include "cli.h"

const sloe_option sloe_options[SLOE_OPT_COUNT] = {
#define OPTION(id, name, letter, takes, many, help) {name, letter, takes, many, help},
#include "options.def"
#undef OPTION
};

sloe_exit sloe_cli_mistake(const sloe_command *command, const char *fmt, ...) {
  sloe_help_print(stderr, command);
  fprintf(stderr, "\nsloe%s%s: ", command ? " " : "", command ? command->name : "");
  va_list ap;
  va_start(ap, fmt);
  sloe_cli_vsay(stderr, fmt, ap);
  va_end(ap);
  return SLOE_EXIT_USAGE;
}

static int takes_option(const sloe_command *command, size_t id) {
  return id == SLOE_OPT_HELP || (command->options >> id & 1);
}

static sloe_exit unknown_option(const sloe_command *command, const char *arg, size_t len) {
  const char *names[SLOE_OPT_COUNT];
  size_t n = 0;
  for (size_t i = 0; i < SLOE_OPT_COUNT; i++)
    if (takes_option(command, i)) names[n++] = sloe_options[i].name;
  char word[64] = "";
  if (len > 2 && len - 2 < sizeof word) memcpy(word, arg + 2, len - 2);
  const char *near = arg[1] == '-' ? sloe_nearest(word, names, n) : NULL;
  if (near)
    return sloe_cli_mistake(command, "unknown option '%.*s': did you mean '--%s'?", (int)len, arg,
                            near);
  return sloe_cli_mistake(command, "unknown option '%.*s'", (int)len, arg);
}

typedef struct parser {
  sloe_args *args;
  int argc, at;
  char **argv;
  int many; /* the option whose further values may follow; -1: none */
} parser;

static sloe_exit add_given(parser *p, size_t id, const char *value) {
  const sloe_option *option = &sloe_options[id];
  if (!option->many && *option->takes && sloe_args_has(p->args, (sloe_option_id)id))
    return sloe_cli_mistake(p->args->command, "option '--%s' is given twice", option->name);
  p->args->given[p->args->n_given++] = (sloe_given){(sloe_option_id)id, value};
  p->many = option->many == 2 && p->args->n_operands ? (int)id : -1;
  return SLOE_EXIT_YES;
}

/* `value`: what stands behind '=' or a short option's letter; NULL: nothing does. */
static sloe_exit take_option(parser *p, size_t id, const char *value) {
  const sloe_option *option = &sloe_options[id];
  const sloe_command *command = p->args->command;
  if (!*option->takes) {
    if (value) return sloe_cli_mistake(command, "option '--%s' takes no value", option->name);
    return add_given(p, id, "");
  }
  if (!value && p->at < p->argc) value = p->argv[p->at++];
  if (!value)
    return sloe_cli_mistake(command, "option '--%s' needs a value: --%s %s", option->name,
                            option->name, option->takes);
  return add_given(p, id, value);
}

static sloe_exit long_option(parser *p, const char *arg) {
  const char *equals = strchr(arg, '=');
  size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
  for (size_t i = 0; i < SLOE_OPT_COUNT; i++)
    if (takes_option(p->args->command, i) && strlen(sloe_options[i].name) == len - 2 &&
        !memcmp(sloe_options[i].name, arg + 2, len - 2))
      return take_option(p, i, equals ? equals + 1 : NULL);
  return unknown_option(p->args->command, arg, len);
}

/* "-pX", "-p X"; flags may stand together, "-hp X". */
static sloe_exit short_options(parser *p, const char *arg) {
  for (const char *c = arg + 1; *c; c++) {
    size_t id = 0;
    while (id < SLOE_OPT_COUNT &&
           !(sloe_options[id].letter == *c && takes_option(p->args->command, id)))
      id++;
    if (id == SLOE_OPT_COUNT) return unknown_option(p->args->command, arg, strlen(arg));
    if (*sloe_options[id].takes) return take_option(p, id, c[1] ? c + 1 : NULL);
    sloe_exit code = take_option(p, id, NULL);
    if (code) return code;
  }
  return SLOE_EXIT_YES;
}

/* A network or a table, which may stand behind an option that takes several values. */
static int looks_like_operand(const char *arg) {
  static const char *const endings[] = {".onnx", ".csv", ".csv.gz"};
  size_t len = strlen(arg);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t n = strlen(endings[i]);
    if (len > n && !strcmp(arg + len - n, endings[i])) return 1;
  }
  return !strncmp(arg, "zoo:", 4);
}

static sloe_exit parse_one(parser *p, int *only_operands) {
  const char *arg = p->argv[p->at++];
  if (!*only_operands && !strcmp(arg, "--")) {
    *only_operands = 1;
    p->many = -1;
    return SLOE_EXIT_YES;
  }
  if (!*only_operands && arg[0] == '-' && arg[1])
    return arg[1] == '-' ? long_option(p, arg) : short_options(p, arg);
  if (p->many >= 0 && !looks_like_operand(arg)) return add_given(p, (size_t)p->many, arg);
  p->many = -1;
  p->args->operands[p->args->n_operands++] = arg;
  return SLOE_EXIT_YES;
}

static sloe_exit check_operands(const sloe_args *args) {
  const sloe_command *command = args->command;
  if (args->n_operands < command->min_operands)
    return sloe_cli_mistake(command, "%s is missing", command->operands);
  if (args->n_operands > command->max_operands)
    return sloe_cli_mistake(command, "'%s' is one argument too many",
                            args->operands[command->max_operands]);
  return SLOE_EXIT_YES;
}

sloe_exit sloe_args_parse(const sloe_command *command, int argc, char **argv, sloe_args *out) {
  size_t room = argc > 0 ? (size_t)argc : 1;
  *out = (sloe_args){.command = command};
  out->operands = sloe_cli_alloc(room, sizeof *out->operands);
  size_t letters = room; /* flags may stand together in one word */
  for (int i = 0; i < argc; i++) letters += strlen(argv[i]);
  out->given = sloe_cli_alloc(letters, sizeof *out->given);
  parser p = {.args = out, .argc = argc, .argv = argv, .many = -1};
  sloe_exit code = SLOE_EXIT_YES;
  for (int only_operands = 0; p.at < argc && !code;) code = parse_one(&p, &only_operands);
  if (!code && !sloe_args_has(out, SLOE_OPT_HELP)) code = check_operands(out);
  if (code) sloe_args_fini(out);
  return code;
}

void sloe_args_fini(sloe_args *args) {
  free((void *)args->operands);
  free(args->given);
  *args = (sloe_args){0};
}

size_t sloe_args_count(const sloe_args *args, sloe_option_id id) {
  size_t n = 0;
  for (size_t i = 0; i < args->n_given; i++) n += args->given[i].id == id;
  return n;
}

const char *sloe_args_nth(const sloe_args *args, sloe_option_id id, size_t n) {
  for (size_t i = 0; i < args->n_given; i++)
    if (args->given[i].id == id && n-- == 0) return args->given[i].value;
  return NULL;
}

int sloe_args_has(const sloe_args *args, sloe_option_id id) {
  return sloe_args_nth(args, id, 0) != NULL;
}

const char *sloe_args_value(const sloe_args *args, sloe_option_id id) {
  return sloe_args_nth(args, id, 0);
}

sloe_exit sloe_args_positive(const sloe_args *args, sloe_option_id id, double *out) {
  const char *text = sloe_args_value(args, id);
  if (!text) return SLOE_EXIT_YES;
  double value = sloe_cli_decimal(text, strlen(text));
  if (!(value > 0))
    return sloe_cli_mistake(args->command, "--%s '%s': a positive number is needed",
                            sloe_options[id].name, text);
  *out = value;
  return SLOE_EXIT_YES;
}

sloe_exit sloe_args_duration(const sloe_args *args, sloe_option_id id, double *out) {
  const char *text = sloe_args_value(args, id);
  double value = text ? sloe_cli_duration(text) : 0;
  if (text && !(value > 0))
    return sloe_cli_mistake(args->command, "--%s '%s': a duration such as 90s, 30m or 1h is needed",
                            sloe_options[id].name, text);
  if (text) *out = value;
  return SLOE_EXIT_YES;
}

sloe_exit sloe_args_whole(const sloe_args *args, sloe_option_id id, int64_t most, int64_t *out) {
  const char *text = sloe_args_value(args, id);
  int64_t value = text ? sloe_cli_whole(text, strlen(text)) : 0;
  if (text && (!value || value > most))
    return sloe_cli_mistake(args->command, "--%s '%s': a whole number of 1 and more is needed",
                            sloe_options[id].name, text);
  if (text) *out = value;
  return SLOE_EXIT_YES;
}

sloe_exit sloe_args_needs(const sloe_args *args, sloe_option_id id, const char *hint) {
  if (sloe_args_has(args, id)) return SLOE_EXIT_YES;
  const sloe_option *option = &sloe_options[id];
  return sloe_cli_mistake(args->command, "-%c %s is missing; %s", option->letter, option->takes,
                          hint);
}

sloe_exit sloe_args_report(const sloe_args *args, sloe_report_options *out) {
  *out = (sloe_report_options){.format = SLOE_FORMAT_TABLE};
  const char *format = sloe_args_value(args, SLOE_OPT_FORMAT);
  sloe_error err;
  if (format && sloe_format_parse(format, &out->format, &err) != SLOE_OK)
    return sloe_cli_mistake(args->command, "%s", err.msg);
  out->layers = sloe_args_has(args, SLOE_OPT_LAYERS);
  out->features = sloe_args_has(args, SLOE_OPT_FEATURES);
  sloe_cli_terminal(out);
  return SLOE_EXIT_YES;
}
