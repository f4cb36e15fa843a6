/* jetson_parts.h: what the files of this folder share. Private to sensors/. */
#ifndef SLOE_DEVICE_JETSON_PARTS_H
#define SLOE_DEVICE_JETSON_PARTS_H

#include "device/sensors/jetson.h"

enum { SLOE_SYS_PATH = 512, SLOE_SYS_TEXT = 4096, SLOE_JETSON_MODES = 32 };

/* A rail's files. `amps` NULL: `watts` is read, in mW; else `watts` holds the mV, `amps` the mA. */
typedef struct sloe_rail_files {
  char name[SLOE_JETSON_NAME];
  const char *watts, *amps;
} sloe_rail_files;

struct sloe_jetson {
  sloe_arena arena;
  const char *root;       /* "" or a folder without a slash at its end */
  const char *tegrastats; /* the command; "": none */
  sloe_jetson_board board;
  sloe_jetson_mode modes[SLOE_JETSON_MODES];
  size_t n_modes;
  int default_mode;     /* -1 */
  const char *gpu;      /* its folder of devfreq, below the root; NULL: not found */
  int tpcs;             /* of the chip, before any is switched off; 0: unknown */
  int fixed_processors; /* of a chip where none can be; 0: unknown */
  const char *source;   /* of power */
  sloe_rail_files rail[SLOE_JETSON_RAILS];
  size_t n_rails;
  sloe_rails input, on_gpu;
  double update_ms; /* NAN */
};

/* ---- files below the root (jetson_files.c) ---- */

/* The first `size` - 1 bytes of a file, a NUL behind them; how many, or -1 where it cannot be
   read. A link to an absolute path is taken as one below the root. */
long sloe_sys_bytes(const sloe_jetson *b, const char *path, char *buf, size_t size);
/* The same without white space and NULs at its end; "" where it cannot be read. */
const char *sloe_sys_text(const sloe_jetson *b, const char *path, char *buf, size_t size);
/* A number that is all there is, also as 0x..; NAN else. */
double sloe_sys_number(const sloe_jetson *b, const char *path);
/* The same of the file "FOLDER/NAME". */
double sloe_sys_number_in(const sloe_jetson *b, const char *folder, const char *name);
const char *sloe_sys_text_in(const sloe_jetson *b, const char *folder, const char *name, char *buf,
                             size_t size);
int sloe_sys_exists(const sloe_jetson *b, const char *path);

/* Each name in a folder that begins with `prefix`, as the path "FOLDER/NAME", in the order of their
   numbers and letters. Ends where `fn` gives not 0. */
void sloe_sys_each(const sloe_jetson *b, const char *folder, const char *prefix,
                   int (*fn)(void *context, const char *path), void *context);

/* Copies; NULL where the arena is full. */
const char *sloe_jetson_copy(sloe_jetson *b, const char *text);

/* ---- what opening does ---- */

sloe_status sloe_jetson_find_board(sloe_jetson *b, sloe_error *err);
sloe_status sloe_jetson_find_mode(sloe_jetson *b, sloe_error *err);
sloe_status sloe_jetson_find_gpu(sloe_jetson *b, sloe_error *err);
sloe_status sloe_jetson_find_rails(sloe_jetson *b, sloe_error *err);

/* ---- what snapshots share ---- */

typedef struct sloe_jetson_heat {
  double hottest_c;
  char hottest[SLOE_JETSON_NAME];
  int throttling;
} sloe_jetson_heat;
void sloe_jetson_read_heat(const sloe_jetson *b, sloe_jetson_heat *out);
/* Hz of the file in MHz. */
void sloe_jetson_read_gpu(const sloe_jetson *b, double *mhz, double *load);
double sloe_jetson_read_memory(const sloe_jetson *b, double *total_mb);

/* One reading of every rail, W; NAN where one fails. 0: none could be read. */
size_t sloe_jetson_read_rails(const sloe_jetson *b, double watts[SLOE_JETSON_RAILS]);
/* What several rails show together; NAN where there is none or one is silent. */
double sloe_jetson_added(const sloe_rails *rails, const double *watts);

#endif
