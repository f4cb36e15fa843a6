/* The families of the zoo: they count what others count of the same networks, agree with exports of
 * them feature by feature, and answer a spec with a network or with a reason. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/number.h"
#include "base/rng.h"
#include "net/net.h"
#include "unit/zoo_files.h"

#define GOLDENS SLOE_SOURCE_DIR "/tests/data/zoo-goldens.csv"
#define PAIRS   SLOE_SOURCE_DIR "/tests/data/zoo-models.csv"
#define MODELS  SLOE_SOURCE_DIR "/../shared/models/"

/* ---- figures of others ---- */

/* "25557032" exactly, "7.71G" to its last digit. */
static void agrees(const char *net, const char *figure, const char *expected, uint64_t got) {
  static const char suffixes[] = "MG";
  size_t len = strlen(expected), decimals = 0;
  double value, unit = 1;
  if (!len) return;
  const char *suffix = strchr(suffixes, expected[len - 1]), *point = strchr(expected, '.');
  if (suffix) {
    len--;
    unit = *suffix == 'M' ? 1e6 : 1e9;
    decimals = point ? (size_t)(expected + len - point) - 1 : 0;
  }
  assert_true(sloe_parse_double(expected, len, &value));
  const double slack = suffix ? 0.5 * unit / pow(10, (double)decimals) : 0;
  if (fabs((double)got - value * unit) > slack)
    fail_msg("%s: %s is %llu, not %s", net, figure, (unsigned long long)got, expected);
}

static void take_golden(const sloe_csv_reader *r) {
  const char *net = zoo_field(r, "net");
  sloe_net *opened = open_zoo(net);
  const sloe_net_info *info = sloe_net_get_info(opened);
  agrees(net, "params", zoo_field(r, "params"), info->params);
  agrees(net, "trainable_params", zoo_field(r, "trainable_params"), info->trainable_params);
  agrees(net, "mac_flops", zoo_field(r, "mac_flops"), info->mac_flops);
  agrees(net, "conv_flops", zoo_field(r, "conv_flops"), info->flops_by_kind[SLOE_FLOPS_CONV]);
  assert_int_equal(info->n_unknown_ops, 0);
  assert_int_equal(sloe_net_warning_count(opened), 0);
  assert_true(*zoo_field(r, "source"));
  sloe_net_free(opened);
}

static void networks_count_what_others_count_of_them(void **state) {
  (void)state;
  assert_true(each_row_of_file(GOLDENS, take_golden) > 100);
}

/* ---- exports ---- */

static void same_features(const char *net, const sloe_net_info *a, const sloe_net_info *b) {
  assert_int_equal(a->n_features, b->n_features);
  for (size_t i = 0; i < a->n_features; i++) {
    const sloe_feature *x = &a->features[i], *y = &b->features[i];
    if (strstr(x->name, "_raw")) continue; /* exports are folded already */
    if (x->value != y->value && !(isnan(x->value) && isnan(y->value)))
      fail_msg("%s: %s is %g, of the export %g", net, x->name, x->value, y->value);
  }
}

static void take_pair(const sloe_csv_reader *r) {
  char path[512];
  const char *net = zoo_field(r, "net");
  snprintf(path, sizeof path, MODELS "%s", zoo_field(r, "file"));
  sloe_net *made = open_zoo(net), *read = open_zoo(path);
  same_features(net, sloe_net_get_info(made), sloe_net_get_info(read));
  sloe_net_free(read);
  sloe_net_free(made);
}

static void a_network_has_the_features_of_its_export(void **state) {
  (void)state;
  if (access(MODELS "models.csv", R_OK)) skip();
  assert_int_equal(each_row_of_file(PAIRS, take_pair), 38);
}

/* The network that is the export of a file; NULL: the zoo has none. */
static const char *wanted_file;
static char found_net[256];

static void find_pair(const sloe_csv_reader *r) {
  if (!strcmp(zoo_field(r, "file"), wanted_file))
    snprintf(found_net, sizeof found_net, "%s", zoo_field(r, "net"));
}

static size_t n_models;

static void take_model(const sloe_csv_reader *r) {
  wanted_file = zoo_field(r, "file");
  *found_net = '\0';
  each_row_of_file(PAIRS, find_pair);
  if (!*found_net) return;
  sloe_net *net = open_zoo(found_net);
  const sloe_net_info *info = sloe_net_get_info(net);
  agrees(found_net, "trainable_params", zoo_field(r, "torch_params"), info->trainable_params);
  agrees(found_net, "mac_flops", zoo_field(r, "mac_flops"), info->mac_flops);
  sloe_net_free(net);
  n_models++;
}

static void a_network_counts_what_torch_counted_of_its_export(void **state) {
  (void)state;
  if (access(MODELS "models.csv", R_OK)) skip();
  n_models = 0;
  each_row_of_file(MODELS "models.csv", take_model);
  assert_int_equal(n_models, 38);
}

/* ---- flavours ---- */

/* "0,0,1,1" of the `skip`-th node of `op` that has a stride of 2. */
static const char *pads_of_stride_two(const sloe_net *net, sloe_op op, size_t skip) {
  static char text[64];
  for (size_t i = 0; i < net->n_nodes; i++) {
    size_t n;
    const int64_t *strides = sloe_node_ints(&net->nodes[i], "strides", &n);
    if (net->nodes[i].op != op || n != 2 || strides[0] != 2 || skip--) continue;
    const int64_t *pads = sloe_node_ints(&net->nodes[i], "pads", &n);
    assert_int_equal(n, 4);
    snprintf(text, sizeof text, "%d,%d,%d,%d", (int)pads[0], (int)pads[1], (int)pads[2],
             (int)pads[3]);
    return text;
  }
  return "none";
}

static void networks_of_keras_are_padded_as_tensorflow_pads(void **state) {
  (void)state;
  static const struct {
    const char *net;
    sloe_op op;
    size_t skip;
    const char *torch, *keras;
  } rows[] = {
      {"zoo:mobilenet,version=1,input=224", SLOE_OP_CONV, 1, "1,1,1,1", "0,0,1,1"},
      {"zoo:mobilenet,version=1,input=221", SLOE_OP_CONV, 1, "1,1,1,1", "0,0,1,1"},
      {"zoo:mobilenet,version=2,input=224", SLOE_OP_CONV, 0, "1,1,1,1", "0,0,1,1"},
      {"zoo:mobilenet,version=2,input=223", SLOE_OP_CONV, 0, "1,1,1,1", "1,1,1,1"},
      {"zoo:mobilenet,version=3,input=224", SLOE_OP_CONV, 2, "2,2,2,2", "1,1,2,2"},
      {"zoo:efficientnet,input=224", SLOE_OP_CONV, 2, "2,2,2,2", "1,1,2,2"},
      {"zoo:xception,input=299", SLOE_OP_MAX_POOL, 0, "1,1,1,1", "1,1,1,1"},
      {"zoo:xception,input=298", SLOE_OP_MAX_POOL, 0, "1,1,1,1", "0,0,1,1"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[128];
    snprintf(text, sizeof text, "%s,flavour=keras", rows[i].net);
    sloe_net *torch = open_zoo(rows[i].net), *keras = open_zoo(text);
    assert_string_equal(pads_of_stride_two(torch, rows[i].op, rows[i].skip), rows[i].torch);
    assert_string_equal(pads_of_stride_two(keras, rows[i].op, rows[i].skip), rows[i].keras);
    sloe_net_free(keras);
    sloe_net_free(torch);
  }
}

/* ---- specs ---- */

/* What a family needs besides: all its keys that have no default. */
static const char *needed_by(const char *family) {
  if (!strcmp(family, "layer")) return ",op=conv,c=3,h=8,w=8,kernel=3";
  if (!strcmp(family, "random")) return ",seed=1";
  if (!strcmp(family, "chain")) return ",layers=3,filters=16";
  if (!strcmp(family, "nb201"))
    return ",cell=|none~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|";
  return "";
}

static void every_family_opens_by_its_defaults_and_grows_with_the_batch(void **state) {
  (void)state;
  for (size_t i = 0; i < sloe_zoo_family_count(); i++) {
    const char *family = sloe_zoo_family_at(i)->name;
    char text[256];
    sloe_net *three;
    sloe_error err;
    snprintf(text, sizeof text, "zoo:%s%s", family, needed_by(family));
    sloe_net *one = open_zoo(text);
    assert_ok(sloe_net_open(text, &(sloe_net_options){.batch = 3}, &three, &err), err);
    assert_int_equal(sloe_net_get_info(three)->batch, 3);
    assert_int_equal(sloe_net_get_info(three)->macs, 3 * sloe_net_get_info(one)->macs);
    assert_int_equal(sloe_net_get_info(three)->params, sloe_net_get_info(one)->params);
    assert_true(sloe_net_get_info(one)->macs > 0);
    sloe_net_free(three);
    sloe_net_free(one);
  }
}

static void every_key_says_what_it_takes(void **state) {
  (void)state;
  for (size_t i = 0; i < sloe_zoo_family_count(); i++) {
    const sloe_zoo_family *family = sloe_zoo_family_at(i);
    assert_true(*family->doc && family->n_keys);
    for (size_t k = 0; k < family->n_keys; k++) {
      const sloe_zoo_key *key = &family->keys[k];
      assert_true(*key->name && *key->doc);
      assert_true((key->takes == SLOE_ZOO_WORD) == (key->words != NULL));
      assert_true(key->takes == SLOE_ZOO_WORD || key->takes == SLOE_ZOO_TEXT ||
                  key->least < key->most);
    }
  }
}

/* Both ends of a range and what is near them; images and counts that a test has time for. */
static double draw_number(sloe_rng *rng, const sloe_zoo_key *key) {
  const double cap = key->takes == SLOE_ZOO_IMAGE ? 320 : key->least + 40;
  const double most = key->most < cap ? key->most : cap;
  return key->least + (most - key->least) * pow(sloe_rng_uniform(rng), 3);
}

static void draw_word(sloe_rng *rng, const sloe_zoo_key *key, char *out, size_t size) {
  const char *word = key->words;
  int64_t n = 1;
  for (const char *p = word; *p; p++) n += *p == '|';
  for (int64_t skip_words = sloe_rng_between(rng, 0, n - 1); skip_words > 0; skip_words--)
    word = strchr(word, '|') + 1;
  snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
}

static void draw_value(sloe_rng *rng, const sloe_zoo_key *key, char *out, size_t size) {
  char number[SLOE_NUMBER_BUF];
  switch (key->takes) {
    case SLOE_ZOO_WORD: draw_word(rng, key, out, size); return;
    case SLOE_ZOO_REAL:
      snprintf(out, size, "%s", sloe_format_double(draw_number(rng, key), number));
      return;
    case SLOE_ZOO_IMAGE:
      snprintf(out, size, "%dx%dx%d", (int)sloe_rng_between(rng, 1, 4), (int)draw_number(rng, key),
               (int)draw_number(rng, key));
      return;
    case SLOE_ZOO_TEXT: snprintf(out, size, "%d", (int)sloe_rng_between(rng, 1, 5)); return;
    default: snprintf(out, size, "%lld", (long long)draw_number(rng, key)); return;
  }
}

/* Each key with even odds, those that must be there always; a cell as it must be. */
static void draw_spec(sloe_rng *rng, const sloe_zoo_family *family, char text[1024]) {
  size_t len = (size_t)snprintf(text, 1024, "zoo:%s", family->name);
  for (size_t i = 0; i < family->n_keys; i++) {
    const sloe_zoo_key *key = &family->keys[i];
    char value[256];
    const int wanted = sloe_rng_between(rng, 0, 1) == 1;
    draw_value(rng, key, value, sizeof value);
    if (!wanted && key->fallback) continue;
    if (!strcmp(key->name, "cell"))
      len += (size_t)snprintf(text + len, 1024 - len, "%s", needed_by("nb201"));
    else
      len += (size_t)snprintf(text + len, 1024 - len, ",%s=%s", key->name, value);
  }
}

static void whatever_the_ranges_allow_is_a_network_or_has_a_reason(void **state) {
  (void)state;
  sloe_rng rng;
  int opened = 0, refused = 0;
  sloe_rng_seed(&rng, 20);
  for (size_t i = 0; i < sloe_zoo_family_count(); i++)
    for (int n = 0; n < 30; n++) {
      char text[1024];
      sloe_net *net;
      sloe_error err = {0};
      draw_spec(&rng, sloe_zoo_family_at(i), text);
      const sloe_status status = sloe_net_open(text, NULL, &net, &err);
      if (status != SLOE_OK && status != SLOE_USAGE && status != SLOE_UNSUPPORTED)
        fail_msg("%s: %s", text, err.msg);
      assert_true(status == SLOE_OK ? net != NULL : net == NULL && *err.msg);
      opened += status == SLOE_OK;
      refused += status != SLOE_OK;
      if (net) assert_int_equal(sloe_net_get_info(net)->n_unknown_ops, 0);
      sloe_net_free(net);
    }
  print_message("%d opened, %d refused\n", opened, refused);
  assert_true(opened > 300 && refused > 50);
}

static void mistakes_are_refused_with_their_key(void **state) {
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"zoo:resnet,depth=51", "resnet: depth: '51' is none of 18|34|50"},
      {"zoo:resnet,depth=20,version=2", "no version 2 of depth 20"},
      {"zoo:resnet,depth=164", "no version 1 of depth 164"},
      {"zoo:resnet,depth=18,flavour=keras", "flavour=keras and caffe"},
      {"zoo:resnet,depth=18,width=2", "width is of version 1 of depth 50"},
      {"zoo:resnet,input=3x224", "height and width are in 8..8192"},
      {"zoo:resnet,input=224x", "neither 224 nor 224x320 nor 3x224x320"},
      {"zoo:resnet,input=1x2x3x4", "neither 224 nor 224x320 nor 3x224x320"},
      {"zoo:resnet,input=0x224x224", "0 channels: 1 to 4096"},
      {"zoo:resnet,classes=0", "classes: '0' is not a whole number in 1..100000"},
      {"zoo:resnet,flavor=keras", "key 'flavor' is not known"},
      {"zoo:mobilenet,width=nan", "width: 'nan' is not a number in 0.1..16"},
      {"zoo:mobilenet,width=1.0x", "width: '1.0x'"},
      {"zoo:mobilenet,version=2,variant=small", "variant and minimal are of version 3"},
      {"zoo:shufflenet,width=0.7", "version 2 has 0.5, 1, 1.5 and 2"},
      {"zoo:shufflenet,groups=3", "groups are of version 1"},
      {"zoo:shufflenet,version=1,groups=5", "groups: '5' is none of 1|2|3|4|8"},
      {"zoo:senet,depth=154,variant=resnext", "variant=resnext is of depth 50"},
      {"zoo:efficientnet,variant=b8", "variant: 'b8'"},
      {"zoo:regnet,variant=x_3_2gf", "variant: 'x_3_2gf' is none of x_200mf|x_400mf"},
      {"zoo:regnet,variant=", "regnet: variant: '' is none of"},
      {"zoo:regnet,w0=36", "regnet: w0: 36 is no multiple of 8"},
      {"zoo:regnet,wm=1", "wm: '1' is not a number in 1.1..16"},
      {"zoo:ghostnet,width=0", "width: '0' is not a number in 0.1..16"},
      {"zoo:alexnet,input=63,flavour=caffe", "input: too small"},
      {"zoo:chain,layers=4", "chain: 'filters' is missing"},
      {"zoo:chain,layers=4,filters=8,k1=3,k2=5", "only kind=mixed has two kernels"},
      {"zoo:chain,layers=9,filters=8,k1=7,input=4", "input: too small"},
      {"zoo:nb201,cell=|none~0|", "cell: no cell like"},
      {"zoo:nb201,cell=|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "no cell like"},
      {"zoo:nb201,cell=|none~0|+|none~0|none~1|+|none~0|none~1|none~2|+", "no cell like"},
      {"zoo:nb201", "nb201: 'cell' is missing"},
  };
  (void)state;
  const long live = sloe_alloc_live();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sloe_net *net = (sloe_net *)1;
    sloe_error err;
    assert_refused(sloe_net_open(bad[i].text, NULL, &net, &err), SLOE_USAGE, err, bad[i].message);
    assert_null(net);
  }
  assert_int_equal(sloe_alloc_live(), live);
}

static void every_allocation_may_fail(void **state) {
  static const char *const texts[] = {
      "zoo:shufflenet", "zoo:inception_resnet", "zoo:faster_rcnn",
      "zoo:nb201,cells=1,cell=|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|skip_connect~2|"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const long live = sloe_alloc_live();
    for (long n = 0;; n++) {
      sloe_net *net;
      sloe_error err;
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_net_open(texts[i], NULL, &net, &err);
      sloe_alloc_fail_after(-1);
      assert_true((status == SLOE_OK) == (net != NULL));
      sloe_net_free(net);
      assert_int_equal(sloe_alloc_live(), live);
      if (status == SLOE_OK) break;
      assert_int_equal(status, SLOE_NOMEM);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(networks_count_what_others_count_of_them),
      cmocka_unit_test(a_network_has_the_features_of_its_export),
      cmocka_unit_test(a_network_counts_what_torch_counted_of_its_export),
      cmocka_unit_test(networks_of_keras_are_padded_as_tensorflow_pads),
      cmocka_unit_test(every_family_opens_by_its_defaults_and_grows_with_the_batch),
      cmocka_unit_test(every_key_says_what_it_takes),
      cmocka_unit_test(whatever_the_ranges_allow_is_a_network_or_has_a_reason),
      cmocka_unit_test(mistakes_are_refused_with_their_key),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
