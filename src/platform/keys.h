/* keys.h: the key tables of format.h as data. Private to platform/. */
#ifndef SLOE_PLATFORM_KEYS_H
#define SLOE_PLATFORM_KEYS_H

#include "platform/format.h"

typedef enum sloe_pf_kind {
  SLOE_PF_TOKEN,
  SLOE_PF_TEXT,
  SLOE_PF_REAL,
  SLOE_PF_WHOLE,
  SLOE_PF_SHARE,
  SLOE_PF_COST,
  SLOE_PF_DOTTED,
  SLOE_PF_YESNO,
} sloe_pf_kind;

typedef struct sloe_pf_key {
  const char *name;
  sloe_pf_kind kind;
  double min, max;
  int need;
  size_t at; /* offset in the section's struct */
  const char *doc;
} sloe_pf_key;

/* A section's name and keys (at most 32). */
typedef struct sloe_pf_section {
  const char *name;
  const sloe_pf_key *keys;
  size_t n_keys;
} sloe_pf_section;

typedef enum sloe_pf_section_id {
  SLOE_PF_PLATFORM,
  SLOE_PF_CHIP,
  SLOE_PF_PRECISION,
  SLOE_PF_MODE,
  SLOE_PF_VALIDATED,
  SLOE_PF_SECTION_COUNT,
} sloe_pf_section_id;

extern const sloe_pf_section sloe_pf_sections[SLOE_PF_SECTION_COUNT];

/* Set every key of the section's struct to "absent": NAN, "", 0. */
void sloe_pf_clear(const sloe_pf_section *section, void *values);

/* A cursor in the file, for messages. */
typedef struct sloe_pf_place {
  uint64_t offset; /* of the value */
  unsigned line;
} sloe_pf_place;

/* Read one value into the section's struct. Errors: FORMAT, NOMEM. */
sloe_status sloe_pf_read_value(const sloe_pf_key *key, const char *text, size_t len,
                               sloe_pf_place place, sloe_arena *arena, void *values,
                               sloe_error *err);

/* What must hold between sections. `end`: the file's length, where the errors are said to be. */
sloe_status sloe_pf_check(const sloe_pf *pf, uint64_t end, sloe_error *err);

/* Is it a TOKEN: lower-case letters and digits, '-' between them? */
int sloe_pf_is_token(const char *text, size_t len);

#endif
