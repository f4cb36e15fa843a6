/* Plans of whole networks: what the paper's Table 3 counts, the same whenever they are made. */
#include <math.h>

#include "campaign/plan.h"
#include "net/net.h"
#include "unit/store_files.h"

static sloe_plan *plan_of(const sloe_collect_options *options) {
  sloe_plan *plan;
  sloe_error err;
  assert_ok(sloe_plan_new(options, &plan, &err), err);
  return plan;
}

static sloe_plan *plan_named(const char *name) {
  return plan_of(&(sloe_collect_options){.plan = name});
}

static size_t count_of(const sloe_plan *plan, const char *family, const char *split) {
  size_t n = 0;
  for (size_t i = 0; i < plan->n; i++)
    n += (!family || !strcmp(plan->entries[i].family, family)) &&
         (!split || !strcmp(plan->entries[i].split, split));
  return n;
}

static const sloe_plan_entry *find(const sloe_plan *plan, const char *net) {
  for (size_t i = 0; i < plan->n; i++)
    if (!strcmp(plan->entries[i].net, net)) return &plan->entries[i];
  return NULL;
}

/* ---- nis ---- */

static const struct {
  const char *family;
  int variants, sizes, least, most;
} TABLE_3[] = {{"googlenet", 1, 15, 224, 1024},
               {"inception", 1, 20, 75, 1024},
               {"inception_resnet", 1, 20, 75, 1024},
               {"dpn", 4, 20, 75, 1024},
               {"densenet", 5, 23, 32, 1024},
               {"xception", 1, 23, 32, 1024},
               {"efficientnet", 4, 23, 32, 1024},
               {"mnasnet", 5, 25, 32, 1600},
               {"resnet-v1", 12, 25, 32, 1600},
               {"resnet-v2", 7, 25, 32, 1600},
               {"mobilenet-v1", 4, 27, 32, 2400},
               {"mobilenet-v2", 5, 27, 32, 2400},
               {"mobilenet-v3", 4, 27, 32, 2400},
               {"resnext", 2, 27, 32, 2400},
               {"senet", 6, 27, 32, 2400},
               {"shufflenet-v1", 4, 27, 32, 2400},
               {"shufflenet-v2", 3, 27, 32, 2400}};
enum { N_FAMILIES = sizeof TABLE_3 / sizeof *TABLE_3 };

static int64_t size_of(const char *net) {
  return strtoll(strstr(net, "input=") + 6, NULL, 10);
}

static void nis_has_as_many_networks_as_table_3(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("nis");
  size_t sum = 0;
  for (size_t i = 0; i < N_FAMILIES; i++) {
    const size_t wanted = (size_t)(TABLE_3[i].variants * TABLE_3[i].sizes);
    if (count_of(plan, TABLE_3[i].family, NULL) != wanted)
      fail_msg("%s: %zu", TABLE_3[i].family, count_of(plan, TABLE_3[i].family, NULL));
    sum += wanted;
  }
  assert_int_equal(sum, 1721);
  assert_int_equal(plan->n, sum);
  sloe_plan_free(plan);
}

static void its_sizes_lie_in_the_interval_of_the_family(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("nis");
  for (size_t f = 0; f < N_FAMILIES; f++) {
    int least = 0, most = 0;
    for (size_t i = 0; i < plan->n; i++) {
      if (strcmp(plan->entries[i].family, TABLE_3[f].family)) continue;
      const int64_t size = size_of(plan->entries[i].net);
      least += size == TABLE_3[f].least;
      most += size == TABLE_3[f].most;
      assert_true(size >= TABLE_3[f].least && size <= TABLE_3[f].most);
      assert_true(size == TABLE_3[f].least || size == TABLE_3[f].most || size % 32 == 0);
    }
    assert_int_equal(least, TABLE_3[f].variants);
    assert_int_equal(most, TABLE_3[f].variants);
  }
  sloe_plan_free(plan);
}

static void sizes_are_evenly_spread_between_both_ends(void **state) {
  int64_t sizes[64];
  (void)state;
  for (size_t f = 0; f < N_FAMILIES; f++) {
    const size_t wanted = (size_t)TABLE_3[f].sizes;
    const size_t n = sloe_plan_sizes(TABLE_3[f].least, TABLE_3[f].most, wanted, sizes);
    assert_int_equal(n, wanted);
    assert_int_equal(sizes[0], TABLE_3[f].least);
    assert_int_equal(sizes[n - 1], TABLE_3[f].most);
    const double step = (double)(TABLE_3[f].most - TABLE_3[f].least) / (double)(n - 1);
    for (size_t i = 1; i < n; i++) {
      assert_true(sizes[i] > sizes[i - 1]);
      if (fabs((double)sizes[i] - (double)sizes[0] - step * (double)i) > 40)
        fail_msg("%s: size %zu is %d", TABLE_3[f].family, i, (int)sizes[i]);
    }
  }
  assert_int_equal(sloe_plan_sizes(32, 128, 10, sizes), 4); /* there are no more */
}

static void three_sizes_in_ten_are_for_testing(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("nis");
  const double share = (double)count_of(plan, NULL, "test") / (double)plan->n;
  assert_true(share > 0.27 && share < 0.33);
  assert_int_equal(count_of(plan, NULL, "test") + count_of(plan, NULL, "train"), plan->n);
  for (size_t f = 0; f < N_FAMILIES; f++) assert_true(count_of(plan, TABLE_3[f].family, "train"));
  sloe_plan_free(plan);
}

/* ---- ncv ---- */

static void ncv_leaves_whole_variants_out_of_training(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("ncv");
  size_t of_152 = 0;
  for (size_t i = 0; i < plan->n; i++) {
    const sloe_plan_entry *e = &plan->entries[i];
    if (!strcmp(e->variant, "resnet,depth=152")) of_152++, assert_string_equal(e->split, "test");
    if (!strcmp(e->variant, "resnet,depth=101")) assert_string_equal(e->split, "train");
    for (size_t k = 0; k < i; k++)
      if (!strcmp(e->variant, plan->entries[k].variant))
        assert_string_equal(e->split, plan->entries[k].split);
  }
  assert_int_equal(of_152, 4);
  assert_true(plan->n > 300 && plan->n < 450);
  sloe_plan_free(plan);
}

static void ncv_has_no_network_of_nis(void **state) {
  (void)state;
  sloe_plan *ncv = plan_named("ncv"), *nis = plan_named("nis");
  for (size_t i = 0; i < ncv->n; i++) {
    assert_null(find(nis, ncv->entries[i].net));
    assert_int_equal(size_of(ncv->entries[i].net) % 32, 0);
  }
  sloe_plan_free(ncv);
  sloe_plan_free(nis);
}

static void ncv_has_both_parts_of_every_family_in_it(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("ncv");
  for (size_t f = 0; f < N_FAMILIES; f++) {
    const char *family = TABLE_3[f].family;
    const int is_single = TABLE_3[f].variants == 1;
    assert_int_equal(!count_of(plan, family, "train"), is_single);
    assert_int_equal(!count_of(plan, family, "test"), is_single);
  }
  sloe_plan_free(plan);
}

/* ---- nca ---- */

static void nca_is_of_random_networks_each_of_another_seed(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("nca");
  assert_int_equal(plan->n, 335); /* 2,056 with nis */
  assert_string_equal(plan->entries[0].net, "zoo:random,seed=1000000");
  assert_string_equal(plan->entries[334].net, "zoo:random,seed=1000334");
  assert_int_equal(count_of(plan, "random", "test"), plan->n);
  sloe_plan_free(plan);
  plan = plan_of(&(sloe_collect_options){.plan = "nca", .count = 3, .seed = 7, .sizes = "64,128"});
  assert_int_equal(plan->n, 3);
  assert_string_equal(plan->entries[2].net, "zoo:random,seed=7000002,input=64");
  sloe_plan_free(plan);
}

/* ---- all ---- */

/* Small ones all; of those that take long to open one in ten. */
static void every_network_of_every_plan_opens(void **state) {
  static const char *const names[] = {"nis", "ncv", "nca"};
  (void)state;
  for (int k = 0; k < 3; k++) {
    sloe_plan *plan = plan_named(names[k]);
    for (size_t i = 0; i < plan->n; i++) {
      sloe_net *net;
      sloe_error err;
      if (i % 10 && !strstr(plan->entries[i].net, "input=75") &&
          !strstr(plan->entries[i].net, "input=32"))
        continue;
      if (sloe_net_open(plan->entries[i].net, NULL, &net, &err) != SLOE_OK)
        fail_msg("%s: %s", plan->entries[i].net, err.msg);
      sloe_net_free(net);
    }
    sloe_plan_free(plan);
  }
}

static void assert_same(const sloe_plan *a, const sloe_plan *b) {
  sloe_text p = {0}, q = {0};
  sloe_error err;
  assert_ok(sloe_plan_write(a, &p, &err), err);
  assert_ok(sloe_plan_write(b, &q, &err), err);
  assert_string_equal(p.data, q.data);
  sloe_text_fini(&p);
  sloe_text_fini(&q);
}

static void a_plan_is_the_same_each_time_and_another_of_another_seed(void **state) {
  (void)state;
  sloe_plan *a = plan_named("nis"), *b = plan_named("nis"),
            *c = plan_of(&(sloe_collect_options){.plan = "nis", .seed = 2});
  assert_same(a, b);
  assert_int_equal(a->n, c->n);
  assert_true(strcmp(a->entries[0].net, c->entries[0].net) != 0);
  sloe_plan_free(a);
  sloe_plan_free(b);
  sloe_plan_free(c);
}

static void a_beginning_of_a_plan_is_a_sample_of_all_families(void **state) {
  (void)state;
  sloe_plan *plan = plan_of(&(sloe_collect_options){.plan = "nis", .count = 172});
  assert_int_equal(plan->n, 172);
  for (size_t f = 0; f < N_FAMILIES; f++)
    if (TABLE_3[f].variants * TABLE_3[f].sizes > 100)
      assert_in_range(count_of(plan, TABLE_3[f].family, NULL), 2, 50);
  sloe_plan_free(plan);
}

static void one_network_in_twenty_is_measured_twice(void **state) {
  (void)state;
  sloe_plan *plan = plan_named("nis");
  size_t n = 0;
  for (size_t i = 0; i < plan->n; i++) n += plan->entries[i].again != 0;
  assert_in_range(n, plan->n / 30, plan->n / 14);
  sloe_plan_free(plan);
}

static void fewer_families_change_nothing_of_the_others(void **state) {
  (void)state;
  sloe_plan *all = plan_named("nis"),
            *some = plan_of(&(sloe_collect_options){.plan = "nis", .families = "resnet,dpn"});
  assert_int_equal(some->n, 19 * 25 + 80);
  size_t at = 0;
  for (size_t i = 0; i < some->n; i++) { /* in the same order, with the same marks */
    while (at < all->n && strcmp(all->entries[at].net, some->entries[i].net)) at++;
    assert_true(at < all->n);
    assert_int_equal(all->entries[at].again, some->entries[i].again);
    assert_string_equal(all->entries[at].split, some->entries[i].split);
  }
  sloe_plan_free(all);
  sloe_plan_free(some);
}

static void shares_are_disjoint_and_make_up_the_whole(void **state) {
  (void)state;
  sloe_plan *whole = plan_of(&(sloe_collect_options){.plan = "ncv", .count = 101});
  size_t sum = 0;
  for (size_t k = 1; k <= 3; k++) {
    sloe_plan *share =
        plan_of(&(sloe_collect_options){.plan = "ncv", .count = 101, .share = k, .shares = 3});
    assert_in_range(share->n, 33, 34);
    for (size_t i = 0; i < share->n; i++)
      assert_string_equal(share->entries[i].net, whole->entries[3 * i + k - 1].net);
    sum += share->n;
    sloe_plan_free(share);
  }
  assert_int_equal(sum, whole->n);
  sloe_plan_free(whole);
}

static void sizes_of_ones_own_are_taken_for_every_variant(void **state) {
  (void)state;
  sloe_plan *plan = plan_of(
      &(sloe_collect_options){.plan = "nis", .families = "mobilenet-v2", .sizes = "224,96,224"});
  assert_int_equal(plan->n, 10);
  assert_non_null(find(plan, "zoo:mobilenet,version=2,width=0.35,input=96"));
  sloe_plan_free(plan);
}

static void what_no_plan_has_is_refused(void **state) {
  static const struct {
    sloe_collect_options options;
    sloe_status status;
    const char *why;
  } cases[] = {
      {{.plan = "nix"}, SLOE_NOTFOUND, "plans are nis, ncv and nca"},
      {{.plan = "nis", .families = "resnet,lenet"}, SLOE_USAGE, "there is no 'lenet'"},
      {{.plan = "nis", .families = "resnet,,dpn"}, SLOE_USAGE, "there is no ''"},
      {{.plan = "nca", .families = "resnet"}, SLOE_USAGE, "random networks"},
      {{.plan = "nis", .sizes = "224,x"}, SLOE_USAGE, "'x' is no image size"},
      {{.plan = "nis", .sizes = "4"}, SLOE_USAGE, "'4' is no image size"},
      {{.plan = "nis", .share = 3, .shares = 2}, SLOE_USAGE, "share 3/2"},
      {{.plan = "nis", .share = 0, .shares = 2}, SLOE_USAGE, "share 0/2"},
      {{.plan = "nca", .count = 2000000}, SLOE_USAGE, "count 2000000"},
      {{.plan = "nca", .seed = UINT64_MAX}, SLOE_USAGE, "seed"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_plan *plan = (sloe_plan *)&plan;
    sloe_error err;
    assert_refused(sloe_plan_new(&cases[i].options, &plan, &err), cases[i].status, err,
                   cases[i].why);
    assert_null(plan);
  }
}

/* ---- tables ---- */

static sloe_status plan_table(const char *text, sloe_plan **plan, sloe_error *err) {
  FILE *file = fopen(store_path("nets.csv"), "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  return sloe_plan_new(&(sloe_collect_options){.plan = store_path("nets.csv")}, plan, err);
}

static void a_table_is_a_plan_with_its_spaces_and_splits(void **state) {
  sloe_plan *plan;
  sloe_error err;
  (void)state;
  assert_ok(plan_table("split,net,latency_ms\ntrain,\"zoo:resnet,depth=18\",2\n"
                       "test,a.onnx,\ntest,a.onnx,\n",
                       &plan, &err),
            err);
  assert_int_equal(plan->n, 2);
  assert_string_equal(find(plan, "zoo:resnet,depth=18")->split, "train");
  assert_string_equal(find(plan, "zoo:resnet,depth=18")->space, "");
  assert_string_equal(find(plan, store_path("a.onnx"))->split, "test"); /* beside the table */
  sloe_plan_free(plan);
}

static void a_plan_that_was_written_is_the_same_read_again(void **state) {
  sloe_text text = {0};
  sloe_plan *again;
  sloe_error err;
  (void)state;
  sloe_plan *plan = plan_named("ncv");
  assert_ok(sloe_plan_write(plan, &text, &err), err);
  assert_ok(plan_table(text.data, &again, &err), err);
  assert_same(plan, again);
  sloe_text_fini(&text);
  sloe_plan_free(plan);
  sloe_plan_free(again);
}

static void a_table_without_networks_is_refused(void **state) {
  sloe_plan *plan;
  sloe_error err;
  (void)state;
  assert_refused(plan_table("latency_ms\n2\n", &plan, &err), SLOE_FORMAT, err, "no column 'net'");
  assert_null(plan);
  assert_refused(plan_table("net,split\n,test\n", &plan, &err), SLOE_FORMAT, err, "without a net");
  assert_null(plan);
}

static void every_allocation_of_a_plan_may_fail(void **state) {
  (void)state;
  for (long n = 0;; n++) {
    sloe_plan *plan = (sloe_plan *)&plan;
    sloe_error err;
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_plan_new(&(sloe_collect_options){.plan = "ncv"}, &plan, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_plan_free(plan);
      assert_true(n > 2);
      return;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(plan);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nis_has_as_many_networks_as_table_3),
      cmocka_unit_test(its_sizes_lie_in_the_interval_of_the_family),
      cmocka_unit_test(sizes_are_evenly_spread_between_both_ends),
      cmocka_unit_test(three_sizes_in_ten_are_for_testing),
      cmocka_unit_test(ncv_leaves_whole_variants_out_of_training),
      cmocka_unit_test(ncv_has_no_network_of_nis),
      cmocka_unit_test(ncv_has_both_parts_of_every_family_in_it),
      cmocka_unit_test(nca_is_of_random_networks_each_of_another_seed),
      cmocka_unit_test(every_network_of_every_plan_opens),
      cmocka_unit_test(a_plan_is_the_same_each_time_and_another_of_another_seed),
      cmocka_unit_test(a_beginning_of_a_plan_is_a_sample_of_all_families),
      cmocka_unit_test(one_network_in_twenty_is_measured_twice),
      cmocka_unit_test(fewer_families_change_nothing_of_the_others),
      cmocka_unit_test(shares_are_disjoint_and_make_up_the_whole),
      cmocka_unit_test(sizes_of_ones_own_are_taken_for_every_variant),
      cmocka_unit_test(what_no_plan_has_is_refused),
      cmocka_unit_test_teardown(a_table_is_a_plan_with_its_spaces_and_splits, store_empty_folder),
      cmocka_unit_test_teardown(a_plan_that_was_written_is_the_same_read_again, store_empty_folder),
      cmocka_unit_test_teardown(a_table_without_networks_is_refused, store_empty_folder),
      cmocka_unit_test(every_allocation_of_a_plan_may_fail),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
