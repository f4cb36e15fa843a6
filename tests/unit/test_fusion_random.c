/* Fusion of nets that nobody would draw: random graphs of convolutions, activations, arithmetic,
 * views, concatenations and quantisation, from a fixed seed. What must hold of every net holds of
 * them. The recipe of a failing one is printed. */
#include "unit/fuse_check.h"
#include "unit/fuse_text.h"

enum { N_NETS = 400, MOST_OPS = 40 };

static uint64_t seed;

static unsigned draw(unsigned n) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)((seed >> 33) % n);
}

/* Templates: N the op's number, A and B tensors of 1x8x8x8. All write tN of the same shape. */
static const char *const OPS[] = {
    "Conv nN A -> tN kernel=1 filters=8",
    "Conv nN A -> tN kernel=1 filters=8",
    "Conv nN A -> tN kernel=3 filters=8 pad=1",
    "Conv nN A -> tN kernel=3 filters=8 pad=1 group=8",
    "BatchNormalization nN A -> tN",
    "Relu nN A -> tN",
    "Relu nN A -> tN",
    "Clip nN A -> tN",
    "Sigmoid nN A -> tN",
    "LeakyRelu nN A -> tN",
    "Erf nN A -> tN",
    "Add nN A B -> tN",
    "Add nN A B -> tN",
    "Mul nN A B -> tN",
    "Mul nN A k -> tN",
    "Div nN A k -> tN",
    "Identity nN A -> tN",
    "Dropout nN A -> tN",
    "MaxPool nN A -> tN kernel=3 stride=1 pad=1",
    "QuantizeLinear nN A qs qz -> uN; DequantizeLinear mN uN qs qz -> tN",
    "Reshape nN A flat -> uN; Reshape mN uN square -> tN",
    "Reshape nN A split -> uN; Transpose mN uN -> vN perm=0,2,1,3,4; Reshape oN vN square -> tN",
    "Concat nN A B -> uN axis=1; Conv mN uN -> tN kernel=1 filters=8",
    "Concat nN A B B -> uN axis=1; Conv mN uN -> tN kernel=1 filters=8",
    "Split nN A -> uN vN axis=1; Concat mN vN uN -> tN axis=1",
    "GlobalAveragePool nN A -> uN; Mul mN B uN -> tN",
    "Pad nN A around -> uN mode=constant; Conv mN uN -> tN kernel=3 filters=8",
};

static void add_line(text_net *t, char *line, char *recipe, size_t room) {
  char *word[TEXT_WORDS] = {0};
  const size_t used = strlen(recipe);
  snprintf(recipe + used, room - used, "%s\n", line);
  text_line(t, word, text_words(line, word));
}

/* One op (or the few of its template), reading earlier tensors. */
static void add_op(text_net *t, unsigned number, char *recipe, size_t room) {
  char line[256];
  const unsigned a = draw(number), b = draw(number);
  for (const char *p = OPS[draw(sizeof OPS / sizeof *OPS)]; *p;) {
    size_t n = 0;
    for (; *p && *p != ';'; p++) {
      const char before = n ? line[n - 1] : ' ', after = p[1];
      const int alone = before == ' ' && (after == ' ' || after == 0);
      if (*p == 'N' && strchr("nmotuv", before))
        n += (size_t)snprintf(line + n, sizeof line - n, "%u", number);
      else if (alone && (*p == 'A' || *p == 'B'))
        n += (size_t)snprintf(line + n, sizeof line - n, "t%u", *p == 'A' ? a : b);
      else
        line[n++] = *p;
    }
    line[n] = 0;
    if (*p) p += 2;
    add_line(t, line, recipe, room);
  }
}

static void every_random_net_keeps_its_work_and_its_order(void **state) {
  (void)state;
  static const char *const START[] = {"input t0 1x8x8x8",     "const k 8x1x1",
                                      "const qs scalar",      "const qz scalar",
                                      "ints flat 1 512",      "ints square 1 8 8 8",
                                      "ints split 1 2 4 8 8", "ints around 0 0 1 1 0 0 1 1"};
  static char recipe[1 << 16];
  for (unsigned i = 0; i < N_NETS; i++) {
    char line[64];
    seed = i;
    recipe[0] = 0;
    text_net *t = text_begin();
    for (size_t s = 0; s < sizeof START / sizeof *START; s++) {
      snprintf(line, sizeof line, "%s", START[s]);
      add_line(t, line, recipe, sizeof recipe);
    }
    const unsigned n = 2 + draw(MOST_OPS);
    for (unsigned k = 1; k <= n; k++) add_op(t, k, recipe, sizeof recipe);
    sloe_net *net = text_end(t);
    check_fusion(net, recipe);
    sloe_net_free(net);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_random_net_keeps_its_work_and_its_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
