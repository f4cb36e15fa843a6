/* campaign.h: what libsloe-lab offers, where devices, store, fitting and estimates meet. lab.c puts
 * these functions into the struct of sloe/lab.h, which says what each does.
 */
#ifndef SLOE_CAMPAIGN_CAMPAIGN_H
#define SLOE_CAMPAIGN_CAMPAIGN_H

#include "sloe/lab.h"

/* ---- measuring ---- */

sloe_status sloe_session_open(const char *backend, sloe_session **out, sloe_error *err);
void sloe_session_close(sloe_session *session);
const sloe_card *sloe_session_card(const sloe_session *session);
const sloe_fusion *sloe_session_fusion(const sloe_session *session);
sloe_status sloe_measure(sloe_session *session, const sloe_layers *layers,
                         const sloe_measure_options *options, const sloe_watch *watch,
                         sloe_measured **out, sloe_error *err);
void sloe_measured_free(sloe_measured *measured);
const sloe_answer *sloe_measured_answer(const sloe_measured *measured);
const sloe_measured_extra *sloe_measured_extra_of(const sloe_measured *measured);
sloe_status sloe_measured_table(const sloe_session *session, const char *const *names,
                                sloe_measured *const *measured, size_t n, char **text,
                                sloe_error *err);

/* ---- profiling, evaluating ---- */

sloe_status sloe_profile(const sloe_profile_options *options, const sloe_watch *watch,
                         sloe_profile_summary *out, sloe_error *err);
sloe_status sloe_evaluate(const sloe_evaluate_options *options, const sloe_platform *platform,
                          const sloe_watch *watch, sloe_evaluation **out, sloe_error *err);
void sloe_evaluation_free(sloe_evaluation *evaluation);

/* ---- stores (db.c) ---- */

sloe_status sloe_db_export(const sloe_db_export_options *options, char **text, sloe_error *err);
sloe_status sloe_db_merge(const char *into, const char *const *from, size_t n, int64_t *added,
                          sloe_error *err);
sloe_status sloe_db_get_info(const char *path, sloe_db_info *out, sloe_error *err);

#endif
