/* Layer specs as text: what is read is what was written, what is left out has its default, and each
 * impossible thing is refused with its key. */
#include "unit/random_spec.h"

static sloe_layer_spec parse(const char *text) {
  sloe_layer_spec s;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &s, &err), err);
  return s;
}

static void what_is_printed_reads_back_as_the_same_spec(void **state) {
  (void)state;
  sloe_rng rng;
  sloe_rng_seed(&rng, 1);
  for (int i = 0; i < 4000; i++) {
    char text[SLOE_SPEC_TEXT], again[SLOE_SPEC_TEXT];
    sloe_layer_spec s = draw_spec(&rng, (sloe_spec_op)(i % SLOE_SPEC_OP_COUNT));
    s.mixed = s.op == SLOE_SPEC_CONCAT && s.parts > 1 && draw(&rng, 0, 1);
    const sloe_layer_spec t = parse(sloe_layer_spec_print(&s, text));
    assert_same_spec(s, t);
    assert_string_equal(text, sloe_layer_spec_print(&t, again));
  }
}

static void the_longest_spec_fits_its_buffer(void **state) {
  (void)state;
  char text[SLOE_SPEC_TEXT];
  const int64_t big = (int64_t)1 << 30, less = big - 1;
  const sloe_layer_spec s = {.op = SLOE_SPEC_CONV,
                             .n = big,
                             .c = big,
                             .h = big,
                             .w = big,
                             .k = less,
                             .kernel = {big, less},
                             .stride = {big, less},
                             .dilation = {big, less},
                             .pad = {big, less},
                             .out = {big, less},
                             .groups = big,
                             .act = SLOE_SPEC_ACT_HARDSIGMOID,
                             .add = 1};
  sloe_layer_spec_print(&s, text);
  assert_non_null(strstr(text, ",act=hardsigmoid,add=1"));
}

static void what_is_left_out_has_its_default(void **state) {
  (void)state;
  sloe_layer_spec s = parse("op=conv,c=64,h=56,w=55");
  assert_int_equal(s.n, 1);
  assert_int_equal(s.k, 64);
  assert_int_equal(s.kernel[0], 1);
  assert_int_equal(s.out[0], 56);
  assert_int_equal(s.out[1], 55);
  s = parse("op=conv,c=3,h=224,w=224,k=64,kernel=7,stride=2");
  assert_int_equal(s.pad[0], 3);
  assert_int_equal(s.out[1], 112);
  assert_int_equal(sloe_layer_spec_pad_end(&s, 0), 2);
  s = parse("op=conv,c=3,h=20,w=20,kernel=3,dilation=2");
  assert_int_equal(s.pad[0], 2);
  assert_int_equal(s.out[0], 20);
  s = parse("op=deconv,c=8,h=10,w=10,kernel=2,stride=2");
  assert_int_equal(s.pad[0], 0);
  assert_int_equal(s.out[0], 20);
  assert_int_equal(parse("op=globalpool,c=8,h=7,w=7").out[0], 1);
  assert_int_equal(parse("op=resize,c=8,h=7,w=5").out[1], 5);
}

static void keys_stand_in_any_order_and_pairs_are_height_by_width(void **state) {
  (void)state;
  const sloe_layer_spec s = parse("kernel=1x7,w=10,op=conv,pad=0x3,c=4,h=9,stride=1x2");
  assert_int_equal(s.kernel[0], 1);
  assert_int_equal(s.kernel[1], 7);
  assert_int_equal(s.out[0], 9);
  assert_int_equal(s.out[1], 5);
  const sloe_layer_spec t = parse("zoo:layer,op=conv,c=4,h=9,w=10,kernel=1x7,stride=1x2");
  assert_same_spec(s, t);
}

/* A window rounded up, as Caffe pools: the end is padded by what is missing. */
static void an_out_says_how_the_end_is_padded(void **state) {
  (void)state;
  sloe_layer_spec s = parse("op=maxpool,c=64,h=112,w=112,kernel=3,stride=2,pad=0,out=56");
  assert_int_equal(sloe_layer_spec_pad_end(&s, 0), 1);
  s = parse("op=maxpool,c=64,h=112,w=112,kernel=2,stride=3,pad=0");
  assert_int_equal(s.out[0], 37);
  assert_int_equal(sloe_layer_spec_pad_end(&s, 1), -2);
  s = parse("op=deconv,c=8,h=10,w=10,kernel=3,stride=2,pad=1,out=20");
  assert_int_equal(sloe_layer_spec_pad_end(&s, 0), 0);
}

static void a_broadcast_that_is_none_is_read_as_what_it_is(void **state) {
  (void)state;
  assert_int_equal(parse("op=binary,c=8,with=channel").with, SLOE_SPEC_WITH_FULL);
  assert_int_equal(parse("op=binary,h=8,with=channel").with, SLOE_SPEC_WITH_SCALAR);
  assert_int_equal(parse("op=binary,w=8,with=row").with, SLOE_SPEC_WITH_FULL);
  assert_int_equal(parse("op=binary,c=2,h=8,with=row").with, SLOE_SPEC_WITH_SCALAR);
  assert_int_equal(parse("op=binary,c=2,h=8,w=3,with=row").with, SLOE_SPEC_WITH_ROW);
}

static void every_mistake_is_refused_with_its_key(void **state) {
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"", "'' is no key=value"},
      {"zoo:layer,", "no key=value"},
      {"op", "'op' is no key=value"},
      {"op=conv,,c=3", "'' is no key=value"},
      {"c=3", "'op' is missing"},
      {"op=convolution", "op: 'convolution' is not an op"},
      {"op=conv,c=3,colour=3", "key 'colour' is not known"},
      {"op=conv,c=3,h=9,w=9,c=3", "'c' stands twice"},
      {"op=fc,c=3,kernel=3", "fc takes no 'kernel'"},
      {"op=maxpool,c=3,k=3", "maxpool takes no 'k'"},
      {"op=conv,c=x", "c: 'x' is not a whole number"},
      {"op=conv,c=", "c: '' is not a whole number"},
      {"op=conv,c=-3", "c: '-3' is not a whole number"},
      {"op=conv,c=1073741825", "c: '1073741825' is not a whole number"},
      {"op=conv,c=0", "c: 0 is not in 1.."},
      {"op=conv,c=3,h=0", "h: 0 is not in 1.."},
      {"op=conv,stride=0", "stride: 0 is not in 1.."},
      {"op=conv,kernel=0", "kernel: 0 is not in 1.."},
      {"op=conv,dilation=1x0", "dilation: 0 is not in 1.."},
      {"op=conv,c=4,groups=0", "groups: 0 is not in 1.."},
      {"op=conv,kernel=3x", "kernel: '' is not a whole number"},
      {"op=conv,kernel=3x3x3", "kernel: '3x3' is not a whole number"},
      {"op=conv,act=sigmoidal", "act: 'sigmoidal' is not known"},
      {"op=conv,add=2", "add: '2' is not 0 or 1"},
      {"op=binary,with=all", "with: 'all' is not known"},
      {"op=resize,linear=yes", "linear: 'yes' is not 0 or 1"},
      {"op=conv,c=6,k=8,groups=3", "groups: 3 do not divide c=6 and k=8"},
      {"op=conv,c=8,k=6,groups=4", "groups: 4 do not divide c=8 and k=6"},
      {"op=conv,c=1,h=2,w=9,kernel=7,pad=0", "kernel: a window of 7 in an image of height 2"},
      {"op=conv,c=1,h=9,w=2,kernel=7,pad=0", "kernel: a window of 7 in an image of width 2"},
      {"op=maxpool,h=9,w=9,kernel=3,pad=3", "pad: 3 before"},
      {"op=conv,h=9,w=9,kernel=3,out=11", "pad: 1 before and 3 behind"},
      {"op=conv,h=9,w=9,kernel=3,stride=2,out=3", "pad: 1 before and -3 behind"},
      {"op=conv,h=9,w=9,out=0", "out: 0 is not in 1.."},
      {"op=deconv,h=9,w=9,kernel=2,stride=2,out=40", "out: a height of 40"},
      {"op=deconv,h=1,w=1,pad=3", "out: -5 is not in 1.."},
      {"op=concat,c=3,parts=4", "parts: 4 of 3 channels"},
      {"op=concat,c=3,mixed=1", "mixed: there is one part"},
      {"op=concat,c=3,parts=2,mixed=2", "mixed: '2' is not 0 or 1"},
      {"op=slice,c=3,k=1,mixed=1", "slice takes no 'mixed'"},
      {"op=slice,c=3,k=4", "k: 4 of 3 channels"},
      {"op=slice,c=3", "k: 3 of 3 channels are no slice"},
      {"op=activation,c=3", "act: an activation needs one"},
      {"op=fc,c=3,h=2", "h: fc reads n rows of c"},
      {"op=fc,c=3,w=2", "w: fc reads rows of c"},
      {"op=matmul,c=3,w=2", "w: matmul reads rows of c"},
  };
  (void)state;
  const sloe_layer_spec none = sloe_layer_spec_none();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sloe_layer_spec s = {.n = 7};
    sloe_error err;
    assert_refused(sloe_layer_spec_parse(bad[i].text, &s, &err), SLOE_USAGE, err, bad[i].message);
    assert_same_spec(s, none);
  }
}

static void a_spec_with_an_enum_that_is_none_is_refused(void **state) {
  (void)state;
  sloe_error err;
  sloe_layer_spec s = sloe_layer_spec_none();
  s.op = SLOE_SPEC_OP_COUNT;
  assert_refused(sloe_layer_spec_check(&s, &err), SLOE_USAGE, err, "is not known");
  s = sloe_layer_spec_none();
  s.act = SLOE_SPEC_ACT_COUNT;
  assert_refused(sloe_layer_spec_check(&s, &err), SLOE_USAGE, err, "is not known");
  assert_string_equal(sloe_spec_op_text(SLOE_SPEC_OP_COUNT), "unknown");
  assert_string_equal(sloe_spec_act_text(SLOE_SPEC_ACT_COUNT), "unknown");
}

static void counts_are_those_of_the_layer(void **state) {
  static const struct {
    const char *text;
    uint64_t macs, in, out, weights;
  } rows[] = {
      {"op=conv,c=3,h=224,w=224,k=64,kernel=7,stride=2", 118013952, 150528, 802816, 9472},
      {"op=conv,n=2,c=32,h=7,w=7,groups=32,kernel=3,add=1", 28224, 6272, 3136, 320},
      {"op=deconv,c=8,h=4,w=4,k=6,kernel=2,stride=2", 3072, 128, 384, 198},
      {"op=fc,n=3,c=10,k=5", 150, 30, 15, 55},
      {"op=matmul,n=2,h=3,c=4,k=5", 120, 24 + 40, 30, 0},
      {"op=batchnorm,c=8,h=3,w=3", 0, 72, 72, 16},
      {"op=globalpool,c=8,h=3,w=3", 0, 72, 8, 0},
      {"op=reduce,n=2,c=8,h=3,w=3", 0, 144, 18, 0},
      {"op=binary,n=2,c=8,h=3,w=4", 0, 384, 192, 0},
      {"op=binary,n=2,c=8,h=3,w=4,with=channel", 0, 208, 192, 0},
      {"op=binary,n=2,c=8,h=3,w=4,with=row", 0, 196, 192, 0},
      {"op=binary,n=2,c=8,h=3,w=4,with=scalar", 0, 193, 192, 0},
      {"op=slice,c=8,k=2,h=3,w=3", 0, 18, 18, 0},
      {"op=resize,c=2,h=3,w=3,out=6", 0, 18, 72, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const sloe_layer_spec s = parse(rows[i].text);
    assert_int_equal(sloe_layer_spec_macs(&s), rows[i].macs);
    assert_int_equal(sloe_layer_spec_in_elements(&s), rows[i].in);
    assert_int_equal(sloe_layer_spec_out_elements(&s), rows[i].out);
    assert_int_equal(sloe_layer_spec_weights(&s), rows[i].weights);
  }
}

static void counts_too_large_for_64_bits_saturate(void **state) {
  (void)state;
  const sloe_layer_spec s = parse("op=fc,n=1073741824,c=1073741824,k=1073741824");
  assert_true(sloe_layer_spec_macs(&s) == UINT64_MAX);
}

static void depthwise_is_a_group_for_each_of_several_channels(void **state) {
  (void)state;
  sloe_layer_spec s = parse("op=conv,c=8,h=3,w=3,groups=8");
  assert_true(sloe_layer_spec_is_depthwise(&s));
  s = parse("op=conv,c=8,h=3,w=3,groups=4");
  assert_false(sloe_layer_spec_is_depthwise(&s));
  s = parse("op=conv,h=3,w=3");
  assert_false(sloe_layer_spec_is_depthwise(&s));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_printed_reads_back_as_the_same_spec),
      cmocka_unit_test(the_longest_spec_fits_its_buffer),
      cmocka_unit_test(what_is_left_out_has_its_default),
      cmocka_unit_test(keys_stand_in_any_order_and_pairs_are_height_by_width),
      cmocka_unit_test(an_out_says_how_the_end_is_padded),
      cmocka_unit_test(a_broadcast_that_is_none_is_read_as_what_it_is),
      cmocka_unit_test(every_mistake_is_refused_with_its_key),
      cmocka_unit_test(a_spec_with_an_enum_that_is_none_is_refused),
      cmocka_unit_test(counts_are_those_of_the_layer),
      cmocka_unit_test(counts_too_large_for_64_bits_saturate),
      cmocka_unit_test(depthwise_is_a_group_for_each_of_several_channels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
