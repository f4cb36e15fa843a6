/* Which kernels a runtime would try: asked of the simulated device, written and read. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "campaign/proposals.h"
#include "unit/profile_files.h"

#define RECORDED "replay:file=" SLOE_SOURCE_DIR "/data/recordings/intel-xeon-onednn-t1.csv.gz"

static const sloe_design_limits limits = {.macs = 100000000, .batch = 1};

static sloe_bench *open_bench(const char *backend) {
  const sloe_bench_options options = {
      .backend = backend, .db = store_path("a.db"), .plan = "asking"};
  sloe_bench *bench;
  sloe_error err;
  assert_ok(sloe_bench_open(&options, &bench, &err), err);
  return bench;
}

static void time_layer(sloe_bench *bench, const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  size_t at;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  assert_ok(sloe_bench_layer(bench, &spec, sloe_split_design, &at, &err), err);
}

static int odd(int64_t c, int64_t k) {
  return (ilogb((double)c) / 2 + ilogb((double)k) / 2) % 2;
}

static void layers_like_the_timed_ones_are_asked_for(void **state) {
  (void)state;
  sloe_bench *bench = open_bench("sim:kernels=2");
  sloe_proposals p;
  sloe_error err;
  size_t near = 0;
  time_layer(bench, "zoo:layer,op=fc,c=100,k=90");
  time_layer(bench, "zoo:layer,op=fc,n=3,c=70,k=1000");
  time_layer(bench, "zoo:layer,op=softmax,c=1000");
  assert_ok(sloe_proposals_ask(bench, &limits, &p, &err), err);
  assert_int_equal(p.n, 3 * SLOE_PROPOSALS_EACH);
  for (size_t i = 0; i < p.n; i++) {
    const sloe_layer_spec *s = &p.rows[i].spec;
    assert_true(s->op == SLOE_SPEC_FC || s->op == SLOE_SPEC_SOFTMAX);
    const int both = s->op == SLOE_SPEC_FC && odd(s->c, s->k);
    assert_string_equal(p.rows[i].kernels, both ? "steps third" : "steps");
    near += s->op == SLOE_SPEC_FC && s->c > 30 && s->c < 200 && s->k > 30 && s->k < 200;
  }
  assert_true(near > p.n / 8 && near < p.n / 2);
  sloe_proposals_fini(&p);
  sloe_bench_close(bench);
}

static void a_family_is_a_name_without_its_numbers(void **state) {
  (void)state;
  static const char *const rows[][2] = {{"eng=41,2=1,13=0,fused", "eng=41,fused"},
                                        {"eng=12,11=2", "eng=12"},
                                        {"eng=39,25=2,fused,nhwc", "eng=39,fused,nhwc"},
                                        {"algo=1", "algo=1"},
                                        {"", ""}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s", rows[i][0]);
    sloe_kernel_family(name);
    assert_string_equal(name, rows[i][1]);
  }
}

static void who_cannot_be_asked_says_so(void **state) {
  (void)state;
  sloe_proposals p;
  sloe_error err;
  sloe_bench *bench = open_bench("sim");
  time_layer(bench, "zoo:layer,op=fc,c=100,k=90");
  assert_refused(sloe_proposals_ask(bench, &limits, &p, &err), SLOE_UNSUPPORTED, err,
                 "no layer that was timed is the fastest of several kernels");
  assert_null(p.rows);
  sloe_bench_close(bench);
  sloe_device *device;
  sloe_layer_spec spec = sloe_layer_spec_none();
  sloe_text text = {0};
  assert_ok(sloe_device_open(RECORDED, NULL, &device, &err), err);
  spec.op = SLOE_SPEC_FC;
  assert_refused(sloe_device_proposals(device, &spec, &text, &err), SLOE_UNSUPPORTED, err,
                 "backend replay: it cannot be asked");
  sloe_device_close(device);
}

static void what_is_written_is_read(void **state) {
  (void)state;
  sloe_bench *bench = open_bench("sim:kernels=2");
  sloe_proposals asked, read;
  sloe_error err;
  char a[SLOE_SPEC_TEXT], b[SLOE_SPEC_TEXT];
  time_layer(bench, "zoo:layer,op=fc,c=100,k=90");
  assert_ok(sloe_proposals_ask(bench, &limits, &asked, &err), err);
  sloe_bench_close(bench);
  assert_ok(sloe_proposals_write(&asked, store_path("p.csv.gz"), &err), err);
  assert_ok(sloe_proposals_read(store_path("p.csv.gz"), &read, &err), err);
  assert_int_equal(read.n, asked.n);
  assert_int_equal(read.n_texts, 2);
  for (size_t i = 0; i < read.n; i++) {
    assert_string_equal(read.rows[i].kernels, asked.rows[i].kernels);
    assert_string_equal(sloe_layer_spec_print(&read.rows[i].spec, a),
                        sloe_layer_spec_print(&asked.rows[i].spec, b));
  }
  sloe_proposals_fini(&asked);
  sloe_proposals_fini(&read);
  assert_refused(sloe_proposals_write(&read, store_path("no/such.csv"), &err), SLOE_NOTFOUND, err,
                 "such.csv");
}

static void a_table_that_is_none_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
    sloe_status status;
  } rows[] = {
      {"net,kernels\n", "without a row", SLOE_FORMAT},
      {"net,ms\nzoo:layer,3\n", "no columns 'net' and 'kernels'", SLOE_FORMAT},
      {"net,kernels\nresnet.onnx,a\n", "line 2", SLOE_FORMAT},
      {"net,kernels\n\"zoo:layer,op=fc,c=3\",a\n\"zoo:layer,op=what\",a\n", "line 3", SLOE_FORMAT},
      {"net,kernels\n\"zoo:layer,op=fc\n", "t.csv", SLOE_FORMAT},
  };
  sloe_proposals p;
  sloe_error err;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    FILE *f = fopen(store_path("t.csv"), "w");
    assert_non_null(f);
    fputs(rows[i].text, f);
    fclose(f);
    assert_refused(sloe_proposals_read(store_path("t.csv"), &p, &err), rows[i].status, err,
                   rows[i].says);
    assert_null(p.rows);
  }
  assert_refused(sloe_proposals_read(store_path("nowhere.csv"), &p, &err), SLOE_NOTFOUND, err,
                 "nowhere.csv");
  sloe_proposals_fini(&p);
}

static void every_allocation_of_reading_and_writing_may_fail(void **state) {
  (void)state;
  FILE *f = fopen(store_path("t.csv"), "w");
  assert_non_null(f);
  fputs("net,kernels\n\"zoo:layer,op=fc,c=3\",a b\n\"zoo:layer,op=fc,c=4\",b\n", f);
  fclose(f);
  const long live = sloe_alloc_live();
  sloe_proposals p;
  sloe_error err;
  sloe_status status = SLOE_NOMEM;
  long n = 0;
  for (; status != SLOE_OK; n++) {
    sloe_alloc_fail_after(n);
    status = sloe_proposals_read(store_path("t.csv"), &p, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(p.rows);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_true(n > 3 && p.n == 2);
  status = SLOE_NOMEM;
  for (n = 0; status != SLOE_OK; n++) {
    sloe_alloc_fail_after(n);
    status = sloe_proposals_write(&p, store_path("again.csv.gz"), &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
  }
  assert_true(n > 1);
  sloe_proposals_fini(&p);
  assert_int_equal(sloe_alloc_live(), live);
}

#define PROPOSALS_TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      PROPOSALS_TEST(layers_like_the_timed_ones_are_asked_for),
      PROPOSALS_TEST(a_family_is_a_name_without_its_numbers),
      PROPOSALS_TEST(who_cannot_be_asked_says_so),
      PROPOSALS_TEST(what_is_written_is_read),
      PROPOSALS_TEST(a_table_that_is_none_is_refused),
      PROPOSALS_TEST(every_allocation_of_reading_and_writing_may_fail),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
