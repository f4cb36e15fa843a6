#include "layers_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

static const sloe_fusion fusion = {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP32, 53};

static void die(const char *what, const char *why) {
  fprintf(stderr, "layers_table: %s: %s\n", what, why);
  exit(1);
}

static void *more(void *old, size_t n, size_t size) {
  void *p = realloc(old, n * size + 1);
  if (!p) die("memory", "not enough");
  return p;
}

static sloe_status read_file(void *context, void *buf, size_t size, size_t *got, sloe_error *err) {
  (void)err;
  *got = fread(buf, 1, size, context);
  return SLOE_OK;
}

static void add_layers(nets *t, const char *net) {
  sloe_error err;
  sloe_net *n;
  sloe_layers *layers;
  if (sloe_net_open(net, NULL, &n, &err) || sloe_layers_new(n, &fusion, &layers, &err))
    die(net, err.msg);
  const size_t count = sloe_layers_count(layers), all = t->n_layers + count;
  t->terms = more(t->terms, all * SLOE_LAYER_TERMS, sizeof *t->terms);
  t->traits = more(t->traits, all * SLOE_LAYER_TRAITS, sizeof *t->traits);
  t->family = more(t->family, all, sizeof *t->family);
  for (size_t i = 0; i < count; i++, t->n_layers++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    sloe_layer_terms(layer, 4, t->terms + t->n_layers * SLOE_LAYER_TERMS);
    sloe_layer_traits(layer, t->traits + t->n_layers * SLOE_LAYER_TRAITS);
    t->family[t->n_layers] = sloe_layer_family(layer);
  }
  sloe_layers_free(layers);
  sloe_net_free(n);
}

/* Columns that do not vary say nothing and only weigh. */
static void drop_constant_features(nets *t) {
  size_t kept = 0;
  unsigned char *varies = more(NULL, t->d, 1);
  for (size_t j = 0; j < t->d; j++) {
    varies[j] = 0;
    for (size_t i = 1; i < t->n; i++) varies[j] |= t->x[i * t->d + j] != t->x[j];
  }
  for (size_t i = 0, j; i < t->n; i++)
    for (j = 0; j < t->d; j++)
      if (varies[j]) t->x[kept++] = t->x[i * t->d + j];
  t->d = t->n ? kept / t->n : 0;
  free(varies);
}

static void add_row(sloe_csv_reader *r, nets *t, size_t features) {
  sloe_error err;
  const size_t n = t->n++;
  t->first = more(t->first, n + 2, sizeof *t->first);
  t->y = more(t->y, n + 1, sizeof *t->y);
  t->x = more(t->x, (n + 1) * t->d, sizeof *t->x);
  t->kind = more(t->kind, n + 1, sizeof *t->kind);
  t->first[n] = t->n_layers;
  add_layers(t, sloe_csv_reader_field(r, (size_t)sloe_csv_reader_find(r, "net")));
  t->first[n + 1] = t->n_layers;
  snprintf(t->kind[n], NAME_MOST, "%s",
           sloe_csv_reader_field(r, (size_t)sloe_csv_reader_find(r, "variant")));
  if (sloe_csv_reader_number(r, (size_t)sloe_csv_reader_find(r, "latency_ms"), &t->y[n], &err))
    die("latency_ms", err.msg);
  for (size_t j = 0; j < t->d; j++)
    if (sloe_csv_reader_number(r, features + j, &t->x[n * t->d + j], &err)) die("table", err.msg);
}

void read_nets(const char *path, nets *out) {
  sloe_error err;
  sloe_csv_reader *r;
  int another;
  FILE *f = fopen(path, "rb");
  *out = (nets){0};
  if (!f) die(path, "cannot be opened");
  if (sloe_csv_reader_open((sloe_csv_source){f, read_file}, &r, &err)) die(path, err.msg);
  const int features = sloe_csv_reader_find(r, "input_height");
  const int quality = sloe_csv_reader_find(r, "quality");
  if (features < 0 || quality < 0) die(path, "no table of `sloe import icas`");
  out->d = sloe_csv_reader_columns(r) - (size_t)features;
  while (!sloe_csv_reader_next(r, &another, &err) && another)
    if (!strcmp(sloe_csv_reader_field(r, (size_t)quality), "ok")) add_row(r, out, (size_t)features);
  sloe_csv_reader_close(r);
  fclose(f);
  drop_constant_features(out);
}

void free_nets(nets *t) {
  free(t->first);
  free(t->terms);
  free(t->traits);
  free(t->family);
  free(t->y);
  free(t->x);
  free(t->kind);
  *t = (nets){0};
}

void pick_nets(const nets *all, const uint32_t *pick, size_t n, nets *out) {
  *out = (nets){.n = n, .d = all->d};
  out->first = more(NULL, n + 1, sizeof *out->first);
  out->y = more(NULL, n, sizeof *out->y);
  out->x = more(NULL, n * all->d, sizeof *out->x);
  out->kind = more(NULL, n, sizeof *out->kind);
  out->first[0] = 0;
  for (size_t i = 0; i < n; i++)
    out->first[i + 1] = out->first[i] + all->first[pick[i] + 1] - all->first[pick[i]];
  out->n_layers = out->first[n];
  out->terms = more(NULL, out->n_layers * SLOE_LAYER_TERMS, sizeof *out->terms);
  out->traits = more(NULL, out->n_layers * SLOE_LAYER_TRAITS, sizeof *out->traits);
  out->family = more(NULL, out->n_layers, sizeof *out->family);
  for (size_t i = 0; i < n; i++) {
    const size_t from = all->first[pick[i]], to = out->first[i], count = out->first[i + 1] - to;
    memcpy(out->terms + to * SLOE_LAYER_TERMS, all->terms + from * SLOE_LAYER_TERMS,
           count * SLOE_LAYER_TERMS * sizeof *out->terms);
    memcpy(out->traits + to * SLOE_LAYER_TRAITS, all->traits + from * SLOE_LAYER_TRAITS,
           count * SLOE_LAYER_TRAITS * sizeof *out->traits);
    memcpy(out->family + to, all->family + from, count * sizeof *out->family);
    memcpy(out->x + i * all->d, all->x + pick[i] * all->d, all->d * sizeof *out->x);
    memcpy(out->kind[i], all->kind[pick[i]], NAME_MOST);
    out->y[i] = all->y[pick[i]];
  }
}

void layers_of(const char *net, nets *one) {
  *one = (nets){.n = 1};
  one->first = more(NULL, 2, sizeof *one->first);
  one->first[0] = 0;
  add_layers(one, net);
  one->first[1] = one->n_layers;
}

sloe_layer_sum_rows rows_of(const nets *t) {
  return (sloe_layer_sum_rows){{t->n_layers, t->terms, t->traits, t->family},
                               SLOE_LAYER_TERMS,
                               SLOE_LAYER_TRAITS,
                               t->first,
                               t->y,
                               t->n};
}
