/* tegrastats.h: what NVIDIA's tegrastats prints, line by line and as the summary of a log.
 *
 *   line   = [date time] { field }                     ; MM-DD-YYYY HH:MM:SS, from JetPack 5
 *   field  = "RAM" used"/"total("MB"|"kB") "(lfb "..")"  ; MB are 2^20 bytes; likewise SWAP, IRAM
 *          | ("CPU"|"cpu") "["core{","core}"]" ["@"MHz]  ; core = P%[@MHz] | "off"
 *          | ("EMC"|"GR3D"|..)["_FREQ"] [P"%"] ["@"(MHz | "["MHz{","MHz}"]")]
 *          | NAME ("off" | ["@"]MHz)                     ; APE, VIC, NVENC, NVDEC, ...
 *          | "MTS fg" p"% bg" p"%"
 *          | SENSOR"@"T"C"["/"T"C"]                      ; now, and since it began
 *          | RAIL now["mW"]"/"mean["mW"]["/"peak"mW"]    ; mW even without a unit
 *
 * Boards and versions from the TX1 on L4T 28 to Thor on 38 add, drop and reorder fields, root sees
 * more of them than others: what a field is is told by its own shape, never by its place. Words
 * that are none of these are counted and skipped. The second value of a rail is the mean since
 * tegrastats began, not of any window: the first alone is used.
 */
#ifndef SLOE_DEVICE_TEGRASTATS_H
#define SLOE_DEVICE_TEGRASTATS_H

#include "base/arena.h"

enum {
  SLOE_TEGRASTATS_RAILS = 16,
  SLOE_TEGRASTATS_SENSORS = 24,
  SLOE_TEGRASTATS_NAME = 32,
  SLOE_RAILS_TEXT = 160
};

/* ---- rails (tegrastats_rails.c) ---- */

/* One rail, or several that are to be added. */
typedef struct sloe_rails {
  size_t n; /* 0: there is none */
  size_t index[SLOE_TEGRASTATS_RAILS];
  char text[SLOE_RAILS_TEXT]; /* "VDD_IN", "GPU+CPU+SOC+CV+VDDRQ+SYS5V"; "" */
  int is_shared;              /* of the GPU's: others are on it too, as on VDD_CPU_GPU_CV */
} sloe_rails;

/* The whole input of the module: the first of VDD_IN, POM_5V_IN and VIN, else the sum that the AGX
   boards take. Losses on the carrier board are outside of it. */
void sloe_rails_input(const char *const *names, size_t n, sloe_rails *out);
/* What the GPU is on. */
void sloe_rails_gpu(const char *const *names, size_t n, sloe_rails *out);

/* ---- a line (tegrastats_line.c) ---- */

typedef struct sloe_tegrastats_named {
  char name[SLOE_TEGRASTATS_NAME];
  double value; /* W, or degrees C */
} sloe_tegrastats_named;

/* NAN: it does not stand there. */
typedef struct sloe_tegrastats_line {
  double at_s; /* of the date: seconds since 1970 on the board's clock */
  double ram_mib, ram_total_mib, swap_mib;
  int cpus, cpus_online;
  double cpu_load, cpu_mhz_max; /* mean of those online, 0 to 1 */
  double emc_load, emc_mhz;
  double gpu_load, gpu_mhz; /* the fastest of its clusters; 0: switched off */
  size_t n_rails, n_sensors;
  sloe_tegrastats_named rail[SLOE_TEGRASTATS_RAILS], sensor[SLOE_TEGRASTATS_SENSORS];
  size_t n_unknown;                   /* words that were skipped */
  char unknown[SLOE_TEGRASTATS_NAME]; /* the first */
} sloe_tegrastats_line;

/* 1 where it is a line of tegrastats: it tells the memory and the CPUs. `len` bytes without the
   line's end. */
int sloe_tegrastats_parse(const char *text, size_t len, sloe_tegrastats_line *out);

/* ---- a log (tegrastats_log.c) ---- */

typedef struct sloe_tegrastats_draw {
  char rails[SLOE_RAILS_TEXT]; /* which; "": there is none, all is NAN */
  int is_shared;
  double mean_w, peak_w, sd_w, energy_j;
  double idle_w, loaded_w; /* mean where the GPU did nothing, and where it was busy */
} sloe_tegrastats_draw;

/* What one board printed in one go. Energy is the sum of each reading times the time until it; the
   mean is that over the time. Sizes in 10^6 bytes. */
typedef struct sloe_tegrastats_summary {
  size_t samples, line; /* lines of tegrastats; the first, from 1 */
  double seconds;       /* that they stand for: one interval each */
  double interval_s;    /* between two; 1 is assumed where there are no dates */
  int has_dates;
  double gap_s; /* the longest beyond that; 0 */
  sloe_tegrastats_draw input, gpu;
  size_t n_rails;
  sloe_tegrastats_named rail[SLOE_TEGRASTATS_RAILS];                  /* means */
  double memory_mb, memory_first_mb, memory_peak_mb, memory_total_mb; /* memory_mb: the mean */
  double swap_peak_mb;
  double gpu_load, gpu_load_max, emc_load, cpu_load; /* means but for one, 0 to 1 */
  double gpu_mhz_min, gpu_mhz_max;                   /* while it was busy, else of all */
  double emc_mhz_min, emc_mhz_max, cpu_mhz_max;
  int cpus, cpus_online;
  double gpu_c_first, gpu_c_mean, gpu_c_max, hottest_c;
  char hottest[SLOE_TEGRASTATS_NAME];
  size_t n_idle, n_busy; /* samples with a load of the GPU of at most 0.05; of at least 0.5 */
  size_t n_other;        /* lines between them that are none */
  size_t n_unknown;
  char unknown[SLOE_TEGRASTATS_NAME];
} sloe_tegrastats_summary;

/* The summaries of a log, in `arena`. Another begins at a line that starts with '#', where the
   memory of another size is told, and where the date goes back. Errors: FORMAT where no line is of
   tegrastats; NOMEM, also for a log over the arena's limit. */
sloe_status sloe_tegrastats_read(const char *text, size_t len, sloe_arena *arena,
                                 sloe_tegrastats_summary **out, size_t *n, sloe_error *err);

#endif
