#include "store/store_db.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

int64_t sloe_store_now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

sloe_status sloe_store_out_of_memory(sloe_store *store, sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "%s: out of memory", store->path);
}

static sloe_status io_failure(sloe_store *store, sloe_error *err) {
  int error = sqlite3_system_errno(store->db);
  const char *words = error ? strerror(error) : sqlite3_errmsg(store->db);
  if (sqlite3_extended_errcode(store->db) == SQLITE_IOERR_WRITE)
    return sloe_fail(err, SLOE_IO, "%s: cannot write: %s; what was stored before is kept",
                     store->path, words);
  return sloe_fail(err, SLOE_IO, "%s: %s", store->path, words);
}

sloe_status sloe_store_fail(sloe_store *store, sloe_error *err) {
  const char *path = store->path, *words = sqlite3_errmsg(store->db);
  switch (sqlite3_extended_errcode(store->db) & 0xff) {
    case SQLITE_NOMEM: return sloe_store_out_of_memory(store, err);
    case SQLITE_FULL:
      return sloe_fail(err, SLOE_IO, "%s: the disk is full; what was stored before is kept", path);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return io_failure(store, err);
    case SQLITE_READONLY: return sloe_fail(err, SLOE_IO, "%s: read-only: cannot write", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return sloe_fail(err, SLOE_IO, "%s: another process holds the file for too long", path);
    case SQLITE_NOTADB:
      return sloe_fail(err, SLOE_FORMAT, "%s: no store of sloe: not a database", path);
    case SQLITE_CORRUPT:
      return sloe_fail(err, SLOE_FORMAT, "%s: the database is damaged or cut short: %s", path,
                       words);
    case SQLITE_TOOBIG: return sloe_fail(err, SLOE_USAGE, "%s: a value is too long", path);
    case SQLITE_CONSTRAINT:
      return sloe_fail(err, SLOE_USAGE, "%s: against the rules of the store: %s", path, words);
    case SQLITE_ERROR: /* a table or column that is not there */
      return sloe_fail(err, SLOE_FORMAT, "%s: not the tables of a store: %s", path, words);
    default: return sloe_fail(err, SLOE_INTERNAL, "%s: %s", path, words);
  }
}

sloe_status sloe_store_exec(sloe_store *store, const char *sql, sloe_error *err) {
  if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK) return SLOE_OK;
  return sloe_store_fail(store, err);
}

sloe_status sloe_store_query_open(sloe_store_query *q, sloe_store *store, const char *sql,
                                  sloe_error *err) {
  *q = (sloe_store_query){.store = store};
  if (sqlite3_prepare_v2(store->db, sql, -1, &q->stmt, NULL) == SQLITE_OK) return SLOE_OK;
  return sloe_store_fail(store, err);
}

void sloe_store_query_close(sloe_store_query *q) {
  sqlite3_finalize(q->stmt);
  q->stmt = NULL;
}

static void put(sloe_store_query *q, int rc) {
  if (q->rc == SQLITE_OK) q->rc = rc;
}

void sloe_store_put_text(sloe_store_query *q, const char *s) {
  put(q, sqlite3_bind_text(q->stmt, ++q->at, s ? s : "", -1, SQLITE_STATIC));
}

void sloe_store_put_int(sloe_store_query *q, int64_t value) {
  put(q, sqlite3_bind_int64(q->stmt, ++q->at, value));
}

void sloe_store_put_real(sloe_store_query *q, double value) {
  put(q, isnan(value) ? sqlite3_bind_null(q->stmt, ++q->at)
                      : sqlite3_bind_double(q->stmt, ++q->at, value));
}

void sloe_store_put_blob(sloe_store_query *q, const void *data, size_t len) {
  if (!len) /* NULL data would bind NULL */
    put(q, sqlite3_bind_zeroblob(q->stmt, ++q->at, 0));
  else
    put(q, sqlite3_bind_blob64(q->stmt, ++q->at, data, len, SQLITE_STATIC));
}

sloe_status sloe_store_query_next(sloe_store_query *q, int *row, sloe_error *err) {
  *row = 0;
  if (q->rc != SQLITE_OK) return sloe_store_fail(q->store, err);
  int rc = sqlite3_step(q->stmt);
  if (rc == SQLITE_ROW) {
    *row = 1;
    return SLOE_OK;
  }
  sloe_status status = rc == SQLITE_DONE ? SLOE_OK : sloe_store_fail(q->store, err);
  sqlite3_reset(q->stmt);
  q->at = 0;
  return status;
}

sloe_status sloe_store_query_run(sloe_store_query *q, sloe_error *err) {
  int row = 1;
  while (row) SLOE_TRY(sloe_store_query_next(q, &row, err));
  return SLOE_OK;
}

const char *sloe_store_text(const sloe_store_query *q, int i) {
  const char *s = (const char *)sqlite3_column_text(q->stmt, i);
  return s ? s : "";
}

int64_t sloe_store_int(const sloe_store_query *q, int i) {
  return sqlite3_column_int64(q->stmt, i);
}

double sloe_store_real(const sloe_store_query *q, int i) {
  return sqlite3_column_type(q->stmt, i) == SQLITE_NULL ? NAN : sqlite3_column_double(q->stmt, i);
}

sloe_status sloe_store_get_int(sloe_store_query *q, int64_t missing, int64_t *out,
                               sloe_error *err) {
  int row;
  *out = missing;
  SLOE_TRY(sloe_store_query_next(q, &row, err));
  if (!row) return SLOE_OK;
  *out = sloe_store_int(q, 0);
  return sloe_store_query_run(q, err);
}

sloe_status sloe_store_begin_write(sloe_store *store, sloe_error *err) {
  if (!store->writable)
    return sloe_fail(err, SLOE_USAGE, "%s: opened for reading only", store->path);
  return sloe_store_exec(store, "BEGIN IMMEDIATE", err);
}

sloe_status sloe_store_end_write(sloe_store *store, sloe_status status, sloe_error *err) {
  if (status == SLOE_OK) status = sloe_store_exec(store, "COMMIT", err);
  /* Some failures have rolled back by themselves. */
  if (!sqlite3_get_autocommit(store->db)) sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
  return status;
}
