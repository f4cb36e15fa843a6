/* Layers of known networks: which are listed, and what is drawn from them. */
#include "campaign/design_known.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "net/net.h"
#include "unit/unit.h"

static sloe_design_known known;

static int open_list(void **state) {
  sloe_error err;
  (void)state;
  return sloe_design_known_init(&known, &err) != SLOE_OK;
}

static int close_list(void **state) {
  (void)state;
  sloe_design_known_fini(&known);
  return sloe_alloc_live() != 0;
}

static void every_kind_of_a_family_is_of_layers_that_take_time_none_twice(void **state) {
  const sloe_design_ends *kinds = &known.kinds, *families = &known.families;
  (void)state;
  assert_true(families->n > 10 && known.n > 1000);
  assert_int_equal(families->end[families->n - 1], kinds->n);
  assert_int_equal(kinds->end[kinds->n - 1], known.n);
  for (size_t f = 0, k = 0; f < families->n; f++) {
    const size_t first_kind = k;
    for (; k < families->end[f]; k++) {
      const size_t first = k ? kinds->end[k - 1] : 0;
      const sloe_layer_key key = sloe_layer_key_of(&known.specs[first]);
      assert_true(kinds->end[k] > first);
      for (size_t i = first; i < kinds->end[k]; i++) {
        sloe_error err;
        sloe_layer_key of = sloe_layer_key_of(&known.specs[i]);
        memcpy(of.stride, key.stride, sizeof of.stride);
        assert_ok(sloe_layer_spec_check(&known.specs[i], &err), err);
        assert_int_equal(sloe_layer_key_compare(&of, &key), 0);
        for (size_t j = first; j < i; j++)
          assert_false(sloe_layer_spec_same(&known.specs[i], &known.specs[j]));
      }
    }
    assert_true(k > first_kind + 2);
  }
}

static void draw(uint64_t seed, sloe_layer_spec *out, size_t n) {
  const sloe_design_limits limits = {UINT64_C(250000000000), 16};
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) sloe_design_known_draw(&known, &rng, &limits, &out[i]);
}

enum { N = 3000 };
static sloe_layer_spec drawn[N], again[N];

static void draws_are_possible_and_within_limits(void **state) {
  (void)state;
  draw(3, drawn, N);
  for (size_t i = 0; i < N; i++) {
    char text[SLOE_SPEC_TEXT];
    sloe_layer_spec read;
    sloe_error err;
    assert_ok(sloe_layer_spec_check(&drawn[i], &err), err);
    assert_ok(sloe_layer_spec_parse(sloe_layer_spec_print(&drawn[i], text), &read, &err), err);
    assert_true(sloe_layer_spec_same(&drawn[i], &read));
    assert_true(sloe_layer_spec_macs(&drawn[i]) <= UINT64_C(250000000000));
    assert_true(drawn[i].n <= 16);
  }
}

static void draws_are_the_same_of_one_seed_and_others_of_another(void **state) {
  size_t others = 0;
  (void)state;
  draw(3, drawn, N);
  draw(3, again, N);
  for (size_t i = 0; i < N; i++) assert_true(sloe_layer_spec_same(&drawn[i], &again[i]));
  draw(4, again, N);
  for (size_t i = 0; i < N; i++) others += !sloe_layer_spec_same(&drawn[i], &again[i]);
  assert_true(others > N * 9 / 10);
}

static void no_draw_is_a_known_layer_itself(void **state) {
  (void)state;
  draw(3, drawn, N);
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < known.n; j++)
      assert_false(sloe_layer_spec_same(&drawn[i], &known.specs[j]));
}

/* The recordings of data/ answer these alone (`--max-gflop 500 --max-batch 16 --more 1500`, seed
   1): who changes what is drawn has them to measure again. */
static void the_first_campaign_draws_what_was_recorded(void **state) {
  uint64_t sum = 0;
  (void)state;
  draw(1000003 + 5, drawn, 500);
  for (size_t i = 0; i < 500; i++) {
    char text[SLOE_SPEC_TEXT];
    sloe_layer_spec_print(&drawn[i], text);
    sum = sum * 31 + sloe_hash64(text, strlen(text));
  }
  assert_int_equal(sum, UINT64_C(0xd502a9099c9bdb81));
}

/* What the random design has three of in a whole campaign. */
static void draws_lie_where_networks_have_their_layers(void **state) {
  size_t stages = 0, depthwise = 0, heads = 0, batches = 0, round = 0, dense = 0;
  (void)state;
  draw(5, drawn, N);
  for (size_t i = 0; i < N; i++) {
    const sloe_layer_spec *s = &drawn[i];
    batches += s->n > 1;
    heads += s->op == SLOE_SPEC_FC;
    if (s->op != SLOE_SPEC_CONV) continue;
    depthwise += s->groups > 1 && s->groups == s->c;
    if (s->groups > 1) continue;
    dense++;
    round += s->c % 16 == 0 && s->k % 16 == 0;
    stages += s->kernel[0] == 3 && s->c >= 64 && s->k >= 64 && s->h >= 7 && s->h <= 56;
  }
  assert_true(stages > N / 20 && depthwise > N / 20 && heads > N / 20);
  assert_true(batches > N / 5 && batches < N / 2);
  assert_true(round > dense / 2 && dense > N / 3);
}

static void memory_that_runs_out_is_said_and_nothing_is_kept(void **state) {
  int failed = 0;
  (void)state;
  for (long n = 0; n < 4000; n += 1 + n / 4) {
    sloe_design_known list;
    sloe_error err;
    const long live = sloe_alloc_live();
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_design_known_init(&list, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
    failed += status != SLOE_OK;
    sloe_design_known_fini(&list);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_true(failed > 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_of_a_family_is_of_layers_that_take_time_none_twice),
      cmocka_unit_test(draws_are_possible_and_within_limits),
      cmocka_unit_test(draws_are_the_same_of_one_seed_and_others_of_another),
      cmocka_unit_test(no_draw_is_a_known_layer_itself),
      cmocka_unit_test(the_first_campaign_draws_what_was_recorded),
      cmocka_unit_test(draws_lie_where_networks_have_their_layers),
      cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_is_kept),
  };
  return cmocka_run_group_tests(tests, open_list, close_list);
}
