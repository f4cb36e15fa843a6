/* plan_table.c: a plan out of a table, and a plan as a table. */
#include <string.h>

#include "base/csv.h"
#include "base/gzip.h"
#include "base/map.h"
#include "campaign/plan.h"

static const uint64_t TABLE_LIMIT = UINT64_C(1) << 30; /* bytes, unpacked */

/*  X(column, member of sloe_plan_entry) */
#define PLAN_TEXT_MAP(X) \
  X(net)                 \
  X(space)               \
  X(split)               \
  X(family)              \
  X(variant)

/* ---- reading ---- */

typedef struct reading {
  sloe_plan *plan;
  const char *path;
  sloe_map seen;
#define PLAN_COLUMN(name) int name;
  PLAN_TEXT_MAP(PLAN_COLUMN)
#undef PLAN_COLUMN
} reading;

static const char *field(const sloe_csv_reader *r, int column) {
  return column < 0 ? "" : sloe_csv_reader_field(r, (size_t)column);
}

/* A relative path is relative to the table. */
static const char *locate(const reading *x, const char *net) {
  const char *slash = strrchr(x->path, '/');
  if (strncmp(net, "zoo:", 4) == 0 || *net == '/' || !slash)
    return sloe_arena_strn(&x->plan->arena, net, strlen(net));
  return sloe_arena_printf(&x->plan->arena, "%.*s/%s", (int)(slash - x->path), x->path, net);
}

static sloe_status read_row(reading *x, const sloe_csv_reader *r, sloe_error *err) {
  const sloe_plan_entry e = {.net = locate(x, field(r, x->net)),
                             .family = field(r, x->family),
                             .variant = field(r, x->variant),
                             .space = field(r, x->space),
                             .split = field(r, x->split)};
  if (!e.net) return sloe_fail(err, SLOE_NOMEM, "out of memory planning");
  if (!*field(r, x->net))
    return sloe_fail(err, SLOE_FORMAT, "line %llu: a row without a net",
                     (unsigned long long)sloe_csv_reader_line(r));
  if (sloe_map_get(&x->seen, e.net) >= 0) return SLOE_OK;
  if (!sloe_map_put(&x->seen, &x->plan->arena, e.net, 0))
    return sloe_fail(err, SLOE_NOMEM, "out of memory planning");
  return sloe_plan_add(x->plan, &e, err);
}

static sloe_status read_rows(reading *x, sloe_csv_reader *r, sloe_error *err) {
#define PLAN_COLUMN(name) x->name = sloe_csv_reader_find(r, #name);
  PLAN_TEXT_MAP(PLAN_COLUMN)
#undef PLAN_COLUMN
  if (x->net < 0) return sloe_fail(err, SLOE_FORMAT, "no column 'net': no table of networks");
  for (int more;;) {
    SLOE_TRY(sloe_csv_reader_next(r, &more, err));
    if (!more) return SLOE_OK;
    SLOE_TRY(read_row(x, r, err));
  }
}

sloe_status sloe_plan_read(sloe_plan *plan, const char *path, sloe_error *err) {
  reading x = {.plan = plan, .path = path};
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *r = NULL;
  sloe_status status = sloe_gzip_open(path, TABLE_LIMIT, &file, err);
  if (status == SLOE_NOTFOUND)
    return sloe_fail(err, SLOE_NOTFOUND,
                     "no plan and no table '%.100s'; plans are nis, ncv and nca", path);
  SLOE_TRY(status);
  status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &r, err);
  if (status == SLOE_OK) status = read_rows(&x, r, err);
  if (status != SLOE_OK) status = sloe_fail_in(err, status, "%s", path);
  sloe_csv_reader_close(r);
  sloe_gzip_close(file);
  return status;
}

/* ---- writing ---- */

static sloe_status to_text(void *context, const void *data, size_t len, sloe_error *err) {
  sloe_text *text = context;
  sloe_text_addn(text, data, len);
  return text->failed ? sloe_fail(err, SLOE_NOMEM, "out of memory writing a plan") : SLOE_OK;
}

static sloe_status write_rows(const sloe_plan *plan, sloe_csv_writer *w, sloe_error *err) {
#define PLAN_COLUMN(name) sloe_csv_writer_string(w, #name);
  PLAN_TEXT_MAP(PLAN_COLUMN)
#undef PLAN_COLUMN
  sloe_csv_writer_string(w, "again");
  SLOE_TRY(sloe_csv_writer_end_record(w, err));
  for (size_t i = 0; i < plan->n; i++) {
    const sloe_plan_entry *e = &plan->entries[i];
#define PLAN_COLUMN(name) sloe_csv_writer_string(w, e->name);
    PLAN_TEXT_MAP(PLAN_COLUMN)
#undef PLAN_COLUMN
    sloe_csv_writer_int(w, e->again);
    SLOE_TRY(sloe_csv_writer_end_record(w, err));
  }
  return sloe_csv_writer_flush(w, err);
}

sloe_status sloe_plan_write(const sloe_plan *plan, sloe_text *out, sloe_error *err) {
  sloe_csv_writer w;
  sloe_csv_writer_init(&w, (sloe_csv_sink){out, to_text});
  const sloe_status status = write_rows(plan, &w, err);
  sloe_csv_writer_fini(&w);
  return status;
}
