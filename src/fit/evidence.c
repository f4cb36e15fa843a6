/* evidence.c: judging candidates by likelihood, choosing points by what they would tell.
 *
 * Idea. The paper compares sums of squared errors by fixed thresholds (eqs. 4-9). But how large an
 * error counts depends on how well the points were measured, and the samples say that: a residual
 * is counted in standard errors. The cost of a candidate is -2 ln(likelihood) under normal noise,
 *
 *   cost = offset + history + sum over points min-ish(((y - f) / (error y))^2, outlier_cost)
 *
 * "min-ish": each candidate may set points aside for outlier_cost each, if that lowers its cost,
 * the fit being repeated without them (the paper's vote of the majority, eqs. 6 and 7, becomes a
 * vote of each candidate about its own outliers; they return by themselves when the next judgement
 * starts afresh). A quarter of the points at most, and never so many that the rest proves nothing.
 *
 * A candidate whose cost exceeds the best one's by `cut` is out for now. It is over when no rival
 * is left, or when all that are left describe the same curve: a difference below `agree` is none.
 *
 * Occam. Shapes beyond the paper's two have more coefficients, hence always fit a little better;
 * extension_cost is what they must gain first. As it exceeds the cut, they are neither rivals nor
 * computed until the simple shapes fit badly. Where small x may be special (START, FLOOR), the
 * first line of a dimension measures there in any case: nothing else would tell.
 *
 * The next point is where the answers of the candidates are spread over most distinguishable
 * values: predictions at x are sorted into bins of `bin` standard errors, weighted by the
 * candidates' likelihoods at a raised temperature (`heat`: nobody is written off early), and the
 * entropy of the bins is the information that a measurement at x would bring. It is the paper's
 * criterion U (distinct values) with distinctness as the noise sees it; R and D (range, distance)
 * come for free.
 */
#include <math.h>
#include <string.h>

#include "fit/ensemble.h"

static int simple(const sloe_fit_candidate *c) {
  return c->kind == SLOE_FIT_LINEAR || c->kind == SLOE_FIT_STEP || c->kind == SLOE_FIT_ANY_WIDTH;
}

/* -2 ln(likelihood) of `n` residuals whose squares, in standard errors, have this sum. */
static double cost_of(double sum, double n, double trust) {
  return (trust + n) * log1p(sum / trust);
}

static void judge(sloe_fit_candidate *c, const sloe_fit_points *p, const sloe_fit_params *k,
                  double hopeless) {
  size_t needs = sloe_fit_candidate_needs(c), most = p->n / 4, n_out = 0;
  double base = c->offset + c->history, values = (double)p->values;
  double outlier_cost = k->outlier_cost * values;
  double sum = sloe_fit_candidate_fit(c, p, c->out = 0);
  double cost = cost_of(sum, values * (double)p->n, k->trust);
  while (n_out < most && p->n > needs + n_out + 1 && cost > outlier_cost) {
    if (base + outlier_cost > hopeless) break;
    double without, left = values * (double)(p->n - n_out - 1);
    size_t which = sloe_fit_candidate_misfit(c, p, c->out, sum, &without);
    if (which == p->n || cost_of(without, left, k->trust) + outlier_cost >= cost) break;
    c->out |= UINT64_C(1) << which;
    sum = sloe_fit_candidate_fit(c, p, c->out);
    cost = cost_of(sum, left, k->trust);
    base += outlier_cost;
    n_out++;
  }
  c->cost = base + cost;
  c->scale = sqrt(fmax(1, (k->trust + sum) / (k->trust + values * (double)(p->n - n_out))));
}

static const sloe_fit_candidate *judge_some(sloe_fit_line *line, int simple_ones,
                                            const sloe_fit_candidate *best) {
  const sloe_fit_params *k = line->params;
  for (size_t i = 0; i < line->ensemble.n; i++) {
    sloe_fit_candidate *c = &line->ensemble.candidate[i];
    if (simple(c) != simple_ones) continue;
    double hopeless = best ? best->cost + k->cut * 3 : INFINITY;
    judge(c, &line->points, k, hopeless);
    if (!best || c->cost < best->cost) best = c;
  }
  return best;
}

/* The largest relative difference of two fits over the axis is below `agree`. */
static int same_curve(const sloe_fit_line *line, const sloe_fit_candidate *a,
                      const sloe_fit_candidate *b) {
  size_t n = sloe_fit_grid_size(&line->axis);
  for (size_t k = 0; k < n; k++) {
    int64_t x = sloe_fit_grid_at(&line->axis, k);
    for (size_t v = 0; v < line->points.values; v++) {
      double p = sloe_fit_candidate_at(a, v, x), q = sloe_fit_candidate_at(b, v, x);
      if (!(fabs(p - q) <= line->params->agree * fabs(p))) return 0;
    }
  }
  return 1;
}

sloe_fit_verdict sloe_fit_evidence_judge(sloe_fit_line *line) {
  const sloe_fit_params *k = line->params;
  const sloe_fit_candidate *best = judge_some(line, 1, NULL);
  int extend = !best || best->cost + k->cut > k->extension_cost;
  if (extend) best = judge_some(line, 0, best);
  sloe_fit_verdict verdict = {.best = best, .decided = 1};
  for (size_t i = 0; i < line->ensemble.n; i++) {
    sloe_fit_candidate *c = &line->ensemble.candidate[i];
    c->gone = !extend && !simple(c);
    if (c->gone || c == best || c->cost > best->cost + k->cut) continue;
    if (verdict.decided) verdict.decided = same_curve(line, best, c);
  }
  return verdict;
}

/* ---- the next point ---------------------------------------------------------------------- */

enum { BINS = 257 };

typedef struct rival {
  const sloe_fit_candidate *c;
  double weight;
} rival;

static double entropy(const double *weights, double total) {
  double sum = 0;
  for (size_t i = 0; i < BINS; i++)
    if (weights[i] > 0) sum -= weights[i] * log(weights[i] / total);
  return sum / total;
}

static double tells(const sloe_fit_line *line, const rival *rivals, size_t n, int64_t x,
                    double width) {
  double most = 0, weights[BINS];
  for (size_t v = 0; v < line->points.values; v++) {
    double total = 0, centre = sloe_fit_candidate_at(rivals[0].c, v, x);
    double scale = 1 / (width * fmax(fabs(centre), 1e-300));
    memset(weights, 0, sizeof weights);
    for (size_t i = 0; i < n; i++) {
      double at = (sloe_fit_candidate_at(rivals[i].c, v, x) - centre) * scale;
      at = !(at > -127) ? -127 : at > 127 ? 127 : at; /* NAN, where times overflow, too */
      weights[(size_t)(at + 128.5)] += rivals[i].weight;
      total += rivals[i].weight;
    }
    most = fmax(most, entropy(weights, total));
  }
  return most;
}

/* The best first, then all that still count. */
static size_t gather(const sloe_fit_line *line, const sloe_fit_candidate *best, rival *rivals,
                     size_t room) {
  size_t n = 0;
  rivals[n++] = (rival){best, 1};
  for (size_t i = 0; i < line->ensemble.n && n < room; i++) {
    const sloe_fit_candidate *c = &line->ensemble.candidate[i];
    double behind = c->cost - best->cost;
    if (c == best || c->gone || behind > 2 * line->params->cut) continue;
    rivals[n++] = (rival){c, exp(-behind / (2 * line->params->heat))};
  }
  return n;
}

static double nearness(const sloe_fit_line *line, int64_t x) {
  double nearest = 1, span = (double)(line->axis.hi - line->axis.lo);
  for (size_t i = 0; i < line->points.n; i++)
    nearest = fmin(nearest, fabs((double)(line->points.x[i] - x)) / span);
  return nearest;
}

int64_t sloe_fit_evidence_next(sloe_fit_line *line, const sloe_fit_candidate *best) {
  rival rivals[1024];
  size_t n = gather(line, best, rivals, sizeof rivals / sizeof *rivals);
  double error = line->params->noise, most = -1;
  if (line->points.n) error = line->points.error[0];
  for (size_t i = 1; i < line->points.n; i++) error = fmin(error, line->points.error[i]);
  error *= best->scale;
  int64_t next = 0;
  size_t stride =
      n > 64 ? 4 : 1; /* while nearly everything is possible, nearly any point will do */
  for (size_t k = 0; k < sloe_fit_grid_size(&line->axis); k += stride) {
    int64_t x = sloe_fit_grid_at(&line->axis, k);
    if (sloe_fit_line_taken(line, x)) continue;
    double score = tells(line, rivals, n, x, line->params->bin * error);
    score += 0.01 * nearness(line, x); /* of equals the one that is farther from all others */
    if (score > most) {
      most = score;
      next = x;
    }
  }
  return next;
}

/* What this line has learnt of the axis, for the lines beside it: a shape that was bad here starts
   the next one with that against it, `carry` at most. In the sum every coefficient pays 2 a line
   (Akaike), or the freest shape would win by following the noise of each. */
void sloe_fit_evidence_remember(sloe_fit_line *line, const sloe_fit_candidate *best) {
  double usual = best->cost - best->offset - best->history, least = INFINITY;
  double carry = line->params->carry;
  for (size_t i = 0; i < line->ensemble.n; i++) {
    sloe_fit_candidate *c = &line->ensemble.candidate[i];
    double here = c->gone ? usual : c->cost - c->offset - c->history;
    here += 2 * (double)(sloe_fit_candidate_needs(c) * line->points.values);
    c->history += here;
    c->total += fmin(here, usual + 10 * line->params->cut);
    least = fmin(least, c->history);
  }
  for (size_t i = 0; i < line->ensemble.n; i++) {
    sloe_fit_candidate *c = &line->ensemble.candidate[i];
    c->history = carry < 0 ? 0 : fmin(c->history - least, carry);
  }
}
