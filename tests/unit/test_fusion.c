/* Fusion as written in tests/data/fuse/ (nets and layers as text), and what holds of every rule. */
#include <dirent.h>

#include "net/fuse/fuse.h"
#include "unit/fuse_text.h"

/* "tensorrt 8.4 fp16 cc=80 -rule +rule" */
static void take_fusion(char **word, int n, sloe_fusion *fusion, sloe_fuse_switches *switches) {
  sloe_error err;
  assert_ok(sloe_runtime_parse(word[1], &fusion->runtime, &err), err);
  for (int i = 2; i < n; i++) {
    if (word[i][0] == '-' || word[i][0] == '+') {
      const int rule = sloe_fuse_rule_find(word[i] + 1);
      if (rule < 0) fail_msg("no rule '%s'", word[i] + 1);
      switches->set[rule] = word[i][0] == '-' ? -1 : 1;
    } else if (!strncmp(word[i], "cc=", 3)) {
      fusion->compute_capability = (int)strtol(word[i] + 3, NULL, 10);
    } else if (word[i][0] >= '0' && word[i][0] <= '9') {
      char *dot;
      fusion->version = 100 * (int)strtol(word[i], &dot, 10);
      if (*dot) fusion->version += (int)strtol(dot + 1, NULL, 10);
    } else {
      assert_ok(sloe_precision_parse(word[i], &fusion->precision, &err), err);
    }
  }
}

static uint64_t count_of(const sloe_layer *l, const char *key) {
  if (!strcmp(key, "reads")) return l->in_elements;
  if (!strcmp(key, "writes")) return l->out_elements;
  if (!strcmp(key, "params")) return l->params;
  if (!strcmp(key, "flops")) return l->flops;
  if (!strcmp(key, "macs")) return l->macs;
  if (!strcmp(key, "filters")) return (uint64_t)l->filters;
  if (!strcmp(key, "groups")) return (uint64_t)l->groups;
  if (!strcmp(key, "kernel")) return (uint64_t)l->kernel[0];
  if (!strcmp(key, "pad")) return (uint64_t)l->pads[0];
  if (!strcmp(key, "ops")) return l->n_ops;
  if (!strcmp(key, "ins")) return l->n_in;
  if (!strcmp(key, "outs")) return l->n_out;
  fail_msg("no count '%s'", key);
  return 0;
}

/* "conv c1 + r1 | reads 12 writes 24" against a layer. */
static void check_layer(const char *where, char *line, const sloe_layer *l) {
  char *word[TEXT_WORDS], *bar = strstr(line, " | "), want[512];
  line[strcspn(line, "\n")] = 0;
  if (!l) fail_msg("%s: no layer left for '%s'", where, line);
  if (bar) *bar = 0;
  while (*line && line[strlen(line) - 1] == ' ') line[strlen(line) - 1] = 0;
  snprintf(want, sizeof want, "%s %s", sloe_layer_kind_name(l->kind), l->name);
  if (strcmp(want, line)) fail_msg("%s: expected '%s', got '%s'", where, line, want);
  const int n = bar ? text_words(bar + 3, word) : 0;
  for (int i = 0; i + 1 < n; i += 2)
    if (count_of(l, word[i]) != strtoull(word[i + 1], NULL, 10))
      fail_msg("%s: %s: %s is %llu, not %s", where, l->name, word[i],
               (unsigned long long)count_of(l, word[i]), word[i + 1]);
}

typedef struct case_file {
  FILE *in;
  const char *name;
  int line_no, n_cases;
  char line[1024];
  sloe_net *net;
} case_file;

static int next_line(case_file *c) {
  c->line_no++;
  return fgets(c->line, sizeof c->line, c->in) != NULL;
}

static void run_case(case_file *c, char **word, int n) {
  char where[128], title[512];
  sloe_fusion fusion = {0};
  sloe_fuse_switches switches = {{0}};
  sloe_layers *layers;
  sloe_error err;
  size_t i = 0;
  snprintf(title, sizeof title, "%s:%d", c->name, c->line_no);
  take_fusion(word, n, &fusion, &switches);
  assert_ok(sloe_layers_new_switched(c->net, &fusion, &switches, &layers, &err), err);
  while (next_line(c) && c->line[0] != '\n') {
    if (c->line[0] == '#') continue;
    snprintf(where, sizeof where, "%s:%d", c->name, c->line_no);
    check_layer(where, c->line, sloe_layers_at(layers, i++));
  }
  if (i != sloe_layers_count(layers))
    fail_msg("%s: %zu layers expected, got %zu; the next is '%s'", title, i,
             sloe_layers_count(layers), sloe_layers_at(layers, i)->name);
  sloe_layers_free(layers);
  c->n_cases++;
}

static void run_file(const char *folder, const char *name, int *n_cases) {
  char path[512], *word[TEXT_WORDS];
  case_file c = {.name = name};
  text_net *building = NULL;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  c.in = fopen(path, "r");
  assert_non_null(c.in);
  while (next_line(&c)) {
    const int n = text_words(c.line, word);
    if (n == 0) continue;
    if (!strcmp(word[0], "net")) {
      sloe_net_free(c.net);
      c.net = NULL;
      building = text_begin();
    } else if (!strcmp(word[0], "fuse")) {
      if (building) c.net = text_end(building);
      building = NULL;
      run_case(&c, word, n);
    } else {
      if (!building) fail_msg("%s:%d: '%s' stands in no net", name, c.line_no, word[0]);
      text_line(building, word, n);
    }
  }
  sloe_net_free(c.net);
  fclose(c.in);
  *n_cases += c.n_cases;
}

static void every_written_case_holds(void **state) {
  (void)state;
  const char *folder = SLOE_SOURCE_DIR "/tests/data/fuse";
  int n_files = 0, n_cases = 0;
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *e; (e = readdir(dir));) {
    const char *dot = strrchr(e->d_name, '.');
    if (!dot || strcmp(dot, ".test")) continue;
    run_file(folder, e->d_name, &n_cases);
    n_files++;
  }
  closedir(dir);
  assert_true(n_files >= 6);
  assert_true(n_cases >= 30);
}

/* A net in which each rule finds something to do under some runtime. */
static const char *const EVERYTHING[] = {
    "const k 8x1x1",
    "const qs scalar",
    "const qz scalar",
    "const w 8x8x3x3",
    "ints padding 0 0 1 1 0 0 1 1",
    "input x 1x3x16x16",
    "input z 1x8x8x8",
    "Identity id x -> x0",
    "Pad pad x0 padding -> x1 mode=constant",
    "Conv c1 x0 -> a0 kernel=3 filters=8 stride=2 pad=1",
    "BatchNormalization bn a0 -> a1",
    "Mul scale a1 k -> a2",
    "Relu r1 a2 -> a3",
    "MaxPool mp a3 -> a4 kernel=2 stride=1 pad=0",
    "Conv cp x1 -> p0 kernel=3 filters=8",
    "Clip cl p0 -> p1",
    "QuantizeLinear q3 a4 qs qz -> a5",
    "DequantizeLinear dq3 a5 qs qz -> a6",
    "Conv c2 a6 -> b0 kernel=3 filters=8 pad=1",
    "Conv c3 a6 -> b1 kernel=1 filters=8",
    "Conv s1 a6 -> s1o kernel=1 filters=4",
    "Conv s2 a6 -> s2o kernel=1 filters=4",
    "Add add b0 b1 -> b2",
    "Relu r2 b2 -> b3",
    "Conv dw b3 -> d0 kernel=3 filters=8 group=8 pad=1",
    "Conv pw d0 -> d1 kernel=1 filters=8",
    "Sigmoid sg d1 -> d2",
    "Mul ml d1 d2 -> d3",
    "BatchNormalization bn2 d3 -> e0",
    "Relu r3 e0 -> e1",
    "Concat cat e1 s1o s2o b3 -> cc axis=1",
    "GlobalAveragePool gap cc -> g",
    "Flatten fl g -> f",
    "Gemm fc f -> y units=10 inner=24",
    "QuantizeLinear q z qs qz -> z1",
    "DequantizeLinear dq z1 qs qz -> z2",
    "QuantizeLinear wq w qs qz -> w1",
    "DequantizeLinear wdq w1 qs qz -> w2",
    "Conv cq z2 w2 -> z3 kernel=3",
    "QuantizeLinear q2 z3 qs qz -> z4",
    "DequantizeLinear dq2 z4 qs qz -> z5",
};

static sloe_net *net_of_everything(void) {
  char line[256], *word[TEXT_WORDS];
  text_net *t = text_begin();
  for (size_t i = 0; i < sizeof EVERYTHING / sizeof *EVERYTHING; i++) {
    snprintf(line, sizeof line, "%s", EVERYTHING[i]);
    text_line(t, word, text_words(line, word));
  }
  return text_end(t);
}

static const sloe_fusion SETTINGS[] = {
    {SLOE_RUNTIME_NONE, 0, SLOE_FP32, 0},         {SLOE_RUNTIME_ONEDNN, 0, SLOE_FP32, 0},
    {SLOE_RUNTIME_CUDNN, 0, SLOE_FP32, 0},        {SLOE_RUNTIME_CUDNN, 0, SLOE_FP16, 0},
    {SLOE_RUNTIME_TENSORRT, 601, SLOE_FP32, 53},  {SLOE_RUNTIME_TENSORRT, 701, SLOE_INT8, 72},
    {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP32, 53},  {SLOE_RUNTIME_TENSORRT, 804, SLOE_FP16, 80},
    {SLOE_RUNTIME_TENSORRT, 804, SLOE_INT8, 80},  {SLOE_RUNTIME_TENSORRT, 1003, SLOE_FP16, 87},
    {SLOE_RUNTIME_TENSORRT, 1003, SLOE_INT8, 87},
};
enum { N_SETTINGS = sizeof SETTINGS / sizeof *SETTINGS };

/* Every op in at most one layer, its work in one layer or among the folded. */
static void check_sums(const sloe_net *net, const sloe_layers *layers) {
  const sloe_net_info *info = sloe_net_get_info(net);
  uint64_t macs = 0, flops = layers->folded_flops;
  size_t ops = layers->n_dropped;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    const int copy =
        l->n_ops == 1 && strlen(l->name) > 5 && !strcmp(l->name + strlen(l->name) - 5, " copy");
    macs += l->macs;
    flops += l->flops;
    if (!copy) ops += l->n_ops;
    assert_true(l->n_out > 0);
  }
  assert_int_equal(macs, info->macs);
  assert_int_equal(flops, info->flops);
  assert_int_equal(ops, info->n_ops);
}

static void each_rule_can_be_switched_off_and_on(void **state) {
  (void)state;
  size_t n;
  const sloe_fuse_rule *rules = sloe_fuse_rules(&n);
  sloe_net *net = net_of_everything();
  for (size_t r = 0; r < n; r++) {
    uint32_t on = 0;
    for (size_t s = 0; s < N_SETTINGS; s++) {
      sloe_layers *layers;
      sloe_error err;
      sloe_fuse_switches switches = {{0}};
      switches.set[r] = 1;
      assert_ok(sloe_layers_new_switched(net, &SETTINGS[s], &switches, &layers, &err), err);
      on += layers->applied[r];
      check_sums(net, layers);
      if (!sloe_fuse_rule_applies(&rules[r], &layers->fusion))
        assert_int_equal(layers->applied[r], 0);
      sloe_layers_free(layers);
      switches.set[r] = -1;
      assert_ok(sloe_layers_new_switched(net, &SETTINGS[s], &switches, &layers, &err), err);
      assert_int_equal(layers->applied[r], 0);
      check_sums(net, layers);
      sloe_layers_free(layers);
    }
    if (!on) fail_msg("rule %s found nothing to do under any setting", rules[r].name);
  }
  sloe_net_free(net);
}

static void rules_have_names_and_reasons(void **state) {
  (void)state;
  size_t n;
  const sloe_fuse_rule *rules = sloe_fuse_rules(&n);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(sloe_fuse_rule_find(rules[i].name), i);
    assert_true(strlen(rules[i].doc) > 20);
    assert_true(rules[i].runtimes != 0 && rules[i].precisions != 0);
    assert_true(strchr("ABCDEFGH", rules[i].group) != NULL);
  }
  assert_int_equal(sloe_fuse_rule_find("no_such_rule"), -1);
}

static void append(char *row, const char *s) {
  assert_true(strlen(row) + strlen(s) < 1000);
  strcat(row, s);
}

static void append_set(char *row, unsigned set, unsigned n, const char *(*name)(unsigned)) {
  const char *comma = "";
  for (unsigned i = 0; i < n; i++) {
    if (!(set & 1u << i)) continue;
    append(row, comma);
    append(row, name(i));
    comma = ", ";
  }
  append(row, " | ");
}

static const char *runtime_text(unsigned i) {
  return sloe_runtime_name((sloe_runtime)i);
}
static const char *precision_text(unsigned i) {
  return sloe_precision_name((sloe_precision)i);
}

static void append_gate(char *row, const char **comma, const char *what, int number, int unit) {
  char text[64];
  if (!number) return;
  snprintf(text, sizeof text, "%s%s %d.%d", *comma, what, number / unit, number % unit);
  append(row, text);
  *comma = ", ";
}

/* A rule's row of the table in docs/fusion.md. */
static void print_row(const sloe_fuse_rule *rule, char row[1000]) {
  const char *comma = "";
  snprintf(row, 1000, "| %c | `%s` | ", rule->group, rule->name);
  append_set(row, rule->runtimes, SLOE_RUNTIME_COUNT, runtime_text);
  append_set(row, rule->precisions, SLOE_PRECISION_COUNT, precision_text);
  append_gate(row, &comma, "from", rule->min_version, 100);
  append_gate(row, &comma, "to", rule->max_version, 100);
  append_gate(row, &comma, "CC", rule->min_cc, 10);
  if (!rule->on) append(row, *comma ? ", off" : "off");
  append(row, " | ");
  append(row, rule->doc);
  append(row, " |\n");
}

static void the_documentation_lists_every_rule_as_it_is(void **state) {
  (void)state;
  size_t n, found = 0;
  char line[1024], row[1000];
  const sloe_fuse_rule *rules = sloe_fuse_rules(&n);
  FILE *in = fopen(SLOE_SOURCE_DIR "/docs/fusion.md", "r");
  assert_non_null(in);
  while (found < n && fgets(line, sizeof line, in)) {
    print_row(&rules[found], row);
    if (!strcmp(line, row)) found++;
  }
  fclose(in);
  if (found < n) fail_msg("docs/fusion.md lacks, in its place: %s", row);
}

static void no_fusion_makes_every_op_a_layer(void **state) {
  (void)state;
  sloe_net *net = net_of_everything();
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, NULL, &layers, &err), err);
  assert_int_equal(sloe_layers_count(layers), net->n_order);
  assert_ptr_equal(sloe_layers_net(layers), net);
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    assert_string_equal(l->name, net->nodes[net->order[i]].name);
    assert_int_equal(l->n_ops, 1);
    assert_int_equal(l->in_elements, net->costs[net->order[i]].in_elements);
    assert_int_equal(l->out_elements, net->costs[net->order[i]].out_elements);
    assert_int_equal(l->params, net->costs[net->order[i]].params);
  }
  assert_null(sloe_layers_at(layers, net->n_order));
  sloe_layers_free(layers);
  sloe_layers_free(NULL);
  sloe_net_free(net);
}

static void a_wrong_runtime_is_refused(void **state) {
  (void)state;
  sloe_net *net = net_of_everything();
  sloe_layers *layers = (sloe_layers *)1;
  sloe_error err;
  const sloe_fusion bad = {.runtime = (sloe_runtime)99};
  assert_refused(sloe_layers_new(net, &bad, &layers, &err), SLOE_USAGE, err, "99");
  assert_null(layers);
  sloe_net_free(net);
}

static void every_failed_allocation_leaves_nothing_behind(void **state) {
  (void)state;
  sloe_net *net = net_of_everything();
  const long live = sloe_alloc_live();
  sloe_error err;
  for (size_t s = 0; s < N_SETTINGS; s++) {
    sloe_status status = SLOE_NOMEM;
    for (long n = 0; status != SLOE_OK; n++) {
      sloe_layers *layers = (sloe_layers *)1;
      assert_true(n < 1000);
      memset(&err, 0, sizeof err);
      sloe_alloc_fail_after(n);
      status = sloe_layers_new(net, &SETTINGS[s], &layers, &err);
      sloe_alloc_fail_after(-1);
      if (status == SLOE_OK) {
        sloe_layers_free(layers);
      } else {
        assert_int_equal(status, SLOE_NOMEM);
        assert_null(layers);
        assert_true(err.msg[0] != 0);
      }
      assert_int_equal(sloe_alloc_live(), live);
    }
  }
  sloe_net_free(net);
}

static void names_are_parsed_and_printed(void **state) {
  (void)state;
  sloe_error err;
  sloe_runtime runtime;
  sloe_precision precision;
  for (int i = 0; i < SLOE_RUNTIME_COUNT; i++) {
    assert_ok(sloe_runtime_parse(sloe_runtime_name((sloe_runtime)i), &runtime, &err), err);
    assert_int_equal(runtime, i);
  }
  for (int i = 0; i < SLOE_PRECISION_COUNT; i++) {
    assert_ok(sloe_precision_parse(sloe_precision_name((sloe_precision)i), &precision, &err), err);
    assert_int_equal(precision, i);
  }
  assert_int_equal(sloe_precision_bytes(SLOE_FP16), 2);
  assert_string_equal(sloe_layer_kind_name(SLOE_LAYER_DWCONV), "dwconv");
  assert_refused(sloe_runtime_parse("tflite", &runtime, &err), SLOE_USAGE, err,
                 "none onednn cudnn tensorrt");
  assert_refused(sloe_precision_parse(NULL, &precision, &err), SLOE_USAGE, err, "fp32 fp16 int8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_written_case_holds),
      cmocka_unit_test(each_rule_can_be_switched_off_and_on),
      cmocka_unit_test(rules_have_names_and_reasons),
      cmocka_unit_test(the_documentation_lists_every_rule_as_it_is),
      cmocka_unit_test(no_fusion_makes_every_op_a_layer),
      cmocka_unit_test(a_wrong_runtime_is_refused),
      cmocka_unit_test(every_failed_allocation_leaves_nothing_behind),
      cmocka_unit_test(names_are_parsed_and_printed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
