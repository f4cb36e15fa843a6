#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* "1x3x224x224" */
static int read_shape(const char *text, sloe_shape *out) {
  *out = (sloe_shape){.rank = 0};
  for (;;) {
    size_t len = strcspn(text, "x");
    int64_t dim = sloe_cli_whole(text, len);
    if (!dim || out->rank == SLOE_MAX_RANK) return 0;
    out->dim[out->rank++] = dim;
    if (!text[len]) return 1;
    text += len + 1;
  }
}

/* Copies `len` bytes to *to and moves it behind them. */
static const char *keep(char **to, const char *s, size_t len) {
  char *copy = *to;
  memcpy(copy, s, len);
  copy[len] = 0;
  *to += len + 1;
  return copy;
}

/* "NAME=1x3x224x224"; a name may hold '='. Without a name: the only input. */
static sloe_exit read_input(const sloe_args *args, const char *text, char **names,
                            sloe_input_shape *out) {
  const char *equals = strrchr(text, '=');
  if (!read_shape(equals ? equals + 1 : text, &out->shape))
    return sloe_cli_mistake(args->command,
                            "--input '%s': NAME=1x3x224x224 is needed, at most %d dimensions of 1 "
                            "and more",
                            text, SLOE_MAX_RANK);
  out->name = equals ? keep(names, text, (size_t)(equals - text)) : NULL;
  return SLOE_EXIT_YES;
}

static sloe_exit read_dim(const sloe_args *args, const char *text, char **names,
                          sloe_dim_binding *out) {
  const char *equals = strrchr(text, '=');
  out->value = equals ? sloe_cli_whole(equals + 1, strlen(equals + 1)) : 0;
  if (!equals || equals == text || !out->value)
    return sloe_cli_mistake(args->command, "--dim '%s': NAME=N is needed, N of 1 and more", text);
  out->symbol = keep(names, text, (size_t)(equals - text));
  return SLOE_EXIT_YES;
}

static sloe_exit read_all(const sloe_args *args, sloe_net_flags *out) {
  char *names = out->text;
  const char *batch = sloe_args_value(args, SLOE_OPT_BATCH);
  if (batch && !(out->options.batch = sloe_cli_whole(batch, strlen(batch))))
    return sloe_cli_mistake(args->command, "--batch '%s': a whole number of 1 and more is needed",
                            batch);
  for (size_t i = 0; i < out->options.n_inputs; i++) {
    const char *text = sloe_args_nth(args, SLOE_OPT_INPUT, i);
    sloe_exit code = read_input(args, text, &names, &out->inputs[i]);
    if (code) return code;
  }
  for (size_t i = 0; i < out->options.n_dims; i++) {
    const char *text = sloe_args_nth(args, SLOE_OPT_DIM, i);
    sloe_exit code = read_dim(args, text, &names, &out->dims[i]);
    if (code) return code;
  }
  return SLOE_EXIT_YES;
}

sloe_exit sloe_net_flags_init(const sloe_args *args, sloe_net_flags *out) {
  *out = (sloe_net_flags){0};
  size_t room = 1;
  for (size_t i = 0; i < args->n_given; i++) room += strlen(args->given[i].value) + 1;
  out->text = sloe_cli_alloc(room, 1);
  out->options.n_inputs = sloe_args_count(args, SLOE_OPT_INPUT);
  out->options.n_dims = sloe_args_count(args, SLOE_OPT_DIM);
  out->options.inputs = out->inputs = sloe_cli_alloc(out->options.n_inputs, sizeof *out->inputs);
  out->options.dims = out->dims = sloe_cli_alloc(out->options.n_dims, sizeof *out->dims);
  sloe_exit code = read_all(args, out);
  if (code) sloe_net_flags_fini(out);
  return code;
}

void sloe_net_flags_fini(sloe_net_flags *flags) {
  free(flags->inputs);
  free(flags->dims);
  free(flags->text);
  *flags = (sloe_net_flags){0};
}

sloe_exit sloe_cli_open_net(const char *path, const sloe_net_flags *flags, sloe_net **out) {
  sloe_error err = {0};
  sloe_status status = sloe_net_open(path, &flags->options, out, &err);
  if (status != SLOE_OK) return sloe_cli_failed(path, status, &err);
  for (size_t i = 0; i < sloe_net_warning_count(*out); i++)
    sloe_cli_warn(path, sloe_net_warning(*out, i));
  return SLOE_EXIT_YES;
}

sloe_exit sloe_cli_open_platform(const char *name, sloe_platform **out) {
  sloe_folders folders;
  sloe_error err = {0};
  sloe_exit code = sloe_folders_init(&folders);
  sloe_status status = sloe_platform_open(name, &folders.search, out, &err);
  if (status != SLOE_OK) code = sloe_cli_failed(name, status, &err);
  sloe_folders_fini(&folders);
  return code;
}
