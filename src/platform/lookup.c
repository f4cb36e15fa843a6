/* Finding a platform by path or by name.
 *
 * A name is found without opening every file: a file that holds "a-b-c-d" is called after one of
 * its heads ("a-b-c-d.sloe", "a-b-c.sloe", ...), so these are tried, longest first, in each folder.
 * Only when that fails are all files read, for those that are called otherwise and for the nearest
 * name.
 *
 * A path may end in ":VARIANT" behind ".sloe" ("boards/nano.sloe:fp16-5w"): the precision, or the
 * precision and the mode, of one of the platforms in the file.
 */
#include "platform/lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { ARENA_LIMIT = 1 << 20, MAX_PATH = 4096 };

sloe_status sloe_pf_load(const char *path, sloe_arena *arena, sloe_pf *pf, sloe_error *err) {
  char *data;
  size_t len;
  SLOE_TRY(sloe_file_read(path, SLOE_PF_MAX_BYTES, &data, &len, err));
  sloe_status status = sloe_pf_parse(data, len, arena, pf, err);
  sloe_dealloc(data);
  return status == SLOE_OK ? status : sloe_fail_in(err, status, "%s", path);
}

static sloe_status fail_variant(const sloe_pf *pf, const char *variant, sloe_error *err) {
  char name[SLOE_PF_MAX_NAME];
  sloe_precision precision = SLOE_FP32;
  size_t mode = 0;
  sloe_pf_find(pf, NULL, &precision, &mode);
  sloe_pf_name(pf, precision, mode, name);
  return sloe_fail(err, SLOE_NOTFOUND, "no platform '%.60s' in the file (it has %s, ...)", variant,
                   name);
}

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory opening platform");
}

/* The scratch that reading needs: too large for a small stack. */
typedef struct scratch {
  sloe_pf pf;
  sloe_platform *platform;
} scratch;

static scratch *new_scratch(void) {
  scratch *s = sloe_alloc(1, sizeof *s);
  if (!s) return NULL;
  s->platform = sloe_alloc(1, sizeof *s->platform);
  if (!s->platform) {
    sloe_dealloc(s);
    return NULL;
  }
  memset(s->platform, 0, sizeof *s->platform);
  sloe_arena_init(&s->platform->arena, ARENA_LIMIT);
  return s;
}

/* Hands the platform over where `out` is not NULL, frees it where it is. */
static void free_scratch(scratch *s, sloe_platform **out) {
  if (out)
    *out = s->platform;
  else
    sloe_platform_free(s->platform);
  sloe_dealloc(s);
}

static sloe_status choose(scratch *s, const char *variant, const char *path, sloe_error *err) {
  sloe_precision precision;
  size_t mode;
  if (!sloe_pf_find(&s->pf, variant, &precision, &mode)) return fail_variant(&s->pf, variant, err);
  return sloe_pf_build(&s->pf, precision, mode, path, s->platform, err);
}

sloe_status sloe_platform_from_memory(const void *buf, size_t len, const char *variant,
                                      sloe_platform **out, sloe_error *err) {
  *out = NULL;
  scratch *s = new_scratch();
  if (!s) return out_of_memory(err);
  sloe_status status = sloe_pf_parse(buf, len, &s->platform->arena, &s->pf, err);
  if (status == SLOE_OK) status = choose(s, variant, "", err);
  free_scratch(s, status == SLOE_OK ? out : NULL);
  return status;
}

static sloe_status open_file(const char *path, const char *variant, sloe_platform **out,
                             sloe_error *err) {
  scratch *s = new_scratch();
  if (!s) return out_of_memory(err);
  sloe_status status = sloe_pf_load(path, &s->platform->arena, &s->pf, err);
  if (status == SLOE_OK) {
    status = choose(s, variant, path, err);
    if (status != SLOE_OK) sloe_fail_in(err, status, "%s", path);
  }
  free_scratch(s, status == SLOE_OK ? out : NULL);
  return status;
}

/* "x/nano.sloe:fp16" -> where the ':' stands; NULL: no variant. */
static const char *find_variant(const char *path) {
  const char *colon = strrchr(path, ':');
  size_t ending = strlen(SLOE_PF_ENDING);
  if (!colon || strchr(colon, '/') || (size_t)(colon - path) < ending) return NULL;
  return memcmp(colon - ending, SLOE_PF_ENDING, ending) == 0 ? colon : NULL;
}

static sloe_status open_path(const char *path, sloe_platform **out, sloe_error *err) {
  const char *colon = find_variant(path);
  char file[MAX_PATH];
  if (!colon) return open_file(path, NULL, out, err);
  if ((size_t)(colon - path) >= sizeof file)
    return sloe_fail(err, SLOE_NOTFOUND, "a path of %zu bytes is too long", strlen(path));
  snprintf(file, sizeof file, "%.*s", (int)(colon - path), path);
  return open_file(file, colon + 1, out, err);
}

/* Try the files in `dir` that are called after a head of `name`. */
static sloe_status open_by_heads(const char *dir, const char *name, sloe_platform **out,
                                 sloe_error *err) {
  for (size_t len = strlen(name); len;) {
    char path[MAX_PATH];
    int n = snprintf(path, sizeof path, "%s/%.*s%s", dir, (int)len, name, SLOE_PF_ENDING);
    if (n > 0 && (size_t)n < sizeof path) {
      sloe_status status = open_file(path, name, out, err);
      if (status != SLOE_NOTFOUND) return status;
    }
    while (--len && name[len] != '-') continue;
  }
  return SLOE_NOTFOUND;
}

/* Read every file, for one that is not called after its platforms and for the nearest name. */
static sloe_status open_by_list(const char *name, const sloe_search *search, sloe_platform **out,
                                sloe_error *err) {
  sloe_platform_list *list;
  SLOE_TRY(sloe_platform_list_new(search, &list, err));
  sloe_status status = SLOE_NOTFOUND;
  for (size_t i = 0; i < sloe_platform_list_count(list); i++) {
    const sloe_card *card = sloe_platform_list_at(list, i);
    if (strcmp(card->name, name) != 0) continue;
    status = open_file(card->path, name, out, err);
    break;
  }
  if (status == SLOE_NOTFOUND) {
    const char *nearest = sloe_platform_nearest(list, name);
    const char *rest =
        sloe_platform_list_count(list) ? "" : " (no platform files were found at all)";
    sloe_fail(err, SLOE_NOTFOUND, "no platform '%.80s'%s%s%s%s", name,
              nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "", rest);
  }
  sloe_platform_list_free(list);
  return status;
}

sloe_status sloe_platform_open(const char *platform, const sloe_search *search, sloe_platform **out,
                               sloe_error *err) {
  *out = NULL;
  size_t len = strlen(platform), ending = strlen(SLOE_PF_ENDING);
  int ends = len >= ending && strcmp(platform + len - ending, SLOE_PF_ENDING) == 0;
  if (strchr(platform, '/') || ends || find_variant(platform)) return open_path(platform, out, err);
  if (len == 0 || len >= SLOE_PF_MAX_NAME)
    return sloe_fail(err, SLOE_NOTFOUND, "a platform's name has 1 to %d bytes, this one %zu",
                     SLOE_PF_MAX_NAME - 1, len);
  for (size_t i = 0; search && i < search->n_dirs; i++) {
    sloe_status status = open_by_heads(search->dirs[i], platform, out, err);
    if (status != SLOE_NOTFOUND) return status;
  }
  return open_by_list(platform, search, out, err);
}

void sloe_platform_free(sloe_platform *platform) {
  if (!platform) return;
  sloe_arena_fini(&platform->arena);
  sloe_dealloc(platform);
}

const sloe_card *sloe_platform_card(const sloe_platform *platform) {
  return &platform->card;
}

const sloe_fusion *sloe_platform_fusion(const sloe_platform *platform) {
  return &platform->fusion;
}

double sloe_platform_reference_ms(const sloe_platform *platform) {
  return platform->reference_ms;
}
