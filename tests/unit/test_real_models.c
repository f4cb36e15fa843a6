/* Real networks against what others say of them: parameters and MAC FLOPs counted from PyTorch, and
 * the shapes of ONNX's own inference. tests/data/goldens/models.csv holds both, written by
 * tools/make_model_goldens.py, which says what its columns mean. Networks that are not on this
 * machine are skipped; data/models holds three of them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/number.h"
#include "net/net.h"
#include "unit/unit.h"

static const char *const GOLDENS = SLOE_SOURCE_DIR "/tests/data/goldens";

enum { COLUMNS = 7, MOST_ROWS = 400 };

typedef struct row {
  const char *file;
  uint64_t params, mac_flops, mac_within; /* mac_flops 0: not counted */
  size_t outputs;
  const char *unresolved, *hash;
} row;

static char *table;
static row rows[MOST_ROWS];
static size_t n_rows;

/* The one network whose shapes depend on data. Two constants of two elements scale its anchors, in
   a Mul whose result does not depend on the input: it is computed here and never runs, so that they
   are no parameters of ours. */
static const char *const DETECTOR = "variants/ssdlite320_mobilenet_v3_large_320x320_op13_b1.onnx";
enum { DETECTOR_FOLDED = 4 };

/* ---- the table ---- */

static uint64_t number_of(const char *text) {
  int64_t n = 0;
  if (*text && !sloe_parse_int(text, strlen(text), &n)) fail_msg("no number '%s'", text);
  return (uint64_t)n;
}

static void read_row(char *line) {
  char *cell[COLUMNS];
  size_t n = 0;
  for (char *s = line; s && n < COLUMNS; n++) {
    cell[n] = s;
    s = strchr(s, ',');
    if (s) *s++ = 0;
  }
  if (n != COLUMNS || n_rows == MOST_ROWS) fail_msg("models.csv: row of %s", line);
  rows[n_rows++] = (row){.file = cell[0],
                         .params = number_of(cell[1]),
                         .mac_flops = number_of(cell[2]),
                         .mac_within = number_of(cell[3]),
                         .outputs = (size_t)number_of(cell[4]),
                         .unresolved = cell[5],
                         .hash = cell[6]};
}

static int read_table(void **state) {
  (void)state;
  char path[512];
  size_t len;
  sloe_error err;
  snprintf(path, sizeof path, "%s/models.csv", GOLDENS);
  if (sloe_file_read(path, 1 << 20, &table, &len, &err) != SLOE_OK) return -1;
  for (char *line = table, *next; *line; line = next) {
    next = strchr(line, '\n');
    if (!next) return -1;
    *next++ = 0;
    if (*line != '#' && strncmp(line, "file,", 5) != 0) read_row(line);
  }
  return n_rows ? 0 : -1;
}

static int free_table(void **state) {
  (void)state;
  sloe_dealloc(table);
  return 0;
}

/* ---- the files ---- */

/* Where a network lies, or NULL. */
static const char *find_model(const char *file, char *path, size_t size) {
  static const char *const folders[] = {SLOE_SOURCE_DIR "/../shared/models",
                                        SLOE_SOURCE_DIR "/data/models"};
  struct stat st;
  for (size_t k = 0; k < 2; k++) {
    snprintf(path, size, "%s/%s", folders[k], file);
    if (stat(path, &st) == 0) return path;
  }
  return NULL;
}

/* Call fn for every network that is here; it says 1 where all is well. */
static void each_model(int (*fn)(const sloe_net *net, const row *r)) {
  size_t found = 0, bad = 0;
  char path[1024];
  for (size_t k = 0; k < n_rows; k++) {
    sloe_net *net;
    sloe_error err;
    if (!find_model(rows[k].file, path, sizeof path)) continue;
    found++;
    if (sloe_net_open(path, NULL, &net, &err) != SLOE_OK) {
      print_error("%s: %s\n", rows[k].file, err.msg);
      bad++;
      continue;
    }
    bad += !fn(net, &rows[k]);
    sloe_net_free(net);
  }
  if (bad) fail_msg("%zu of %zu networks", bad, found);
  if (!found) skip();
}

/* ---- counts ---- */

static int check_params(const sloe_net *net, const row *r) {
  uint64_t params = sloe_net_get_info(net)->params;
  uint64_t wanted = r->params - (strcmp(r->file, DETECTOR) ? 0 : DETECTOR_FOLDED);
  if (params == wanted) return 1;
  print_error("%s: %" PRIu64 " parameters, wanted %" PRIu64 "\n", r->file, params, wanted);
  return 0;
}

static void parameters_are_those_counted_from_pytorch(void **state) {
  (void)state;
  each_model(check_params);
}

static int check_macs(const sloe_net *net, const row *r) {
  uint64_t got = sloe_net_get_info(net)->mac_flops;
  uint64_t off = got > r->mac_flops ? got - r->mac_flops : r->mac_flops - got;
  if (!r->mac_flops || off <= r->mac_within) return 1;
  print_error("%s: %" PRIu64 " MAC FLOPs, wanted %" PRIu64 "\n", r->file, got, r->mac_flops);
  return 0;
}

static void mac_flops_are_those_counted_from_pytorch(void **state) {
  (void)state;
  each_model(check_macs);
}

/* ---- shapes ---- */

/* Is output number k among ranges such as "3 7-9"? */
static int is_unresolved(const char *ranges, size_t k) {
  for (const char *s = ranges; *s;) {
    size_t len = strcspn(s, " "), digits = strcspn(s, " -");
    int64_t from = 0, to = 0;
    sloe_parse_int(s, digits, &from);
    to = from;
    if (digits < len) sloe_parse_int(s + digits + 1, len - digits - 1, &to);
    if ((int64_t)k >= from && (int64_t)k <= to) return 1;
    s += len + (s[len] == ' ');
  }
  return 0;
}

static uint64_t mix(uint64_t hash, const char *text) {
  for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return hash;
}

static int check_shapes(const sloe_net *net, const row *r) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  size_t outputs = 0;
  char text[20], shape[SLOE_SHAPE_BUF];
  for (size_t i = 0; i < net->graph.n_nodes; i++) {
    const sloe_node *node = &net->nodes[net->graph.nodes[i]];
    for (size_t k = 0; k < node->n_out; k++) {
      const sloe_tensor *t = sloe_node_out(net, node, k);
      if (!t || is_unresolved(r->unresolved, outputs++)) continue;
      hash = mix(mix(mix(mix(hash, t->name), ":"), sloe_shape_print(&t->shape, shape)), "\n");
    }
  }
  snprintf(text, sizeof text, "%016" PRIx64, hash);
  if (outputs == r->outputs && !strcmp(text, r->hash)) return 1;
  print_error("%s: shapes of %zu outputs hash to %s, wanted %zu and %s\n", r->file, outputs, text,
              r->outputs, r->hash);
  return 0;
}

static void shapes_are_those_of_onnx_wherever_it_gives_one(void **state) {
  (void)state;
  each_model(check_shapes);
}

/* Of the networks that the repository keeps the lines themselves are there. */
static void shapes_of_the_kept_networks_are_right_one_by_one(void **state) {
  (void)state;
  static const char *const kept[] = {"tv_resnet18", "tv_mobilenet_v2", "tv_squeezenet1_1"};
  size_t found = 0;
  for (size_t k = 0; k < 3; k++) {
    char path[1024], file[64], *text, *line, name[256], shape[SLOE_SHAPE_BUF];
    size_t len;
    sloe_net *net;
    sloe_error err;
    snprintf(file, sizeof file, "%s.onnx", kept[k]);
    if (!find_model(file, path, sizeof path)) continue;
    found++;
    assert_ok(sloe_net_open(path, NULL, &net, &err), err);
    snprintf(path, sizeof path, "%s/%s.shapes", GOLDENS, kept[k]);
    assert_ok(sloe_file_read(path, 1 << 20, &text, &len, &err), err);
    line = text;
    for (size_t i = 0; i < net->graph.n_nodes; i++) {
      const sloe_tensor *t = sloe_node_out(net, &net->nodes[net->graph.nodes[i]], 0);
      size_t n = strcspn(line, "\n");
      snprintf(name, sizeof name, "%s:%s", t->name, sloe_shape_print(&t->shape, shape));
      if (strlen(name) != n || memcmp(name, line, n) != 0)
        fail_msg("%s: got %s, wanted %.*s", file, name, (int)n, line);
      line += n + (line[n] == '\n');
    }
    assert_int_equal(*line, 0);
    sloe_dealloc(text);
    sloe_net_free(net);
  }
  if (!found) skip();
}

/* Nodes from which on shapes may depend on data. */
static int selects(sloe_op op) {
  return op == SLOE_OP_NON_ZERO || op == SLOE_OP_NON_MAX_SUPPRESSION || op == SLOE_OP_TOP_K ||
         op == SLOE_OP_IF;
}

static int check_known(const sloe_net *net, const row *r) {
  char *behind = sloe_alloc(net->n_tensors, 1); /* a selection */
  int ok = behind != NULL;
  if (ok) memset(behind, 0, net->n_tensors);
  for (size_t i = 0; ok && i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    int excused = !strcmp(r->file, DETECTOR) && selects(node->op);
    for (size_t k = 0; k < node->n_in; k++) excused |= node->in[k] >= 0 && behind[node->in[k]];
    for (size_t k = 0; k < node->n_out; k++) {
      const sloe_tensor *t = sloe_node_out(net, node, k);
      if (t) behind[node->out[k]] = (char)excused;
      if (!t || excused || sloe_shape_known(&t->shape)) continue;
      print_error("%s: shape of '%s' is not known\n", r->file, t->name);
      ok = 0;
    }
  }
  sloe_dealloc(behind);
  return ok;
}

static void no_shape_is_left_unknown_but_behind_a_selection(void **state) {
  (void)state;
  each_model(check_known);
}

static int check_unknown_ops(const sloe_net *net, const row *r) {
  const sloe_net_info *info = sloe_net_get_info(net);
  int ok = 1;
  for (size_t k = 0; k < info->n_unknown_ops; k++) {
    if (sloe_op_find(info->unknown_ops[k].op) != SLOE_OP_UNKNOWN) continue;
    print_error("%s: operator %s is not known\n", r->file, info->unknown_ops[k].op);
    ok = 0;
  }
  for (size_t k = 0; k < info->n_features; k++) ok &= !isinf(info->features[k].value);
  return ok;
}

static void every_operator_is_known(void **state) {
  (void)state;
  each_model(check_unknown_ops);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parameters_are_those_counted_from_pytorch),
      cmocka_unit_test(mac_flops_are_those_counted_from_pytorch),
      cmocka_unit_test(shapes_are_those_of_onnx_wherever_it_gives_one),
      cmocka_unit_test(shapes_of_the_kept_networks_are_right_one_by_one),
      cmocka_unit_test(no_shape_is_left_unknown_but_behind_a_selection),
      cmocka_unit_test(every_operator_is_known),
  };
  return cmocka_run_group_tests(tests, read_table, free_table);
}
