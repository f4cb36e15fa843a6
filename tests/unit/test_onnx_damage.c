/* The ONNX reader with bytes missing, memory missing, and more bytes than memory. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onnx/pb.h"
#include "onnx/wire.h"
#include "unit/onnx_files.h"

static const char *const MODELS[] = {"conv-chain",        "dynamic",     "if",     "functions",
                                     "function-defaults", "data-fields", "sparse", "scan"};
enum { N_MODELS = 8 };

/* Is this prefix a model by itself: cut between two outermost fields, graph and opset before? */
static int is_model(const char *data, size_t len) {
  sloe_wire w;
  sloe_field f;
  unsigned seen = 0;
  sloe_wire_init_memory(&w, data, len, NULL);
  while (sloe_wire_next(&w, &f) == SLOE_OK) {
    if (!f.number) return (seen & 3) == 3;
    if (sloe_wire_skip(&w, &f) != SLOE_OK) return 0;
    seen |= f.number == 7 ? 1 : f.number == 8 ? 2 : 0;
  }
  return 0;
}

static void onnx_model_cut_at_any_byte_is_refused_with_an_offset_inside(void **state) {
  (void)state;
  for (size_t m = 0; m < N_MODELS; m++) {
    size_t len, refused = 0;
    char *data = corpus_bytes(MODELS[m], &len);
    for (size_t n = 0; n < len; n++) {
      sloe_net *net = (sloe_net *)state;
      sloe_error err = {0};
      sloe_status status = sloe_onnx_read_memory(data, n, 0, &net, &err);
      if (is_model(data, n)) {
        if (status == SLOE_OK) sloe_net_free(net);
        continue;
      }
      if (status != SLOE_FORMAT) fail_msg("%s cut at %zu: status %d", MODELS[m], n, (int)status);
      assert_null(net);
      assert_true(err.msg[0] && err.offset <= n);
      refused++;
    }
    assert_true(refused > len / 2);
    sloe_dealloc(data);
  }
}

static void onnx_model_reads_alike_from_memory_windows_and_a_file(void **state) {
  (void)state;
  for (size_t m = 0; m < N_MODELS; m++) {
    size_t len;
    sloe_error err;
    char *data = corpus_bytes(MODELS[m], &len);
    sloe_net *whole, *file = corpus_net(MODELS[m]);
    assert_ok(sloe_onnx_read_memory(data, len, 0, &whole, &err), err);
    for (size_t window = 1; window < 70; window += 3) {
      sloe_net *net;
      assert_ok(sloe_onnx_read_windowed(data, len, window, 0, &net, &err), err);
      assert_int_equal(net->n_tensors, whole->n_tensors);
      assert_int_equal(net->arena.used, whole->arena.used);
      sloe_net_free(net);
    }
    assert_int_equal(file->arena.used, whole->arena.used);
    sloe_net_free(file);
    sloe_net_free(whole);
    sloe_dealloc(data);
  }
}

static void onnx_reading_survives_failure_of_every_allocation(void **state) {
  (void)state;
  for (size_t m = 0; m < N_MODELS; m++) {
    size_t len;
    char *data = corpus_bytes(MODELS[m], &len);
    long live = sloe_alloc_live(), n = 0;
    sloe_status status = SLOE_NOMEM;
    for (; status != SLOE_OK && n < 1000; n++) {
      sloe_net *net = (sloe_net *)state;
      sloe_error err = {0};
      sloe_alloc_fail_after(n);
      status = sloe_net_from_memory(data, len, NULL, &net, &err);
      sloe_alloc_fail_after(-1);
      if (status == SLOE_OK) {
        sloe_net_free(net);
      } else {
        assert_int_equal(status, SLOE_NOMEM);
        assert_null(net);
        assert_true(err.msg[0] != 0);
      }
      assert_int_equal(sloe_alloc_live(), live);
    }
    assert_int_equal(status, SLOE_OK);
    assert_true(n > 5);
    sloe_dealloc(data);
  }
}

/* Unlike allocations, which come in blocks, the limit can end before any request of the arena. */
static void onnx_reading_survives_every_memory_limit(void **state) {
  for (size_t m = 0; m < N_MODELS; m++) {
    size_t len;
    char *data = corpus_bytes(MODELS[m], &len);
    long live = sloe_alloc_live();
    sloe_status status = SLOE_NOMEM;
    for (size_t limit = 16; status != SLOE_OK; limit += 16) {
      sloe_net_options options = {.memory_limit = limit};
      sloe_net *net = (sloe_net *)state;
      sloe_error err = {0};
      status = sloe_net_from_memory(data, len, &options, &net, &err);
      if (status == SLOE_OK) {
        sloe_net_free(net);
      } else {
        assert_int_equal(status, SLOE_NOMEM);
        assert_null(net);
        assert_true(err.msg[0] != 0);
      }
      assert_int_equal(sloe_alloc_live(), live);
    }
    sloe_dealloc(data);
  }
}

static void onnx_net_stays_within_its_memory_limit(void **state) {
  (void)state;
  size_t len;
  char *data = corpus_bytes("bad-function-bomb", &len);
  sloe_net *net = (sloe_net *)state;
  sloe_error err;
  assert_refused(sloe_onnx_read_memory(data, len, 1 << 20, &net, &err), SLOE_NOMEM, err, "");
  assert_null(net);
  assert_true(err.msg[0] != 0);
  sloe_dealloc(data);
}

/* Relu on x, and an initializer of 3 GiB in between. */
static void put_model(sloe_pb *pb) {
  sloe_pb_int(pb, 1, 8);
  sloe_pb_mark graph = sloe_pb_begin(pb, 7), init = sloe_pb_begin(pb, 5);
  sloe_pb_int(pb, 1, INT64_C(3) << 28);
  sloe_pb_int(pb, 2, SLOE_DT_FLOAT);
  sloe_pb_text(pb, 8, "big");
  sloe_pb_hollow(pb, 9, UINT64_C(3) << 30, 0);
  sloe_pb_end(pb, init);
  sloe_pb_mark node = sloe_pb_begin(pb, 1);
  sloe_pb_text(pb, 1, "big");
  sloe_pb_text(pb, 2, "y");
  sloe_pb_text(pb, 4, "Relu");
  sloe_pb_end(pb, node);
  sloe_pb_mark out = sloe_pb_begin(pb, 12);
  sloe_pb_text(pb, 1, "y");
  sloe_pb_end(pb, out);
  sloe_pb_end(pb, graph);
  sloe_pb_mark opset = sloe_pb_begin(pb, 8);
  sloe_pb_int(pb, 2, 17);
  sloe_pb_end(pb, opset);
}

static void onnx_file_over_2_gb_is_read(void **state) {
  char path[] = "sloe-onnx-XXXXXX";
  sloe_pb pb = {0};
  sloe_net *net;
  sloe_error err;
  (void)state;
  put_model(&pb);
  assert_false(pb.failed);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  size_t head = pb.holes[0].at, tail = pb.len - head;
  assert_int_equal(pwrite(fd, pb.data, head, 0), head);
  ssize_t done = pwrite(fd, pb.data + head, tail, (off_t)(head + pb.hole_bytes));
  close(fd);
  sloe_pb_fini(&pb);
  sloe_status status = done == (ssize_t)tail ? sloe_onnx_read_file(path, 0, &net, &err) : SLOE_IO;
  unlink(path);
  if (done != (ssize_t)tail) skip(); /* this file system has no files of that size */
  assert_ok(status, err);
  assert_int_equal(net->n_nodes, 1);
  assert_shape(&tensor_named(net, "big")->shape, "805306368");
  assert_true(net->nodes[0].offset > UINT64_C(3) << 30);
  sloe_net_free(net);
}

static void onnx_names_with_a_zero_byte_are_refused(void **state) {
  sloe_pb pb = {0};
  sloe_net *net;
  sloe_error err;
  (void)state;
  sloe_pb_int(&pb, 1, 8);
  sloe_pb_mark graph = sloe_pb_begin(&pb, 7), node = sloe_pb_begin(&pb, 1);
  sloe_pb_bytes(&pb, 1, "a\0b", 3);
  sloe_pb_end(&pb, node);
  sloe_pb_end(&pb, graph);
  sloe_pb_mark opset = sloe_pb_begin(&pb, 8);
  sloe_pb_int(&pb, 2, 17);
  sloe_pb_end(&pb, opset);
  assert_refused(sloe_onnx_read_memory(pb.data, pb.len, 0, &net, &err), SLOE_FORMAT, err,
                 "zero byte");
  assert_null(net);
  sloe_pb_fini(&pb);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(onnx_model_cut_at_any_byte_is_refused_with_an_offset_inside),
      cmocka_unit_test(onnx_model_reads_alike_from_memory_windows_and_a_file),
      cmocka_unit_test(onnx_reading_survives_failure_of_every_allocation),
      cmocka_unit_test(onnx_reading_survives_every_memory_limit),
      cmocka_unit_test(onnx_net_stays_within_its_memory_limit),
      cmocka_unit_test(onnx_file_over_2_gb_is_read),
      cmocka_unit_test(onnx_names_with_a_zero_byte_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
