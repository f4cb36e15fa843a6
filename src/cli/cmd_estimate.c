#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* All pairs of a net and a platform, nets outside. An element is NULL where its net, its platform
   or the pair could not be answered. */
typedef struct pairs {
  size_t n_nets, n_platforms;
  sloe_net **nets;           /* [n_nets] */
  sloe_platform **platforms; /* [n_platforms] */
  sloe_layers **layers;      /* [n_nets][n_platforms]; equal rule sets share the first's */
  sloe_estimate **estimates; /* [n_nets][n_platforms] */
} pairs;

static void pairs_init(pairs *p, size_t n_nets, size_t n_platforms) {
  *p = (pairs){.n_nets = n_nets, .n_platforms = n_platforms};
  size_t n = n_platforms && n_nets > SIZE_MAX / n_platforms ? SIZE_MAX : n_nets * n_platforms;
  p->nets = sloe_cli_alloc(n_nets, sizeof *p->nets);
  p->platforms = sloe_cli_alloc(n_platforms, sizeof *p->platforms);
  p->layers = sloe_cli_alloc(n, sizeof *p->layers);
  p->estimates = sloe_cli_alloc(n, sizeof *p->estimates);
}

/* The platform before `j` in the row of net `i` whose layers serve `j` too; `j`: none. */
static size_t same_layers(const pairs *p, size_t i, size_t j) {
  const sloe_fusion *mine = sloe_platform_fusion(p->platforms[j]);
  for (size_t k = 0; k < j; k++) {
    if (!p->platforms[k] || !p->layers[i * p->n_platforms + k]) continue;
    const sloe_fusion *other = sloe_platform_fusion(p->platforms[k]);
    if (mine->runtime == other->runtime && mine->version == other->version &&
        mine->precision == other->precision &&
        mine->compute_capability == other->compute_capability)
      return k;
  }
  return j;
}

static void pairs_fini(pairs *p) {
  for (size_t i = 0; i < p->n_nets; i++) {
    sloe_layers **row = p->layers + i * p->n_platforms;
    for (size_t j = 0; j < p->n_platforms; j++) {
      sloe_estimate_free(p->estimates[i * p->n_platforms + j]);
      for (size_t k = j + 1; row[j] && k < p->n_platforms; k++)
        if (row[k] == row[j]) row[k] = NULL;
      sloe_layers_free(row[j]);
    }
    sloe_net_free(p->nets[i]);
  }
  for (size_t j = 0; j < p->n_platforms; j++) sloe_platform_free(p->platforms[j]);
  free(p->nets);
  free(p->platforms);
  free(p->layers);
  free(p->estimates);
}

static sloe_exit open_platforms(const sloe_args *args, pairs *p) {
  sloe_exit code = SLOE_EXIT_YES;
  for (size_t j = 0; j < p->n_platforms; j++) {
    const char *name = sloe_args_nth(args, SLOE_OPT_PLATFORM, j);
    code = sloe_cli_worse(code, sloe_cli_open_platform(name, &p->platforms[j]));
  }
  return code;
}

static sloe_exit estimate_pair(pairs *p, size_t i, size_t j, const sloe_estimate_options *options) {
  size_t at = i * p->n_platforms + j, same = same_layers(p, i, j);
  sloe_error err = {0};
  sloe_status status = SLOE_OK;
  if (same < j)
    p->layers[at] = p->layers[i * p->n_platforms + same];
  else
    status =
        sloe_layers_new(p->nets[i], sloe_platform_fusion(p->platforms[j]), &p->layers[at], &err);
  if (status == SLOE_OK)
    status = sloe_estimate_new(p->layers[at], p->platforms[j], options, &p->estimates[at], &err);
  if (status == SLOE_OK) return SLOE_EXIT_YES;
  return sloe_cli_failed(sloe_net_get_info(p->nets[i])->name, status, &err);
}

static sloe_exit estimate_all(const sloe_args *args, const sloe_net_flags *flags,
                              const sloe_estimate_options *options, pairs *p) {
  sloe_exit code = open_platforms(args, p);
  for (size_t i = 0; i < p->n_nets; i++) {
    sloe_exit opened = sloe_cli_open_net(args->operands[i], flags, &p->nets[i]);
    code = sloe_cli_worse(code, opened);
    for (size_t j = 0; j < p->n_platforms && !opened; j++)
      if (p->platforms[j]) code = sloe_cli_worse(code, estimate_pair(p, i, j, options));
  }
  return code;
}

/* ---- budgets ---- */

typedef struct budget {
  const char *what, *unit;
  double limit; /* 0: none */
  const sloe_figure *figure;
} budget;

static sloe_exit hold(const sloe_answer *answer, const budget *b) {
  if (!(b->limit > 0)) return SLOE_EXIT_YES;
  const char *net = sloe_net_get_info(sloe_layers_net(answer->layers))->name;
  const char *platform = answer->card->name;
  if (isnan(b->figure->value)) {
    sloe_cli_say(stderr,
                 "sloe: %s on %s: the %s is unknown: the budget of %.6g %s cannot be checked", net,
                 platform, b->what, b->limit, b->unit);
    return SLOE_EXIT_INPUT;
  }
  if (b->figure->value <= b->limit) return SLOE_EXIT_YES;
  sloe_cli_say(stderr, "sloe: %s on %s: the %s of %.4g %s is over the budget of %.6g %s", net,
               platform, b->what, b->figure->value, b->unit, b->limit, b->unit);
  return SLOE_EXIT_NO;
}

static sloe_exit hold_all(const sloe_answer *answer, const sloe_report_options *report) {
  const sloe_result *result = answer->result;
  const budget budgets[] = {{"latency", "ms", report->budget_ms, &result->latency_ms},
                            {"power", "W", report->budget_w, &result->power_w},
                            {"memory", "MB", report->budget_mb, &result->memory_mb}};
  sloe_exit code = SLOE_EXIT_YES;
  for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++)
    code = sloe_cli_worse(code, hold(answer, &budgets[i]));
  return code;
}

/* ---- the command ---- */

static sloe_exit answer(const pairs *p, const sloe_report_options *report) {
  size_t all = p->n_nets * p->n_platforms, n = 0;
  sloe_answer *found = sloe_cli_alloc(all, sizeof *found);
  sloe_exit code = SLOE_EXIT_YES;
  for (size_t i = 0; i < all; i++)
    if (p->estimates[i]) found[n++] = sloe_estimate_answer(p->estimates[i]);
  if (n) {
    sloe_error err = {0};
    char *text;
    int in_answer = report->format == SLOE_FORMAT_TABLE && (n == 1 || report->layers);
    if (!in_answer) sloe_cli_say_warnings(found, n);
    sloe_status status = sloe_report_answers(found, n, report, &text, &err);
    code = status == SLOE_OK ? sloe_cli_answer(text) : sloe_cli_failed(NULL, status, &err);
  }
  for (size_t i = 0; i < n; i++) code = sloe_cli_worse(code, hold_all(&found[i], report));
  free(found);
  return code;
}

static sloe_exit read_options(const sloe_args *args, sloe_report_options *report,
                              sloe_estimate_options *options) {
  const char *method = sloe_args_value(args, SLOE_OPT_METHOD);
  sloe_error err;
  *options = (sloe_estimate_options){.method = SLOE_METHOD_AUTO,
                                     .model = sloe_args_value(args, SLOE_OPT_MODEL)};
  if (options->model && strcmp(options->model, "all") == 0) options->model = NULL;
  sloe_exit code = sloe_args_report(args, report);
  if (!code && method && sloe_method_parse(method, &options->method, &err) != SLOE_OK)
    code = sloe_cli_mistake(args->command, "%s", err.msg);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_BUDGET_MS, &report->budget_ms);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_BUDGET_W, &report->budget_w);
  if (!code) code = sloe_args_positive(args, SLOE_OPT_BUDGET_MB, &report->budget_mb);
  if (!code) code = sloe_args_needs(args, SLOE_OPT_PLATFORM, SLOE_PLATFORM_HINT);
  return code;
}

static sloe_exit run(const sloe_args *args) {
  sloe_report_options report;
  sloe_estimate_options options;
  sloe_net_flags flags;
  sloe_exit code = read_options(args, &report, &options);
  if (!code) code = sloe_net_flags_init(args, &flags);
  if (code) return code;
  pairs p;
  pairs_init(&p, args->n_operands, sloe_args_count(args, SLOE_OPT_PLATFORM));
  report.list = p.n_nets * p.n_platforms > 1;
  code = estimate_all(args, &flags, &options, &p);
  code = sloe_cli_worse(code, answer(&p, &report));
  pairs_fini(&p);
  sloe_net_flags_fini(&flags);
  return code;
}

const sloe_command sloe_cmd_estimate = {
    .name = "estimate",
    .operands = "NET... -p PLATFORM...",
    .summary = "latency, power, energy and memory of networks on platforms",
    .details =
        "Several NETs or PLATFORMs give a table of one row for each pair. What cannot be read is "
        "named on\nstderr, the rest is answered and the exit code is 3. A budget compares with the "
        "estimate itself,\nnot with its interval; where the figure is unknown the exit code is 3.\n"
        "JSON always holds the layers.\n",
    .options = SLOE_OPTION_BIT(PLATFORM) | SLOE_OPTION_BIT(LAYERS) | SLOE_OPTION_BIT(METHOD) |
               SLOE_OPTION_BIT(MODEL) | SLOE_OPTION_BIT(BUDGET_MS) | SLOE_OPTION_BIT(BUDGET_W) |
               SLOE_OPTION_BIT(BUDGET_MB) | SLOE_OPTION_BIT(FORMAT) | SLOE_NET_OPTIONS,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run,
};
