#include "campaign/engine_kinds.h"

#include <string.h>

#define KIND(name) (1u << SLOE_LAYER_##name)

enum {
  CONVS = KIND(CONV) | KIND(DWCONV) | KIND(FC),
  POOLS = KIND(POOL) | KIND(REDUCE),
  POINTWISE = KIND(ELEMENTWISE) | KIND(ACTIVATION) | KIND(NORM),
  PRODUCTS = KIND(FC) | KIND(MATMUL),
  MOVES = KIND(COPY) | KIND(VIEW) | KIND(RESAMPLE),
  ANY = (1u << SLOE_LAYER_KIND_COUNT) - 1,
};

/*  X(word in LayerType, kinds), the first that is in it counts */
#define TYPE_MAP(X)                      \
  X("Deconvolution", KIND(DECONV))       \
  X("Convolution", CONVS | KIND(MATMUL)) \
  X("ConvAct", CONVS)                    \
  X("Pooling", POOLS)                    \
  X("PointWise", POINTWISE)              \
  X("ElementWise", POINTWISE | PRODUCTS) \
  X("SoftMax", KIND(SOFTMAX))            \
  X("MatrixMultiply", PRODUCTS)          \
  X("Gemm", PRODUCTS | CONVS)            \
  X("FullyConnected", PRODUCTS)          \
  X("LRN", KIND(NORM))                   \
  X("Normalization", KIND(NORM))         \
  X("Scale", POINTWISE)                  \
  X("Reduce", POOLS)                     \
  X("Resize", KIND(RESAMPLE))            \
  X("Shuffle", MOVES)                    \
  X("Padding", MOVES)                    \
  X("Slice", MOVES)                      \
  X("Gather", MOVES)

/*  X(word in the last component of a lone part, in lower case, kinds) */
#define WORD_MAP(X)                 \
  X("softmax", KIND(SOFTMAX))       \
  X("prob", KIND(SOFTMAX))          \
  X("pool_proj", CONVS)             \
  X("poolproj", CONVS)              \
  X("pool", POOLS)                  \
  X("norm", KIND(NORM))             \
  X("lrn", KIND(NORM))              \
  X("classifier", PRODUCTS | CONVS) \
  X("gemm", PRODUCTS)               \
  X("matmul", PRODUCTS)             \
  X("innerproduct", PRODUCTS)       \
  X("deconv", KIND(DECONV))         \
  X("conv", CONVS)                  \
  X("fc", PRODUCTS | CONVS)         \
  X("relu", KIND(ACTIVATION))       \
  X("sigmoid", KIND(ACTIVATION))    \
  X("mean", POOLS)                  \
  X("pad", MOVES)                   \
  X("concat", MOVES)                \
  X("add", POINTWISE)

static unsigned by_type(const char *type) {
#define TYPE(word, kinds) \
  if (strstr(type, word)) return kinds;
  TYPE_MAP(TYPE)
#undef TYPE
  return ANY;
}

typedef struct words {
  size_t n;                         /* parts */
  int activated, foreign, shortcut; /* an activation behind the first part; ... */
  char first[128];                  /* the first part in lower case */
} words;

static int holds(const char *s, size_t len, const char *word) {
  const size_t n = strlen(word);
  for (size_t i = 0; i + n <= len; i++) {
    size_t k = 0;
    while (k < n && ((unsigned char)s[i + k] | 32) == (unsigned char)word[k]) k++;
    if (k == n) return 1;
  }
  return 0;
}

static void take_part(void *context, const char *part, size_t len, int from) {
  words *w = context;
  w->foreign |= from;
  w->activated |= w->n && (holds(part, len, "relu") || holds(part, len, "clip"));
  w->shortcut |= !w->n && (holds(part, len, "branch1") || holds(part, len, "downsample") ||
                           holds(part, len, "shortcut") || holds(part, len, "_0_conv"));
  if (w->n++) return;
  if (len >= sizeof w->first) part += len - (sizeof w->first - 1), len = sizeof w->first - 1;
  for (size_t i = 0; i < len; i++)
    w->first[i] = (char)(part[i] >= 'A' && part[i] <= 'Z' ? part[i] + 32 : part[i]);
  w->first[len] = 0;
}

static words words_of(const char *name) {
  words w = {0};
  sloe_engine_parts(name, strlen(name), take_part, &w);
  return w;
}

static unsigned by_word(const char *s) {
#define WORD(word, kinds) \
  if (strstr(s, word)) return kinds;
  WORD_MAP(WORD)
#undef WORD
  return ANY;
}

/* Nothing but a convolution or a product has an activation fused behind it, as most names have.
   Else the last component tells ("pool1/norm1"), and where it says nothing the whole
   ("pool1/3x3_s2"). */
static unsigned by_name(const char *name) {
  const words w = words_of(name);
  if (w.foreign) return PRODUCTS | POINTWISE | KIND(NORM) | KIND(SOFTMAX) | CONVS;
  if (w.activated) return CONVS | KIND(DECONV) | PRODUCTS;
  const char *slash = strrchr(w.first, '/');
  const unsigned last = by_word(slash ? slash + 1 : w.first);
  return last != ANY ? last : by_word(w.first);
}

unsigned sloe_engine_kinds(const sloe_engine_layer *layer, int *sure) {
  const unsigned told = layer->info ? by_type(layer->info->type) : ANY;
  *sure = told != ANY;
  if (*sure) return told;
  if (strncmp(layer->name, "__myl_", 6) == 0)
    return PRODUCTS | POINTWISE | KIND(NORM) | KIND(SOFTMAX);
  return by_name(layer->name);
}

typedef struct ops {
  size_t n;
  int adds;
} ops;

static int is_weight(const char *part, size_t len) {
  static const char *const ends[] = {".weight", ".bias"};
  for (int i = 0; i < 2; i++) {
    const size_t n = strlen(ends[i]);
    if (len > n && memcmp(part + len - n, ends[i], n) == 0) return 1;
  }
  return holds(part, len, "quantizelinear");
}

static void count_op(void *context, const char *part, size_t len, int from) {
  ops *o = context;
  if (from == 2 || is_weight(part, len)) return;
  size_t at = len;
  while (at && part[at - 1] != '/') at--;
  o->n++;
  o->adds |= holds(part + at, len - at, "add");
}

size_t sloe_engine_ops(const char *name, int *adds) {
  ops o = {0};
  sloe_engine_parts(name, strlen(name), count_op, &o);
  *adds = o.adds;
  return o.n;
}

int sloe_engine_is_shortcut(const char *name) {
  return words_of(name).shortcut;
}
