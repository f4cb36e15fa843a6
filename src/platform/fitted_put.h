/* fitted_put.h: numbers of a binary platform file, appended to its bytes. Private to platform/. */
#ifndef SLOE_PLATFORM_FITTED_PUT_H
#define SLOE_PLATFORM_FITTED_PUT_H

#include "platform/fitted_format.h"

void sloe_fitted_put(sloe_text *out, uint64_t value, size_t bytes); /* little-endian */
void sloe_fitted_put_u32(sloe_text *out, uint32_t value);
void sloe_fitted_put_i32(sloe_text *out, int32_t value);
void sloe_fitted_put_f64(sloe_text *out, double value);
void sloe_fitted_put_f32s(sloe_text *out, const float *values, size_t n);
void sloe_fitted_put_f64s(sloe_text *out, const double *values, size_t n);
/* u32 length, bytes; NULL is "". */
void sloe_fitted_put_text(sloe_text *out, const char *text);
/* Zeros to the next multiple of SLOE_FITTED_ALIGN. */
void sloe_fitted_put_align(sloe_text *out);

/* The section `learned` (networks_file.c). Errors: USAGE (more than a file may hold). */
sloe_status sloe_networks_put(const sloe_networks *networks, sloe_text *out, sloe_error *err);

#endif
