/* What goes over the pipe, without one: words, lines, JSON, base64. */
#include <fcntl.h>
#include <unistd.h>

#include "device/agent/agent_child.h"
#include "device/agent/agent_server.h"
#include "unit/device_files.h"

/* ---- words ---- */

static void a_command_is_cut_at_blanks_that_no_quote_keeps(void **state) {
  static const char *const rows[][5] = {
      {"ssh nano sloe", "ssh", "nano", "sloe", NULL},
      {"  a\t b  ", "a", "b", NULL},
      {"a 'b  c' \"d e\"", "a", "b  c", "d e", NULL},
      {"a'b c'd", "ab cd", NULL},
      {"a \"it's\" '\"'", "a", "it's", "\"", NULL},
      {"a\\ b c\\\\ '\\'", "a b", "c\\", "\\", NULL},
      {"a \"\\\"x\\\"\" ''", "a", "\"x\"", "", NULL},
      {"a,b=c $HOME *", "a,b=c", "$HOME", "*", NULL},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_arena arena;
    char **words;
    sloe_error err;
    size_t n = 0;
    sloe_arena_init(&arena, 1 << 16);
    assert_ok(sloe_agent_words(rows[i][0], &arena, &words, &err), err);
    for (; words[n] && rows[i][n + 1]; n++) assert_string_equal(words[n], rows[i][n + 1]);
    assert_true(!words[n] && !rows[i][n + 1]);
    sloe_arena_fini(&arena);
  }
}

/* ---- lines ---- */

static void lines_are_given_out_one_by_one(void **state) {
  static const char sent[] = "one\n\ntwo three\nrest";
  int fd[2];
  sloe_agent_lines lines;
  char *line;
  size_t len;
  (void)state;
  assert_int_equal(pipe(fd), 0);
  sloe_agent_lines_init(&lines, fd[0], 1000);
  assert_int_equal(sloe_agent_put(fd[1], 0, sent, sizeof sent - 1, INFINITY), SLOE_AGENT_LINE);
  assert_int_equal(sloe_agent_lines_next(&lines, INFINITY, &line, &len), SLOE_AGENT_LINE);
  assert_string_equal(line, "one");
  assert_int_equal(sloe_agent_lines_next(&lines, INFINITY, &line, &len), SLOE_AGENT_LINE);
  assert_int_equal(len, 0);
  assert_int_equal(sloe_agent_lines_next(&lines, INFINITY, &line, &len), SLOE_AGENT_LINE);
  assert_string_equal(line, "two three");
  assert_int_equal(sloe_agent_lines_next(&lines, 0, &line, &len), SLOE_AGENT_LATE);
  assert_null(line);
  close(fd[1]);
  assert_int_equal(sloe_agent_lines_next(&lines, INFINITY, &line, &len), SLOE_AGENT_END);
  assert_int_equal(lines.end - lines.start, 4);
  sloe_agent_lines_fini(&lines);
  close(fd[0]);
}

static void a_line_without_an_end_is_cut_off_at_its_cap(void **state) {
  const int zero = open("/dev/zero", O_RDONLY);
  sloe_agent_lines lines;
  char *line;
  size_t len;
  (void)state;
  sloe_agent_lines_init(&lines, zero, 1 << 20);
  assert_int_equal(sloe_agent_lines_next(&lines, INFINITY, &line, &len), SLOE_AGENT_LONG);
  assert_true(lines.cap <= 4 << 20);
  sloe_agent_lines_fini(&lines);
  close(zero);
}

/* ---- JSON ---- */

static void what_is_no_object_is_refused(void **state) {
  static const char *const rows[] = {
      "", "{", "[]", "17", "{}{}", "x", "{\"a\"}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}"};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    json_t *object = (json_t *)&rows;
    sloe_error err;
    assert_refused(sloe_agent_parse(rows[i], strlen(rows[i]), &object, &err), SLOE_FORMAT, err,
                   "no JSON object");
    assert_null(object);
  }
}

static void a_line_of_too_many_values_is_refused_before_it_is_read(void **state) {
  enum { LEN = 1 << 18 };
  char *line = sloe_alloc(LEN, 1);
  json_t *object;
  sloe_error err;
  (void)state;
  memset(line, '[', LEN);
  assert_refused(sloe_agent_parse(line, LEN, &object, &err), SLOE_FORMAT, err, "more than 131072");
  assert_null(object);
  sloe_dealloc(line);
}

static void every_status_survives_the_pipe(void **state) {
  static const sloe_status statuses[] = {SLOE_NOMEM, SLOE_USAGE,    SLOE_FORMAT,   SLOE_UNSUPPORTED,
                                         SLOE_IO,    SLOE_NOTFOUND, SLOE_INTERNAL, SLOE_DEVICE};
  (void)state;
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    const sloe_error why = {.code = statuses[i], .msg = "it\nbroke \xff"};
    sloe_agent_reply reply;
    sloe_text text = {0};
    sloe_error err = {0};
    assert_ok(sloe_agent_refuse(9, &why, &text, &err), err);
    assert_refused(sloe_agent_read_reply(text.data, text.len - 1, 9, &reply, &err), statuses[i],
                   err, "it?broke");
    assert_true(!reply.broken && !reply.answer);
    sloe_text_fini(&text);
  }
  assert_int_equal(sloe_agent_status_of("stopped"), SLOE_DEVICE); /* nobody asked it to */
  assert_int_equal(sloe_agent_status_of("ok"), SLOE_DEVICE);
}

/* ---- base64 ---- */

static void bytes_come_back_from_base64(void **state) {
  (void)state;
  for (size_t n = 0; n < 70; n++) {
    unsigned char bytes[70] = {0}, *again;
    sloe_text text = {0};
    sloe_error err;
    size_t len;
    for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)(i * 37 + n);
    sloe_agent_base64(bytes, n, &text);
    assert_ok(sloe_agent_unbase64(n ? text.data : "", text.len, &again, &len, &err), err);
    assert_int_equal(len, n);
    assert_memory_equal(again, bytes, n);
    sloe_dealloc(again);
    sloe_text_fini(&text);
  }
}

static void base64_is_what_others_make_of_it(void **state) {
  sloe_text text = {0};
  (void)state;
  sloe_agent_base64("any carnal pleas\xff\xfe", 18, &text);
  sloe_agent_base64("fo", 2, &text);
  sloe_agent_base64("f", 1, &text);
  sloe_text_addn(&text, "", 1);
  assert_string_equal(text.data, "YW55IGNhcm5hbCBwbGVhc//+Zm8=Zg==");
  sloe_text_fini(&text);
}

static void what_is_no_base64_is_refused(void **state) {
  static const char *const rows[] = {"a", "abc", "ab=c", "====", "a-bc", "abc\n", "abcd=", "=abc"};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    unsigned char *bytes = (unsigned char *)&rows;
    size_t len;
    sloe_error err;
    assert_refused(sloe_agent_unbase64(rows[i], strlen(rows[i]), &bytes, &len, &err), SLOE_FORMAT,
                   err, "base64");
    assert_null(bytes);
  }
}

/* ---- requests ---- */

static void ask(sloe_agent_server *server, const char *line, const char *want) {
  sloe_text text = {0};
  json_t *request;
  sloe_error err = {0};
  const int64_t id = sloe_agent_read_request(line, strlen(line), &request, &err);
  if (!id) fail_msg("%s: %s", line, err.msg);
  assert_ok(sloe_agent_answer(server, request, id, &text, &err), err);
  sloe_text_addn(&text, "", 1);
  if (!text.failed && !strstr(text.data, want)) fail_msg("%s: %s lacks %s", line, text.data, want);
  json_decref(request);
  sloe_text_fini(&text);
}

static void wrong_requests_are_refused_and_it_goes_on(void **state) {
  static const char *const rows[][2] = {
      {"{\"id\":1}", "unsupported"},
      {"{\"id\":1,\"op\":7}", "unsupported"},
      {"{\"id\":1,\"op\":\"fly\"}", "no op 'fly' in protocol 1"},
      {"{\"id\":1,\"op\":\"load_layer\"}", "usage"},
      {"{\"id\":1,\"op\":\"load_layer\",\"spec\":\"op=conv,groups=3\"}", "usage"},
      {"{\"id\":1,\"op\":\"load_network\"}", "'onnx' is no text"},
      {"{\"id\":1,\"op\":\"load_network\",\"onnx\":\"abc\"}", "base64 of 3 characters"},
      {"{\"id\":1,\"op\":\"load_network\",\"onnx\":\"abcd\"}", "format"},
      {"{\"id\":1,\"op\":\"run\"}", "'job' is none that is loaded"},
      {"{\"id\":1,\"op\":\"run\",\"job\":0}", "'job' is none that is loaded"},
      {"{\"id\":1,\"op\":\"run\",\"job\":-1}", "'job' is none that is loaded"},
      {"{\"id\":1,\"op\":\"unload\",\"job\":9}", "'job' is none that is loaded"},
      {"{\"id\":1,\"op\":\"proposals\"}", "usage"},
      {"{\"id\":1,\"op\":\"proposals\",\"spec\":\"op=fc,c=3\"}", "\"kernels\":\"\""},
      {"{\"id\":1,\"op\":\"memory\",\"job\":\"1\"}", "'job' is none that is loaded"}};
  sloe_agent_server server;
  (void)state;
  sloe_agent_server_init(&server, device_open("sim"));
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) ask(&server, rows[i][0], rows[i][1]);
  ask(&server, "{\"id\":5,\"op\":\"hello\",\"x\":[{}]}", "\"protocol\":1");
  sloe_agent_server_fini(&server);
}

static void a_jobs_number_is_free_again_when_it_is_unloaded(void **state) {
  static const char load[] = "{\"id\":1,\"op\":\"load_layer\",\"spec\":\"op=fc,c=3\"}";
  sloe_agent_server server;
  (void)state;
  sloe_agent_server_init(&server, device_open("sim"));
  for (int i = 1; i <= SLOE_AGENT_JOBS_MOST; i++) ask(&server, load, "\"job\":");
  ask(&server, load, "1024 jobs are loaded already");
  ask(&server, "{\"id\":1,\"op\":\"unload\",\"job\":7}", "{\"id\":1}");
  ask(&server, "{\"id\":1,\"op\":\"run\",\"job\":7}", "'job' is none");
  ask(&server, load, "\"job\":7,");
  sloe_agent_server_fini(&server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_command_is_cut_at_blanks_that_no_quote_keeps),
      cmocka_unit_test(lines_are_given_out_one_by_one),
      cmocka_unit_test(a_line_without_an_end_is_cut_off_at_its_cap),
      cmocka_unit_test(what_is_no_object_is_refused),
      cmocka_unit_test(a_line_of_too_many_values_is_refused_before_it_is_read),
      cmocka_unit_test(every_status_survives_the_pipe),
      cmocka_unit_test(bytes_come_back_from_base64),
      cmocka_unit_test(base64_is_what_others_make_of_it),
      cmocka_unit_test(what_is_no_base64_is_refused),
      cmocka_unit_test(wrong_requests_are_refused_and_it_goes_on),
      cmocka_unit_test(a_jobs_number_is_free_again_when_it_is_unloaded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
