/* recording_environment.c: the columns env.NAME of a recording: of which device it is. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "device/replay/recording.h"

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory");
}

/* Behind "env."; NULL: another column. */
static const char *name_of(const char *column) {
  static const char prefix[] = "env.";
  const size_t len = sizeof prefix - 1;
  return strncmp(column, prefix, len) == 0 && column[len] ? column + len : NULL;
}

sloe_status sloe_recording_find_environment(recording *r, const sloe_csv_reader *csv,
                                            sloe_error *err) {
  const size_t n = sloe_csv_reader_columns(csv);
  r->environment_at = SLOE_ARENA_NEW(&r->arena, size_t, n + 1);
  r->environment = SLOE_ARENA_NEW(&r->arena, sloe_device_pair, n + 1);
  if (!r->environment_at || !r->environment) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) {
    const char *name = name_of(sloe_csv_reader_column(csv, i));
    if (!name) continue;
    r->environment_at[r->n_environment] = i;
    r->environment[r->n_environment] =
        (sloe_device_pair){sloe_arena_strn(&r->arena, name, strlen(name)), NULL};
    if (!r->environment[r->n_environment++].key) return out_of_memory(err);
  }
  return SLOE_OK;
}

sloe_status sloe_recording_take_environment(recording *r, const sloe_csv_reader *csv,
                                            sloe_error *err) {
  for (size_t i = 0; i < r->n_environment; i++) {
    const char *value = sloe_csv_reader_field(csv, r->environment_at[i]);
    if (r->environment[i].value || !*value) continue;
    r->environment[i].value = sloe_arena_strn(&r->arena, value, strlen(value));
    if (!r->environment[i].value) return out_of_memory(err);
  }
  return SLOE_OK;
}

/* 1: the pair is one of the card's own fields, and has been put there. */
static int take_own(sloe_device_info *info, const sloe_device_pair *pair) {
  double mb;
  if (strcmp(pair->key, SLOE_DEVICE_TITLE) == 0) {
    info->title = pair->value;
    return 1;
  }
  if (strcmp(pair->key, SLOE_DEVICE_MEMORY) != 0) return 0;
  if (sloe_parse_double(pair->value, strlen(pair->value), &mb) && mb > 0) info->memory_mb = mb;
  return 1;
}

void sloe_recording_set_environment(recording *r) {
  size_t n = 0;
  for (size_t i = 0; i < r->n_environment; i++) {
    const sloe_device_pair pair = r->environment[i];
    if (pair.value && !take_own(&r->info, &pair)) r->environment[n++] = pair;
  }
  r->info.environment = r->environment;
  r->info.n_environment = r->n_environment = n;
}

sloe_status sloe_recording_override(recording *r, const char *key, const char *value,
                                    sloe_error *err) {
  sloe_device_pair *pair = r->environment;
  if (!value) return SLOE_OK;
  const char *copy = sloe_arena_strn(&r->arena, value, strlen(value));
  if (!copy) return out_of_memory(err);
  while (pair < r->environment + r->n_environment && strcmp(pair->key, key) != 0) pair++;
  if (pair == r->environment + r->n_environment) r->info.n_environment = ++r->n_environment;
  *pair = (sloe_device_pair){key, copy};
  return SLOE_OK;
}
