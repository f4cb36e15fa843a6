/* Bytes -> a platform file, text or binary.
 *
 * Property: status and handle agree; a refusal has a message and an offset inside the input; twice
 * gives the same answer; every platform of an accepted file is reported. A data sheet gives times
 * that are finite and ordered low <= value <= high for layers from nothing to saturated counts, and
 * an estimate of a small net whose figures are finite or unknown and whose shares add up. A fitted
 * platform gives finite times wherever its families and corrections are asked.
 *
 * A binary file is tried as it is and with its length and checksum put right, which no mutation
 * would ever find.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "net/net.h"
#include "platform/fitted_format.h"
#include "sloe/sloe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok) {
  if (!ok) __builtin_trap();
}

static void check_roofline(const sloe_roofline *roof) {
  static const double counts[] = {0, 1, 1e6, 3.6e9, 1.8446744073709552e19};
  for (int work = 0; work < SLOE_WORK_COUNT; work++)
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
      sloe_roofline_work layer = {(sloe_work)work, counts[i], counts[4 - i], counts[i], i & 1};
      sloe_roofline_time t = sloe_roofline_eval(roof, &layer);
      check(isfinite(t.low_s) && isfinite(t.value_s) && isfinite(t.high_s));
      check(0 <= t.low_s && t.low_s <= t.value_s && t.value_s <= t.high_s);
    }
}

static sloe_tid add_tensor(sloe_net *net, const char *name, int rank, const int64_t *dims,
                           unsigned flags) {
  sloe_tid t;
  check(sloe_net_add_tensor(net, name, &t, NULL) == SLOE_OK);
  net->tensors[t].dtype = SLOE_DT_FLOAT;
  net->tensors[t].flags |= flags;
  net->tensors[t].shape.rank = rank;
  for (int i = 0; i < rank; i++) net->tensors[t].shape.dim[i] = dims[i];
  return t;
}

static sloe_tid add_node(sloe_net *net, const char *type, sloe_tid a, sloe_tid b) {
  sloe_tid in[2] = {a, b}, out;
  check(sloe_net_add_tensor(net, type, &out, NULL) == SLOE_OK);
  sloe_node_spec spec = {
      .type = type, .name = type, .in = in, .out = &out, .n_in = b < 0 ? 1 : 2, .n_out = 1};
  check(sloe_net_add_node(net, &net->graph, &spec, NULL) == SLOE_OK);
  return out;
}

/* conv, relu, flatten, matmul, and an operator that is not known; made once. */
static const sloe_net *small_net(void) {
  static sloe_net *net;
  if (net) return net;
  check(sloe_net_new(0, &net, NULL) == SLOE_OK);
  net->opset = 17;
  sloe_tid x = add_tensor(net, "x", 4, (int64_t[]){1, 3, 8, 8}, 0);
  sloe_tid w = add_tensor(net, "w", 4, (int64_t[]){4, 3, 3, 3}, SLOE_T_INIT);
  sloe_tid m = add_tensor(net, "m", 2, (int64_t[]){144, 10}, SLOE_T_INIT);
  check(sloe_graph_add_input(net, &net->graph, x, NULL) == SLOE_OK);
  sloe_tid y = add_node(net, "Flatten", add_node(net, "Relu", add_node(net, "Conv", x, w), -1), -1);
  y = add_node(net, "Strange", add_node(net, "MatMul", y, m), -1);
  check(sloe_graph_add_output(net, &net->graph, y, NULL) == SLOE_OK);
  check(sloe_net_finish(net, NULL, NULL) == SLOE_OK);
  return net;
}

static void check_figure(const sloe_figure *figure) {
  if (isnan(figure->value)) return;
  check(isfinite(figure->low) && isfinite(figure->value) && isfinite(figure->high));
  check(0 <= figure->low && figure->low <= figure->value && figure->value <= figure->high);
}

static void check_estimate(const sloe_platform *p) {
  sloe_layers *layers;
  sloe_estimate *estimate;
  double share = 0;
  check(sloe_layers_new(small_net(), sloe_platform_fusion(p), &layers, NULL) == SLOE_OK);
  check(sloe_estimate_new(layers, p, NULL, &estimate, NULL) == SLOE_OK);
  const sloe_result *r = sloe_estimate_get(estimate);
  check_figure(&r->latency_ms);
  check_figure(&r->memory_mb);
  check_figure(&r->power_w);
  for (size_t i = 0; i < r->n_layers; i++) share += r->layers[i].share;
  check(fabs(share - 1) < 1e-9 && r->n_warnings > 0);
  sloe_estimate_free(estimate);
  sloe_layers_free(layers);
}

static void check_family(const sloe_fitted *fitted, const sloe_fitted_family *family) {
  static const int64_t at[] = {1, 17, 1000000, INT64_MAX};
  for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
    const int64_t coords[SLOE_LAYER_DIMS] = {at[i], at[3 - i], at[i], at[i]};
    double ms = sloe_stair_model_eval(&family->stair, coords);
    check(isfinite(ms) && ms >= family->stair.floor);
    sloe_stair_model_covers(&family->stair, coords);
  }
  sloe_layer_key key = family->key;
  check(sloe_fitted_find(fitted, &key) == family);
  key.kernel[0] ^= 1;
  check(sloe_fitted_nearest(fitted, &key) != NULL);
}

static void check_op(const sloe_fitted *fitted, const sloe_fitted_op *op) {
  static const float at[] = {-INFINITY, 0, 3.5f, INFINITY, NAN};
  for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
    float x[SLOE_LAYER_FEATURES];
    for (size_t j = 0; j < SLOE_LAYER_FEATURES; j++) x[j] = at[(i + j) % 5];
    check(isfinite(exp(sloe_forest_eval(&op->forest, x))));
  }
  check(sloe_fitted_find_op(fitted, op->op, op->grouping) == op);
}

static void check_fitted(const sloe_platform *p) {
  const sloe_fitted *fitted = p->fitted;
  for (size_t i = 0; i < fitted->n_families; i++) check_family(fitted, &fitted->families[i]);
  for (size_t i = 0; i < fitted->n_ops; i++) check_op(fitted, &fitted->ops[i]);
  check(fitted->network.scale > 0 && isfinite(fitted->network.per_layer_ms));
  const int alone = p->networks && !sloe_fitted_has_layers(fitted);
  check(p->card.source == (alone ? SLOE_SOURCE_LEARNED : SLOE_SOURCE_FITTED));
}

static void check_learned(const sloe_figure *f) {
  check(isnan(f->value) || (f->value > 0 && !isinf(f->value)));
  check(isnan(f->value) || isnan(f->low) || (f->low <= f->value && f->value <= f->high));
}

/* What was learned of networks says something of any, or that it knows nothing. */
static void check_networks(const sloe_platform *p) {
  sloe_layers *layers = NULL;
  sloe_estimate *e = NULL;
  if (!p->networks) return;
  check(sloe_layers_new(small_net(), sloe_platform_fusion(p), &layers, NULL) == SLOE_OK);
  check(sloe_estimate_new(layers, p, NULL, &e, NULL) == SLOE_OK);
  const sloe_result *result = sloe_estimate_get(e);
  if (p->card.source == SLOE_SOURCE_LEARNED) check_learned(&result->latency_ms);
  check_learned(&result->power_w);
  sloe_estimate_free(e);
  sloe_layers_free(layers);
}

static void check_report(const sloe_platform *p) {
  for (int format = SLOE_FORMAT_TABLE; format <= SLOE_FORMAT_CSV; format++) {
    const sloe_report_options options = {.format = (sloe_format)format};
    char *text;
    check(sloe_report_platform(p, &options, &text, NULL) == SLOE_OK && text[0]);
    sloe_text_free(text);
  }
}

static void check_platform(const sloe_platform *p) {
  const sloe_card *card = sloe_platform_card(p);
  check(card->name[0] && card->device[0] && card->title[0]);
  check(card->mode[0] || p->fitted); /* what was measured need not say it */
  check_report(p);
  if (p->fitted) {
    check_fitted(p);
    check_networks(p);
    return;
  }
  check(isfinite(card->peak_gflops) && isfinite(card->bandwidth_gbs));
  check(card->memory_reserved_mb < card->memory_mb);
  for (size_t i = 0; i < p->n_parameters; i++) check(!isinf(p->parameters[i].value));
  check_roofline(&p->roofline);
  check_estimate(p);
}

static sloe_status try_variant(const uint8_t *data, size_t size, const char *variant) {
  sloe_platform *p = (void *)&p, *again = NULL;
  sloe_error err = {0}, err2 = {0};
  sloe_status status = sloe_platform_from_memory(data, size, variant, &p, &err);
  check(status == sloe_platform_from_memory(data, size, variant, &again, &err2));
  check((status == SLOE_OK) == (p != NULL) && (p == NULL) == (again == NULL));
  if (p) {
    check_platform(p);
    check(strcmp(sloe_platform_card(p)->name, sloe_platform_card(again)->name) == 0);
  } else {
    check(err.msg[0] && err.code == status && err.offset <= size);
    check(err.offset == err2.offset && strcmp(err.msg, err2.msg) == 0);
  }
  sloe_platform_free(p);
  sloe_platform_free(again);
  return status;
}

static void put_word(uint8_t *at, uint64_t value) {
  for (int i = 0; i < 8; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static void try_mended(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size);
  check(copy != NULL);
  memcpy(copy, data, size);
  put_word(copy + 16, size);
  put_word(copy + 24, sloe_hash64(copy + SLOE_FITTED_HEADER, size - SLOE_FITTED_HEADER));
  if (try_variant(copy, size, NULL) == SLOE_OK) try_variant(copy, size, "fp16");
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (sloe_fitted_is(data, size) && size >= SLOE_FITTED_HEADER) try_mended(data, size);
  if (try_variant(data, size, NULL) != SLOE_OK) return 0;
  try_variant(data, size, "fp32");
  try_variant(data, size, "fp16-maxn");
  try_variant(data, size, "int8");
  return 0;
}
