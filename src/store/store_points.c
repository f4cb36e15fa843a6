/* Campaigns, visits and points: what is measured, and how far it has come. */
#include <string.h>

#include "store/store_db.h"

#define SLOE_STORE_TEXT(name, text) text,
static const char *const kind_names[] = {SLOE_STORE_KIND_MAP(SLOE_STORE_TEXT)};
static const char *const state_names[] = {SLOE_STORE_STATE_MAP(SLOE_STORE_TEXT)};
static const char *const quality_names[] = {SLOE_STORE_QUALITY_MAP(SLOE_STORE_TEXT)};
#undef SLOE_STORE_TEXT

const char *sloe_store_kind_name(sloe_store_kind kind) {
  return (unsigned)kind < SLOE_STORE_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *sloe_store_state_name(sloe_store_state state) {
  return (unsigned)state < SLOE_STORE_STATE_COUNT ? state_names[state] : "unknown";
}

const char *sloe_store_quality_name(sloe_store_quality quality) {
  return (unsigned)quality < SLOE_STORE_QUALITY_COUNT ? quality_names[quality] : "unknown";
}

static int index_of(const char *const *names, int n, const char *name) {
  for (int i = 0; i < n; i++)
    if (strcmp(names[i], name) == 0) return i;
  return -1;
}

int sloe_store_quality_of(const char *name) {
  return index_of(quality_names, SLOE_STORE_QUALITY_COUNT, name);
}

sloe_status sloe_store_check_text(sloe_store *store, const char *what, const char *s,
                                  sloe_error *err) {
  if (!s || strlen(s) <= SLOE_STORE_MAX_TEXT) return SLOE_OK;
  return sloe_fail(err, SLOE_USAGE, "%s: %s '%.40s...' is longer than %d bytes", store->path, what,
                   s, SLOE_STORE_MAX_TEXT);
}

/* ---- adding ---- */

static sloe_status check_point(sloe_store *store, const sloe_store_point *p, sloe_error *err) {
  if ((unsigned)p->kind >= SLOE_STORE_KIND_COUNT)
    return sloe_fail(err, SLOE_USAGE, "%s: there is no kind %d of points", store->path,
                     (int)p->kind);
  if (!p->key || !*p->key)
    return sloe_fail(err, SLOE_USAGE, "%s: a point needs a key", store->path);
  SLOE_TRY(sloe_store_check_text(store, "the key", p->key, err));
  SLOE_TRY(sloe_store_check_text(store, "the space", p->space, err));
  return sloe_store_check_text(store, "the split", p->split, err);
}

static sloe_status add_point(sloe_store_query *add, sloe_store_query *find, int64_t campaign,
                             const sloe_store_point *p, int64_t *id, sloe_error *err) {
  SLOE_TRY(check_point(add->store, p, err));
  const char *kind = sloe_store_kind_name(p->kind);
  sloe_store_put_int(add, campaign);
  sloe_store_put_text(add, kind);
  sloe_store_put_text(add, p->key);
  sloe_store_put_text(add, p->space);
  sloe_store_put_text(add, p->split);
  SLOE_TRY(sloe_store_query_run(add, err));
  if (!id) return SLOE_OK;
  sloe_store_put_int(find, campaign);
  sloe_store_put_text(find, kind);
  sloe_store_put_text(find, p->key);
  return sloe_store_get_int(find, 0, id, err);
}

static sloe_status add_all(sloe_store *store, int64_t campaign, const sloe_store_point *points,
                           size_t n, int64_t *ids, sloe_error *err) {
  sloe_store_query add = {0}, find = {0};
  sloe_status status;
  SLOE_GOTO(sloe_store_query_open(
      &add, store,
      "INSERT INTO point (campaign, kind, key, space, split, state, reason, quality)"
      " VALUES (?, ?, ?, ?, ?, 'open', '', '') ON CONFLICT DO NOTHING",
      err));
  SLOE_GOTO(sloe_store_query_open(
      &find, store, "SELECT id FROM point WHERE campaign = ? AND kind = ? AND key = ?", err));
  for (size_t i = 0; i < n; i++)
    SLOE_GOTO(add_point(&add, &find, campaign, &points[i], ids ? &ids[i] : NULL, err));
fail:
  sloe_store_query_close(&add);
  sloe_store_query_close(&find);
  return status;
}

static sloe_status require(sloe_store *store, const char *sql, const char *what, int64_t id,
                           sloe_error *err) {
  sloe_store_query q;
  int64_t found;
  SLOE_TRY(sloe_store_query_open(&q, store, sql, err));
  sloe_store_put_int(&q, id);
  sloe_status status = sloe_store_get_int(&q, 0, &found, err);
  sloe_store_query_close(&q);
  if (status != SLOE_OK || found) return status;
  return sloe_fail(err, SLOE_NOTFOUND, "%s: there is no %s %lld", store->path, what, (long long)id);
}

static sloe_status require_point(sloe_store *store, int64_t id, sloe_error *err) {
  return require(store, "SELECT 1 FROM point WHERE id = ?", "point", id, err);
}

sloe_status sloe_store_add_points(sloe_store *store, int64_t campaign,
                                  const sloe_store_point *points, size_t n, int64_t *ids,
                                  sloe_error *err) {
  SLOE_TRY(sloe_store_begin_write(store, err));
  sloe_status status =
      require(store, "SELECT 1 FROM campaign WHERE id = ?", "campaign", campaign, err);
  if (status == SLOE_OK) status = add_all(store, campaign, points, n, ids, err);
  return sloe_store_end_write(store, status, err);
}

static sloe_status write_columns(sloe_store *store, int64_t point, const sloe_store_pair *columns,
                                 size_t n, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(require_point(store, point, err));
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "INSERT INTO point_column (point, name, value) VALUES (?, ?, ?)"
                                 " ON CONFLICT DO UPDATE SET value = excluded.value",
                                 err));
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < n && status == SLOE_OK; i++) {
    sloe_store_put_int(&q, point);
    sloe_store_put_text(&q, columns[i].key);
    sloe_store_put_text(&q, columns[i].value);
    status = sloe_store_query_run(&q, err);
  }
  sloe_store_query_close(&q);
  return status;
}

static sloe_status check_column(sloe_store *store, const sloe_store_pair *column, sloe_error *err) {
  const char *name = column->key;
  if (!name || !*name || sloe_store_is_own_column(name))
    return sloe_fail(err, SLOE_USAGE, "%s: '%.60s' cannot be a further column of the table",
                     store->path, name ? name : "");
  SLOE_TRY(sloe_store_check_text(store, "the column", name, err));
  return sloe_store_check_text(store, "the value", column->value, err);
}

sloe_status sloe_store_set_columns(sloe_store *store, int64_t point, const sloe_store_pair *columns,
                                   size_t n, sloe_error *err) {
  for (size_t i = 0; i < n; i++) SLOE_TRY(check_column(store, &columns[i], err));
  SLOE_TRY(sloe_store_begin_write(store, err));
  return sloe_store_end_write(store, write_columns(store, point, columns, n, err), err);
}

sloe_status sloe_store_set_column(sloe_store *store, int64_t point, const char *name,
                                  const char *value, sloe_error *err) {
  const sloe_store_pair column = {name, value};
  return sloe_store_set_columns(store, point, &column, 1, err);
}

sloe_status sloe_store_each_column(sloe_store *store, int64_t campaign, const char *column_name,
                                   sloe_store_column_fn fn, void *context, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "SELECT point, value FROM point_column"
                                 " JOIN point ON point.id = point"
                                 " WHERE ?1 IN (0, campaign) AND name = ?2 ORDER BY point",
                                 err));
  sloe_store_put_int(&q, campaign);
  sloe_store_put_text(&q, column_name);
  sloe_status status;
  for (;;) {
    int row;
    SLOE_GOTO(sloe_store_query_next(&q, &row, err));
    if (!row) break;
    SLOE_GOTO(fn(context, sloe_store_int(&q, 0), sloe_store_text(&q, 1), err));
  }
fail:
  sloe_store_query_close(&q);
  return status;
}

/* ---- how it ended ---- */

sloe_status sloe_store_check_outcome(sloe_store *store, const sloe_store_outcome *o,
                                     sloe_error *err) {
  const char *path = store->path;
  int measured = o->quality == SLOE_STORE_QUALITY_OK || o->quality == SLOE_STORE_QUALITY_NOISY ||
                 o->quality == SLOE_STORE_QUALITY_THROTTLED;
  if (o->state == SLOE_STORE_DONE && !measured)
    return sloe_fail(err, SLOE_USAGE, "%s: a point that is done needs a quality", path);
  if (o->state == SLOE_STORE_SKIPPED || o->state == SLOE_STORE_FAILED) {
    if (!o->reason || !*o->reason)
      return sloe_fail(err, SLOE_USAGE, "%s: a point that is %s needs a reason", path,
                       sloe_store_state_name(o->state));
  } else if (o->state != SLOE_STORE_DONE) {
    return sloe_fail(err, SLOE_USAGE, "%s: no point ends as '%s'", path,
                     sloe_store_state_name(o->state));
  }
  return sloe_store_check_text(store, "the reason", o->reason, err);
}

static sloe_status set_state(sloe_store *store, int64_t point, const sloe_store_outcome *o,
                             sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(
      &q, store, "UPDATE point SET state = ?, quality = ?, reason = ? WHERE id = ?", err));
  sloe_store_put_text(&q, sloe_store_state_name(o->state));
  sloe_store_put_text(&q, sloe_store_quality_name(o->quality));
  sloe_store_put_text(&q, o->reason);
  sloe_store_put_int(&q, point);
  sloe_status status = sloe_store_query_run(&q, err);
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_write_outcome(sloe_store *store, int64_t point, const sloe_store_outcome *o,
                                     sloe_error *err) {
  sloe_store_outcome as_stored = *o;
  if (o->state != SLOE_STORE_DONE) as_stored.quality = SLOE_STORE_QUALITY_SKIPPED;
  SLOE_TRY(require_point(store, point, err));
  return set_state(store, point, &as_stored, err);
}

sloe_status sloe_store_finish_point(sloe_store *store, int64_t point,
                                    const sloe_store_outcome *outcome, sloe_error *err) {
  SLOE_TRY(sloe_store_check_outcome(store, outcome, err));
  SLOE_TRY(sloe_store_begin_write(store, err));
  return sloe_store_end_write(store, sloe_store_write_outcome(store, point, outcome, err), err);
}

sloe_status sloe_store_reopen_point(sloe_store *store, int64_t point, sloe_error *err) {
  const sloe_store_outcome open = {SLOE_STORE_OPEN, SLOE_STORE_QUALITY_UNKNOWN, ""};
  SLOE_TRY(sloe_store_begin_write(store, err));
  sloe_status status = require_point(store, point, err);
  if (status == SLOE_OK) status = set_state(store, point, &open, err);
  return sloe_store_end_write(store, status, err);
}

/* ---- looking ---- */

sloe_status sloe_store_read_point(const sloe_store_query *q, sloe_store_point *out,
                                  sloe_error *err) {
  int kind = index_of(kind_names, SLOE_STORE_KIND_COUNT, sloe_store_text(q, 1));
  int state = index_of(state_names, SLOE_STORE_STATE_COUNT, sloe_store_text(q, 5));
  int quality = sloe_store_quality_of(sloe_store_text(q, 7));
  *out = (sloe_store_point){.id = sloe_store_int(q, 0)};
  if (kind < 0 || state < 0 || quality < 0)
    return sloe_fail(err, SLOE_FORMAT, "%s: point %lld has an unknown kind, state or quality",
                     q->store->path, (long long)out->id);
  out->kind = (sloe_store_kind)kind;
  out->key = sloe_store_text(q, 2);
  out->space = sloe_store_text(q, 3);
  out->split = sloe_store_text(q, 4);
  out->state = (sloe_store_state)state;
  out->reason = sloe_store_text(q, 6);
  out->quality = (sloe_store_quality)quality;
  return SLOE_OK;
}

void sloe_store_forget_strings(sloe_store *store) {
  sloe_arena_fini(&store->strings);
  sloe_arena_init(&store->strings, SLOE_STORE_MAX_STRINGS);
}

int sloe_store_keep(sloe_store *store, const char **s) {
  *s = sloe_arena_strn(&store->strings, *s, strlen(*s));
  return *s != NULL;
}

static sloe_status read_and_keep(const sloe_store_query *q, sloe_store_point *out,
                                 sloe_error *err) {
  sloe_store *store = q->store;
  SLOE_TRY(sloe_store_read_point(q, out, err));
  if (sloe_store_keep(store, &out->key) && sloe_store_keep(store, &out->space) &&
      sloe_store_keep(store, &out->split) && sloe_store_keep(store, &out->reason))
    return SLOE_OK;
  return sloe_store_out_of_memory(store, err);
}

sloe_status sloe_store_next_open_point(sloe_store *store, int64_t campaign, sloe_store_point *out,
                                       int *found, sloe_error *err) {
  sloe_store_query q;
  *found = 0;
  sloe_store_forget_strings(store);
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "SELECT " SLOE_STORE_POINT_COLUMNS
                                 " FROM point WHERE campaign = ? AND state = 'open'"
                                 " ORDER BY id LIMIT 1",
                                 err));
  sloe_store_put_int(&q, campaign);
  int row;
  sloe_status status = sloe_store_query_next(&q, &row, err);
  if (status == SLOE_OK && row) status = read_and_keep(&q, out, err);
  sloe_store_query_close(&q);
  *found = status == SLOE_OK && row;
  return status;
}

sloe_status sloe_store_each_point(sloe_store *store, int64_t campaign, sloe_store_point_fn fn,
                                  void *context, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(
      &q, store,
      "SELECT " SLOE_STORE_POINT_COLUMNS " FROM point WHERE ?1 IN (0, campaign) ORDER BY id", err));
  sloe_store_put_int(&q, campaign);
  sloe_status status;
  for (;;) {
    int row;
    sloe_store_point point;
    SLOE_GOTO(sloe_store_query_next(&q, &row, err));
    if (!row) break;
    SLOE_GOTO(sloe_store_read_point(&q, &point, err));
    SLOE_GOTO(fn(context, &point, err));
  }
fail:
  sloe_store_query_close(&q);
  return status;
}
