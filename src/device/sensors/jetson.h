/* jetson.h: what a Jetson board tells of itself: which it is, how its clocks stand, what it draws
 * and how hot it is. Private to device/.
 *
 *   sloe_jetson *board; sloe_jetson_clocks before; sloe_jetson_meter *meter; sloe_jetson_draw draw;
 *   sloe_jetson_open(sloe_backend_option(options, "sysroot", ""), NULL, &board, err);
 *   sloe_jetson_read_clocks(board, &before);
 *   sloe_jetson_meter_start(board, 0, &meter, err);
 *   ... run trtexec ...
 *   sloe_jetson_meter_window(meter, from_ns, to_ns, &draw, err);
 *   sloe_jetson_meter_stop(meter);
 *   sloe_jetson_close(board);
 *
 * Everything is read from files below `sysroot` ("" or NULL: the machine itself), so that a
 * recorded tree answers as its board did. Nothing is ever written to the board and no clock is
 * changed. What a board does not tell, or not to this user, is NAN, -1 or "", and never a failure:
 * opening works on any machine, and `device` is "" where it is no Jetson that is known.
 *
 * Power comes from the first of these that can be read:
 *   ina3221     hwmon of JetPack 5 and later: mV and mA of each rail
 *   ina3221x    iio of JetPack 4 and before: mW of each rail
 *   tegrastats  as a child process, once a meter runs, where the files are not to be read
 * One sloe_jetson belongs to one thread at a time, a running meter's own thread excepted.
 */
#ifndef SLOE_DEVICE_SENSORS_JETSON_H
#define SLOE_DEVICE_SENSORS_JETSON_H

#include "base/arena.h"
#include "device/device.h"

enum { SLOE_JETSON_RAILS = 16, SLOE_JETSON_NAME = 32, SLOE_JETSON_PAIRS = 32 };

typedef struct sloe_jetson sloe_jetson;

/* `tegrastats`: the command to start where no sensor can be read, split into words as an agent's;
   NULL: "tegrastats" where `sysroot` is the machine itself, else none; "": none. Errors: NOMEM. */
sloe_status sloe_jetson_open(const char *sysroot, const char *tegrastats, sloe_jetson **out,
                             sloe_error *err);
void sloe_jetson_close(sloe_jetson *board);

/* ---- which board (jetson_board.c, jetson_modes.c) ---- */

/* Read once, when opened. Strings live as long as the sloe_jetson; "": unknown. */
typedef struct sloe_jetson_board {
  const char *device;     /* "jetson-orin-nano-8gb", as the platforms are named */
  const char *title;      /* "NVIDIA Jetson Orin Nano Developer Kit", of the device tree */
  const char *part;       /* "p3767-0005", the module's */
  const char *soc;        /* "tegra234" */
  int compute_capability; /* 87: 8.7; 0: unknown */
  const char *l4t;        /* "36.4.7" */
  const char *jetpack;    /* "6.2.1" */
  double memory_mb;       /* of the system, 10^6 bytes; NAN */
  int mode_id;            /* of nvpmodel; -1: unknown */
  const char *mode_name;  /* "MODE_15W_2CORE", as nvpmodel calls it */
  const char *mode;       /* "15w-2core": a token for sloe_device_info.mode */
  int is_default_mode;    /* 1: it is the one the board comes with; -1: unknown */
} sloe_jetson_board;
const sloe_jetson_board *sloe_jetson_describe(const sloe_jetson *board);

/* One of the power modes in /etc/nvpmodel.conf. NAN: without a limit. */
typedef struct sloe_jetson_mode {
  int id;
  char name[SLOE_JETSON_NAME];
  double gpu_max_mhz, emc_max_mhz;
  int64_t tpc_pg_mask, fbp_pg_mask; /* -1: not set */
  int cpus;                         /* online; 0: not said */
  double cpu_max_mhz;               /* of the fastest cluster */
} sloe_jetson_mode;
/* Those there are; *out lives as long as the sloe_jetson. */
size_t sloe_jetson_modes(const sloe_jetson *board, const sloe_jetson_mode **out);

/* ---- clocks (jetson_clocks.c) ---- */

/* A snapshot. NAN, -1 and "": cannot be read here. */
typedef struct sloe_jetson_clocks {
  double gpu_mhz, gpu_min_mhz, gpu_max_mhz, gpu_load; /* load: 0 to 1, of time, not of its units */
  double emc_mhz, emc_cap_mhz;                        /* the memory's */
  double cpu_mhz, cpu_min_mhz, cpu_max_mhz;           /* of the slowest that is online */
  int cpus_online;
  char governor[SLOE_JETSON_NAME]; /* of that CPU */
  int64_t tpc_pg_mask;             /* switched-off TPCs, a bit each: fewer multiprocessors */
  int64_t fbp_pg_mask;             /* partitions of memory, and with them of the L2 cache */
  int gpu_locked;                 /* 1: least and most are equal (jetson_clocks); 0: they are not */
  double hottest_c;               /* of all zones that are no dummy */
  char hottest[SLOE_JETSON_NAME]; /* its name */
  int throttling;                 /* cooling devices that are at it, fans excepted; -1: unknown */
  int multiprocessors;            /* of the GPU that are switched on; 0: unknown */
  double memory_used_mb;          /* of the system, 10^6 bytes: total - available */
} sloe_jetson_clocks;
void sloe_jetson_read_clocks(sloe_jetson *board, sloe_jetson_clocks *out);

/* NULL where what a profile needs to be repeated is known: GPU clock and its limits. Else what is
   lacking or speaks against it, in a few words: such a profile is marked as not reproducible. */
const char *sloe_jetson_not_reproducible(const sloe_jetson *board,
                                         const sloe_jetson_clocks *clocks);

/* Board and clock state as pairs for sloe_device_info.environment, at most SLOE_JETSON_PAIRS of
   them: board, l4t, jetpack, power_mode, gpu_mhz_min, ..., clocks_locked, reproducible. What is
   unknown is left out, but for `reproducible`: "yes", or "no: WHY". Texts are in `arena`. */
sloe_status sloe_jetson_environment(const sloe_jetson *board, const sloe_jetson_clocks *clocks,
                                    sloe_arena *arena, sloe_device_pair pairs[SLOE_JETSON_PAIRS],
                                    size_t *n, sloe_error *err);

/* ---- power, once (jetson_power.c) ---- */

/* "ina3221", "ina3221x"; "": none can be read. */
const char *sloe_jetson_power_source(const sloe_jetson *board);

typedef struct sloe_jetson_rail {
  char name[SLOE_JETSON_NAME]; /* "VDD_IN", as the board calls it */
} sloe_jetson_rail;

typedef struct sloe_jetson_power {
  uint64_t at_ns; /* CLOCK_MONOTONIC */
  size_t n_rails;
  sloe_jetson_rail rail[SLOE_JETSON_RAILS];
  double rail_w[SLOE_JETSON_RAILS];
  double input_w; /* the module's whole input, by the rule of tegrastats.h; NAN */
  double gpu_w;   /* of the rail that the GPU is on; NAN */
  const char *input_rail, *gpu_rail; /* "VDD_IN", "VDD_CPU_GPU_CV"; sums as "GPU+CPU+..."; "" */
} sloe_jetson_power;
/* All unknown where there is no source. Errors: DEVICE where one was there and fails. */
sloe_status sloe_jetson_read_power(sloe_jetson *board, sloe_jetson_power *out, sloe_error *err);

/* `sensor` of a backend: power_w of the module's input with rail "input"; of the GPU's rail with
   "gpu" where `rail` says so. All NAN and "" without a source. */
sloe_status sloe_jetson_sensor(sloe_jetson *board, const char *rail, sloe_device_sensor *out,
                               sloe_error *err);

/* ---- power, over time (jetson_meter.c) ---- */

typedef struct sloe_jetson_meter sloe_jetson_meter;

/* Reads power, clocks, load and temperature every `period_ms` in a thread of its own until it is
   stopped; 0: 20 ms, or as often as the sensor is taken anew. From tegrastats where there is no
   other source, every 100 ms at least. Errors: UNSUPPORTED: "no power sensor can be read"; DEVICE,
   NOMEM. */
sloe_status sloe_jetson_meter_start(sloe_jetson *board, int period_ms, sloe_jetson_meter **out,
                                    sloe_error *err);
/* Ends the thread, and the child; takes NULL. What it took is gone. */
void sloe_jetson_meter_stop(sloe_jetson_meter *meter);
uint64_t sloe_jetson_now_ns(void); /* the clock of the windows */

/* Of one rail, or of the input, over a window: integrated by trapezoids. */
typedef struct sloe_jetson_rail_draw {
  char name[SLOE_RAILS_TEXT];
  double mean_w, peak_w, sd_w, energy_mj;
} sloe_jetson_rail_draw;

typedef struct sloe_jetson_draw {
  const char *source;               /* "ina3221", "ina3221x", "tegrastats" */
  size_t samples;                   /* in the window */
  double seconds;                   /* from the first of them to the last */
  sloe_jetson_rail_draw input, gpu; /* NAN and "" where there is no such rail */
  size_t n_rails;
  sloe_jetson_rail_draw rail[SLOE_JETSON_RAILS];
  double gpu_load;                        /* mean, 0 to 1 */
  double gpu_mhz_min, gpu_mhz_max;        /* while it ran */
  double first_c, last_c, hottest_c;      /* of the hottest zone */
  size_t throttled;                       /* samples in which a cooling device was at it */
  double memory_first_mb, memory_peak_mb; /* of the system, used */
} sloe_jetson_draw;

/* What was drawn from `from_ns` to `to_ns` (0: from the start, until now). The meter goes on. All
   unknown with `samples` 0 or 1. Errors: DEVICE where the sensor failed meanwhile. */
sloe_status sloe_jetson_meter_window(sloe_jetson_meter *meter, uint64_t from_ns, uint64_t to_ns,
                                     sloe_jetson_draw *out, sloe_error *err);

#endif
