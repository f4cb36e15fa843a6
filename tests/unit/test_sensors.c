/* What boards tell of themselves, from trees of files that are written here as their kernels have
   them. */
#define _XOPEN_SOURCE 700 /* nftw */
#include <math.h>
#include <time.h>

#include "device/sensors/jetson_meter.h"
#include "unit/sysroot_files.h"

#define PUT(files) sysroot_put_all((files), sizeof(files) / sizeof *(files))

static sloe_jetson *open_board(const char *tegrastats) {
  sloe_jetson *board;
  sloe_error err;
  assert_ok(sloe_jetson_open(sysroot, tegrastats, &board, &err), err);
  return board;
}

static void assert_near(double value, double expected) {
  if (!(fabs(value - expected) <= 1e-6 * (1 + fabs(expected))))
    fail_msg("%.12g, not %.12g", value, expected);
}

/* ---- trees ---- */

#define ORIN_CONF                                                                 \
  "<PARAM TYPE=CLOCK NAME=GPU >\n"                                                \
  "MAX_FREQ /sys/devices/17000000.ga10b/devfreq/17000000.ga10b/max_freq\n"        \
  "< POWER_MODEL ID=0 NAME=15W >\n"                                               \
  "CPU_ONLINE CORE_0 1\nCPU_ONLINE CORE_1 1\nCPU_ONLINE CORE_2 0\n"               \
  "TPC_POWER_GATING TPC_PG_MASK 240\nFBP_POWER_GATING FBP_PG_MASK 2\n"            \
  "CPU_A78_0 MAX_FREQ 1497600\nGPU MAX_FREQ 612000000\nEMC MAX_FREQ 2133000000\n" \
  "< POWER_MODEL ID=1 NAME=25W >\n"                                               \
  "GPU MAX_FREQ 918000000\nEMC MAX_FREQ 3199000000\n"                             \
  "< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"                                        \
  "GPU MAX_FREQ -1\nEMC MAX_FREQ 0\n"                                             \
  "< PM_CONFIG DEFAULT=1 >\n"

#define HWMON "/sys/class/hwmon/hwmon3/"
#define FREQ  "/sys/class/devfreq/17000000.gpu/"
#define CPU   "/sys/devices/system/cpu/"
#define HEAT  "/sys/class/thermal/"

/* An Orin Nano developer kit with JetPack 6.2.1, clocks locked in its 25 W mode. */
static void write_orin_nano(void) {
  static const char compatible[] =
      "nvidia,p3768-0000+p3767-0005-super\0nvidia,p3767-0005\0"
      "nvidia,tegra234";
  static const char model[] = "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super";
  static const sysroot_file files[] = {
      {"/etc/nv_tegra_release",
       "# R36 (release), REVISION: 4.7, GCID: 42132812, BOARD: generic, EABI: aarch64\n"},
      {"/etc/nvpmodel.conf", ORIN_CONF},
      {"/var/lib/nvpmodel/status", "pmode:0001 fmode:none\n"},
      {"/proc/meminfo",
       "MemTotal:        7802700 kB\nMemFree: 1 kB\nMemAvailable:    6000000 kB\n"},
      {HWMON "name", "ina3221\n"},
      {HWMON "in1_label", "VDD_IN\n"},
      {HWMON "in1_input", "4968\n"},
      {HWMON "curr1_input", "1520\n"},
      {HWMON "in2_label", "VDD_CPU_GPU_CV\n"},
      {HWMON "in2_input", "4960\n"},
      {HWMON "curr2_input", "1784\n"},
      {HWMON "in3_label", "VDD_SOC\n"},
      {HWMON "in3_input", "4960\n"},
      {HWMON "curr3_input", "496\n"},
      {HWMON "in7_label", "sum of shunt voltages\n"},
      {HWMON "in7_input", "9\n"},
      {HWMON "curr4_input", "9\n"},
      {HWMON "update_interval", "1\n"},
      {"/sys/class/hwmon/hwmon0/name", "pwmfan\n"},
      {"/sys/class/devfreq/15340000.vic/device/of_node/name", "vic"},
      {FREQ "device/of_node/name", "gpu"},
      {FREQ "cur_freq", "918000000\n"},
      {FREQ "min_freq", "918000000\n"},
      {FREQ "max_freq", "918000000\n"},
      {FREQ "device/load", "999\n"},
      {"/sys/devices/platform/gpu.0/tpc_pg_mask", "240\n"},
      {"/sys/devices/platform/gpu.0/fbp_pg_mask", "0x2\n"},
      {"/sys/kernel/nvpmodel_clk_cap/emc", "3199000000\n"},
      {"/sys/kernel/debug/bpmp/debug/clk/emc/rate", "3199000000\n"},
      {CPU "cpu0/cpufreq/scaling_max_freq", "1344000\n"},
      {CPU "cpu0/cpufreq/scaling_min_freq", "1344000\n"},
      {CPU "cpu0/cpufreq/scaling_cur_freq", "1344000\n"},
      {CPU "cpu0/cpufreq/scaling_governor", "schedutil\n"},
      {CPU "cpu1/online", "0\n"},
      {CPU "cpu1/cpufreq/scaling_max_freq", "100\n"},
      {CPU "cpufreq/boost", "1\n"},
      {HEAT "thermal_zone0/type", "cpu-thermal\n"},
      {HEAT "thermal_zone0/temp", "50468\n"},
      {HEAT "thermal_zone1/type", "cv0-thermal\n"},
      {HEAT "thermal_zone1/temp", "-256000\n"},
      {HEAT "thermal_zone2/type", "PMIC-Die\n"},
      {HEAT "thermal_zone2/temp", "100000\n"},
      {HEAT "cooling_device0/type", "pwm-fan\n"},
      {HEAT "cooling_device0/cur_state", "2\n"},
      {HEAT "cooling_device1/type", "gpu-throttle-alert\n"},
      {HEAT "cooling_device1/cur_state", "0\n"},
  };
  PUT(files);
  sysroot_put_bytes("/proc/device-tree/compatible", compatible, sizeof compatible);
  sysroot_put_bytes("/proc/device-tree/model", model, sizeof model);
}

#define IIO "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/"
#define GPU "/sys/class/devfreq/57000000.gpu/"

/* A Nano with JetPack 4.6.1, its clocks free. */
static void write_nano(void) {
  static const char compatible[] =
      "nvidia,p3449-0000-b00+p3448-0000-b00\0nvidia,jetson-nano\0"
      "nvidia,tegra210";
  static const sysroot_file files[] = {
      {"/etc/nv_tegra_release", "# R32 (release), REVISION: 7.1, GCID: 1, BOARD: t210ref\n"},
      {"/etc/nvpmodel.conf",
       "< POWER_MODEL ID=0 NAME=MAXN >\nGPU MAX_FREQ -1\n"
       "< POWER_MODEL ID=1 NAME=5W >\nGPU MAX_FREQ 640000000\n"
       "< PM_CONFIG DEFAULT=0 >\n"},
      {"/var/lib/nvpmodel/status", "pmode:0000\n"},
      {"/proc/meminfo", "MemTotal:        4059392 kB\nMemAvailable:    2000000 kB\n"},
      {IIO "rail_name_0", "POM_5V_IN\n"},
      {IIO "in_power0_input", "6235\n"},
      {IIO "rail_name_1", "POM_5V_GPU\n"},
      {IIO "in_power1_input", "3574\n"},
      {IIO "rail_name_2", "POM_5V_CPU\n"},
      {IIO "in_power2_input", "123\n"},
      {GPU "cur_freq", "614400000\n"},
      {GPU "min_freq", "76800000\n"},
      {GPU "max_freq", "921600000\n"},
      {"/sys/devices/gpu.0/load", "500\n"},
      {"/sys/kernel/debug/clk/override.emc/clk_rate", "1600000000\n"},
      {HEAT "thermal_zone0/type", "GPU-therm\n"},
      {HEAT "thermal_zone0/temp", "30500\n"},
  };
  PUT(files);
  sysroot_put_bytes("/proc/device-tree/compatible", compatible, sizeof compatible);
}

/* ---- which board ---- */

static void a_board_is_known_by_its_device_tree(void **state) {
  static const struct {
    const char *compatible, *memory_kb, *device, *part, *soc;
    size_t len;
    int capability;
  } cases[] = {
#define CASE(list, kb, device, part, soc, cc) {list, kb, device, part, soc, sizeof list, cc}
      CASE("nvidia,p3450-0000+p3448-0003\0nvidia,tegra210", "2027256", "jetson-nano-2gb",
           "p3448-0003", "tegra210", 53),
      CASE("nvidia,p2371-2180\0nvidia,p2180-1000\0nvidia,tegra210", "4059392", "jetson-tx1",
           "p2180-1000", "tegra210", 53),
      CASE("nvidia,p2597-0000+p3310-1000\0nvidia,tegra186", "8050420", "jetson-tx2-8gb",
           "p3310-1000", "tegra186", 62),
      CASE("nvidia,p3509-0000+p3668-0000\0nvidia,tegra194", "7963000", "jetson-xavier-nx-8gb",
           "p3668-0000", "tegra194", 72),
      CASE("nvidia,p3509-0000+p3668-0003\0nvidia,tegra194", "15900000", "jetson-xavier-nx-16gb",
           "p3668-0003", "tegra194", 72),
      CASE("nvidia,p2972-0000+p2888-0004\0nvidia,tegra194", "32692948", "jetson-agx-xavier-32gb",
           "p2888-0004", "tegra194", 72),
      CASE("nvidia,p3737-0000+p3701-0000\0nvidia,tegra234", "31268864", "jetson-agx-orin-32gb",
           "p3701-0000", "tegra234", 87),
      CASE("nvidia,p3737-0000+p3701-0000\0nvidia,tegra234", "64308224", "jetson-agx-orin-64gb",
           "p3701-0000", "tegra234", 87),
      CASE("nvidia,p3768-0000+p3767-0000\0nvidia,tegra234", "16031744", "jetson-orin-nx-16gb",
           "p3767-0000", "tegra234", 87),
      CASE("nvidia,p4071-0000+p3834-0008\0nvidia,tegra264", "128766976", "jetson-thor-t5000",
           "p3834-0008", "tegra264", 110),
      CASE("nvidia,p9999-0000+p8888-0001\0nvidia,tegra234", "1", "", "", "tegra234", 87),
      CASE("raspberrypi,4-model-b\0brcm,bcm2711", "1", "", "", "", 0),
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char meminfo[64];
    snprintf(meminfo, sizeof meminfo, "MemTotal: %s kB\n", cases[i].memory_kb);
    sysroot_put("/proc/meminfo", meminfo);
    sysroot_put_bytes("/proc/device-tree/compatible", cases[i].compatible, cases[i].len);
    sloe_jetson *board = open_board(NULL);
    const sloe_jetson_board *b = sloe_jetson_describe(board);
    assert_string_equal(b->device, cases[i].device);
    assert_string_equal(b->part, cases[i].part);
    assert_string_equal(b->soc, cases[i].soc);
    assert_int_equal(b->compute_capability, cases[i].capability);
    sloe_jetson_close(board);
  }
}

static void its_software_and_power_mode_are_known(void **state) {
  (void)state;
  write_orin_nano();
  sloe_jetson *board = open_board(NULL);
  const sloe_jetson_board *b = sloe_jetson_describe(board);
  const sloe_jetson_mode *modes;
  assert_string_equal(b->device, "jetson-orin-nano-8gb");
  assert_string_equal(b->title,
                      "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super");
  assert_string_equal(b->l4t, "36.4.7");
  assert_string_equal(b->jetpack, "6.2.1");
  assert_near(b->memory_mb, 7989.9648);
  assert_int_equal(b->mode_id, 1);
  assert_string_equal(b->mode_name, "25W");
  assert_string_equal(b->mode, "25w");
  assert_int_equal(b->is_default_mode, 1);
  assert_int_equal(sloe_jetson_modes(board, &modes), 3);
  assert_near(modes[0].gpu_max_mhz, 612);
  assert_near(modes[0].emc_max_mhz, 2133);
  assert_near(modes[0].cpu_max_mhz, 1497.6);
  assert_int_equal(modes[0].cpus, 2);
  assert_int_equal(modes[0].tpc_pg_mask, 240);
  assert_int_equal(modes[0].fbp_pg_mask, 2);
  assert_int_equal(modes[1].tpc_pg_mask, -1);
  assert_true(isnan(modes[2].gpu_max_mhz) && isnan(modes[2].emc_max_mhz));
  sloe_jetson_close(board);
}

static void a_mode_is_a_token_and_not_always_the_default_one(void **state) {
  (void)state;
  sysroot_put("/etc/nvpmodel.conf",
              "< POWER_MODEL ID=0 NAME=MODE_15W_2CORE >\n< PM_CONFIG DEFAULT=5 >\n");
  sysroot_put("/var/lib/nvpmodel/status", "pmode:0000\n");
  sloe_jetson *board = open_board(NULL);
  assert_string_equal(sloe_jetson_describe(board)->mode_name, "MODE_15W_2CORE");
  assert_string_equal(sloe_jetson_describe(board)->mode, "15w-2core");
  assert_int_equal(sloe_jetson_describe(board)->is_default_mode, 0);
  sloe_jetson_close(board);
}

static void l4t_is_found_in_the_list_of_packages_too(void **state) {
  (void)state;
  sysroot_put_bytes("/proc/device-tree/compatible", "nvidia,tegra234", 16);
  sysroot_put("/var/lib/dpkg/status",
              "Package: a\nVersion: 1.2\n\nPackage: nvidia-l4t-core\n"
              "Status: install ok installed\nVersion: 35.4.1-2023080\n\n");
  sloe_jetson *board = open_board(NULL);
  assert_string_equal(sloe_jetson_describe(board)->l4t, "35.4.1");
  assert_string_equal(sloe_jetson_describe(board)->jetpack, "5.1.2");
  sloe_jetson_close(board);
}

static void a_machine_that_is_none_opens_and_knows_nothing(void **state) {
  sloe_jetson *board = open_board(NULL);
  sloe_jetson_clocks clocks;
  sloe_jetson_power power;
  sloe_device_sensor sensor;
  sloe_jetson_meter *meter = (sloe_jetson_meter *)&meter;
  const sloe_jetson_mode *modes;
  sloe_error err;
  (void)state;
  assert_string_equal(sloe_jetson_describe(board)->device, "");
  assert_int_equal(sloe_jetson_describe(board)->mode_id, -1);
  assert_int_equal(sloe_jetson_modes(board, &modes), 0);
  sloe_jetson_read_clocks(board, &clocks);
  assert_true(isnan(clocks.gpu_mhz) && isnan(clocks.emc_mhz) && isnan(clocks.hottest_c));
  assert_int_equal(clocks.gpu_locked, -1);
  assert_int_equal(clocks.tpc_pg_mask, -1);
  assert_int_equal(clocks.throttling, -1);
  assert_int_equal(clocks.multiprocessors, 0);
  assert_non_null(sloe_jetson_not_reproducible(board, &clocks));
  assert_string_equal(sloe_jetson_power_source(board), "");
  assert_ok(sloe_jetson_read_power(board, &power, &err), err);
  assert_true(power.n_rails == 0 && isnan(power.input_w));
  assert_ok(sloe_jetson_sensor(board, "input", &sensor, &err), err);
  assert_string_equal(sensor.rail, "");
  assert_refused(sloe_jetson_meter_start(board, 1, &meter, &err), SLOE_UNSUPPORTED, err,
                 "no power sensor can be read");
  assert_null(meter);
  sloe_jetson_close(board);
}

/* ---- clocks ---- */

static void the_clock_state_of_an_orin_is_read(void **state) {
  sloe_jetson_clocks c;
  (void)state;
  write_orin_nano();
  sloe_jetson *board = open_board(NULL);
  sloe_jetson_read_clocks(board, &c);
  assert_near(c.gpu_mhz, 918);
  assert_near(c.gpu_load, 0.999);
  assert_int_equal(c.gpu_locked, 1);
  assert_near(c.emc_mhz, 3199);
  assert_near(c.emc_cap_mhz, 3199);
  assert_near(c.cpu_max_mhz, 1344);
  assert_int_equal(c.cpus_online, 1);
  assert_string_equal(c.governor, "schedutil");
  assert_int_equal(c.tpc_pg_mask, 240);
  assert_int_equal(c.fbp_pg_mask, 2);
  assert_int_equal(c.multiprocessors, 8);
  assert_near(c.hottest_c, 50.468);
  assert_string_equal(c.hottest, "cpu-thermal");
  assert_int_equal(c.throttling, 0); /* a fan is none */
  assert_near(c.memory_used_mb, 1802700 * 1.024e-3);
  assert_null(sloe_jetson_not_reproducible(board, &c));
  sloe_jetson_close(board);
}

static void the_clock_state_of_a_nano_is_read(void **state) {
  sloe_jetson_clocks c;
  (void)state;
  write_nano();
  sloe_jetson *board = open_board(NULL);
  assert_string_equal(sloe_jetson_describe(board)->device, "jetson-nano-4gb");
  assert_string_equal(sloe_jetson_describe(board)->jetpack, "4.6.1");
  assert_string_equal(sloe_jetson_describe(board)->mode, "maxn");
  sloe_jetson_read_clocks(board, &c);
  assert_near(c.gpu_mhz, 614.4);
  assert_near(c.gpu_load, 0.5);
  assert_int_equal(c.gpu_locked, 0);
  assert_near(c.emc_mhz, 1600);
  assert_int_equal(c.multiprocessors, 1);
  assert_int_equal(c.throttling, -1);
  sloe_jetson_close(board);
}

static const char *value_of(const sloe_device_pair *pairs, size_t n, const char *key) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(pairs[i].key, key) == 0) return pairs[i].value;
  return "";
}

static void the_state_goes_with_a_profile_and_what_lacks_it_is_marked(void **state) {
  sloe_device_pair pairs[SLOE_JETSON_PAIRS];
  sloe_jetson_clocks c;
  sloe_arena arena;
  sloe_error err;
  size_t n;
  (void)state;
  sloe_arena_init(&arena, 1 << 16);
  write_orin_nano();
  sloe_jetson *board = open_board(NULL);
  sloe_jetson_read_clocks(board, &c);
  assert_ok(sloe_jetson_environment(board, &c, &arena, pairs, &n, &err), err);
  assert_string_equal(value_of(pairs, n, "reproducible"), "yes");
  assert_string_equal(value_of(pairs, n, "module"), "p3767-0005");
  assert_string_equal(value_of(pairs, n, "power_mode"), "25W");
  assert_string_equal(value_of(pairs, n, "gpu_mhz_max"), "918");
  assert_string_equal(value_of(pairs, n, "clocks_locked"), "yes");
  assert_string_equal(value_of(pairs, n, "multiprocessors"), "8");
  c.throttling = 1;
  assert_ok(sloe_jetson_environment(board, &c, &arena, pairs, &n, &err), err);
  assert_string_equal(value_of(pairs, n, "reproducible"), "no: it was throttling for its heat");
  sloe_jetson_close(board);
  sysroot_take_away(FREQ "max_freq");
  board = open_board(NULL);
  sloe_jetson_read_clocks(board, &c);
  assert_ok(sloe_jetson_environment(board, &c, &arena, pairs, &n, &err), err);
  assert_string_equal(value_of(pairs, n, "reproducible"), "no: the GPU's clock cannot be read");
  assert_string_equal(value_of(pairs, n, "gpu_mhz_max"), "");
  sloe_arena_fini(&arena);
  sloe_arena_init(&arena, 100);
  assert_refused(sloe_jetson_environment(board, &c, &arena, pairs, &n, &err), SLOE_NOMEM, err, "");
  assert_int_equal(n, 0);
  sloe_arena_fini(&arena);
  sloe_jetson_close(board);
}

/* ---- power ---- */

static void hwmon_tells_volts_and_amperes(void **state) {
  sloe_jetson_power p;
  sloe_device_sensor s;
  sloe_error err;
  (void)state;
  write_orin_nano();
  sloe_jetson *board = open_board(NULL);
  assert_string_equal(sloe_jetson_power_source(board), "ina3221");
  assert_ok(sloe_jetson_read_power(board, &p, &err), err);
  assert_int_equal(p.n_rails, 3);
  assert_near(p.input_w, 4.968 * 1.520);
  assert_near(p.gpu_w, 4.960 * 1.784);
  assert_string_equal(p.input_rail, "VDD_IN");
  assert_string_equal(p.gpu_rail, "VDD_CPU_GPU_CV");
  assert_string_equal(p.rail[2].name, "VDD_SOC");
  assert_ok(sloe_jetson_sensor(board, "gpu", &s, &err), err);
  assert_string_equal(s.rail, "gpu");
  assert_near(s.power_w, p.gpu_w);
  assert_true(isnan(s.energy_mj) && s.at_ns >= p.at_ns);
  assert_ok(sloe_jetson_sensor(board, NULL, &s, &err), err);
  assert_string_equal(s.rail, "input");
  sloe_jetson_close(board);
}

static void the_driver_s_folder_leads_to_the_same_rails(void **state) {
  sloe_jetson_power p;
  sloe_error err;
  static const sysroot_file files[] = {
#define AGX "/sys/bus/i2c/drivers/ina3221/"
      {AGX "1-0040/hwmon/hwmon1/name", "ina3221\n"},
      {AGX "1-0040/hwmon/hwmon1/in1_label", "VDD_GPU_SOC\n"},
      {AGX "1-0040/hwmon/hwmon1/in1_input", "19000\n"},
      {AGX "1-0040/hwmon/hwmon1/curr1_input", "100\n"},
      {AGX "1-0040/hwmon/hwmon1/in2_label", "VDD_CPU_CV\n"},
      {AGX "1-0040/hwmon/hwmon1/in2_input", "19000\n"},
      {AGX "1-0040/hwmon/hwmon1/curr2_input", "50\n"},
      {AGX "1-0040/hwmon/hwmon1/in3_label", "VIN_SYS_5V0\n"},
      {AGX "1-0040/hwmon/hwmon1/in3_input", "5000\n"},
      {AGX "1-0040/hwmon/hwmon1/curr3_input", "400\n"},
      {AGX "1-0041/hwmon/hwmon2/name", "ina3221\n"},
      {AGX "1-0041/hwmon/hwmon2/in1_label", "NC\n"},
      {AGX "1-0041/hwmon/hwmon2/in1_input", "5000\n"},
      {AGX "1-0041/hwmon/hwmon2/curr1_input", "400\n"},
      {AGX "1-0041/hwmon/hwmon2/in2_label", "VDDQ_VDD2_1V8AO\n"},
      {AGX "1-0041/hwmon/hwmon2/in2_input", "5000\n"},
      {AGX "1-0041/hwmon/hwmon2/curr2_input", "60\n"},
      {"/sys/class/hwmon/hwmon1/name", "ina3221\n"},
  };
  (void)state;
  PUT(files);
  sloe_jetson *board = open_board(NULL);
  assert_ok(sloe_jetson_read_power(board, &p, &err), err);
  assert_int_equal(p.n_rails, 4);
  assert_near(p.input_w, 1.9 + 0.95 + 2);
  assert_string_equal(p.input_rail, "VDD_GPU_SOC+VDD_CPU_CV+VIN_SYS_5V0");
  assert_near(p.gpu_w, 1.9);
  sloe_jetson_close(board);
}

static void iio_tells_milliwatts(void **state) {
  sloe_jetson_power p;
  sloe_error err;
  (void)state;
  write_nano();
  sloe_jetson *board = open_board(NULL);
  assert_string_equal(sloe_jetson_power_source(board), "ina3221x");
  assert_ok(sloe_jetson_read_power(board, &p, &err), err);
  assert_near(p.input_w, 6.235);
  assert_near(p.gpu_w, 3.574);
  assert_string_equal(p.gpu_rail, "POM_5V_GPU");
  sloe_jetson_close(board);
}

static void channels_without_a_label_are_no_rails(void **state) {
  static const sysroot_file files[] = {
      {HWMON "name", "ina3221\n"}, {HWMON "in1_input", "19000\n"}, {HWMON "curr1_input", "100\n"}};
  (void)state;
  PUT(files);
  sloe_jetson *board = open_board(NULL);
  assert_string_equal(sloe_jetson_power_source(board), "");
  sloe_jetson_close(board);
}

static void a_sensor_that_goes_away_is_a_failure_of_the_device(void **state) {
  sloe_jetson_power p;
  sloe_device_sensor s;
  sloe_error err;
  (void)state;
  write_nano();
  sloe_jetson *board = open_board(NULL);
  sysroot_take_away(IIO "in_power1_input");
  assert_ok(sloe_jetson_read_power(board, &p, &err), err);
  assert_true(isnan(p.gpu_w) && p.input_w > 6);
  sysroot_take_away(IIO "in_power0_input");
  sysroot_take_away(IIO "in_power2_input");
  assert_refused(sloe_jetson_read_power(board, &p, &err), SLOE_DEVICE, err, "none of its 3 rails");
  assert_refused(sloe_jetson_sensor(board, "gpu", &s, &err), SLOE_DEVICE, err, "ina3221x");
  assert_string_equal(s.rail, "");
  sloe_jetson_close(board);
}

/* ---- meters ---- */

/* Until it has so many readings, or what it fails with. */
static sloe_status wait_for(sloe_jetson_meter *meter, size_t samples, sloe_jetson_draw *draw,
                            sloe_error *err) {
  for (int i = 0; i < 2000; i++) {
    const sloe_status status = sloe_jetson_meter_window(meter, 0, 0, draw, err);
    if (status != SLOE_OK || draw->samples >= samples) return status;
    nanosleep(&(struct timespec){0, 5000000}, NULL);
  }
  fail_msg("%zu readings, not %zu", draw->samples, samples);
  return SLOE_INTERNAL;
}

static void a_meter_integrates_what_the_files_say(void **state) {
  sloe_jetson_meter *meter;
  sloe_jetson_draw d;
  sloe_error err;
  (void)state;
  write_orin_nano();
  sloe_jetson *board = open_board(NULL);
  assert_ok(sloe_jetson_meter_start(board, 1, &meter, &err), err);
  assert_ok(wait_for(meter, 5, &d, &err), err);
  assert_string_equal(d.source, "ina3221");
  assert_string_equal(d.input.name, "VDD_IN");
  assert_near(d.input.mean_w, 4.968 * 1.520);
  assert_near(d.input.peak_w, 4.968 * 1.520);
  assert_near(d.input.sd_w, 0);
  assert_near(d.input.energy_mj, d.input.mean_w * d.seconds * 1e3);
  assert_near(d.gpu.mean_w, 4.960 * 1.784);
  assert_int_equal(d.n_rails, 3);
  assert_string_equal(d.rail[2].name, "VDD_SOC");
  assert_near(d.rail[2].mean_w, 4.960 * 0.496);
  assert_near(d.gpu_load, 0.999);
  assert_near(d.gpu_mhz_min, 918);
  assert_near(d.hottest_c, 50.468);
  assert_near(d.memory_peak_mb, 1802700 * 1.024e-3);
  assert_int_equal(d.throttled, 0);
  assert_ok(sloe_jetson_meter_window(meter, UINT64_MAX, 0, &d, &err), err);
  assert_true(d.samples == 0 && isnan(d.input.mean_w) && isnan(d.first_c));
  sloe_jetson_meter_stop(meter);
  sloe_jetson_close(board);
}

static void a_meter_whose_sensor_goes_away_says_so(void **state) {
  sloe_jetson_meter *meter;
  sloe_jetson_draw d;
  sloe_error err;
  (void)state;
  write_nano();
  sloe_jetson *board = open_board(NULL);
  assert_ok(sloe_jetson_meter_start(board, 1, &meter, &err), err);
  assert_ok(wait_for(meter, 2, &d, &err), err);
  for (int i = 0; i < 3; i++) {
    char path[100];
    snprintf(path, sizeof path, IIO "in_power%d_input", i);
    sysroot_take_away(path);
  }
  assert_refused(wait_for(meter, SIZE_MAX, &d, &err), SLOE_DEVICE, err, "any more");
  assert_true(isnan(d.input.mean_w));
  sloe_jetson_meter_stop(meter);
  sloe_jetson_close(board);
}

/* A program in tegrastats' place; it gets --interval N behind its words. */
static const char *write_program(const char *text) {
  static char path[700];
  sysroot_put("/tegrastats", text);
  snprintf(path, sizeof path, "%s/tegrastats", sysroot);
  assert_int_equal(chmod(path, 0755), 0);
  return path;
}

#define SAYING                                                                              \
  "#!/bin/sh\n[ \"$1 $2\" = \"--interval 100\" ] || exit 9\necho 'a warning'\n"             \
  "while :; do echo 'RAM 1000/3964MB (lfb 2x2MB) CPU [5%@1224] GR3D_FREQ 60%@921 GPU@40.5C" \
  " POM_5V_IN 6000/1 POM_5V_GPU 2000/1'; sleep 0.01; done\n"

static void tegrastats_is_asked_where_no_file_can_be_read(void **state) {
  const char *program = write_program(SAYING);
  sloe_jetson_meter *meter;
  sloe_jetson_draw d;
  sloe_error err;
  (void)state;
  sloe_jetson *board = open_board(program);
  assert_string_equal(sloe_jetson_power_source(board), "");
  assert_ok(sloe_jetson_meter_start(board, 0, &meter, &err), err);
  assert_ok(wait_for(meter, 3, &d, &err), err);
  assert_string_equal(d.source, "tegrastats");
  assert_near(d.input.mean_w, 6);
  assert_near(d.gpu.mean_w, 2);
  assert_string_equal(d.gpu.name, "POM_5V_GPU");
  assert_near(d.gpu_load, 0.6);
  assert_near(d.gpu_mhz_max, 921);
  assert_near(d.hottest_c, 40.5);
  assert_near(d.memory_first_mb, 1048.576);
  sloe_jetson_meter_stop(meter);
  sloe_jetson_close(board);
}

static void a_tegrastats_that_ends_or_tells_no_rails_is_a_failure(void **state) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"#!/bin/sh\nexit 3\n", "ended by itself"},
      {"#!/bin/sh\necho 'RAM 1/2MB CPU [5%]'; sleep 100\n", "no rails"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_jetson_meter *meter;
    sloe_jetson_draw d;
    sloe_error err;
    sloe_jetson *board = open_board(write_program(cases[i].text));
    assert_ok(sloe_jetson_meter_start(board, 0, &meter, &err), err);
    assert_refused(wait_for(meter, SIZE_MAX, &d, &err), SLOE_DEVICE, err, cases[i].why);
    sloe_jetson_meter_stop(meter);
    sloe_jetson_close(board);
  }
}

static void a_tegrastats_that_is_not_there_is_no_sensor(void **state) {
  sloe_jetson *board = open_board("/nowhere/tegrastats");
  sloe_jetson_meter *meter;
  sloe_error err;
  (void)state;
  assert_refused(sloe_jetson_meter_start(board, 0, &meter, &err), SLOE_UNSUPPORTED, err,
                 "no power sensor");
  sloe_jetson_close(board);
}

/* ---- readings ---- */

static void make_meter(sloe_jetson_meter *m) {
  *m = (sloe_jetson_meter){.source = "ina3221", .n_rails = 1, .name = {"VDD_IN"}, .cap = 4};
  m->input = (sloe_rails){.n = 1, .index = {0}, .text = "VDD_IN"};
  m->readings = sloe_alloc(m->cap, sizeof *m->readings);
  pthread_mutex_init(&m->mutex, NULL);
}

static void take(sloe_jetson_meter *m, uint64_t ms, double watts) {
  sloe_meter_reading r = {.at_ns = ms * 1000000, .watts = {(float)watts}};
  sloe_error err;
  assert_ok(sloe_meter_keep(m, &r, &err), err);
}

static void end_meter(sloe_jetson_meter *m) {
  pthread_mutex_destroy(&m->mutex);
  sloe_dealloc(m->readings);
}

static void energy_is_the_sum_of_trapezoids(void **state) {
  sloe_jetson_meter m;
  sloe_jetson_draw d;
  sloe_error err;
  (void)state;
  make_meter(&m);
  take(&m, 100, 2);
  take(&m, 200, 4);
  take(&m, 500, 4);
  take(&m, 600, NAN); /* silent: it is taken to draw what it drew */
  take(&m, 700, 8);
  assert_ok(sloe_jetson_meter_window(&m, 0, 0, &d, &err), err);
  assert_near(d.input.energy_mj, 300 + 1200 + 400 + 600);
  assert_near(d.seconds, 0.6);
  assert_near(d.input.mean_w, 2500.0 / 600);
  assert_near(d.input.peak_w, 8);
  assert_near(d.input.sd_w, sqrt(19.0 / 3));
  assert_ok(sloe_jetson_meter_window(&m, 150000000, 550000000, &d, &err), err);
  assert_int_equal(d.samples, 2);
  assert_near(d.input.energy_mj, 1200);
  assert_true(isnan(d.gpu.mean_w));
  end_meter(&m);
}

static void thinning_out_keeps_the_energy(void **state) {
  sloe_jetson_meter m;
  sloe_jetson_draw d;
  sloe_error err;
  (void)state;
  make_meter(&m);
  for (uint64_t i = 0; i <= 4 * SLOE_METER_READINGS; i++) take(&m, i, (double)(i % 2) * 10);
  assert_true(m.cap <= SLOE_METER_READINGS);
  assert_ok(sloe_jetson_meter_window(&m, 0, 0, &d, &err), err);
  assert_near(d.seconds, 4 * SLOE_METER_READINGS / 1e3);
  assert_near(d.input.mean_w, 5);
  end_meter(&m);
}

static void every_allocation_may_fail(void **state) {
  const long live = sloe_alloc_live();
  (void)state;
  write_orin_nano();
  for (long n = 0;; n++) {
    sloe_jetson *board = (sloe_jetson *)&live;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_jetson_open(sysroot, "", &board, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_jetson_close(board);
      break;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(board);
    assert_true(*err.msg);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_int_equal(sloe_alloc_live(), live);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, sysroot_make, sysroot_remove)
  const struct CMUnitTest tests[] = {
      TEST(a_board_is_known_by_its_device_tree),
      TEST(its_software_and_power_mode_are_known),
      TEST(a_mode_is_a_token_and_not_always_the_default_one),
      TEST(l4t_is_found_in_the_list_of_packages_too),
      TEST(a_machine_that_is_none_opens_and_knows_nothing),
      TEST(the_clock_state_of_an_orin_is_read),
      TEST(the_clock_state_of_a_nano_is_read),
      TEST(the_state_goes_with_a_profile_and_what_lacks_it_is_marked),
      TEST(hwmon_tells_volts_and_amperes),
      TEST(the_driver_s_folder_leads_to_the_same_rails),
      TEST(iio_tells_milliwatts),
      TEST(channels_without_a_label_are_no_rails),
      TEST(a_sensor_that_goes_away_is_a_failure_of_the_device),
      TEST(a_meter_integrates_what_the_files_say),
      TEST(a_meter_whose_sensor_goes_away_says_so),
      TEST(tegrastats_is_asked_where_no_file_can_be_read),
      TEST(a_tegrastats_that_ends_or_tells_no_rails_is_a_failure),
      TEST(a_tegrastats_that_is_not_there_is_no_sensor),
      TEST(energy_is_the_sum_of_trapezoids),
      TEST(thinning_out_keeps_the_energy),
      TEST(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
