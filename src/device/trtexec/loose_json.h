/* loose_json.h: JSON as trtexec writes it. Private to device/trtexec/.
 *
 * trtexec prints names as they are: a quote or a backslash in one makes the file no JSON. Here a
 * string ends at a quote behind which an object or array goes on or ends, whatever quotes stand
 * before; a backslash is itself unless it stands before a quote, a backslash, a slash or u and four
 * digits. nan and inf are numbers. A document may end anywhere: what was whole is kept, `cut` is
 * set. Several documents may follow one another. Nesting is bounded.
 */
#ifndef SLOE_DEVICE_TRTEXEC_LOOSE_JSON_H
#define SLOE_DEVICE_TRTEXEC_LOOSE_JSON_H

#include "base/arena.h"

typedef enum sloe_loose_type {
  SLOE_LOOSE_NULL, /* true and false too */
  SLOE_LOOSE_NUMBER,
  SLOE_LOOSE_STRING,
  SLOE_LOOSE_ARRAY,
  SLOE_LOOSE_OBJECT
} sloe_loose_type;

typedef struct sloe_loose {
  sloe_loose_type type;
  const char *key;                       /* in an object; else "" */
  double number;                         /* NAN of what is none */
  const char *text;                      /* of a STRING; else "" */
  const struct sloe_loose *child, *next; /* first of an ARRAY or OBJECT; the one behind this */
  size_t n;                              /* children */
} sloe_loose;

typedef struct sloe_loose_reader {
  const char *start, *p, *end;
  int cut; /* the bytes ended inside a value */
} sloe_loose_reader;

/* Blanks and, between the elements of an array, a comma. */
void sloe_loose_skip(sloe_loose_reader *r);

/* The value at r->p into *out, of `arena`. What was cut has the children that were whole. Errors:
   FORMAT (no value stands there; the offset is the byte), NOMEM. */
sloe_status sloe_loose_read(sloe_loose_reader *r, sloe_arena *arena, sloe_loose *out,
                            sloe_error *err);

/* Of an object; NULL: not there. */
const sloe_loose *sloe_loose_get(const sloe_loose *object, const char *key);
/* NAN and "" where it is not there or something else. */
double sloe_loose_number(const sloe_loose *object, const char *key);
const char *sloe_loose_text(const sloe_loose *object, const char *key);

#endif
