#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "report/sheet.h"

sloe_sheet sloe_sheet_of(sloe_text *text, const sloe_report_options *options,
                         const sloe_answer *answer) {
  const sloe_net *net = sloe_layers_net(answer->layers);
  return (sloe_sheet){.text = text,
                      .options = options,
                      .net = net,
                      .info = sloe_net_get_info(net),
                      .card = answer->card,
                      .result = answer->result,
                      .extra = answer->extra};
}

static void label(const sloe_sheet *page, const char *name) {
  char padded[32];
  snprintf(padded, sizeof padded, "%-10s", name);
  sloe_text_add(page->text, "  ");
  sloe_text_styled(page->text, page->options, SLOE_STYLE_DIM, padded);
}

/* ---- one net on one platform ---- */

/* ", within the budget of 5 ms" or ", over the budget of 5 ms" */
static void budget(const sloe_sheet *page, double value, double limit, const char *unit) {
  char buf[SLOE_HUMAN_BUF], line[128];
  if (!(limit > 0)) return;
  int over = value > limit, unknown = isnan(value);
  snprintf(line, sizeof line, "%s the budget of %s %s",
           unknown ? "cannot be held against"
           : over  ? "over"
                   : "within",
           sloe_human_plain(limit, buf), unit);
  sloe_text_add(page->text, "   ");
  sloe_text_styled(page->text, page->options, unknown || over ? SLOE_STYLE_BAD : SLOE_STYLE_GOOD,
                   line);
}

/* "1.93 ms   90 % interval 0.97 to 3.9 ms"; what a data sheet allows is wider and is not said to be
   an interval of 90 %. */
static void figure(const sloe_sheet *page, const sloe_figure *figure, const char *unit) {
  char number[SLOE_HUMAN_BUF], line[128], low[SLOE_HUMAN_BUF], high[SLOE_HUMAN_BUF];
  if (isnan(figure->value)) {
    sloe_text_add(page->text, "unknown");
    return;
  }
  snprintf(line, sizeof line, "%s %s", sloe_human_number(figure->value, number), unit);
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, line);
  if (isfinite(figure->low) && isfinite(figure->high) && figure->low < figure->high)
    sloe_text_addf(page->text, "   %s %s to %s %s",
                   figure->source == SLOE_SOURCE_DATASHEET ? "range" : "90 % interval",
                   sloe_human_number(figure->low, low), sloe_human_number(figure->high, high),
                   unit);
}

static void latency_line(const sloe_sheet *page) {
  char rate[SLOE_HUMAN_BUF];
  double ms = page->result->latency_ms.value;
  label(page, "latency");
  figure(page, &page->result->latency_ms, "ms");
  if (ms > 0)
    sloe_text_addf(
        page->text, "   %s inferences/s",
        sloe_human_number(1000 * (double)sloe_net_get_info(page->net)->batch / ms, rate));
  budget(page, ms, page->options->budget_ms, "ms");
  sloe_text_add(page->text, "\n");
}

/* "p75 1.9 ms, p97.5 2.1 ms, fastest 1.8 ms, of 100 runs" */
static void runs_line(const sloe_sheet *page) {
  const sloe_result *result = page->result;
  const sloe_measured_extra *extra = page->extra;
  char number[SLOE_HUMAN_BUF];
  if (!isfinite(result->latency_p75_ms) && !extra) return;
  label(page, "runs");
  sloe_text_addf(page->text, "p75 %s ms", sloe_human_number(result->latency_p75_ms, number));
  sloe_text_addf(page->text, ", p97.5 %s ms", sloe_human_number(result->latency_p97_5_ms, number));
  if (extra) {
    sloe_text_addf(page->text, ", fastest %s ms", sloe_human_number(extra->latency_min_ms, number));
    sloe_text_addf(page->text, ", of %zu runs", extra->n_runs);
    if (strcmp(extra->quality, "ok")) sloe_text_add(page->text, ": ");
    if (strcmp(extra->quality, "ok"))
      sloe_text_styled(page->text, page->options, SLOE_STYLE_BAD, extra->quality);
  }
  sloe_text_add(page->text, "\n");
}

/* "53, together 1.9 ms, each by itself 1.95 ms" */
static void sum_line(const sloe_sheet *page) {
  char number[SLOE_HUMAN_BUF];
  const sloe_measured_extra *extra = page->extra;
  if (isnan(page->result->sum_of_layers_ms)) return;
  label(page, "layers");
  sloe_text_addf(page->text, "%zu, together %s ms", page->result->n_layers,
                 sloe_human_number(page->result->sum_of_layers_ms, number));
  if (extra && !isnan(extra->isolated_sum_ms))
    sloe_text_addf(page->text, ", each by itself %s ms",
                   sloe_human_number(extra->isolated_sum_ms, number));
  sloe_text_add(page->text, "\n");
}

/* ", peak 260 W", where it is known. */
static void further(const sloe_sheet *page, const char *before, double value, const char *after) {
  char number[SLOE_HUMAN_BUF];
  if (!isnan(value))
    sloe_text_addf(page->text, "%s%s %s", before, sloe_human_number(value, number), after);
}

static void power_figure(const sloe_sheet *page) {
  const sloe_measured_extra *extra = page->extra;
  if (extra && extra->sensor < 1)
    sloe_text_add(page->text, extra->sensor ? "not taken" : "no sensor");
  else
    figure(page, &page->result->power_w, "W");
  if (extra && extra->sensor == 1 && isnan(page->result->power_w.value))
    sloe_text_add(page->text, ": the sensor is too coarse to tell");
}

static void power_lines(const sloe_sheet *page) {
  char cap[SLOE_HUMAN_BUF];
  label(page, "power");
  power_figure(page);
  if (isnan(page->result->power_w.value) && page->card->power_cap_w > 0)
    sloe_text_addf(page->text, "; the power mode is capped at %s W",
                   sloe_human_plain(page->card->power_cap_w, cap));
  if (!isnan(page->result->power_w.value) && *page->result->power_rail)
    sloe_text_addf(page->text, "   at the rail '%s'", page->result->power_rail);
  if (page->extra) {
    further(page, ", peak ", page->extra->peak_w, "W");
    further(page, ", idle ", page->extra->idle_w, "W");
  }
  budget(page, page->result->power_w.value, page->options->budget_w, "W");
  sloe_text_add(page->text, "\n");
  label(page, "energy");
  figure(page, &page->result->energy_mj, "mJ");
  if (!isnan(page->result->energy_mj.value)) sloe_text_add(page->text, " an inference");
  if (page->extra) further(page, ", ", page->extra->dynamic_mj, "mJ above idle");
  sloe_text_add(page->text, "\n");
}

/* "   weights 12 MB, activations 3 MB, workspace 8 MB" */
static void memory_parts(const sloe_sheet *page) {
  const sloe_measured_extra *extra = page->extra;
  if (!extra || isnan(extra->weights_mb)) return;
  further(page, "   weights ", extra->weights_mb, "MB");
  further(page, ", activations ", extra->activations_mb, "MB");
  further(page, ", workspace ", extra->workspace_mb, "MB");
}

static void memory_line(const sloe_sheet *page) {
  char buf[SLOE_HUMAN_BUF];
  const sloe_result *result = page->result;
  label(page, "memory");
  figure(page, &result->memory_mb, "MB");
  if (*result->memory_kind && !isnan(result->memory_mb.value))
    sloe_text_addf(page->text, " (%s)", result->memory_kind);
  memory_parts(page);
  if (result->fits >= 0) {
    sloe_text_add(page->text, "   ");
    sloe_text_styled(page->text, page->options, result->fits ? SLOE_STYLE_GOOD : SLOE_STYLE_BAD,
                     result->fits ? "fits into" : "does not fit into");
    sloe_text_addf(page->text, " the board's %s MB", sloe_human_number(page->card->memory_mb, buf));
  }
  budget(page, result->memory_mb.value, page->options->budget_mb, "MB");
  sloe_text_add(page->text, "\n");
}

static void question_line(const sloe_sheet *page) {
  const sloe_card *card = page->card;
  char shape[SLOE_HUMAN_SHAPE_BUF];
  label(page, "question");
  sloe_text_addf(page->text, "batch %" PRId64, sloe_net_get_info(page->net)->batch);
  if (page->info->n_inputs)
    sloe_text_addf(page->text, " (%s)", sloe_human_shape(&page->info->inputs[0].shape, shape));
  sloe_text_addf(page->text, ", %s, power mode ", sloe_precision_name(card->precision));
  sloe_text_name(page->text, *card->mode ? card->mode : "not stated");
  sloe_text_addf(page->text, "%s, transfers %s\n", card->default_mode ? " (the default)" : "",
                 card->transfers ? "included" : "excluded");
}

static const char *source_text(sloe_source source) {
  switch (source) {
#define SOURCE_TEXT(name, text, doc) \
  case SLOE_SOURCE_##name: return text ": " doc;
    SLOE_SOURCE_MAP(SOURCE_TEXT)
#undef SOURCE_TEXT
  }
  return "unknown";
}

static void note_lines(const sloe_sheet *page) {
  for (size_t i = 0; i < page->result->n_warnings; i++) {
    label(page, i ? "" : "note");
    sloe_text_name(page->text, page->result->warnings[i]);
    sloe_text_add(page->text, "\n");
  }
}

/* Whole networks learned from were left out a part at a time, or a kind. */
static void validated_line(const sloe_sheet *page, const sloe_figure *latency) {
  char buf[SLOE_HUMAN_BUF];
  if (isnan(latency->validated_mape)) {
    sloe_text_add(page->text, "never validated against measurements");
    return;
  }
  sloe_text_addf(page->text, "validated: mean error %s %% on ",
                 sloe_human_number(latency->validated_mape, buf));
  if (latency->validated_n > 0)
    sloe_text_addf(page->text, "%.0f networks, %s", latency->validated_n,
                   latency->in_domain ? "cross-validation" : "kinds left out");
  else
    sloe_text_name(page->text,
                   *page->card->validated_on ? page->card->validated_on : "held-out networks");
}

static void source_lines(const sloe_sheet *page) {
  const sloe_figure *latency = &page->result->latency_ms;
  label(page, "platform");
  sloe_text_name(page->text, page->card->name);
  sloe_text_add(page->text, "\n");
  label(page, "source");
  sloe_text_addf(page->text, "%s\n", source_text(latency->source));
  if (latency->source == SLOE_SOURCE_MEASURED) {
    note_lines(page);
    return;
  }
  label(page, "");
  validated_line(page, latency);
  if (latency->source != SLOE_SOURCE_DATASHEET)
    sloe_text_add(page->text, latency->in_domain ? "; the question lies inside what was measured"
                                                 : "; the question lies outside what was measured");
  sloe_text_add(page->text, "\n");
  note_lines(page);
}

/* "61 % of the time is bound by arithmetic, 30 % by memory, 9 % by launches" */
static void bound_line(const sloe_sheet *page) {
  static const char *const words[] = {"nothing known", "arithmetic", "memory", "launches"};
  double parts[sizeof words / sizeof *words] = {0};
  for (size_t i = 0; i < page->result->n_layers; i++)
    if (page->result->layers[i].share > 0)
      parts[page->result->layers[i].bound] += page->result->layers[i].share;
  label(page, "bound by");
  const char *comma = "";
  for (size_t i = 1; i < sizeof words / sizeof *words; i++) {
    if (!(parts[i] >= 0.005)) continue;
    sloe_text_addf(page->text, "%s%s %.0f %%", comma, words[i], 100 * parts[i]);
    comma = ", ";
  }
  if (!*comma) sloe_text_add(page->text, "unknown");
  sloe_text_addf(page->text, " of the time, %zu layers\n", page->result->n_layers);
}

static void single_page(const sloe_sheet *page) {
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, page->info->name);
  sloe_text_add(page->text, " on ");
  sloe_text_styled(page->text, page->options, SLOE_STYLE_BOLD, page->card->title);
  sloe_text_add(page->text, "\n");
  latency_line(page);
  runs_line(page);
  power_lines(page);
  memory_line(page);
  if (page->result->latency_ms.source != SLOE_SOURCE_DATASHEET)
    sum_line(page);
  else if (page->result->n_layers)
    bound_line(page);
  question_line(page);
  source_lines(page);
  if (page->options->layers) sloe_sheet_layers(page);
}

sloe_status sloe_report_answers(const sloe_answer *answers, size_t n,
                                const sloe_report_options *options, char **text, sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON)
    return sloe_answers_json(answers, n, options->list, text, err);
  if (options->format == SLOE_FORMAT_CSV) return sloe_answers_csv(answers, n, options, text, err);
  sloe_text out = {0};
  if (n > 1 && !options->layers) {
    sloe_compare_answers(answers, n, options, &out);
    return sloe_text_take(&out, text, err);
  }
  for (size_t i = 0; i < n; i++) {
    sloe_sheet page = sloe_sheet_of(&out, options, &answers[i]);
    if (i) sloe_text_add(&out, "\n");
    single_page(&page);
  }
  return sloe_text_take(&out, text, err);
}

sloe_status sloe_report_estimates(const sloe_estimate *const *estimates, size_t n,
                                  const sloe_report_options *options, char **text,
                                  sloe_error *err) {
  *text = NULL;
  sloe_answer *answers = sloe_alloc(n, sizeof *answers);
  if (!answers) return sloe_fail(err, SLOE_NOMEM, "out of memory writing the answer");
  for (size_t i = 0; i < n; i++) answers[i] = sloe_estimate_answer(estimates[i]);
  sloe_status status = sloe_report_answers(answers, n, options, text, err);
  sloe_dealloc(answers);
  return status;
}
