/* report_fitted.h: what a fitted platform holds, for report_platform.c. Private to report/. */
#ifndef SLOE_REPORT_REPORT_FITTED_H
#define SLOE_REPORT_REPORT_FITTED_H

#include "platform/platform.h"
#include "report/report.h"

/* Everything, coefficients included; NULL: out of memory. Keys: docs/platform-file.md. */
json_t *sloe_fitted_json(const sloe_fitted *fitted);

/* Tables for people: held-out errors, families, corrections, environment. */
void sloe_fitted_tables(const sloe_fitted *fitted, const sloe_report_options *options,
                        sloe_text *text);

/* The same of whole networks (report_networks.c). */
json_t *sloe_networks_json(const sloe_networks *networks);
void sloe_networks_tables(const sloe_networks *networks, const sloe_report_options *options,
                          sloe_text *text);

#endif
