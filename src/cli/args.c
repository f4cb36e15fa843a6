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

static int looks_like_net(const char *arg) {
  size_t len = strlen(arg);
  return (len > 5 && !strcmp(arg + len - 5, ".onnx")) || !strncmp(arg, "zoo:", 4);
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
  if (p->many >= 0 && !looks_like_net(arg)) return add_given(p, (size_t)p->many, arg);
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

int64_t sloe_cli_whole(const char *s, size_t len) {
  int64_t value = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] < '0' || s[i] > '9') return 0;
    int digit = s[i] - '0';
    if (value > (INT64_MAX - digit) / 10) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/* digits[.digits][e[+-]digits] of at most 17 significant digits: the same in every locale. 0: it is
   none, or not positive. */
static double positive(const char *s) {
  double value = 0;
  int digits = 0, scale = 0, point = 0;
  for (; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
    if (*s == '.') {
      point = 1;
      continue;
    }
    if (scale < -300) return 0;
    digits = 1;
    value = value * 10 + (*s - '0');
    scale -= point;
    if (value > 1e17) return 0;
  }
  if (!digits) return 0;
  if (*s == 'e' || *s == 'E') {
    int negative = s[1] == '-', exponent = 0;
    s += s[1] == '-' || s[1] == '+' ? 2 : 1;
    if (!*s || strlen(s) > 2) return 0;
    for (; *s; s++) {
      if (*s < '0' || *s > '9') return 0;
      exponent = exponent * 10 + (*s - '0');
    }
    scale += negative ? -exponent : exponent;
  }
  double power = 1;
  for (int i = scale < 0 ? -scale : scale; i > 0; i--) power *= 10;
  return *s ? 0 : scale < 0 ? value / power : value * power;
}

sloe_exit sloe_args_positive(const sloe_args *args, sloe_option_id id, double *out) {
  const char *text = sloe_args_value(args, id);
  if (!text) return SLOE_EXIT_YES;
  double value = positive(text);
  if (!(value > 0))
    return sloe_cli_mistake(args->command, "--%s '%s': a positive number is needed",
                            sloe_options[id].name, text);
  *out = value;
  return SLOE_EXIT_YES;
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
