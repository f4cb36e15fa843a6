#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Names come from files and command lines: no control character reaches the terminal. */
static void put_safe(FILE *to, const char *s) {
  for (; *s; s++) fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, to);
}

void sloe_cli_vsay(FILE *to, const char *fmt, va_list ap) {
  char line[1024];
  vsnprintf(line, sizeof line, fmt, ap);
  put_safe(to, line);
  fputc('\n', to);
}

void sloe_cli_say(FILE *to, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  sloe_cli_vsay(to, fmt, ap);
  va_end(ap);
}

static int in_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Does the message name the subject itself? */
static int mentions(const char *message, const char *subject) {
  size_t len = strlen(subject);
  for (const char *at = message; (at = strstr(at, subject)); at++)
    if ((at == message || !in_word(at[-1])) && !in_word(at[len])) return 1;
  return 0;
}

sloe_exit sloe_cli_failed(const char *subject, sloe_status status, const sloe_error *err) {
  char where[48] = "";
  int named = !subject || !*subject || mentions(err->msg, subject);
  if (err->offset) snprintf(where, sizeof where, " (byte %" PRIu64 ")", err->offset);
  sloe_cli_say(stderr, "sloe: %s%s%s%s", named ? "" : subject, named ? "" : ": ", err->msg, where);
  switch (status) {
    case SLOE_USAGE: return SLOE_EXIT_USAGE;
    case SLOE_DEVICE: return SLOE_EXIT_DEVICE;
    case SLOE_STOPPED: return SLOE_EXIT_NO;
    default: return SLOE_EXIT_INPUT;
  }
}

void sloe_cli_warn(const char *subject, const char *text) {
  int named = !subject || mentions(text, subject);
  sloe_cli_say(stderr, "sloe: %s%swarning: %s", named ? "" : subject, named ? "" : ": ", text);
}

/* Is it among the warnings of the answers before? */
static int said_before(const sloe_answer *answers, size_t n, const char *warning) {
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < answers[i].result->n_warnings; k++)
      if (!strcmp(answers[i].result->warnings[k], warning)) return 1;
  return 0;
}

void sloe_cli_say_warnings(const sloe_answer *answers, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const sloe_result *result = answers[i].result;
    for (size_t k = 0; k < result->n_warnings; k++)
      if (!said_before(answers, i, result->warnings[k])) sloe_cli_warn(NULL, result->warnings[k]);
  }
}

sloe_exit sloe_cli_flush(void) {
  int failed = ferror(stdout);
  if (fflush(stdout) == 0 && !failed) return SLOE_EXIT_YES;
  sloe_cli_say(stderr, "sloe: writing the answer: %s", errno ? strerror(errno) : "failed");
  return SLOE_EXIT_INPUT;
}

sloe_exit sloe_cli_answer(char *text) {
  errno = 0;
  fputs(text, stdout);
  sloe_text_free(text);
  return sloe_cli_flush();
}

void *sloe_cli_alloc(size_t count, size_t size) {
  void *p = calloc(count ? count : 1, size);
  if (p) return p;
  fputs("sloe: out of memory\n", stderr);
  exit(SLOE_EXIT_INPUT);
}

char *sloe_cli_store_of(const char *out) {
  const size_t size = strlen(out) + sizeof ".db";
  char *db = sloe_cli_alloc(size, 1);
  snprintf(db, size, "%s.db", out);
  return db;
}
