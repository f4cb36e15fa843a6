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
#include "platform/fitted_format.h"

enum { ARENA_LIMIT = 1 << 27, MAX_PATH = 4096 };

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory opening platform");
}

/* On the heap: too large for a small stack. */
static sloe_pf_file *new_file(void) {
  sloe_pf_file *file = sloe_alloc(1, sizeof *file);
  if (!file) return NULL;
  file->platform = sloe_alloc(1, sizeof *file->platform);
  if (!file->platform) {
    sloe_dealloc(file);
    return NULL;
  }
  memset(file->platform, 0, sizeof *file->platform);
  sloe_arena_init(&file->platform->arena, ARENA_LIMIT);
  return file;
}

void sloe_pf_unload(sloe_pf_file *file) {
  if (!file) return;
  sloe_platform_free(file->platform);
  sloe_dealloc(file);
}

/* Takes `data` over. */
static sloe_status load(char *data, size_t len, sloe_pf_file **out, sloe_error *err) {
  sloe_pf_file *file = new_file();
  sloe_status status = file ? SLOE_OK : out_of_memory(err);
  if (file && sloe_fitted_is(data, len)) {
    file->platform->file = data;
    status = sloe_fitted_read(data, len, file->platform, err);
  } else {
    if (file) status = sloe_pf_parse(data, len, &file->platform->arena, &file->pf, err);
    sloe_dealloc(data);
  }
  if (status == SLOE_OK)
    *out = file;
  else
    sloe_pf_unload(file);
  return status;
}

sloe_status sloe_pf_load(const char *path, sloe_pf_file **out, sloe_error *err) {
  char *data;
  size_t len;
  *out = NULL;
  SLOE_TRY(sloe_file_read(path, SLOE_FITTED_MAX_BYTES, &data, &len, err));
  sloe_status status = load(data, len, out, err);
  return status == SLOE_OK ? status : sloe_fail_in(err, status, "%s", path);
}

sloe_status sloe_pf_load_memory(const void *data, size_t len, sloe_pf_file **out, sloe_error *err) {
  *out = NULL;
  if (len > SLOE_FITTED_MAX_BYTES)
    return sloe_fail_at(err, SLOE_FORMAT, SLOE_FITTED_MAX_BYTES,
                        "a platform file may have %d bytes, this one has %zu",
                        SLOE_FITTED_MAX_BYTES, len);
  char *copy = sloe_alloc(len, 1);
  if (!copy) return out_of_memory(err);
  if (len) memcpy(copy, data, len);
  return load(copy, len, out, err);
}

static sloe_status fail_variant(const char *variant, const char *name, const char *more,
                                sloe_error *err) {
  return sloe_fail(err, SLOE_NOTFOUND, "no platform '%.60s' in the file (it has %s%s)", variant,
                   name, more);
}

static sloe_status choose_text(sloe_pf_file *file, const char *variant, const char *path,
                               sloe_error *err) {
  const sloe_pf *pf = &file->pf;
  sloe_precision precision = SLOE_FP32;
  size_t mode = 0;
  if (sloe_pf_find(pf, variant, &precision, &mode))
    return sloe_pf_build(pf, precision, mode, path, file->platform, err);
  char name[SLOE_PF_MAX_NAME];
  sloe_pf_find(pf, NULL, &precision, &mode);
  sloe_pf_name(pf, precision, mode, name);
  return fail_variant(variant, name, ", ...", err);
}

static sloe_status choose_fitted(sloe_platform *platform, const char *variant, const char *path,
                                 sloe_error *err) {
  if (!sloe_fitted_is_called(&platform->card, variant))
    return fail_variant(variant, platform->card.name, "", err);
  platform->card.path = sloe_arena_strn(&platform->arena, path, strlen(path));
  return platform->card.path ? SLOE_OK : out_of_memory(err);
}

/* The platform that `variant` names; ends the file. */
static sloe_status choose(sloe_pf_file *file, const char *variant, const char *path,
                          sloe_platform **out, sloe_error *err) {
  sloe_status status = file->platform->fitted ? choose_fitted(file->platform, variant, path, err)
                                              : choose_text(file, variant, path, err);
  if (status == SLOE_OK) {
    *out = file->platform;
    file->platform = NULL;
  }
  sloe_pf_unload(file);
  return status;
}

sloe_status sloe_platform_from_memory(const void *buf, size_t len, const char *variant,
                                      sloe_platform **out, sloe_error *err) {
  sloe_pf_file *file;
  *out = NULL;
  SLOE_TRY(sloe_pf_load_memory(buf, len, &file, err));
  return choose(file, variant, "", out, err);
}

static sloe_status open_file(const char *path, const char *variant, sloe_platform **out,
                             sloe_error *err) {
  sloe_pf_file *file;
  SLOE_TRY(sloe_pf_load(path, &file, err));
  sloe_status status = choose(file, variant, path, out, err);
  return status == SLOE_OK ? status : sloe_fail_in(err, status, "%s", path);
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
  sloe_networks_fini(platform->networks);
  sloe_arena_fini(&platform->arena);
  sloe_dealloc(platform->file);
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
