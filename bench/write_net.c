/* write_net IN OUT: the network of IN with random weights, by sloe's own writer. The files of the
   project carry no weights; what a user has does. */
#include "sloe/sloe.h"

#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: write_net IN OUT\n");
    return 2;
  }
  sloe_net *net = NULL;
  sloe_error err = {SLOE_OK, 0, ""};
  sloe_onnx_options options = {.weights = 1};
  sloe_status status = sloe_net_open(argv[1], NULL, &net, &err);
  if (status == SLOE_OK) status = sloe_net_write_onnx(net, argv[2], &options, &err);
  if (status != SLOE_OK) fprintf(stderr, "write_net: %s\n", err.msg);
  sloe_net_free(net);
  return status == SLOE_OK ? 0 : 3;
}
