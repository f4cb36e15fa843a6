/* platform.h: one opened platform, as the rooms above see it (estimate evaluates it, report prints
 * it). The file formats stand in format.h, fitted_format.h and docs/platform-file.md.
 */
#ifndef SLOE_PLATFORM_PLATFORM_H
#define SLOE_PLATFORM_PLATFORM_H

#include "base/arena.h"
#include "model/model.h"
#include "platform/fitted.h"
#include "sloe/sloe.h"

/* One number that the estimates rest on, for people and for `platform export`. */
typedef struct sloe_platform_parameter {
  const char *name; /* unit included, "bandwidth_gbs" */
  const char *doc;
  double value; /* NAN: the data sheet does not say */
} sloe_platform_parameter;

struct sloe_platform {
  sloe_arena arena;
  sloe_card card;
  sloe_fusion fusion;
  double reference_ms;        /* of the reference layer at the time; NAN: never timed */
  sloe_roofline roofline;     /* source datasheet */
  sloe_range workspace_bytes; /* scratch and copies of weights that a runtime may hold */
  const sloe_platform_parameter *parameters;
  size_t n_parameters;
  const sloe_fitted *fitted; /* sources fitted and learned; NULL: a data sheet */
  sloe_networks *networks;   /* of whole networks; NULL: nothing was learned */
  void *file;                /* the bytes of a binary file, which `fitted` points into */
};

#endif
