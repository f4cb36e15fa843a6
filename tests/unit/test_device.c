/* Opening backends: names, keys, modules; jobs and their refusals. */
#include "unit/device_files.h"

static void a_backend_says_who_it_is(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:threads=2,precision=fp16");
  const sloe_device_info *info = sloe_device_describe(device);
  assert_string_equal(info->device, "sim");
  assert_string_equal(info->runtime, "onednn");
  assert_string_equal(info->precision, "fp16");
  assert_string_equal(info->mode, "t2");
  assert_int_equal(info->threads, 2);
  assert_int_equal(info->fusion.runtime, SLOE_RUNTIME_ONEDNN);
  assert_string_equal(sloe_device_backend(device), "sim:threads=2,precision=fp16");
  sloe_device_close(device);
  sloe_device_close(NULL);
}

static void a_wrong_backend_is_refused_with_what_there_is(void **state) {
  (void)state;
  static const struct {
    const char *backend;
    sloe_status status;
    const char *message;
  } cases[] = {
      {"", SLOE_USAGE, "there are: sim, "},
      {"tpu:threads=1", SLOE_USAGE, "no backend 'tpu'"},
      {"sim:", SLOE_USAGE, "'' is not key=value"},
      {"sim:noise", SLOE_USAGE, "'noise' is not key=value"},
      {"sim:=3", SLOE_USAGE, "is not key=value"},
      {"sim:seed=1,seed=2", SLOE_USAGE, "seed stands twice"},
      {"sim:sed=1", SLOE_USAGE, "no key 'sed'; there are: seed"},
      {"sim:kw=0", SLOE_USAGE, "kw: '0' is not a whole number in 1..4096"},
      {"sim:kw=8x", SLOE_USAGE, "kw: '8x'"},
      {"sim:noise=2", SLOE_USAGE, "noise: '2' is not a number in 0..1"},
      {"sim:noise=nan", SLOE_USAGE, "noise: 'nan'"},
      {"sim:precision=fp8", SLOE_USAGE, "fp8"},
      {"sim:runtime=tvm", SLOE_USAGE, "tvm"},
      {"sim:a=,b=,c=,d=,e=,f=,g=,h=,i=,j=,k=,l=,m=,n=,o=,p=,q=", SLOE_USAGE, "more than 16"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_device *device = (sloe_device *)&cases;
    sloe_error err;
    assert_refused(sloe_device_open(cases[i].backend, NULL, &device, &err), cases[i].status, err,
                   cases[i].message);
    assert_null(device);
  }
}

static void a_module_that_is_not_there_is_unsupported(void **state) {
  (void)state;
  sloe_device *device;
  sloe_error err;
  assert_refused(sloe_device_open("onednn", SLOE_SOURCE_DIR "/docs", &device, &err),
                 SLOE_UNSUPPORTED, err, "backend onednn: no module: ");
  assert_null(device);
}

static void a_module_of_another_build_is_refused(void **state) {
  (void)state;
  sloe_device *device;
  sloe_error err;
  assert_refused(sloe_device_open("onednn", SLOE_STALE_MODULES, &device, &err), SLOE_UNSUPPORTED,
                 err, "libsloe-onednn.so is of another build of sloe");
  assert_null(device);
}

typedef struct seen {
  int sim, onednn;
} seen;

static void see(void *context, const char *name, const char *doc, const char *why) {
  seen *s = context;
  assert_true(*doc);
  if (!strcmp(name, "sim")) s->sim += !why;
  if (!strcmp(name, "onednn")) s->onednn += why ? strstr(why, "no module") != NULL : 100;
}

static void every_backend_is_listed_with_what_is_missing(void **state) {
  (void)state;
  seen s = {0};
  sloe_backend_each(SLOE_SOURCE_DIR "/docs", see, &s);
  assert_int_equal(s.sim, 1);
  assert_int_equal(s.onednn, 1);
}

static void a_module_that_is_there_is_listed_without_being_loaded(void **state) {
  (void)state;
  seen s = {0};
  sloe_backend_each(SLOE_STALE_MODULES, see, &s); /* loaded, it would be refused */
  assert_int_equal(s.onednn, 100);
}

static void an_impossible_layer_is_refused_before_the_backend_sees_it(void **state) {
  (void)state;
  sloe_device *device = device_open("sim");
  sloe_layer_spec spec = sloe_layer_spec_none();
  sloe_job *job = (sloe_job *)device;
  sloe_error err;
  spec.groups = 3;
  assert_refused(sloe_device_load_layer(device, &spec, &job, &err), SLOE_USAGE, err, "groups");
  assert_null(job);
  sloe_job_unload(NULL);
  sloe_device_close(device);
}

static void what_does_not_fit_is_unsupported_and_the_device_lives_on(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:memory_mb=100");
  const sloe_layer_spec large = spec_of("op=fc,c=10000,k=10000");
  sloe_job *job;
  sloe_error err;
  assert_refused(sloe_device_load_layer(device, &large, &job, &err), SLOE_UNSUPPORTED, err,
                 "do not fit into 100 MB");
  assert_null(job);
  assert_true(device_median(device, CONV_A) > 0);
  sloe_device_close(device);
}

static sloe_status open_and_time(sloe_error *err) {
  const sloe_layer_spec spec = spec_of(CONV_A);
  sloe_device *device = NULL;
  sloe_job *job = NULL;
  sloe_timing timing = {0};
  sloe_status status = sloe_device_open("sim:threads=2", NULL, &device, err);
  if (status == SLOE_OK) status = sloe_device_load_layer(device, &spec, &job, err);
  if (status == SLOE_OK) status = sloe_time_job(device, job, NULL, &timing, err);
  sloe_timing_fini(&timing);
  sloe_job_unload(job);
  sloe_device_close(device);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  sloe_error err = {0};
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status != SLOE_OK; n++) {
    assert_true(n < 1000);
    sloe_alloc_fail_after(n);
    status = open_and_time(&err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_backend_says_who_it_is),
      cmocka_unit_test(a_wrong_backend_is_refused_with_what_there_is),
      cmocka_unit_test(a_module_that_is_not_there_is_unsupported),
      cmocka_unit_test(a_module_of_another_build_is_refused),
      cmocka_unit_test(every_backend_is_listed_with_what_is_missing),
      cmocka_unit_test(a_module_that_is_there_is_listed_without_being_loaded),
      cmocka_unit_test(an_impossible_layer_is_refused_before_the_backend_sees_it),
      cmocka_unit_test(what_does_not_fit_is_unsupported_and_the_device_lives_on),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
