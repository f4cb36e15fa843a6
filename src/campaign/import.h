/* import.h: measurements of others as measurement tables. Private to campaign/.
 *
 * An importer is a constant: its name and a function that reads one file and appends its rows.
 */
#ifndef SLOE_CAMPAIGN_IMPORT_H
#define SLOE_CAMPAIGN_IMPORT_H

#include "base/csv.h"
#include "sloe/lab.h"

typedef struct sloe_importer {
  const char *name;
  /* The table's header, then the records of `path`. */
  sloe_status (*write_header)(sloe_csv_writer *w, sloe_error *err);
  sloe_status (*write_rows)(const sloe_import_options *options, const char *path,
                            sloe_csv_writer *w, sloe_error *err);
  /* In its place, where files belong together: the records of all. */
  sloe_status (*write_all)(const sloe_import_options *options, sloe_csv_writer *w, sloe_error *err);
} sloe_importer;

extern const sloe_importer sloe_importer_icas, sloe_importer_trtexec, sloe_importer_tegrastats;

#endif
