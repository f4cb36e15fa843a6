/* A line of text -> a network of the zoo.
 *
 * Property: status and handle agree; a refusal is USAGE, UNSUPPORTED or NOMEM and has a message of
 * one line; twice gives the same counts; all ops of a network are known and all shapes too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zoo/zoo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 1024, MEMORY = 1 << 24 };

static void check(int ok) {
  if (!ok) __builtin_trap();
}

static sloe_net *open_spec(const char *text) {
  const sloe_net_options options = {.memory_limit = MEMORY};
  sloe_net *net = (sloe_net *)1;
  sloe_error err = {0};
  const sloe_status status = sloe_zoo_open(text, &options, &net, &err);
  check((status == SLOE_OK) == (net != NULL));
  if (status == SLOE_OK) return net;
  check(status == SLOE_USAGE || status == SLOE_UNSUPPORTED || status == SLOE_NOMEM);
  check(*err.msg && !strchr(err.msg, '\n'));
  return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[LONGEST + 1];
  if (size > LONGEST) return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  sloe_net *net = open_spec(text), *again = open_spec(text);
  check(!net == !again);
  if (net) {
    const sloe_net_info *a = sloe_net_get_info(net), *b = sloe_net_get_info(again);
    check(a->n_unknown_ops == 0 && a->n_outputs > 0);
    check(a->params == b->params && a->flops == b->flops && a->activations == b->activations);
    for (size_t i = 0; i < a->n_outputs; i++)
      for (int d = 0; d < a->outputs[i].shape.rank; d++) check(a->outputs[i].shape.dim[d] > 0);
  }
  sloe_net_free(again);
  sloe_net_free(net);
  return 0;
}
