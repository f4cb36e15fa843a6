/* layers_data.h: a measurement table of networks as rows for layers_table. */
#ifndef SLOE_TOOLS_LAYERS_DATA_H
#define SLOE_TOOLS_LAYERS_DATA_H

#include "learn/learn.h"
#include "net/net.h"

enum { NAME_MOST = 32 };

typedef struct nets {
  size_t n, n_layers, d;  /* d: features, the columns from input_height on that vary */
  size_t *first;          /* [n + 1] */
  double *terms, *traits; /* of all layers */
  uint64_t *family;
  double *y, *x;           /* [n] ms, [n][d] */
  char (*kind)[NAME_MOST]; /* [n] the column `variant` */
} nets;

/* All rows of quality ok; nets are rebuilt from the column `net`. Ends the program with a message
   where that fails. */
void read_nets(const char *path, nets *out);
void free_nets(nets *nets);

/* Rows number pick[0..n) of `all`, copied. */
void pick_nets(const nets *all, const uint32_t *pick, size_t n, nets *out);

/* Layers of one network (file or zoo spec), as the runtime fuses them. */
void layers_of(const char *net, nets *one);

sloe_layer_sum_rows rows_of(const nets *nets);

#endif
