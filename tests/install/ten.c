/* The smallest use of an installed libsloe: ten NET FOLDER PLATFORM prints a latency. */
#include <sloe/sloe.h>
#include <stdio.h>

int main(int argc, char **argv) {
  sloe_net *net = NULL;
  sloe_platform *platform = NULL;
  sloe_layers *layers = NULL;
  sloe_estimate *estimate = NULL;
  sloe_error err = {SLOE_OK, 0, ""};
  if (argc != 4) return 2;
  sloe_search search = {(const char *const *)&argv[2], 1};
  if (sloe_net_open(argv[1], NULL, &net, &err) != SLOE_OK ||
      sloe_platform_open(argv[3], &search, &platform, &err) != SLOE_OK ||
      sloe_layers_new(net, sloe_platform_fusion(platform), &layers, &err) != SLOE_OK ||
      sloe_estimate_new(layers, platform, NULL, &estimate, &err) != SLOE_OK) {
    fprintf(stderr, "%s\n", err.msg);
    return 1;
  }
  double ms = sloe_estimate_get(estimate)->latency_ms.value;
  printf("%.3f ms\n", ms);
  sloe_estimate_free(estimate);
  sloe_layers_free(layers);
  sloe_platform_free(platform);
  sloe_net_free(net);
  return ms > 0 ? 0 : 1;
}
