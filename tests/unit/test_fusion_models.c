/* What holds of fusion on every real network: no work is lost or done twice, every op has one
 * place, layers run after what they read. Skipped where the shared models are not there. */
#include <dirent.h>
#include <time.h>

#include "base/map.h"
#include "net/fuse/fuse.h"
#include "unit/unit.h"

#define MODELS SLOE_SOURCE_DIR "/../shared/models"

static const sloe_fusion SETTINGS[] = {
    {SLOE_RUNTIME_NONE, 0, SLOE_FP32, 0},         {SLOE_RUNTIME_ONEDNN, 0, SLOE_FP32, 0},
    {SLOE_RUNTIME_CUDNN, 0, SLOE_FP16, 0},        {SLOE_RUNTIME_TENSORRT, 701, SLOE_INT8, 72},
    {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP32, 53},  {SLOE_RUNTIME_TENSORRT, 804, SLOE_FP16, 80},
    {SLOE_RUNTIME_TENSORRT, 1003, SLOE_FP16, 87}, {SLOE_RUNTIME_TENSORRT, 1003, SLOE_INT8, 87},
};
enum { N_SETTINGS = sizeof SETTINGS / sizeof *SETTINGS };

static int ends_with(const char *s, const char *end) {
  const size_t n = strlen(s), m = strlen(end);
  return n >= m && !strcmp(s + n - m, end);
}

static int is_copy_of_concat(const sloe_layer *l) {
  return l->kind == SLOE_LAYER_COPY && l->macs == 0 && ends_with(l->name, " copy");
}

static void check_sums(const sloe_net *net, const sloe_layers *layers, const char *path) {
  const sloe_net_info *info = sloe_net_get_info(net);
  uint64_t macs = 0, flops = layers->folded_flops, params = 0;
  size_t ops = layers->n_dropped;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    macs = sloe_add_sat(macs, l->macs);
    flops = sloe_add_sat(flops, l->flops);
    params = sloe_add_sat(params, l->params);
    if (!is_copy_of_concat(l)) ops += l->n_ops;
    if (l->n_out == 0) fail_msg("%s: layer %s writes nothing", path, l->name);
  }
  if (macs != info->macs || flops != info->flops || ops != info->n_ops || params > info->params)
    fail_msg("%s, %s %d: macs %llu of %llu, flops %llu of %llu, ops %zu of %zu", path,
             sloe_runtime_name(layers->fusion.runtime), layers->fusion.version,
             (unsigned long long)macs, (unsigned long long)info->macs, (unsigned long long)flops,
             (unsigned long long)info->flops, ops, info->n_ops);
}

/* Layer of each op by name; every op that a layer's ops read from stands no later. */
static void check_order(const sloe_net *net, const sloe_layers *layers, const char *path) {
  sloe_arena arena;
  sloe_map at = {0};
  sloe_arena_init(&arena, (size_t)1 << 28);
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    if (is_copy_of_concat(l)) continue;
    for (size_t k = 0; k < l->n_ops; k++) {
      if (sloe_map_get(&at, l->ops[k]) >= 0) fail_msg("%s: op %s stands twice", path, l->ops[k]);
      assert_true(sloe_map_put(&at, &arena, l->ops[k], (int32_t)i));
    }
  }
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *n = &net->nodes[net->order[i]];
    const int32_t own = sloe_map_get(&at, n->name);
    for (size_t k = 0; own >= 0 && k < n->n_in; k++) {
      const sloe_tensor *t = sloe_node_in(net, n, k);
      if (!t || t->producer < 0) continue;
      if (sloe_map_get(&at, net->nodes[t->producer].name) > own)
        fail_msg("%s: %s runs before what it reads, %s", path, n->name,
                 net->nodes[t->producer].name);
    }
  }
  sloe_arena_fini(&arena);
}

static int names_are_unique(const sloe_net *net) {
  sloe_arena arena;
  sloe_map seen = {0};
  int unique = 1;
  sloe_arena_init(&arena, (size_t)1 << 28);
  for (size_t i = 0; i < net->n_order && unique; i++) {
    unique = sloe_map_get(&seen, net->nodes[net->order[i]].name) < 0;
    assert_true(sloe_map_put(&seen, &arena, net->nodes[net->order[i]].name, 1));
  }
  sloe_arena_fini(&arena);
  return unique;
}

static void check_model(const char *path) {
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open(path, NULL, &net, &err), err);
  const int unique = names_are_unique(net);
  for (size_t s = 0; s < N_SETTINGS; s++) {
    sloe_layers *layers;
    assert_ok(sloe_layers_new(net, &SETTINGS[s], &layers, &err), err);
    check_sums(net, layers, path);
    if (unique) check_order(net, layers, path);
    sloe_layers_free(layers);
  }
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
