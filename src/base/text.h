/* text.h: a growing string. The first failure sticks; check once, at sloe_text_take. */
#ifndef SLOE_BASE_TEXT_H
#define SLOE_BASE_TEXT_H

#include "base/error.h"

typedef struct sloe_text {
  char *data;
  size_t len, cap;
  int failed;
} sloe_text;

void sloe_text_add(sloe_text *text, const char *s);
void sloe_text_addn(sloe_text *text, const char *s, size_t len);
/* No %g, %f or %e of doubles that a program will read: those depend on the locale (number.h). */
void sloe_text_addf(sloe_text *text, const char *fmt, ...) SLOE_PRINTF(2, 3);
void sloe_text_fini(sloe_text *text);

/* Hand the string over to *out (freed with sloe_text_free), or SLOE_NOMEM. Ends the text. */
sloe_status sloe_text_take(sloe_text *text, char **out, sloe_error *err);

#endif
