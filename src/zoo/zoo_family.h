/* zoo_family.h: what a family is given and what it does. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_FAMILY_H
#define SLOE_ZOO_ZOO_FAMILY_H

#include "zoo/zoo_build.h"

/* Puts the network's inputs, nodes and outputs into the builder's net. `args` is what stands behind
   "zoo:FAMILY,", "" where nothing does; `batch` is at least 1. */
#define FAMILY(id, name, doc) \
  sloe_status sloe_zoo_build_##id(sloe_zoo_builder *b, const char *args, int64_t batch);
#include "zoo/families.def"
#undef FAMILY

/* Reads whole-number keys: each must be listed, within its bounds, and stand once. value holds the
   default before. USAGE naming the key. */
typedef struct sloe_zoo_key {
  const char *name;
  int64_t value, least, most;
  int required, given;
} sloe_zoo_key;

sloe_status sloe_zoo_read_keys(const char *family, const char *args, sloe_zoo_key *keys, size_t n,
                               sloe_error *err);

#endif
