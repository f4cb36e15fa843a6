/* trt_command.c: one command of trtexec: run, logged, judged, and run again where it was disturbed.
 *
 * A command may die for reasons that have nothing to do with what it measures: another process took
 * the memory, a driver failed, someone killed it. What is then in its files is never looked at. It
 * is tried once more; what fails twice is a failure of the device (or, where trtexec says the same
 * both times, of what was to be built).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "device/trtexec/trtexec.h"

enum { TRIES = 2, TAIL = 4096 };

/* ---- the log ---- */

static void append(const sloe_trtexec *t, const sloe_text *text) {
  if (!t->log_path || text->failed) return;
  const int fd = open(t->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return;
  for (size_t done = 0; done < text->len;) {
    const ssize_t n = write(fd, text->data + done, text->len - done);
    if (n < 0 && errno != EINTR) break;
    if (n > 0) done += (size_t)n;
  }
  close(fd);
}

void sloe_trtexec_log(const sloe_trtexec *t, const char *fmt, ...) {
  char line[1024];
  sloe_text text = {0};
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  sloe_text_add(&text, line);
  sloe_text_add(&text, "\n");
  append(t, &text);
  sloe_text_fini(&text);
}

/* As a shell would take it: 'quoted' where a word needs it. */
static void add_word(sloe_text *text, const char *word) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/.:,+@%";
  if (*word && strspn(word, plain) == strlen(word)) {
    sloe_text_add(text, word);
    return;
  }
  sloe_text_add(text, "'");
  for (; *word; word++) {
    if (*word == '\'')
      sloe_text_add(text, "'\\''");
    else
      sloe_text_addn(text, word, 1);
  }
  sloe_text_add(text, "'");
}

void sloe_trtexec_log_words(const sloe_trtexec *t, char *const *words) {
  sloe_text text = {0};
  sloe_text_add(&text, "$");
  for (; *words; words++) {
    sloe_text_add(&text, " ");
    add_word(&text, *words);
  }
  sloe_text_add(&text, "\n");
  append(t, &text);
  sloe_text_fini(&text);
}

/* ---- what was said ---- */

sloe_status sloe_trtexec_read_output(const sloe_trtexec *t, char **text, size_t *len,
                                     sloe_error *err) {
  SLOE_TRY(sloe_file_read(t->output, 2 * (size_t)SLOE_TRTEXEC_OUTPUT_MOST, text, len, err));
  for (size_t i = 0; i < *len; i++)
    if (!(*text)[i]) (*text)[i] = ' ';
  return SLOE_OK;
}

/* ---- one run of it ---- */

typedef struct attempt {
  sloe_trtexec *t;
  const sloe_trtexec_order *order;
  sloe_trtexec_outcome outcome;
  char *output;
  size_t len;
  sloe_trt_file *file; /* NULL: nothing of trtexec was in it */
  sloe_error *err;
} attempt;

static const sloe_trt_run *run_of(const attempt *a) {
  const sloe_trt_file *file = a->file;
  return file && file->kind == SLOE_TRT_LOG && file->n_runs == 1 ? &file->runs[0] : NULL;
}

/* The first error that trtexec printed is the cause of the others; "" where there is none. */
static const char *first_error(const attempt *a) {
  const sloe_trt_run *run = run_of(a);
  return run && run->n_errors ? run->errors[0] : "";
}

static int blames_cuda(const sloe_trt_run *run) {
  for (size_t i = 0; i < run->n_errors; i++)
    if (strstr(run->errors[i], "Cuda") || strstr(run->errors[i], "CUDA") ||
        strstr(run->errors[i], "cuda"))
      return 1;
  return 0;
}

static sloe_status fault(const attempt *a) {
  char how[SLOE_TRTEXEC_HOW];
  const char *why = first_error(a);
  return sloe_fail(a->err, SLOE_DEVICE, "%s: trtexec failed (%s)%s%.100s", a->order->what,
                   sloe_trtexec_how(&a->outcome, how), *why ? ": " : "", why);
}

/* It ended by itself and says that it failed. */
static sloe_status refusal(const attempt *a, int is_last) {
  const sloe_trt_run *run = run_of(a);
  const char *why = first_error(a);
  if (!run || run->end != SLOE_TRT_FAILED) return fault(a);
  if (run->remarks & SLOE_TRT_OUT_OF_MEMORY)
    return sloe_fail(a->err, SLOE_UNSUPPORTED, "%s: memory ran out: %.120s", a->order->what, why);
  if (run->remarks & SLOE_TRT_HELP)
    return sloe_fail(a->err, SLOE_DEVICE,
                     "%s: this trtexec does not take an option of ours: %.100s", a->order->what,
                     why);
  if (blames_cuda(run) || !(run->remarks & SLOE_TRT_BUILD_FAILED || is_last)) return fault(a);
  return sloe_fail(a->err, SLOE_UNSUPPORTED, "%s: TensorRT cannot: %.140s", a->order->what,
                   *why ? why : "it does not say why");
}

static sloe_status judge(const attempt *a, int is_last) {
  const sloe_trt_run *run = run_of(a);
  if (a->outcome.end != SLOE_TRTEXEC_EXITED) return fault(a);
  if (a->outcome.code != 0) return a->order->judge ? refusal(a, is_last) : fault(a);
  if (!a->order->judge) return SLOE_OK;
  if (!run || run->end != SLOE_TRT_PASSED)
    return sloe_fail(a->err, SLOE_DEVICE, "%s: trtexec ended well and does not say so",
                     a->order->what);
  const sloe_status status = a->order->judge(a->order->context, run, a->err);
  return status == SLOE_OK ? status : sloe_fail_in(a->err, status, "%s", a->order->what);
}

/* A command that went wrong leaves in the log what it said last. */
static void log_outcome(const attempt *a, sloe_status status) {
  char how[SLOE_TRTEXEC_HOW];
  sloe_text text = {0};
  sloe_text_addf(&text, "# %s after %lld ms%s%s\n", sloe_trtexec_how(&a->outcome, how),
                 (long long)(a->outcome.seconds * 1e3), status ? ": " : "",
                 status && a->err ? a->err->msg : "");
  if (status && a->output) {
    const size_t from = a->len > TAIL ? a->len - TAIL : 0;
    sloe_text_addn(&text, a->output + from, a->len - from);
    sloe_text_add(&text, "\n");
  }
  append(a->t, &text);
  sloe_text_fini(&text);
}

static sloe_status run_once(sloe_trtexec *t, const sloe_trtexec_order *order, int is_last,
                            sloe_error *err) {
  attempt a = {.t = t, .order = order, .err = err};
  sloe_trtexec_child child;
  sloe_trtexec_log_words(t, order->words);
  SLOE_TRY(sloe_trtexec_start(order->words, t->output, &child, err));
  sloe_trtexec_wait(&child, order->limit_s, t->output, order->meanwhile, &a.outcome);
  sloe_status status = sloe_trtexec_read_output(t, &a.output, &a.len, NULL);
  if (status == SLOE_OK) status = sloe_trt_read(a.output, a.len, 0, &a.file, NULL);
  status = status == SLOE_NOMEM ? sloe_fail(err, status, "out of memory reading trtexec's log")
                                : judge(&a, is_last);
  log_outcome(&a, status);
  sloe_trt_free(a.file);
  sloe_dealloc(a.output);
  return status;
}

sloe_status sloe_trtexec_carry_out(sloe_trtexec *t, const sloe_trtexec_order *order,
                                   sloe_error *err) {
  sloe_error why = {0};
  sloe_status status = SLOE_OK;
  for (int i = 0; i < TRIES; i++) {
    status = run_once(t, order, i == TRIES - 1, &why);
    if (status != SLOE_DEVICE) break;
  }
  return status == SLOE_OK ? status : sloe_fail(err, status, "%s", why.msg);
}
