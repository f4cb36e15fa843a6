/* The platform file: what is read, what is refused and where. */
#include <locale.h>
#include <math.h>

#include "base/file.h"
#include "platform/keys.h"
#include "sloe/sloe.h"
#include "unit/unit.h"

#define HEAD                                                                        \
  "sloe-platform 1\n[platform]\ndevice = toy\ntitle = A toy\nruntime = datasheet\n" \
  "source = datasheet\n"
#define CHIP_START \
  "[chip]\ngpu = T1\ncompute_capability = 8.7\ntensorrt = 10.3\ncores = 256\nsms = 2\n"
#define CHIP_END                                                                             \
  "bus_bits = 64\nram_mib = 4096\ncarve_out_mib = 96\nsystem_mib = 400\nruntime_mib = 504\n" \
  "workspace_mib = 16 256\nlaunch_us = 10 50\nmemory_share = 0.5 0.25\n"
#define CHIP CHIP_START CHIP_END
#define SHARES                                                                      \
  "conv = 0.5 0.25\nconv3x3 = 0.5 0.25\npointwise = 0.5 0.25\ngrouped = 0.5 0.25\n" \
  "matmul = 0.5 0.25\nvector = 0.5 0.25\n"
#define FP32 "[precision fp32]\nmatrix_flop = 256\nvector_flop = 128\n" SHARES
#define FP16 "[precision fp16]\nmatrix_flop = 512\nvector_flop = 256\n" SHARES
#define SLOW "[mode slow]\nsms = 1\ngpu_mhz = 500\nemc_mhz = 1000\npower_cap_w = 5\n"
#define FAST "[mode fast]\nsms = 2\ngpu_mhz = 1000\nemc_mhz = 1600\ndefault = yes\n"
#define TOY  HEAD CHIP FP32 FP16 SLOW FAST

static sloe_status open_text(const char *text, const char *variant, sloe_platform **out,
                             sloe_error *err) {
  return sloe_platform_from_memory(text, strlen(text), variant, out, err);
}

static void a_file_gives_its_default_platform(void **state) {
  (void)state;
  sloe_platform *p;
  sloe_error err;
  assert_int_equal(open_text(TOY, NULL, &p, &err), SLOE_OK);
  const sloe_card *card = sloe_platform_card(p);
  assert_string_equal(card->name, "toy-datasheet-fp16");
  assert_string_equal(card->device, "toy");
  assert_string_equal(card->mode, "fast");
  assert_string_equal(card->path, "");
  assert_string_equal(card->notes, "");
  assert_int_equal(card->default_mode, 1);
  assert_int_equal(card->source, SLOE_SOURCE_DATASHEET);
  assert_float_equal(card->peak_gflops, 2 * 512 * 1.0, 1e-9);
  assert_float_equal(card->bandwidth_gbs, 8 * 2 * 1.6, 1e-9);
  assert_float_equal(card->memory_mb, 4096 * 1.048576, 1e-6);
  assert_float_equal(card->memory_reserved_mb, 1000 * 1.048576, 1e-6);
  assert_true(isnan(card->power_cap_w));
  assert_true(isnan(card->validated_mape));
  const sloe_fusion *fusion = sloe_platform_fusion(p);
  assert_int_equal(fusion->runtime, SLOE_RUNTIME_TENSORRT);
  assert_int_equal(fusion->version, 1003);
  assert_int_equal(fusion->compute_capability, 87);
  assert_int_equal(fusion->precision, SLOE_FP16);
  sloe_platform_free(p);
}

static void variants_are_found_by_end_and_by_full_name(void **state) {
  (void)state;
  static const struct {
    const char *variant, *name;
  } found[] = {
      {"", "toy-datasheet-fp16"},
      {"fp16", "toy-datasheet-fp16"},
      {"fp16-fast", "toy-datasheet-fp16"},
      {"fp32-slow", "toy-datasheet-fp32-slow"},
      {"toy-datasheet-fp32", "toy-datasheet-fp32"},
      {"toy-datasheet-fp32-fast", "toy-datasheet-fp32"},
      {"toy-datasheet-fp16-slow", "toy-datasheet-fp16-slow"},
  };
  for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
    sloe_platform *p;
    assert_int_equal(open_text(TOY, found[i].variant, &p, NULL), SLOE_OK);
    assert_string_equal(sloe_platform_card(p)->name, found[i].name);
    sloe_platform_free(p);
  }
  static const char *const missing[] = {
      "int8", "fp16-",         "fp16-15w",       "fp",
      "-",    "toy-datasheet", "toy-datasheet-", "other-datasheet-fp16"};
  for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    assert_int_equal(open_text(TOY, missing[i], &p, &err), SLOE_NOTFOUND);
    assert_null(p);
    assert_non_null(strstr(err.msg, missing[i]));
  }
}

static void without_a_default_the_only_mode_is_meant_and_named(void **state) {
  (void)state;
  sloe_platform *p;
  assert_int_equal(open_text(HEAD CHIP FP32 SLOW, "toy-datasheet-fp32", &p, NULL), SLOE_OK);
  assert_string_equal(sloe_platform_card(p)->name, "toy-datasheet-fp32-slow");
  assert_int_equal(sloe_platform_card(p)->default_mode, 0);
  assert_float_equal(sloe_platform_card(p)->power_cap_w, 5, 0);
  sloe_platform_free(p);
}

static void comments_blanks_and_crlf_are_allowed(void **state) {
  (void)state;
  static const char text[] =
      "sloe-platform 1 \r\n# why\r\n\t\r\n\r\n[ platform ]\r\n  device=toy\r\ntitle =\tA toy\r\n"
      "runtime = datasheet\nsource = datasheet\n" CHIP FP32 SLOW;
  sloe_platform *p;
  sloe_error err = {0};
  assert_int_equal(open_text(text, NULL, &p, &err), SLOE_OK);
  assert_string_equal(sloe_platform_card(p)->title, "A toy");
  sloe_platform_free(p);
}

static void validation_stands_on_the_card_it_belongs_to(void **state) {
  (void)state;
  sloe_platform *p;
  const char *text = TOY "[validated fp32 slow]\nmape = 12.5\non = 9 networks\n";
  assert_int_equal(open_text(text, "fp32-slow", &p, NULL), SLOE_OK);
  assert_float_equal(sloe_platform_card(p)->validated_mape, 12.5, 0);
  assert_string_equal(sloe_platform_card(p)->validated_on, "9 networks");
  sloe_platform_free(p);
  assert_int_equal(open_text(text, "fp32", &p, NULL), SLOE_OK);
  assert_true(isnan(sloe_platform_card(p)->validated_mape));
  sloe_platform_free(p);
}

/* `at`: the text whose last place in the file is where the error must be; NULL: not looked at. */
typedef struct refusal {
  const char *text, *at;
  sloe_status status;
  const char *says;
} refusal;

static const refusal refusals[] = {
    {"", "", SLOE_FORMAT, "not a platform file"},
    {"{\"a\": 1}", "{", SLOE_FORMAT, "first line must be 'sloe-platform 1'"},
    {"sloe-platform\n", "sloe", SLOE_FORMAT, "not a platform file"},
    {"sloe-platform x\n", "x", SLOE_FORMAT, "'x' is not a format version"},
    {"sloe-platform 0\n", "0", SLOE_FORMAT, "not a format version"},
    {"sloe-platform 2\n[new]\n", "2", SLOE_UNSUPPORTED, "version 2 is newer"},
    {"sloe-platform 1\nx = 1\n", "x = 1", SLOE_FORMAT, "line 2: a key stands before"},
    {"sloe-platform 1\n[layers conv]\n", "[layers", SLOE_UNSUPPORTED,
     "line 2: section [layers conv] is not known"},
    {"sloe-platform 1\n[]\n", "[]", SLOE_UNSUPPORTED, "section [] is not known"},
    {"sloe-platform 1\n[\n", "[", SLOE_FORMAT, "']' is missing"},
    {"sloe-platform 1\n[chip x]\n", "[chip", SLOE_FORMAT, "takes no name"},
    {"sloe-platform 1\n[precision fp8]\n", "[prec", SLOE_UNSUPPORTED, "precision 'fp8'"},
    {"sloe-platform 1\n[mode]\n", "[mode", SLOE_FORMAT, "mode ''"},
    {"sloe-platform 1\n[mode 15W]\n", "[mode", SLOE_FORMAT, "mode '15W'"},
    {"sloe-platform 1\n[validated fp32 slow]\n", "[val", SLOE_FORMAT, "stand before it"},
    {HEAD "[platform]\n", "[platform]", SLOE_FORMAT, "section [platform] stands twice"},
    {HEAD "flavour = 1\n", "flavour", SLOE_UNSUPPORTED, "key 'flavour' in [platform]"},
    {HEAD "device = toy\n", "device", SLOE_FORMAT, "'device' stands twice"},
    {HEAD "just words\n", "just", SLOE_FORMAT, "neither '[section]' nor 'key = value'"},
    {HEAD "notes = caf\xc3\xa9\n", "\xc3", SLOE_FORMAT, "line 7: byte 0xc3"},
    {HEAD CHIP FP32, NULL, SLOE_FORMAT, "without a section [mode NAME]"},
    {HEAD CHIP SLOW, NULL, SLOE_FORMAT, "without a section [precision NAME]"},
    {HEAD FP32 SLOW, NULL, SLOE_FORMAT, "without a section [chip]"},
    {"sloe-platform 1\n" CHIP FP32 SLOW, NULL, SLOE_FORMAT, "without a section [platform]"},
    {HEAD CHIP_START FP32, "[chip]", SLOE_FORMAT, "section [chip] lacks the key 'bus_bits'"},
    {HEAD CHIP_START "bus_bits = 0\n", "0\n", SLOE_FORMAT, "bus_bits = 0 is not within 8 to"},
    {HEAD CHIP_START "bus_bits = 64.5\n", "64.5", SLOE_FORMAT, "a whole number"},
    {HEAD CHIP_START "bus_bits = nan\n", "nan", SLOE_FORMAT, "a finite decimal number"},
    {HEAD CHIP_START "bus_bits = inf\n", "inf", SLOE_FORMAT, "a finite decimal number"},
    {HEAD CHIP_START "bus_bits = 1e999\n", "1e999", SLOE_FORMAT, "a finite decimal number"},
    {HEAD CHIP_START "bus_bits = 6,4\n", "6,4", SLOE_FORMAT, "a finite decimal number"},
    {HEAD CHIP_START "bus_bits =\n", NULL, SLOE_FORMAT, "a finite decimal number"},
    {HEAD CHIP_START "launch_us = 5\n", "5\n", SLOE_FORMAT, "two numbers"},
    {HEAD CHIP_START "launch_us = 5 x\n", "x\n", SLOE_FORMAT, "a finite decimal number"},
    {HEAD CHIP_START "launch_us = 5 4\n", "5 4", SLOE_FORMAT, "worst cost is smaller"},
    {HEAD CHIP_START "memory_share = 0.5 0.6\n", "0.5 0.6", SLOE_FORMAT, "worst share is larger"},
    {HEAD CHIP_START "memory_share = 1.5 0.6\n", "1.5", SLOE_FORMAT, "not within 0.0001 to 1"},
    {HEAD "[chip]\ntensorrt = 8\n", "8\n", SLOE_FORMAT, "a version such as 10.3"},
    {HEAD "[chip]\ntensorrt = 8.100\n", "8.100", SLOE_FORMAT, "a version such as 10.3"},
    {HEAD "[chip]\ntensorrt = 0.5\n", "0.5", SLOE_FORMAT, "no such version"},
    {HEAD CHIP FP32 FP32, "[precision fp32]", SLOE_FORMAT, "[precision fp32] stands twice"},
    {HEAD CHIP FP32 SLOW SLOW, "[mode slow]", SLOE_FORMAT, "section [mode slow] stands twice"},
    {HEAD CHIP FP32 SLOW "default = maybe\n", "maybe", SLOE_FORMAT, "yes or no"},
    {HEAD CHIP FP32 SLOW "default = yes\n" FAST, NULL, SLOE_FORMAT, "two modes are the default"},
    {HEAD CHIP FP32 "[mode big]\nsms = 3\ngpu_mhz = 1\nemc_mhz = 1\n", NULL, SLOE_FORMAT,
     "[mode big]: more SMs"},
    {"sloe-platform 1\n[platform]\ndevice = Toy\n", "Toy", SLOE_FORMAT, "only a-z, 0-9"},
    {"sloe-platform 1\n[platform]\ndevice = -toy\n", "-toy", SLOE_FORMAT, "only a-z, 0-9"},
    {"sloe-platform 1\n[platform]\ntitle =\n", NULL, SLOE_FORMAT, "a value is needed"},
    {"sloe-platform 1\n[platform]\nruntime = a123456789b123456789c123456789d12\n", "a1234",
     SLOE_FORMAT, "too long"},
    {"sloe-platform 1\n[platform]\ndevice = a\ntitle = a\nruntime = a\nsource = fitted\n" CHIP FP32
         SLOW,
     NULL, SLOE_UNSUPPORTED, "source 'fitted'"},
    {HEAD CHIP "[precision fp32]\nmatrix_flop = 1\nvector_flop = 1\nconv = 2 1\nconv3x3 = 1 1\n"
               "pointwise = 1 1\ngrouped = 1 1\nmatmul = 1 1\nvector = 1 1\n" SLOW,
     NULL, SLOE_FORMAT, "a convolution's share of the peak is above what fast_conv"},
    {HEAD CHIP "[precision fp32]\nmatrix_flop = 1\nvector_flop = 1\nconv = 1 1\nconv3x3 = 1 1\n"
               "pointwise = 2 1\ngrouped = 1 1\nmatmul = 1 1\nvector = 1 1\nfast_conv = 4\n" SLOW,
     NULL, SLOE_FORMAT, "above what fast_matrix"},
    {"sloe-platform 1\n[platform]\ndevice = a\ntitle = a\nruntime = a\nsource = datasheet\n"
     "[chip]\ngpu = T1\ncompute_capability = 8.7\ntensorrt = 10.3\ncores = 1\nsms = 1\n"
     "bus_bits = 64\nram_mib = 900\ncarve_out_mib = 0\nsystem_mib = 400\nruntime_mib = 500\n"
     "workspace_mib = 1 1\nlaunch_us = 1 1\nmemory_share = 1 1\n" FP32
     "[mode m]\nsms = 1\ngpu_mhz = 1\nemc_mhz = 1\n",
     NULL, SLOE_FORMAT, "leave nothing of ram_mib"},
};

static const char *last_place(const char *text, const char *at) {
  const char *found = text;
  if (*at)
    for (const char *s = text; (s = strstr(s, at)); s++) found = s;
  return found;
}

static void refusals_say_what_and_where(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    const refusal *r = &refusals[i];
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    sloe_status status = open_text(r->text, NULL, &p, &err);
    if (status != r->status || !strstr(err.msg, r->says))
      fail_msg("case %zu: status %d, '%s' lacks '%s'", i, (int)status, err.msg, r->says);
    assert_null(p);
    assert_int_equal(err.code, status);
    assert_true(err.offset <= strlen(r->text));
    if (r->at && err.offset != (uint64_t)(last_place(r->text, r->at) - r->text))
      fail_msg("case %zu: offset %llu: %s", i, (unsigned long long)err.offset, err.msg);
  }
}

static void sizes_are_capped(void **state) {
  (void)state;
  size_t size = SLOE_PF_MAX_BYTES + 1;
  char *text = test_malloc(size + 1);
  sloe_platform *p;
  sloe_error err;
  memset(text, '#', size);
  assert_int_equal(sloe_platform_from_memory(text, size, NULL, &p, &err), SLOE_FORMAT);
  assert_int_equal(err.offset, SLOE_PF_MAX_BYTES);
  memcpy(text, "sloe-platform 1\n", 16);
  assert_int_equal(sloe_platform_from_memory(text, size - 1, NULL, &p, &err), SLOE_FORMAT);
  assert_non_null(strstr(err.msg, "longer than 1000 bytes"));
  int n = snprintf(text, size, "%s", HEAD CHIP FP32);
  for (int i = 0; i <= SLOE_PF_MAX_MODES; i++)
    n += snprintf(text + n, size - (size_t)n, "[mode m%d]\nsms = 1\ngpu_mhz = 1\nemc_mhz = 1\n", i);
  assert_int_equal(open_text(text, NULL, &p, &err), SLOE_FORMAT);
  assert_non_null(strstr(err.msg, "more than 32 modes"));
  test_free(text);
}

static void a_file_cut_anywhere_is_refused_or_whole(void **state) {
  (void)state;
  static const char text[] = TOY;
  size_t accepted = 0;
  for (size_t len = 0; len < sizeof text; len++) {
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    sloe_status status = sloe_platform_from_memory(text, len, NULL, &p, &err);
    assert_true((status == SLOE_OK) == (p != NULL));
    if (status != SLOE_OK) assert_true(err.msg[0] && err.offset <= len);
    accepted += status == SLOE_OK;
    sloe_platform_free(p);
  }
  assert_true(accepted > 0 && accepted < 120); /* the cuts behind the first whole mode */
}

static void memory_may_fail_anywhere(void **state) {
  (void)state;
  long live = sloe_alloc_live(), n = 0;
  for (;; n++) {
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    sloe_status status = open_text(TOY, NULL, &p, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_platform_free(p);
      break;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(p);
    assert_true(err.msg[0]);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_true(n > 1);
  assert_int_equal(sloe_alloc_live(), live);
}

static void numbers_do_not_follow_the_locale(void **state) {
  (void)state;
  if (!setlocale(LC_ALL, "de_DE.UTF-8")) skip();
  sloe_platform *p;
  assert_int_equal(open_text(TOY, NULL, &p, NULL), SLOE_OK);
  assert_float_equal(sloe_platform_card(p)->bandwidth_gbs, 25.6, 1e-9);
  sloe_platform_free(p);
  setlocale(LC_ALL, "C");
}

/* Every key of the tables has its row in the manual. */
static void the_manual_names_every_key(void **state) {
  (void)state;
  char *manual;
  size_t len;
  sloe_error err;
  assert_ok(sloe_file_read(SLOE_SOURCE_DIR "/docs/platform-file.md", 1 << 20, &manual, &len, &err),
            err);
  for (int s = 0; s < SLOE_PF_SECTION_COUNT; s++)
    for (size_t i = 0; i < sloe_pf_sections[s].n_keys; i++) {
      const sloe_pf_key *key = &sloe_pf_sections[s].keys[i];
      char row[64];
      snprintf(row, sizeof row, "\n| `%s` |", key->name);
      if (!strstr(manual, row)) fail_msg("docs/platform-file.md lacks %s", key->name);
      assert_true(key->doc[0]);
    }
  sloe_dealloc(manual);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_gives_its_default_platform),
      cmocka_unit_test(variants_are_found_by_end_and_by_full_name),
      cmocka_unit_test(without_a_default_the_only_mode_is_meant_and_named),
      cmocka_unit_test(comments_blanks_and_crlf_are_allowed),
      cmocka_unit_test(validation_stands_on_the_card_it_belongs_to),
      cmocka_unit_test(refusals_say_what_and_where),
      cmocka_unit_test(sizes_are_capped),
      cmocka_unit_test(a_file_cut_anywhere_is_refused_or_whole),
      cmocka_unit_test(memory_may_fail_anywhere),
      cmocka_unit_test(numbers_do_not_follow_the_locale),
      cmocka_unit_test(the_manual_names_every_key),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
