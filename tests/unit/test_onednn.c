/* The backend onednn: lone layers against naive loops, and what it refuses. */
#include "unit/layer_check.h"
#include "unit/onednn_check.h"

static double norm_at(const sloe_layer_spec *s, double x, int64_t c) {
  const double factor = content("factors", (size_t)c), mean = content("mean", (size_t)c);
  const double offset = content("factors", (size_t)(s->c + c));
  return (x - mean) / sqrt(content("variance", (size_t)c) + 1e-5) * factor + offset;
}

static double offset_at(int64_t m, int64_t i) {
  return content("factors", (size_t)(m + i));
}

static int64_t window_at(const sloe_layer_spec *s, int64_t c, int64_t k) {
  return k * s->c + c;
}

/* ---- running ---- */

static void check_specs(const char *const *specs, size_t n, check_fn check) {
  sloe_error err;
  onednn_device *device = open_onednn();
  for (size_t i = 0; i < n; i++) {
    sloe_layer_spec spec;
    uint64_t device_ns, host_ns;
    void *job;
    assert_ok(sloe_layer_spec_parse(specs[i], &spec, &err), err);
    assert_ok(sloe_backend_onednn.load_layer(device, &spec, &job, &err), err);
    assert_ok(sloe_backend_onednn.settle(device, job, &err), err);
    assert_ok(sloe_backend_onednn.run(device, job, &device_ns, &host_ns, &err), err);
    assert_true(device_ns > 0 && host_ns >= device_ns);
    float *got = read_value(job, ((onednn_job *)job)->output);
    check(&spec, got);
    sloe_dealloc(got);
    sloe_backend_onednn.unload(device, job);
  }
  sloe_backend_onednn.close(device);
}

/* ---- tests ---- */

static void convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_conv, CONV_SPECS);
}

static void layers_that_keep_channels_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_image, IMAGE_SPECS);
}

static void products_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_product, PRODUCT_SPECS);
}

static void transposed_convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_deconv, DECONV_SPECS);
}

static void every_other_kind_of_layer_computes_what_its_spec_says(void **state) {
  (void)state;
  check_other_kinds();
}

static void a_wrong_key_or_value_is_refused_with_what_there_is(void **state) {
  (void)state;
  struct {
    const char *key, *value, *text;
  } rows[] = {{"thread", "1", "threads"},
              {"threads", "0", "threads"},
              {"precision", "fp16", "fp32"},
              {"max_mb", "many", "max_mb"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const sloe_backend_options options = {.pair = {{rows[i].key, rows[i].value}}, .n = 1};
    sloe_device_info info;
    sloe_error err;
    void *device = rows;
    assert_refused(sloe_backend_onednn.open(&options, &device, &info, &err), SLOE_USAGE, err,
                   rows[i].text);
    assert_null(device);
  }
}

static void a_layer_beyond_the_limits_is_not_for_this_device(void **state) {
  (void)state;
  const struct {
    const char *spec, *text;
  } rows[] = {{"op=conv,c=8192,h=512,w=512,k=8", "max_mb"},
              {"op=conv,c=2048,h=56,w=56,k=2048,kernel=3", "max_gflop"}};
  onednn_device *device = open_onednn();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_layer_spec spec;
    sloe_error err;
    void *job = device;
    assert_ok(sloe_layer_spec_parse(rows[i].spec, &spec, &err), err);
    assert_refused(sloe_backend_onednn.load_layer(device, &spec, &job, &err), SLOE_UNSUPPORTED, err,
                   rows[i].text);
    assert_null(job);
  }
  sloe_backend_onednn.close(device);
}

static void it_says_who_measures(void **state) {
  (void)state;
  const sloe_backend_options options = {.pair = {{"threads", "2"}, {"batch", "3"}}, .n = 2};
  sloe_device_info info;
  sloe_error err;
  void *device;
  assert_ok(sloe_backend_onednn.open(&options, &device, &info, &err), err);
  assert_true(strspn(info.device, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(info.device));
  assert_string_equal(info.runtime, "onednn");
  assert_string_equal(info.precision, "fp32");
  assert_string_equal(info.mode, "t2");
  assert_int_equal(info.threads, 2);
  assert_int_equal(info.batch, 3);
  assert_int_equal(info.fusion.runtime, SLOE_RUNTIME_ONEDNN);
  assert_true(info.memory_mb > 100);
  assert_true(info.n_environment >= 8);
  for (size_t i = 0; i < info.n_environment; i++) assert_true(info.environment[i].value[0] != 0);
  sloe_backend_onednn.close(device);
}

static void a_job_says_what_memory_it_holds(void **state) {
  (void)state;
  sloe_layer_spec spec;
  sloe_device_memory memory;
  sloe_error err;
  void *job;
  onednn_device *device = open_onednn();
  assert_ok(sloe_layer_spec_parse("op=fc,c=1000,k=1000", &spec, &err), err);
  assert_ok(sloe_backend_onednn.load_layer(device, &spec, &job, &err), err);
  assert_ok(sloe_backend_onednn.memory(device, job, &memory, &err), err);
  assert_true(memory.weights_mb >= 4.0 && memory.weights_mb < 4.5);
  assert_true(memory.activations_mb >= 0.008 && memory.activations_mb < 0.1);
  assert_true(memory.total_mb >= memory.weights_mb + memory.activations_mb);
  assert_string_equal(memory.kind, "process");
  sloe_backend_onednn.unload(device, job);
  sloe_backend_onednn.close(device);
}

static void memory_that_runs_out_is_said_and_nothing_is_kept(void **state) {
  (void)state;
  sloe_layer_spec spec;
  sloe_error err;
  void *job = NULL;
  onednn_device *device = open_onednn();
  assert_ok(sloe_layer_spec_parse("op=conv,c=8,h=8,w=8,k=8,kernel=3,add=1", &spec, &err), err);
  const long before = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long i = 0; status != SLOE_OK; i++) {
    assert_true(i < 200);
    sloe_alloc_fail_after(i);
    status = sloe_backend_onednn.load_layer(device, &spec, &job, &err);
    sloe_alloc_fail_after(-1);
    assert_true(status == SLOE_OK || status == SLOE_NOMEM);
    if (status != SLOE_OK) assert_null(job);
  }
  sloe_backend_onednn.unload(device, job);
  sloe_backend_onednn.close(device);
  assert_true(sloe_alloc_live() < before);
}

static void blocks_are_used_again(void **state) {
  (void)state;
  onednn_region region;
  onednn_block *a, *b, *c;
  sloe_error err;
  assert_ok(sloe_onednn_region_open(&region, 64 << 20, &err), err);
  assert_ok(sloe_onednn_block_take(&region, 1 << 20, &a, &err), err);
  assert_ok(sloe_onednn_block_take(&region, 1 << 20, &b, &err), err);
  const size_t at = a->at;
  sloe_onednn_block_give(&region, a);
  assert_ok(sloe_onednn_block_take(&region, 1000, &c, &err), err);
  assert_int_equal(c->at, at);
  assert_refused(sloe_onednn_block_take(&region, 65 << 20, &a, &err), SLOE_NOMEM, err, "bytes");
  assert_null(a);
  sloe_onednn_block_give(&region, b);
  sloe_onednn_block_give(&region, c);
  assert_ok(sloe_onednn_block_take(&region, 60 << 20, &a, &err), err);
  assert_int_equal(a->at, 0);
  sloe_onednn_region_close(&region);
}

/* Blocks of four, as grouped convolutions of twelve channels a group write them. */
static void a_pooling_that_only_plain_loops_would_do_is_done_in_the_usual_layout(void **state) {
  const int64_t dims[] = {1, 24, 8, 8};
  const sloe_window w = {.kernel = {3, 3},
                         .stride = {1, 1},
                         .dilation = {1, 1},
                         .pad = {1, 1},
                         .pad_end = {1, 1},
                         .out = {8, 8}};
  onednn_device *device = open_onednn();
  sloe_layer_spec spec;
  sloe_error err;
  onednn_value *in, *out;
  dnnl_memory_desc_t blocks;
  uint64_t ns[2];
  void *job;
  (void)state;
  assert_ok(sloe_layer_spec_parse("op=avgpool,c=24,h=8,w=8,kernel=3", &spec, &err), err);
  assert_ok(sloe_backend_onednn.load_layer(device, &spec, &job, &err), err);
  assert_ok(sloe_onednn_value_new(job, ONEDNN_INPUT, 4, dims, "src", &in, &err), err);
  assert_int_equal(dnnl_memory_desc_init_by_tag(&blocks, 4, in->dims, dnnl_f32, dnnl_aBcd4b),
                   dnnl_success);
  assert_ok(sloe_onednn_fix(job, in, &blocks, &err), err);
  assert_ok(sloe_onednn_pool(job, in, &w, dnnl_pooling_avg_exclude_padding, &out, &err), err);
  assert_false(dnnl_memory_desc_equal(&out->md, &blocks));
  assert_ok(sloe_backend_onednn.run(device, job, &ns[0], &ns[1], &err), err);
  float *want = read_value(job, ((onednn_job *)job)->output), *got = read_value(job, out);
  for (size_t i = 0; i < 24 * 64; i++) assert_near(i, got[i], want[i]);
  sloe_dealloc(want);
  sloe_dealloc(got);
  sloe_backend_onednn.unload(device, job);
  sloe_backend_onednn.close(device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_compute_what_their_specs_say),
      cmocka_unit_test(layers_that_keep_channels_compute_what_their_specs_say),
      cmocka_unit_test(products_compute_what_their_specs_say),
      cmocka_unit_test(transposed_convolutions_compute_what_their_specs_say),
      cmocka_unit_test(every_other_kind_of_layer_computes_what_its_spec_says),
      cmocka_unit_test(a_wrong_key_or_value_is_refused_with_what_there_is),
      cmocka_unit_test(a_layer_beyond_the_limits_is_not_for_this_device),
      cmocka_unit_test(it_says_who_measures),
      cmocka_unit_test(a_job_says_what_memory_it_holds),
      cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_is_kept),
      cmocka_unit_test(blocks_are_used_again),
      cmocka_unit_test(a_pooling_that_only_plain_loops_would_do_is_done_in_the_usual_layout),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
