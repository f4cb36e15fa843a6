#include <string.h>

#include "store/store_db.h"

static sloe_status count(sloe_store *store, const char *sql, int64_t campaign, int64_t *out,
                         sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store, sql, err));
  sloe_store_put_int(&q, campaign);
  sloe_status status = sloe_store_get_int(&q, 0, out, err);
  sloe_store_query_close(&q);
  return status;
}

static sloe_status count_state(sloe_store *store, int64_t campaign, int state, int64_t *out,
                               sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(
      &q, store, "SELECT count(*) FROM point WHERE ?1 IN (0, campaign) AND state = ?2", err));
  sloe_store_put_int(&q, campaign);
  sloe_store_put_text(&q, sloe_store_state_name((sloe_store_state)state));
  sloe_status status = sloe_store_get_int(&q, 0, out, err);
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_get_info(sloe_store *store, int64_t campaign, sloe_store_info *out,
                                sloe_error *err) {
  sloe_store_info info = {0};
  const struct {
    const char *sql;
    int64_t *to;
  } counts[] = {
      {"SELECT count(*) FROM campaign WHERE ?1 IN (0, id)", &info.campaigns},
      {"SELECT count(*) FROM visit WHERE ?1 IN (0, campaign)", &info.visits},
      {"SELECT count(*) FROM point WHERE ?1 IN (0, campaign)", &info.points},
      {"SELECT count(*) FROM sample JOIN point ON point.id = point WHERE ?1 IN (0, campaign)",
       &info.samples},
      {"SELECT total(n_runs) FROM sample JOIN point ON point.id = point"
       " WHERE ?1 IN (0, campaign)",
       &info.runs},
      {"SELECT count(*) FROM choice JOIN point ON point.id = point WHERE ?1 IN (0, campaign)",
       &info.choices},
  };
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    SLOE_TRY(count(store, counts[i].sql, campaign, counts[i].to, err));
  for (int i = 0; i < SLOE_STORE_STATE_COUNT; i++)
    SLOE_TRY(count_state(store, campaign, i, &info.in_state[i], err));
  *out = info;
  return SLOE_OK;
}

/* `sql` gives no row, or one that says ok. */
static sloe_status check_with(sloe_store *store, const char *sql, const char *ok, sloe_error *err) {
  sloe_store_query q;
  int row;
  SLOE_TRY(sloe_store_query_open(&q, store, sql, err));
  sloe_status status = sloe_store_query_next(&q, &row, err);
  if (status == SLOE_OK && row && strcmp(sloe_store_text(&q, 0), ok) != 0)
    status = sloe_fail(err, SLOE_FORMAT, "%s: damaged: %s", store->path, sloe_store_text(&q, 0));
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_check(sloe_store *store, sloe_error *err) {
  SLOE_TRY(check_with(store, "PRAGMA integrity_check(1)", "ok", err));
  return check_with(store,
                    "SELECT 'row ' || rowid || ' of ' || \"table\" || ' refers to no ' || parent"
                    " FROM pragma_foreign_key_check LIMIT 1",
                    "", err);
}
