/* fitted_cursor.h: walks one section of a binary platform file. Private to platform/.
 *
 * What is asked for beyond the end reads as 0 and leaves a message: `status` is looked at once a
 * few numbers were taken, before they are used.
 */
#ifndef SLOE_PLATFORM_FITTED_CURSOR_H
#define SLOE_PLATFORM_FITTED_CURSOR_H

#include "platform/fitted_format.h"

typedef struct sloe_fitted_cursor {
  const uint8_t *data; /* the file */
  size_t at, end;      /* of the section; offsets in the file */
  const char *section;
  uint32_t version; /* of the file */
  sloe_status status;
  sloe_error *err;
} sloe_fitted_cursor;

/* The next n bytes; NULL past the end, where the first failure leaves its message. */
const uint8_t *sloe_fitted_take(sloe_fitted_cursor *c, size_t n);
uint32_t sloe_fitted_take_u32(sloe_fitted_cursor *c);
int32_t sloe_fitted_take_i32(sloe_fitted_cursor *c);
int64_t sloe_fitted_take_i64(sloe_fitted_cursor *c);
double sloe_fitted_take_f64(sloe_fitted_cursor *c);
/* Floats where they lie: all lengths before them are multiples of 4. */
const float *sloe_fitted_take_f32s(sloe_fitted_cursor *c, size_t n);
void sloe_fitted_take_align(sloe_fitted_cursor *c);

/* Little-endian; NULL is 0. */
uint64_t sloe_fitted_word(const uint8_t *p, size_t bytes);

/* FORMAT with `what` at offset `at`, unless something failed before. */
sloe_status sloe_fitted_fail_here(sloe_fitted_cursor *c, size_t at, const char *what);
/* The check of a model said no, with a message: say where. */
sloe_status sloe_fitted_fail_model(sloe_fitted_cursor *c, size_t at, sloe_status status);
/* All that was taken was there, and nothing is left. */
sloe_status sloe_fitted_end_section(sloe_fitted_cursor *c);

/* Unknown is NAN; else finite and not below `least`. */
int sloe_fitted_unknown_or_from(double least, double value);

/* ---- fitted_layers.c: the sections `families` and `ops`, from their first byte to their last ----
 */

sloe_status sloe_fitted_take_families(sloe_fitted_cursor *c, sloe_arena *arena,
                                      sloe_fitted *fitted);
sloe_status sloe_fitted_take_ops(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted *fitted);

/* The section `learned` (networks_file.c). On failure *networks can still be given to fini. */
sloe_status sloe_networks_take(sloe_fitted_cursor *c, sloe_arena *arena, sloe_networks *networks);

#endif
