/* The chains of convolutions that iCAS measured: rebuilt from their rows, they count what torchinfo
 * counted of them. Skipped where the shared data is not there. */
#include <unistd.h>

#include "base/gzip.h"
#include "base/number.h"
#include "net/net.h"
#include "unit/zoo_files.h"

#define TABLE SLOE_SOURCE_DIR "/../shared/data/icas-jetson-nano/networks.csv.gz"

/* torchinfo counts a bias as one MAC for each element that its layer writes. */
static uint64_t biased_outputs(const sloe_net *net) {
  uint64_t n = 0;
  for (size_t i = 0; i < net->n_nodes; i++) {
    const sloe_node *node = &net->nodes[i];
    if ((node->op == SLOE_OP_CONV || node->op == SLOE_OP_GEMM) && node->n_in == 3)
      n += sloe_shape_elements(&net->tensors[node->out[0]].shape);
  }
  return n;
}

static uint64_t number_of(const sloe_csv_reader *r, const char *column) {
  const char *text = zoo_field(r, column);
  int64_t value;
  assert_true(sloe_parse_int(text, strlen(text), &value));
  return (uint64_t)value;
}

static size_t n_counted;

static void take_chain(const sloe_csv_reader *r) {
  char text[160];
  const char *k2 = zoo_field(r, "K2");
  if (!*zoo_field(r, "params_torchinfo")) return;
  snprintf(text, sizeof text, "zoo:chain,kind=%s,layers=%s,filters=%s,k1=%s%s%s,input=%s",
           zoo_field(r, "kind"), zoo_field(r, "L"), zoo_field(r, "F"), zoo_field(r, "K1"),
           *k2 ? ",k2=" : "", k2, zoo_field(r, "W"));
  sloe_net *net = open_zoo(text);
  const sloe_net_info *info = sloe_net_get_info(net);
  if (info->params != number_of(r, "params_torchinfo") ||
      info->macs + biased_outputs(net) != number_of(r, "macs_torchinfo"))
    fail_msg("%s: %llu parameters, %llu MACs", text, (unsigned long long)info->params,
             (unsigned long long)info->macs);
  sloe_net_free(net);
  n_counted++;
}

static void every_chain_counts_what_torchinfo_counted(void **state) {
  (void)state;
  sloe_gzip_reader *reader;
  sloe_error err;
  if (access(TABLE, R_OK)) skip();
  assert_ok(sloe_gzip_open(TABLE, 1 << 26, &reader, &err), err);
  n_counted = 0;
  assert_int_equal(each_row((sloe_csv_source){reader, sloe_gzip_read}, take_chain), 11316);
  sloe_gzip_close(reader);
  assert_int_equal(n_counted, 10401);
}

static void a_chain_by_hand(void **state) {
  (void)state;
  sloe_net *net = open_zoo("zoo:chain,kind=mixed,layers=3,filters=4,k1=2,k2=3,input=5");
  const sloe_net_info *info = sloe_net_get_info(net);
  /* 2x2 pad 2: 5 -> 8; 3x3 pad 1: 8; 2x2 pad 1: 9; then 324 -> 10 */
  assert_int_equal(info->params, (3 * 4 * 4 + 4) + (4 * 4 * 9 + 4) + (4 * 4 * 4 + 4) + 3250);
  assert_int_equal(info->macs, 64 * 48 + 64 * 144 + 81 * 64 + 3240);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_chain_counts_what_torchinfo_counted),
      cmocka_unit_test(a_chain_by_hand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
