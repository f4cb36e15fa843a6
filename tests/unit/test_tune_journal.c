/* The journal of tuning: what was fitted is not fitted again, whatever happened to the file. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/learn_rows.h"
#include "unit/tune_check.h"

enum { N = 80 };
static planted seen;
static char path[sizeof SLOE_BINARY_DIR + 32];
static sloe_tuned plain; /* without a journal */

static sloe_tune_options options(void) {
  return (sloe_tune_options){.log_target = 1, .points = 24, .folds = 3, .journal = path};
}

static sloe_tuned tune(const sloe_tune_options *o) {
  const sloe_learn_rows rows = planted_rows(&seen, N);
  sloe_tuned tuned;
  sloe_error err;
  assert_ok(sloe_tune(sloe_regressor_find("rf"), &rows, o, &tuned, &err), err);
  check_tuned(&tuned, &rows);
  return tuned;
}

static int fill(void **state) {
  (void)state;
  plant(&seen, 9);
  sloe_tune_options o = options();
  o.journal = NULL;
  plain = tune(&o);
  return 0;
}

static int empty(void **state) {
  (void)state;
  sloe_tuned_fini(&plain);
  return 0;
}

static int new_path(void **state) {
  (void)state;
  snprintf(path, sizeof path, "%s/tune-XXXXXX", SLOE_BINARY_DIR);
  const int fd = mkstemp(path);
  if (fd < 0) return -1;
  close(fd);
  return 0;
}

static int drop_path(void **state) {
  (void)state;
  unlink(path);
  return 0;
}

static char *journal(size_t *len) {
  char *text;
  sloe_error err;
  assert_ok(sloe_file_read(path, 1 << 24, &text, len, &err), err);
  return text;
}

/* The same as without a journal; how many fits were found in it. */
static size_t tune_again(void) {
  const sloe_tune_options o = options();
  sloe_tuned t = tune(&o);
  assert_same_tuned(&t, &plain);
  const size_t reused = t.n_reused;
  sloe_tuned_fini(&t);
  return reused;
}

static void die(void *context, const sloe_tune_progress *progress) {
  (void)context;
  if (progress->done == 5) raise(SIGKILL);
}

static void a_killed_run_goes_on_and_finds_the_same(void **state) {
  (void)state;
  sloe_tune_options o = options();
  o.progress = die;
  const pid_t pid = fork();
  if (pid == 0) {
    sloe_tuned unused = tune(&o);
    sloe_tuned_fini(&unused);
    _exit(0);
  }
  int how = 0;
  assert_int_equal(waitpid(pid, &how, 0), pid);
  assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
  const size_t reused = tune_again();
  assert_true(reused >= 4 && reused <= 6);
}

static void what_is_complete_is_not_fitted_again(void **state) {
  (void)state;
  assert_int_equal(tune_again(), 0);
  assert_int_equal(tune_again(), plain.n_fits - 3); /* but for the estimates */
}

static void damaged_lines_are_fitted_again(void **state) {
  (void)state;
  size_t len;
  sloe_error err;
  tune_again();
  char *text = journal(&len);
  for (size_t i = 100; i < len; i += 997)
    if (text[i] != '\n') text[i] ^= 1;
  assert_ok(sloe_file_write(path, text, len * 2 / 3, &err), err);
  sloe_dealloc(text);
  const size_t reused = tune_again();
  assert_true(reused > 0 && reused < plain.n_fits - 3);
  assert_int_equal(tune_again(), plain.n_fits - 3);
}

static void a_journal_only_begun_is_begun_again(void **state) {
  (void)state;
  sloe_error err;
  assert_ok(sloe_file_write(path, "sloe tune jo", 12, &err), err);
  assert_int_equal(tune_again(), 0);
  assert_int_equal(tune_again(), plain.n_fits - 3);
}

static void other_rows_and_options_have_lines_of_their_own(void **state) {
  (void)state;
  sloe_tune_options other = options();
  tune_again();
  other.seed = 77;
  sloe_tuned t = tune(&other);
  assert_int_equal(t.n_reused, 0);
  sloe_tuned_fini(&t);
  other = options();
  other.log_inputs = 1;
  t = tune(&other);
  assert_int_equal(t.n_reused, 0);
  sloe_tuned_fini(&t);
  seen.y[3] *= 1.01;
  other = options();
  t = tune(&other);
  assert_int_equal(t.n_reused, 0);
  sloe_tuned_fini(&t);
  plant(&seen, 9);
  assert_int_equal(tune_again(), plain.n_fits - 3);
}

static void a_file_of_another_kind_is_refused_and_left_alone(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, N);
  const sloe_tune_options o = options();
  sloe_tuned t;
  sloe_error err;
  size_t len;
  assert_ok(sloe_file_write(path, "net,latency_ms\n", 15, &err), err);
  assert_refused(sloe_tune(sloe_regressor_find("rf"), &rows, &o, &t, &err), SLOE_FORMAT, err,
                 "no journal of tuning");
  assert_null(t.estimated);
  char *text = journal(&len);
  assert_int_equal(len, 15);
  sloe_dealloc(text);
}

static void a_journal_that_cannot_be_made_is_said(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, N);
  const sloe_tune_options o = {.journal = "/nonexistent/journal"};
  sloe_tuned t;
  sloe_error err;
  assert_refused(sloe_tune(sloe_regressor_find("rf"), &rows, &o, &t, &err), SLOE_IO, err,
                 "/nonexistent/journal");
}

#define WITH_PATH(test) cmocka_unit_test_setup_teardown(test, new_path, drop_path)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_PATH(a_killed_run_goes_on_and_finds_the_same),
      WITH_PATH(what_is_complete_is_not_fitted_again),
      WITH_PATH(damaged_lines_are_fitted_again),
      WITH_PATH(a_journal_only_begun_is_begun_again),
      WITH_PATH(other_rows_and_options_have_lines_of_their_own),
      WITH_PATH(a_file_of_another_kind_is_refused_and_left_alone),
      cmocka_unit_test(a_journal_that_cannot_be_made_is_said),
  };
  return cmocka_run_group_tests(tests, fill, empty);
}
