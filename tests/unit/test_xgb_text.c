/* XGBoost's text of trees: what is read answers as the text says, what is none is refused. */
#include <math.h>

#include "learn/xgb_text.h"
#include "unit/unit.h"

static sloe_status read_one(const char *text, sloe_learned *m, sloe_error *err) {
  assert_ok(sloe_learned_init(m, 3, err), *err);
  const sloe_status status = sloe_xgb_read_trees(&text, 1, m, err);
  if (status == SLOE_OK) assert_ok(sloe_learned_check(m, err), *err);
  return status;
}

static void a_threshold_itself_goes_right(void **state) {
  (void)state;
  sloe_learned m;
  sloe_error err;
  assert_ok(read_one("0:[f2<2.5] yes=1,no=2,missing=1\n\t1:leaf=-0.25\n\t2:leaf=4\n", &m, &err),
            err);
  assert_true(sloe_learned_predict(&m, (double[]){0, 0, 2.5}) == 4);
  assert_true(sloe_learned_predict(&m, (double[]){0, 0, nextafterf(2.5F, 0)}) == -0.25);
  sloe_learned_fini(&m);
}

static void numbers_with_holes_are_numbered_anew(void **state) {
  (void)state;
  sloe_learned m;
  sloe_error err;
  assert_ok(read_one("0:[f0<0] yes=7,no=4,missing=7\n\t7:[f1<1e-3] yes=9,no=2,missing=9\n"
                     "\t\t9:leaf=1\n\t\t2:leaf=2\n\t4:leaf=3\n",
                     &m, &err),
            err);
  assert_int_equal(m.trees.n_nodes, 5);
  assert_true(sloe_learned_predict(&m, (double[]){-1, 0, 0}) == 1);
  assert_true(sloe_learned_predict(&m, (double[]){-1, 1, 0}) == 2);
  assert_true(sloe_learned_predict(&m, (double[]){1, 1, 0}) == 3);
  sloe_learned_fini(&m);
}

static void a_tree_of_one_leaf_is_a_tree(void **state) {
  (void)state;
  sloe_learned m;
  sloe_error err;
  assert_ok(read_one("0:leaf=0.5\n", &m, &err), err);
  assert_true(sloe_learned_predict(&m, (double[]){0, 0, 0}) == 0.5);
  sloe_learned_fini(&m);
}

static void what_is_no_tree_is_refused(void **state) {
  (void)state;
  static const char *const texts[] = {
      "",
      "nothing\n",
      "0:leaf=\n",
      "0:leaf=x\n",
      "0:[f3<1] yes=1,no=2,missing=1\n\t1:leaf=1\n\t2:leaf=2\n", /* three inputs only */
      "0:[f0<1] yes=1,no=2,missing=1\n\t1:leaf=1\n",             /* a child is missing */
      "0:[f0<1] yes=0,no=0,missing=0\n",                         /* its own child */
      "0:[f0<1] yes=1,no=0,missing=0\n\t1:leaf=1\n",             /* a circle */
      "0:[f0<1] yes=1,no=1,missing=0\n\t1:leaf=1\n",             /* twins: more nodes than lines */
      "0:leaf=1\n0:leaf=2\n",                                    /* twice */
      "1:leaf=1\n",                                              /* no root */
      "0:[f0<1] yes=1\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    sloe_learned m;
    sloe_error err;
    assert_refused(read_one(texts[i], &m, &err), SLOE_FORMAT, err, "no tree");
    sloe_learned_fini(&m);
  }
  assert_int_equal(sloe_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_threshold_itself_goes_right),
      cmocka_unit_test(numbers_with_holes_are_numbered_anew),
      cmocka_unit_test(a_tree_of_one_leaf_is_a_tree),
      cmocka_unit_test(what_is_no_tree_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
