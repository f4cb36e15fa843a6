/* Opening a NET: read or made by the zoo, then finished. */
#include <string.h>

#include "base/error.h"
#include "net/net.h"
#include "onnx/onnx.h"
#include "zoo/zoo.h"

static const char *base_name(sloe_net *net, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *dot = strrchr(name, '.');
  return sloe_arena_strn(&net->arena, name,
                         dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static sloe_status finish(sloe_net **net, const char *path, const sloe_net_options *options,
                          sloe_error *err) {
  if (path) {
    (*net)->name = base_name(*net, path);
    if (!(*net)->name) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  }
  return sloe_net_finish(*net, options, err);
}

static size_t limit_of(const sloe_net_options *options) {
  return options ? options->memory_limit : 0;
}

sloe_status sloe_net_open(const char *path, const sloe_net_options *options, sloe_net **out,
                          sloe_error *err) {
  sloe_net *net = NULL;
  *out = NULL;
  if (!strncmp(path, "zoo:", 4)) return sloe_zoo_open(path, options, out, err);
  sloe_status status = sloe_onnx_read_file(path, limit_of(options), &net, err);
  if (status == SLOE_OK) status = finish(&net, path, options, err);
  if (status != SLOE_OK) {
    sloe_net_free(net);
    return sloe_fail_in(err, status, "%s", path);
  }
  *out = net;
  return SLOE_OK;
}

sloe_status sloe_net_from_memory(const void *buf, size_t len, const sloe_net_options *options,
                                 sloe_net **out, sloe_error *err) {
  sloe_net *net = NULL;
  *out = NULL;
  sloe_status status = sloe_onnx_read_memory(buf, len, limit_of(options), &net, err);
  if (status == SLOE_OK) status = finish(&net, NULL, options, err);
  if (status != SLOE_OK) {
    sloe_net_free(net);
    return status;
  }
  *out = net;
  return SLOE_OK;
}
