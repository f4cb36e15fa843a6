/* campaign.h: what joins the measuring rooms; lab.h hands it out. */
#ifndef SLOE_CAMPAIGN_CAMPAIGN_H
#define SLOE_CAMPAIGN_CAMPAIGN_H

#include "sloe/lab.h"

/* A platform's errors against a measurement table (lab.h: evaluate). `watch` may be NULL. Errors:
   USAGE (options->by is no column), FORMAT (no table, no `net`, nothing measured, no number where
   one belongs), NOTFOUND, IO, NOMEM, STOPPED. A row whose net cannot be opened or answered is no
   error: it is left out and counted. */
sloe_status sloe_evaluate(const sloe_evaluate_options *options, const sloe_platform *platform,
                          const sloe_watch *watch, sloe_evaluation **out, sloe_error *err);
void sloe_evaluation_free(sloe_evaluation *evaluation);

#endif
