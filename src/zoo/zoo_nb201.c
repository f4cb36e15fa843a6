/* zoo_nb201.c: the networks of NAS-Bench-201 (Dong and Yang 2020) by the string of their cell,
 * "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|": node after
 * node, an op for each node before it. */
#include <string.h>

#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { CELL, CELLS, FILTERS, INPUT, CLASSES };
enum { NODES = 4 };

/* X(ID, text) */
#define OP_MAP(X)          \
  X(NONE, "none")          \
  X(SKIP, "skip_connect")  \
  X(CONV1, "nor_conv_1x1") \
  X(CONV3, "nor_conv_3x3") \
  X(AVERAGE, "avg_pool_3x3")

typedef enum cell_op {
#define OP_ENUM(id, text) OP_##id,
  OP_MAP(OP_ENUM)
#undef OP_ENUM
      OP_COUNT
} cell_op;

static const char *const OPS[OP_COUNT] = {
#define OP_TEXT(id, text) text,
    OP_MAP(OP_TEXT)
#undef OP_TEXT
};

typedef struct cell {
  cell_op op[NODES][NODES]; /* [node][from] */
} cell;

/* "nor_conv_3x3~0|" of the node before `from`; the rest, NULL where it is not that. */
static const char *read_op(const char *s, const char *end, int from, cell_op *out) {
  for (int i = 0; i < OP_COUNT; i++) {
    const size_t len = strlen(OPS[i]);
    if ((size_t)(end - s) < len + 3 || memcmp(s, OPS[i], len) != 0) continue;
    *out = (cell_op)i;
    s += len;
    return s[0] == '~' && s[1] == '0' + from && s[2] == '|' ? s + 3 : NULL;
  }
  return NULL;
}

static int read_cell(const sloe_zoo_value *text, cell *out) {
  const char *s = text->text, *end = s + text->len;
  for (int node = 1; node < NODES; node++) {
    if (node > 1 && (s == end || *s++ != '+')) return 0;
    if (s == end || *s++ != '|') return 0;
    for (int from = 0; from < node; from++)
      if (!(s = read_op(s, end, from, &out->op[node][from]))) return 0;
  }
  return s == end;
}

static map relu_conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride) {
  return sloe_zoo_add_conv(b, sloe_zoo_add_act(b, x, SLOE_SPEC_ACT_RELU),
                           (sloe_zoo_conv){.k = k, .kernel = kernel, .stride = stride, .norm = 1});
}

static map edge(builder *b, map x, cell_op op) {
  switch (op) {
    case OP_CONV1: return relu_conv(b, x, x.c, 1, 1);
    case OP_CONV3: return relu_conv(b, x, x.c, 3, 1);
    case OP_AVERAGE: return sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 3, 1, 1);
    default: return x;
  }
}

/* A node is the sum of what comes to it; `none` brings nothing, and of nothing it is zero. */
static map add_cell(builder *b, map x, const cell *c) {
  map nodes[NODES] = {x};
  for (int node = 1; node < NODES; node++) {
    int n = 0;
    for (int from = 0; from < node; from++) {
      if (c->op[node][from] == OP_NONE) continue;
      const map y = edge(b, nodes[from], c->op[node][from]);
      nodes[node] = n++ ? sloe_zoo_add_binary(b, SLOE_OP_ADD, nodes[node], y) : y;
    }
    if (!n) nodes[node] = sloe_zoo_add_scaled(b, x, 0);
  }
  return nodes[NODES - 1];
}

static map halve(builder *b, map x) {
  const map y = relu_conv(b, relu_conv(b, x, 2 * x.c, 3, 2), 2 * x.c, 3, 1);
  const map pooled = sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 2, 2, 0);
  const sloe_zoo_conv wider = {.k = 2 * x.c, .bias = SLOE_ZOO_NO_BIAS};
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, sloe_zoo_add_conv(b, pooled, wider), y);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  cell c = {0};
  if (!read_cell(&call->v[CELL], &c)) {
    sloe_zoo_refuse(b,
                    "nb201: cell: no cell like |OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2| of none, "
                    "skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3");
    return b->status;
  }
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = call->v[FILTERS].whole, .kernel = 3, .norm = 1});
  for (int stage = 0; stage < 3; stage++) {
    if (stage) x = halve(b, x);
    for (int64_t i = 0; i < call->v[CELLS].whole && b->status == SLOE_OK; i++)
      x = add_cell(b, x, &c);
  }
  x = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end_mean_fc(b, x, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "cell",
     .doc = "|OP~0|+|OP~0|OP~1|+|OP~0|OP~1|OP~2|; an OP is none, skip_connect, nor_conv_1x1, "
            "nor_conv_3x3 or avg_pool_3x3",
     .takes = SLOE_ZOO_TEXT},
    {.name = "cells", .doc = "of each stage", .fallback = "5", .least = 1, .most = 100},
    {.name = "filters", .doc = "of the first stage", .fallback = "16", .least = 1, .most = 4096},
    SLOE_ZOO_KEY_INPUT("32", 4, 4096),
    SLOE_ZOO_KEY_CLASSES("10"),
};

const sloe_zoo_entry sloe_zoo_family_nb201 = {
    {"nb201", "the networks of NAS-Bench-201 (Dong and Yang 2020), by their cell", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
