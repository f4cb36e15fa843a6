/* Lines of tegrastats and what a log of them says. The lines are written here in the shape of each
   generation; what they say was read from them by hand. */
#include <math.h>

#include "device/device.h"
#include "unit/unit.h"

#define LINE(ram, power) "RAM " ram "/4096MB (lfb 1x4MB) CPU [5%@100] GR3D_FREQ " power "\n"

static sloe_tegrastats_line parsed(const char *text) {
  sloe_tegrastats_line line;
  assert_true(sloe_tegrastats_parse(text, strlen(text), &line));
  return line;
}

static void assert_near(double value, double expected) {
  if (!(fabs(value - expected) <= 1e-9 * (1 + fabs(expected))))
    fail_msg("%.12g, not %.12g", value, expected);
}

static double rail(const sloe_tegrastats_line *line, const char *name) {
  for (size_t i = 0; i < line->n_rails; i++)
    if (strcmp(line->rail[i].name, name) == 0) return line->rail[i].value;
  return NAN;
}

static double sensor(const sloe_tegrastats_line *line, const char *name) {
  for (size_t i = 0; i < line->n_sensors; i++)
    if (strcmp(line->sensor[i].name, name) == 0) return line->sensor[i].value;
  return NAN;
}

/* ---- lines ---- */

static void a_line_of_l4t_28_has_lower_case_names_and_no_rails(void **state) {
  const sloe_tegrastats_line line = parsed(
      "RAM 2440/6660MB (lfb 620x4MB) cpu [0%@1994,10%@2035,off] EMC 7%@1600 GR3D 5%@1275 "
      "GR3D_PCI 0%@2607");
  (void)state;
  assert_near(line.ram_mib, 2440);
  assert_near(line.ram_total_mib, 6660);
  assert_int_equal(line.cpus, 3);
  assert_int_equal(line.cpus_online, 2);
  assert_near(line.cpu_load, 0.05);
  assert_near(line.cpu_mhz_max, 2035);
  assert_near(line.emc_load, 0.07);
  assert_near(line.emc_mhz, 1600);
  assert_near(line.gpu_load, 0.05);
  assert_near(line.gpu_mhz, 1275);
  assert_true(isnan(line.at_s) && isnan(line.swap_mib));
  assert_int_equal(line.n_rails + line.n_unknown, 0);
}

static void a_name_is_a_rail_a_sensor_or_the_cpus_by_what_follows_it(void **state) {
  const sloe_tegrastats_line line = parsed(
      "RAM 408/15823MB (lfb 3702x4MB) SWAP 3/7911MB (cached 0MB) CPU [50%@2265,off] "
      "EMC_FREQ 0%@2133 GR3D_FREQ 50%@1377 APE 150 MTS fg 0% bg 0% GPU@-28.5C PMIC@100C "
      "CPU@28C GPU 1155/1100 CPU 385/385 SOC 2502/2502 CV 0/0 VDDRQ 192/192 SYS5V 2692/2692");
  (void)state;
  assert_near(sensor(&line, "GPU"), -28.5);
  assert_near(sensor(&line, "CPU"), 28);
  assert_near(rail(&line, "GPU"), 1.155);
  assert_near(rail(&line, "CPU"), 0.385);
  assert_near(rail(&line, "CV"), 0);
  assert_near(line.swap_mib, 3);
  assert_int_equal(line.n_rails, 6);
  assert_int_equal(line.n_unknown, 0);
}

static void the_first_value_of_a_rail_counts_with_or_without_a_unit(void **state) {
  const sloe_tegrastats_line line =
      parsed("RAM 1/2MB CPU [1%] A 14025/14416 B 4361mW/4000mW C 37939mW/8660mW/40000mW D 0/0");
  (void)state;
  assert_near(rail(&line, "A"), 14.025);
  assert_near(rail(&line, "B"), 4.361);
  assert_near(rail(&line, "C"), 37.939);
  assert_near(rail(&line, "D"), 0);
}

static void memory_is_told_in_either_unit_and_with_brackets_that_touch(void **state) {
  const sloe_tegrastats_line line = parsed(
      "RAM 1024/2048kB (lfb 2x2MB) IRAM 0/252kB(lfb 252kB) CPU [5%@1224] SWAP 7/9MB (cached 6MB)");
  (void)state;
  assert_near(line.ram_mib, 1);
  assert_near(line.ram_total_mib, 2);
  assert_near(line.swap_mib, 7);
  assert_int_equal(line.n_unknown, 0);
}

static void clocks_stand_alone_in_lists_behind_the_cpus_or_not_at_all(void **state) {
  static const struct {
    const char *gpu;
    double load, mhz;
  } cases[] = {
      {"GR3D_FREQ 0%@[114]", 0, 114},
      {"GR3D_FREQ 33%", 0.33, NAN},
      {"GR3D_FREQ 9%@[0,612]", 0.09, 612},
      {"GR3D_FREQ @[1574,1574,1574]", NAN, 1574},
      {"GR3D_FREQ 50%@305 GR3D2_FREQ 0%@0", 0.5, 305},
      {"GR3D_FREQ 99%@921", 0.99, 921},
      {"GR3D_FREQ", NAN, NAN},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    snprintf(text, sizeof text,
             "RAM 1/2MB CPU [0%%,5%%,off]@2601 EMC_FREQ @4266 NVDEC off VIC_FREQ 115 NVENC0_FREQ "
             "@1691 %s",
             cases[i].gpu);
    const sloe_tegrastats_line line = parsed(text);
    assert_true(isnan(cases[i].load) ? isnan(line.gpu_load) : line.gpu_load == cases[i].load);
    assert_true(isnan(cases[i].mhz) ? isnan(line.gpu_mhz) : line.gpu_mhz == cases[i].mhz);
    assert_near(line.emc_mhz, 4266);
    assert_near(line.cpu_mhz_max, 2601);
    assert_int_equal(line.n_unknown, 0);
  }
}

static void a_date_is_seconds_and_a_peak_stands_behind_a_temperature(void **state) {
  const sloe_tegrastats_line line =
      parsed("05-13-2026 14:22:48 RAM 1/2MB CPU [1%] cpu@50.5C/61.75C tj@40.968C CV0@-256C");
  (void)state;
  assert_near(line.at_s, 1778682168);
  assert_near(sensor(&line, "cpu"), 50.5);
  assert_near(sensor(&line, "tj"), 40.968);
  assert_near(sensor(&line, "CV0"), -256);
}

static void words_of_no_known_shape_are_counted_and_skipped(void **state) {
  const sloe_tegrastats_line line =
      parsed("RAM 1/2MB CPU [1%] FUTURE value VDD_IN 5000mW/4000mW x@ A@5F B -5/-5 C 9999999/1");
  (void)state;
  assert_int_equal(line.n_unknown, 8);
  assert_string_equal(line.unknown, "FUTURE");
  assert_near(rail(&line, "VDD_IN"), 5);
  assert_int_equal(line.n_rails, 1);
}

static void what_tells_no_memory_or_no_processors_is_no_such_line(void **state) {
  static const char *const cases[] = {
      "",
      "RAM",
      "RAM 5/0MB CPU [1%]",
      "RAM x/6MB CPU [1%]",
      "RAM 5/6MB",
      "RAM 5/6MB (lfb",
      "RAM 5/6MB CPU",
      "RAM 5/6MB CPU [",
      "CPU [1%@100] VDD_IN 5/5",
      "[I] Average over 10 runs is 55 ms",
  };
  sloe_tegrastats_line line;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (sloe_tegrastats_parse(cases[i], strlen(cases[i]), &line)) fail_msg("'%s'", cases[i]);
}

static void more_rails_than_there_is_room_for_are_left_out(void **state) {
  char text[2000] = "RAM 1/2MB CPU [1%]";
  (void)state;
  for (int i = 0; i < 40; i++) {
    char one[40];
    snprintf(one, sizeof one, " R%d %d/1 T%d@%dC", i, i, i, i);
    memcpy(text + strlen(text), one, strlen(one) + 1);
  }
  const sloe_tegrastats_line line = parsed(text);
  assert_int_equal(line.n_rails, SLOE_TEGRASTATS_RAILS);
  assert_int_equal(line.n_sensors, SLOE_TEGRASTATS_SENSORS);
}

/* ---- rails ---- */

static void each_board_has_its_rule_for_the_whole_input(void **state) {
  static const struct {
    const char *names[8], *input, *gpu;
    int is_shared;
  } cases[] = {
      {{"VDD_SYS_GPU", "VDD_IN", "VDD_SYS_CPU"}, "VDD_IN", "VDD_SYS_GPU", 0},
      {{"POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU"}, "POM_5V_IN", "POM_5V_GPU", 0},
      {{"GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"}, "GPU+CPU+SOC+CV+VDDRQ+SYS5V", "GPU", 0},
      {{"GPU", "CPU", "SOC", "CV", "VDDRQ"}, "", "GPU", 0},
      {{"VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"}, "VDD_IN", "VDD_CPU_GPU_CV", 1},
      {{"VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "NC", "VDDQ_VDD2_1V8AO", "NC"},
       "VDD_GPU_SOC+VDD_CPU_CV+VIN_SYS_5V0",
       "VDD_GPU_SOC",
       1},
      {{"VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0", "VIN"}, "VIN", "VDD_GPU", 0},
      {{"SOMETHING"}, "", "", 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_rails rails;
    size_t n = 0;
    while (n < 8 && cases[i].names[n]) n++;
    sloe_rails_input(cases[i].names, n, &rails);
    assert_string_equal(rails.text, cases[i].input);
    sloe_rails_gpu(cases[i].names, n, &rails);
    assert_string_equal(rails.text, cases[i].gpu);
    assert_int_equal(rails.is_shared, cases[i].is_shared);
  }
}

/* ---- logs ---- */

typedef struct summed {
  sloe_arena arena;
  sloe_tegrastats_summary *list;
  size_t n;
} summed;

static summed sum(const char *text) {
  summed x;
  sloe_error err;
  sloe_arena_init(&x.arena, 1 << 24);
  assert_ok(sloe_tegrastats_read(text, strlen(text), &x.arena, &x.list, &x.n, &err), err);
  return x;
}

static void a_log_without_dates_is_taken_a_second_a_line(void **state) {
  summed x = sum(LINE("1000", "99%@921 POM_5V_IN 6000/1 POM_5V_GPU 3000/1 GPU@30C")
                     LINE("1200", "97%@614 POM_5V_IN 8000/1 POM_5V_GPU 5000/1 GPU@32C AO@40C")
                         LINE("1100", "0%@76 POM_5V_IN 1000/1 POM_5V_GPU 1000/1 GPU@31C PMIC@50C"));
  const sloe_tegrastats_summary *s = x.list;
  (void)state;
  assert_int_equal(x.n, 1);
  assert_int_equal(s->samples, 3);
  assert_false(s->has_dates);
  assert_near(s->seconds, 3);
  assert_near(s->input.mean_w, 5);
  assert_near(s->input.energy_j, 15);
  assert_near(s->input.peak_w, 8);
  assert_near(s->input.idle_w, 1);
  assert_near(s->input.loaded_w, 7);
  assert_near(s->gpu.mean_w, 3);
  assert_string_equal(s->input.rails, "POM_5V_IN");
  assert_string_equal(s->gpu.rails, "POM_5V_GPU");
  assert_near(s->gpu.sd_w, sqrt(8.0 / 3));
  assert_near(s->memory_mb, 1100 * 1.048576);
  assert_near(s->memory_peak_mb - s->memory_first_mb, 200 * 1.048576);
  assert_near(s->gpu_mhz_min, 614); /* while it was busy */
  assert_near(s->gpu_mhz_max, 921);
  assert_near(s->gpu_c_max, 32);
  assert_near(s->hottest_c, 40);
  assert_string_equal(s->hottest, "AO");
  sloe_arena_fini(&x.arena);
}

static void dates_give_the_interval_and_a_gap_is_said(void **state) {
  summed x = sum("05-13-2026 14:22:48 " LINE("1", "99% VDD_IN 1000mW/1mW")
                 "05-13-2026 14:22:50 " LINE("1", "99% VDD_IN 1000mW/1mW")
                 "05-13-2026 14:22:52 " LINE("1", "99% VDD_IN 1000mW/1mW")
                 "05-13-2026 14:23:02 " LINE("1", "99% VDD_IN 3000mW/1mW"));
  const sloe_tegrastats_summary *s = x.list;
  (void)state;
  assert_true(s->has_dates);
  assert_near(s->interval_s, 2);
  assert_near(s->gap_s, 8);
  assert_near(s->seconds, 16);
  assert_near(s->input.energy_j, 3 * 2 * 1 + 10 * 3);
  assert_near(s->input.mean_w, 36.0 / 16);
  sloe_arena_fini(&x.arena);
}

static void two_readings_of_one_second_weigh_as_much_as_others(void **state) {
  summed x =
      sum("05-13-2026 14:22:48 " LINE("1", "99% VDD_IN 1000mW/1mW") "05-13-2026 14:22:48 " LINE(
          "1", "99% VDD_IN 2000mW/1mW") "05-13-2026 14:22:50 " LINE("1", "99% VDD_IN 3000mW/1mW"));
  (void)state;
  assert_near(x.list->interval_s, 1);
  assert_near(x.list->input.mean_w, 2);
  assert_near(x.list->gap_s, 0);
  sloe_arena_fini(&x.arena);
}

static void another_board_a_comment_or_an_earlier_date_begins_another(void **state) {
  summed x =
      sum("RAM 1/100MB CPU [1%] VDD_IN 1000/1\n"
          "some program says something\n"
          "RAM 1/100MB CPU [1%] VDD_IN 2000/1\n"
          "RAM 1/200MB CPU [1%] POM_5V_IN 3000/1\n"
          "# next\n"
          "RAM 1/200MB CPU [1%] POM_5V_IN 4000/1\n"
          "05-13-2026 14:22:48 RAM 1/200MB CPU [1%]\n"
          "05-13-2026 14:22:47 RAM 1/200MB CPU [1%]");
  (void)state;
  assert_int_equal(x.n, 4);
  assert_int_equal(x.list[0].samples, 2);
  assert_int_equal(x.list[0].n_other, 1);
  assert_near(x.list[0].input.mean_w, 1.5);
  assert_int_equal(x.list[1].line, 4);
  assert_near(x.list[1].input.mean_w, 3);
  assert_int_equal(x.list[2].samples, 2);
  assert_int_equal(x.list[3].samples, 1);
  assert_true(isnan(x.list[3].input.mean_w));
  assert_string_equal(x.list[3].input.rails, "");
  sloe_arena_fini(&x.arena);
}

static void a_line_cut_short_keeps_what_was_read_of_it(void **state) {
  summed x =
      sum("RAM 1/100MB CPU [1%] VDD_IN 1000mW/1mW VDD_SOC 500mW/1mW\n"
          "RAM 1/100MB CPU [1%] VDD_IN 3000mW/1mW VDD_S");
  (void)state;
  assert_int_equal(x.n, 1);
  assert_near(x.list->input.mean_w, 2);
  assert_near(x.list->rail[1].value, 0.5);
  sloe_arena_fini(&x.arena);
}

static void rails_of_one_name_are_kept_apart(void **state) {
  summed x =
      sum("RAM 1/100MB CPU [1%] NC 1000mW/1mW NC 3000mW/1mW\n"
          "RAM 1/100MB CPU [1%] NC 2000mW/1mW NC 5000mW/1mW\n");
  (void)state;
  assert_int_equal(x.list->n_rails, 2);
  assert_near(x.list->rail[0].value, 1.5);
  assert_near(x.list->rail[1].value, 4);
  sloe_arena_fini(&x.arena);
}

static void what_holds_no_such_line_is_refused(void **state) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"", "none of its 0 lines"},
      {"a\nb\n\n# c\n", "none of its 4 lines"},
      {"{\"vdd_in_mean_w\": 8.1}\n", "a JSON document"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_tegrastats_summary *list = (sloe_tegrastats_summary *)&list;
    size_t n = 7;
    sloe_arena arena;
    sloe_error err;
    sloe_arena_init(&arena, 1 << 20);
    assert_refused(
        sloe_tegrastats_read(cases[i].text, strlen(cases[i].text), &arena, &list, &n, &err),
        SLOE_FORMAT, err, cases[i].why);
    assert_null(list);
    assert_int_equal(n, 0);
    sloe_arena_fini(&arena);
  }
}

static void a_log_over_the_limit_is_refused_and_nothing_stays(void **state) {
  const char *text = "RAM 1/100MB CPU [1%]\n";
  const long live = sloe_alloc_live();
  sloe_tegrastats_summary *list;
  sloe_arena arena;
  sloe_error err;
  size_t n;
  (void)state;
  sloe_arena_init(&arena, 500);
  assert_refused(sloe_tegrastats_read(text, strlen(text), &arena, &list, &n, &err), SLOE_NOMEM, err,
                 "limit");
  assert_null(list);
  sloe_arena_fini(&arena);
  assert_int_equal(sloe_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_of_l4t_28_has_lower_case_names_and_no_rails),
      cmocka_unit_test(a_name_is_a_rail_a_sensor_or_the_cpus_by_what_follows_it),
      cmocka_unit_test(the_first_value_of_a_rail_counts_with_or_without_a_unit),
      cmocka_unit_test(memory_is_told_in_either_unit_and_with_brackets_that_touch),
      cmocka_unit_test(clocks_stand_alone_in_lists_behind_the_cpus_or_not_at_all),
      cmocka_unit_test(a_date_is_seconds_and_a_peak_stands_behind_a_temperature),
      cmocka_unit_test(words_of_no_known_shape_are_counted_and_skipped),
      cmocka_unit_test(what_tells_no_memory_or_no_processors_is_no_such_line),
      cmocka_unit_test(more_rails_than_there_is_room_for_are_left_out),
      cmocka_unit_test(each_board_has_its_rule_for_the_whole_input),
      cmocka_unit_test(a_log_without_dates_is_taken_a_second_a_line),
      cmocka_unit_test(dates_give_the_interval_and_a_gap_is_said),
      cmocka_unit_test(two_readings_of_one_second_weigh_as_much_as_others),
      cmocka_unit_test(another_board_a_comment_or_an_earlier_date_begins_another),
      cmocka_unit_test(a_line_cut_short_keeps_what_was_read_of_it),
      cmocka_unit_test(rails_of_one_name_are_kept_apart),
      cmocka_unit_test(what_holds_no_such_line_is_refused),
      cmocka_unit_test(a_log_over_the_limit_is_refused_and_nothing_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
