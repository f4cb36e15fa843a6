/* Any text to the parser of layer specs, and to the zoo. What must hold:
 *  - a refusal is USAGE with a message, and leaves the spec of nothing
 *  - what was read is possible, and prints to text that reads as the same spec
 *  - of a small layer the zoo makes a network, or says which it cannot; nothing is left allocated
 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "zoo/zoo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok) {
  if (!ok) __builtin_trap();
}

static void build(const char *text) {
  const sloe_net_options options = {.memory_limit = (size_t)16 << 20};
  sloe_error err = {0};
  sloe_net *net;
  const sloe_status status = sloe_zoo_open(text, &options, &net, &err);
  check((status == SLOE_OK) == (net != NULL));
  check(status == SLOE_OK || (err.code == status && err.msg[0]));
  sloe_net_free(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[512], printed[SLOE_SPEC_TEXT], again[SLOE_SPEC_TEXT];
  const sloe_layer_spec none = sloe_layer_spec_none();
  const long live = sloe_alloc_live();
  sloe_layer_spec a, b;
  sloe_error err = {0};
  if (size >= sizeof text) return 0;
  memcpy(text, data, size);
  text[size] = 0;
  const sloe_status status = sloe_layer_spec_parse(text, &a, &err);
  if (status == SLOE_OK) {
    check(sloe_layer_spec_check(&a, NULL) == SLOE_OK);
    check(sloe_layer_spec_parse(sloe_layer_spec_print(&a, printed), &b, &err) == SLOE_OK);
    check(sloe_layer_spec_same(&a, &b) && !strcmp(printed, sloe_layer_spec_print(&b, again)));
    build(printed);
  } else {
    check(status == SLOE_USAGE && err.code == status && err.msg[0] &&
          sloe_layer_spec_same(&a, &none));
    build(text);
  }
  check(sloe_alloc_live() == live);
  return 0;
}
