/* Numbers and durations of the command line. */
#include "unit.h"

#include "cli/cli.h"

static void durations_are_read_with_their_unit(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double seconds;
  } rows[] = {{"90s", 90},    {"30m", 1800}, {"1h", 3600},  {"45", 45},
              {"1.5h", 5400}, {"0.5m", 30},  {"1e3", 1000}, {".5s", 0.5}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_true(sloe_cli_duration(rows[i].text) == rows[i].seconds);
}

static void what_is_no_duration_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {"",   "s",    "m", "h30", "30 m", "30min", "-5m", "1h30m",
                                      "5d", "1,5h", "0", "0m",  "nan",  "inf",   "+3s", "1e999"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (sloe_cli_duration(texts[i]) > 0) fail_msg("'%s' was read", texts[i]);
}

static void decimals_end_where_they_are_said_to_end(void **state) {
  (void)state;
  assert_true(sloe_cli_decimal("12m", 2) == 12);
  assert_true(sloe_cli_decimal("1e5", 2) == 0);
  assert_true(sloe_cli_decimal("0.25", 4) == 0.25);
  assert_true(sloe_cli_decimal("1e-2", 4) == 0.01);
  assert_true(sloe_cli_decimal("12", 1) == 1);
}

static void whole_numbers_keep_within_64_bits(void **state) {
  (void)state;
  assert_true(sloe_cli_whole("9223372036854775807", 19) == INT64_MAX);
  assert_true(sloe_cli_whole("9223372036854775808", 19) == 0);
  assert_true(sloe_cli_whole("12x", 3) == 0);
  assert_true(sloe_cli_whole("-1", 2) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations_are_read_with_their_unit),
      cmocka_unit_test(what_is_no_duration_is_refused),
      cmocka_unit_test(decimals_end_where_they_are_said_to_end),
      cmocka_unit_test(whole_numbers_keep_within_64_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
