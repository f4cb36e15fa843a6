#include "campaign/import.h"

#include <string.h>

#include "base/gzip.h"
#include "campaign/campaign.h"

static const sloe_importer *const IMPORTERS[] = {&sloe_importer_icas, &sloe_importer_trtexec,
                                                 &sloe_importer_tegrastats};
enum { N_IMPORTERS = sizeof IMPORTERS / sizeof *IMPORTERS };

static const sloe_importer *find(const char *name) {
  for (size_t i = 0; i < N_IMPORTERS; i++)
    if (strcmp(IMPORTERS[i]->name, name) == 0) return IMPORTERS[i];
  return NULL;
}

static sloe_status write_all(const sloe_importer *importer, const sloe_import_options *options,
                             sloe_csv_sink sink, sloe_error *err) {
  sloe_csv_writer w;
  sloe_csv_writer_init(&w, sink);
  sloe_status status = importer->write_header(&w, err);
  if (importer->write_all && status == SLOE_OK) status = importer->write_all(options, &w, err);
  for (size_t i = 0; importer->write_rows && i < options->n_files && status == SLOE_OK; i++)
    status = importer->write_rows(options, options->files[i], &w, err);
  if (status == SLOE_OK) status = sloe_csv_writer_flush(&w, err);
  sloe_csv_writer_fini(&w);
  return status;
}

static sloe_status to_text(void *context, const void *data, size_t len, sloe_error *err) {
  sloe_text *text = context;
  sloe_text_addn(text, data, len);
  return text->failed ? sloe_fail(err, SLOE_NOMEM, "out of memory importing") : SLOE_OK;
}

sloe_status sloe_import(const sloe_import_options *options, char **text, sloe_error *err) {
  const sloe_importer *importer = find(options->format);
  sloe_text out = {0};
  *text = NULL;
  if (!importer)
    return sloe_fail(err, SLOE_USAGE, "no importer '%.40s'; there are icas, trtexec, tegrastats",
                     options->format);
  if (options->out) {
    sloe_gzip_writer *file;
    SLOE_TRY(sloe_gzip_begin(options->out, &file, err));
    const sloe_csv_sink sink = {file, sloe_gzip_append};
    return sloe_gzip_end(file, write_all(importer, options, sink, err), err);
  }
  const sloe_status status = write_all(importer, options, (sloe_csv_sink){&out, to_text}, err);
  if (status == SLOE_OK) return sloe_text_take(&out, text, err);
  sloe_text_fini(&out);
  return status;
}
