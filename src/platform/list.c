/* Every platform in some folders, and the nearest name for a mistyped one. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "platform/lookup.h"

enum { ARENA_LIMIT = 64 << 20, MAX_FILES = 10000 };

struct sloe_platform_list {
  sloe_arena arena;
  sloe_card *cards;
  size_t n_cards, cap_cards;
  const char **warnings;
  size_t n_warnings, cap_warnings;
  size_t n_files;
};

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory listing platforms");
}

static sloe_status warn(sloe_platform_list *list, const char *text, sloe_error *err) {
  if (!sloe_arena_grow(&list->arena, &list->warnings, list->n_warnings, &list->cap_warnings,
                       sizeof *list->warnings))
    return out_of_memory(err);
  const char *copy = sloe_arena_strn(&list->arena, text, strlen(text));
  if (!copy) return out_of_memory(err);
  list->warnings[list->n_warnings++] = copy;
  return SLOE_OK;
}

/* Room for a card behind the last one; NULL: out of memory. */
static sloe_card *next_card(sloe_platform_list *list) {
  int room = sloe_arena_grow(&list->arena, &list->cards, list->n_cards, &list->cap_cards,
                             sizeof *list->cards);
  return room ? &list->cards[list->n_cards] : NULL;
}

static int copy_text(sloe_arena *arena, const char **text) {
  *text = sloe_arena_strn(arena, *text, strlen(*text));
  return *text != NULL;
}

/* All texts of a card into the list. */
static int copy_texts(sloe_arena *arena, sloe_card *card) {
  return copy_text(arena, &card->name) && copy_text(arena, &card->path) &&
         copy_text(arena, &card->device) && copy_text(arena, &card->title) &&
         copy_text(arena, &card->runtime) && copy_text(arena, &card->runtime_version) &&
         copy_text(arena, &card->mode) && copy_text(arena, &card->notes) &&
         copy_text(arena, &card->validated_on);
}

static sloe_status add_card(sloe_platform_list *list, const sloe_card *from, sloe_error *err) {
  sloe_card *card = next_card(list);
  if (!card) return out_of_memory(err);
  *card = *from;
  if (!copy_texts(&list->arena, card)) return out_of_memory(err);
  list->n_cards++;
  return SLOE_OK;
}

static sloe_status add_text(sloe_platform_list *list, sloe_pf_file *file, const char *path,
                            sloe_error *err) {
  for (int p = 0; p < SLOE_PRECISION_COUNT; p++)
    for (size_t m = 0; file->pf.has_precision[p] && m < file->pf.n_modes; m++) {
      sloe_card card;
      SLOE_TRY(
          sloe_pf_card(&file->pf, (sloe_precision)p, m, path, &file->platform->arena, &card, err));
      SLOE_TRY(add_card(list, &card, err));
    }
  return SLOE_OK;
}

static sloe_status add_fitted(sloe_platform_list *list, const sloe_platform *platform,
                              const char *path, sloe_error *err) {
  sloe_card card = platform->card;
  card.path = path;
  return add_card(list, &card, err);
}

static sloe_status add_file(sloe_platform_list *list, const char *path, sloe_error *err) {
  sloe_error trouble = {0};
  sloe_pf_file *file;
  sloe_status status = sloe_pf_load(path, &file, &trouble);
  if (status == SLOE_NOMEM) return out_of_memory(err);
  if (status != SLOE_OK) return warn(list, trouble.msg, err);
  status = file->platform->fitted ? add_fitted(list, file->platform, path, err)
                                  : add_text(list, file, path, err);
  sloe_pf_unload(file);
  return status;
}

static int is_platform_file(const char *name) {
  size_t len = strlen(name), ending = strlen(SLOE_PF_ENDING);
  return name[0] != '.' && len > ending && strcmp(name + len - ending, SLOE_PF_ENDING) == 0;
}

/* A folder that is not there holds nothing: search paths name folders that need not exist. */
static sloe_status add_dir(sloe_platform_list *list, const char *dir, sloe_error *err) {
  DIR *folder = opendir(dir);
  if (!folder) {
    char text[256];
    if (errno == ENOENT) return SLOE_OK;
    snprintf(text, sizeof text, "cannot read the folder %s: %s", dir, strerror(errno));
    return warn(list, text, err);
  }
  sloe_status status = SLOE_OK;
  for (struct dirent *entry; status == SLOE_OK && (entry = readdir(folder));) {
    if (!is_platform_file(entry->d_name)) continue;
    char *path = sloe_arena_printf(&list->arena, "%s/%s", dir, entry->d_name);
    if (list->n_files++ == MAX_FILES)
      status = warn(list, "more than 10000 platform files: the rest is left out", err);
    if (list->n_files > MAX_FILES) break;
    if (status == SLOE_OK) status = path ? add_file(list, path, err) : out_of_memory(err);
  }
  closedir(folder);
  return status;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const sloe_card *)a)->name, ((const sloe_card *)b)->name);
}

/* Is `name` among the first `n` cards? Binary search: they are sorted. */
static int known(const sloe_card *cards, size_t n, const char *name) {
  sloe_card key = {.name = name};
  return bsearch(&key, cards, n, sizeof *cards, by_name) != NULL;
}

/* Cards from `n` on are of a later folder: drop those whose name an earlier one has. */
static void merge(sloe_platform_list *list, size_t n) {
  size_t kept = n;
  qsort(list->cards + n, list->n_cards - n, sizeof *list->cards, by_name);
  for (size_t i = n; i < list->n_cards; i++) {
    const char *name = list->cards[i].name;
    int again = kept > n && strcmp(list->cards[kept - 1].name, name) == 0;
    if (!again && !known(list->cards, n, name)) list->cards[kept++] = list->cards[i];
  }
  list->n_cards = kept;
  qsort(list->cards, list->n_cards, sizeof *list->cards, by_name);
}

sloe_status sloe_platform_list_new(const sloe_search *search, sloe_platform_list **out,
                                   sloe_error *err) {
  *out = NULL;
  sloe_platform_list *list = sloe_alloc(1, sizeof *list);
  if (!list) return out_of_memory(err);
  memset(list, 0, sizeof *list);
  sloe_arena_init(&list->arena, ARENA_LIMIT);
  sloe_status status = SLOE_OK;
  for (size_t i = 0; status == SLOE_OK && search && i < search->n_dirs; i++) {
    size_t before = list->n_cards;
    status = add_dir(list, search->dirs[i], err);
    if (status == SLOE_OK && list->n_cards > before) merge(list, before);
  }
  if (status == SLOE_OK)
    *out = list;
  else
    sloe_platform_list_free(list);
  return status;
}

void sloe_platform_list_free(sloe_platform_list *list) {
  if (!list) return;
  sloe_arena_fini(&list->arena);
  sloe_dealloc(list);
}

size_t sloe_platform_list_count(const sloe_platform_list *list) {
  return list->n_cards;
}

const sloe_card *sloe_platform_list_at(const sloe_platform_list *list, size_t i) {
  return i < list->n_cards ? &list->cards[i] : NULL;
}

size_t sloe_platform_list_warning_count(const sloe_platform_list *list) {
  return list->n_warnings;
}

const char *sloe_platform_list_warning(const sloe_platform_list *list, size_t i) {
  return i < list->n_warnings ? list->warnings[i] : NULL;
}

/* Levenshtein's distance, one row. Names are shorter than SLOE_PF_MAX_NAME. */
static size_t distance(const char *a, const char *b) {
  size_t row[SLOE_PF_MAX_NAME], n = strlen(b);
  for (size_t j = 0; j <= n; j++) row[j] = j;
  for (size_t i = 0; a[i]; i++) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < n; j++) {
      size_t change = diagonal + (a[i] != b[j]),
             gap = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
      diagonal = row[j + 1];
      row[j + 1] = change < gap ? change : gap;
    }
  }
  return row[n];
}

const char *sloe_platform_nearest(const sloe_platform_list *list, const char *name) {
  const char *best = NULL;
  size_t least = strlen(name); /* one that shares nothing is not near */
  for (size_t i = 0; i < list->n_cards; i++) {
    size_t d = distance(name, list->cards[i].name);
    if (d < least) least = d, best = list->cards[i].name;
  }
  return best;
}
