/* lookup.h: folders of platform files. Private to platform/. */
#ifndef SLOE_PLATFORM_LOOKUP_H
#define SLOE_PLATFORM_LOOKUP_H

#include "platform/format.h"

#define SLOE_PF_ENDING ".sloe"

/* A file being read: of text it is `pf`, of a binary one all of `platform`. */
typedef struct sloe_pf_file {
  sloe_pf pf;
  sloe_platform *platform; /* owned; its arena holds what pf points to */
} sloe_pf_file;

/* Read the file at `path`, or `len` bytes, which are copied. Errors name the path. */
sloe_status sloe_pf_load(const char *path, sloe_pf_file **out, sloe_error *err);
sloe_status sloe_pf_load_memory(const void *data, size_t len, sloe_pf_file **out, sloe_error *err);
void sloe_pf_unload(sloe_pf_file *file); /* takes NULL */

/* The name in `list` (sorted or not) with the least edit distance to `name`; NULL: none is near. */
const char *sloe_platform_nearest(const sloe_platform_list *list, const char *name);

#endif
