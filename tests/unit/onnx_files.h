/* onnx_files.h: the models of the fuzz corpus as fixtures; tools/make_corpus_onnx.py made them. */
#ifndef SLOE_TESTS_ONNX_FILES_H
#define SLOE_TESTS_ONNX_FILES_H

#include <stdlib.h>

#include "base/file.h"
#include "onnx/onnx.h"
#include "unit/unit.h"

#define CORPUS SLOE_SOURCE_DIR "/tests/fuzz/corpus/fuzz_onnx/"

static inline const char *corpus_path(const char *name) {
  static char path[1024];
  snprintf(path, sizeof path, CORPUS "%s.onnx", name);
  return path;
}

/* Freed with sloe_dealloc. */
static inline char *corpus_bytes(const char *name, size_t *len) {
  char *data;
  sloe_error err;
  assert_ok(sloe_file_read(corpus_path(name), 1 << 20, &data, len, &err), err);
  return data;
}

/* Read, not finished. */
static inline sloe_net *corpus_net(const char *name) {
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_onnx_read_file(corpus_path(name), 0, &net, &err), err);
  return net;
}

static inline const sloe_tensor *tensor_named(const sloe_net *net, const char *name) {
  for (size_t i = 0; i < net->n_tensors; i++)
    if (strcmp(net->tensors[i].name, name) == 0) return &net->tensors[i];
  fail_msg("no tensor '%s'", name);
  return NULL;
}

static inline const sloe_node *node_named(const sloe_net *net, const char *name) {
  for (size_t i = 0; i < net->n_nodes; i++)
    if (strcmp(net->nodes[i].name, name) == 0) return &net->nodes[i];
  fail_msg("no node '%s'", name);
  return NULL;
}

static inline void assert_shape(const sloe_shape *shape, const char *want) {
  char buf[SLOE_SHAPE_BUF];
  assert_string_equal(sloe_shape_print(shape, buf), want);
}

#endif
