/* Beginning a campaign or going on with it; the identity of a file. */
#include <stdio.h>
#include <string.h>

#include "store/store_db.h"

static sloe_status check_arguments(sloe_store *store, const sloe_store_campaign *c,
                                   const sloe_store_identity *id, sloe_error *err) {
  const char *const texts[] = {c->backend,  c->plan,     c->options,    id->device,
                               id->runtime, id->version, id->precision, id->mode};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    SLOE_TRY(sloe_store_check_text(store, "a description", texts[i], err));
  if (!c->backend || !*c->backend)
    return sloe_fail(err, SLOE_USAGE, "%s: a campaign needs a backend", store->path);
  return SLOE_OK;
}

static int open_identity(sloe_store_query *q, sloe_store *store, sloe_status *status,
                         sloe_error *err) {
  int row = 0;
  *status = sloe_store_query_open(
      q, store, "SELECT device, runtime, version, precision, mode, batch, threads FROM identity",
      err);
  if (*status == SLOE_OK) *status = sloe_store_query_next(q, &row, err);
  return row;
}

static sloe_store_identity identity_of(const sloe_store_query *q) {
  return (sloe_store_identity){sloe_store_text(q, 0), sloe_store_text(q, 1), sloe_store_text(q, 2),
                               sloe_store_text(q, 3), sloe_store_text(q, 4), sloe_store_int(q, 5),
                               sloe_store_int(q, 6)};
}

sloe_status sloe_store_get_identity(sloe_store *store, sloe_store_identity *out, int *found,
                                    sloe_error *err) {
  sloe_store_query q;
  sloe_status status;
  sloe_store_forget_strings(store);
  *found = open_identity(&q, store, &status, err);
  if (*found) *out = identity_of(&q);
  if (*found && !(sloe_store_keep(store, &out->device) && sloe_store_keep(store, &out->runtime) &&
                  sloe_store_keep(store, &out->version) &&
                  sloe_store_keep(store, &out->precision) && sloe_store_keep(store, &out->mode)))
    status = sloe_store_out_of_memory(store, err);
  if (status != SLOE_OK) *found = 0;
  sloe_store_query_close(&q);
  return status;
}

static sloe_status mixed(sloe_store *store, const char *field, const char *here, const char *there,
                         sloe_error *err) {
  return sloe_fail(
      err, SLOE_USAGE,
      "%s: holds measurements of %s '%.60s'; those of '%.60s' need a file of their own",
      store->path, field, here, there);
}

static sloe_status mixed_count(sloe_store *store, const char *field, int64_t here, int64_t there,
                               sloe_error *err) {
  char a[24], b[24];
  snprintf(a, sizeof a, "%lld", (long long)here);
  snprintf(b, sizeof b, "%lld", (long long)there);
  return mixed(store, field, a, b, err);
}

static sloe_status compare(sloe_store *store, const sloe_store_identity *here,
                           const sloe_store_identity *there, sloe_error *err) {
  const struct {
    const char *field, *here, *there;
  } texts[] = {
      {"device", here->device, there->device},    {"runtime", here->runtime, there->runtime},
      {"version", here->version, there->version}, {"precision", here->precision, there->precision},
      {"mode", here->mode, there->mode},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const char *wanted = texts[i].there ? texts[i].there : "";
    if (strcmp(texts[i].here, wanted) != 0)
      return mixed(store, texts[i].field, texts[i].here, wanted, err);
  }
  if (here->batch != there->batch)
    return mixed_count(store, "batch", here->batch, there->batch, err);
  if (here->threads != there->threads)
    return mixed_count(store, "threads", here->threads, there->threads, err);
  return SLOE_OK;
}

static sloe_status write_identity(sloe_store *store, const sloe_store_identity *id,
                                  sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store, "INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
                                 err));
  sloe_store_put_text(&q, id->device);
  sloe_store_put_text(&q, id->runtime);
  sloe_store_put_text(&q, id->version);
  sloe_store_put_text(&q, id->precision);
  sloe_store_put_text(&q, id->mode);
  sloe_store_put_int(&q, id->batch);
  sloe_store_put_int(&q, id->threads);
  sloe_status status = sloe_store_query_run(&q, err);
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_claim_identity(sloe_store *store, const sloe_store_identity *id,
                                      sloe_error *err) {
  sloe_store_query q;
  sloe_status status;
  int found = open_identity(&q, store, &status, err);
  if (found) {
    sloe_store_identity here = identity_of(&q);
    status = compare(store, &here, id, err);
  }
  sloe_store_query_close(&q);
  return status == SLOE_OK && !found ? write_identity(store, id, err) : status;
}

static sloe_status find_campaign(sloe_store *store, const sloe_store_campaign *c, int64_t *id,
                                 sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "SELECT id FROM campaign WHERE backend = ? AND plan = ?", err));
  sloe_store_put_text(&q, c->backend);
  sloe_store_put_text(&q, c->plan);
  sloe_status status = sloe_store_get_int(&q, 0, id, err);
  sloe_store_query_close(&q);
  return status;
}

static sloe_status add_campaign(sloe_store *store, const sloe_store_campaign *c, int64_t *id,
                                sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "INSERT INTO campaign (backend, plan, options, tool, created_ms)"
                                 " VALUES (?, ?, ?, ?, ?)",
                                 err));
  sloe_store_put_text(&q, c->backend);
  sloe_store_put_text(&q, c->plan);
  sloe_store_put_text(&q, c->options);
  sloe_store_put_text(&q, sloe_version());
  sloe_store_put_int(&q, sloe_store_now_ms());
  sloe_status status = sloe_store_query_run(&q, err);
  sloe_store_query_close(&q);
  *id = sqlite3_last_insert_rowid(store->db);
  return status;
}

static sloe_status add_visit(sloe_store *store, int64_t campaign, int64_t *id, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "INSERT INTO visit (campaign, uid, tool, begun_ms)"
                                 " VALUES (?, lower(hex(randomblob(16))), ?, ?)",
                                 err));
  sloe_store_put_int(&q, campaign);
  sloe_store_put_text(&q, sloe_version());
  sloe_store_put_int(&q, sloe_store_now_ms());
  sloe_status status = sloe_store_query_run(&q, err);
  sloe_store_query_close(&q);
  *id = sqlite3_last_insert_rowid(store->db);
  return status;
}

static sloe_status add_environment(sloe_store *store, int64_t visit, const sloe_store_pair *pairs,
                                   size_t n, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "INSERT INTO environment (visit, name, value) VALUES (?, ?, ?)"
                                 " ON CONFLICT DO UPDATE SET value = excluded.value",
                                 err));
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < n && status == SLOE_OK; i++) {
    status = sloe_store_check_text(store, "the environment's", pairs[i].value, err);
    sloe_store_put_int(&q, visit);
    sloe_store_put_text(&q, pairs[i].key);
    sloe_store_put_text(&q, pairs[i].value);
    if (status == SLOE_OK) status = sloe_store_query_run(&q, err);
  }
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_begin(sloe_store *store, const sloe_store_campaign *campaign,
                             const sloe_store_identity *identity,
                             const sloe_store_pair *environment, size_t n_environment,
                             sloe_store_visit *out, sloe_error *err) {
  sloe_store_visit visit = {0};
  *out = visit;
  SLOE_TRY(check_arguments(store, campaign, identity, err));
  SLOE_TRY(sloe_store_begin_write(store, err));
  sloe_status status;
  SLOE_GOTO(sloe_store_claim_identity(store, identity, err));
  SLOE_GOTO(find_campaign(store, campaign, &visit.campaign, err));
  visit.resumed = visit.campaign != 0;
  if (!visit.resumed) SLOE_GOTO(add_campaign(store, campaign, &visit.campaign, err));
  SLOE_GOTO(add_visit(store, visit.campaign, &visit.visit, err));
  SLOE_GOTO(add_environment(store, visit.visit, environment, n_environment, err));
fail:
  status = sloe_store_end_write(store, status, err);
  if (status == SLOE_OK) *out = visit;
  return status;
}

sloe_status sloe_store_each_campaign(sloe_store *store, sloe_store_campaign_fn fn, void *context,
                                     sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(
      &q, store, "SELECT id, backend, plan, options, tool, created_ms FROM campaign ORDER BY id",
      err));
  sloe_status status;
  for (;;) {
    int row;
    SLOE_GOTO(sloe_store_query_next(&q, &row, err));
    if (!row) break;
    const sloe_store_campaign campaign = {
        .id = sloe_store_int(&q, 0),
        .backend = sloe_store_text(&q, 1),
        .plan = sloe_store_text(&q, 2),
        .options = sloe_store_text(&q, 3),
        .tool = sloe_store_text(&q, 4),
        .created_ms = sloe_store_int(&q, 5),
    };
    SLOE_GOTO(fn(context, &campaign, err));
  }
fail:
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_each_environment(sloe_store *store, int64_t visit, sloe_store_pair_fn fn,
                                        void *context, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(
      &q, store, "SELECT name, value FROM environment WHERE visit = ? ORDER BY name", err));
  sloe_store_put_int(&q, visit);
  sloe_status status;
  for (;;) {
    int row;
    SLOE_GOTO(sloe_store_query_next(&q, &row, err));
    if (!row) break;
    const sloe_store_pair pair = {sloe_store_text(&q, 0), sloe_store_text(&q, 1)};
    SLOE_GOTO(fn(context, &pair, err));
  }
fail:
  sloe_store_query_close(&q);
  return status;
}
