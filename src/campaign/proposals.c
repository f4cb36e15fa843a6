#include "campaign/proposals.h"

#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/gzip.h"

enum { ARENA_LIMIT = 1 << 28, TRIES = 40, STEP = 256 };
static const uint64_t FILE_LIMIT = UINT64_C(1) << 30;
static const double share_of_variations = 0.5;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory with proposed kernels");
}

static void begin(sloe_proposals *p) {
  *p = (sloe_proposals){0};
  sloe_arena_init(&p->arena, ARENA_LIMIT);
}

void sloe_proposals_fini(sloe_proposals *p) {
  sloe_arena_fini(&p->arena);
  *p = (sloe_proposals){0};
}

/* Most layers share their list with many others. */
static const char *keep_text(sloe_proposals *p, const char *text) {
  const int32_t known = sloe_map_get(&p->lists, text);
  if (known >= 0) return p->texts[known];
  const char *copy = sloe_arena_strn(&p->arena, text, strlen(text));
  if (!copy ||
      !sloe_arena_grow(&p->arena, &p->texts, p->n_texts, &p->cap_texts, sizeof *p->texts) ||
      !sloe_map_put(&p->lists, &p->arena, copy, (int32_t)p->n_texts))
    return NULL;
  p->texts[p->n_texts++] = copy;
  return copy;
}

static sloe_status add(sloe_proposals *p, const sloe_layer_spec *spec, const char *kernels,
                       sloe_error *err) {
  const char *kept = keep_text(p, kernels);
  if (!kept || !sloe_arena_grow(&p->arena, &p->rows, p->n, &p->cap, sizeof *p->rows))
    return out_of_memory(err);
  p->rows[p->n++] = (sloe_proposal){*spec, kept};
  return SLOE_OK;
}

/* ---- families ---- */

void sloe_kernel_family(char *name) {
  char *to = name + strcspn(name, ",");
  for (const char *from = to; *from;) {
    const size_t len = 1 + strcspn(from + 1, ",");
    if (!memchr(from, '=', len)) {
      memmove(to, from, len);
      to += len;
    }
    from += len;
  }
  *to = 0;
}

/* Is `name` among the names in list, which blanks part? */
static int is_in(const char *list, const char *name) {
  const size_t len = strlen(name);
  for (const char *s = list; *s; s += strspn(s, " ")) {
    const size_t n = strcspn(s, " ");
    if (n == len && !memcmp(s, name, n)) return 1;
    s += n;
  }
  return 0;
}

/* Each family of a list once, into *out. */
static void reduce(char *list, sloe_text *out) {
  out->len = 0;
  sloe_text_add(out, "");
  for (char *s = list; *s;) {
    const size_t len = strcspn(s, " ");
    char *next = s + len + (s[len] == ' ');
    s[len] = 0;
    sloe_kernel_family(s);
    if (!out->failed && !is_in(out->data, s)) sloe_text_addf(out, "%s%s", *out->data ? " " : "", s);
    s = next;
  }
}

/* ---- reading ---- */

static sloe_status read_rows(sloe_proposals *p, sloe_csv_reader *r, sloe_error *err) {
  const int net = sloe_csv_reader_find(r, "net"), kernels = sloe_csv_reader_find(r, "kernels");
  if (net < 0 || kernels < 0)
    return sloe_fail(err, SLOE_FORMAT, "no columns 'net' and 'kernels': no table of proposals");
  for (int more;;) {
    sloe_layer_spec spec;
    sloe_error why;
    SLOE_TRY(sloe_csv_reader_next(r, &more, err));
    if (!more) break;
    if (sloe_layer_spec_parse(sloe_csv_reader_field(r, (size_t)net), &spec, &why) != SLOE_OK)
      return sloe_fail(err, SLOE_FORMAT, "line %llu: %s",
                       (unsigned long long)sloe_csv_reader_line(r), why.msg);
    SLOE_TRY(add(p, &spec, sloe_csv_reader_field(r, (size_t)kernels), err));
  }
  return p->n ? SLOE_OK : sloe_fail(err, SLOE_FORMAT, "a table of proposals without a row");
}

sloe_status sloe_proposals_read(const char *path, sloe_proposals *out, sloe_error *err) {
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *r = NULL;
  begin(out);
  sloe_status status = sloe_gzip_open(path, FILE_LIMIT, &file, err);
  if (status == SLOE_OK)
    status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &r, err);
  if (status == SLOE_OK) status = read_rows(out, r, err);
  if (status != SLOE_OK) {
    sloe_proposals_fini(out);
    status = sloe_fail_in(err, status, "%s", path);
  }
  sloe_csv_reader_close(r);
  sloe_gzip_close(file);
  return status;
}

/* ---- writing ---- */

static sloe_status write_rows(const sloe_proposals *p, sloe_csv_writer *w, sloe_error *err) {
  char text[SLOE_SPEC_TEXT];
  sloe_csv_writer_string(w, "net");
  sloe_csv_writer_string(w, "kernels");
  SLOE_TRY(sloe_csv_writer_end_record(w, err));
  for (size_t i = 0; i < p->n; i++) {
    sloe_csv_writer_string(w, sloe_layer_spec_print(&p->rows[i].spec, text));
    sloe_csv_writer_string(w, p->rows[i].kernels);
    SLOE_TRY(sloe_csv_writer_end_record(w, err));
  }
  return sloe_csv_writer_flush(w, err);
}

sloe_status sloe_proposals_write(const sloe_proposals *p, const char *path, sloe_error *err) {
  sloe_gzip_writer *file;
  sloe_csv_writer w;
  SLOE_TRY(sloe_gzip_begin(path, &file, err));
  sloe_csv_writer_init(&w, (sloe_csv_sink){file, sloe_gzip_append});
  const sloe_status status = write_rows(p, &w, err);
  sloe_csv_writer_fini(&w);
  return sloe_gzip_end(file, status, err);
}

/* ---- asking ---- */

typedef struct asking {
  sloe_bench *bench;
  const sloe_design_limits *limits;
  sloe_rng rng;
  const sloe_layer_spec **like; /* timed, and the fastest of several kernels */
  size_t n_like;
  int is_asked[SLOE_SPEC_OP_COUNT];
  sloe_map names[SLOE_SPEC_OP_COUNT]; /* of the kernels of the timed ones */
  sloe_text said, families;
} asking;

/* Those of "NAME:US NAME:US". */
static sloe_status count_names(sloe_map *names, const char *list, sloe_arena *arena,
                               sloe_error *err) {
  for (const char *s = list; *s; s += strspn(s, " ")) {
    const size_t len = strcspn(s, " ");
    const char *colon = memchr(s, ':', len);
    const char *name = sloe_arena_strn(arena, s, colon ? (size_t)(colon - s) : len);
    if (!name || (sloe_map_get(names, name) < 0 && !sloe_map_put(names, arena, name, 0)))
      return out_of_memory(err);
    s += len;
  }
  return SLOE_OK;
}

static sloe_status find_timed(asking *a, sloe_arena *arena, sloe_error *err) {
  const sloe_bench *b = a->bench;
  a->like = SLOE_ARENA_NEW(arena, const sloe_layer_spec *, b->n_points + 1);
  if (!a->like) return out_of_memory(err);
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    if (!p->kernels || !*p->kernels || p->network || p->place.in_network) continue;
    a->like[a->n_like++] = &p->spec;
    a->is_asked[p->spec.op] = 1;
    sloe_map *names = &a->names[p->spec.op];
    if (names->n <= SLOE_KERNEL_NAMES) SLOE_TRY(count_names(names, p->kernels, arena, err));
  }
  return a->n_like ? SLOE_OK
                   : sloe_fail(err, SLOE_UNSUPPORTED,
                               "no layer that was timed is the fastest of several kernels");
}

/* Of the kinds of what was timed. 0: try again */
static int draw(asking *a, sloe_layer_spec *out) {
  const sloe_layer_spec *like = a->like[sloe_rng_between(&a->rng, 0, (int64_t)a->n_like - 1)];
  if (sloe_rng_uniform(&a->rng) < share_of_variations)
    return sloe_design_vary(&a->rng, like, a->limits, out);
  return sloe_design_draw(&a->rng, sloe_spec_op_text(like->op), a->limits, out) &&
         a->is_asked[out->op];
}

static sloe_status ask_one(asking *a, const sloe_layer_spec *spec, sloe_proposals *out,
                           sloe_error *err) {
  a->said.len = 0;
  sloe_text_add(&a->said, ""); /* a string where nothing is said, too */
  const sloe_status status = sloe_device_proposals(a->bench->device, spec, &a->said, err);
  if (status == SLOE_UNSUPPORTED) return SLOE_OK; /* too large, say */
  SLOE_TRY(status);
  const sloe_text *kept = &a->said;
  if (!a->said.failed && a->names[spec->op].n > SLOE_KERNEL_NAMES) {
    reduce(a->said.data, &a->families);
    kept = &a->families;
  }
  return kept->failed ? out_of_memory(err) : add(out, spec, kept->data, err);
}

static sloe_status ask_all(asking *a, sloe_proposals *out, sloe_error *err) {
  const size_t each = a->n_like * SLOE_PROPOSALS_EACH,
               most = each < SLOE_PROPOSALS_MOST ? each : SLOE_PROPOSALS_MOST;
  for (size_t tries = 0; out->n < most && tries < TRIES * most; tries++) {
    sloe_layer_spec spec;
    if (tries % STEP == 0) SLOE_TRY(sloe_bench_step(a->bench, err));
    if (draw(a, &spec)) SLOE_TRY(ask_one(a, &spec, out, err));
  }
  return out->n ? SLOE_OK : sloe_fail(err, SLOE_UNSUPPORTED, "no kernels are proposed");
}

sloe_status sloe_proposals_ask(sloe_bench *bench, const sloe_design_limits *limits,
                               sloe_proposals *out, sloe_error *err) {
  asking a = {.bench = bench, .limits = limits};
  begin(out);
  sloe_rng_seed(&a.rng, 1);
  sloe_status status = find_timed(&a, &out->arena, err);
  if (status == SLOE_OK) status = ask_all(&a, out, err);
  if (status != SLOE_OK) sloe_proposals_fini(out);
  sloe_text_fini(&a.said);
  sloe_text_fini(&a.families);
  return status;
}
