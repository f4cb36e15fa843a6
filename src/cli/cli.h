/* cli.h: what the commands share. Private to cli/.
 *
 * stdout is the answer, stderr everything else. A command collects its answer whole and writes it
 * once, so that a failing command leaves no half of a document behind.
 */
#ifndef SLOE_CLI_CLI_H
#define SLOE_CLI_CLI_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sloe/lab.h"

/* X(NAME, value, meaning): what a script may rely on, listed by `sloe --help`. */
#define SLOE_EXIT_MAP(X)                                                                        \
  X(YES, 0, "the answer is there, and it is yes")                                               \
  X(NO, 1, "the answer is there, and it is no: over a budget, or stopped before the end")       \
  X(USAGE, 2, "the command line is wrong")                                                      \
  X(INPUT, 3, "a network, a platform or a budget that cannot be answered, or no room to write") \
  X(DEVICE, 4, "a device or a sensor failed")

typedef enum sloe_exit {
#define SLOE_EXIT_ENUM(name, value, text) SLOE_EXIT_##name = value,
  SLOE_EXIT_MAP(SLOE_EXIT_ENUM)
#undef SLOE_EXIT_ENUM
} sloe_exit;

/* The graver of two: 3 before 2 before 1 before 0. */
sloe_exit sloe_cli_worse(sloe_exit a, sloe_exit b);

/* ---- options (options.def, args.c) ---- */

typedef enum sloe_option_id {
#define OPTION(id, name, letter, takes, many, help) SLOE_OPT_##id,
#include "options.def"
#undef OPTION
  SLOE_OPT_COUNT
} sloe_option_id;

_Static_assert(SLOE_OPT_COUNT <= 64, "a bit for each option");
#define SLOE_OPTION_BIT(id) (UINT64_C(1) << SLOE_OPT_##id)
#define SLOE_NET_OPTIONS    (SLOE_OPTION_BIT(INPUT) | SLOE_OPTION_BIT(BATCH) | SLOE_OPTION_BIT(DIM))

typedef struct sloe_option {
  const char *name;
  char letter;       /* 0: none */
  const char *takes; /* "": a flag */
  int many;
  const char *help;
} sloe_option;

extern const sloe_option sloe_options[SLOE_OPT_COUNT];

typedef struct sloe_given {
  sloe_option_id id;
  const char *value; /* "" for a flag */
} sloe_given;

typedef struct sloe_args {
  const struct sloe_command *command;
  const char **operands;
  size_t n_operands;
  sloe_given *given; /* in the order of the command line */
  size_t n_given;
} sloe_args;

/* ---- commands (one cmd_*.c each) ---- */

typedef struct sloe_command {
  const char *name;     /* "info", "platform list" */
  const char *operands; /* "NET..." */
  const char *summary;  /* one line */
  const char *details;  /* paragraphs for --help, ending in a newline; "" */
  uint64_t options;     /* SLOE_OPTION_BITs beside --help */
  size_t min_operands, max_operands;
  sloe_exit (*run)(const sloe_args *args);
} sloe_command;

#define COMMAND(name) extern const sloe_command sloe_cmd_##name;
#include "commands.def"
#undef COMMAND

extern const sloe_command *const sloe_commands[]; /* ends in NULL */

/* The command whose words begin argv[0..argc), and how many words it has; NULL: none. */
const sloe_command *sloe_cli_find(int argc, char **argv, int *words);

/* ---- reading the command line ---- */

/* argv[0..argc) behind the command's name. The caller frees with sloe_args_fini. Anything but
   SLOE_EXIT_YES: a mistake, already reported with the command's help on stderr. */
sloe_exit sloe_args_parse(const sloe_command *command, int argc, char **argv, sloe_args *out);
void sloe_args_fini(sloe_args *args);

int sloe_args_has(const sloe_args *args, sloe_option_id id);
/* The last value; NULL where it is not given. */
const char *sloe_args_value(const sloe_args *args, sloe_option_id id);
size_t sloe_args_count(const sloe_args *args, sloe_option_id id);
const char *sloe_args_nth(const sloe_args *args, sloe_option_id id, size_t n);

/* A positive decimal ("33", "0.5", "1e3") into *out, untouched where the option is not given. */
sloe_exit sloe_args_positive(const sloe_args *args, sloe_option_id id, double *out);
/* A duration ("90s", "30m", "1h", "45": seconds), a whole number of 1..most; the same. */
sloe_exit sloe_args_duration(const sloe_args *args, sloe_option_id id, double *out);
sloe_exit sloe_args_whole(const sloe_args *args, sloe_option_id id, int64_t most, int64_t *out);
/* A mistake where the option is not given: "-b BACKEND is missing; HINT". */
sloe_exit sloe_args_needs(const sloe_args *args, sloe_option_id id, const char *hint);

#define SLOE_PLATFORM_HINT "'sloe platform list' names those there are"
#define SLOE_BACKEND_HINT  "'sloe --version' names those there are"

/* ---- numbers of the command line (quantity.c) ---- */

/* A whole number from 1 to 2^63 - 1 from the first `len` bytes; 0: it is none. */
int64_t sloe_cli_whole(const char *s, size_t len);
/* digits[.digits][e[+-]digits] of at most 17 significant digits in `len` bytes; 0: it is none. */
double sloe_cli_decimal(const char *s, size_t len);
/* Seconds: a decimal, and s, m or h behind it; 0: it is none. */
double sloe_cli_duration(const char *s);

/* --format, --layers, --features and what the terminal can do. */
sloe_exit sloe_args_report(const sloe_args *args, sloe_report_options *out);

/* Report a mistake in the command line: the help of `command` (NULL: of sloe) and the message on
   stderr. Returns SLOE_EXIT_USAGE. */
sloe_exit sloe_cli_mistake(const sloe_command *command, const char *fmt, ...) SLOE_PRINTF(2, 3);

/* ---- help (help.c) ---- */

void sloe_help_print(FILE *to, const sloe_command *command); /* NULL: of sloe */
/* Of all commands that begin with the word; 0: there is none. */
int sloe_help_print_group(FILE *to, const char *word);

/* The candidate nearest to `word`, NULL where none is near (suggest.c). */
const char *sloe_nearest(const char *word, const char *const *candidates, size_t n);

/* ---- the world (environment.c) ---- */

typedef struct sloe_folders { /* where platforms are looked up by name */
  sloe_search search;
  const char *dirs[68];
  char *text; /* what they are made of */
} sloe_folders;

sloe_exit sloe_folders_init(sloe_folders *folders);
void sloe_folders_fini(sloe_folders *folders);

/* The width of the terminal at `fd`, 80 where it does not tell. */
int sloe_cli_columns(int fd);
/* Colour, bars and width, by what stdout is. */
void sloe_cli_terminal(sloe_report_options *options);

/* calloc; where memory is out it says so and ends the process with SLOE_EXIT_INPUT. */
void *sloe_cli_alloc(size_t count, size_t size);
/* "OUT.db": the store of what is written to OUT. The caller frees it. */
char *sloe_cli_store_of(const char *out);

/* ---- messages and the answer (answer.c) ---- */

/* A line in which every control character is a '?'. */
void sloe_cli_say(FILE *to, const char *fmt, ...) SLOE_PRINTF(2, 3);
void sloe_cli_vsay(FILE *to, const char *fmt, va_list ap);

/* "sloe: SUBJECT: message (byte N)" on stderr, without the subject where the message names it, and
 * the exit code that belongs to the status. */
sloe_exit sloe_cli_failed(const char *subject, sloe_status status, const sloe_error *err);
void sloe_cli_warn(const char *subject, const char *text);

/* The warnings of all answers, each once: what holds for one data sheet holds for all. */
void sloe_cli_say_warnings(const sloe_answer *answers, size_t n);

/* Write `text` to stdout, flush, free it. A full disk or a closed stdout is a failure. */
sloe_exit sloe_cli_answer(char *text);
/* The same check for what was printed to stdout directly. */
sloe_exit sloe_cli_flush(void);

/* ---- measuring (load_lab.c, watch.c) ---- */

/* The measuring library, loaded once; NULL where it cannot be, and then *why says why not. */
const sloe_lab *sloe_cli_find_lab(const char **why);
/* The same for a command that cannot do without: a failure is reported. */
sloe_exit sloe_cli_lab(const sloe_lab **out);
/* A line for each backend under `title`; 0 where there is no library. */
int sloe_cli_print_backends(FILE *to, const char *title);

typedef struct sloe_cli_watch {
  sloe_watch watch;
  int terminal, lines, drawn;
  double drawn_at;
  char phase[96];
} sloe_cli_watch;

/* From here on SIGINT and SIGTERM ask to stop. `lines`: without a terminal a line for each phase.
   The watch points at itself: it must not be copied. */
void sloe_cli_watch_begin(sloe_cli_watch *w, int lines);
void sloe_cli_watch_end(sloe_cli_watch *w);

/* ---- nets and platforms (nets.c) ---- */

/* --input, --batch, --dim. The caller frees with sloe_net_flags_fini. */
typedef struct sloe_net_flags {
  sloe_net_options options;
  sloe_input_shape *inputs;
  sloe_dim_binding *dims;
  char *text; /* the names */
} sloe_net_flags;

sloe_exit sloe_net_flags_init(const sloe_args *args, sloe_net_flags *out);
void sloe_net_flags_fini(sloe_net_flags *flags);

/* Open NET and say its warnings; a failure is reported and leaves *out NULL. */
sloe_exit sloe_cli_open_net(const char *path, const sloe_net_flags *flags, sloe_net **out);
/* Open PLATFORM by path or name; the same. */
sloe_exit sloe_cli_open_platform(const char *name, sloe_platform **out);

#endif
