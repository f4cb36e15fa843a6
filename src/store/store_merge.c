/* Merging is SQL from one file into the other, in one transaction. What their ids are here stands
 * in temporary tables, (theirs, ours); rows that are known already change nothing, so merging twice
 * adds nothing. Nothing is taken on trust from the other file: the tables are STRICT, their checks
 * and references hold for what is inserted too.
 */
#include <string.h>

#include "base/alloc.h"
#include "store/store_db.h"

static const char *const steps[] = {
    "INSERT INTO main.campaign (backend, plan, options, tool, created_ms)"
    " SELECT backend, plan, options, tool, created_ms FROM other.campaign WHERE true ORDER BY id"
    " ON CONFLICT DO NOTHING",
    "CREATE TEMP TABLE campaign_map AS SELECT o.id AS theirs, m.id AS ours"
    " FROM other.campaign o JOIN main.campaign m USING (backend, plan)",

    "INSERT INTO main.visit (campaign, uid, tool, begun_ms)"
    " SELECT c.ours, uid, tool, begun_ms FROM other.visit"
    " JOIN campaign_map c ON c.theirs = campaign WHERE true ORDER BY id ON CONFLICT DO NOTHING",
    "CREATE TEMP TABLE visit_map AS SELECT o.id AS theirs, m.id AS ours"
    " FROM other.visit o JOIN main.visit m USING (uid)",
    "INSERT INTO main.environment (visit, name, value)"
    " SELECT v.ours, name, value FROM other.environment JOIN visit_map v ON v.theirs = visit"
    " WHERE true ON CONFLICT DO NOTHING",

    "INSERT INTO main.point (campaign, kind, key, space, split, state, reason, quality)"
    " SELECT c.ours, kind, key, space, split, state, reason, quality FROM other.point"
    " JOIN campaign_map c ON c.theirs = campaign WHERE true ORDER BY id ON CONFLICT DO NOTHING",
    "CREATE TEMP TABLE point_map AS SELECT o.id AS theirs, m.id AS ours FROM other.point o"
    " JOIN campaign_map c ON c.theirs = o.campaign"
    " JOIN main.point m ON m.campaign = c.ours AND m.kind = o.kind AND m.key = o.key",
    "CREATE UNIQUE INDEX temp.point_map_theirs ON point_map (theirs)",
    /* instr gives each state its rank in sloe_store_state. */
    "UPDATE main.point SET state = o.state, reason = o.reason, quality = o.quality"
    " FROM other.point o JOIN point_map p ON p.theirs = o.id WHERE main.point.id = p.ours"
    " AND instr('open failed skipped done', o.state)"
    "   > instr('open failed skipped done', main.point.state)",
    "INSERT INTO main.point_column (point, name, value)"
    " SELECT p.ours, name, value FROM other.point_column JOIN point_map p ON p.theirs = point"
    " WHERE true ON CONFLICT DO NOTHING",

    "INSERT INTO main.sample (point, visit, seq, taken_ms, n_runs, runs, min_ns, median_ns, p75_ns,"
    " p97_5_ns, mean_ns, host_ns, sum_of_layers_ns, ref_before_ns, ref_after_ns, power_w,"
    " energy_mj, memory_mb, power_rail, memory_kind, clock, quality)"
    " SELECT p.ours, v.ours, seq, taken_ms, n_runs, runs, min_ns, median_ns, p75_ns, p97_5_ns,"
    " mean_ns, host_ns, sum_of_layers_ns, ref_before_ns, ref_after_ns, power_w, energy_mj,"
    " memory_mb, power_rail, memory_kind, clock, quality FROM other.sample s"
    " JOIN point_map p ON p.theirs = point JOIN visit_map v ON v.theirs = visit"
    " WHERE true ORDER BY s.id ON CONFLICT DO NOTHING",
    "INSERT INTO main.metric (sample, name, value)"
    " SELECT m.id, t.name, t.value FROM other.metric t JOIN other.sample s ON s.id = t.sample"
    " JOIN point_map p ON p.theirs = s.point JOIN visit_map v ON v.theirs = s.visit"
    " JOIN main.sample m ON m.point = p.ours AND m.visit = v.ours AND m.seq = s.seq"
    " WHERE true ON CONFLICT DO NOTHING",
    "INSERT INTO main.choice (point, visit, name, value)"
    " SELECT p.ours, v.ours, name, value FROM other.choice JOIN point_map p ON p.theirs = point"
    " JOIN visit_map v ON v.theirs = visit WHERE true ON CONFLICT DO NOTHING",
};

static const char unequal[] =
    "SELECT o.key || ' (visit ' || substr(w.uid, 1, 8) || ', sample ' || s.seq || ')'"
    " FROM other.sample s JOIN point_map p ON p.theirs = s.point"
    " JOIN visit_map v ON v.theirs = s.visit JOIN other.point o ON o.id = s.point"
    " JOIN other.visit w ON w.id = s.visit"
    " JOIN main.sample m ON m.point = p.ours AND m.visit = v.ours AND m.seq = s.seq"
    " WHERE m.runs IS NOT s.runs OR m.median_ns IS NOT s.median_ns"
    " OR m.taken_ms IS NOT s.taken_ms LIMIT 1";

static const char forget[] =
    "DROP TABLE IF EXISTS temp.campaign_map; DROP TABLE IF EXISTS temp.visit_map;"
    "DROP TABLE IF EXISTS temp.point_map";

static sloe_status check_equal(sloe_store *store, const char *path, sloe_error *err) {
  sloe_store_query q;
  int row;
  SLOE_TRY(sloe_store_query_open(&q, store, unequal, err));
  sloe_status status = sloe_store_query_next(&q, &row, err);
  if (status == SLOE_OK && row)
    status = sloe_fail(err, SLOE_FORMAT, "%s: another sample than in %s: %.120s", path, store->path,
                       sloe_store_text(&q, 0));
  sloe_store_query_close(&q);
  return status;
}

static sloe_status attach(sloe_store *store, const sloe_store *other, sloe_error *err) {
  sloe_store_query q;
  char *uri = sloe_store_uri(other->path, other->immutable ? "?immutable=1" : "?mode=ro");
  if (!uri) return sloe_store_out_of_memory(store, err);
  sloe_status status = sloe_store_query_open(&q, store, "ATTACH ? AS other", err);
  if (status == SLOE_OK) {
    sloe_store_put_text(&q, uri);
    status = sloe_store_query_run(&q, err);
    sloe_store_query_close(&q);
  }
  sloe_dealloc(uri);
  return status;
}

static sloe_status copy_rows(sloe_store *store, const char *path, sloe_error *err) {
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    SLOE_TRY(sloe_store_exec(store, steps[i], err));
  SLOE_TRY(check_equal(store, path, err));
  return sloe_store_exec(store, forget, err);
}

static void subtract(sloe_store_info *added, const sloe_store_info *before) {
  added->campaigns -= before->campaigns;
  added->visits -= before->visits;
  added->points -= before->points;
  added->samples -= before->samples;
  added->runs -= before->runs;
  added->choices -= before->choices;
  for (int i = 0; i < SLOE_STORE_STATE_COUNT; i++) added->in_state[i] -= before->in_state[i];
}

static sloe_status merge_attached(sloe_store *store, const sloe_store_identity *identity,
                                  const char *path, sloe_store_info *added, sloe_error *err) {
  sloe_store_info before;
  SLOE_TRY(sloe_store_begin_write(store, err));
  sloe_status status;
  SLOE_GOTO(sloe_store_claim_identity(store, identity, err));
  SLOE_GOTO(sloe_store_get_info(store, 0, &before, err));
  SLOE_GOTO(copy_rows(store, path, err));
  SLOE_GOTO(sloe_store_get_info(store, 0, added, err));
  subtract(added, &before);
fail:
  return sloe_store_end_write(store, status, err);
}

static sloe_status merge_open(sloe_store *store, sloe_store *other, sloe_store_info *added,
                              sloe_error *err) {
  sloe_store_identity identity;
  int found;
  SLOE_TRY(sloe_store_get_identity(other, &identity, &found, err));
  if (!found) return SLOE_OK; /* nothing was measured yet */
  SLOE_TRY(attach(store, other, err));
  sloe_status status = merge_attached(store, &identity, other->path, added, err);
  sqlite3_exec(store->db, "DETACH other", NULL, NULL, NULL);
  return status;
}

sloe_status sloe_store_merge(sloe_store *store, const char *path, sloe_store_info *added,
                             sloe_error *err) {
  sloe_store *other;
  sloe_store_info sum = {0};
  if (added) *added = sum;
  SLOE_TRY(sloe_store_open(path, SLOE_STORE_READ, &other, err));
  sloe_status status = merge_open(store, other, &sum, err);
  sloe_store_close(other);
  if (status == SLOE_OK && added) *added = sum;
  return status;
}
