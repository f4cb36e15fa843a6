/* If, Loop and Scan: what is decided, what repeats, what depends on data. */
#include "unit/build.h"

/* ---- building subgraphs ---- */

static sloe_graph *new_graph(sloe_net *net) {
  sloe_graph *g = SLOE_ARENA_NEW(&net->arena, sloe_graph, 1);
  assert_non_null(g);
  g->name = "sub";
  return g;
}

static sloe_tid graph_input(sloe_net *net, sloe_graph *g, const char *name) {
  sloe_error err;
  sloe_tid t = build_tensor(net, name);
  net->tensors[t].flags |= SLOE_T_LOCAL;
  assert_ok(sloe_graph_add_input(net, g, t, &err), err);
  return t;
}

static void graph_outputs(sloe_net *net, sloe_graph *g, const sloe_tid *t, size_t n) {
  sloe_error err;
  for (size_t k = 0; k < n; k++) assert_ok(sloe_graph_add_output(net, g, t[k], &err), err);
}

/* A node with `n_out` outputs out[]. */
static void add_to(sloe_net *net, sloe_graph *g, const char *type, const char *name,
                   const sloe_tid *in, size_t n_in, const sloe_attr *attrs, size_t n_attrs,
                   sloe_tid *out, size_t n_out) {
  sloe_error err;
  char text[80];
  for (size_t k = 0; k < n_out; k++) {
    snprintf(text, sizeof text, "%s_out%zu", name, k);
    out[k] = build_tensor(net, text);
  }
  sloe_attr *kept = SLOE_ARENA_NEW(&net->arena, sloe_attr, n_attrs);
  assert_non_null(kept);
  for (size_t k = 0; k < n_attrs; k++) kept[k] = attrs[k];
  sloe_node_spec spec = {.type = type,
                         .name = name,
                         .in = in,
                         .out = out,
                         .n_in = n_in,
                         .n_out = n_out,
                         .attrs = kept,
                         .n_attrs = n_attrs};
  assert_ok(sloe_net_add_node(net, g, &spec, &err), err);
}

static sloe_tid node_in(sloe_net *net, sloe_graph *g, const char *type, const char *name,
                        const sloe_tid *in, size_t n_in, const sloe_attr *attrs, size_t n_attrs) {
  sloe_tid out;
  add_to(net, g, type, name, in, n_in, attrs, n_attrs, &out, 1);
  return out;
}

static sloe_tid constant(sloe_net *net, sloe_dtype dtype, int rank, int64_t value) {
  sloe_tid t = build_tensor(net, "constant");
  sloe_value *v = SLOE_ARENA_NEW(&net->arena, sloe_value, 1);
  int64_t *data = SLOE_ARENA_NEW(&net->arena, int64_t, 1);
  assert_true(v && data);
  *data = value;
  *v = (sloe_value){.n = 1, .i = data};
  net->tensors[t].shape = (sloe_shape){.rank = rank, .dim = {1}};
  net->tensors[t].dtype = dtype;
  net->tensors[t].value = v;
  net->tensors[t].flags |= SLOE_T_INIT | SLOE_T_CONST;
  return t;
}

static sloe_tid fed(sloe_net *net, const char *name, sloe_dtype dtype) {
  sloe_tid t = build_input(net, name, 0, NULL);
  net->tensors[t].dtype = dtype;
  return t;
}

#define ATTR_GRAPH(key, g) \
  { .name = key, .type = SLOE_ATTR_GRAPH, .tensor = -1, .graph = g }

static void finish(sloe_net *net) {
  sloe_error err;
  assert_ok(sloe_net_finish(net, NULL, &err), err);
}

/* The shape of t as text, for comparing. */
#define assert_shape(net, t, text)                                                      \
  do {                                                                                  \
    char shape_buf[SLOE_SHAPE_BUF];                                                     \
    assert_string_equal(sloe_shape_print(&(net)->tensors[t].shape, shape_buf), (text)); \
  } while (0)

static int runs(const sloe_net *net, const char *name) {
  int n = 0;
  for (size_t k = 0; k < net->n_order; k++) n += !strcmp(net->nodes[net->order[k]].name, name);
  return n;
}

static const sloe_node *node_called(const sloe_net *net, const char *name) {
  for (size_t k = 0; k < net->n_nodes; k++)
    if (!strcmp(net->nodes[k].name, name)) return &net->nodes[k];
  fail_msg("no node %s", name);
  return NULL;
}

static void assert_warned(const sloe_net *net, const char *text) {
  for (size_t k = 0; k < sloe_net_warning_count(net); k++)
    if (strstr(sloe_net_warning(net, k), text)) return;
  fail_msg("no warning says '%s'", text);
}

/* ---- If ---- */

/* x 2x3x4; then: Relu; else: Flatten (2x12), Relu. `condition` -1: fed. */
typedef struct choice {
  sloe_net *net;
  sloe_tid y, after;
} choice;

static choice make_if(int condition) {
  choice c = {.net = build_net()};
  sloe_tid x = build_input(c.net, "x", DIMS(2, 3, 4));
  sloe_graph *then = new_graph(c.net), *other = new_graph(c.net);
  sloe_tid a = node_in(c.net, then, "Relu", "then_relu", IN(x), NO_ATTRS);
  graph_outputs(c.net, then, &a, 1);
  sloe_tid b = node_in(c.net, other, "Flatten", "else_flatten", IN(x), NO_ATTRS);
  b = node_in(c.net, other, "Relu", "else_relu", IN(b), NO_ATTRS);
  graph_outputs(c.net, other, &b, 1);
  const sloe_attr attrs[] = {ATTR_GRAPH("then_branch", then), ATTR_GRAPH("else_branch", other)};
  sloe_tid on =
      condition < 0 ? fed(c.net, "on", SLOE_DT_BOOL) : constant(c.net, SLOE_DT_BOOL, 0, condition);
  c.y = node_in(c.net, &c.net->graph, "If", "if", IN(on), attrs, 2);
  c.after = node_in(c.net, &c.net->graph, "Sigmoid", "after", IN(c.y), NO_ATTRS);
  build_output(c.net, c.after);
  finish(c.net);
  return c;
}

static void a_known_condition_takes_its_branch(void **state) {
  (void)state;
  choice yes = make_if(1), no = make_if(0);
  assert_shape(yes.net, yes.after, "2x3x4");
  assert_shape(no.net, no.after, "2x12");
  assert_int_equal(runs(yes.net, "then_relu"), 1);
  assert_int_equal(runs(yes.net, "else_relu"), 0);
  assert_int_equal(runs(no.net, "then_relu"), 0);
  assert_int_equal(runs(no.net, "else_relu"), 1);
  assert_int_equal(sloe_net_warning_count(yes.net), 0);
  sloe_net_free(yes.net);
  sloe_net_free(no.net);
}

static void a_taken_branch_is_reached_from_its_consumer(void **state) {
  (void)state;
  choice c = make_if(1);
  sloe_tid made = sloe_net_resolve(c.net, c.y);
  assert_string_equal(c.net->nodes[c.net->tensors[made].producer].name, "then_relu");
  size_t n = 0;
  sloe_net_uses(c.net, made, &n);
  assert_int_equal(n, 1);
  sloe_net_free(c.net);
}

static void a_condition_that_depends_on_data_counts_the_larger_branch(void **state) {
  (void)state;
  choice c = make_if(-1);
  assert_shape(c.net, c.after, "?");
  assert_int_equal(runs(c.net, "then_relu"), 0);
  assert_int_equal(runs(c.net, "else_relu"), 1);
  assert_true(node_called(c.net, "if")->flags & SLOE_N_DATA_DEPENDENT);
  assert_warned(c.net, "If 'if': the condition depends on data; its else branch is counted");
  sloe_net_free(c.net);
}

static void branches_that_agree_give_a_shape_and_else_what_they_agree_on(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(2, 3, 4)), y[2];
  sloe_graph *then = new_graph(net), *other = new_graph(net);
  const sloe_attr axis[] = {ATTR_INT("axis", 2)};
  sloe_tid a[] = {node_in(net, then, "Relu", "a", IN(x), NO_ATTRS),
                  node_in(net, then, "Concat", "aa", IN(x, x), axis, 1)};
  sloe_tid b[] = {node_in(net, other, "Sigmoid", "b", IN(x), NO_ATTRS),
                  node_in(net, other, "Tanh", "bb", IN(x), NO_ATTRS)};
  graph_outputs(net, then, a, 2);
  graph_outputs(net, other, b, 2);
  const sloe_attr attrs[] = {ATTR_GRAPH("then_branch", then), ATTR_GRAPH("else_branch", other)};
  sloe_tid on = fed(net, "on", SLOE_DT_BOOL);
  add_to(net, &net->graph, "If", "if", IN(on), attrs, 2, y, 2);
  build_output(net, y[0]);
  build_output(net, y[1]);
  finish(net);
  assert_shape(net, y[0], "2x3x4");
  assert_shape(net, y[1], "2x3x?");
  assert_int_equal(runs(net, "a") + runs(net, "aa"), 2);
  assert_int_equal(runs(net, "b") + runs(net, "bb"), 0);
  sloe_net_free(net);
}

static void a_condition_of_shape_arithmetic_is_known(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 8, 1, 1));
  sloe_tid s = build_node(net, "Shape", "shape", IN(x), NO_ATTRS);
  sloe_tid d =
      build_node(net, "Gather", "dim", IN(s, constant(net, SLOE_DT_INT64, 0, 2)), NO_ATTRS);
  sloe_tid on =
      build_node(net, "Equal", "equal", IN(d, constant(net, SLOE_DT_INT64, 0, 1)), NO_ATTRS);
  sloe_graph *then = new_graph(net), *other = new_graph(net);
  sloe_tid axes = constant(net, SLOE_DT_INT64, 1, 2);
  sloe_tid a = node_in(net, then, "Squeeze", "squeeze", IN(x, axes), NO_ATTRS);
  sloe_tid b = node_in(net, other, "Identity", "keep", IN(x), NO_ATTRS);
  graph_outputs(net, then, &a, 1);
  graph_outputs(net, other, &b, 1);
  const sloe_attr attrs[] = {ATTR_GRAPH("then_branch", then), ATTR_GRAPH("else_branch", other)};
  sloe_tid y = build_node(net, "If", "if", IN(on), attrs, 2);
  build_output(net, y);
  finish(net);
  assert_shape(net, y, "1x8x1");
  assert_int_equal(runs(net, "equal"), 0);
  sloe_net_free(net);
}

static void contents_pass_through_a_taken_branch(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(2, 3));
  sloe_graph *then = new_graph(net), *other = new_graph(net);
  sloe_tid six = constant(net, SLOE_DT_INT64, 1, 6), two = constant(net, SLOE_DT_INT64, 1, 2);
  graph_outputs(net, then, &six, 1);
  graph_outputs(net, other, &two, 1);
  const sloe_attr attrs[] = {ATTR_GRAPH("then_branch", then), ATTR_GRAPH("else_branch", other)};
  sloe_tid size = build_node(net, "If", "if", IN(constant(net, SLOE_DT_BOOL, 0, 1)), attrs, 2);
  sloe_tid y = build_node(net, "Reshape", "reshape", IN(x, size), NO_ATTRS);
  build_output(net, y);
  finish(net);
  assert_shape(net, y, "6");
  assert_int_equal(runs(net, "if"), 0);
  sloe_net_free(net);
}

static void an_if_without_its_branches_is_refused(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = build_net();
  sloe_graph *then = new_graph(net);
  sloe_tid six = constant(net, SLOE_DT_INT64, 1, 6);
  graph_outputs(net, then, &six, 1);
  const sloe_attr attrs[] = {ATTR_GRAPH("then_branch", then),
                             ATTR_GRAPH("else_branch", new_graph(net))};
  sloe_tid on = fed(net, "on", SLOE_DT_BOOL);
  build_output(net, build_node(net, "If", "if", IN(on), attrs, 2));
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err, "branches of 1 and 0 outputs");
  sloe_net_free(net);
  net = build_net();
  on = fed(net, "on", SLOE_DT_BOOL);
  build_output(net, build_node(net, "If", "if", IN(on), NO_ATTRS));
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err, "then_branch holds no graph");
  sloe_net_free(net);
}

/* ---- Loop ---- */

typedef struct body {
  sloe_graph *g;
  sloe_tid i, on; /* iteration, condition */
} body;

static body new_body(sloe_net *net) {
  body b = {.g = new_graph(net)};
  b.i = graph_input(net, b.g, "i");
  b.on = graph_input(net, b.g, "on_in");
  return b;
}

/* x 1x4x6x6; each iteration: v = Conv3x3(v), collects its mean. */
typedef struct conv_loop {
  sloe_net *net;
  sloe_tid y[2];
} conv_loop;

static conv_loop make_conv_loop(sloe_net *net, sloe_graph *graph, sloe_tid count, sloe_tid start) {
  conv_loop l = {.net = net};
  body b = new_body(net);
  sloe_tid v = graph_input(net, b.g, "v");
  sloe_tid w = build_weight(net, "w", DIMS(4, 4, 3, 3));
  static const int64_t ones[] = {1, 1, 1, 1};
  const sloe_attr pads[] = {{.name = "pads", .type = SLOE_ATTR_INTS, .ints = ones, .n = 4}};
  sloe_tid c = node_in(net, b.g, "Conv", "conv", IN(v, w), pads, 1);
  sloe_tid m = node_in(net, b.g, "GlobalAveragePool", "mean", IN(c), NO_ATTRS);
  graph_outputs(net, b.g, (sloe_tid[]){b.on, c, m}, 3);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  sloe_tid on = constant(net, SLOE_DT_BOOL, 0, 1);
  add_to(net, graph, "Loop", "loop", IN(count, on, start), attrs, 1, l.y, 2);
  return l;
}

static const uint64_t CONV_MACS = 4 * 4 * 9 * 36;

static void a_loop_of_known_length_repeats_its_body(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 6, 6));
  conv_loop l = make_conv_loop(net, &net->graph, constant(net, SLOE_DT_INT64, 0, 100), x);
  build_output(net, l.y[0]);
  build_output(net, l.y[1]);
  finish(net);
  assert_shape(net, l.y[0], "1x4x6x6");
  assert_shape(net, l.y[1], "100x1x4x1x1");
  assert_int_equal(runs(net, "conv"), 1);
  assert_int_equal((int)node_called(net, "conv")->repeat, 100);
  assert_int_equal(sloe_net_get_info(net)->macs, 100 * CONV_MACS);
  assert_int_equal(sloe_net_warning_count(net), 0);
  sloe_net_free(net);
}

static void a_loop_whose_length_depends_on_data_counts_once(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 6, 6));
  conv_loop l = make_conv_loop(net, &net->graph, fed(net, "n", SLOE_DT_INT64), x);
  build_output(net, l.y[0]);
  build_output(net, l.y[1]);
  finish(net);
  assert_shape(net, l.y[0], "1x4x6x6");
  assert_shape(net, l.y[1], "?x1x4x1x1");
  assert_int_equal(sloe_net_get_info(net)->macs, CONV_MACS);
  assert_true(node_called(net, "loop")->flags & SLOE_N_DATA_DEPENDENT);
  assert_warned(net, "Loop 'loop': the trip count depends on data; its body is counted once");
  sloe_net_free(net);
}

static void a_loop_of_no_iterations_costs_nothing(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 6, 6));
  conv_loop l = make_conv_loop(net, &net->graph, constant(net, SLOE_DT_INT64, 0, 0), x);
  build_output(net, l.y[0]);
  build_output(net, l.y[1]);
  finish(net);
  assert_shape(net, l.y[0], "1x4x6x6");
  assert_shape(net, l.y[1], "0x1x4x1x1");
  assert_int_equal(runs(net, "conv"), 0);
  assert_int_equal(sloe_net_get_info(net)->macs, 0);
  sloe_net_free(net);
}

static void nested_loops_multiply(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 6, 6));
  body outer = new_body(net);
  sloe_tid v = graph_input(net, outer.g, "outer_v"), y;
  conv_loop inner = make_conv_loop(net, outer.g, constant(net, SLOE_DT_INT64, 0, 5), v);
  graph_outputs(net, outer.g, (sloe_tid[]){outer.on, inner.y[0]}, 2);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", outer.g)};
  sloe_tid three = constant(net, SLOE_DT_INT64, 0, 3), on = constant(net, SLOE_DT_BOOL, 0, 1);
  add_to(net, &net->graph, "Loop", "outer", IN(three, on, x), attrs, 1, &y, 1);
  build_output(net, y);
  finish(net);
  assert_shape(net, y, "1x4x6x6");
  assert_int_equal(sloe_net_get_info(net)->macs, 15 * CONV_MACS);
  sloe_net_free(net);
}

/* Each iteration appends x (1x4) to the carried tensor, which starts as x. */
static sloe_net *make_growing(int64_t trips, sloe_tid *y) {
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4));
  body b = new_body(net);
  const sloe_attr axis[] = {ATTR_INT("axis", 0)};
  sloe_tid v = graph_input(net, b.g, "v");
  sloe_tid c = node_in(net, b.g, "Concat", "append", IN(v, x), axis, 1);
  graph_outputs(net, b.g, (sloe_tid[]){b.on, c}, 2);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  sloe_tid n = constant(net, SLOE_DT_INT64, 0, trips), on = constant(net, SLOE_DT_BOOL, 0, 1);
  add_to(net, &net->graph, "Loop", "loop", IN(n, on, x), attrs, 1, y, 1);
  build_output(net, *y);
  return net;
}

static void a_shape_that_grows_is_followed_where_iterations_are_few(void **state) {
  (void)state;
  sloe_tid y;
  sloe_net *net = make_growing(3, &y);
  finish(net);
  assert_shape(net, y, "4x4");
  assert_int_equal(runs(net, "append"), 1);
  sloe_net_free(net);
  net = make_growing(1000, &y);
  finish(net);
  assert_shape(net, y, "?x4");
  sloe_net_free(net);
}

/* Ten carried tensors, each handed to the next; the first grows. */
static void change_is_found_however_many_iterations_it_takes(void **state) {
  (void)state;
  enum { CHAIN = 10 };
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4));
  body b = new_body(net);
  const sloe_attr axis[] = {ATTR_INT("axis", 0)};
  sloe_tid in[CHAIN + 2], v[CHAIN], out[CHAIN + 1], y[CHAIN];
  in[0] = constant(net, SLOE_DT_INT64, 0, 1000);
  in[1] = constant(net, SLOE_DT_BOOL, 0, 1);
  for (int k = 0; k < CHAIN; k++) {
    in[k + 2] = x;
    v[k] = graph_input(net, b.g, "v");
    if (k > 0) out[k + 1] = v[k - 1];
  }
  out[0] = b.on;
  out[1] = node_in(net, b.g, "Concat", "append", IN(v[0], x), axis, 1);
  graph_outputs(net, b.g, out, CHAIN + 1);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  add_to(net, &net->graph, "Loop", "loop", in, CHAIN + 2, attrs, 1, y, CHAIN);
  for (int k = 0; k < CHAIN; k++) build_output(net, y[k]);
  finish(net);
  for (int k = 0; k < CHAIN; k++) assert_false(sloe_shape_known(&net->tensors[y[k]].shape));
  sloe_net_free(net);
}

static void unrolling_survives_lack_of_memory(void **state) {
  (void)state;
  long live = sloe_alloc_live(), n = 0;
  sloe_status status = SLOE_NOMEM;
  for (; status != SLOE_OK; n++) {
    sloe_tid y;
    sloe_error err = {0};
    sloe_net *net = make_growing(60, &y);
    sloe_alloc_fail_after(n);
    status = sloe_net_finish(net, NULL, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
    if (status != SLOE_OK) assert_int_not_equal(err.msg[0], 0);
    sloe_net_free(net);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_true(n > 60); /* every iteration allocates */
}

static void a_counter_that_ends_the_loop_is_counted(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(2, 4));
  body b = new_body(net);
  sloe_tid n = graph_input(net, b.g, "n"), v = graph_input(net, b.g, "v"), y[2];
  sloe_tid more =
      node_in(net, b.g, "Add", "count", IN(n, constant(net, SLOE_DT_INT64, 0, 1)), NO_ATTRS);
  sloe_tid on =
      node_in(net, b.g, "Less", "less", IN(more, constant(net, SLOE_DT_INT64, 0, 7)), NO_ATTRS);
  sloe_tid r = node_in(net, b.g, "Relu", "relu", IN(v), NO_ATTRS);
  graph_outputs(net, b.g, (sloe_tid[]){on, more, r}, 3);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  sloe_tid ever = constant(net, SLOE_DT_INT64, 0, INT64_MAX);
  sloe_tid in[] = {ever, constant(net, SLOE_DT_BOOL, 0, 1), constant(net, SLOE_DT_INT64, 0, 0), x};
  add_to(net, &net->graph, "Loop", "while", in, 4, attrs, 1, y, 2);
  build_output(net, y[0]);
  build_output(net, y[1]);
  finish(net);
  assert_int_equal((int)node_called(net, "relu")->repeat, 7);
  assert_non_null(net->tensors[y[0]].value);
  assert_int_equal(net->tensors[y[0]].value->i[0], 7);
  assert_shape(net, y[1], "2x4");
  assert_int_equal(sloe_net_warning_count(net), 0);
  sloe_net_free(net);
}

static void a_condition_computed_from_data_ends_a_loop_nobody_knows_when(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = fed(net, "x", SLOE_DT_FLOAT), y;
  sloe_tid limit = fed(net, "limit", SLOE_DT_FLOAT);
  body b = new_body(net);
  sloe_tid v = graph_input(net, b.g, "v");
  sloe_tid r = node_in(net, b.g, "Exp", "exp", IN(v), NO_ATTRS);
  sloe_tid on = node_in(net, b.g, "Less", "less", IN(r, limit), NO_ATTRS);
  graph_outputs(net, b.g, (sloe_tid[]){on, r}, 2);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  sloe_tid ten = constant(net, SLOE_DT_INT64, 0, 10);
  add_to(net, &net->graph, "Loop", "while", IN(ten, -1, x), attrs, 1, &y, 1);
  build_output(net, y);
  finish(net);
  assert_int_equal((int)node_called(net, "exp")->repeat, 1);
  assert_warned(net, "the trip count depends on data");
  sloe_net_free(net);
}

static void what_an_iteration_swaps_is_swapped(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 2)), z = build_input(net, "z", DIMS(1, 3)), y[2];
  body b = new_body(net);
  sloe_tid p = graph_input(net, b.g, "p"), q = graph_input(net, b.g, "q");
  graph_outputs(net, b.g, (sloe_tid[]){b.on, q, p}, 3);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  sloe_tid n = constant(net, SLOE_DT_INT64, 0, 3), on = constant(net, SLOE_DT_BOOL, 0, 1);
  add_to(net, &net->graph, "Loop", "swap", IN(n, on, x, z), attrs, 1, y, 2);
  build_output(net, y[0]);
  build_output(net, y[1]);
  finish(net);
  assert_shape(net, y[0], "1x3");
  assert_shape(net, y[1], "1x2");
  sloe_net_free(net);
}

static void a_body_that_does_not_fit_its_loop_is_refused(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 2)), y;
  body b = new_body(net);
  graph_outputs(net, b.g, &b.on, 1);
  const sloe_attr attrs[] = {ATTR_GRAPH("body", b.g)};
  add_to(net, &net->graph, "Loop", "loop", IN(-1, -1, x), attrs, 1, &y, 1);
  build_output(net, y);
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err,
                 "for a body of 2 inputs and 1 outputs");
  sloe_net_free(net);
}

/* ---- Scan ---- */

/* Carried 4; scanned 10x4 and 4xN along axis 1; collects 4x? along its last axis. */
static sloe_status make_scan(int64_t second, sloe_net **out, sloe_tid y[2], sloe_error *err) {
  sloe_net *net = build_net();
  sloe_tid start = build_input(net, "start", DIMS(4));
  sloe_tid a = build_input(net, "a", DIMS(10, 4)), c = build_input(net, "c", DIMS(4, second));
  sloe_graph *g = new_graph(net);
  sloe_tid sum = graph_input(net, g, "sum"), p = graph_input(net, g, "p");
  sloe_tid q = graph_input(net, g, "q");
  sloe_tid pq = node_in(net, g, "Mul", "mul", IN(p, q), NO_ATTRS);
  sloe_tid next = node_in(net, g, "Add", "add", IN(sum, pq), NO_ATTRS);
  graph_outputs(net, g, (sloe_tid[]){next, pq}, 2);
  static const int64_t in_axes[] = {0, 1}, out_axes[] = {-1};
  const sloe_attr attrs[] = {
      ATTR_GRAPH("body", g),
      ATTR_INT("num_scan_inputs", 2),
      {.name = "scan_input_axes", .type = SLOE_ATTR_INTS, .ints = in_axes, .n = 2},
      {.name = "scan_output_axes", .type = SLOE_ATTR_INTS, .ints = out_axes, .n = 1}};
  add_to(net, &net->graph, "Scan", "scan", IN(start, a, c), attrs, 4, y, 2);
  build_output(net, y[0]);
  build_output(net, y[1]);
  *out = net;
  return sloe_net_finish(net, NULL, err);
}

static void a_scan_runs_once_for_each_slice(void **state) {
  (void)state;
  sloe_net *net;
  sloe_tid y[2];
  sloe_error err;
  assert_ok(make_scan(10, &net, y, &err), err);
  assert_shape(net, y[0], "4");
  assert_shape(net, y[1], "4x10");
  assert_int_equal((int)node_called(net, "mul")->repeat, 10);
  sloe_net_free(net);
}

static void scanned_inputs_of_different_length_are_refused(void **state) {
  (void)state;
  sloe_net *net;
  sloe_tid y[2];
  sloe_error err;
  assert_refused(make_scan(9, &net, y, &err), SLOE_FORMAT, err, "dimensions 10 and 9 differ");
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_known_condition_takes_its_branch),
      cmocka_unit_test(a_taken_branch_is_reached_from_its_consumer),
      cmocka_unit_test(a_condition_that_depends_on_data_counts_the_larger_branch),
      cmocka_unit_test(branches_that_agree_give_a_shape_and_else_what_they_agree_on),
      cmocka_unit_test(a_condition_of_shape_arithmetic_is_known),
      cmocka_unit_test(contents_pass_through_a_taken_branch),
      cmocka_unit_test(an_if_without_its_branches_is_refused),
      cmocka_unit_test(a_loop_of_known_length_repeats_its_body),
      cmocka_unit_test(a_loop_whose_length_depends_on_data_counts_once),
      cmocka_unit_test(a_loop_of_no_iterations_costs_nothing),
      cmocka_unit_test(nested_loops_multiply),
      cmocka_unit_test(a_shape_that_grows_is_followed_where_iterations_are_few),
      cmocka_unit_test(change_is_found_however_many_iterations_it_takes),
      cmocka_unit_test(unrolling_survives_lack_of_memory),
      cmocka_unit_test(a_counter_that_ends_the_loop_is_counted),
      cmocka_unit_test(a_condition_computed_from_data_ends_a_loop_nobody_knows_when),
      cmocka_unit_test(what_an_iteration_swaps_is_swapped),
      cmocka_unit_test(a_body_that_does_not_fit_its_loop_is_refused),
      cmocka_unit_test(a_scan_runs_once_for_each_slice),
      cmocka_unit_test(scanned_inputs_of_different_length_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
