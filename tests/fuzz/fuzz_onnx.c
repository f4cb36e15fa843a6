/* Any bytes to the ONNX reader and the net behind it. What must hold:
 *  - status and handle agree; a refusal has a message, and an offset inside the input
 *  - read twice, the answer is the same
 *  - read through small windows, as a file is, the answer is the same
 *  - nothing is left allocated
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "onnx/onnx.h"

static const size_t MEMORY_LIMIT = (size_t)64 << 20;

typedef struct outcome {
  sloe_status status;
  sloe_error err;
  size_t n_nodes, n_tensors, n_ops, n_unknown, n_warnings;
  uint64_t params, flops, activations, peak;
} outcome;

#define REQUIRE(condition)                                                    \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                \
    }                                                                         \
  } while (0)

static void take(outcome *o, sloe_net *net) {
  if (!net) return;
  const sloe_net_info *info = sloe_net_get_info(net);
  o->n_nodes = net->n_nodes;
  o->n_tensors = net->n_tensors;
  o->n_warnings = net->n_warnings;
  o->n_ops = info->n_ops;
  o->n_unknown = info->n_unknown_ops;
  o->params = info->params;
  o->flops = info->flops;
  o->activations = info->activations;
  o->peak = info->peak_activation_bytes;
  sloe_net_free(net);
}

static void check(const outcome *o, const sloe_net *net, size_t size) {
  REQUIRE((o->status == SLOE_OK) == (net != NULL));
  if (net) return;
  REQUIRE(o->status == o->err.code && o->status != SLOE_INTERNAL && o->status != SLOE_IO);
  REQUIRE(o->err.msg[0]);
  REQUIRE(o->err.offset <= size);
}

static void read_whole(const uint8_t *data, size_t size, outcome *o) {
  sloe_net_options options = {.memory_limit = MEMORY_LIMIT};
  sloe_net *net = NULL;
  *o = (outcome){0};
  o->status = sloe_net_from_memory(data, size, &options, &net, &o->err);
  check(o, net, size);
  take(o, net);
}

static void read_in_windows(const uint8_t *data, size_t size, outcome *o) {
  sloe_net *net = NULL;
  *o = (outcome){0};
  o->status = sloe_onnx_read_windowed(data, size, 16 + size % 61, MEMORY_LIMIT, &net, &o->err);
  if (o->status == SLOE_OK) o->status = sloe_net_finish(net, NULL, &o->err);
  if (o->status != SLOE_OK) {
    sloe_net_free(net);
    net = NULL;
  }
  check(o, net, size);
  take(o, net);
}

static void require_same(const outcome *a, const outcome *b) {
  REQUIRE(a->status == b->status);
  REQUIRE(strcmp(a->err.msg, b->err.msg) == 0);
  REQUIRE(a->err.offset == b->err.offset);
  REQUIRE(a->n_nodes == b->n_nodes && a->n_tensors == b->n_tensors);
  REQUIRE(a->n_ops == b->n_ops && a->n_unknown == b->n_unknown);
  REQUIRE(a->n_warnings == b->n_warnings);
  REQUIRE(a->params == b->params && a->flops == b->flops);
  REQUIRE(a->activations == b->activations && a->peak == b->peak);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static outcome first, again, windowed;
  long live = sloe_alloc_live();
  read_whole(data, size, &first);
  read_whole(data, size, &again);
  require_same(&first, &again);
  read_in_windows(data, size, &windowed);
  require_same(&first, &windowed);
  REQUIRE(sloe_alloc_live() == live);
  return 0;
}
