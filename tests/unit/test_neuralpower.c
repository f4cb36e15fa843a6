/* The layer set that is shipped: every row is a layer, written in the usual way, and the sums over
 * each network are those that were published. */
#include <math.h>

#include "base/csv.h"
#include "base/file.h"
#include "net/layer_spec.h"
#include "sloe/sloe.h"
#include "unit/table_text.h"

#define TABLE SLOE_SOURCE_DIR "/data/layers/neuralpower.csv"

enum { NETWORKS = 8, LARGEST = 1 << 20 };

typedef struct sums {
  const char *network;
  double macs, weights; /* published, 10^6 */
  size_t convs, pools, fcs;
} sums;

/* MACs and parameters as they are commonly quoted: Caffe's model zoo (AlexNet, CaffeNet), Simonyan
   and Zisserman, table 2 (VGG), the Caffe models' sizes (NiN, GoogLeNet, Faster R-CNN), Sermanet et
   al., table 4 (Overfeat: 145 million parameters, 2810 million connections). Nobody quotes MACs of
   Faster R-CNN at this size. */
static const sums PUBLISHED[NETWORKS] = {
    {"AlexNet", 724, 60.97, 5, 3, 3},   {"CaffeNet", 724, 60.97, 5, 3, 3},
    {"VGG16", 15470, 138.36, 13, 5, 3}, {"VGG19", 19632, 143.67, 16, 5, 3},
    {"NiN", 1100, 7.59, 12, 4, 0},      {"GoogLeNet", 1583, 6.998, 57, 14, 1},
    {"Overfeat", 2810, 145, 5, 3, 3},   {"Faster R-CNN", NAN, 137.08, 16, 4, 4},
};

static void take_row(const char *net, const char *network, sums *all) {
  char again[SLOE_SPEC_TEXT];
  sloe_layer_spec s;
  sloe_error err;
  size_t i = 0;
  assert_ok(sloe_layer_spec_parse(net, &s, &err), err);
  assert_string_equal(net, sloe_layer_spec_print(&s, again));
  while (i < NETWORKS && strcmp(network, PUBLISHED[i].network) != 0) i++;
  assert_true(i < NETWORKS);
  all[i].macs += 1e-6 * (double)sloe_layer_spec_macs(&s);
  all[i].weights += 1e-6 * (double)sloe_layer_spec_weights(&s);
  all[i].convs += s.op == SLOE_SPEC_CONV;
  all[i].pools += s.op == SLOE_SPEC_MAXPOOL || s.op == SLOE_SPEC_AVGPOOL;
  all[i].fcs += s.op == SLOE_SPEC_FC;
}

static void read_table(void (*take)(const char *, const char *, sums *), sums *all) {
  char *data;
  size_t len;
  sloe_error err;
  sloe_csv_reader *r;
  int more;
  assert_ok(sloe_file_read(TABLE, LARGEST, &data, &len, &err), err);
  text_source source = {data, len, 0, 0};
  assert_ok(sloe_csv_reader_open((sloe_csv_source){&source, text_source_read}, &r, &err), err);
  assert_int_equal(sloe_csv_reader_find(r, "net"), 0);
  assert_int_equal(sloe_csv_reader_find(r, "network"), 1);
  assert_int_equal(sloe_csv_reader_find(r, "layer"), 2);
  for (;;) {
    assert_ok(sloe_csv_reader_next(r, &more, &err), err);
    if (!more) break;
    take(sloe_csv_reader_field(r, 0), sloe_csv_reader_field(r, 1), all);
  }
  sloe_csv_reader_close(r);
  sloe_dealloc(data);
}

static void close_to(const sums *is, const char *what, double value, double published) {
  if (!isnan(published) && fabs(value - published) > 0.01 * published)
    fail_msg("%s: %s %g, published %g", is->network, what, value, published);
}

static void the_sums_of_each_network_are_the_published_ones(void **state) {
  sums all[NETWORKS] = {{0}};
  (void)state;
  read_table(take_row, all);
  for (int i = 0; i < NETWORKS; i++) {
    const sums *p = &PUBLISHED[i];
    all[i].network = p->network;
    close_to(&all[i], "MACs", all[i].macs, p->macs);
    close_to(&all[i], "parameters", all[i].weights, p->weights);
    assert_int_equal(all[i].convs, p->convs);
    assert_int_equal(all[i].pools, p->pools);
    assert_int_equal(all[i].fcs, p->fcs);
  }
}

/* As a network of one layer, fused again, it is the same layer. */
static void open_row(const char *text, const char *network, sums *all) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  char again[SLOE_SPEC_TEXT];
  sloe_layers *layers;
  sloe_layer_spec s;
  sloe_error err;
  sloe_net *net;
  int known;
  (void)network;
  (void)all;
  assert_ok(sloe_net_open(text, NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  assert_int_equal(sloe_layers_count(layers), 1);
  sloe_layer_spec_of(layers, 0, &s, &known);
  assert_true(known);
  assert_string_equal(sloe_layer_spec_print(&s, again), text);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void every_row_opens_as_a_network_of_that_layer(void **state) {
  (void)state;
  read_table(open_row, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_sums_of_each_network_are_the_published_ones),
      cmocka_unit_test(every_row_opens_as_a_network_of_that_layer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
