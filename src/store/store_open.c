/* Opening a store. What SQLite is told, and why, stands in docs/store.md.
 *
 * A file is judged before anything is written to it: that it is a database, that it is ours, that
 * it is not from a newer sloe. Only a file that is not there or empty becomes a new store.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/store_db.h"

enum { BUSY_MS = 30000, RETRY_MS = 10, LONGEST_VALUE = 1 << 26 };

char *sloe_store_uri(const char *path, const char *query) {
  static const char hex[] = "0123456789ABCDEF";
  char *uri = sloe_alloc(strlen(path) + strlen(query) + 8, 3), *p;
  if (!uri) return NULL;
  p = uri;
  for (const char *scheme = "file:"; *scheme; scheme++) *p++ = *scheme;
  if (path[0] != '/') *p++ = '.', *p++ = '/';
  for (; *path; path++) {
    unsigned char c = (unsigned char)*path;
    if (c > ' ' && c < 0x7f && c != '%' && c != '?' && c != '#') {
      *p++ = (char)c;
      continue;
    }
    *p++ = '%', *p++ = hex[c >> 4], *p++ = hex[c & 15];
  }
  memcpy(p, query, strlen(query) + 1);
  return uri;
}

static sloe_status pragma_int(sloe_store *store, const char *sql, int64_t *out, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store, sql, err));
  sloe_status status = sloe_store_get_int(&q, 0, out, err);
  sloe_store_query_close(&q);
  return status;
}

/* Strict about what the file says: it may come from anywhere. */
static sloe_status configure(sloe_store *store, sloe_error *err) {
  sqlite3_extended_result_codes(store->db, 1);
  sqlite3_busy_timeout(store->db, BUSY_MS);
  sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
  sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  return sloe_store_exec(store,
                         "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
                         "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
                         err);
}

static sloe_status connect(sloe_store *store, int immutable, sloe_error *err) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  flags |= store->writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  char *uri = sloe_store_uri(store->path, immutable ? "?immutable=1" : "");
  if (!uri) return sloe_store_out_of_memory(store, err);
  int rc = sqlite3_open_v2(uri, &store->db, flags, NULL);
  sloe_dealloc(uri);
  if (!store->db) return sloe_store_out_of_memory(store, err);
  if (rc != SQLITE_OK) return sloe_store_fail(store, err);
  SLOE_TRY(configure(store, err));
  store->immutable = immutable;
  int64_t pages;
  return pragma_int(store, "PRAGMA page_count", &pages, err); /* the first look into the file */
}

/* Bytes in the write-ahead log beside the file; 0 where there is none, -1 when out of memory. */
static int64_t log_bytes(const sloe_store *store) {
  struct stat st;
  size_t len = strlen(store->path);
  char *path = sloe_alloc(len + 5, 1);
  if (!path) return -1;
  memcpy(path, store->path, len);
  memcpy(path + len, "-wal", 5);
  int64_t bytes = stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
  sloe_dealloc(path);
  return bytes;
}

/* Reading a WAL file needs a file for shared memory beside it. Where none can be made, and no log
   stands there that would be missed, the file itself is all there is. */
static int wants_immutable(const sloe_store *store) {
  if (store->writable || !store->db) return 0;
  int code = sqlite3_extended_errcode(store->db) & 0xff;
  return (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) && log_bytes(store) == 0;
}

/* SQLite sees where whole pages are missing, but takes what is cut off the last one for zeros. With
   a log beside the file that page may still stand there. */
static sloe_status check_whole_pages(sloe_store *store, sloe_error *err) {
  struct stat st;
  int64_t page, in_log = log_bytes(store);
  if (in_log < 0) return sloe_store_out_of_memory(store, err);
  SLOE_TRY(pragma_int(store, "PRAGMA page_size", &page, err));
  if (in_log || stat(store->path, &st) != 0 || page < 1 || st.st_size % page == 0) return SLOE_OK;
  return sloe_fail(err, SLOE_FORMAT, "%s: the database is cut short: %lld bytes in pages of %lld",
                   store->path, (long long)st.st_size, (long long)page);
}

static sloe_status connect_somehow(sloe_store *store, sloe_error *err) {
  if (!store->writable && access(store->path, F_OK) != 0)
    return sloe_fail(err, errno == ENOENT || errno == ENOTDIR ? SLOE_NOTFOUND : SLOE_IO, "%s: %s",
                     store->path, strerror(errno));
  sloe_status status = connect(store, 0, err);
  if (status == SLOE_OK || !wants_immutable(store)) return status;
  sqlite3_close(store->db);
  store->db = NULL;
  return connect(store, 1, err);
}

/* *is_new: nothing in it yet. One statement, so that all of it is of one moment. */
static sloe_status judge(sloe_store *store, int *is_new, sloe_error *err) {
  sloe_store_query q;
  int64_t version = 0, application = 0, tables = 0, strange = 0;
  int row;
  SLOE_TRY(sloe_store_query_open(
      &q, store,
      "SELECT (SELECT user_version FROM pragma_user_version),"
      " (SELECT application_id FROM pragma_application_id),"
      " count(*), count(*) FILTER (WHERE type NOT IN ('table', 'index')) FROM sqlite_schema",
      err));
  sloe_status status = sloe_store_query_next(&q, &row, err);
  if (status == SLOE_OK && row) {
    version = sloe_store_int(&q, 0);
    application = sloe_store_int(&q, 1);
    tables = sloe_store_int(&q, 2);
    strange = sloe_store_int(&q, 3);
  }
  sloe_store_query_close(&q);
  if (status != SLOE_OK) return status;
  *is_new = !version && !application && !tables;
  if (*is_new) return SLOE_OK;
  if (application != SLOE_STORE_APPLICATION || version < 1 || strange)
    return sloe_fail(err, SLOE_FORMAT, "%s: a database, but no store of sloe", store->path);
  if (version > sloe_store_version)
    return sloe_fail(err, SLOE_UNSUPPORTED,
                     "%s: written by a newer sloe: version %lld of the store, this one knows %d",
                     store->path, (long long)version, sloe_store_version);
  if (version < sloe_store_version && !store->writable)
    return sloe_fail(err, SLOE_UNSUPPORTED,
                     "%s: version %lld of the store: open it once for writing to bring it to %d",
                     store->path, (long long)version, sloe_store_version);
  return SLOE_OK;
}

/* Two processes that make the same file at once: SQLite does not wait here by itself. */
static sloe_status switch_to_wal(sloe_store *store, sloe_error *err) {
  const struct timespec pause = {0, RETRY_MS * 1000000L};
  for (int waited = 0;; waited += RETRY_MS) {
    if (sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK)
      return SLOE_OK;
    if ((sqlite3_extended_errcode(store->db) & 0xff) != SQLITE_BUSY || waited >= BUSY_MS)
      return sloe_store_fail(store, err);
    nanosleep(&pause, NULL);
  }
}

static sloe_status prepare(sloe_store *store, sloe_error *err) {
  int is_new;
  SLOE_TRY(connect_somehow(store, err));
  SLOE_TRY(check_whole_pages(store, err));
  SLOE_TRY(judge(store, &is_new, err));
  if (!store->writable)
    return is_new ? sloe_fail(err, SLOE_FORMAT, "%s: no store of sloe: empty", store->path)
                  : SLOE_OK;
  if (sqlite3_db_readonly(store->db, "main") == 1)
    return sloe_fail(err, SLOE_IO, "%s: read-only: cannot write", store->path);
  SLOE_TRY(switch_to_wal(store, err));
  return sloe_store_migrate(store, sloe_store_migrations, sloe_store_version, err);
}

sloe_status sloe_store_open(const char *path, sloe_store_mode mode, sloe_store **out,
                            sloe_error *err) {
  *out = NULL;
  size_t size = strlen(path) + 1;
  if (size == 1) return sloe_fail(err, SLOE_USAGE, "a store needs a path");
  sloe_store *store = sloe_alloc(1, sizeof *store);
  if (!store) return sloe_fail(err, SLOE_NOMEM, "%s: out of memory", path);
  *store = (sloe_store){.writable = mode == SLOE_STORE_WRITE, .path = sloe_alloc(size, 1)};
  sloe_arena_init(&store->strings, SLOE_STORE_MAX_STRINGS);
  sloe_status status;
  if (store->path) {
    memcpy(store->path, path, size);
    status = prepare(store, err);
  } else {
    status = sloe_fail(err, SLOE_NOMEM, "%s: out of memory", path);
  }
  if (status == SLOE_OK)
    *out = store;
  else
    sloe_store_close(store);
  return status;
}

void sloe_store_close(sloe_store *store) {
  if (!store) return;
  sqlite3_close(store->db);
  sloe_arena_fini(&store->strings);
  sloe_dealloc(store->path);
  sloe_dealloc(store);
}
