/* The other end misbehaves: a clear status within a bounded time, and no process is left. */
#include <unistd.h>

#include "device/agent/agent.h"
#include "unit/agent_files.h"
#include "unit/store_files.h"

extern const sloe_backend sloe_backend_agent;

/* ---- one visit: open, load a layer, run it, load a network, time its layers, sensors ---- */

static sloe_status use_layer(void *state, uint64_t *ns, sloe_error *err) {
  const sloe_backend *b = &sloe_backend_agent;
  const sloe_layer_spec spec = spec_of(CONV_A);
  uint64_t host_ns;
  void *job;
  SLOE_TRY(b->load_layer(state, &spec, &job, err));
  sloe_status status = b->run(state, job, ns, &host_ns, err);
  if (status == SLOE_OK) status = b->memory(state, job, &(sloe_device_memory){0}, err);
  if (status == SLOE_OK) status = b->sensor(state, &(sloe_device_sensor){0}, err);
  b->unload(state, job);
  return status;
}

/* The stand-in knows networks of two layers only. */
static sloe_status use_network(void *state, const char *net_text, sloe_error *err) {
  const sloe_backend *b = &sloe_backend_agent;
  uint64_t ns[2] = {0};
  sloe_net *net;
  sloe_layers *layers;
  void *job;
  assert_ok(sloe_net_open(net_text, NULL, &net, err), *err);
  assert_ok(sloe_layers_new(net, NULL, &layers, err), *err);
  sloe_status status = b->load_network(state, layers, &job, err);
  assert_int_equal(status == SLOE_OK, job != NULL);
  if (status == SLOE_OK) {
    status = b->run_layers(state, job, ns, 2, err);
    if (status == SLOE_OK) assert_true(ns[0] == 400 && ns[1] == 600);
    b->unload(state, job);
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
  return status;
}

#define TWO_LAYERS "zoo:layer,op=conv,c=4,h=8,w=8,k=4,act=relu"
#define ONE_LAYER  "zoo:layer,op=conv,c=4,h=8,w=8,k=4"

static sloe_status visit(const char *how, const sloe_agent_limits *limits, sloe_error *err) {
  char command[1200];
  sloe_device_info info;
  uint64_t ns = 0;
  void *state;
  snprintf(command, sizeof command, "'%s' %s", SLOE_STAND_IN, how);
  memset(err, 0, sizeof *err);
  sloe_status status = sloe_agent_open(command, limits, &state, &info, err);
  assert_int_equal(status == SLOE_OK, state != NULL);
  if (status != SLOE_OK) return status;
  assert_string_equal(info.title, "Stand-in");
  status = use_layer(state, &ns, err);
  if (status == SLOE_OK) status = use_network(state, TWO_LAYERS, err);
  sloe_backend_agent.close(state);
  return status;
}

static void one_that_behaves_is_no_trouble(void **state) {
  sloe_error err;
  (void)state;
  assert_ok(visit("", NULL, &err), err);
  assert_no_child();
}

/* ---- every way at every request ---- */

static const char *const asked[] = {"hello", "load_layer",   "run",       "memory",
                                    "power", "load_network", "run_layers"};
enum { N_ASKED = sizeof asked / sizeof *asked };

static void assert_device(const char *how, const char *op, const char *says,
                          const sloe_agent_limits *limits) {
  char text[200];
  sloe_error err;
  snprintf(text, sizeof text, "%s %s", how, op);
  const sloe_status status = visit(text, limits, &err);
  if (status != SLOE_DEVICE || !strstr(err.msg, says))
    fail_msg("%s: status %d: '%s' lacks '%s'", text, (int)status, err.msg, says);
  assert_no_child();
}

static void what_it_does_wrong_is_said_and_it_is_ended(void **state) {
  static const char *const ways[][2] = {
      {"die", "closed its end (signal 9)"},
      {"exit", "closed its end (exit status 3)"},
      {"half", "closed its end (exit status 0)"},
      {"rubbish", "says no JSON object: 'Welcome to?[1m this machine'"},
      {"number", "says no JSON object: '17'"},
      {"other", "answers request"},
      {"old", "answers request"},
      {"anonymous", "line has no id"},
      {"flood", "a line of more than 4194304 bytes"},
      {"refuse", "the fan?stopped"},
      {"odd", "refuses and does not say why"}};
  (void)state;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (size_t k = 0; k < N_ASKED; k++) assert_device(ways[i][0], asked[k], ways[i][1], NULL);
}

static void answers_that_lack_what_was_asked_for_are_said(void **state) {
  static const char *const ways[][3] = {{"empty", "hello", "lacks a sound 'protocol'"},
                                        {"empty", "load_layer", "gives no number"},
                                        {"empty", "load_network", "gives no number"},
                                        {"empty", "run", "gives no device_ns"},
                                        {"empty", "run_layers", "0 times for 2 layers"},
                                        {"many", "run_layers", "3 times for 2 layers"}};
  (void)state;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    assert_device(ways[i][0], ways[i][1], ways[i][2], NULL);
}

static void one_that_never_answers_is_given_up(void **state) {
  static const sloe_agent_limits soon = {.hello = 0.2, .silence = 0.1};
  static const sloe_agent_limits busy = {.hello = 0.2, .load = 0.1, .run = 0.1, .other = 0.1};
  (void)state;
  for (size_t k = 0; k < N_ASKED; k++) {
    assert_device("hang", asked[k], "hung: nothing came for", &soon);
    assert_device("busy", asked[k], "hung: still busy after", &busy);
  }
}

static void one_that_closes_its_stdout_or_does_not_end_is_killed(void **state) {
  static const sloe_agent_limits soon = {.silence = 0.1};
  (void)state;
  assert_device("mute", "run", "closed its end", NULL);
  assert_device("deaf", "run", "hung", &soon);
}

static void a_future_protocol_is_unsupported(void **state) {
  sloe_error err;
  (void)state;
  assert_refused(visit("future hello", NULL, &err), SLOE_UNSUPPORTED, err,
                 "the agent speaks protocol 2, this sloe 1");
  assert_no_child();
}

static void other_layers_there_than_here_are_refused(void **state) {
  sloe_device_info info;
  sloe_error err;
  void *device;
  (void)state;
  assert_ok(sloe_agent_open("'" SLOE_STAND_IN "'", NULL, &device, &info, &err), err);
  assert_refused(use_network(device, ONE_LAYER, &err), SLOE_UNSUPPORTED, err,
                 "the agent makes 2 layers of it, here they are 1");
  sloe_backend_agent.close(device);
}

static void what_cannot_be_started_is_said(void **state) {
  static const struct {
    const char *backend;
    sloe_status status;
    const char *says;
  } rows[] = {{"agent", SLOE_USAGE, "no command"},
              {"agent:", SLOE_USAGE, "no command"},
              {"agent:  ", SLOE_USAGE, "no command"},
              {"agent:'x", SLOE_USAGE, "a quote is left open"},
              {"agent:no-such-command a b", SLOE_DEVICE, "cannot start 'no-such-command'"},
              {"agent:true", SLOE_DEVICE, "closed its end (exit status 0)"}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_device *device = (sloe_device *)&rows;
    sloe_error err;
    assert_refused(sloe_device_open(rows[i].backend, NULL, &device, &err), rows[i].status, err,
                   rows[i].says);
    assert_null(device);
  }
  assert_no_child();
}

/* ---- starting again ---- */

static void one_that_died_between_requests_is_started_again(void **state) {
  static const char *const when[] = {"load_layer", "run", "memory", "load_network"};
  (void)state;
  for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
    char how[700];
    sloe_error err;
    snprintf(how, sizeof how, "once '%s' after %s", store_path("mark"), when[i]);
    assert_ok(visit(how, NULL, &err), err);
    snprintf(how, sizeof how, "once '%s' die %s", store_path("mark2"), when[i]);
    assert_ok(visit(how, NULL, &err), err);
    store_empty_folder(NULL);
  }
  assert_no_child();
}

static void one_that_comes_back_as_another_device_is_no_use(void **state) {
  char how[700];
  sloe_error err;
  (void)state;
  snprintf(how, sizeof how, "other-device '%s'", store_path("mark"));
  assert_refused(visit(how, NULL, &err), SLOE_DEVICE, err, "came back as another device: another");
  assert_no_child();
}

static void it_is_not_started_again_for_ever(void **state) {
  sloe_device_info info;
  sloe_error err;
  void *device;
  uint64_t ns;
  (void)state;
  assert_ok(sloe_agent_open("'" SLOE_STAND_IN "' die run", NULL, &device, &info, &err), err);
  for (int i = 0; i < 4; i++) assert_int_equal(use_layer(device, &ns, &err), SLOE_DEVICE);
  assert_refused(use_layer(device, &ns, &err), SLOE_DEVICE, err, "started again 3 times already");
  sloe_backend_agent.close(device);
  assert_no_child();
}

/* ---- through the device's own functions ---- */

static void caches_are_settled_by_the_run_that_it_is_for(void **state) {
  const sloe_timing_options cold = {.ref_runs = -1}, warm = {.ref_runs = -1, .warm = 1};
  (void)state;
  sloe_device *device = device_open(STAND_IN);
  sloe_timing a = device_time(device, CONV_A, &cold), b = device_time(device, CONV_A, &warm);
  assert_true(a.median_ns == 1500 && b.median_ns == 1000);
  sloe_timing_fini(&a);
  sloe_timing_fini(&b);
  sloe_device_close(device);
}

static void times_that_cannot_be_are_a_lie(void **state) {
  (void)state;
  sloe_device *device = device_open(STAND_IN "lie run");
  sloe_job *job = device_layer(device, CONV_A);
  sloe_timing timing;
  sloe_error err;
  assert_refused(sloe_time_job(device, job, NULL, &timing, &err), SLOE_DEVICE, err,
                 "runs backwards");
  sloe_job_unload(job);
  sloe_device_close(device);
}

static void every_allocation_may_fail(void **state) {
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  (void)state;
  for (long n = 0; status != SLOE_OK; n++) {
    sloe_device *device = NULL;
    sloe_job *job = NULL;
    sloe_timing timing = {0};
    sloe_error err = {0};
    const sloe_layer_spec spec = spec_of(CONV_A);
    assert_true(n < 1000);
    sloe_alloc_fail_after(n);
    status = sloe_device_open(STAND_IN, NULL, &device, &err);
    if (status == SLOE_OK) status = sloe_device_load_layer(device, &spec, &job, &err);
    if (status == SLOE_OK) status = sloe_time_job(device, job, NULL, &timing, &err);
    sloe_alloc_fail_after(-1);
    sloe_timing_fini(&timing);
    sloe_job_unload(job);
    sloe_device_close(device);
    if (status != SLOE_OK) assert_true(*err.msg);
    assert_int_equal(sloe_alloc_live(), live);
    assert_no_child();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_that_behaves_is_no_trouble),
      cmocka_unit_test(what_it_does_wrong_is_said_and_it_is_ended),
      cmocka_unit_test(answers_that_lack_what_was_asked_for_are_said),
      cmocka_unit_test(one_that_never_answers_is_given_up),
      cmocka_unit_test(one_that_closes_its_stdout_or_does_not_end_is_killed),
      cmocka_unit_test(a_future_protocol_is_unsupported),
      cmocka_unit_test(other_layers_there_than_here_are_refused),
      cmocka_unit_test(what_cannot_be_started_is_said),
      cmocka_unit_test(one_that_died_between_requests_is_started_again),
      cmocka_unit_test_teardown(one_that_comes_back_as_another_device_is_no_use,
                                store_empty_folder),
      cmocka_unit_test(it_is_not_started_again_for_ever),
      cmocka_unit_test(caches_are_settled_by_the_run_that_it_is_for),
      cmocka_unit_test(times_that_cannot_be_are_a_lie),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
