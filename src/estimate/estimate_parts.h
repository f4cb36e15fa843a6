/* estimate_parts.h: what the two kinds of estimates share. Private to estimate/. */
#ifndef SLOE_ESTIMATE_ESTIMATE_PARTS_H
#define SLOE_ESTIMATE_ESTIMATE_PARTS_H

#include "base/arena.h"
#include "estimate/estimate.h"
#include "estimate/pace.h"
#include "platform/platform.h"

enum { SLOE_ESTIMATE_WARNINGS = 12 };

struct sloe_estimate {
  sloe_arena arena;
  const sloe_layers *net_layers;
  const sloe_platform *platform;
  sloe_layer_estimate *layers;
  const char *warnings[SLOE_ESTIMATE_WARNINGS];
  int out_of_memory;
  sloe_pace pace;             /* of the layers whose time is known */
  sloe_workspace *workspaces; /* that layers may need */
  size_t n_workspaces;
  sloe_result result;
};

/* `text` NULL: memory ran out making it. Past SLOE_ESTIMATE_WARNINGS they are dropped. */
void sloe_estimate_warn(sloe_estimate *e, const char *text);

extern const sloe_figure sloe_figure_unknown;

/* Energy of what time and power are. Errors of the two are taken for independent. */
void sloe_estimate_energy(sloe_estimate *e);

/* Time, power and memory of a fitted platform (estimate_fitted.c), and what to warn of. */
void sloe_estimate_fitted(sloe_estimate *e);
/* Its memory alone. */
void sloe_estimate_fitted_memory(sloe_estimate *e);
/* The same where no model of layers is there: each by its name, and nothing of it. */
void sloe_estimate_no_layers(sloe_estimate *e);
/* Behind these, what is known of whole networks (estimate_networks.c). */
void sloe_estimate_networks(sloe_estimate *e, const sloe_estimate_options *how);

#endif
