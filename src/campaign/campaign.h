/* campaign.h: what devices, store, fitter and platforms do together. The functions that lab.h hands
 * to programs, by their own names; what they do is said there.
 *
 *   session    an opened device, and what is known of it: measure.c
 */
#ifndef SLOE_CAMPAIGN_CAMPAIGN_H
#define SLOE_CAMPAIGN_CAMPAIGN_H

#include "sloe/lab.h"

/* ---- measuring ---- */

/* Errors: those of sloe_device_open. */
sloe_status sloe_session_open(const char *backend, sloe_session **out, sloe_error *err);
void sloe_session_close(sloe_session *session);
const sloe_card *sloe_session_card(const sloe_session *session);
const sloe_fusion *sloe_session_fusion(const sloe_session *session);
int64_t sloe_session_batch(const sloe_session *session);

/* A net of one layer, views aside, whose spec is known is timed as profiling times layers: caches
   settled before each run; a warning says so. Other nets are run whole. A take is repeated where
   the reference moved under it, never because its runs scatter: that is said as quality. Errors:
   UNSUPPORTED (the net cannot be run there), DEVICE, STOPPED, NOMEM. */
sloe_status sloe_measure(sloe_session *session, const sloe_layers *layers,
                         const sloe_measure_options *options, const sloe_watch *watch,
                         sloe_measured **out, sloe_error *err);
void sloe_measured_free(sloe_measured *measured);
const sloe_answer *sloe_measured_answer(const sloe_measured *measured);
const sloe_measured_extra *sloe_measured_extra_of(const sloe_measured *measured);
sloe_status sloe_measured_table(const sloe_session *session, const char *const *names,
                                sloe_measured *const *measured, size_t n, char **text,
                                sloe_error *err);

/* ---- profiling ---- */

sloe_status sloe_profile(const sloe_profile_options *options, const sloe_watch *watch,
                         sloe_profile_summary *out, sloe_error *err);

/* ---- collecting ---- */

/* Whole networks of a plan (plan.h, collect.c). Errors: those of plans, of the device and of the
   store; STOPPED. What was measured until then is kept. */
sloe_status sloe_collect(const sloe_collect_options *options, const sloe_watch *watch,
                         sloe_collect_summary *out, sloe_error *err);
sloe_status sloe_collect_plan(const sloe_collect_options *options, char **text, sloe_error *err);

/* ---- evaluating ---- */

/* A platform's errors against a measurement table (lab.h: evaluate). `watch` may be NULL. Errors:
   USAGE (options->by is no column), FORMAT (no table, no `net`, nothing measured, no number where
   one belongs), NOTFOUND, IO, NOMEM, STOPPED. A row whose net cannot be opened or answered is no
   error: it is left out and counted. */
sloe_status sloe_evaluate(const sloe_evaluate_options *options, const sloe_platform *platform,
                          const sloe_watch *watch, sloe_evaluation **out, sloe_error *err);
void sloe_evaluation_free(sloe_evaluation *evaluation);

/* ---- learning ---- */

/* Models of whole networks from a measurement table, into a platform file (lab.h: train). Errors:
   USAGE (a model, a feature or a column that there is not), FORMAT (no table, too few rows, rows of
   several devices), UNSUPPORTED (a library is lacking; `platform` is a data sheet), IO, NOMEM,
   STOPPED: with a journal the same call goes on. */
sloe_status sloe_train(const sloe_train_options *options, const sloe_platform *platform,
                       const sloe_watch *watch, sloe_training **out, sloe_error *err);
void sloe_training_free(sloe_training *training);

/* lab.h: calibrate. Errors: FORMAT (fewer than three networks, nothing that the prior answers), and
   those of training and of opening the prior. */
sloe_status sloe_calibrate(const sloe_calibrate_options *options, const sloe_watch *watch,
                           sloe_training **out, sloe_error *err);
void sloe_calibration_free(sloe_training *calibration);

/* Errors: USAGE (options->by), FORMAT (no table; one side would be empty), NOTFOUND, IO, NOMEM. */
sloe_status sloe_split(const sloe_split_options *options, sloe_split_summary *out, sloe_error *err);

/* ---- measurements of others ---- */

/* Errors: USAGE (no such format), FORMAT, NOTFOUND, IO, NOMEM. */
sloe_status sloe_import(const sloe_import_options *options, char **text, sloe_error *err);

/* ---- stores (db.c) ---- */

sloe_status sloe_db_export(const sloe_db_export_options *options, char **text, sloe_error *err);
sloe_status sloe_db_merge(const char *into, const char *const *from, size_t n, int64_t *added,
                          sloe_error *err);
sloe_status sloe_db_get_info(const char *path, sloe_db_info *out, sloe_error *err);

#endif
