/* ModelProto: versions, opset imports and where graph and functions stand. */
#include <string.h>

#include "onnx/reader.h"

enum { /* ModelProto */
       M_IR_VERSION = 1,
       M_PRODUCER_NAME = 2,
       M_PRODUCER_VERSION = 3,
       M_GRAPH = 7,
       M_OPSET_IMPORT = 8,
       M_FUNCTIONS = 25,
};
enum { IR_OLDEST = 3, IR_NEWEST = 10, OPSET_NEWEST = 21, VERSION_ABSURD = 1000 };

typedef struct model {
  const char *producer, *producer_version;
  int64_t ir, opset;
  int imports; /* of any domain */
  int graph;   /* seen */
} model;

static int is_default_domain(const char *domain) {
  return !*domain || strcmp(domain, "ai.onnx") == 0;
}

static sloe_status read_opset(sloe_onnx_reader *r, const sloe_field *f, model *m) {
  sloe_field g;
  uint64_t outer;
  int64_t version = 0;
  int ours = 1; /* no domain is the default one */
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1) {
      SLOE_TRY(sloe_onnx_text(r, &g));
      ours = is_default_domain(r->text);
    } else if (g.number == 2) {
      SLOE_TRY(sloe_wire_int(&r->wire, &g, &version));
    } else {
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
    }
  }
  m->imports = 1;
  if (ours) m->opset = version;
  if (ours && version < 1)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "opset %lld: versions start at 1",
                        (long long)version);
  return sloe_wire_leave(&r->wire, outer);
}

static sloe_status read_function(sloe_onnx_reader *r, const sloe_field *f) {
  const char *name = "", *domain = "", *overload = "";
  sloe_field g;
  uint64_t outer;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  sloe_onnx_function fn = {.range = {sloe_wire_at(&r->wire), r->wire.limit}};
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == 1)
      SLOE_TRY(sloe_onnx_string(r, &g, &name));
    else if (g.number == 10)
      SLOE_TRY(sloe_onnx_string(r, &g, &domain));
    else if (g.number == 13)
      SLOE_TRY(sloe_onnx_string(r, &g, &overload));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
  }
  SLOE_TRY(sloe_wire_leave(&r->wire, outer));
  int plain = is_default_domain(domain);
  fn.key = sloe_arena_printf(&r->net->arena, "%s%s%s%s%s", plain ? "" : domain,
                             plain ? "" : "::", name, *overload ? ":" : "", overload);
  sloe_net *net = r->net;
  if (!fn.key ||
      !sloe_arena_grow(&net->arena, &r->functions, r->n_functions, &r->cap_functions, sizeof fn) ||
      !sloe_map_put(&r->function_names, &net->arena, fn.key, (int32_t)r->n_functions))
    return sloe_onnx_nomem(r);
  r->functions[r->n_functions++] = fn;
  return SLOE_OK;
}

/* The graph is left for later. One that is cut short ends the scan: the walk will say where. */
static sloe_status read_graph_range(sloe_onnx_reader *r, const sloe_field *f, model *m) {
  uint64_t outer;
  if (m->graph) return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "the model holds a second graph");
  m->graph = 1;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  r->graph = (sloe_onnx_range){sloe_wire_at(&r->wire), r->wire.limit};
  if (!r->wire.cut) sloe_wire_jump(&r->wire, r->wire.limit, outer);
  return SLOE_OK;
}

static sloe_status read_field(sloe_onnx_reader *r, const sloe_field *f, model *m) {
  switch (f->number) {
    case M_IR_VERSION: return sloe_wire_int(&r->wire, f, &m->ir);
    case M_PRODUCER_NAME: return sloe_onnx_string(r, f, &m->producer);
    case M_PRODUCER_VERSION: return sloe_onnx_string(r, f, &m->producer_version);
    case M_OPSET_IMPORT: return read_opset(r, f, m);
    case M_FUNCTIONS: return read_function(r, f);
    case M_GRAPH: return read_graph_range(r, f, m);
    default: return sloe_wire_skip(&r->wire, f);
  }
}

static sloe_status scan(sloe_onnx_reader *r, model *m) {
  sloe_field f;
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &f));
    if (!f.number) return SLOE_OK;
    SLOE_TRY(read_field(r, &f, m));
    if (r->wire.cut) return SLOE_OK;
  }
}

static sloe_status check_ir(sloe_onnx_reader *r, const model *m) {
  if (m->ir < 1) return sloe_fail(r->err, SLOE_FORMAT, "not an ONNX model: it has no IR version");
  if (m->ir > VERSION_ABSURD)
    return sloe_fail(r->err, SLOE_UNSUPPORTED, "IR version %lld: %d to %d are known",
                     (long long)m->ir, IR_OLDEST, IR_NEWEST);
  if (m->ir < IR_OLDEST || m->ir > IR_NEWEST)
    return sloe_net_warn(r->net, r->err, "IR version %lld is outside %d to %d; read all the same",
                         (long long)m->ir, IR_OLDEST, IR_NEWEST);
  return SLOE_OK;
}

static sloe_status check_opset(sloe_onnx_reader *r, model *m) {
  if (!m->imports && m->ir < IR_OLDEST) m->opset = 1; /* the imports came with IR 3 */
  if (!m->imports && m->opset == 0)
    return sloe_fail(r->err, SLOE_FORMAT, "the model imports no opset, which IR %lld must",
                     (long long)m->ir);
  if (m->opset == 0)
    return sloe_fail(r->err, SLOE_UNSUPPORTED, "the model imports no opset of the default domain");
  if (m->opset > VERSION_ABSURD)
    return sloe_fail(r->err, SLOE_UNSUPPORTED, "opset %lld: 1 to %d are known", (long long)m->opset,
                     OPSET_NEWEST);
  if (m->opset > OPSET_NEWEST)
    return sloe_net_warn(r->net, r->err, "opset %lld is newer than %d; read as %d",
                         (long long)m->opset, OPSET_NEWEST, OPSET_NEWEST);
  return SLOE_OK;
}

sloe_status sloe_onnx_scan_model(sloe_onnx_reader *r) {
  model m = {.producer = "", .producer_version = ""};
  if (r->wire.size == 0) return sloe_fail(r->err, SLOE_FORMAT, "not an ONNX model: it is empty");
  sloe_status status = scan(r, &m);
  if (status == SLOE_FORMAT && !m.ir && !m.graph)
    return sloe_fail_in(r->err, status, "not an ONNX model");
  SLOE_TRY(status);
  if (r->wire.cut) return SLOE_OK;
  SLOE_TRY(check_ir(r, &m));
  if (!m.graph) return sloe_fail(r->err, SLOE_FORMAT, "not an ONNX model: it has no graph");
  SLOE_TRY(check_opset(r, &m));
  r->net->ir_version = m.ir;
  r->net->opset = m.opset;
  r->net->producer =
      sloe_arena_printf(&r->net->arena, "%s%s%s", m.producer,
                        *m.producer && *m.producer_version ? " " : "", m.producer_version);
  return r->net->producer ? SLOE_OK : sloe_onnx_nomem(r);
}
