#include "learn/xgb_text.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"

/* A line, by XGBoost's own number of the node. */
typedef struct line {
  float number; /* threshold or leaf */
  uint32_t input, yes, no;
  uint8_t is_leaf, is_there;
} line;

typedef struct reader {
  line *lines;
  size_t cap;
  uint32_t *stack; /* [cap][2]: line, place in the model */
  sloe_error *err;
} reader;

static sloe_status bad(const reader *r, const char *at) {
  return sloe_fail(r->err, SLOE_FORMAT, "xgb: no tree as it is known: '%.*s'",
                   (int)strcspn(at, "\n"), at);
}

/* `word`, then a number that ends at one of `ends`; NULL where it is not so. */
static const char *number_after(const char *p, const char *word, const char *ends, double *out) {
  const size_t len = strlen(word);
  if (!p || strncmp(p, word, len) != 0) return NULL;
  const size_t digits = strcspn(p + len, ends);
  return sloe_parse_double(p + len, digits, out) ? p + len + digits : NULL;
}

static int is_index(double v, size_t end) {
  return v >= 0 && v < (double)end && v == floor(v);
}

/* Of one line; `n`: lines of the tree, more than any node's number. */
static sloe_status read_line(const reader *r, const char *text, size_t n, size_t n_inputs) {
  double id, input, number, yes, no, missing;
  const char *p = number_after(text + strspn(text, "\t "), "", ":", &id);
  if (!p || !is_index(id, n) || r->lines[(size_t)id].is_there) return bad(r, text);
  line *l = &r->lines[(size_t)id];
  if (number_after(p, ":leaf=", ",\n", &number)) {
    *l = (line){.number = (float)number, .is_leaf = 1, .is_there = 1};
    return SLOE_OK;
  }
  p = number_after(p, ":[f", "<", &input);
  p = number_after(p, "<", "]", &number);
  p = number_after(p, "] yes=", ",", &yes);
  p = number_after(p, ",no=", ",", &no);
  p = number_after(p, ",missing=", ",\n", &missing);
  if (!p || !is_index(input, n_inputs) || !is_index(yes, n) || !is_index(no, n))
    return bad(r, text);
  *l = (line){(float)number, (uint32_t)input, (uint32_t)yes, (uint32_t)no, 0, 1};
  return SLOE_OK;
}

static size_t count_lines(const char *text) {
  size_t n = 0;
  for (; (text = strchr(text, '\n')); text++) n++;
  return n;
}

/* Node numbers may have holes where branches were pruned: room for the largest. */
static size_t largest_number(const char *text) {
  size_t most = 0;
  for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
    double id;
    if (number_after(p + strspn(p, "\t "), "", ":", &id) && is_index(id, SLOE_LEARNED_NODES) &&
        (size_t)id > most)
      most = (size_t)id;
  }
  return most;
}

static sloe_status reserve(reader *r, size_t n) {
  if (n <= r->cap) return SLOE_OK;
  line *lines = sloe_realloc(r->lines, n, sizeof *lines);
  if (lines) r->lines = lines;
  uint32_t *stack = sloe_realloc(r->stack, n, 2 * sizeof *stack);
  if (stack) r->stack = stack;
  if (!lines || !stack) return sloe_fail(r->err, SLOE_NOMEM, "out of memory for a tree");
  r->cap = n;
  return SLOE_OK;
}

/* From the lines to nodes behind t->n_nodes, of which there is room for `room`. */
static sloe_status place(const reader *r, const char *text, size_t n, size_t room,
                         sloe_learned_trees *t) {
  size_t depth = 1;
  const uint32_t end = t->n_nodes + (uint32_t)room;
  r->stack[0] = 0;
  r->stack[1] = t->n_nodes++;
  while (depth) {
    depth--;
    const line *l = &r->lines[r->stack[2 * depth]];
    const uint32_t at = r->stack[2 * depth + 1], left = t->n_nodes;
    if (!l->is_there) return bad(r, text);
    t->node[at] = (sloe_tree_node){INFINITY, at, 0, l->number};
    if (l->is_leaf) continue;
    if (end - left < 2 || depth + 2 > n) return bad(r, text);
    t->node[at] = (sloe_tree_node){nextafterf(l->number, -INFINITY), left, l->input, 0};
    t->n_nodes += 2;
    for (uint32_t k = 2; k-- > 0; depth++) {
      r->stack[2 * depth] = k ? l->no : l->yes;
      r->stack[2 * depth + 1] = left + k;
    }
  }
  return SLOE_OK;
}

static sloe_status read_tree(reader *r, const char *text, sloe_learned *m) {
  const size_t n_lines = count_lines(text), n = largest_number(text) + 1;
  if (!n_lines) return bad(r, text);
  SLOE_TRY(reserve(r, n < n_lines ? n_lines : n));
  memset(r->lines, 0, r->cap * sizeof *r->lines);
  for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
    SLOE_TRY(read_line(r, p, n, m->n_inputs));
  return place(r, text, r->cap, n_lines, &m->trees);
}

sloe_status sloe_xgb_read_trees(const char *const *text, size_t n, sloe_learned *m,
                                sloe_error *err) {
  sloe_learned_trees *t = &m->trees;
  reader r = {.err = err};
  size_t n_nodes = 0;
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < n; i++) n_nodes += count_lines(text[i]);
  if (n_nodes > SLOE_LEARNED_NODES || n > SLOE_LEARNED_TREES)
    return sloe_fail(err, SLOE_UNSUPPORTED, "xgb: %zu trees of %zu nodes, at most %d are possible",
                     n, n_nodes, SLOE_LEARNED_NODES);
  *t = (sloe_learned_trees){.n_trees = (uint32_t)n, .factor = 1};
  t->first = SLOE_ARENA_NEW(&m->arena, uint32_t, n + 1);
  t->node = SLOE_ARENA_NEW(&m->arena, sloe_tree_node, n_nodes);
  if (!t->first || !t->node)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu nodes", n_nodes);
  for (size_t i = 0; i < n; i++) {
    t->first[i] = t->n_nodes;
    SLOE_GOTO(read_tree(&r, text[i], m));
  }
  t->first[n] = t->n_nodes;
  m->kind = SLOE_LEARNED_TREE_SUM;
fail:
  sloe_dealloc(r.lines);
  sloe_dealloc(r.stack);
  return status;
}
