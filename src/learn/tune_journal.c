#include "learn/tune_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "base/text.h"

static const char head[] = "sloe tune journal 1\n";
enum { HEAD = sizeof head - 1, LONGEST = 160 };
static const size_t most_bytes = (size_t)1 << 28;

/* ---- reading ---- */

/* 16 digits of a hash. */
static int hex_of(const char *s, size_t len, uint64_t *out) {
  *out = 0;
  if (len != 16) return 0;
  for (size_t i = 0; i < 16; i++) {
    const char *const digits = "0123456789abcdef", *at = strchr(digits, s[i]);
    if (!at || !s[i]) return 0;
    *out = *out << 4 | (uint64_t)(at - digits);
  }
  return 1;
}

/* The next word of a line, and a pointer behind the blank after it. */
static const char *word(const char **line, size_t *len) {
  const char *start = *line;
  *len = strcspn(start, " \n");
  *line = start + *len + (start[*len] == ' ');
  return start;
}

/* 0: damaged, or not of this key. */
static int read_line(const char *line, uint64_t key, sloe_journal_entry *out) {
  const char *p = line, *w;
  size_t len;
  uint64_t own, check;
  double number[3];
  w = word(&p, &len);
  if (!hex_of(w, len, &own) || own != key) return 0;
  w = word(&p, &len);
  if (!hex_of(w, len, &out->place)) return 0;
  for (size_t i = 0; i < 3; i++) {
    w = word(&p, &len);
    if (!sloe_parse_double(w, len, &number[i])) return 0;
  }
  w = word(&p, &len);
  if (!hex_of(w, len, &check) || check != sloe_hash64(line, (size_t)(w - line))) return 0;
  if (!(number[0] >= SLOE_FIT_ARRIVED && number[0] <= SLOE_FIT_FAILED)) return 0;
  out->answer = (sloe_fit_answer){(sloe_fit_state)number[0], number[1]};
  out->seconds = number[2];
  return 1;
}

static int by_place(const void *a, const void *b) {
  const sloe_journal_entry *p = a, *q = b;
  return (p->place > q->place) - (p->place < q->place);
}

static sloe_status read_lines(sloe_journal *j, const char *text, sloe_error *err) {
  size_t lines = 1;
  for (const char *p = text; (p = strchr(p, '\n')); p++) lines++;
  j->entry = sloe_alloc(lines, sizeof *j->entry);
  if (!j->entry) return sloe_fail(err, SLOE_NOMEM, "out of memory for %s", j->path);
  for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
    j->n += (size_t)read_line(p, j->key, &j->entry[j->n]);
  qsort(j->entry, j->n, sizeof *j->entry, by_place);
  return SLOE_OK;
}

/* ---- writing ---- */

static sloe_status cannot(const sloe_journal *j, const char *verb, sloe_error *err) {
  return sloe_fail(err, SLOE_IO, "cannot %s %s: %s", verb, j->path, strerror(errno));
}

static sloe_status write_text(const sloe_journal *j, const char *data, size_t len,
                              sloe_error *err) {
  while (len) {
    const ssize_t n = write(j->fd, data, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cannot(j, "write", err);
    data += n;
    len -= (size_t)n;
  }
  return SLOE_OK;
}

static void add_line(const sloe_journal *j, const sloe_journal_entry *e, sloe_text *text) {
  char sum[SLOE_NUMBER_BUF], seconds[SLOE_NUMBER_BUF];
  const size_t from = text->len;
  sloe_text_addf(text, "%016llx %016llx %d %s %s ", (unsigned long long)j->key,
                 (unsigned long long)e->place, (int)e->answer.state,
                 sloe_format_double(e->answer.sum, sum), sloe_format_double(e->seconds, seconds));
  if (text->failed) return;
  const uint64_t check = sloe_hash64(text->data + from, text->len - from);
  sloe_text_addf(text, "%016llx\n", (unsigned long long)check);
}

sloe_status sloe_journal_add(sloe_journal *j, const sloe_journal_entry *entries, size_t n,
                             sloe_error *err) {
  sloe_text text = {0};
  char *line;
  if (!j->path || !n) return SLOE_OK;
  for (size_t i = 0; i < n; i++) add_line(j, &entries[i], &text);
  const size_t len = text.len;
  SLOE_TRY(sloe_text_take(&text, &line, err));
  const sloe_status status = write_text(j, line, len, err);
  sloe_dealloc(line);
  return status;
}

/* ---- opening ---- */

/* A new file, one that a killed run has only begun, or one to go on with. */
static sloe_status begin(sloe_journal *j, const char *text, size_t len, sloe_error *err) {
  const int begun = len < HEAD && memcmp(text, head, len) == 0;
  if (!begun && (len < HEAD || memcmp(text, head, HEAD) != 0))
    return sloe_fail(err, SLOE_FORMAT, "%s: no journal of tuning, and left as it is", j->path);
  j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (j->fd < 0) return cannot(j, "open", err);
  if (begun) return write_text(j, head + len, HEAD - len, err);
  if (text[len - 1] != '\n') SLOE_TRY(write_text(j, "\n", 1, err));
  return read_lines(j, text, err);
}

sloe_status sloe_journal_open(const char *path, uint64_t key, sloe_journal *out, sloe_error *err) {
  sloe_journal j = {.path = path, .key = key, .fd = -1};
  char *text = NULL;
  size_t len = 0;
  *out = (sloe_journal){.fd = -1};
  if (!path) return SLOE_OK;
  sloe_status status = sloe_file_read(path, most_bytes, &text, &len, err);
  if (status == SLOE_NOTFOUND) status = SLOE_OK; /* opening it says more */
  if (status == SLOE_OK) status = begin(&j, text ? text : "", len, err);
  sloe_dealloc(text);
  if (status == SLOE_OK)
    *out = j;
  else
    sloe_journal_close(&j);
  return status;
}

void sloe_journal_close(sloe_journal *j) {
  if (j->fd >= 0) close(j->fd);
  sloe_dealloc(j->entry);
  *j = (sloe_journal){.fd = -1};
}

const sloe_journal_entry *sloe_journal_find(const sloe_journal *j, uint64_t place) {
  const sloe_journal_entry wanted = {.place = place};
  return j->n ? bsearch(&wanted, j->entry, j->n, sizeof wanted, by_place) : NULL;
}
