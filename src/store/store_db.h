/* store_db.h: SQLite as the files of this folder use it. Private to store/.
 *
 * A query is a statement with its parameters put one after the other; the first failure of putting
 * sticks and comes out where the statement is stepped, so that a query reads as its SQL and the
 * list of its values.
 */
#ifndef SLOE_STORE_DB_H
#define SLOE_STORE_DB_H

#include <sqlite3.h>

#include "base/arena.h"
#include "store/store.h"

enum { SLOE_STORE_MAX_TEXT = 1 << 20, SLOE_STORE_MAX_STRINGS = 1 << 26 };

struct sloe_store {
  sqlite3 *db;
  char *path;
  int writable;
  int immutable;      /* read as a file that nobody writes */
  sloe_arena strings; /* of the last call that gave strings */
};

typedef struct sloe_store_query {
  sloe_store *store;
  sqlite3_stmt *stmt;
  int at, rc; /* parameters put; the first failure */
} sloe_store_query;

/* The path as a URI with `query` behind, so that no name has a meaning of its own (":memory:").
   Freed with sloe_dealloc; NULL when out of memory. */
char *sloe_store_uri(const char *path, const char *query);

/* The sentence for what SQLite says of its last call. */
sloe_status sloe_store_fail(sloe_store *store, sloe_error *err);
sloe_status sloe_store_out_of_memory(sloe_store *store, sloe_error *err);
sloe_status sloe_store_exec(sloe_store *store, const char *sql, sloe_error *err);

sloe_status sloe_store_query_open(sloe_store_query *q, sloe_store *store, const char *sql,
                                  sloe_error *err);
void sloe_store_query_close(sloe_store_query *q); /* also one that is zero */

void sloe_store_put_text(sloe_store_query *q, const char *s); /* must live until the step */
void sloe_store_put_int(sloe_store_query *q, int64_t value);
void sloe_store_put_real(sloe_store_query *q, double value); /* NAN: NULL */
void sloe_store_put_blob(sloe_store_query *q, const void *data, size_t len);

/* *row is 0 at the end; the statement may then be used again with new values. */
sloe_status sloe_store_query_next(sloe_store_query *q, int *row, sloe_error *err);
/* To the end. */
sloe_status sloe_store_query_run(sloe_store_query *q, sloe_error *err);

const char *sloe_store_text(const sloe_store_query *q, int i_column); /* "" for NULL */
int64_t sloe_store_int(const sloe_store_query *q, int i_column);
double sloe_store_real(const sloe_store_query *q, int i_column); /* NAN for NULL */

/* A query that gives one integer; `missing` where it gives no row. */
sloe_status sloe_store_get_int(sloe_store_query *q, int64_t missing, int64_t *out, sloe_error *err);

/* Writing: begin waits for other writers; end commits if `status` is SLOE_OK and else takes all of
   it back and returns `status`. */
sloe_status sloe_store_begin_write(sloe_store *store, sloe_error *err);
sloe_status sloe_store_end_write(sloe_store *store, sloe_status status, sloe_error *err);

int64_t sloe_store_now_ms(void);

/* ---- schema.c ---- */

extern const char *const sloe_store_migrations[]; /* [i] leads from version i to i + 1 */
extern const int sloe_store_version;
enum { SLOE_STORE_APPLICATION = 0x736c6f65 /* "sloe" */ };

/* Lead the file to version `n`, each step whole or not at all. */
sloe_status sloe_store_migrate(sloe_store *store, const char *const *migrations, int n,
                               sloe_error *err);

/* ---- run_blob.c ---- */

/* Runs as bytes; *out is freed with sloe_dealloc. */
sloe_status sloe_store_pack_runs(const uint64_t *runs, size_t n, unsigned char **out, size_t *len,
                                 sloe_error *err);
/* The reverse; *out (sloe_dealloc) is NULL where n is 0. Errors: FORMAT, NOMEM. */
sloe_status sloe_store_unpack_runs(const unsigned char *data, size_t len, size_t n, uint64_t **out,
                                   sloe_error *err);
/* The five statistics of `sample`, from its runs. */
sloe_status sloe_store_summarise(sloe_store_sample *sample, sloe_error *err);

/* ---- points and samples ---- */

/* The columns that sloe_store_read_point takes, from column 0 on. */
#define SLOE_STORE_POINT_COLUMNS                                                           \
  "point.id, point.kind, point.key, point.space, point.split, point.state, point.reason, " \
  "point.quality"
sloe_status sloe_store_read_point(const sloe_store_query *q, sloe_store_point *out,
                                  sloe_error *err);

/* Give the file this identity, or compare it with the one it has: USAGE. Within a write. */
sloe_status sloe_store_claim_identity(sloe_store *store, const sloe_store_identity *identity,
                                      sloe_error *err);

sloe_status sloe_store_check_outcome(sloe_store *store, const sloe_store_outcome *outcome,
                                     sloe_error *err);
sloe_status sloe_store_write_outcome(sloe_store *store, int64_t point,
                                     const sloe_store_outcome *outcome, sloe_error *err);
sloe_status sloe_store_check_text(sloe_store *store, const char *what, const char *s,
                                  sloe_error *err);

/* The index of a name in its map in store.h, -1 for none. */
int sloe_store_quality_of(const char *name);

/* Empties store->strings, for a call that gives strings. */
void sloe_store_forget_strings(sloe_store *store);
/* Copies *s there; 0 when out of memory. */
int sloe_store_keep(sloe_store *store, const char **s);

/* Is it a column that every measurement table has? (store_export.c) */
int sloe_store_is_fixed_column(const char *name);
/* The same, or one of the environment: what no further column may be called. */
int sloe_store_is_own_column(const char *name);

#endif
