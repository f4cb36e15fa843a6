#include <stdio.h>

#include "campaign/campaign.h"
#include "store/store.h"

static sloe_status to_text(void *context, const void *data, size_t len, sloe_error *err) {
  sloe_text *text = context;
  sloe_text_addn(text, data, len);
  return text->failed ? sloe_fail(err, SLOE_NOMEM, "out of memory exporting") : SLOE_OK;
}

static sloe_status export_text(sloe_store *store, const sloe_store_export *what, char **text,
                               sloe_error *err) {
  sloe_text out = {0};
  sloe_status status = sloe_store_export_to(store, what, (sloe_csv_sink){&out, to_text}, err);
  if (status == SLOE_OK) return sloe_text_take(&out, text, err);
  sloe_text_fini(&out);
  return status;
}

sloe_status sloe_db_export(const sloe_db_export_options *options, char **text, sloe_error *err) {
  const sloe_store_export what = {
      .each_sample = options->samples, .with_open = options->all, .runs = options->runs};
  sloe_store *store;
  *text = NULL;
  SLOE_TRY(sloe_store_open(options->db, SLOE_STORE_READ, &store, err));
  sloe_status status = options->out ? sloe_store_export_file(store, &what, options->out, err)
                                    : export_text(store, &what, text, err);
  sloe_store_close(store);
  return status;
}

sloe_status sloe_db_merge(const char *into, const char *const *from, size_t n, int64_t *added,
                          sloe_error *err) {
  sloe_store *store;
  int64_t sum = 0;
  *added = 0;
  SLOE_TRY(sloe_store_open(into, SLOE_STORE_WRITE, &store, err));
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < n && status == SLOE_OK; i++) {
    sloe_store_info one;
    status = sloe_store_merge(store, from[i], &one, err);
    if (status == SLOE_OK) sum += one.samples;
  }
  sloe_store_close(store);
  if (status == SLOE_OK) *added = sum;
  return status;
}

static sloe_status read_identity(sloe_store *store, sloe_db_info *out, sloe_error *err) {
  sloe_store_identity identity;
  int found;
  SLOE_TRY(sloe_store_get_identity(store, &identity, &found, err));
  if (!found) return SLOE_OK;
  snprintf(out->device, sizeof out->device, "%s", identity.device);
  snprintf(out->runtime, sizeof out->runtime, "%s", identity.runtime);
  snprintf(out->version, sizeof out->version, "%s", identity.version);
  snprintf(out->precision, sizeof out->precision, "%s", identity.precision);
  snprintf(out->mode, sizeof out->mode, "%s", identity.mode);
  return SLOE_OK;
}

static sloe_status read_info(sloe_store *store, sloe_db_info *out, sloe_error *err) {
  sloe_store_info info;
  SLOE_TRY(read_identity(store, out, err));
  SLOE_TRY(sloe_store_get_info(store, 0, &info, err));
  out->campaigns = info.campaigns;
  out->visits = info.visits;
  out->points = info.points;
  out->samples = info.samples;
  out->runs = info.runs;
  out->open = info.in_state[SLOE_STORE_OPEN];
  out->done = info.in_state[SLOE_STORE_DONE];
  out->skipped = info.in_state[SLOE_STORE_SKIPPED];
  out->failed = info.in_state[SLOE_STORE_FAILED];
  return SLOE_OK;
}

sloe_status sloe_db_get_info(const char *path, sloe_db_info *out, sloe_error *err) {
  sloe_store *store;
  *out = (sloe_db_info){.device = ""};
  SLOE_TRY(sloe_store_open(path, SLOE_STORE_READ, &store, err));
  sloe_db_info info = {.device = ""};
  sloe_status status = read_info(store, &info, err);
  sloe_store_close(store);
  if (status == SLOE_OK) *out = info;
  return status;
}
