/* The protobuf cursor. Each case runs over memory and through windows of 1, 2 and 7 bytes. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "onnx/wire.h"
#include "unit/unit.h"

static const size_t WINDOWS[] = {0, 1, 2, 7};
enum { N_WINDOWS = 4 };

static sloe_wire start(const void *data, size_t len, size_t window, sloe_error *err) {
  sloe_wire w;
  memset(err, 0, sizeof *err);
  if (window)
    assert_ok(sloe_wire_init_windowed(&w, data, len, window, err), *err);
  else
    sloe_wire_init_memory(&w, data, len, err);
  return w;
}

typedef struct varint_case {
  const char *bytes;
  size_t len;
  uint64_t value;
} varint_case;

static void wire_varints_of_all_widths_are_read(void **state) {
  static const varint_case cases[] = {
      {"\x00", 1, 0},
      {"\x7f", 1, 127},
      {"\x80\x01", 2, 128},
      {"\xac\x02", 2, 300},
      {"\x80\x80\x00", 3, 0}, /* longer than it must be */
      {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t k = 0; k < N_WINDOWS; k++) {
      sloe_error err;
      uint64_t value = 1;
      sloe_wire w = start(cases[i].bytes, cases[i].len, WINDOWS[k], &err);
      assert_ok(sloe_wire_varint(&w, &value), err);
      assert_int_equal(value, cases[i].value);
      assert_int_equal(sloe_wire_left(&w), 0);
      sloe_wire_fini(&w);
    }
}

static void wire_varint_wider_than_64_bits_is_refused(void **state) {
  static const char *cases[] = {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                                "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};
  (void)state;
  for (size_t i = 0; i < 2; i++)
    for (size_t k = 0; k < N_WINDOWS; k++) {
      sloe_error err;
      uint64_t value;
      sloe_wire w = start(cases[i], 10 + i, WINDOWS[k], &err);
      assert_refused(sloe_wire_varint(&w, &value), SLOE_FORMAT, err, "wider than 64 bits");
      assert_int_equal(err.offset, 0);
      sloe_wire_fini(&w);
    }
}

static void wire_varint_without_an_end_is_refused(void **state) {
  (void)state;
  for (size_t k = 0; k < N_WINDOWS; k++) {
    sloe_error err;
    uint64_t value;
    sloe_wire w = start("\x80\x80", 2, WINDOWS[k], &err);
    assert_refused(sloe_wire_varint(&w, &value), SLOE_FORMAT, err, "past the end");
    sloe_wire_fini(&w);
  }
}

typedef struct tag_case {
  const char *bytes;
  size_t len;
  const char *text;
} tag_case;

static void wire_tags_that_protobuf_has_not_are_refused(void **state) {
  static const tag_case cases[] = {
      {"\x00", 1, "field number 0"},   {"\x0b", 1, "field 1: a group"},
      {"\x0c", 1, "field 1: a group"}, {"\x0e", 1, "wire type 6"},
      {"\x0f", 1, "wire type 7"},      {"\x80\x80\x80\x80\x10", 5, "field number 536870912"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_error err;
    sloe_field f;
    sloe_wire w = start(cases[i].bytes, cases[i].len, 0, &err);
    assert_refused(sloe_wire_next(&w, &f), SLOE_FORMAT, err, cases[i].text);
  }
}

static void wire_walk_of_a_nested_message_sees_all_fields(void **state) {
  /* 1: 150; 2: { 1: "abc", 3: fixed32 1 }; 4: fixed64 2 */
  static const char data[] =
      "\x08\x96\x01\x12\x0a\x0a\x03"
      "abc\x1d\x01\x00\x00\x00\x21\x02\x00\x00\x00\x00\x00\x00\x00";
  (void)state;
  for (size_t k = 0; k < N_WINDOWS; k++) {
    sloe_error err;
    sloe_field f;
    int64_t number = 0;
    uint64_t outer, len, wide = 0;
    uint32_t narrow = 0;
    char text[3];
    sloe_wire w = start(data, sizeof data - 1, WINDOWS[k], &err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_ok(sloe_wire_int(&w, &f, &number), err);
    assert_int_equal(number, 150);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_int_equal(f.at, 3);
    assert_ok(sloe_wire_enter(&w, &f, &outer), err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_ok(sloe_wire_len(&w, &f, &len), err);
    assert_int_equal(len, 3);
    assert_ok(sloe_wire_bytes(&w, text, 3), err);
    assert_memory_equal(text, "abc", 3);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_ok(sloe_wire_u32(&w, &narrow), err);
    assert_int_equal(narrow, 1);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_int_equal(f.number, 0);
    assert_ok(sloe_wire_leave(&w, outer), err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_int_equal(f.number, 4);
    assert_ok(sloe_wire_u64(&w, &wide), err);
    assert_int_equal(wide, 2);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_int_equal(f.number, 0);
    sloe_wire_fini(&w);
  }
}

static void wire_skip_passes_over_every_wire_type(void **state) {
  static const char data[] =
      "\x08\x96\x01\x12\x03"
      "abc\x1d\x01\x00\x00\x00\x21\x02\x00\x00\x00\x00\x00\x00\x00\x28\x01";
  (void)state;
  for (size_t k = 0; k < N_WINDOWS; k++) {
    sloe_error err;
    sloe_field f;
    unsigned seen = 0;
    sloe_wire w = start(data, sizeof data - 1, WINDOWS[k], &err);
    for (;;) {
      assert_ok(sloe_wire_next(&w, &f), err);
      if (!f.number) break;
      seen = seen * 10 + f.number;
      assert_ok(sloe_wire_skip(&w, &f), err);
    }
    assert_int_equal(seen, 12345);
    sloe_wire_fini(&w);
  }
}

static void wire_length_beyond_the_message_is_refused_with_both_numbers(void **state) {
  (void)state;
  for (size_t k = 0; k < N_WINDOWS; k++) {
    sloe_error err;
    sloe_field f;
    sloe_wire w = start(
        "\x08\x01\x12\x09"
        "abc",
        7, WINDOWS[k], &err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_ok(sloe_wire_skip(&w, &f), err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_refused(sloe_wire_skip(&w, &f), SLOE_FORMAT, err, "field 2: 9 bytes declared, 3 left");
    assert_int_equal(err.offset, 2);
    sloe_wire_fini(&w);
  }
}

/* What a cut message holds is read, its end is an error. */
static void wire_message_cut_short_is_read_up_to_the_cut(void **state) {
  (void)state;
  for (size_t k = 0; k < N_WINDOWS; k++) {
    sloe_error err;
    sloe_field f;
    uint64_t outer;
    int64_t number;
    sloe_wire w = start("\x12\x09\x08\x05", 4, WINDOWS[k], &err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_ok(sloe_wire_enter(&w, &f, &outer), err);
    assert_ok(sloe_wire_next(&w, &f), err);
    assert_ok(sloe_wire_int(&w, &f, &number), err);
    assert_int_equal(number, 5);
    assert_refused(sloe_wire_next(&w, &f), SLOE_FORMAT, err, "field 2: 9 bytes declared, 2 left");
    assert_refused(sloe_wire_leave(&w, outer), SLOE_FORMAT, err, "9 bytes declared");
    sloe_wire_fini(&w);
  }
}

static void wire_value_of_another_wire_type_is_refused(void **state) {
  sloe_error err;
  sloe_field f;
  int64_t number;
  (void)state;
  sloe_wire w = start("\x0a\x01x", 3, 0, &err);
  assert_ok(sloe_wire_next(&w, &f), err);
  assert_refused(sloe_wire_int(&w, &f, &number), SLOE_FORMAT, err, "wire type 2 where 0");
}

static void wire_message_inside_ends_before_the_one_outside(void **state) {
  sloe_error err;
  sloe_field f;
  uint64_t outer, value;
  (void)state;
  /* the varint inside goes on behind the end of its message, which has one byte */
  sloe_wire w = start("\x12\x01\x80\x01", 4, 0, &err);
  assert_ok(sloe_wire_next(&w, &f), err);
  assert_ok(sloe_wire_enter(&w, &f, &outer), err);
  assert_refused(sloe_wire_varint(&w, &value), SLOE_FORMAT, err, "past the end of its message");
}

static void wire_file_of_3_gb_is_walked_without_touching_it(void **state) {
  char path[] = "sloe-wire-XXXXXX";
  const uint64_t hole = UINT64_C(3) << 30;
  /* 1: a bytes field of 3 GiB (a hole in the file); 2: varint 7 */
  const uint8_t head[] = {0x0a, 0x80, 0x80, 0x80, 0x80, 0x0c};
  const uint8_t tail[] = {0x10, 0x07};
  sloe_error err;
  sloe_field f;
  sloe_wire w;
  int64_t number = 0;
  (void)state;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  unlink(path);
  assert_int_equal(pwrite(fd, head, sizeof head, 0), sizeof head);
  if (pwrite(fd, tail, sizeof tail, (off_t)(sizeof head + hole)) != sizeof tail) {
    close(fd);
    skip(); /* this file system has no files of that size */
  }
  assert_ok(sloe_wire_init_file(&w, fd, sizeof head + hole + sizeof tail, &err), err);
  assert_ok(sloe_wire_next(&w, &f), err);
  assert_ok(sloe_wire_skip(&w, &f), err);
  assert_ok(sloe_wire_next(&w, &f), err);
  assert_int_equal(f.at, sizeof head + hole);
  assert_ok(sloe_wire_int(&w, &f, &number), err);
  assert_int_equal(number, 7);
  assert_ok(sloe_wire_next(&w, &f), err);
  assert_int_equal(f.number, 0);
  sloe_wire_fini(&w);
  close(fd);
}

static void wire_file_that_shrinks_while_read_is_an_io_error(void **state) {
  char path[] = "sloe-wire-XXXXXX";
  sloe_error err;
  sloe_field f;
  sloe_wire w;
  (void)state;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  unlink(path);
  assert_ok(sloe_wire_init_file(&w, fd, 100, &err), err);
  assert_refused(sloe_wire_next(&w, &f), SLOE_IO, err, "became shorter");
  sloe_wire_fini(&w);
  close(fd);
}

static void wire_cursor_without_memory_for_its_window_says_so(void **state) {
  sloe_error err;
  sloe_wire w;
  (void)state;
  sloe_alloc_fail_after(0);
  sloe_status status = sloe_wire_init_windowed(&w, "", 0, 16, &err);
  sloe_alloc_fail_after(-1);
  assert_int_equal(status, SLOE_NOMEM);
  sloe_wire_fini(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wire_varints_of_all_widths_are_read),
      cmocka_unit_test(wire_varint_wider_than_64_bits_is_refused),
      cmocka_unit_test(wire_varint_without_an_end_is_refused),
      cmocka_unit_test(wire_tags_that_protobuf_has_not_are_refused),
      cmocka_unit_test(wire_walk_of_a_nested_message_sees_all_fields),
      cmocka_unit_test(wire_skip_passes_over_every_wire_type),
      cmocka_unit_test(wire_length_beyond_the_message_is_refused_with_both_numbers),
      cmocka_unit_test(wire_message_cut_short_is_read_up_to_the_cut),
      cmocka_unit_test(wire_value_of_another_wire_type_is_refused),
      cmocka_unit_test(wire_message_inside_ends_before_the_one_outside),
      cmocka_unit_test(wire_file_of_3_gb_is_walked_without_touching_it),
      cmocka_unit_test(wire_file_that_shrinks_while_read_is_an_io_error),
      cmocka_unit_test(wire_cursor_without_memory_for_its_window_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
