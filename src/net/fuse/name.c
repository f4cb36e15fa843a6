/* name.c: a group's name from its expression, as the runtime's profile prints it. Two passes over
 * the expression: the first measures, the second writes. */
#include "net/fuse/fuse.h"

#include <string.h>

typedef struct writer {
  const sloe_fuse *f;
  char *to; /* NULL: measure */
  size_t len;
} writer;

static void put(writer *w, const char *s) {
  const size_t n = strlen(s);
  if (w->to) memcpy(w->to + w->len, s, n);
  w->len += n;
}

/* Depth is bounded by SLOE_FUSE_MAX_OPS and the few wraps around each op. */
static void print(writer *w, int32_t expr) {
  const sloe_fuse_expr *e = &w->f->exprs[expr];
  switch (e->form) {
    case SLOE_FORM_NODE: put(w, w->f->net->nodes[e->a].name); break;
    case SLOE_FORM_SILENT: print(w, e->a); break;
    case SLOE_FORM_JOIN:
    case SLOE_FORM_SIBLING:
      print(w, e->a);
      put(w, e->form == SLOE_FORM_JOIN ? " + " : " || ");
      print(w, e->b);
      break;
    case SLOE_FORM_PWN:
      put(w, "PWN(");
      print(w, e->a);
      if (e->b >= 0) {
        put(w, ", ");
        print(w, e->b);
      }
      put(w, ")");
      break;
    case SLOE_FORM_FOREIGN: {
      int32_t nodes[SLOE_FUSE_MAX_OPS];
      const size_t n = sloe_fuse_leaves(w->f, e->a, nodes);
      put(w, "{ForeignNode[");
      put(w, e->text);
      put(w, "...");
      put(w, n ? w->f->net->nodes[nodes[n - 1]].name : "");
      put(w, "]}");
      break;
    }
    case SLOE_FORM_TEXT:
      put(w, e->text);
      print(w, e->a);
      break;
  }
}

char *sloe_fuse_name(sloe_fuse *f, int32_t expr) {
  writer w = {f, NULL, 0};
  print(&w, expr);
  char *name = sloe_arena_alloc(f->arena, w.len + 1, 1);
  if (!name) return NULL;
  w.to = name;
  w.len = 0;
  print(&w, expr);
  return name;
}
