/* fuse.h: how ops become layers. Private to net/fuse/ and its tests.
 *
 * A runtime does not launch ONNX nodes: it launches kernels, most of which do the work of several
 * nodes. What is joined is written down as rules (rules.def): each is a row of data (for which
 * runtime, versions, precisions and compute capabilities) and one function that looks at one node
 * and either joins it with others or leaves all as it was. Rules are applied from top to bottom,
 * each over all ops in execution order; that order makes chains grow by themselves.
 *
 * Groups. At first every op is a group of its own; rules unite groups (union-find), drop ops that
 * do nothing, and hang copies and reformats on groups. A group keeps an expression from which its
 * name is printed: the leaves are the nodes in it, the forms say how the runtime joins names
 * (" + ", " || ", "PWN(a, b)", or not at all for what vanishes in the weights).
 *
 * Dropped ops alias their output to their input: fuse->root[] leads from any tensor to the one that
 * is really written, and the lists of users are those of the root. A rule that joins across a
 * dropped view must compare shapes itself (sloe_fuse_same_shape).
 *
 * What keeps the result executable: a vertical join needs that every tensor that leaves the
 * producer is read inside the united group only, so the group can run where its last member ran; a
 * horizontal join needs that its members read one tensor and nothing else.
 *
 * Cost: each op's macs and flops stand in exactly one layer, or in folded_flops where the op
 * vanished into weights or did nothing: the sums are kept (tests/unit/test_fusion_models.c).
 */
#ifndef SLOE_NET_FUSE_FUSE_H
#define SLOE_NET_FUSE_FUSE_H

#include "net/net.h"

enum { SLOE_FUSE_MAX_OPS = 64 }; /* of one group: bounds the depth of its expression */

typedef enum sloe_fuse_form {                    /* of an expression */
                              SLOE_FORM_NODE,    /* a node; prints its name */
                              SLOE_FORM_JOIN,    /* "a + b" */
                              SLOE_FORM_SIBLING, /* "a || b" */
                              SLOE_FORM_PWN,     /* "PWN(a)", or "PWN(a, b)" */
                              SLOE_FORM_SILENT,  /* prints a; b is in the layer all the same */
                              SLOE_FORM_FOREIGN, /* "{ForeignNode[a]}" */
                              SLOE_FORM_TEXT,    /* text and then a: names of weights */
} sloe_fuse_form;

typedef struct sloe_fuse_expr {
  sloe_fuse_form form;
  int32_t a, b; /* expressions; of NODE: a is the node; -1: none */
  const char *text;
} sloe_fuse_expr;

typedef enum sloe_fuse_state {
  SLOE_FUSE_LIVE,    /* becomes a layer */
  SLOE_FUSE_DROPPED, /* does nothing: in no layer */
  SLOE_FUSE_COPIES,  /* a concat that is eliminated: becomes its copies, or nothing */
} sloe_fuse_state;

enum {                          /* what a group has been through */
       SLOE_FUSE_POINTWISE = 1, /* elementwise work only */
       SLOE_FUSE_ACTIVATED = 2, /* an anchor whose activation is in */
       SLOE_FUSE_ADDED = 4,     /* an anchor that reads a second activation tensor */
       SLOE_FUSE_POOLED = 8,
       SLOE_FUSE_MERGED = 16,   /* siblings, run as one */
       SLOE_FUSE_QWEIGHTS = 32, /* an anchor whose weights are quantised in the graph */
};

typedef struct sloe_fuse_group {
  sloe_fuse_state state;
  unsigned flags;
  int32_t expr;
  int32_t anchor; /* node that gives kind, kernel, filters */
  int32_t tail;   /* node that writes what leaves the group */
  int32_t key;    /* place in execution order */
  int32_t n_ops;
  int32_t extra; /* first synthetic layer hung on it, -1: none */
  int32_t extra_last;
} sloe_fuse_group;

typedef struct sloe_fuse_extra { /* a layer that stands for no op */
  const char *name;              /* NULL: made of the layer's that it is hung on */
  sloe_tid tensor;               /* that it copies */
  int32_t owner;                 /* the concat that a copy serves; -1 */
  sloe_layer_kind kind;
  int32_t next;
} sloe_fuse_extra;

typedef struct sloe_fuse_use {
  int32_t node, next;
} sloe_fuse_use;

typedef struct sloe_fuse {
  const sloe_net *net;
  sloe_fusion fusion;                       /* defaults filled in */
  sloe_arena *scratch;                      /* dies with the pass */
  sloe_arena *arena;                        /* of the layers: names */
  int32_t *uf;                              /* [n_nodes] union-find parents; -1: does not run */
  int32_t *pos;                             /* [n_nodes] place in net->order */
  sloe_fuse_group *groups;                  /* [n_nodes], valid at roots of uf */
  sloe_tid *root;                           /* [n_tensors] */
  int32_t *producer;                        /* [n_tensors] running node that writes it, -1 */
  int32_t *use_head, *use_tail, *use_count; /* [n_tensors], by root */
  unsigned char *external;                  /* [n_tensors] by root: a graph output */
  unsigned char *placed;    /* [n_tensors] by root: already written into a concat's buffer */
  unsigned char *quantized; /* [n_tensors] by root: a QuantizeLinear behind it vanished */
  unsigned char *vanished;  /* [n_nodes] folded into weights: in the layer at no cost */
  sloe_fuse_use *uses;
  sloe_fuse_expr *exprs;
  size_t n_exprs, cap_exprs;
  sloe_fuse_extra *extras;
  size_t n_extras, cap_extras;
  int merged_siblings;
  int has_quantize; /* the net holds QuantizeLinear: precision is said op by op */
  int failed;       /* out of memory: checked once, after the rules */
} sloe_fuse;

/* ---- rules ---- */

enum { /* runtimes of a rule */
       SLOE_ON_ONEDNN = 1 << SLOE_RUNTIME_ONEDNN,
       SLOE_ON_CUDNN = 1 << SLOE_RUNTIME_CUDNN,
       SLOE_ON_TRT = 1 << SLOE_RUNTIME_TENSORRT,
       SLOE_ON_ALL = SLOE_ON_ONEDNN | SLOE_ON_CUDNN | SLOE_ON_TRT,
};
enum { /* precisions of a rule */
       SLOE_IN_FP32 = 1 << SLOE_FP32,
       SLOE_IN_FP16 = 1 << SLOE_FP16,
       SLOE_IN_INT8 = 1 << SLOE_INT8,
       SLOE_IN_ANY = SLOE_IN_FP32 | SLOE_IN_FP16 | SLOE_IN_INT8,
};

/* Look at `node` (a member of a live group); 1 when the rule was applied. */
typedef int (*sloe_fuse_fn)(sloe_fuse *f, int32_t node);

typedef struct sloe_fuse_rule {
  const char *name; /* "conv_act" */
  char group;       /* 'A' clean, 'B' vertical, 'C' pointwise, 'D' siblings, 'E' concat, 'F' quant,
                       'G' reformat, 'H' opaque */
  const char *doc;
  unsigned runtimes, precisions;
  int min_version, max_version; /* TensorRT's only; 0: no bound */
  int min_cc;                   /* compute capability, 0: no bound */
  int on;                       /* default; 0: known and switched off, the doc says why */
  sloe_fuse_fn apply;
} sloe_fuse_rule;

typedef enum sloe_fuse_rule_id {
#define RULE(id, group, runtimes, precisions, min_version, max_version, min_cc, on, doc) \
  SLOE_RULE_##id,
#include "net/fuse/rules.def"
#undef RULE
  SLOE_RULE_COUNT
} sloe_fuse_rule_id;

#define RULE(id, group, runtimes, precisions, min_version, max_version, min_cc, on, doc) \
  int sloe_fuse_rule_##id(sloe_fuse *f, int32_t node);
#include "net/fuse/rules.def"
#undef RULE

const sloe_fuse_rule *sloe_fuse_rules(size_t *n);
/* Index of a rule by name, -1. */
int sloe_fuse_rule_find(const char *name);
int sloe_fuse_rule_applies(const sloe_fuse_rule *rule, const sloe_fusion *fusion);

/* One flag a rule: -1 never, 0 by its gates, 1 whatever `on` says. */
typedef struct sloe_fuse_switches {
  signed char set[SLOE_RULE_COUNT];
} sloe_fuse_switches;

typedef struct sloe_layer_ops { /* nodes of one layer */
  const int32_t *nodes;
  size_t n;
  int32_t anchor; /* -1: none */
} sloe_layer_ops;

struct sloe_layers {
  sloe_arena arena;
  const sloe_net *net;
  sloe_fusion fusion; /* as given, defaults filled in */
  sloe_layer *layers;
  sloe_layer_ops *ops; /* [n] */
  size_t n;
  uint64_t folded_flops;             /* of ops that vanished into weights or do nothing */
  size_t n_dropped;                  /* ops in no layer */
  uint32_t applied[SLOE_RULE_COUNT]; /* how often each rule was */
};

/* sloe_layers_new with rules switched. `switches` may be NULL. */
sloe_status sloe_layers_new_switched(const sloe_net *net, const sloe_fusion *fusion,
                                     const sloe_fuse_switches *switches, sloe_layers **out,
                                     sloe_error *err);

/* ---- what rules work with (group.c) ---- */

sloe_tid sloe_fuse_root(sloe_fuse *f, sloe_tid t);  /* -1 for -1 */
int32_t sloe_fuse_find(sloe_fuse *f, int32_t node); /* its group; -1: does not run */
sloe_fuse_group *sloe_fuse_group_of(sloe_fuse *f, int32_t node);
/* Node that writes what `t` holds; -1 for graph inputs, constants, eliminated concats. */
int32_t sloe_fuse_producer(sloe_fuse *f, sloe_tid t);
/* Is `t` an activation, no constant and not left out? */
int sloe_fuse_is_activation(const sloe_fuse *f, sloe_tid t);
/* All readers of node's only output stand in group `g` and the graph does not put it out. */
int sloe_fuse_only_read_by(sloe_fuse *f, int32_t node, int32_t g);
/* The only reader of what `node` writes, -1: several, none, or a graph output. */
int32_t sloe_fuse_only_reader(sloe_fuse *f, int32_t node);
/* The group that `node` reads at input i, if it ends there in a node whose output only `node` reads
   (so that the two may be joined) in the same shape; -1. */
int32_t sloe_fuse_private_input(sloe_fuse *f, int32_t node, size_t i);
/* The one distinct activation that a group reads from outside, as root; -1: none or several. */
sloe_tid sloe_fuse_only_input(sloe_fuse *f, int32_t node);
int sloe_fuse_same_shape(const sloe_fuse *f, sloe_tid a, sloe_tid b);
sloe_op sloe_fuse_op(const sloe_fuse *f, int32_t node);
int sloe_fuse_is_anchor(const sloe_fuse *f, int32_t node); /* conv, deconv, product with constant */
int sloe_fuse_is_depthwise(const sloe_fuse *f, int32_t node);

/* Unite the groups of a and b: name "<a> form <b>"; anchor and flags of `a`, tail of `b`, executed
   at the later place. 0 where the group would be too large. */
int sloe_fuse_join(sloe_fuse *f, int32_t a, int32_t b, sloe_fuse_form form);
/* The same with the name of a wrapped: "a + PWN(b)". */
int sloe_fuse_join_pwn(sloe_fuse *f, int32_t a, int32_t b);
int32_t sloe_fuse_wrap(sloe_fuse *f, int32_t expr, sloe_fuse_form form, const char *text);
/* The node does nothing: its readers read its first input. */
void sloe_fuse_drop(sloe_fuse *f, int32_t node);
/* Hang a layer without ops on the group of `node`. */
void sloe_fuse_hang(sloe_fuse *f, int32_t node, sloe_fuse_extra extra);

#define SLOE_FUSE_FOR_USES(f, t, u) \
  for (int32_t u = (f)->use_head[t]; u >= 0; u = (f)->uses[u].next)

/* ---- the pass, step by step ---- */

sloe_status sloe_fuse_init(sloe_fuse *f, sloe_error *err); /* group.c */
sloe_status sloe_fuse_schedule(sloe_fuse *f, int32_t **slots, size_t *n, sloe_error *err);
sloe_status sloe_fuse_emit(sloe_fuse *f, const int32_t *slots, size_t n, sloe_layers *layers,
                           sloe_error *err);      /* emit.c */
char *sloe_fuse_name(sloe_fuse *f, int32_t expr); /* name.c; NULL: no memory */
/* Leaves of an expression in name order into `nodes`; how many. */
size_t sloe_fuse_leaves(const sloe_fuse *f, int32_t expr, int32_t nodes[SLOE_FUSE_MAX_OPS]);
void sloe_fuse_spatial(const sloe_net *net, const sloe_node *node,
                       sloe_layer *layer); /* spatial.c */
sloe_layer_kind sloe_fuse_kind(const sloe_net *net, const sloe_node *node);
/* Does this constant change nothing but each channel (dim 1), or each unit (the last dim)? */
int sloe_fuse_is_per_channel(const sloe_fuse *f, sloe_tid constant, const sloe_shape *out,
                             int last_dim);

#endif
