/* The zoo: one layer gives back the spec that it was made of, random networks are what they
 * promise, mistakes name their key. */
#include "unit/random_spec.h"
#include "zoo/zoo.h"

static sloe_net *open_net(const char *text) {
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open(text, NULL, &net, &err), err);
  return net;
}

/* ---- one layer ---- */

static int is_one_of(sloe_spec_act act, const sloe_spec_act *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (list[i] == act) return 1;
  return 0;
}

/* May oneDNN's rules make one layer of it? */
static int onednn_fuses(const sloe_layer_spec *s) {
  switch (s->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV:
    case SLOE_SPEC_FC: return s->act != SLOE_SPEC_ACT_ERF;
    case SLOE_SPEC_BATCHNORM: return s->act <= SLOE_SPEC_ACT_RELU;
    case SLOE_SPEC_REORDER: return 0;
    case SLOE_SPEC_ACTIVATION: return 1;
    default: return !s->act && !s->add;
  }
}

/* TensorRT with FP16. A concat there vanishes, a residual joins convolutions only. */
static int tensorrt_fuses(const sloe_layer_spec *s) {
  static const sloe_spec_act alone[] = {SLOE_SPEC_ACT_NONE, SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_CLIP};
  switch (s->op) {
    case SLOE_SPEC_CONV: return s->c > 4; /* of fewer the input is brought into another layout */
    case SLOE_SPEC_DECONV: return 1;
    case SLOE_SPEC_FC: return !s->add && is_one_of(s->act, alone, 3);
    case SLOE_SPEC_BINARY: return s->act != SLOE_SPEC_ACT_SWISH;
    case SLOE_SPEC_CONCAT: return 0;
    default: return onednn_fuses(s);
  }
}

static void comes_back(const sloe_net *net, const sloe_layer_spec *s, sloe_fusion fusion) {
  char text[SLOE_SPEC_TEXT];
  sloe_layers *layers;
  sloe_layer_spec again;
  sloe_error err;
  int known;
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  if (sloe_layers_count(layers) != 1)
    fail_msg("%s: %zu layers under %s", sloe_layer_spec_print(s, text), sloe_layers_count(layers),
             sloe_runtime_name(fusion.runtime));
  sloe_layer_spec_of(layers, 0, &again, &known);
  if (!known) fail_msg("%s: not known", sloe_layer_spec_print(s, text));
  assert_same_spec(again, *s);
  const sloe_layer *l = sloe_layers_at(layers, 0);
  assert_int_equal(l->macs, sloe_layer_spec_macs(s));
  assert_int_equal(l->in_elements, sloe_layer_spec_in_elements(s));
  assert_int_equal(l->out_elements, sloe_layer_spec_out_elements(s));
  sloe_layers_free(layers);
}

static void a_layer_gives_back_its_spec(void **state) {
  (void)state;
  sloe_rng rng;
  int onednn = 0, tensorrt = 0;
  sloe_rng_seed(&rng, 2);
  for (int i = 0; i < 2000; i++) {
    char text[SLOE_SPEC_TEXT];
    const sloe_layer_spec s = draw_spec(&rng, (sloe_spec_op)(i % SLOE_SPEC_REORDER));
    sloe_net *net = open_net(sloe_layer_spec_print(&s, text));
    assert_string_equal(sloe_net_get_info(net)->name, text);
    assert_int_equal(sloe_net_get_info(net)->n_unknown_ops, 0);
    assert_int_equal(sloe_net_warning_count(net), 0);
    if (onednn_fuses(&s)) {
      comes_back(net, &s, (sloe_fusion){.runtime = SLOE_RUNTIME_ONEDNN});
      onednn++;
    }
    if (tensorrt_fuses(&s)) {
      comes_back(net, &s, (sloe_fusion){.runtime = SLOE_RUNTIME_TENSORRT, .precision = SLOE_FP16});
      tensorrt++;
    }
    sloe_net_free(net);
  }
  print_message("%d under onednn, %d under tensorrt\n", onednn, tensorrt);
  assert_true(onednn > 1200 && tensorrt > 1000);
}

static void the_batch_multiplies_n(void **state) {
  static const char *const texts[] = {
      "zoo:layer,op=conv,n=2,c=8,h=9,w=9,add=1", "zoo:layer,op=matmul,n=2,h=3,c=4,k=5",
      "zoo:layer,op=binary,n=2,c=3,h=4,w=5,with=row", "zoo:layer,op=fc,n=2,c=3,k=4,act=relu",
      "zoo:layer,op=resize,n=2,c=3,h=4,w=5,out=8"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    sloe_net *net;
    sloe_error err;
    sloe_layer_spec s;
    assert_ok(sloe_layer_spec_parse(texts[i], &s, &err), err);
    assert_ok(sloe_net_open(texts[i], &(sloe_net_options){.batch = 3}, &net, &err), err);
    s.n *= 3;
    if (onednn_fuses(&s)) comes_back(net, &s, (sloe_fusion){.runtime = SLOE_RUNTIME_ONEDNN});
    sloe_net_free(net);
  }
}

/* ---- random networks ---- */

static size_t count_layers(const sloe_net *net, size_t *unknown) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  sloe_layers *layers;
  sloe_error err;
  size_t n = 0;
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    sloe_layer_spec s;
    int known;
    sloe_layer_spec_of(layers, i, &s, &known);
    if (!known) ++*unknown;
    n++;
  }
  sloe_layers_free(layers);
  return n;
}

static void random_networks_keep_to_their_limits(void **state) {
  (void)state;
  enum { SEEDS = 200 };
  uint64_t flops[SEEDS];
  size_t fewest = 1000, most = 0;
  double least = 1e30, largest = 0;
  for (int seed = 0; seed < SEEDS; seed++) {
    char text[64];
    size_t unknown = 0;
    snprintf(text, sizeof text, "zoo:random,seed=%d", seed);
    sloe_net *net = open_net(text);
    const sloe_net_info *info = sloe_net_get_info(net);
    const int64_t size = info->inputs[0].shape.dim[2];
    const size_t layers = count_layers(net, &unknown);
    assert_string_equal(info->name, text);
    assert_int_equal(unknown + info->n_unknown_ops + sloe_net_warning_count(net), 0);
    assert_true(size >= 96 && size <= 320 && size % 32 == 0);
    assert_true(info->outputs[0].shape.dim[1] >= 10 && info->outputs[0].shape.dim[1] <= 1000);
    if (layers < 10 || layers > 60) fail_msg("%s: %zu layers", text, layers);
    if (info->mac_flops < 50000000 || info->mac_flops > 10000000000)
      fail_msg("%s: %g GFLOP", text, 1e-9 * (double)info->mac_flops);
    if (layers < fewest) fewest = layers;
    if (layers > most) most = layers;
    if ((double)info->mac_flops < least) least = (double)info->mac_flops;
    if ((double)info->mac_flops > largest) largest = (double)info->mac_flops;
    flops[seed] = info->flops;
    for (int i = 0; i < seed; i++) assert_true(flops[i] != flops[seed]);
    sloe_net_free(net);
  }
  print_message("%zu to %zu layers, %.2f to %.2f GFLOP\n", fewest, most, 1e-9 * least,
                1e-9 * largest);
}

static void a_seed_gives_the_same_network_every_time(void **state) {
  (void)state;
  for (int seed = 0; seed < 20; seed++) {
    char text[64];
    snprintf(text, sizeof text, "zoo:random,seed=%d", seed);
    sloe_net *a = open_net(text), *b = open_net(text);
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->n_tensors, b->n_tensors);
    for (size_t t = 0; t < a->n_tensors; t++) {
      assert_string_equal(a->tensors[t].name, b->tensors[t].name);
      assert_memory_equal(&a->tensors[t].shape, &b->tensors[t].shape, sizeof(sloe_shape));
    }
    sloe_net_free(a);
    sloe_net_free(b);
  }
}

/* The arithmetic is the same on every machine, so are these. */
static void known_seeds_stay_as_they_are(void **state) {
  static const struct {
    const char *text;
    uint64_t macs, params;
    size_t ops;
  } nets[] = {{"zoo:random,seed=1", 184675200, 289284, 30},
              {"zoo:random,seed=2", 1477803280, 2600506, 93},
              {"zoo:random,seed=3,input=128,blocks=5", 70333392, 3553727, 35}};
  (void)state;
  for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
    sloe_net *net = open_net(nets[i].text);
    const sloe_net_info *info = sloe_net_get_info(net);
    if (info->macs != nets[i].macs || info->params != nets[i].params || info->n_ops != nets[i].ops)
      fail_msg("%s: %llu MAC, %llu params, %zu ops", nets[i].text, (unsigned long long)info->macs,
               (unsigned long long)info->params, info->n_ops);
    sloe_net_free(net);
  }
}

static void input_and_blocks_leave_the_rest_as_it_was_drawn(void **state) {
  (void)state;
  sloe_net *a = open_net("zoo:random,seed=7"), *b = open_net("zoo:random,seed=7,input=64");
  assert_int_equal(sloe_net_get_info(b)->inputs[0].shape.dim[3], 64);
  assert_int_equal(sloe_net_get_info(a)->params, sloe_net_get_info(b)->params);
  sloe_net *c = open_net("zoo:random,blocks=1,seed=7"),
           *d = open_net("zoo:random,seed=7,blocks=100");
  assert_true(sloe_net_get_info(c)->n_ops < sloe_net_get_info(d)->n_ops);
  assert_int_equal(sloe_net_get_info(c)->outputs[0].shape.dim[1],
                   sloe_net_get_info(d)->outputs[0].shape.dim[1]);
  sloe_net_free(a);
  sloe_net_free(b);
  sloe_net_free(c);
  sloe_net_free(d);
}

static void every_size_and_length_can_be_built(void **state) {
  (void)state;
  for (int seed = 0; seed < 60; seed++) {
    char text[64];
    snprintf(text, sizeof text, "zoo:random,seed=%d,input=%d,blocks=%d", seed, 32 + 13 * seed,
             1 + seed * 99 / 59);
    sloe_net *net = open_net(text);
    size_t unknown = 0;
    count_layers(net, &unknown);
    assert_int_equal(unknown, 0);
    sloe_net_free(net);
  }
}

static void a_batch_is_the_leading_dimension_of_a_random_network(void **state) {
  (void)state;
  sloe_net *net, *one = open_net("zoo:random,seed=3");
  sloe_error err;
  assert_ok(sloe_net_open("zoo:random,seed=3", &(sloe_net_options){.batch = 4}, &net, &err), err);
  assert_int_equal(sloe_net_get_info(net)->batch, 4);
  assert_int_equal(sloe_net_get_info(net)->macs, 4 * sloe_net_get_info(one)->macs);
  sloe_net_free(net);
  sloe_net_free(one);
}

static void a_net_of_the_zoo_reads_the_same_from_its_onnx(void **state) {
  static const char *const texts[] = {"zoo:random,seed=5", "zoo:random,seed=11",
                                      "zoo:layer,op=conv,c=8,h=9,w=9,act=swish,add=1",
                                      "zoo:layer,op=deconv,c=8,h=9,w=9,kernel=3,stride=2,out=20",
                                      "zoo:layer,op=resize,c=8,h=9,w=9,out=18,linear=1"};
  const char *path = SLOE_BINARY_DIR "/test_zoo.onnx";
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    sloe_net *again, *net = open_net(texts[i]);
    sloe_error err;
    assert_ok(sloe_net_write_onnx(net, path, NULL, &err), err);
    assert_ok(sloe_net_open(path, NULL, &again, &err), err);
    assert_int_equal(sloe_net_get_info(net)->flops, sloe_net_get_info(again)->flops);
    assert_int_equal(sloe_net_get_info(net)->params, sloe_net_get_info(again)->params);
    sloe_net_free(again);
    sloe_net_free(net);
  }
  remove(path);
}

/* ---- refusals ---- */

static void mistakes_are_refused_with_their_key(void **state) {
  static const struct {
    const char *text;
    sloe_status status;
    const char *message;
  } bad[] = {
      {"zoo:", SLOE_USAGE, "no family '' in the zoo; 'sloe zoo list'"},
      {"zoo:resnot,depth=50", SLOE_USAGE, "no family 'resnot'"},
      {"zoo:layer", SLOE_USAGE, "no key=value"},
      {"zoo:layer,op=conv,c=0", SLOE_USAGE, "c: 0"},
      {"zoo:layer,op=reorder,c=3", SLOE_UNSUPPORTED, "op=reorder"},
      {"zoo:layer,op=concat,c=4,parts=2,mixed=1", SLOE_UNSUPPORTED, "mixed=1"},
      {"zoo:layer,op=concat,c=2000,parts=1001", SLOE_UNSUPPORTED, "parts: 1001"},
      {"zoo:random", SLOE_USAGE, "'seed' is missing"},
      {"zoo:random,seed", SLOE_USAGE, "'seed' is no key=value"},
      {"zoo:random,seed=-1", SLOE_USAGE, "seed: '-1'"},
      {"zoo:random,seed=1x", SLOE_USAGE, "seed: '1x'"},
      {"zoo:random,seed=1,seed=2", SLOE_USAGE, "'seed' stands twice"},
      {"zoo:random,seed=1,input=31", SLOE_USAGE, "input: '31' is not a whole number in 32..1024"},
      {"zoo:random,seed=1,blocks=101", SLOE_USAGE, "blocks: '101'"},
      {"zoo:random,seed=1,depth=3", SLOE_USAGE, "key 'depth' is not known"},
  };
  (void)state;
  const long live = sloe_alloc_live();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sloe_net *net = (sloe_net *)1;
    sloe_error err;
    assert_refused(sloe_net_open(bad[i].text, NULL, &net, &err), bad[i].status, err,
                   bad[i].message);
    assert_null(net);
  }
  assert_int_equal(sloe_alloc_live(), live);
}

static void a_batch_that_is_none_is_refused(void **state) {
  (void)state;
  sloe_net *net;
  sloe_error err;
  assert_refused(sloe_net_open("zoo:random,seed=1", &(sloe_net_options){.batch = -1}, &net, &err),
                 SLOE_USAGE, err, "batch -1");
  assert_null(net);
  assert_refused(sloe_net_open("zoo:layer,op=fc,n=1000000000,c=3",
                               &(sloe_net_options){.batch = 1000}, &net, &err),
                 SLOE_USAGE, err, "n: 1000000000 times a batch of 1000");
  assert_null(net);
}

static void every_allocation_may_fail(void **state) {
  static const char *const texts[] = {"zoo:layer,op=conv,c=8,h=9,w=9,act=swish,add=1",
                                      "zoo:layer,op=slice,c=8,k=3,h=9,w=9", "zoo:random,seed=4"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const long live = sloe_alloc_live();
    for (long n = 0;; n++) {
      sloe_net *net;
      sloe_error err;
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_net_open(texts[i], NULL, &net, &err);
      sloe_alloc_fail_after(-1);
      assert_true((status == SLOE_OK) == (net != NULL));
      if (status == SLOE_OK) {
        sloe_net_free(net);
        break;
      }
      assert_int_equal(status, SLOE_NOMEM);
      assert_int_equal(sloe_alloc_live(), live);
    }
    assert_int_equal(sloe_alloc_live(), live);
  }
}

static void a_net_over_its_memory_limit_is_refused(void **state) {
  static const char *const texts[] = {"zoo:layer,op=conv,c=8,h=9,w=9,act=swish,add=1",
                                      "zoo:random,seed=4"};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    size_t limit = 64;
    for (;; limit += limit / 4) {
      sloe_net *net;
      sloe_error err;
      const sloe_net_options options = {.memory_limit = limit};
      const sloe_status status = sloe_net_open(texts[i], &options, &net, &err);
      if (status == SLOE_OK) {
        sloe_net_free(net);
        break;
      }
      assert_int_equal(status, SLOE_NOMEM);
      assert_null(net);
    }
    assert_true(limit > 1000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_layer_gives_back_its_spec),
      cmocka_unit_test(the_batch_multiplies_n),
      cmocka_unit_test(random_networks_keep_to_their_limits),
      cmocka_unit_test(a_seed_gives_the_same_network_every_time),
      cmocka_unit_test(known_seeds_stay_as_they_are),
      cmocka_unit_test(input_and_blocks_leave_the_rest_as_it_was_drawn),
      cmocka_unit_test(every_size_and_length_can_be_built),
      cmocka_unit_test(a_batch_is_the_leading_dimension_of_a_random_network),
      cmocka_unit_test(a_net_of_the_zoo_reads_the_same_from_its_onnx),
      cmocka_unit_test(mistakes_are_refused_with_their_key),
      cmocka_unit_test(a_batch_that_is_none_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(a_net_over_its_memory_limit_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
