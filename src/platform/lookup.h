/* lookup.h: folders of platform files. Private to platform/. */
#ifndef SLOE_PLATFORM_LOOKUP_H
#define SLOE_PLATFORM_LOOKUP_H

#include "platform/format.h"

#define SLOE_PF_ENDING ".sloe"

/* Read the file at `path` into *pf; strings go to `arena`. Errors name the path. */
sloe_status sloe_pf_load(const char *path, sloe_arena *arena, sloe_pf *pf, sloe_error *err);

/* The name in `list` (sorted or not) with the least edit distance to `name`; NULL: none is near. */
const char *sloe_platform_nearest(const sloe_platform_list *list, const char *name);

#endif
