/* Files that may be compressed: what was written is read back, what is damaged is refused. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/gzip.h"
#include "unit/unit.h"

static char folder[] = SLOE_BINARY_DIR "/gzip-XXXXXX";

static const char *path_of(const char *name) {
  static char path[4][1024];
  static int turn;
  char *to = path[turn++ & 3];
  snprintf(to, sizeof path[0], "%s/%s", folder, name);
  return to;
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  static const char *const names[] = {"t.csv", "t.csv.gz", "two.gz", "bad.gz"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(path_of(names[i]));
  return rmdir(folder);
}

/* Rows that compress, but not to nothing. */
static char *make_rows(size_t n, size_t *len) {
  char *rows = malloc(n * 24);
  *len = 0;
  for (size_t i = 0; i < n; i++)
    *len += (size_t)snprintf(rows + *len, 24, "%zu,%zu\n", i, i * 2654435761u % 100000);
  return rows;
}

static sloe_status write_file(const char *path, const char *data, size_t len, sloe_error *err) {
  sloe_gzip_writer *w;
  SLOE_TRY(sloe_gzip_begin(path, &w, err));
  sloe_status status = SLOE_OK;
  for (size_t at = 0; at < len && status == SLOE_OK; at += 1000)
    status = sloe_gzip_append(w, data + at, len - at < 1000 ? len - at : 1000, err);
  return sloe_gzip_end(w, status, err);
}

/* All of it into `to`, in pieces of `piece`. */
static sloe_status read_file(const char *path, uint64_t limit, char *to, size_t piece, size_t *len,
                             sloe_error *err) {
  sloe_gzip_reader *r;
  size_t got = 1;
  *len = 0;
  SLOE_TRY(sloe_gzip_open(path, limit, &r, err));
  sloe_status status = SLOE_OK;
  for (; status == SLOE_OK && got; *len += got)
    status = sloe_gzip_read(r, to + *len, piece, &got, err);
  sloe_gzip_close(r);
  return status;
}

static void check_round_trip(const char *name, size_t n) {
  size_t len, back;
  sloe_error err;
  char *rows = make_rows(n, &len), *to = malloc(len + 70000);
  assert_ok(write_file(path_of(name), rows, len, &err), err);
  static const size_t pieces[] = {1, 7, 4096, 65536};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    assert_ok(read_file(path_of(name), len, to, pieces[i], &back, &err), err);
    assert_int_equal(back, len);
    assert_memory_equal(to, rows, len);
  }
  free(rows);
  free(to);
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  check_round_trip("t.csv", 5000);
  check_round_trip("t.csv.gz", 5000);
  check_round_trip("t.csv", 0);
  check_round_trip("t.csv.gz", 0);
}

static void the_ending_decides_about_packing(void **state) {
  (void)state;
  size_t len, n;
  char *rows = make_rows(5000, &len), *data;
  sloe_error err;
  assert_ok(write_file(path_of("t.csv"), rows, len, &err), err);
  assert_ok(write_file(path_of("t.csv.gz"), rows, len, &err), err);
  assert_ok(sloe_file_read(path_of("t.csv"), 1 << 20, &data, &n, &err), err);
  assert_int_equal(n, len);
  sloe_dealloc(data);
  assert_ok(sloe_file_read(path_of("t.csv.gz"), 1 << 20, &data, &n, &err), err);
  assert_true(n < len / 2);
  assert_int_equal((unsigned char)data[0], 0x1f);
  assert_memory_equal(data + 4, "\0\0\0\0", 4); /* no time: the same rows, the same bytes */
  sloe_dealloc(data);
  free(rows);
}

static void members_one_behind_the_other_are_one_file(void **state) {
  (void)state;
  size_t len, n, back;
  char *rows = make_rows(100, &len), *data, *twice, *to = malloc(2 * len + 100);
  sloe_error err;
  assert_ok(write_file(path_of("t.csv.gz"), rows, len, &err), err);
  assert_ok(sloe_file_read(path_of("t.csv.gz"), 1 << 20, &data, &n, &err), err);
  twice = malloc(2 * n + 1);
  memcpy(twice, data, n);
  memcpy(twice + n, data, n);
  assert_ok(sloe_file_write(path_of("two.gz"), twice, 2 * n, &err), err);
  assert_ok(read_file(path_of("two.gz"), 1 << 20, to, 50, &back, &err), err);
  assert_int_equal(back, 2 * len);
  assert_memory_equal(to, rows, len);
  assert_memory_equal(to + len, rows, len);
  twice[2 * n] = 'x';
  assert_ok(sloe_file_write(path_of("two.gz"), twice, 2 * n + 1, &err), err);
  assert_refused(read_file(path_of("two.gz"), 1 << 20, to, 50, &back, &err), SLOE_FORMAT, err,
                 "something follows");
  assert_int_equal(err.offset, 2 * n);
  sloe_dealloc(data);
  free(twice);
  free(rows);
  free(to);
}

/* Cut at every length and with every byte changed: refused, or the same bytes (a few of the header
   mean nothing), and never more. */
static void a_damaged_file_is_refused(void **state) {
  (void)state;
  size_t len, n, back;
  char *rows = make_rows(60, &len), *data, *to = malloc(len + 100);
  sloe_error err;
  int refused = 0;
  assert_ok(write_file(path_of("t.csv.gz"), rows, len, &err), err);
  assert_ok(sloe_file_read(path_of("t.csv.gz"), 1 << 20, &data, &n, &err), err);
  for (size_t cut = 2; cut < n; cut++) {
    assert_ok(sloe_file_write(path_of("bad.gz"), data, cut, &err), err);
    assert_refused(read_file(path_of("bad.gz"), len, to, 50, &back, &err), SLOE_FORMAT, err,
                   "cut short");
    assert_int_equal(err.offset, cut);
  }
  for (size_t i = 2; i < n; i++) {
    data[i] ^= 0x41;
    assert_ok(sloe_file_write(path_of("bad.gz"), data, n, &err), err);
    sloe_status status = read_file(path_of("bad.gz"), len, to, 50, &back, &err);
    if (status == SLOE_OK) {
      assert_int_equal(back, len);
      assert_memory_equal(to, rows, len);
    } else {
      assert_int_equal(status, SLOE_FORMAT);
      assert_true(err.msg[0] && err.offset <= n);
      refused++;
    }
    data[i] ^= 0x41;
  }
  assert_true(refused > (int)n - 12);
  sloe_dealloc(data);
  free(rows);
  free(to);
}

static void what_unpacks_to_more_than_allowed_is_refused(void **state) {
  (void)state;
  size_t len, back;
  char *rows = make_rows(5000, &len), *to = malloc(len + 70000);
  sloe_error err;
  static const char *const names[] = {"t.csv", "t.csv.gz"};
  for (size_t i = 0; i < 2; i++) {
    assert_ok(write_file(path_of(names[i]), rows, len, &err), err);
    assert_refused(read_file(path_of(names[i]), len - 1, to, 4096, &back, &err), SLOE_FORMAT, err,
                   "longer than allowed");
  }
  free(rows);
  free(to);
}

static void what_cannot_be_opened_says_why(void **state) {
  (void)state;
  sloe_gzip_reader *r = (void *)&r;
  sloe_gzip_writer *w = (void *)&w;
  sloe_error err;
  assert_refused(sloe_gzip_open(path_of("none.gz"), 1, &r, &err), SLOE_NOTFOUND, err, "none.gz");
  assert_null(r);
  assert_refused(sloe_gzip_open(folder, 1, &r, &err), SLOE_IO, err, "directory");
  assert_null(r);
  assert_refused(sloe_gzip_begin(path_of("no/t.gz"), &w, &err), SLOE_NOTFOUND, err, "no/t.gz");
  assert_null(w);
}

static void a_failed_writer_leaves_the_file_as_it_was(void **state) {
  (void)state;
  sloe_gzip_writer *w;
  sloe_error err = {0};
  char *data;
  size_t n;
  assert_ok(sloe_file_write(path_of("t.csv.gz"), "old", 3, &err), err);
  assert_ok(sloe_gzip_begin(path_of("t.csv.gz"), &w, &err), err);
  assert_ok(sloe_gzip_append(w, "new", 3, &err), err);
  assert_int_equal(sloe_gzip_end(w, SLOE_NOMEM, &err), SLOE_NOMEM);
  assert_ok(sloe_file_read(path_of("t.csv.gz"), 100, &data, &n, &err), err);
  assert_string_equal(data, "old");
  sloe_dealloc(data);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  char to[100];
  size_t back;
  sloe_error err;
  long live = sloe_alloc_live();
  assert_ok(write_file(path_of("t.csv.gz"), "abc", 3, &err), err);
  for (int reading = 0; reading < 2; reading++) {
    sloe_status status = SLOE_NOMEM;
    long n = 0;
    for (; status != SLOE_OK; n++) {
      memset(&err, 0, sizeof err);
      sloe_alloc_fail_after(n);
      status = reading ? read_file(path_of("t.csv.gz"), 100, to, 50, &back, &err)
                       : write_file(path_of("t.csv.gz"), "abc", 3, &err);
      sloe_alloc_fail_after(-1);
      if (status != SLOE_OK) assert_true(status == SLOE_NOMEM && err.msg[0]);
      assert_int_equal(sloe_alloc_live(), live);
      assert_true(n < 100);
    }
    assert_true(n > 3);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(the_ending_decides_about_packing),
      cmocka_unit_test(members_one_behind_the_other_are_one_file),
      cmocka_unit_test(a_damaged_file_is_refused),
      cmocka_unit_test(what_unpacks_to_more_than_allowed_is_refused),
      cmocka_unit_test(what_cannot_be_opened_says_why),
      cmocka_unit_test(a_failed_writer_leaves_the_file_as_it_was),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
