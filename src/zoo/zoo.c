/* zoo.c: from a spec's family to its builder. */
#include "zoo/zoo.h"

#include <string.h>

#include "base/error.h"
#include "zoo/zoo_family.h"

static const sloe_zoo_entry *const FAMILIES[] = {
#define FAMILY(id) &sloe_zoo_family_##id,
#include "zoo/families.def"
#undef FAMILY
};

enum { N_FAMILIES = sizeof FAMILIES / sizeof *FAMILIES };
enum { USUAL_TENSORS = 2048, USUAL_NODES = 1024 }; /* most networks have fewer */

size_t sloe_zoo_family_count(void) {
  return N_FAMILIES;
}

const sloe_zoo_family *sloe_zoo_family_at(size_t i) {
  return &FAMILIES[i]->face;
}

const char *sloe_zoo_takes_name(sloe_zoo_takes takes) {
  switch (takes) {
#define SLOE_ZOO_TAKES_NAME(name, text, doc) \
  case SLOE_ZOO_##name: return text;
    SLOE_ZOO_TAKES_MAP(SLOE_ZOO_TAKES_NAME)
#undef SLOE_ZOO_TAKES_NAME
  }
  return "unknown";
}

static const sloe_zoo_entry *find_family(const char *name, size_t len) {
  for (size_t i = 0; i < N_FAMILIES; i++)
    if (strlen(FAMILIES[i]->face.name) == len && !memcmp(FAMILIES[i]->face.name, name, len))
      return FAMILIES[i];
  return NULL;
}

static sloe_status no_family(const char *name, size_t len, sloe_error *err) {
  return sloe_fail(err, SLOE_USAGE,
                   "no family '%.*s' in the zoo; 'sloe zoo list' names those there are",
                   len > 40 ? 40 : (int)len, name);
}

static sloe_status build(const char *text, const sloe_zoo_entry *family, const char *args,
                         const sloe_net_options *options, sloe_net *net, sloe_error *err) {
  sloe_net_options rest = {0}; /* the batch is built in */
  sloe_zoo_builder b = {.net = net, .err = err};
  sloe_zoo_call call = {.args = args, .batch = 1};
  if (options) rest = *options;
  if (rest.batch < 0 || rest.batch > INT32_MAX)
    return sloe_fail(err, SLOE_USAGE, "batch %lld: 1 to %d are possible", (long long)rest.batch,
                     INT32_MAX);
  if (rest.batch) call.batch = rest.batch;
  rest.batch = 0;
  sloe_net_reserve(net, USUAL_TENSORS, USUAL_NODES);
  net->producer = "sloe zoo";
  net->ir_version = 8;
  net->opset = 17;
  net->name = sloe_arena_strn(&net->arena, text, strlen(text));
  if (!net->name) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  if (!family->reads_itself) SLOE_TRY(sloe_zoo_read_keys(&family->face, &call, err));
  SLOE_TRY(family->build(&b, &call));
  SLOE_TRY(b.status);
  return sloe_net_finish(net, &rest, err);
}

sloe_status sloe_zoo_open(const char *text, const sloe_net_options *options, sloe_net **out,
                          sloe_error *err) {
  static const char prefix[] = "zoo:";
  sloe_net *net = NULL;
  *out = NULL;
  const char *name = text + (strncmp(text, prefix, 4) ? 0 : 4);
  const size_t len = strcspn(name, ",");
  const sloe_zoo_entry *family = find_family(name, len);
  if (!family) return no_family(name, len, err);
  SLOE_TRY(sloe_net_new(options ? options->memory_limit : 0, &net, err));
  const sloe_status status =
      build(text, family, name + len + (name[len] == ','), options, net, err);
  if (status != SLOE_OK) {
    sloe_net_free(net);
    return status;
  }
  *out = net;
  return SLOE_OK;
}
