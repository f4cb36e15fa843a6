/* zoo.c: from a spec's family to its builder. */
#include "zoo/zoo.h"

#include <string.h>

#include "base/number.h"
#include "zoo/zoo_family.h"

typedef sloe_status (*build_fn)(sloe_zoo_builder *b, const char *args, int64_t batch);

static const struct family {
  const char *name;
  build_fn build;
} FAMILIES[] = {
#define FAMILY(id, name, doc) {name, sloe_zoo_build_##id},
#include "zoo/families.def"
#undef FAMILY
};

#define FAMILY(id, name, doc) " " name
static const char KNOWN[] =
#include "zoo/families.def"
    ;
#undef FAMILY

static int cut(size_t len) {
  return len > 40 ? 40 : (int)len;
}

static const struct family *find_family(const char *name, size_t len) {
  for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++)
    if (strlen(FAMILIES[i].name) == len && !memcmp(FAMILIES[i].name, name, len))
      return &FAMILIES[i];
  return NULL;
}

static sloe_status read_key(const char *family, const char *token, size_t len, sloe_zoo_key *keys,
                            size_t n, sloe_error *err) {
  const char *equals = memchr(token, '=', len);
  if (!equals)
    return sloe_fail(err, SLOE_USAGE, "%s: '%.*s' is no key=value", family, cut(len), token);
  const size_t key_len = (size_t)(equals - token), value_len = len - key_len - 1;
  for (size_t i = 0; i < n; i++) {
    sloe_zoo_key *k = &keys[i];
    if (strlen(k->name) != key_len || memcmp(k->name, token, key_len) != 0) continue;
    if (k->given) return sloe_fail(err, SLOE_USAGE, "%s: '%s' stands twice", family, k->name);
    if (!sloe_parse_int(equals + 1, value_len, &k->value) || k->value < k->least ||
        k->value > k->most)
      return sloe_fail(err, SLOE_USAGE, "%s: %s: '%.*s' is not a whole number in %lld..%lld",
                       family, k->name, cut(value_len), equals + 1, (long long)k->least,
                       (long long)k->most);
    k->given = 1;
    return SLOE_OK;
  }
  return sloe_fail(err, SLOE_USAGE, "%s: key '%.*s' is not known", family, cut(key_len), token);
}

sloe_status sloe_zoo_read_keys(const char *family, const char *args, sloe_zoo_key *keys, size_t n,
                               sloe_error *err) {
  while (*args) {
    const size_t len = strcspn(args, ",");
    SLOE_TRY(read_key(family, args, len, keys, n, err));
    args += len + (args[len] == ',');
  }
  for (size_t i = 0; i < n; i++)
    if (keys[i].required && !keys[i].given)
      return sloe_fail(err, SLOE_USAGE, "%s: '%s' is missing", family, keys[i].name);
  return SLOE_OK;
}

static sloe_status build(const char *text, const struct family *family, const char *args,
                         const sloe_net_options *options, sloe_net *net, sloe_error *err) {
  sloe_net_options rest = {0}; /* the batch is built in */
  sloe_zoo_builder b = {.net = net, .err = err};
  int64_t batch = 1;
  if (options) rest = *options;
  if (rest.batch < 0 || rest.batch > INT32_MAX)
    return sloe_fail(err, SLOE_USAGE, "batch %lld: 1 to %d are possible", (long long)rest.batch,
                     INT32_MAX);
  if (rest.batch) batch = rest.batch;
  rest.batch = 0;
  net->producer = "sloe zoo";
  net->ir_version = 8;
  net->opset = 17;
  net->name = sloe_arena_strn(&net->arena, text, strlen(text));
  if (!net->name) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  SLOE_TRY(family->build(&b, args, batch));
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
  const struct family *family = find_family(name, len);
  if (!family)
    return sloe_fail(err, SLOE_USAGE, "no family '%.*s' in the zoo; there are%s", cut(len), name,
                     KNOWN);
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
