#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { MOST_POWER_S = 600 };

/* What is measured of each NET; only those that could be are in it. */
typedef struct bench {
  const sloe_lab *lab;
  sloe_session *session;
  sloe_measure_options options;
  sloe_cli_watch watch;
  sloe_net **nets;
  sloe_layers **layers;
  sloe_measured **measured;
  const char **names; /* the NETs as given */
  size_t n;
} bench;

static void bench_init(bench *b, size_t n) {
  b->nets = sloe_cli_alloc(n, sizeof *b->nets);
  b->layers = sloe_cli_alloc(n, sizeof *b->layers);
  b->measured = sloe_cli_alloc(n, sizeof *b->measured);
  b->names = sloe_cli_alloc(n, sizeof *b->names);
}

static void bench_fini(bench *b) {
  for (size_t i = 0; i < b->n; i++) {
    b->lab->measured_free(b->measured[i]);
    sloe_layers_free(b->layers[i]);
    sloe_net_free(b->nets[i]);
  }
  b->lab->session_close(b->session);
  free(b->nets);
  free(b->layers);
  free(b->measured);
  free((void *)b->names);
}

/* What was made stays with the bench where the measurement succeeds. */
static sloe_exit measure_one(bench *b, const char *name, const sloe_net_flags *flags,
                             sloe_status *status) {
  sloe_error err = {0};
  sloe_net **net = &b->nets[b->n];
  sloe_layers **layers = &b->layers[b->n];
  *status = SLOE_OK;
  sloe_exit code = sloe_cli_open_net(name, flags, net);
  if (code) return code;
  *status = sloe_layers_new(*net, b->lab->session_fusion(b->session), layers, &err);
  if (*status == SLOE_OK)
    *status = b->lab->measure(b->session, *layers, &b->options, &b->watch.watch, &b->measured[b->n],
                              &err);
  sloe_cli_watch_end(&b->watch);
  if (*status == SLOE_OK) {
    b->names[b->n++] = name;
    return SLOE_EXIT_YES;
  }
  sloe_layers_free(*layers);
  sloe_net_free(*net);
  *layers = NULL;
  *net = NULL;
  return sloe_cli_failed(name, *status, &err);
}

static sloe_exit measure_all(bench *b, const sloe_args *args, const sloe_net_flags *flags) {
  sloe_exit code = SLOE_EXIT_YES;
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < args->n_operands && status != SLOE_STOPPED; i++)
    code = sloe_cli_worse(code, measure_one(b, args->operands[i], flags, &status));
  return code;
}

static sloe_status write_answers(const bench *b, const sloe_report_options *report, char **text,
                                 sloe_error *err) {
  if (report->format == SLOE_FORMAT_CSV && !report->layers)
    return b->lab->measured_table(b->session, b->names, b->measured, b->n, text, err);
  sloe_answer *answers = sloe_cli_alloc(b->n, sizeof *answers);
  for (size_t i = 0; i < b->n; i++) {
    answers[i] = *b->lab->measured_answer(b->measured[i]);
    answers[i].extra = b->lab->measured_extra(b->measured[i]);
  }
  int in_answer = report->format == SLOE_FORMAT_TABLE && (b->n == 1 || report->layers);
  if (!in_answer) sloe_cli_say_warnings(answers, b->n);
  sloe_status status = sloe_report_answers(answers, b->n, report, text, err);
  free(answers);
  return status;
}

static sloe_exit answer(const bench *b, const sloe_report_options *report) {
  sloe_error err = {0};
  char *text;
  if (!b->n) return SLOE_EXIT_YES;
  sloe_status status = write_answers(b, report, &text, &err);
  return status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
}

static sloe_exit read_power(const sloe_args *args, double *seconds) {
  const char *text = sloe_args_value(args, SLOE_OPT_POWER);
  if (!text) return SLOE_EXIT_YES;
  *seconds = sloe_cli_decimal(text, strlen(text));
  if (!(*seconds >= 0 && *seconds <= MOST_POWER_S))
    return sloe_cli_mistake(args->command, "--power '%s': seconds from 0 to %d are needed", text,
                            MOST_POWER_S);
  if (*seconds == 0) *seconds = -1;
  return SLOE_EXIT_YES;
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_measure_options *options) {
  int64_t runs = 0;
  *options = (sloe_measure_options){.isolated = sloe_args_has(args, SLOE_OPT_ISOLATED)};
  sloe_exit code = sloe_args_report(args, report);
  if (!code) code = sloe_args_whole(args, SLOE_OPT_RUNS, INT32_MAX, &runs);
  if (!code) code = read_power(args, &options->power_s);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_BACKEND, SLOE_BACKEND_HINT);
  options->runs = (int32_t)runs;
  options->layers = options->isolated || sloe_args_has(args, SLOE_OPT_LAYERS);
  return code;
}

static sloe_exit open_session(const char *backend, bench *b) {
  sloe_error err = {0};
  sloe_exit code = sloe_cli_lab(&b->lab);
  if (code) return code;
  sloe_status status = b->lab->session_open(backend, &b->session, &err);
  return status == SLOE_OK ? SLOE_EXIT_YES : sloe_cli_failed(backend, status, &err);
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_net_flags flags;
  bench b = {.lab = NULL};
  sloe_exit code = read_options(args, &report, &b.options);
  if (!code) code = sloe_net_flags_init(args, &flags);
  if (code) return code;
  report.list = args->n_operands > 1;
  code = open_session(sloe_args_value(args, SLOE_OPT_BACKEND), &b);
  if (!code) {
    if (!flags.options.batch && b.lab->session_batch(b.session) > 1)
      flags.options.batch = b.lab->session_batch(b.session);
    bench_init(&b, args->n_operands);
    sloe_cli_watch_begin(&b.watch, 0);
    code = measure_all(&b, args, &flags);
    code = sloe_cli_worse(code, answer(&b, &report));
    bench_fini(&b);
  }
  sloe_net_flags_fini(&flags);
  return code;
}

const sloe_command sloe_cmd_measure = {
    .name = "measure",
    .operands = "NET... -b BACKEND",
    .summary = "latency, power and memory of networks, measured on a device",
    .details =
        "Runs each network with random weights, at most 100 times or 10 s unless --runs says "
        "another number. Where the\ndevice has a sensor of power, they run on for --power SECONDS "
        "more; with --isolated each "
        "layer does too.\nWithout --batch networks run at the batch of the backend.\nCSV is a "
        "measurement table, which 'sloe evaluate' reads; with --layers a "
        "row for each layer. What\ncannot be read or run is named on stderr, the rest is measured "
        "and the exit code is 3; it is 4 where\nthe device fails. JSON holds layers where they are "
        "timed: with --layers or --isolated.\n",
    .options = SLOE_OPTION_BIT(BACKEND) | SLOE_OPTION_BIT(LAYERS) | SLOE_OPTION_BIT(ISOLATED) |
               SLOE_OPTION_BIT(RUNS) | SLOE_OPTION_BIT(POWER) | SLOE_OPTION_BIT(FORMAT) |
               SLOE_NET_OPTIONS,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
