/* What holds of fusion on every real network: no work is lost or done twice, every op has one
 * place, layers run after what they read. Skipped where the shared models are not there. */
#include <dirent.h>
#include <time.h>

#include "unit/fuse_check.h"

#define MODELS SLOE_SOURCE_DIR "/../shared/models"

static void check_model(const char *path) {
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open(path, NULL, &net, &err), err);
  check_fusion(net, path);
  sloe_net_free(net);
}

static int check_folder(const char *folder) {
  char path[1024];
  int n = 0;
  DIR *dir = opendir(folder);
  if (!dir) return 0;
  for (struct dirent *e; (e = readdir(dir));) {
    if (!ends_with(e->d_name, ".onnx")) continue;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    check_model(path);
    n++;
  }
  closedir(dir);
  return n;
}

static void no_work_is_lost_or_done_twice_on_any_model(void **state) {
  (void)state;
  const int n =
      check_folder(MODELS) + check_folder(MODELS "/variants") + check_folder(MODELS "/onnx-light");
  if (n == 0) skip();
  assert_true(n >= 50);
}

/* Time of the least disturbed of many runs. The budget for parsing, inferring and fusing
   together is 1 ms; a debug or sanitizer build is given leave. */
static void fusing_resnet50_takes_a_small_part_of_a_millisecond(void **state) {
  (void)state;
  sloe_net *net;
  sloe_error err;
  double best = 1e9;
  if (sloe_net_open(MODELS "/tv_resnet50.onnx", NULL, &net, &err) == SLOE_NOTFOUND) skip();
  for (int i = 0; i < 50; i++) {
    struct timespec a, b;
    sloe_layers *layers;
    clock_gettime(CLOCK_MONOTONIC, &a);
    assert_ok(sloe_layers_new(net, &SETTINGS[6], &layers, &err), err);
    clock_gettime(CLOCK_MONOTONIC, &b);
    sloe_layers_free(layers);
    const double ms = 1e3 * (double)(b.tv_sec - a.tv_sec) + 1e-6 * (double)(b.tv_nsec - a.tv_nsec);
    if (ms < best) best = ms;
  }
  print_message("ResNet-50 fused in %.3f ms\n", best);
  assert_true(best < 1);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(no_work_is_lost_or_done_twice_on_any_model),
      cmocka_unit_test(fusing_resnet50_takes_a_small_part_of_a_millisecond),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
