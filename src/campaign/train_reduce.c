/* train_reduce.c: memory learned from less, in the two ways of Z 5.4.1.
 *
 * 1. Of each CNN the smallest and the largest input alone: "CNN memory usage does not vary
 *    significantly for two relative input sizes". One CNN is what differs in `input=` of its spec
 *    alone, at one batch; an ONNX file is one by itself.
 * 2. The features "that impact memory usage" alone. Z lists none; these are the numbers behind its
 *    3.2.2: parameters, the input, what is computed on the way.
 */
#include <string.h>

#include "base/error.h"
#include "base/map.h"
#include "campaign/train.h"

static const char *const memory_features[] = {
    "input_elements", "batch",           "conv_params",
    "bn_params",      "fc_params",       "params",
    "activations",    "memory_elements", "peak_activations_bytes"};

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory training");
}

/* ---- rows ---- */

/* The spec without its input, behind the batch; "": that of no CNN. NULL: memory is out. */
static const char *cnn_of(sloe_arena *arena, const sloe_eval_net *net) {
  static const char key[] = ",input=";
  const char *at = strstr(net->text, key);
  if (strncmp(net->text, "zoo:", 4) != 0 || !at) return "";
  const char *after = at + strlen(key) + strcspn(at + strlen(key), ",");
  return sloe_arena_printf(arena, "%lld %.*s%s", (long long)net->batch, (int)(at - net->text),
                           net->text, after);
}

typedef struct sizes {
  double least, most; /* elements of the input */
} sizes;

/* cnn[i] of each row; -1: of none. */
static sloe_status find_cnns(const sloe_lessons *lessons, const sloe_lesson *lesson,
                             sloe_arena *arena, int32_t *cnn, sizes *of, sloe_error *err) {
  sloe_map index = {0};
  int32_t n = 0;
  for (size_t i = 0; i < lesson->n; i++) {
    const size_t net = lesson->net[i];
    const double size = lessons->input_elements[net];
    const char *name = cnn_of(arena, &lessons->nets[net]);
    if (!name) return no_memory(err);
    cnn[i] = *name ? sloe_map_get(&index, name) : -1;
    if (cnn[i] < 0 && *name) {
      cnn[i] = n++;
      of[cnn[i]] = (sizes){size, size};
      if (!sloe_map_put(&index, arena, name, cnn[i])) return no_memory(err);
    }
    if (cnn[i] < 0) continue;
    if (size < of[cnn[i]].least) of[cnn[i]].least = size;
    if (size > of[cnn[i]].most) of[cnn[i]].most = size;
  }
  return SLOE_OK;
}

static void move_row(sloe_lesson *lesson, size_t from, size_t to) {
  memmove(lesson->x + to * lesson->d, lesson->x + from * lesson->d, lesson->d * sizeof(double));
  lesson->y[to] = lesson->y[from];
  lesson->net[to] = lesson->net[from];
  if (lesson->layers) lesson->layers[to] = lesson->layers[from];
  if (lesson->kind) lesson->kind[to] = lesson->kind[from];
}

static sloe_status keep_ends(const sloe_lessons *lessons, sloe_arena *arena, sloe_lesson *lesson,
                             sloe_error *err) {
  int32_t *cnn = SLOE_ARENA_NEW(arena, int32_t, lesson->n + 1);
  sizes *of = SLOE_ARENA_NEW(arena, sizes, lesson->n + 1);
  size_t kept = 0;
  if (!cnn || !of) return no_memory(err);
  SLOE_TRY(find_cnns(lessons, lesson, arena, cnn, of, err));
  for (size_t i = 0; i < lesson->n; i++) {
    const double size = lessons->input_elements[lesson->net[i]];
    if (cnn[i] < 0 || size <= of[cnn[i]].least || size >= of[cnn[i]].most)
      move_row(lesson, i, kept++);
  }
  lesson->n = kept;
  return SLOE_OK;
}

/* ---- features ---- */

static int is_of_memory(const char *name) {
  for (size_t i = 0; i < sizeof memory_features / sizeof *memory_features; i++)
    if (strcmp(memory_features[i], name) == 0) return 1;
  return 0;
}

static sloe_status keep_inputs(const sloe_lessons *lessons, sloe_arena *arena, sloe_lesson *lesson,
                               sloe_error *err) {
  size_t *column = SLOE_ARENA_NEW(arena, size_t, lesson->d + 1);
  size_t n = 0;
  if (!column) return no_memory(err);
  for (size_t j = 0; j < lesson->d; j++)
    if (is_of_memory(lessons->feature[lesson->input[j]])) column[n++] = j;
  if (!n) return sloe_fail(err, SLOE_USAGE, "none of the features to learn from is one of memory");
  return sloe_lesson_narrow(lesson, column, n, arena, err);
}

sloe_status sloe_train_reduce(const sloe_train_options *options, const sloe_lessons *lessons,
                              sloe_arena *arena, sloe_lesson *lesson, sloe_error *err) {
  if (options->memory_ends) SLOE_TRY(keep_ends(lessons, arena, lesson, err));
  return options->memory_inputs ? keep_inputs(lessons, arena, lesson, err) : SLOE_OK;
}
