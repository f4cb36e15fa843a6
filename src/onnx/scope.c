/* Names: which tensor a name means, and that each is made once. */
#include <string.h>

#include "onnx/reader.h"

enum { LEFT_OUT = -2 }; /* in the map: an argument that the call does not give */

sloe_onnx_scope *sloe_onnx_scope_new(sloe_onnx_reader *r, sloe_onnx_scope *parent,
                                     sloe_graph *graph) {
  sloe_onnx_scope *scope = SLOE_ARENA_NEW(&r->net->arena, sloe_onnx_scope, 1);
  if (!scope) return NULL;
  scope->parent = parent;
  scope->graph = graph;
  scope->prefix = "";
  if (!parent) return scope;
  scope->prefix = parent->prefix;
  scope->call = parent->call;
  scope->depth = parent->depth + 1;
  scope->local = 1;
  return scope;
}

sloe_status sloe_onnx_add_tensor(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                 uint64_t at, sloe_tid *out) {
  sloe_net *net = r->net;
  const char *key = name, *full = name;
  if (*scope->prefix) {
    key = sloe_arena_strn(&net->arena, name, strlen(name));
    full = sloe_arena_printf(&net->arena, "%s%s", scope->prefix, name);
    if (!key || !full) return sloe_onnx_nomem(r);
  }
  SLOE_TRY(sloe_net_add_tensor(net, full, out, r->err));
  sloe_tensor *t = &net->tensors[*out];
  t->offset = at;
  if (scope->local) t->flags |= SLOE_T_LOCAL;
  if (key == name) key = t->name;
  return sloe_map_put(&scope->names, &net->arena, key, *out) ? SLOE_OK : sloe_onnx_nomem(r);
}

sloe_status sloe_onnx_bind(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                           uint64_t at, sloe_tid t) {
  if (sloe_map_get(&scope->names, name) != -1)
    return sloe_fail_at(r->err, SLOE_FORMAT, at, "parameter '%.80s' stands twice", name);
  const char *key = sloe_arena_strn(&r->net->arena, name, strlen(name));
  if (!key || !sloe_map_put(&scope->names, &r->net->arena, key, t < 0 ? LEFT_OUT : t))
    return sloe_onnx_nomem(r);
  return SLOE_OK;
}

sloe_status sloe_onnx_use(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                          uint64_t at, sloe_tid *out) {
  *out = -1;
  if (!*name) return SLOE_OK;
  sloe_onnx_scope *s = scope;
  do {
    int32_t t = sloe_map_get(&s->names, name);
    if (t == -1) continue;
    *out = t == LEFT_OUT ? -1 : t;
    return SLOE_OK;
  } while ((s = s->parent));
  if (scope->open) return sloe_onnx_add_tensor(r, scope, name, at, out);
  return sloe_fail_at(r->err, SLOE_FORMAT, at, "nothing makes tensor '%.80s'", name);
}

static sloe_status made_twice(sloe_onnx_reader *r, const char *name, uint64_t at) {
  return sloe_fail_at(r->err, SLOE_FORMAT, at, "tensor '%.80s' is made twice", name);
}

sloe_status sloe_onnx_define_out(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                 uint64_t at, sloe_tid *out) {
  *out = -1;
  if (!*name) return SLOE_OK;
  int32_t t = sloe_map_get(&scope->names, name);
  if (t == -1) return sloe_onnx_add_tensor(r, scope, name, at, out);
  if (t < 0) return made_twice(r, name, at);
  const sloe_tensor *x = &r->net->tensors[t];
  if (x->producer >= 0 || x->flags & (SLOE_T_ARG | SLOE_T_INIT)) return made_twice(r, name, at);
  *out = t;
  return SLOE_OK;
}

sloe_status sloe_onnx_declare_out(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                  uint64_t at) {
  sloe_tid t;
  if (!*name) return SLOE_OK;
  int32_t known = sloe_map_get(&scope->names, name);
  if (known == -1) return sloe_onnx_add_tensor(r, scope, name, at, &t);
  if (known < 0 || sloe_map_get(&scope->promised, name) != known) return made_twice(r, name, at);
  return SLOE_OK; /* by two nodes? define_out will see */
}

sloe_status sloe_onnx_define_input(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                   uint64_t at, sloe_tid *out) {
  if (!*name) return sloe_fail_at(r->err, SLOE_FORMAT, at, "a graph input without a name");
  int32_t t = sloe_map_get(&scope->names, name);
  if (t < 0) {
    SLOE_TRY(sloe_onnx_add_tensor(r, scope, name, at, out));
  } else {
    const sloe_tensor *x = &r->net->tensors[t];
    if (x->producer >= 0 || x->flags & SLOE_T_ARG || (!scope->open && !(x->flags & SLOE_T_INIT)))
      return made_twice(r, name, at);
    *out = t;
  }
  r->net->tensors[*out].flags |= SLOE_T_ARG;
  return SLOE_OK;
}

sloe_status sloe_onnx_define_init(sloe_onnx_reader *r, sloe_onnx_scope *scope, const char *name,
                                  uint64_t at, sloe_tid *out) {
  if (!*name) return sloe_fail_at(r->err, SLOE_FORMAT, at, "an initializer without a name");
  int32_t t = sloe_map_get(&scope->names, name);
  if (t < 0) {
    SLOE_TRY(sloe_onnx_add_tensor(r, scope, name, at, out));
  } else {
    const sloe_tensor *x = &r->net->tensors[t];
    int given = (x->flags & (SLOE_T_ARG | SLOE_T_INIT)) != 0;
    if (x->producer >= 0 || (!scope->open && !given)) return made_twice(r, name, at);
    if (x->flags & SLOE_T_INIT)
      SLOE_TRY(sloe_net_warn(r->net, r->err, "initializer '%.80s' stands twice; the last is taken",
                             name));
    *out = t;
  }
  r->net->tensors[*out].flags |= SLOE_T_INIT | SLOE_T_CONST;
  return SLOE_OK;
}
