/* The floor everything stands on: numbers, arena, map, text, files, errors. */
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/map.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/text.h"
#include "unit/unit.h"

static const char *const NOT_NUMBERS[] = {"",      " 1",  "1 ",  "1,5", "0x10",     "1e", "e5", ".",
                                          "1.2.3", "--1", "1e+", "NaN", "infinity", "1f", "+-2"};

static void text_that_is_no_number_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof NOT_NUMBERS / sizeof *NOT_NUMBERS; i++) {
    double d;
    int64_t n;
    size_t len = strlen(NOT_NUMBERS[i]);
    if (sloe_parse_double(NOT_NUMBERS[i], len, &d)) fail_msg("'%s' was read", NOT_NUMBERS[i]);
    if (sloe_parse_int(NOT_NUMBERS[i], len, &n)) fail_msg("'%s' was read", NOT_NUMBERS[i]);
  }
}

static void check_round_trips(void) {
  const double values[] = {0, 0.1, -1.5, 1e22, 1e-300, 9007199254740993.0, 0.1 + 0.2, 3.3e-5};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char buf[SLOE_NUMBER_BUF];
    double back = NAN;
    const char *text = sloe_format_double(values[i], buf);
    assert_null(strchr(text, ','));
    assert_true(sloe_parse_double(text, strlen(text), &back));
    assert_true(back == values[i]);
  }
}

static void numbers_round_trip_exactly(void **state) {
  (void)state;
  char buf[SLOE_NUMBER_BUF];
  assert_string_equal(sloe_format_double(0.1, buf), "0.1");
  assert_string_equal(sloe_format_double(NAN, buf), "nan");
  assert_string_equal(sloe_format_double(-INFINITY, buf), "-inf");
  check_round_trips();
}

static void numbers_keep_their_point_in_a_comma_locale(void **state) {
  (void)state;
  const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"};
  const char *set = NULL;
  for (size_t i = 0; !set && i < sizeof names / sizeof *names; i++)
    set = setlocale(LC_ALL, names[i]);
  if (!set) skip();
  char fixed[32];
  assert_string_equal(sloe_format_fixed(1.25, 2, fixed, sizeof fixed), "1.25");
  check_round_trips();
  setlocale(LC_ALL, "C");
}

static void integers_stop_at_the_edges_of_int64(void **state) {
  (void)state;
  int64_t n;
  assert_true(sloe_parse_int("9223372036854775807", 19, &n) && n == INT64_MAX);
  assert_true(sloe_parse_int("-9223372036854775808", 20, &n) && n == INT64_MIN);
  assert_false(sloe_parse_int("9223372036854775808", 19, &n));
  assert_false(sloe_parse_int("-9223372036854775809", 20, &n));
  assert_false(sloe_parse_int("99999999999999999999", 20, &n));
}

static void arena_refuses_what_is_over_its_limit(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_arena_init(&arena, 1000);
  assert_non_null(sloe_arena_alloc(&arena, 10, 50));
  assert_null(sloe_arena_alloc(&arena, 1000, 1));
  assert_null(sloe_arena_alloc(&arena, SIZE_MAX, 2));
  assert_null(sloe_arena_alloc(&arena, SIZE_MAX / 2, SIZE_MAX / 2));
  assert_null(sloe_arena_strn(&arena, "x", SIZE_MAX));
  sloe_arena_fini(&arena);
}

static void arena_memory_is_zeroed_and_apart(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_arena_init(&arena, 1 << 24);
  unsigned char *blocks[64];
  for (int i = 0; i < 64; i++) {
    size_t size = (size_t)i * 997 + 1;
    blocks[i] = sloe_arena_alloc(&arena, size, 1);
    assert_non_null(blocks[i]);
    for (size_t k = 0; k < size; k++) assert_int_equal(blocks[i][k], 0);
    memset(blocks[i], i + 1, size);
  }
  for (int i = 0; i < 64; i++) assert_int_equal(blocks[i][(size_t)i * 997], i + 1);
  sloe_arena_fini(&arena);
}

static void map_finds_what_was_put_and_nothing_else(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_map map = {0};
  sloe_arena_init(&arena, 1 << 24);
  assert_int_equal(sloe_map_get(&map, "x"), -1);
  for (int32_t i = 0; i < 5000; i++) {
    const char *key = sloe_arena_printf(&arena, "tensor_%d", i);
    assert_true(sloe_map_put(&map, &arena, key, i));
  }
  assert_true(sloe_map_put(&map, &arena, "tensor_7", 70));
  assert_int_equal(map.n, 5000);
  assert_int_equal(sloe_map_get(&map, "tensor_7"), 70);
  assert_int_equal(sloe_map_get(&map, "tensor_4999"), 4999);
  assert_int_equal(sloe_map_get(&map, "tensor_5000"), -1);
  sloe_arena_fini(&arena);
}

static void text_keeps_failing_once_memory_ran_out(void **state) {
  (void)state;
  long live = sloe_alloc_live();
  int succeeded = 0;
  for (long n = 0; !succeeded; n++) {
    sloe_text text = {0};
    sloe_error err = {0};
    char *out;
    sloe_alloc_fail_after(n);
    for (int i = 0; i < 100; i++) sloe_text_addf(&text, "line %d\n", i);
    sloe_alloc_fail_after(-1);
    sloe_status status = sloe_text_take(&text, &out, &err);
    succeeded = status == SLOE_OK;
    if (succeeded) {
      assert_int_equal(strlen(out), 790);
      sloe_text_free(out);
    } else {
      assert_int_equal(status, SLOE_NOMEM);
      assert_null(out);
    }
    assert_int_equal(sloe_alloc_live(), live);
  }
}

static char *temp_path(char *buf, size_t size, const char *name) {
  const char *dir = getenv("TMPDIR");
  snprintf(buf, size, "%s/sloe-test-%ld-%s", dir && *dir ? dir : "/tmp", (long)getpid(), name);
  return buf;
}

static void a_written_file_reads_back(void **state) {
  (void)state;
  char path[256], *data;
  size_t len;
  sloe_error err;
  temp_path(path, sizeof path, "rw");
  assert_ok(sloe_file_write(path, "one", 3, &err), err);
  assert_ok(sloe_file_write(path, "two\0x", 5, &err), err);
  assert_ok(sloe_file_read(path, 100, &data, &len, &err), err);
  assert_int_equal(len, 5);
  assert_memory_equal(data, "two\0x", 5);
  sloe_dealloc(data);
  assert_refused(sloe_file_read(path, 4, &data, &len, &err), SLOE_FORMAT, err, "4 bytes");
  assert_null(data);
  unlink(path);
}

static void a_pipe_is_written_into_and_stays_a_pipe(void **state) {
  (void)state;
  char path[256], got[8];
  struct stat st;
  sloe_error err;
  temp_path(path, sizeof path, "pipe");
  assert_int_equal(mkfifo(path, 0600), 0);
  int end = open(path, O_RDWR | O_NONBLOCK);
  assert_ok(sloe_file_write(path, "three", 5, &err), err);
  assert_int_equal(read(end, got, sizeof got), 5);
  assert_memory_equal(got, "three", 5);
  assert_int_equal(stat(path, &st), 0);
  assert_true(S_ISFIFO(st.st_mode));
  close(end);
  unlink(path);
}

static void a_missing_file_and_a_directory_are_told_apart(void **state) {
  (void)state;
  char *data;
  size_t len;
  sloe_error err;
  assert_refused(sloe_file_read("/nonexistent/x", 10, &data, &len, &err), SLOE_NOTFOUND, err,
                 "/nonexistent/x");
  assert_refused(sloe_file_read("/", 10, &data, &len, &err), SLOE_IO, err, "directory");
}

/* A file size limit stands in for a full disk: both make write() fail half way. */
static void a_write_that_fails_half_way_leaves_the_old_file(void **state) {
  (void)state;
  static char big[100000];
  char path[256], temp[300], *data;
  size_t len;
  struct stat st;
  sloe_error err;
  struct rlimit old, tight;
  temp_path(path, sizeof path, "full");
  assert_ok(sloe_file_write(path, "old", 3, &err), err);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  tight = old;
  tight.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &tight);
  sloe_status status = sloe_file_write(path, big, sizeof big, &err);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(status, SLOE_IO);
  assert_non_null(strstr(err.msg, path));
  assert_ok(sloe_file_read(path, 100, &data, &len, &err), err);
  assert_int_equal(len, 3);
  assert_memory_equal(data, "old", 3);
  sloe_dealloc(data);
  snprintf(temp, sizeof temp, "%s.tmp.%ld", path, (long)getpid());
  assert_int_not_equal(stat(temp, &st), 0);
  unlink(path);
}

static void a_message_stays_on_one_line_and_keeps_its_context(void **state) {
  (void)state;
  sloe_error err;
  assert_int_equal(sloe_fail_at(&err, SLOE_FORMAT, 12, "bad name '%s'", "a\nb"), SLOE_FORMAT);
  assert_string_equal(err.msg, "bad name 'a?b'");
  assert_int_equal(sloe_fail_in(&err, SLOE_IO, "file %d", 7), SLOE_FORMAT);
  assert_string_equal(err.msg, "file 7: bad name 'a?b'");
  assert_int_equal(err.offset, 12);
  assert_int_equal(sloe_fail(NULL, SLOE_IO, "no one listens"), SLOE_IO);
  assert_string_equal(sloe_status_text((sloe_status)99), "unknown status");
}

typedef struct tasks {
  int done[100];
  void *block[100];
} tasks;

static void allocate_one(void *context, size_t i) {
  tasks *t = context;
  t->done[i]++;
  t->block[i] = sloe_alloc(i + 1, 1);
}

static void every_task_is_done_once_on_any_number_of_threads(void **state) {
  (void)state;
  const long live = sloe_alloc_live();
  for (int threads = 0; threads <= 2 * SLOE_PARALLEL_MOST; threads += 5) {
    tasks t = {{0}, {NULL}};
    sloe_parallel(threads, 100, allocate_one, &t);
    assert_int_equal(sloe_alloc_live(), live + 100); /* as if this thread had allocated them */
    for (size_t i = 0; i < 100; i++) {
      assert_int_equal(t.done[i], 1);
      sloe_dealloc(t.block[i]);
    }
    assert_int_equal(sloe_alloc_live(), live);
  }
  sloe_parallel(4, 0, allocate_one, NULL);
}

static void tasks_fail_to_allocate_where_their_caller_would(void **state) {
  (void)state;
  tasks t = {{0}, {NULL}};
  sloe_alloc_fail_after(40);
  sloe_parallel(8, 100, allocate_one, &t);
  sloe_alloc_fail_after(-1);
  for (size_t i = 0; i < 100; i++) {
    assert_int_equal(t.done[i], 1);
    assert_true(!t.block[i] == (i >= 40));
    sloe_dealloc(t.block[i]);
  }
}

static sloe_status refuse_some(void *context, size_t i, sloe_error *err) {
  const size_t *least = context;
  return i % 10 == *least ? sloe_fail(err, SLOE_FORMAT, "task %zu", i) : SLOE_OK;
}

static void the_first_task_that_failed_says_why(void **state) {
  (void)state;
  sloe_error err;
  size_t least = 7, none = 10;
  for (int threads = 1; threads < 9; threads++) {
    assert_int_equal(sloe_parallel_try(threads, 100, refuse_some, &least, &err), SLOE_FORMAT);
    assert_string_equal(err.msg, "task 7");
    assert_ok(sloe_parallel_try(threads, 100, refuse_some, &none, &err), err);
  }
  assert_int_equal(sloe_parallel_try(2, 100, refuse_some, &least, NULL), SLOE_FORMAT);
  for (long n = 0; n < 2; n++) {
    const long live = sloe_alloc_live();
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_parallel_try(2, 100, refuse_some, &none, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(status, SLOE_NOMEM);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_task_is_done_once_on_any_number_of_threads),
      cmocka_unit_test(tasks_fail_to_allocate_where_their_caller_would),
      cmocka_unit_test(the_first_task_that_failed_says_why),
      cmocka_unit_test(text_that_is_no_number_is_refused),
      cmocka_unit_test(numbers_round_trip_exactly),
      cmocka_unit_test(numbers_keep_their_point_in_a_comma_locale),
      cmocka_unit_test(integers_stop_at_the_edges_of_int64),
      cmocka_unit_test(arena_refuses_what_is_over_its_limit),
      cmocka_unit_test(arena_memory_is_zeroed_and_apart),
      cmocka_unit_test(map_finds_what_was_put_and_nothing_else),
      cmocka_unit_test(text_keeps_failing_once_memory_ran_out),
      cmocka_unit_test(a_written_file_reads_back),
      cmocka_unit_test(a_pipe_is_written_into_and_stays_a_pipe),
      cmocka_unit_test(a_missing_file_and_a_directory_are_told_apart),
      cmocka_unit_test(a_write_that_fails_half_way_leaves_the_old_file),
      cmocka_unit_test(a_message_stays_on_one_line_and_keeps_its_context),
  };
  return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
