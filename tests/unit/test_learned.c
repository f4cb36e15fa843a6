/* Learned models: each body gives what its formula says, many rows what one row gives, and what is
 * written comes back bit by bit; a file that was cut or changed is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/rng.h"
#include "model/model.h"
#include "unit/unit.h"

enum { D = 5, ROWS = 77 };

static sloe_rng rng;

static double draw(void) {
  return sloe_rng_uniform(&rng) * 2 - 1;
}

static void begin(sloe_learned *m, uint64_t seed) {
  sloe_error err;
  sloe_rng_seed(&rng, seed);
  assert_ok(sloe_learned_init(m, D, &err), err);
  for (size_t j = 0; j < D; j++) {
    m->shift[j] = draw() / 4;
    m->scale[j] = 1 + draw() / 4;
  }
  m->target_shift = 0.5;
  m->target_scale = 2;
}

static double *doubles(sloe_learned *m, size_t n) {
  double *v = SLOE_ARENA_NEW(&m->arena, double, n);
  assert_non_null(v);
  for (size_t i = 0; i < n; i++) v[i] = draw();
  return v;
}

static void make_poly(sloe_learned *m, uint32_t degree, uint32_t powers) {
  begin(m, degree);
  m->kind = SLOE_LEARNED_POLY;
  m->poly = (sloe_learned_poly){.degree = degree, .powers = powers, .constant = 0.25};
  m->poly.n_coefs = (uint32_t)sloe_learned_poly_coefs(D, degree, powers != 0);
  m->poly.coef = doubles(m, m->poly.n_coefs);
}

static void make_kernel(sloe_learned *m, sloe_kernel_kind kind, uint32_t n) {
  begin(m, n);
  m->kind = SLOE_LEARNED_KERNEL;
  m->kernel = (sloe_learned_kernel){kind, 3, n, 0.3, 0.5, -0.125, doubles(m, n), doubles(m, D * n)};
}

static void make_mlp(sloe_learned *m, sloe_activation activation) {
  begin(m, 7);
  m->kind = SLOE_LEARNED_MLP;
  m->mlp = (sloe_learned_mlp){.n_layers = 3, .activation = activation, .width = {D, 7, 6, 1}};
  m->mlp.n_weights = (uint32_t)sloe_learned_mlp_weights(&m->mlp);
  m->mlp.weight = SLOE_ARENA_NEW(&m->arena, float, m->mlp.n_weights);
  assert_non_null(m->mlp.weight);
  for (size_t i = 0; i < m->mlp.n_weights; i++) m->mlp.weight[i] = (float)draw();
}

/* Trees of three levels; the right half of the last one is missing. */
static void make_trees(sloe_learned *m, uint32_t n_trees) {
  enum { NODES = 5 };
  begin(m, n_trees);
  m->kind = SLOE_LEARNED_TREE_SUM;
  sloe_learned_trees *t = &m->trees;
  *t = (sloe_learned_trees){n_trees, NODES * n_trees, 0.75, 0.5, NULL, NULL};
  t->first = SLOE_ARENA_NEW(&m->arena, uint32_t, n_trees + 1);
  t->node = SLOE_ARENA_NEW(&m->arena, sloe_tree_node, t->n_nodes);
  assert_true(t->first && t->node);
  for (uint32_t i = 0; i < t->n_nodes; i++) {
    const uint32_t k = i % NODES, at = i - k, left = k == 0 ? at + 1 : k == 1 ? at + 3 : i;
    const float threshold = left == i ? INFINITY : (float)draw() / 2;
    t->node[i] = (sloe_tree_node){threshold, left, (uint32_t)sloe_rng_between(&rng, 0, D - 1),
                                  (float)draw()};
  }
  for (uint32_t i = 0; i <= n_trees; i++) t->first[i] = NODES * i;
}

typedef void (*maker)(sloe_learned *m);
static void poly_three(sloe_learned *m) {
  make_poly(m, 3, 0);
}
static void powers_four(sloe_learned *m) {
  make_poly(m, 4, 1);
}
static void rbf(sloe_learned *m) {
  make_kernel(m, SLOE_KERNEL_RBF, 150);
}
static void rbf_of_nothing(sloe_learned *m) {
  make_kernel(m, SLOE_KERNEL_RBF, 0);
}
static void kernel_poly(sloe_learned *m) {
  make_kernel(m, SLOE_KERNEL_POLY, 3);
}
static void tanh_mlp(sloe_learned *m) {
  make_mlp(m, SLOE_ACTIVATION_TANH);
}
static void eleven_trees(sloe_learned *m) {
  make_trees(m, 11);
}
static const maker makers[] = {poly_three,  powers_four, rbf,         rbf_of_nothing,
                               kernel_poly, tanh_mlp,    eleven_trees};
enum { MAKERS = sizeof makers / sizeof *makers };

static void draw_rows(double *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] = draw();
}

static double expected(const sloe_learned *m, double body) {
  return m->target_shift + m->target_scale * body;
}

static void close_to(double a, double b, double error) {
  if (!(fabs(a - b) <= error * (1 + fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

static void a_polynomial_is_the_sum_of_its_terms(void **state) {
  (void)state;
  for (uint32_t degree = 1; degree <= 5; degree++)
    for (uint32_t powers = 0; powers < 2; powers++) {
      sloe_learned m;
      double x[D], z[D], term[300], sum;
      make_poly(&m, degree, powers);
      draw_rows(x, D);
      assert_true(sloe_learned_inputs(&m, x, z));
      sloe_learned_poly_terms(D, degree, (int)powers, z, term);
      sum = m.poly.constant;
      for (size_t i = 0; i < m.poly.n_coefs; i++) sum += term[i] * m.poly.coef[i];
      close_to(sloe_learned_predict(&m, x), expected(&m, sum), 1e-13);
      sloe_learned_fini(&m);
    }
}

static void monomials_are_counted_as_binomials(void **state) {
  (void)state;
  assert_int_equal(sloe_learned_poly_coefs(13, 3, 0), 559);
  assert_int_equal(sloe_learned_poly_coefs(30, 2, 0), 495);
  assert_int_equal(sloe_learned_poly_coefs(1, 20, 0), 20);
  assert_int_equal(sloe_learned_poly_coefs(30, 20, 1), 600);
  assert_int_equal(sloe_learned_poly_coefs(256, 20, 0), SLOE_LEARNED_COEFS + 1);
  double term[9];
  sloe_learned_poly_terms(2, 3, 0, (double[]){2, 3}, term);
  const double want[] = {2, 4, 8, 12, 6, 18, 3, 9, 27}; /* a aa aaa aab ab abb b bb bbb */
  for (size_t i = 0; i < 9; i++) close_to(term[i], want[i], 0);
}

static double kernel_of(const sloe_learned_kernel *k, const double *z, size_t i) {
  double square = 0, dot = 0;
  for (size_t j = 0; j < D; j++) {
    const double v = k->vector[j * k->n + i];
    square += (z[j] - v) * (z[j] - v);
    dot += z[j] * v;
  }
  return k->kind == SLOE_KERNEL_RBF ? exp(-k->gamma * square)
                                    : pow(k->gamma * dot + k->coef0, k->degree);
}

static void a_kernel_sum_is_what_its_formula_says(void **state) {
  (void)state;
  const uint32_t sizes[] = {0, 1, 63, 64, 65, 200};
  for (size_t s = 0; s < 6; s++)
    for (int kind = 0; kind < 2; kind++) {
      sloe_learned m;
      double x[D], z[D];
      make_kernel(&m, kind, sizes[s]);
      draw_rows(x, D);
      assert_true(sloe_learned_inputs(&m, x, z));
      double sum = m.kernel.bias;
      for (size_t i = 0; i < sizes[s]; i++) sum += m.kernel.coef[i] * kernel_of(&m.kernel, z, i);
      close_to(sloe_learned_predict(&m, x), expected(&m, sum), 1e-12);
      sloe_learned_fini(&m);
    }
}

static void far_vectors_weigh_nothing(void **state) {
  (void)state;
  sloe_learned m;
  double x[D] = {1e6, 0, 0, 0, 0};
  make_kernel(&m, SLOE_KERNEL_RBF, 70);
  close_to(sloe_learned_predict(&m, x), expected(&m, m.kernel.bias), 1e-15);
  sloe_learned_fini(&m);
}

static double activated(uint32_t activation, double h) {
  switch (activation) {
    case SLOE_ACTIVATION_LOGISTIC: return 1 / (1 + exp(-h));
    case SLOE_ACTIVATION_TANH: return tanh(h);
    case SLOE_ACTIVATION_RELU: return h > 0 ? h : 0;
    default: return h;
  }
}

static double forward(const sloe_learned_mlp *p, const double *z) {
  double from[8], to[8];
  const float *w = p->weight;
  memcpy(from, z, D * sizeof *z);
  for (uint32_t l = 0; l < p->n_layers; l++) {
    const uint32_t n_in = p->width[l], n_out = p->width[l + 1];
    for (uint32_t o = 0; o < n_out; o++) {
      to[o] = w[n_in * n_out + o];
      for (uint32_t i = 0; i < n_in; i++) to[o] += from[i] * w[i * n_out + o];
      if (l + 1 < p->n_layers) to[o] = activated(p->activation, to[o]);
    }
    w += (n_in + 1) * n_out;
    memcpy(from, to, sizeof from);
  }
  return from[0];
}

static void an_mlp_is_what_its_formula_says(void **state) {
  (void)state;
  for (int a = SLOE_ACTIVATION_IDENTITY; a <= SLOE_ACTIVATION_RELU; a++) {
    sloe_learned m;
    double x[D], z[D];
    make_mlp(&m, a);
    draw_rows(x, D);
    assert_true(sloe_learned_inputs(&m, x, z));
    close_to(sloe_learned_predict(&m, x), expected(&m, forward(&m.mlp, z)), 2e-6);
    sloe_learned_fini(&m);
  }
}

static double leaf_of(const sloe_learned_trees *t, uint32_t tree, const double *z) {
  uint32_t at = t->first[tree];
  while (t->node[at].left != at)
    at = t->node[at].left + ((float)z[t->node[at].input] > t->node[at].threshold);
  return t->node[at].value;
}

static void trees_give_the_sum_of_their_leaves(void **state) {
  (void)state;
  for (uint32_t n = 0; n < 20; n++) {
    sloe_learned m;
    double x[D], z[D], sum = 0;
    make_trees(&m, n);
    draw_rows(x, D);
    assert_true(sloe_learned_inputs(&m, x, z));
    for (uint32_t t = 0; t < n; t++) sum += leaf_of(&m.trees, t, z);
    close_to(sloe_learned_predict(&m, x), expected(&m, 0.75 + 0.5 * sum), 1e-13);
    sloe_learned_fini(&m);
  }
}

static void many_rows_give_what_each_gives(void **state) {
  (void)state;
  static double x[ROWS * D], out[ROWS];
  for (size_t k = 0; k < MAKERS; k++) {
    sloe_learned m;
    sloe_error err;
    makers[k](&m);
    draw_rows(x, ROWS * D);
    x[3 * D] = NAN;
    assert_ok(sloe_learned_predict_many(&m, x, ROWS, out, &err), err);
    for (size_t i = 0; i < ROWS; i++) {
      const double one = sloe_learned_predict(&m, x + i * D);
      assert_memory_equal(&one, &out[i], sizeof one);
      assert_int_equal(isnan(one) != 0, i == 3);
    }
    sloe_learned_fini(&m);
  }
}

static void logarithms_are_taken_and_given_back(void **state) {
  (void)state;
  sloe_learned m;
  sloe_error err;
  assert_ok(sloe_learned_init(&m, 2, &err), err);
  m.kind = SLOE_LEARNED_POLY;
  m.log_inputs = m.log_target = 1;
  double coef[2] = {1, 1};
  m.poly = (sloe_learned_poly){.degree = 1, .n_coefs = 2, .coef = coef};
  close_to(sloe_learned_predict(&m, (double[]){3, 7}), 32, 1e-14);
  close_to(sloe_learned_predict(&m, (double[]){-3, 7}), 2, 1e-14);
  sloe_learned_fini(&m);
}

static void what_is_unknown_stays_unknown(void **state) {
  (void)state;
  for (size_t k = 0; k < MAKERS; k++) {
    sloe_learned m;
    makers[k](&m);
    assert_true(isnan(sloe_learned_predict(&m, (double[]){0, 0, NAN, 0, 0})));
    assert_true(isnan(sloe_learned_predict(&m, (double[]){0, 0, 0, INFINITY, 0})));
    sloe_learned_fini(&m);
  }
}

static char *encoded(const sloe_learned *m, size_t *len) {
  sloe_text text = {0};
  sloe_error err;
  char *bytes;
  sloe_learned_encode(m, &text);
  *len = text.len;
  assert_ok(sloe_text_take(&text, &bytes, &err), err);
  return bytes;
}

static void what_is_written_comes_back_bit_by_bit(void **state) {
  (void)state;
  for (size_t k = 0; k < MAKERS; k++) {
    sloe_learned m, back;
    sloe_error err;
    size_t len, again;
    makers[k](&m);
    assert_ok(sloe_learned_check(&m, &err), err);
    char *bytes = encoded(&m, &len);
    assert_ok(sloe_learned_decode(bytes, len, &back, &err), err);
    char *twice = encoded(&back, &again);
    assert_int_equal(len, again);
    assert_memory_equal(bytes, twice, len);
    double x[D];
    draw_rows(x, D);
    const double a = sloe_learned_predict(&m, x), b = sloe_learned_predict(&back, x);
    assert_memory_equal(&a, &b, sizeof a);
    sloe_dealloc(bytes);
    sloe_dealloc(twice);
    sloe_learned_fini(&m);
    sloe_learned_fini(&back);
  }
  assert_int_equal(sloe_alloc_live(), 0);
}

static void assert_empty(const sloe_learned *m) {
  static const sloe_learned empty;
  assert_memory_equal(m, &empty, sizeof empty);
}

/* With a length and a checksum that fit, so that what lies behind them is looked at. */
static void seal(char *bytes, size_t len) {
  const uint64_t length = len, hash = sloe_hash64(bytes + 32, len - 32);
  memcpy(bytes + 16, &length, 8);
  memcpy(bytes + 24, &hash, 8);
}

static void what_is_cut_short_is_refused(void **state) {
  (void)state;
  for (size_t k = 0; k < MAKERS; k++) {
    sloe_learned m, back;
    sloe_error err;
    size_t len;
    makers[k](&m);
    char *bytes = encoded(&m, &len);
    for (size_t cut = 0; cut < len; cut += 1 + cut / 16) {
      assert_refused(sloe_learned_decode(bytes, cut, &back, &err), SLOE_FORMAT, err, "model");
      assert_empty(&back);
      if (cut < 32) continue;
      char *sealed = sloe_alloc(cut, 1);
      memcpy(sealed, bytes, cut);
      seal(sealed, cut);
      assert_refused(sloe_learned_decode(sealed, cut, &back, &err), SLOE_FORMAT, err, "model");
      assert_empty(&back);
      assert_true(err.offset <= cut);
      sloe_dealloc(sealed);
    }
    sloe_dealloc(bytes);
    sloe_learned_fini(&m);
  }
}

/* Whatever stands in a file, reading it ends in a refusal or in a model that can be asked. */
static void changed_bytes_do_no_harm(void **state) {
  (void)state;
  for (size_t k = 0; k < MAKERS; k++) {
    sloe_learned m, back;
    sloe_error err;
    size_t len;
    makers[k](&m);
    char *bytes = encoded(&m, &len);
    for (int trial = 0; trial < 3000; trial++) {
      const size_t at = (size_t)sloe_rng_between(&rng, 32, (int64_t)len - 1);
      const char was = bytes[at];
      bytes[at] = (char)sloe_rng_next(&rng);
      seal(bytes, len);
      if (sloe_learned_decode(bytes, len, &back, &err) == SLOE_OK) {
        double x[SLOE_LEARNED_INPUTS] = {0.1, 0.2, 0.3};
        sloe_learned_predict(&back, x);
        sloe_learned_fini(&back);
      }
      bytes[at] = was;
    }
    bytes[len - 1] ^= 1;
    seal(bytes, len);
    bytes[len - 1] ^= 1;
    assert_refused(sloe_learned_decode(bytes, len, &back, &err), SLOE_FORMAT, err, "checksum");
    sloe_dealloc(bytes);
    sloe_learned_fini(&m);
  }
}

static void a_newer_file_is_said_to_be_so(void **state) {
  (void)state;
  sloe_learned m, back;
  sloe_error err;
  size_t len;
  poly_three(&m);
  char *bytes = encoded(&m, &len);
  bytes[8] = 2;
  assert_refused(sloe_learned_decode(bytes, len, &back, &err), SLOE_UNSUPPORTED, err, "version 2");
  assert_refused(sloe_learned_decode("sloe", 4, &back, &err), SLOE_FORMAT, err, "no learned model");
  sloe_dealloc(bytes);
  sloe_learned_fini(&m);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (size_t k = 0; k < MAKERS; k++) {
    sloe_learned m, back;
    sloe_error err;
    size_t len;
    makers[k](&m);
    char *bytes = encoded(&m, &len);
    const long live = sloe_alloc_live();
    for (long n = 0;; n++) {
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_learned_decode(bytes, len, &back, &err);
      sloe_alloc_fail_after(-1);
      if (status == SLOE_OK) break;
      assert_int_equal(status, SLOE_NOMEM);
      assert_empty(&back);
      assert_int_equal(sloe_alloc_live(), live);
    }
    sloe_learned_fini(&back);
    sloe_dealloc(bytes);
    sloe_learned_fini(&m);
  }
}

static void too_many_inputs_are_refused(void **state) {
  (void)state;
  sloe_learned m;
  sloe_error err;
  assert_refused(sloe_learned_init(&m, 0, &err), SLOE_USAGE, err, "0 inputs");
  assert_refused(sloe_learned_init(&m, 257, &err), SLOE_USAGE, err, "257 inputs");
  sloe_learned_fini(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_polynomial_is_the_sum_of_its_terms),
      cmocka_unit_test(monomials_are_counted_as_binomials),
      cmocka_unit_test(a_kernel_sum_is_what_its_formula_says),
      cmocka_unit_test(far_vectors_weigh_nothing),
      cmocka_unit_test(an_mlp_is_what_its_formula_says),
      cmocka_unit_test(trees_give_the_sum_of_their_leaves),
      cmocka_unit_test(many_rows_give_what_each_gives),
      cmocka_unit_test(logarithms_are_taken_and_given_back),
      cmocka_unit_test(what_is_unknown_stays_unknown),
      cmocka_unit_test(what_is_written_comes_back_bit_by_bit),
      cmocka_unit_test(what_is_cut_short_is_refused),
      cmocka_unit_test(changed_bytes_do_no_harm),
      cmocka_unit_test(a_newer_file_is_said_to_be_so),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(too_many_inputs_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
