/* tune_journal.h: what fits said, kept in a file. Private to learn/.
 *
 *   sloe tune journal 1
 *   <key> <place> <state> <sum> <seconds> <check>
 *
 * key: hash of rows, options and regressor; place: hash of hyperparameters and fold; state: a
 * sloe_fit_state; seconds: processor time of the fit, on the first line of each, else 0; check:
 * hash of what stands before it in the line. A line is added by one write. What a killed run left
 * half-written fails its check, and the next line begins anew.
 */
#ifndef SLOE_LEARN_TUNE_JOURNAL_H
#define SLOE_LEARN_TUNE_JOURNAL_H

#include "learn/tune_fit.h"

typedef struct sloe_journal_entry {
  uint64_t place;
  sloe_fit_answer answer;
  double seconds;
} sloe_journal_entry;

typedef struct sloe_journal {
  const char *path; /* NULL: nothing is kept */
  uint64_t key;
  int fd;
  sloe_journal_entry *entry; /* ascending by place */
  size_t n;
} sloe_journal;

/* Reads what there is of `key`, makes the file where there is none. On failure *out is all zero but
   for fd. Errors: FORMAT (a file of another kind), IO, NOMEM. */
sloe_status sloe_journal_open(const char *path, uint64_t key, sloe_journal *out, sloe_error *err);
void sloe_journal_close(sloe_journal *j);

/* NULL: not there. */
const sloe_journal_entry *sloe_journal_find(const sloe_journal *j, uint64_t place);

/* Errors: IO, NOMEM. */
sloe_status sloe_journal_add(sloe_journal *j, const sloe_journal_entry *entries, size_t n,
                             sloe_error *err);

#endif
