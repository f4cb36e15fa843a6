/* What may happen to a store's file: processes killed, two at once, a full disk, foreign and
 * damaged files.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "store/store_db.h"
#include "unit/store_files.h"

/* In a child no assertion of cmocka may run: it ends with 0 or with the line that went wrong. */
#define CHILD_REQUIRE(condition)                                    \
  do {                                                              \
    if (!(condition)) _exit(__LINE__ & 0x7f ? __LINE__ & 0x7f : 1); \
  } while (0)

static int end_of(pid_t child) {
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void pause_ms(long ms) {
  const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&t, NULL);
}

/* ---- two processes ---- */

enum { EACH = 20 };

static void write_samples(const char *path, int first_key) {
  sloe_store *store;
  sloe_store_visit visit;
  CHILD_REQUIRE(sloe_store_open(path, SLOE_STORE_WRITE, &store, NULL) == SLOE_OK);
  CHILD_REQUIRE(sloe_store_begin(store, &PLAN, &TOY, NULL, 0, &visit, NULL) == SLOE_OK);
  for (int i = 0; i < EACH; i++) {
    char key[32];
    int64_t own, common;
    snprintf(key, sizeof key, "own %d", first_key + i);
    const sloe_store_point points[] = {{.key = key}, {.key = "common"}};
    CHILD_REQUIRE(sloe_store_add_points(store, visit.campaign, points, 1, &own, NULL) == SLOE_OK);
    CHILD_REQUIRE(sloe_store_add_points(store, visit.campaign, points + 1, 1, &common, NULL) ==
                  SLOE_OK);
    CHILD_REQUIRE(store_try_sample(store, &visit, own, 1000, &DONE, NULL) == SLOE_OK);
    CHILD_REQUIRE(store_try_sample(store, &visit, common, 2000, NULL, NULL) == SLOE_OK);
  }
  sloe_store_close(store);
  _exit(0);
}

static void two_processes_write_one_file_and_all_is_there(void **state) {
  (void)state;
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = fork();
    if (children[i] == 0) write_samples(store_path("a.db"), 1000 * i);
    assert_true(children[i] > 0);
  }
  for (int i = 0; i < 2; i++) assert_int_equal(end_of(children[i]), 0);
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_info info = store_info(store);
  store_assert_sound(store);
  assert_int_equal(info.campaigns, 1);
  assert_int_equal(info.visits, 2);
  assert_int_equal(info.points, 2 * EACH + 1);
  assert_int_equal(info.samples, 4 * EACH);
  assert_int_equal(info.in_state[SLOE_STORE_DONE], 2 * EACH);
  sloe_store_close(store);
}

/* ---- kill -9 ---- */

/* Says after each stored sample how many there are by now. */
static void measure_until_killed(const char *path, int to) {
  sloe_store *store;
  sloe_store_visit visit;
  CHILD_REQUIRE(sloe_store_open(path, SLOE_STORE_WRITE, &store, NULL) == SLOE_OK);
  CHILD_REQUIRE(sloe_store_begin(store, &PLAN, &TOY, NULL, 0, &visit, NULL) == SLOE_OK);
  for (uint32_t i = 1;; i++) {
    char key[32];
    int64_t id;
    sloe_store_point point = {.key = key};
    snprintf(key, sizeof key, "key %ld %u", (long)getpid(), (unsigned)i);
    CHILD_REQUIRE(sloe_store_add_points(store, visit.campaign, &point, 1, &id, NULL) == SLOE_OK);
    CHILD_REQUIRE(store_try_sample(store, &visit, id, 1000 + i, &DONE, NULL) == SLOE_OK);
    CHILD_REQUIRE(write(to, &i, sizeof i) == sizeof i);
  }
}

static sloe_status is_whole(void *context, const sloe_store_sample *s, sloe_error *err) {
  (void)err;
  ++*(int *)context;
  assert_int_equal(s->n_runs, 5);
  assert_true(s->median_ns == (double)s->runs_ns[1] + 20);
  return SLOE_OK;
}

static sloe_status done_is_measured(void *context, const sloe_store_point *p, sloe_error *err) {
  int n = 0;
  sloe_store *again = store_open("a.db", SLOE_STORE_READ);
  assert_ok(sloe_store_each_sample(again, p->id, is_whole, &n, err), *err);
  assert_int_equal(n, p->state == SLOE_STORE_DONE);
  *(int *)context += n;
  sloe_store_close(again);
  return SLOE_OK;
}

static void kill_and_look(long after_ms, int64_t *kept) {
  int ends[2], status;
  uint32_t said = 0, now;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) measure_until_killed(store_path("a.db"), ends[1]);
  close(ends[1]);
  assert_int_equal(read(ends[0], &said, sizeof said), sizeof said); /* it is at work */
  pause_ms(after_ms);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  while (read(ends[0], &now, sizeof now) == sizeof now) said = now;
  close(ends[0]);
  assert_true(WIFSIGNALED(status));
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  store_assert_sound(store);
  int64_t samples = store_info(store).samples;
  assert_in_range(samples, *kept + said, *kept + said + 1); /* one may be stored and not yet said */
  *kept = samples;
  sloe_store_close(store);
}

static void a_killed_process_loses_at_most_the_sample_being_taken(void **state) {
  (void)state;
  int64_t kept = 0;
  int n = 0, found;
  sloe_error err;
  sloe_store_point point;
  for (long round = 0; round < 5; round++) kill_and_look(round * 7 % 23, &kept);
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  assert_int_equal(visit.resumed, 1);
  assert_ok(sloe_store_each_point(store, 0, done_is_measured, &n, &err), err);
  assert_int_equal(n, kept);
  /* What comes next is open; what is finished does not come again. */
  for (int open = (int)store_info(store).in_state[SLOE_STORE_OPEN]; open >= 0; open--) {
    assert_ok(sloe_store_next_open_point(store, visit.campaign, &point, &found, &err), err);
    assert_int_equal(found, open > 0);
    if (found) store_sample(store, &visit, point.id, 5, &DONE);
  }
  store_assert_sound(store);
  sloe_store_close(store);
}

/* ---- a full disk ---- */

static void fill_the_disk(const char *path) {
  const struct rlimit limit = {300000, 300000};
  sloe_store *store;
  sloe_store_visit visit;
  sloe_error err = {0};
  sloe_status status = SLOE_OK;
  int64_t id;
  const sloe_store_point point = {.key = "more"};
  signal(SIGXFSZ, SIG_IGN);
  CHILD_REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  CHILD_REQUIRE(sloe_store_open(path, SLOE_STORE_WRITE, &store, NULL) == SLOE_OK);
  CHILD_REQUIRE(sloe_store_begin(store, &PLAN, &TOY, NULL, 0, &visit, NULL) == SLOE_OK);
  CHILD_REQUIRE(sloe_store_add_points(store, visit.campaign, &point, 1, &id, NULL) == SLOE_OK);
  uint64_t runs[4096];
  for (int i = 0; i < 4096; i++) runs[i] = (uint64_t)i * 2654435761u;
  sloe_store_sample sample = sloe_store_sample_none();
  sample.runs_ns = runs;
  sample.n_runs = 4096;
  int stored = 0;
  for (; status == SLOE_OK && stored < 1000; stored += status == SLOE_OK)
    status = sloe_store_add_samples(store, &visit, id, &sample, 1, NULL, &err);
  CHILD_REQUIRE(status == SLOE_IO && err.code == SLOE_IO);
  CHILD_REQUIRE(strstr(err.msg, "a.db: cannot write: "));
  sloe_store_info info;
  CHILD_REQUIRE(sloe_store_get_info(store, 0, &info, NULL) == SLOE_OK);
  CHILD_REQUIRE(info.samples == stored + 10);
  sloe_store_close(store);
  _exit(0);
}

static void a_file_that_may_not_grow_is_said_and_loses_nothing(void **state) {
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  for (int i = 0; i < 10; i++) store_sample(store, &visit, store_point(store, &visit, i), 9, &DONE);
  sloe_store_close(store);
  pid_t child = fork();
  if (child == 0) fill_the_disk(store_path("a.db"));
  assert_int_equal(end_of(child), 0);
  store = store_open("a.db", SLOE_STORE_WRITE);
  visit = store_begin(store);
  store_assert_sound(store);
  sloe_store_info info = store_info(store);
  assert_int_equal(info.in_state[SLOE_STORE_DONE], 10);
  assert_true(info.samples > 10);
  store_sample(store, &visit, store_point(store, &visit, 99), 9, &DONE);
  sloe_store_close(store);
}

static void a_full_disk_is_said(void **state) {
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t id = store_point(store, &visit, 1);
  sloe_status status = SLOE_OK;
  sloe_error err;
  int stored = 0;
  assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 30", NULL, NULL, NULL), 0);
  for (; status == SLOE_OK && stored < 1000; stored += status == SLOE_OK)
    status = store_try_sample(store, &visit, id, 1000, NULL, &err);
  assert_int_equal(status, SLOE_IO);
  assert_non_null(strstr(err.msg, "a.db: the disk is full; what was stored before is kept"));
  assert_int_equal(store_info(store).samples, stored);
  assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 60", NULL, NULL, NULL), 0);
  store_sample(store, &visit, id, 1000, &DONE); /* room again: it goes on */
  store_assert_sound(store);
  sloe_store_close(store);
}

/* ---- foreign and damaged files ---- */

static void refuse_to_open(const char *name, sloe_status status, const char *words) {
  sloe_error err;
  for (int mode = SLOE_STORE_READ; mode <= SLOE_STORE_WRITE; mode++) {
    sloe_store *store = (void *)&store;
    assert_refused(sloe_store_open(store_path(name), (sloe_store_mode)mode, &store, &err), status,
                   err, words);
    assert_non_null(strstr(err.msg, name));
    assert_null(store);
  }
}

static void put_file(const char *name, const char *data, size_t len) {
  sloe_error err;
  assert_ok(sloe_file_write(store_path(name), data, len, &err), err);
}

static void sql(const char *name, const char *statements) {
  sqlite3 *db;
  assert_int_equal(sqlite3_open(store_path(name), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static void what_is_no_store_is_refused_and_left_alone(void **state) {
  (void)state;
  char *data, text[5000];
  size_t len;
  sloe_error err;
  memset(text, 'x', sizeof text);
  put_file("a.txt", text, sizeof text);
  refuse_to_open("a.txt", SLOE_FORMAT, "no store of sloe: not a database");
  put_file("b.txt", "net,latency_ms\n", 15);
  refuse_to_open("b.txt", SLOE_FORMAT, "not a database");
  assert_ok(sloe_file_read(store_path("b.txt"), 100, &data, &len, &err), err);
  assert_string_equal(data, "net,latency_ms\n");
  sloe_dealloc(data);
  sql("c.db", "CREATE TABLE point (id INTEGER)");
  refuse_to_open("c.db", SLOE_FORMAT, "a database, but no store of sloe");
  sql("d.db",
      "PRAGMA application_id = 1936486245; PRAGMA user_version = 1;"
      "CREATE VIEW point AS SELECT 1 AS id");
  refuse_to_open("d.db", SLOE_FORMAT, "no store of sloe");
  assert_int_equal(mkdir(store_path("e"), 0755), 0);
  sloe_store *store;
  assert_refused(sloe_store_open(store_path("e"), SLOE_STORE_WRITE, &store, &err), SLOE_IO, err,
                 "/e: ");
  rmdir(store_path("e"));
  assert_refused(sloe_store_open("", SLOE_STORE_WRITE, &store, &err), SLOE_USAGE, err, "path");
}

static void what_is_not_there_is_not_made_by_reading(void **state) {
  (void)state;
  sloe_store *store = (void *)&store;
  sloe_error err;
  assert_refused(sloe_store_open(store_path("a.db"), SLOE_STORE_READ, &store, &err), SLOE_NOTFOUND,
                 err, "a.db: No such file");
  assert_null(store);
  assert_int_not_equal(access(store_path("a.db"), F_OK), 0);
  assert_refused(sloe_store_open(store_path("no/a.db"), SLOE_STORE_WRITE, &store, &err), SLOE_IO,
                 err, "a.db: No such file");
  put_file("b.db", "", 0);
  assert_refused(sloe_store_open(store_path("b.db"), SLOE_STORE_READ, &store, &err), SLOE_FORMAT,
                 err, "empty");
  store = store_open("b.db", SLOE_STORE_WRITE); /* an empty file becomes a store */
  store_begin(store);
  sloe_store_close(store);
}

static void no_path_has_a_meaning_of_its_own(void **state) {
  (void)state;
  static const char *const names[] = {"a%41?mode=memory#.db", "file:x.db",
                                      ":memory:", "\xc3\xa4 b"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    sloe_store *store = store_open(names[i], SLOE_STORE_WRITE);
    store_begin(store);
    sloe_store_close(store);
    assert_int_equal(access(store_path(names[i]), R_OK), 0);
  }
  int here = open(".", O_RDONLY);
  assert_true(here >= 0 && chdir(store_folder) == 0);
  sloe_store *store = NULL;
  sloe_status status = sloe_store_open(":memory:", SLOE_STORE_READ, &store, NULL);
  assert_true(fchdir(here) == 0 && close(here) == 0);
  assert_int_equal(status, SLOE_OK);
  sloe_store_close(store);
}

static void a_newer_store_is_refused_by_its_version(void **state) {
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  store_begin(store);
  sloe_store_close(store);
  sql("a.db", "PRAGMA user_version = 2");
  refuse_to_open("a.db", SLOE_UNSUPPORTED, "written by a newer sloe: version 2");
}

static void make_big(const char *name) {
  sloe_store *store = store_open(name, SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  for (int i = 0; i < 40; i++) store_sample(store, &visit, store_point(store, &visit, i), 9, &DONE);
  sloe_store_close(store);
}

/* Everything that only reads. */
static sloe_status read_all(const char *name, sloe_error *err) {
  sloe_store *store;
  sloe_store_info info;
  sloe_text text = {0};
  SLOE_TRY(sloe_store_open(store_path(name), SLOE_STORE_READ, &store, err));
  sloe_status status;
  SLOE_GOTO(sloe_store_check(store, err));
  SLOE_GOTO(sloe_store_get_info(store, 0, &info, err));
  SLOE_GOTO(sloe_store_export_to(store, NULL, (sloe_csv_sink){&text, text_sink_write}, err));
fail:
  sloe_text_fini(&text);
  sloe_store_close(store);
  return status;
}

static void a_truncated_store_is_refused(void **state) {
  (void)state;
  char *data;
  size_t len;
  sloe_error err;
  make_big("a.db");
  assert_ok(sloe_file_read(store_path("a.db"), 1 << 24, &data, &len, &err), err);
  assert_true(len > 40000);
  static const size_t cuts[] = {2, 99, 100, 4095, 4096, 8192, 20000, 40959};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    put_file("b.db", data, cuts[i]);
    refuse_to_open("b.db", SLOE_FORMAT, "b.db: ");
  }
  put_file("b.db", data, len - 1);
  refuse_to_open("b.db", SLOE_FORMAT, "cut short");
  sloe_dealloc(data);
}

/* Whatever stands in the pages, reading ends, with a reason where it fails. */
static void altered_pages_do_no_harm(void **state) {
  (void)state;
  char *data, *copy;
  size_t len, refused = 0;
  sloe_error err;
  make_big("a.db");
  assert_ok(sloe_file_read(store_path("a.db"), 1 << 24, &data, &len, &err), err);
  copy = malloc(len);
  uint64_t random = 1;
  for (int i = 0; i < 100; i++) {
    memcpy(copy, data, len);
    for (int k = 0; k < 20; k++) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      copy[(random >> 20) % len] = (char)(random >> 56);
    }
    int fd = open(store_path("b.db"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(write(fd, copy, len) == (ssize_t)len && close(fd) == 0);
    memset(&err, 0, sizeof err);
    if (read_all("b.db", &err) == SLOE_OK) continue;
    assert_true(err.msg[0] && err.code != SLOE_INTERNAL);
    refused++;
  }
  assert_true(refused > 60);
  free(copy);
  sloe_dealloc(data);
}

/* As a user who may only read; root may do anything, so a child gives that up first. */
static void read_as_stranger(const char *path, const char *log) {
  sloe_store *store;
  sloe_store_info info;
  sloe_error err = {0};
  if (geteuid() == 0) CHILD_REQUIRE(setgid(65534) == 0 && setuid(65534) == 0);
  if (access(path, R_OK) != 0 || access(path, W_OK) == 0) _exit(99);
  CHILD_REQUIRE(sloe_store_open(path, SLOE_STORE_WRITE, &store, &err) == SLOE_IO);
  CHILD_REQUIRE(strstr(err.msg, "a.db: ") && store == NULL);
  CHILD_REQUIRE(sloe_store_open(path, SLOE_STORE_READ, &store, &err) == SLOE_OK);
  CHILD_REQUIRE(sloe_store_get_info(store, 0, &info, &err) == SLOE_OK && info.samples == 40);
  CHILD_REQUIRE(sloe_store_reopen_point(store, 1, &err) == SLOE_USAGE);
  CHILD_REQUIRE(strstr(err.msg, "opened for reading only"));
  CHILD_REQUIRE(access(log, F_OK) != 0);
  sloe_store_close(store);
  _exit(0);
}

static void a_read_only_file_can_be_read_and_not_written(void **state) {
  (void)state;
  make_big("a.db");
  assert_int_equal(chmod(store_path("a.db"), 0444), 0);
  assert_int_equal(chmod(store_folder, 0555), 0);
  pid_t child = fork();
  if (child == 0) read_as_stranger(store_path("a.db"), store_path("a.db-wal"));
  int end = end_of(child);
  assert_int_equal(chmod(store_folder, 0755), 0);
  if (end == 99) skip(); /* the build folder is closed to others */
  assert_int_equal(end, 0);
}

/* ---- migrations ---- */

static sloe_status migrate_to(sloe_store *store, const char *second, sloe_error *err) {
  const char *const migrations[] = {sloe_store_migrations[0], second};
  return sloe_store_migrate(store, migrations, 2, err);
}

static void a_migration_is_taken_once_and_whole(void **state) {
  (void)state;
  sloe_error err;
  make_big("a.db");
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  assert_refused(migrate_to(store, "CREATE TABLE new (a INTEGER) STRICT; nonsense", &err),
                 SLOE_FORMAT, err, "nonsense");
  assert_ok(migrate_to(store, "CREATE TABLE new (a INTEGER) STRICT", &err), err);
  assert_ok(migrate_to(store, "CREATE TABLE new (a INTEGER) STRICT", &err), err);
  assert_int_equal(store_info(store).samples, 40);
  store_assert_sound(store);
  sloe_store_close(store);
  refuse_to_open("a.db", SLOE_UNSUPPORTED, "version 2");
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)
      TEST(two_processes_write_one_file_and_all_is_there),
      TEST(a_killed_process_loses_at_most_the_sample_being_taken),
      TEST(a_full_disk_is_said),
      TEST(a_file_that_may_not_grow_is_said_and_loses_nothing),
      TEST(what_is_no_store_is_refused_and_left_alone),
      TEST(what_is_not_there_is_not_made_by_reading),
      TEST(no_path_has_a_meaning_of_its_own),
      TEST(a_newer_store_is_refused_by_its_version),
      TEST(a_truncated_store_is_refused),
      TEST(altered_pages_do_no_harm),
      TEST(a_read_only_file_can_be_read_and_not_written),
      TEST(a_migration_is_taken_once_and_whole),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
