/* Power and memory of a network: from a store into its table and another store. */
#include "campaign/sensed.h"
#include "unit/store_files.h"
#include "unit/table_text.h"

static const sloe_power POWER = {.power_w = 250.5,
                                 .peak_w = 300,
                                 .idle_w = 80,
                                 .energy_mj = 12.5,
                                 .dynamic_mj = 8.5,
                                 .rail = "gpu"};
static const sloe_device_memory MEMORY = {100, 60, 30, 10, "device"};
static const sloe_device_memory NO_PARTS = {50, NAN, NAN, NAN, "process"};

static void put(sloe_store *store, const sloe_store_visit *visit, const char *net,
                const sloe_power *power, const sloe_device_memory *memory, double move_ns) {
  const sloe_store_point point = {.kind = SLOE_STORE_NETWORK, .key = net};
  sloe_store_metric metrics[SLOE_SENSED_METRICS];
  sloe_store_sample sample = sloe_store_sample_none();
  sloe_error err;
  int64_t id;
  sample.median_ns = 5e7;
  sloe_sensed_put(power, memory, move_ns, &sample, metrics);
  assert_ok(sloe_store_add_points(store, visit->campaign, &point, 1, &id, &err), err);
  assert_ok(sloe_store_add_samples(store, visit, id, &sample, 1, &DONE, &err), err);
}

static sloe_store *make_store(const char *name) {
  sloe_store *store = store_open(name, SLOE_STORE_WRITE);
  const sloe_store_visit visit = store_begin(store);
  put(store, &visit, "a.onnx", &POWER, &MEMORY, NAN);
  put(store, &visit, "b.onnx", &sloe_power_unknown, &NO_PARTS, 1.25e6);
  return store;
}

static void assert_table(const char *table) {
  static const char *const cells[][3] = {
      {"power_w", "250.5", ""},   {"peak_w", "300", ""},
      {"idle_w", "80", ""},       {"energy_mj", "12.5", ""},
      {"dynamic_mj", "8.5", ""},  {"power_rail", "gpu", ""},
      {"memory_mb", "100", "50"}, {"memory_kind", "device", "process"},
      {"weights_mb", "60", ""},   {"activations_mb", "30", ""},
      {"workspace_mb", "10", ""}, {"move_ms", "", "1.25"}};
  for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
    for (size_t row = 0; row < 2; row++) assert_cell(table, cells[i][0], row, cells[i][1 + row]);
}

static void a_store_and_its_table_carry_what_was_sensed(void **state) {
  (void)state;
  sloe_store *store = make_store("a.db");
  char *table = store_table(store, NULL);
  assert_table(table);
  sloe_dealloc(table);
  sloe_store_close(store);
}

static void the_row_of_a_point_is_its_quietest_take(void **state) {
  static const double move_ns[] = {2e6, 1e6, 3e6};
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  const sloe_store_visit visit = store_begin(store);
  const sloe_store_point point = {.kind = SLOE_STORE_NETWORK, .key = "a.onnx"};
  int64_t id;
  sloe_error err;
  assert_ok(sloe_store_add_points(store, visit.campaign, &point, 1, &id, &err), err);
  for (int i = 0; i < 3; i++) {
    sloe_store_metric metrics[SLOE_SENSED_METRICS];
    sloe_store_sample sample = sloe_store_sample_none();
    sample.median_ns = 1e6 * (1 + i);
    sample.quality = i == 1 ? SLOE_STORE_QUALITY_NOISY : SLOE_STORE_QUALITY_OK;
    sloe_sensed_put(&sloe_power_unknown, &NO_PARTS, move_ns[i], &sample, metrics);
    assert_ok(sloe_store_add_samples(store, &visit, id, &sample, 1, &DONE, &err), err);
  }
  char *table = store_table(store, NULL);
  assert_cell(table, "latency_ms", 0, "2");
  assert_cell(table, "move_ms", 0, "1");
  sloe_dealloc(table);
  sloe_store_close(store);
}

static void merging_carries_it(void **state) {
  (void)state;
  sloe_error err;
  sloe_store_close(make_store("a.db"));
  sloe_store *into = store_open("b.db", SLOE_STORE_WRITE);
  assert_ok(sloe_store_merge(into, store_path("a.db"), NULL, &err), err);
  char *table = store_table(into, NULL);
  assert_table(table);
  sloe_dealloc(table);
  sloe_store_close(into);
}

#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_store_and_its_table_carry_what_was_sensed),
      TEST(the_row_of_a_point_is_its_quietest_take),
      TEST(merging_carries_it),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
