/* Einsum: letters name axes; those of the output side, or the ones that occur once, in alphabetical
   order behind the ellipsis, stay. "bij,bjk->bik". */
#include <inttypes.h>
#include <string.h>

#include "net/infer.h"

enum { LETTERS = 128 };

typedef struct terms {
  const char *at;              /* what is left of the equation */
  int64_t size[LETTERS];       /* of each letter, 0 where it has not occurred */
  unsigned char uses[LETTERS]; /* saturates at 2 */
  sloe_shape dots;             /* what the ellipses stand for, broadcast */
  int has_dots;
} terms;

static sloe_status bad_equation(sloe_infer *cx, const char *why) {
  const char *equation = sloe_node_string(cx->node, "equation", "");
  return sloe_fail(cx->err, SLOE_FORMAT, "equation '%.80s' %s", equation, why);
}

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many axes a term names, and where its ellipsis stands (-1: none). */
static sloe_status measure_term(sloe_infer *cx, const char *s, int *letters, int *dots) {
  *letters = 0;
  *dots = -1;
  for (; *s && *s != ',' && strncmp(s, "->", 2) != 0; s++) {
    if (is_letter(*s)) {
      if (++*letters > SLOE_MAX_RANK) return bad_equation(cx, "has a term of too many axes");
    } else if (!strncmp(s, "...", 3) && *dots < 0) {
      *dots = *letters;
      s += 2;
    } else if (*s != ' ') {
      return bad_equation(cx, "is not understood");
    }
  }
  return SLOE_OK;
}

static sloe_status note_letter(sloe_infer *cx, terms *t, unsigned char letter, int64_t dim) {
  int64_t *size = &t->size[letter];
  if (t->uses[letter] < 2) t->uses[letter]++;
  if (*size > 1 && dim > 1 && *size != dim) {
    return sloe_fail(cx->err, SLOE_FORMAT, "axis %c is %" PRId64 " and %" PRId64, letter, *size,
                     dim);
  }
  if (t->uses[letter] == 1 || *size == 1 || (*size < 0 && dim > 1)) *size = dim;
  return SLOE_OK;
}

static sloe_status read_term(sloe_infer *cx, terms *t, const sloe_shape *x) {
  int letters, dots, axis = 0;
  SLOE_TRY(measure_term(cx, t->at, &letters, &dots));
  int hidden = x->rank - letters;
  if (hidden < 0 || (hidden && dots < 0))
    return sloe_fail(cx->err, SLOE_FORMAT, "an operand of rank %d for a term of %d axes", x->rank,
                     letters);
  for (; *t->at && *t->at != ',' && strncmp(t->at, "->", 2) != 0; t->at++) {
    if (is_letter(*t->at)) {
      SLOE_TRY(note_letter(cx, t, (unsigned char)*t->at, x->dim[axis++]));
    } else if (*t->at == '.') {
      sloe_shape here = sloe_shape_of(hidden, x->dim + axis);
      SLOE_TRY(sloe_broadcast(cx, &t->dots, &here));
      t->has_dots = 1;
      axis += hidden;
      t->at += 2;
    }
  }
  return SLOE_OK;
}

static sloe_status append(sloe_infer *cx, sloe_shape *out, const int64_t *dims, int n) {
  if (out->rank + n > SLOE_MAX_RANK) return bad_equation(cx, "gives an output of too many axes");
  for (int i = 0; i < n; i++) out->dim[out->rank++] = dims[i];
  return SLOE_OK;
}

static sloe_status explicit_output(sloe_infer *cx, const terms *t, sloe_shape *out) {
  int letters, dots;
  SLOE_TRY(measure_term(cx, t->at, &letters, &dots));
  for (const char *s = t->at; *s; s++) {
    if (*s == ',' || *s == '-') return bad_equation(cx, "has more than one output");
    if (*s == '.') {
      SLOE_TRY(append(cx, out, t->dots.dim, t->dots.rank));
      s += 2;
    } else if (is_letter(*s)) {
      if (!t->uses[(unsigned char)*s]) return bad_equation(cx, "has an output axis of no input");
      SLOE_TRY(append(cx, out, &t->size[(unsigned char)*s], 1));
    }
  }
  return SLOE_OK;
}

static sloe_status implied_output(sloe_infer *cx, const terms *t, sloe_shape *out) {
  if (t->has_dots) SLOE_TRY(append(cx, out, t->dots.dim, t->dots.rank));
  for (int c = 0; c < LETTERS; c++)
    if (t->uses[c] == 1) SLOE_TRY(append(cx, out, &t->size[c], 1));
  return SLOE_OK;
}

sloe_status sloe_shape_einsum(sloe_infer *cx) {
  const sloe_tensor *first = sloe_in(cx, 0);
  terms t = {.at = sloe_node_string(cx->node, "equation", ""), .dots = {.rank = 0}};
  sloe_shape out = {.rank = 0};
  for (size_t i = 0; i < cx->node->n_in; i++) {
    const sloe_shape *x = sloe_in_shape(cx, i);
    if (!x) return SLOE_OK;
    if (i && *t.at != ',') return bad_equation(cx, "has fewer terms than there are operands");
    if (i) t.at++;
    SLOE_TRY(read_term(cx, &t, x));
  }
  if (*t.at == ',') return bad_equation(cx, "has more terms than there are operands");
  int arrow = *t.at == '-';
  if (arrow) t.at += 2;
  SLOE_TRY(arrow ? explicit_output(cx, &t, &out) : implied_output(cx, &t, &out));
  sloe_set_out(cx, 0, &out, first ? first->dtype : SLOE_DT_UNDEFINED);
  return SLOE_OK;
}
