#include "report/report_fitted.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "dense"; of a binary op what its second operand is. */
static const char *grouping_text(int32_t op, int32_t grouping) {
  static const char *const groupings[] = {"dense", "depthwise", "grouped"};
  static const char *const operands[] = {
#define OPERAND_TEXT(id, text, doc) text,
      SLOE_SPEC_WITH_MAP(OPERAND_TEXT)
#undef OPERAND_TEXT
  };
  switch (op) {
    case SLOE_SPEC_BINARY: return operands[grouping];
    case SLOE_SPEC_RESIZE: return grouping ? "linear" : "nearest";
    case SLOE_SPEC_CONCAT: return grouping ? "mixed" : "alike";
    default: return groupings[grouping];
  }
}

static const char *op_text(int32_t op) {
  return sloe_spec_op_text((sloe_spec_op)op);
}

/* ---- JSON ---- */

static json_t *ints_json(const int32_t *values, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) array = sloe_json_append(array, json_integer(values[i]));
  return array;
}

static json_t *floats_json(const float *values, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) array = sloe_json_append(array, sloe_json_number(values[i]));
  return array;
}

static json_t *doubles_json(const double *values, size_t n) {
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) array = sloe_json_append(array, sloe_json_number(values[i]));
  return array;
}

static json_t *dims_json(const sloe_stair_model *stair) {
  json_t *array = json_array();
  for (size_t d = 0; d < stair->n_dims; d++) {
    const sloe_stair *shape = &stair->shape[d];
    sloe_json json = sloe_json_new();
    sloe_json_set(&json, "lo", json_integer(stair->lo[d]));
    sloe_json_set(&json, "hi", json_integer(stair->hi[d]));
    sloe_json_set(&json, "width", json_integer(shape->width));
    sloe_json_set(&json, "outer", json_integer(shape->outer));
    sloe_json_set(&json, "slope", json_integer(shape->slope));
    sloe_json_set(&json, "start", json_integer(shape->start));
    sloe_json_set(&json, "change", json_integer(shape->change));
    array = sloe_json_append(array, sloe_json_take(&json));
  }
  return array;
}

static json_t *families_json(const sloe_fitted *fitted) {
  json_t *array = json_array();
  for (size_t i = 0; i < fitted->n_families; i++) {
    const sloe_fitted_family *family = &fitted->families[i];
    const sloe_layer_key *key = &family->key;
    sloe_json json = sloe_json_new();
    sloe_json_set(&json, "op", json_string(op_text(key->op)));
    sloe_json_set(&json, "grouping", json_string(grouping_text(key->op, key->grouping)));
    sloe_json_set(&json, "kernel", ints_json(key->kernel, 2));
    sloe_json_set(&json, "stride", ints_json(key->stride, 2));
    sloe_json_set(&json, "points", json_integer(family->points));
    sloe_json_set(&json, "floor", sloe_json_number(family->stair.floor));
    sloe_json_set(&json, "dims", dims_json(&family->stair));
    sloe_json_set(&json, "coefficients", doubles_json(family->stair.coef, family->stair.n_coefs));
    array = sloe_json_append(array, sloe_json_take(&json));
  }
  return array;
}

/* Two hexadecimal digits a tree; trees that only fill up are left out. */
static json_t *row_json(const uint8_t *row, size_t n_trees) {
  char text[2 * SLOE_FOREST_TREES + 1] = "";
  for (size_t t = 0; t < n_trees; t++) snprintf(text + 2 * t, 3, "%02x", row[t]);
  return json_string(text);
}

static json_t *rows_json(const sloe_forest *forest) {
  json_t *array = json_array();
  if (!forest->n_trees) return array;
  size_t n = sloe_forest_thresholds(forest) + forest->n_features;
  size_t stride = sloe_forest_row_bytes(forest) / n;
  for (size_t i = 0; i < n; i++)
    array = sloe_json_append(array, row_json(forest->row + i * stride, forest->n_trees));
  return array;
}

static json_t *leaves_json(const sloe_forest *forest) {
  json_t *array = json_array();
  size_t leaves = (size_t)1 << forest->depth;
  for (size_t t = 0; t < forest->n_trees; t++)
    array = sloe_json_append(array, floats_json(forest->leaf + t * leaves, leaves));
  return array;
}

static json_t *forest_json(const sloe_forest *forest) {
  int32_t first[SLOE_FOREST_FEATURES + 1];
  for (size_t i = 0; i <= forest->n_features; i++) first[i] = (int32_t)forest->first[i];
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "features", json_integer(forest->n_features));
  sloe_json_set(&json, "trees", json_integer(forest->n_trees));
  sloe_json_set(&json, "depth", json_integer(forest->depth));
  sloe_json_set(&json, "base", sloe_json_number(forest->base));
  sloe_json_set(&json, "first", ints_json(first, forest->n_features + 1));
  sloe_json_set(&json, "thresholds",
                floats_json(forest->threshold, sloe_forest_thresholds(forest)));
  sloe_json_set(&json, "rows", rows_json(forest));
  sloe_json_set(&json, "leaves", leaves_json(forest));
  return sloe_json_take(&json);
}

static json_t *node_json(const sloe_tree_node *node) {
  json_t *array = json_array();
  array = sloe_json_append(array, sloe_json_number((double)node->threshold));
  array = sloe_json_append(array, json_integer(node->left));
  array = sloe_json_append(array, json_integer(node->input));
  return sloe_json_append(array, sloe_json_number((double)node->value));
}

static json_t *odds_json(const sloe_fitted_odds *odds) {
  const sloe_learned_trees *trees = &odds->trees;
  if (!trees->n_trees) return forest_json(&odds->forest);
  json_t *first = json_array(), *nodes = json_array();
  for (size_t i = 0; i <= trees->n_trees; i++)
    first = sloe_json_append(first, json_integer(trees->first[i]));
  for (size_t i = 0; i < trees->n_nodes; i++)
    nodes = sloe_json_append(nodes, node_json(&trees->node[i]));
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "trees", json_integer(trees->n_trees));
  sloe_json_set(&json, "base", sloe_json_number(trees->base));
  sloe_json_set(&json, "factor", sloe_json_number(trees->factor));
  sloe_json_set(&json, "first", first);
  sloe_json_set(&json, "nodes", nodes);
  return sloe_json_take(&json);
}

static json_t *acts_json(const sloe_fitted_op *op) {
  sloe_json json = sloe_json_new();
  for (int i = 0; i < SLOE_SPEC_ACT_COUNT; i++)
    sloe_json_set(&json, sloe_spec_act_text((sloe_spec_act)i), sloe_json_number(op->act_ns[i]));
  return sloe_json_take(&json);
}

static json_t *proposed_json(const sloe_fitted_op *op) {
  json_t *array = json_array();
  for (size_t i = 0; i < op->n_proposed; i++)
    array = sloe_json_append(array, odds_json(&op->proposed[i]));
  return array;
}

static json_t *mlp_json(const sloe_fitted_mlp *mlp) {
  static const char *const activations[] = {"identity", "logistic", "tanh", "relu"};
  const sloe_learned_mlp *body = &mlp->body;
  int32_t numbers[SLOE_LAYER_INPUTS];
  sloe_json json = sloe_json_new();
  for (uint32_t i = 0; i <= body->n_layers; i++) numbers[i] = (int32_t)body->width[i];
  sloe_json_set(&json, "widths", ints_json(numbers, body->n_layers + 1));
  sloe_json_set(&json, "activation", json_string(activations[body->activation]));
  sloe_json_set(&json, "units", sloe_json_number(mlp->units));
  for (uint32_t i = 0; i < body->width[0]; i++) numbers[i] = (int32_t)mlp->input[i];
  sloe_json_set(&json, "inputs", ints_json(numbers, body->width[0]));
  sloe_json_set(&json, "lo", floats_json(mlp->lo, body->width[0]));
  sloe_json_set(&json, "hi", floats_json(mlp->hi, body->width[0]));
  sloe_json_set(&json, "least", sloe_json_number(mlp->least));
  sloe_json_set(&json, "most", sloe_json_number(mlp->most));
  json_t *weights = json_array();
  for (uint32_t i = 0; i < mlp->n_bodies; i++)
    weights = sloe_json_append(
        weights, floats_json(body->weight + (size_t)i * body->n_weights, body->n_weights));
  sloe_json_set(&json, "weights", weights);
  return sloe_json_take(&json);
}

static json_t *ops_json(const sloe_fitted *fitted) {
  json_t *array = json_array();
  for (size_t i = 0; i < fitted->n_ops; i++) {
    const sloe_fitted_op *op = &fitted->ops[i];
    sloe_json json = sloe_json_new();
    sloe_json_set(&json, "op", json_string(op_text(op->op)));
    sloe_json_set(&json, "grouping", json_string(grouping_text(op->op, op->grouping)));
    sloe_json_set(&json, "p75", sloe_json_number(op->p75));
    sloe_json_set(&json, "p97_5", sloe_json_number(op->p97_5));
    sloe_json_set(&json, "error_90", sloe_json_number(op->error_90));
    sloe_json_set(&json, "add_ns", sloe_json_number(op->add_ns));
    sloe_json_set(&json, "act_ns", acts_json(op));
    sloe_json_set(&json, "lo", floats_json(op->lo, SLOE_LAYER_FEATURES));
    sloe_json_set(&json, "hi", floats_json(op->hi, SLOE_LAYER_FEATURES));
    sloe_json_set(&json, "forest", forest_json(&op->forest));
    sloe_json_set(&json, "proposed", proposed_json(op));
    sloe_json_set(&json, "transform_bytes", sloe_json_number(op->transform_bytes));
    if (op->transform_bytes > 0) sloe_json_set(&json, "transformed", odds_json(&op->transformed));
    if (op->mlp.body.n_layers) sloe_json_set(&json, "mlp", mlp_json(&op->mlp));
    array = sloe_json_append(array, sloe_json_take(&json));
  }
  return array;
}

static json_t *errors_json(const sloe_fitted_errors *errors) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "n", sloe_json_number(errors->n));
  sloe_json_set(&json, "mape", sloe_json_number(errors->mape));
  sloe_json_set(&json, "rmspe", sloe_json_number(errors->rmspe));
  sloe_json_set(&json, "max_ape", sloe_json_number(errors->max_ape));
  sloe_json_set(&json, "noise_mape", sloe_json_number(errors->noise_mape));
  return sloe_json_take(&json);
}

static json_t *all_errors_json(const sloe_fitted *fitted) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "layers", errors_json(&fitted->layer_errors));
  sloe_json_set(&json, "networks", errors_json(&fitted->network_errors));
  sloe_json_set(&json, "memory", errors_json(&fitted->memory_errors));
  sloe_json_set(
      &json, "power",
      sloe_fitted_knows_power(&fitted->power) ? errors_json(&fitted->power_errors) : json_null());
  return sloe_json_take(&json);
}

static json_t *network_json(const sloe_fitted_network *network) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "scale", sloe_json_number(network->scale));
  sloe_json_set(&json, "per_layer_ms", sloe_json_number(network->per_layer_ms));
  sloe_json_set(&json, "per_mb_ms", sloe_json_number(network->per_mb_ms));
  sloe_json_set(&json, "per_reorder", sloe_json_number(network->per_reorder));
  sloe_json_set(&json, "error_90", sloe_json_number(network->error_90));
  sloe_json_set(&json, "memory_scale", sloe_json_number(network->memory_scale));
  sloe_json_set(&json, "memory_offset_mb", sloe_json_number(network->memory_offset_mb));
  sloe_json_set(&json, "memory_error_90", sloe_json_number(network->memory_error_90));
  return sloe_json_take(&json);
}

static json_t *power_json(const sloe_fitted_power *power) {
  if (!sloe_fitted_knows_power(power)) return json_null();
  sloe_json json = sloe_json_new();
#define ADD_TERM(name, doc) \
  sloe_json_set(&json, #name, sloe_json_number(power->coef[SLOE_POWER_##name]));
  SLOE_POWER_TERM_MAP(ADD_TERM)
#undef ADD_TERM
  sloe_json_set(&json, "error_90", sloe_json_number(power->error_90));
  return sloe_json_take(&json);
}

static json_t *environment_json(const sloe_fitted *fitted) {
  sloe_json json = sloe_json_new();
  for (size_t i = 0; i < fitted->n_environment; i++)
    sloe_json_set(&json, fitted->environment[i][0], sloe_json_string(fitted->environment[i][1]));
  return sloe_json_take(&json);
}

json_t *sloe_fitted_json(const sloe_fitted *fitted) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "reference_ms", sloe_json_number(fitted->reference_ms));
  sloe_json_set(&json, "points", sloe_json_number(fitted->points));
  sloe_json_set(&json, "seconds", sloe_json_number(fitted->seconds));
  sloe_json_set(&json, "created", sloe_json_text(fitted->created));
  sloe_json_set(&json, "tool", sloe_json_text(fitted->tool));
  sloe_json_set(&json, "seed", sloe_json_text(fitted->seed));
  sloe_json_set(&json, "environment", environment_json(fitted));
  sloe_json_set(&json, "errors", all_errors_json(fitted));
  sloe_json_set(&json, "network", network_json(&fitted->network));
  sloe_json_set(&json, "memory_of", sloe_json_text(fitted->memory_buffers ? "buffers" : ""));
  sloe_json_set(&json, "power", power_json(&fitted->power));
  sloe_json_set(&json, "families", families_json(fitted));
  sloe_json_set(&json, "ops", ops_json(fitted));
  return sloe_json_take(&json);
}

/* ---- tables ---- */

static void print_table(sloe_table *table, const sloe_report_options *options, sloe_text *text) {
  sloe_text_add(text, "\n");
  sloe_table_print(table, options, 2, text);
  sloe_table_fini(table);
}

static void add_number(sloe_table *table, double value) {
  char number[SLOE_HUMAN_BUF];
  sloe_table_add(table, sloe_human_number(value, number));
}

static void add_errors(sloe_table *table, const char *what, const sloe_fitted_errors *errors) {
  char number[SLOE_HUMAN_BUF];
  if (!(errors->n > 0)) return;
  sloe_table_add(table, what);
  sloe_table_add(table, sloe_human_plain(errors->n, number));
  add_number(table, errors->mape);
  add_number(table, errors->rmspe);
  add_number(table, errors->max_ape);
  add_number(table, errors->noise_mape);
}

static void error_table(const sloe_fitted *fitted, const sloe_report_options *options,
                        sloe_text *text) {
  static const sloe_column columns[] = {{"held-out error", 0, 0, 0}, {"n", 1, 0, 0},
                                        {"mean %", 1, 0, 0},         {"rms %", 1, 0, 0},
                                        {"largest %", 1, 0, 0},      {"noise %", 1, 0, 0}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  add_errors(&table, "layers", &fitted->layer_errors);
  add_errors(&table, "networks", &fitted->network_errors);
  add_errors(&table, "memory", &fitted->memory_errors);
  add_errors(&table, "power", &fitted->power_errors);
  if (table.n_cells || table.failed)
    print_table(&table, options, text);
  else
    sloe_table_fini(&table);
}

enum { PART_BUF = 100, ALL_PARTS_BUF = PART_BUF * SLOE_STAIR_DIMS };

/* "8", "8 in 64", "8 + line", "line", "flat". */
static void shape_text(const sloe_stair *shape, char buf[PART_BUF]) {
  char outer[24] = "", start[24] = "", change[24] = "";
  if (shape->outer) snprintf(outer, sizeof outer, " in %d", (int)shape->outer);
  if (shape->start) snprintf(start, sizeof start, " from %d", (int)shape->start);
  if (shape->change) snprintf(change, sizeof change, " till %d", (int)shape->change);
  if (shape->width)
    snprintf(buf, PART_BUF, "%d%s%s%s%s", (int)shape->width, outer, shape->slope ? " + line" : "",
             start, change);
  else
    snprintf(buf, PART_BUF, "%s%s", shape->slope ? "line" : "flat", change);
}

/* The parts of all dimensions, one behind the other. */
static void join(char *out, size_t size, const char *separator, const char *part) {
  size_t len = strlen(out);
  snprintf(out + len, size - len, "%s%s", len ? separator : "", part);
}

static void family_row(sloe_table *table, const sloe_fitted_family *family) {
  const sloe_layer_key *key = &family->key;
  const sloe_stair_model *stair = &family->stair;
  char domain[ALL_PARTS_BUF] = "", steps[ALL_PARTS_BUF] = "", part[PART_BUF];
  for (size_t d = 0; d < stair->n_dims; d++) {
    snprintf(part, sizeof part, "%lld..%lld", (long long)stair->lo[d], (long long)stair->hi[d]);
    join(domain, sizeof domain, " x ", part);
    shape_text(&stair->shape[d], part);
    join(steps, sizeof steps, ", ", part);
  }
  sloe_table_add(table, op_text(key->op));
  sloe_table_add(table, grouping_text(key->op, key->grouping));
  sloe_table_addf(table, "%dx%d", (int)key->kernel[0], (int)key->kernel[1]);
  sloe_table_addf(table, "%dx%d", (int)key->stride[0], (int)key->stride[1]);
  sloe_table_addf(table, "%u", (unsigned)family->points);
  sloe_table_add(table, domain);
  sloe_table_add(table, steps);
}

static void family_table(const sloe_fitted *fitted, const sloe_report_options *options,
                         sloe_text *text) {
  static const sloe_column columns[] = {
      {"family", 0, 0, 0}, {"", 0, 0, 0},       {"kernel", 0, 0, 0}, {"stride", 0, 0, 0},
      {"points", 1, 0, 0}, {"domain", 0, 1, 0}, {"steps", 0, 1, 0}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < fitted->n_families; i++) family_row(&table, &fitted->families[i]);
  print_table(&table, options, text);
}

static void op_table(const sloe_fitted *fitted, const sloe_report_options *options,
                     sloe_text *text) {
  static const sloe_column columns[] = {
      {"correction", 0, 0, 0}, {"", 0, 0, 0},        {"trees", 1, 0, 0},      {"depth", 1, 0, 0},
      {"p75 %", 1, 0, 0},      {"p97.5 %", 1, 0, 0}, {"90 % within", 1, 0, 0}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < fitted->n_ops; i++) {
    const sloe_fitted_op *op = &fitted->ops[i];
    sloe_table_add(&table, op_text(op->op));
    sloe_table_add(&table, grouping_text(op->op, op->grouping));
    sloe_table_addf(&table, "%u", (unsigned)op->forest.n_trees);
    sloe_table_addf(&table, "%u", (unsigned)op->forest.depth);
    add_number(&table, op->p75 * 100);
    add_number(&table, op->p97_5 * 100);
    add_number(&table, expm1(op->error_90) * 100);
  }
  print_table(&table, options, text);
}

static void environment_table(const sloe_fitted *fitted, const sloe_report_options *options,
                              sloe_text *text) {
  static const sloe_column columns[] = {{"environment", 0, 0, 0}, {"", 0, 1, 0}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < fitted->n_environment; i++) {
    sloe_table_add(&table, fitted->environment[i][0]);
    sloe_table_add(&table, fitted->environment[i][1]);
  }
  print_table(&table, options, text);
}

void sloe_fitted_tables(const sloe_fitted *fitted, const sloe_report_options *options,
                        sloe_text *text) {
  if (sloe_fitted_has_layers(fitted)) error_table(fitted, options, text);
  if (fitted->n_families) family_table(fitted, options, text);
  if (fitted->n_ops) op_table(fitted, options, text);
  if (fitted->n_environment) environment_table(fitted, options, text);
}
