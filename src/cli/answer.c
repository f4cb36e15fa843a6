#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Names come from files and command lines: no control character reaches the terminal. */
static void put_safe(const char *s) {
  for (; *s; s++) fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, stderr);
}

/* "sloe: SUBJECT: ", where the message does not begin with the subject itself. */
static void put_subject(const char *subject, const char *message) {
  fputs("sloe: ", stderr);
  if (!subject || !*subject || !strncmp(message, subject, strlen(subject))) return;
  put_safe(subject);
  fputs(": ", stderr);
}

sloe_exit sloe_cli_failed(const char *subject, sloe_status status, const sloe_error *err) {
  put_subject(subject, err->msg);
  put_safe(err->msg);
  if (err->offset) fprintf(stderr, " (byte %" PRIu64 ")", err->offset);
  fputc('\n', stderr);
  return status == SLOE_USAGE ? SLOE_EXIT_USAGE : SLOE_EXIT_INPUT;
}

void sloe_cli_warn(const char *subject, const char *text) {
  put_subject(subject, text);
  fputs("warning: ", stderr);
  put_safe(text);
  fputc('\n', stderr);
}

sloe_exit sloe_cli_flush(void) {
  int failed = ferror(stdout);
  if (fflush(stdout) == 0 && !failed) return SLOE_EXIT_YES;
  fprintf(stderr, "sloe: writing the answer: %s\n", errno ? strerror(errno) : "failed");
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
