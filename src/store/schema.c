/* The tables, as steps from one version of the file to the next; docs/store.md explains them. A
 * step that was ever released is history and never edited: what changes is a new step at the end.
 * That is why the lists of names in store.h stand here once more, as text.
 *
 * STRICT tables hold the types that they say, whatever wrote them. A number that is not known is
 * NULL. Rows are found again in another file by what they are and not by their ids: a campaign by
 * backend and plan, a visit by 128 random bits, a point by kind and key, a sample by its number.
 */
#include "store/store_db.h"

static const char first[] =
    "CREATE TABLE identity ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  device TEXT NOT NULL, runtime TEXT NOT NULL, version TEXT NOT NULL,"
    "  precision TEXT NOT NULL, mode TEXT NOT NULL, batch INTEGER NOT NULL,"
    "  threads INTEGER NOT NULL) STRICT;"
    "CREATE TABLE campaign ("
    "  id INTEGER PRIMARY KEY, backend TEXT NOT NULL, plan TEXT NOT NULL,"
    "  options TEXT NOT NULL, tool TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    "  UNIQUE (backend, plan)) STRICT;"
    "CREATE TABLE visit ("
    "  id INTEGER PRIMARY KEY, campaign INTEGER NOT NULL REFERENCES campaign (id),"
    "  uid TEXT NOT NULL UNIQUE, tool TEXT NOT NULL, begun_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE environment ("
    "  visit INTEGER NOT NULL REFERENCES visit (id), name TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (visit, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE point ("
    "  id INTEGER PRIMARY KEY, campaign INTEGER NOT NULL REFERENCES campaign (id),"
    "  kind TEXT NOT NULL CHECK (kind IN ('layer', 'network', 'reference')),"
    "  key TEXT NOT NULL CHECK (key <> ''), space TEXT NOT NULL, split TEXT NOT NULL,"
    "  state TEXT NOT NULL CHECK (state IN ('open', 'failed', 'skipped', 'done')),"
    "  reason TEXT NOT NULL,"
    "  quality TEXT NOT NULL CHECK (quality IN ('', 'ok', 'noisy', 'throttled', 'skipped')),"
    "  UNIQUE (campaign, kind, key)) STRICT;"
    "CREATE INDEX point_by_state ON point (campaign, state);"
    "CREATE TABLE point_column ("
    "  point INTEGER NOT NULL REFERENCES point (id), name TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (point, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE sample ("
    "  id INTEGER PRIMARY KEY, point INTEGER NOT NULL REFERENCES point (id),"
    "  visit INTEGER NOT NULL REFERENCES visit (id), seq INTEGER NOT NULL,"
    "  taken_ms INTEGER NOT NULL, n_runs INTEGER NOT NULL, runs BLOB NOT NULL,"
    "  min_ns REAL, median_ns REAL, p75_ns REAL, p97_5_ns REAL, mean_ns REAL,"
    "  host_ns REAL, sum_of_layers_ns REAL, ref_before_ns REAL, ref_after_ns REAL,"
    "  power_w REAL, energy_mj REAL, memory_mb REAL,"
    "  power_rail TEXT NOT NULL, memory_kind TEXT NOT NULL, clock TEXT NOT NULL,"
    "  quality TEXT NOT NULL CHECK (quality IN ('', 'ok', 'noisy', 'throttled', 'skipped')),"
    "  CHECK (power_rail <> '' OR (power_w IS NULL AND energy_mj IS NULL)),"
    "  CHECK (memory_kind <> '' OR memory_mb IS NULL),"
    "  UNIQUE (point, visit, seq)) STRICT;"
    "CREATE TABLE metric ("
    "  sample INTEGER NOT NULL REFERENCES sample (id), name TEXT NOT NULL, value REAL,"
    "  PRIMARY KEY (sample, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE choice ("
    "  point INTEGER NOT NULL REFERENCES point (id), visit INTEGER NOT NULL REFERENCES visit (id),"
    "  name TEXT NOT NULL, value TEXT NOT NULL,"
    "  PRIMARY KEY (point, name, visit)) STRICT, WITHOUT ROWID;"
    "PRAGMA application_id = 1936486245;"; /* SLOE_STORE_APPLICATION */

const char *const sloe_store_migrations[] = {first};
const int sloe_store_version = sizeof sloe_store_migrations / sizeof *sloe_store_migrations;

static sloe_status read_version(sloe_store *store, int64_t *version, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(sloe_store_query_open(&q, store, "PRAGMA user_version", err));
  sloe_status status = sloe_store_get_int(&q, 0, version, err);
  sloe_store_query_close(&q);
  return status;
}

static sloe_status write_version(sloe_store *store, int64_t version, sloe_error *err) {
  char sql[64];
  sqlite3_snprintf(sizeof sql, sql, "PRAGMA user_version = %lld", (long long)version);
  return sloe_store_exec(store, sql, err);
}

/* One step; another process may have taken it while we waited for our turn. */
static sloe_status step(sloe_store *store, const char *const *migrations, int64_t *version, int n,
                        sloe_error *err) {
  SLOE_TRY(sloe_store_begin_write(store, err));
  sloe_status status = read_version(store, version, err);
  if (status == SLOE_OK && *version < n) {
    status = sloe_store_exec(store, migrations[*version], err);
    if (status == SLOE_OK) status = write_version(store, ++*version, err);
  }
  return sloe_store_end_write(store, status, err);
}

sloe_status sloe_store_migrate(sloe_store *store, const char *const *migrations, int n,
                               sloe_error *err) {
  int64_t version;
  SLOE_TRY(read_version(store, &version, err));
  while (version < n) SLOE_TRY(step(store, migrations, &version, n, err));
  return SLOE_OK;
}
