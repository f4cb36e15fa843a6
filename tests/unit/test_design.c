/* Which layers a campaign measures: all possible, the same at every run, of every kind. */
#include "campaign/design.h"

#include <string.h>

#include "unit/unit.h"

static const uint64_t MOST = UINT64_C(1) << 28;

static void assert_usual(const sloe_layer_spec *s) {
  char text[SLOE_SPEC_TEXT];
  sloe_layer_spec read;
  sloe_error err;
  assert_ok(sloe_layer_spec_check(s, &err), err);
  assert_ok(sloe_layer_spec_parse(sloe_layer_spec_print(s, text), &read, &err), err);
  if (!sloe_layer_spec_same(s, &read)) fail_msg("%s reads back as another layer", text);
}

/* ---- lines ---- */

/* A line asks a family's shapes of one dimension: the key stays, the coordinate is the one asked
   for, the others stay too. */
static void assert_line(const sloe_design_line *line, int64_t x) {
  const sloe_layer_spec base = sloe_design_line_spec(line, line->hi),
                        s = sloe_design_line_spec(line, x);
  const sloe_layer_key a = sloe_layer_key_of(&base), b = sloe_layer_key_of(&s);
  int64_t at_base[SLOE_LAYER_DIMS], at[SLOE_LAYER_DIMS];
  const size_t n = sloe_layer_coords(&base, at_base);
  assert_usual(&s);
  if (s.groups > 1 || base.groups == 1) assert_int_equal(sloe_layer_key_compare(&a, &b), 0);
  assert_int_equal(sloe_layer_coords(&s, at), n);
  for (size_t d = 0; d < n; d++) assert_true(at[d] == (d == line->dim ? x : at_base[d]));
}

static void lines_vary_one_coordinate_and_nothing_else(void **state) {
  (void)state;
  assert_true(sloe_design_line_count() > 30);
  for (size_t i = 0; i < sloe_design_line_count(); i++) {
    const sloe_design_line line = sloe_design_line_at(i);
    assert_true(line.lo >= 1 && line.hi >= line.lo + 3); /* what the fitter needs */
    for (int64_t x = line.lo; x <= line.hi; x += 1 + x / 7) assert_line(&line, x);
    assert_line(&line, line.hi);
  }
}

static void lines_of_a_family_stand_together_and_none_twice(void **state) {
  const size_t n = sloe_design_line_count();
  (void)state;
  for (size_t i = 0; i < n; i++) {
    const sloe_design_line a = sloe_design_line_at(i);
    const sloe_layer_key key = sloe_layer_key_of(&a.base);
    int left = 0;
    for (size_t j = i + 1; j < n; j++) {
      const sloe_design_line b = sloe_design_line_at(j);
      const sloe_layer_key other = sloe_layer_key_of(&b.base);
      const int is_same = !sloe_layer_key_compare(&key, &other);
      assert_false(is_same && (left || a.dim == b.dim));
      left |= !is_same;
    }
  }
}

/* ---- random layers ---- */

static void every_draw_is_possible_and_within_limits(void **state) {
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 1);
  for (int i = 0; i < 20000; i++) {
    sloe_layer_spec s;
    assert_true(sloe_design_draw(&rng, NULL, NULL, &s));
    assert_usual(&s);
    assert_true(sloe_layer_spec_macs(&s) <= UINT64_C(10000000000));
    assert_true(sloe_layer_spec_in_elements(&s) <= MOST);
    assert_true(sloe_layer_spec_out_elements(&s) <= MOST);
    assert_true(sloe_layer_spec_weights(&s) <= MOST);
  }
}

static void what_a_longer_campaign_goes_on_with_is_possible_and_reaches_further(void **state) {
  const sloe_design_limits limits = {UINT64_C(250000000000), 16};
  int64_t parts = 0, image = 0, inputs = 0;
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 1);
  for (int i = 0; i < 5000; i++) {
    sloe_layer_spec s;
    sloe_design_draw_more(&rng, (size_t)i % 2000, &limits, &s);
    assert_usual(&s);
    assert_true(sloe_layer_spec_macs(&s) <= limits.macs);
    if (s.op == SLOE_SPEC_CONCAT && s.parts > parts) parts = s.parts;
    if (s.op == SLOE_SPEC_MAXPOOL && s.h > image) image = s.h;
    if (s.op == SLOE_SPEC_FC && s.c > inputs) inputs = s.c;
  }
  assert_int_equal(parts, 32);
  assert_true(image > 600 && inputs > 36000);
}

static void draws_are_the_same_of_one_seed_and_others_of_another(void **state) {
  sloe_rng a, b, c;
  int others = 0;
  (void)state;
  sloe_rng_seed(&a, 5);
  sloe_rng_seed(&b, 5);
  sloe_rng_seed(&c, 6);
  for (int i = 0; i < 2000; i++) {
    sloe_layer_spec s, t, u;
    assert_true(sloe_design_draw(&a, NULL, NULL, &s) && sloe_design_draw(&b, NULL, NULL, &t));
    assert_true(sloe_design_draw(&c, NULL, NULL, &u));
    assert_true(sloe_layer_spec_same(&s, &t));
    others += !sloe_layer_spec_same(&s, &u);
  }
  assert_true(others > 1900);
}

typedef struct census {
  size_t op[SLOE_SPEC_OP_COUNT], act[SLOE_SPEC_ACT_COUNT], with[SLOE_SPEC_WITH_COUNT];
  size_t grouping[3], square, odd_kernel, dilated, residual;
} census;

static void count(census *c, const sloe_layer_spec *s) {
  c->op[s->op]++;
  c->act[s->act]++;
  if (s->op == SLOE_SPEC_BINARY) c->with[s->with]++;
  if (s->op != SLOE_SPEC_CONV) return;
  c->grouping[sloe_layer_key_of(s).grouping]++;
  c->square += s->h == s->w;
  c->odd_kernel += s->kernel[0] != s->kernel[1];
  c->dilated += s->dilation[0] > 1;
  c->residual += s->add;
}

/* As many draws as a campaign makes reach every op, and what networks do with them. */
static void one_campaign_draws_every_kind(void **state) {
  sloe_rng rng;
  census c = {0};
  const size_t n = sloe_design_size();
  (void)state;
  sloe_rng_seed(&rng, 1000003 + 1);
  for (size_t i = 0; i < n; i++) {
    sloe_layer_spec s;
    assert_true(sloe_design_draw(&rng, NULL, NULL, &s));
    count(&c, &s);
  }
  for (int i = 0; i < SLOE_SPEC_OP_COUNT; i++)
    if (c.op[i] < 15) fail_msg("%s: %zu of %zu", sloe_spec_op_text((sloe_spec_op)i), c.op[i], n);
  for (int i = 0; i < SLOE_SPEC_WITH_COUNT; i++) assert_true(c.with[i] > 5);
  for (int i = 0; i < 3; i++) assert_true(c.grouping[i] > 50);
  assert_true(c.act[SLOE_SPEC_ACT_RELU] > n / 20 && c.act[SLOE_SPEC_ACT_NONE] > n / 3);
  assert_true(c.square > n / 10 && c.square < c.op[SLOE_SPEC_CONV]);
  assert_true(c.odd_kernel > 10 && c.dilated > 10 && c.residual > 50);
  assert_true(c.op[SLOE_SPEC_CONV] > n / 2); /* where networks spend their time */
}

/* Possible, of the same family, of about the same sizes, seldom the same. */
static void variations_are_possible_and_near(void **state) {
  sloe_rng rng;
  int n = 0, n_same = 0;
  (void)state;
  sloe_rng_seed(&rng, 11);
  for (int i = 0; i < 2000; i++) {
    sloe_layer_spec like, s;
    assert_true(sloe_design_draw(&rng, NULL, NULL, &like));
    if (!sloe_design_vary(&rng, &like, NULL, &s)) continue;
    assert_usual(&s);
    n++;
    n_same += sloe_layer_spec_same(&s, &like);
    const sloe_layer_key a = sloe_layer_key_of(&s), b = sloe_layer_key_of(&like);
    if (sloe_layer_key_compare(&a, &b)) assert_true(s.op == SLOE_SPEC_CONV && like.groups > 1);
    assert_true(s.h <= 2 * like.h + 16 && 2 * s.h + 16 >= like.h);
    if (like.k == like.c) assert_int_equal(s.k, s.c);
    if (like.h == like.w) assert_int_equal(s.h, s.w);
  }
  assert_true(n > 1900 && n_same < 200);
}

/* Whole blocks stay whole: of 512 channels 128, of 256 64, of 48 16, of 24 8. */
static void variations_keep_the_blocks_of_channels(void **state) {
  static const struct {
    int64_t c, block;
  } rows[] = {{4096, 128}, {512, 128}, {256, 64}, {128, 32}, {96, 16}, {48, 16}, {24, 8}};
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 7);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_layer_spec like = sloe_layer_spec_none(), s;
    int n_others = 0, n_odd = 0;
    like.op = SLOE_SPEC_FC;
    like.c = rows[i].c;
    like.k = 1000;
    for (int n = 0; n < 200; n++) {
      assert_true(sloe_design_vary(&rng, &like, NULL, &s));
      assert_int_equal(s.c % rows[i].block, 0);
      n_others += s.c != like.c;
      n_odd += s.c % (2 * rows[i].block) != 0;
    }
    assert_true(n_others > 50 && n_odd > 20);
  }
}

static void only_draws_ops_whose_name_begins_so(void **state) {
  sloe_rng rng;
  sloe_layer_spec s;
  (void)state;
  sloe_rng_seed(&rng, 2);
  for (int i = 0; i < 300; i++) {
    assert_true(sloe_design_draw(&rng, "conv", NULL, &s));
    assert_int_equal(s.op, SLOE_SPEC_CONV);
    assert_true(sloe_design_draw(&rng, "co", NULL, &s));
    assert_int_equal(strncmp(sloe_spec_op_text(s.op), "co", 2), 0);
  }
  assert_false(sloe_design_draw(&rng, "nosuch", NULL, &s));
  assert_false(sloe_design_draw(&rng, "convolution", NULL, &s));
}

/* What the design draws little of: products of some rows by few units, wide groups. */
static void edges_are_possible_and_are_what_the_design_lacks(void **state) {
  sloe_rng rng;
  int rows = 0, wide = 0;
  (void)state;
  sloe_rng_seed(&rng, 1000003 + 6);
  for (int i = 0; i < 275; i++) { /* as many as a campaign has */
    sloe_layer_spec s;
    sloe_design_draw_edge(&rng, NULL, &s);
    assert_usual(&s);
    assert_true(sloe_layer_spec_macs(&s) <= UINT64_C(10000000000));
    rows += s.op == SLOE_SPEC_FC && s.n >= 8 && s.k <= 160;
    wide += s.groups > 1 && s.groups <= 64 && s.c / s.groups >= 32;
  }
  assert_true(rows > 20 && wide > 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_vary_one_coordinate_and_nothing_else),
      cmocka_unit_test(lines_of_a_family_stand_together_and_none_twice),
      cmocka_unit_test(every_draw_is_possible_and_within_limits),
      cmocka_unit_test(what_a_longer_campaign_goes_on_with_is_possible_and_reaches_further),
      cmocka_unit_test(draws_are_the_same_of_one_seed_and_others_of_another),
      cmocka_unit_test(one_campaign_draws_every_kind),
      cmocka_unit_test(variations_are_possible_and_near),
      cmocka_unit_test(variations_keep_the_blocks_of_channels),
      cmocka_unit_test(only_draws_ops_whose_name_begins_so),
      cmocka_unit_test(edges_are_possible_and_are_what_the_design_lacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
