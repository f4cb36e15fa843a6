/* Predicted layers against engines that were recorded on devices (trtexec, trex, torch-TensorRT).
 * Matched by order (the longest common sequence), kind, kernel, groups and output maps; recordings
 * that hold names only are matched by name, siblings ("a || b") in any order. Reformat, NoOp and
 * shape_call are left out. The table and the differences are printed; docs/fusion.md explains them.
 * Skipped where the recordings are not there. */
#include <jansson.h>

#include "net/fuse/fuse.h"
#include "unit/fuse_text.h"

#define SHARED   SLOE_SOURCE_DIR "/../shared"
#define TRTEXEC  SHARED "/data/trtexec/"
#define PROFILES SHARED "/data/layer-profiles/"
#define NETS     SLOE_SOURCE_DIR "/tests/data/fuse/nets/"

typedef enum family { CONVOLUTION, POOLING, POINTWISE, SOFTMAX, PRODUCT, OTHER } family;

typedef struct recorded { /* 0 or -1: not recorded */
  char name[1024];
  int by_name;
  family kind;
  int64_t kernel[2], maps;
  int depthwise;
} recorded;

enum { MOST_LAYERS = 512 };

typedef struct recording {
  recorded layer[MOST_LAYERS];
  size_t n;
} recording;

/* ---- reading ---- */

static int is_reformatting(const char *type) {
  return !strcmp(type, "Reformat") || !strcmp(type, "NoOp") || !strcmp(type, "shape_call") ||
         !strcmp(type, "Constant");
}

static family family_of(const char *type) {
  if (strstr(type, "Convolution") || !strcmp(type, "ConvActPool")) return CONVOLUTION;
  if (strstr(type, "Pooling")) return POOLING;
  if (strstr(type, "PointWise") || strstr(type, "ElementWise")) return POINTWISE;
  if (strstr(type, "SoftMax")) return SOFTMAX;
  if (!strcmp(type, "kgen") || !strcmp(type, "Myelin")) return PRODUCT;
  return OTHER;
}

static recorded *add(recording *r, const char *name) {
  assert_true(r->n < MOST_LAYERS);
  recorded *x = &r->layer[r->n++];
  memset(x, 0, sizeof *x);
  snprintf(x->name, sizeof x->name, "%s", name);
  return x;
}

static int64_t item(const json_t *list, size_t i) {
  return json_integer_value(json_array_get(list, i));
}

static int read_layer_info(const char *path, recording *r) {
  json_error_t error;
  json_t *all = json_load_file(path, 0, &error);
  if (!all) return 0;
  size_t i;
  json_t *l;
  json_array_foreach(json_object_get(all, "Layers"), i, l) {
    const char *type = json_string_value(json_object_get(l, "LayerType"));
    if (!type || is_reformatting(type)) continue;
    recorded *x = add(r, json_string_value(json_object_get(l, "Name")));
    const json_t *kernel = json_object_get(l, "Kernel");
    const json_t *out =
        json_object_get(json_array_get(json_object_get(l, "Outputs"), 0), "Dimensions");
    if (!kernel) kernel = json_object_get(l, "WindowSize");
    x->kind = family_of(type);
    x->kernel[0] = item(kernel, 0);
    x->kernel[1] = item(kernel, 1);
    x->maps = json_integer_value(json_object_get(l, "OutMaps"));
    if (!x->maps) x->maps = item(out, 1);
    x->depthwise = json_integer_value(json_object_get(l, "Groups")) > 1;
  }
  json_decref(all);
  return 1;
}

/* --exportProfile of TensorRT 7: names only. */
static int read_profile(const char *path, recording *r) {
  json_error_t error;
  json_t *all = json_load_file(path, 0, &error), *l;
  if (!all) return 0;
  size_t i;
  json_array_foreach(all, i, l) {
    const char *name = json_string_value(json_object_get(l, "name"));
    if (name && !strstr(name, " reformatter ")) add(r, name)->by_name = 1;
  }
  json_decref(all);
  return 1;
}

/* The layer list of a build log; a prefix that the exporter put before each name is taken off. */
static int read_build_log(const char *path, const char *prefix, const char *last, recording *r) {
  char line[1024], name[1024];
  FILE *in = fopen(path, "r");
  if (!in) return 0;
  for (int done = 0; !done && fgets(line, sizeof line, in);) {
    const char *p = strstr(line, "[GpuLayer] ");
    if (!p) continue;
    size_t n = 0;
    for (p += 11; *p && *p != '\n';) {
      if (!strncmp(p, prefix, strlen(prefix))) p += strlen(prefix);
      name[n++] = *p++;
    }
    name[n] = 0;
    add(r, name)->by_name = 1;
    done = strstr(name, last) != NULL;
  }
  fclose(in);
  return 1;
}

/* Fields of a CSV line, cut in place. */
static size_t split_csv(char *line, char **field, size_t most) {
  size_t n = 0;
  for (char *p = line; n < most;) {
    char *to = p;
    int quoted = *p == '"';
    field[n++] = p;
    if (quoted) p++;
    while (*p && (quoted || (*p != ',' && *p != '\n'))) {
      if (quoted && *p == '"') {
        p++;
        if (*p != '"') {
          quoted = 0;
          continue;
        }
      }
      *to++ = *p++;
    }
    const int more = *p == ',';
    p++;
    *to = 0;
    if (!more) break;
  }
  return n;
}

static void pair(const char *s, int64_t out[2]) {
  char *end;
  out[0] = strtoll(s, &end, 10);
  out[1] = *end ? strtoll(end + 1, NULL, 10) : 0;
}

/* Rows of one net and precision in the tables of layer profiles. */
static int read_table(const char *path, const char *device, const char *net, const char *precision,
                      recording *r) {
  enum {
    DEVICE,
    NET,
    PRECISION,
    INDEX,
    NAME,
    TYPE,
    IN,
    OUT,
    IN_FORMAT,
    OUT_FORMAT,
    KERNEL,
    STRIDE,
    PAD,
    GROUPS,
    MAPS,
    FIELDS
  };
  char line[4096], *f[FIELDS];
  FILE *in = fopen(path, "r");
  if (!in) return 0;
  while (fgets(line, sizeof line, in)) {
    if (split_csv(line, f, FIELDS) < FIELDS || !strstr(f[DEVICE], device) || strcmp(f[NET], net) ||
        strcmp(f[PRECISION], precision) || is_reformatting(f[TYPE]))
      continue;
    recorded *x = add(r, f[NAME]);
    x->kind = family_of(f[TYPE]);
    pair(f[KERNEL], x->kernel);
    x->maps = strtoll(f[MAPS], NULL, 10);
    const char *second = strchr(f[OUT], 'x');
    if (!x->maps && second) x->maps = strtoll(second + 1, NULL, 10);
    x->depthwise = strtoll(f[GROUPS], NULL, 10) > 1;
  }
  fclose(in);
  return 1;
}

/* ---- matching ---- */

static family family_of_layer(const sloe_layer *l) {
  switch (l->kind) {
    case SLOE_LAYER_CONV:
    case SLOE_LAYER_DWCONV: return CONVOLUTION;
    case SLOE_LAYER_FC: return PRODUCT;
    case SLOE_LAYER_POOL: return POOLING;
    case SLOE_LAYER_ACTIVATION:
    case SLOE_LAYER_ELEMENTWISE: return POINTWISE;
    case SLOE_LAYER_SOFTMAX: return SOFTMAX;
    default: return OTHER;
  }
}

static size_t count_parts(const char *name) {
  size_t n = 1;
  for (const char *p = name; (p = strstr(p, " || ")); p += 4) n++;
  return n;
}

/* Every part of `a` between " || " is a part of `b`. */
static int same_parts(const char *a, const char *b) {
  char padded[1024], part[1024];
  if (count_parts(a) != count_parts(b)) return 0;
  snprintf(padded, sizeof padded, " || %s || ", b);
  for (const char *p = a; *p;) {
    const char *end = strstr(p, " || ");
    const size_t n = end ? (size_t)(end - p) : strlen(p);
    snprintf(part, sizeof part, " || %.*s || ", (int)n, p);
    if (!strstr(padded, part)) return 0;
    p += n + (end ? 4 : 0);
  }
  return 1;
}

static int matches(const recorded *r, const sloe_layer *l) {
  if (r->by_name) return same_parts(r->name, l->name);
  const family kind = family_of_layer(l);
  /* TensorRT runs a product with constant weights as a 1x1 convolution or gives it to Myelin */
  const int as_conv = kind == PRODUCT && r->kind == CONVOLUTION && r->kernel[0] == 1;
  if (kind != r->kind && !as_conv) return 0;
  if (kind == CONVOLUTION && (l->kind == SLOE_LAYER_DWCONV) != (r->depthwise != 0)) return 0;
  if (kind != PRODUCT && r->kernel[0] > 0 &&
      (l->kernel[0] != r->kernel[0] || l->kernel[1] != r->kernel[1]))
    return 0;
  const int64_t maps = l->filters                       ? l->filters
                       : l->n_out && l->out[0].rank > 1 ? l->out[0].dim[1]
                                                        : 0;
  return r->maps <= 0 || kind == SOFTMAX || maps == r->maps || r->kind == PRODUCT;
}

static size_t longest[MOST_LAYERS + 1][MOST_LAYERS + 1];

/* How many recorded layers are matched in order; prints the others of both sides. */
static size_t match(const recording *r, const sloe_layer **predicted, size_t n) {
  for (size_t i = r->n + 1; i-- > 0;)
    for (size_t k = n + 1; k-- > 0;) {
      if (i == r->n || k == n)
        longest[i][k] = 0;
      else if (matches(&r->layer[i], predicted[k]))
        longest[i][k] = longest[i + 1][k + 1] + 1;
      else
        longest[i][k] =
            longest[i + 1][k] > longest[i][k + 1] ? longest[i + 1][k] : longest[i][k + 1];
    }
  for (size_t i = 0, k = 0; i < r->n || k < n;) {
    if (i < r->n && k < n && matches(&r->layer[i], predicted[k])) {
      i++;
      k++;
    } else if (k == n || (i < r->n && longest[i + 1][k] >= longest[i][k + 1])) {
      print_message("    only recorded:  %s\n", r->layer[i++].name);
    } else {
      print_message("    only predicted: %s\n", predicted[k++]->name);
    }
  }
  return longest[0][0];
}

static void compare(const char *title, const recording *r, const sloe_net *net,
                    const sloe_fusion *fusion, const sloe_fuse_switches *switches, size_t most,
                    double percent) {
  const sloe_layer *predicted[MOST_LAYERS];
  sloe_layers *layers;
  sloe_error err;
  size_t n = 0;
  assert_ok(sloe_layers_new_switched(net, fusion, switches, &layers, &err), err);
  for (size_t i = 0; i < sloe_layers_count(layers) && n < most; i++)
    if (sloe_layers_at(layers, i)->kind != SLOE_LAYER_REFORMAT)
      predicted[n++] = sloe_layers_at(layers, i);
  const size_t matched = match(r, predicted, n);
  const double share = r->n ? 100.0 * (double)matched / (double)r->n : 0;
  print_message("%-52s %4zu recorded %4zu predicted %4zu matched %6.1f %%\n", title, r->n, n,
                matched, share);
  sloe_layers_free(layers);
  if (r->n < 10 || share < percent) fail_msg("%s: %.1f %% matched", title, share);
}

static sloe_net *open_model(const char *path) {
  sloe_net *net;
  sloe_error err;
  const sloe_status status = sloe_net_open(path, NULL, &net, &err);
  if (status == SLOE_NOTFOUND) return NULL;
  assert_ok(status, err);
  return net;
}

static const sloe_fusion A100_FP16 = {SLOE_RUNTIME_TENSORRT, 804, SLOE_FP16, 80};
static const sloe_fusion A100_FP32 = {SLOE_RUNTIME_TENSORRT, 804, SLOE_FP32, 80};
static const sloe_fusion RTX3060 = {SLOE_RUNTIME_TENSORRT, 1000, SLOE_FP16, 86};
static const sloe_fusion NANO = {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP32, 53};
static const sloe_fusion XAVIER = {SLOE_RUNTIME_TENSORRT, 701, SLOE_INT8, 72};
static const sloe_fusion TITAN = {SLOE_RUNTIME_TENSORRT, 804, SLOE_INT8, 75};
static const sloe_fusion ORIN = {SLOE_RUNTIME_TENSORRT, 1003, SLOE_FP16, 87};

static recording r;

static sloe_net *begin(const char *model, int found) {
  sloe_net *net = found ? open_model(model) : NULL;
  if (!net) skip();
  return net;
}

#define RESNET18    SHARED "/models/tv_resnet18.onnx"
#define MOBILENETV2 SHARED "/models/tv_mobilenet_v2.onnx"

static void resnet18_is_what_an_a100_ran(void **state) {
  (void)state;
  r.n = 0;
  sloe_net *net = begin(
      RESNET18, read_layer_info(TRTEXEC "fmt_a100_trt8.4_resnet18_fp16_b32_layerinfo.json", &r));
  compare("ResNet-18 A100 8.4 FP16", &r, net, &A100_FP16, NULL, MOST_LAYERS, 95);
  r.n = 0;
  assert_true(read_table(PROFILES "trex_layers.csv", "A100", "resnet50_pt", "fp32", &r));
  compare("ResNet-18 A100 8.4 FP32", &r, net, &A100_FP32, NULL, MOST_LAYERS, 95);
  sloe_net_free(net);
}

static void resnet18_is_what_an_rtx3060_ran(void **state) {
  (void)state;
  r.n = 0;
  sloe_net *net = begin(
      RESNET18, read_layer_info(TRTEXEC "fmt_rtx3060_trt10_resnet18_fp16_layerinfo.json", &r));
  compare("ResNet-18 RTX 3060 10.0 FP16", &r, net, &RTX3060, NULL, MOST_LAYERS, 95);
  for (size_t i = 0; i < r.n; i++) r.layer[i].by_name = 1;
  compare("ResNet-18 RTX 3060 10.0 FP16, by name", &r, net, &RTX3060, NULL, MOST_LAYERS, 95);
  sloe_net_free(net);
}

static void the_trunk_of_resnet18_is_what_a_nano_ran(void **state) {
  (void)state;
  r.n = 0;
  sloe_net *net = begin(RESNET18, read_build_log(TRTEXEC "nano_trt8.2.1_ufld_r18_fp32.log",
                                                 "/model", "layer4.1/Add", &r));
  compare("ResNet-18 trunk Nano 8.2.1 FP32, by name", &r, net, &NANO, NULL, r.n, 95);
  sloe_net_free(net);
}

/* torch-TensorRT hands over another graph: its residual Adds join the main branch. */
static void resnet18_is_nearly_what_torch_tensorrt_made_on_an_orin(void **state) {
  (void)state;
  r.n = 0;
  sloe_net *net =
      begin(RESNET18,
            read_layer_info(TRTEXEC "fmt_torchtrt_jetson_orin_resnet18_fp16_engineinfo.json", &r));
  compare("ResNet-18 Orin torch-TensorRT FP16", &r, net, &ORIN, NULL, MOST_LAYERS, 85);
  sloe_net_free(net);
}

static void resnet50_is_what_tensorrt7_ran(void **state) {
  (void)state;
  r.n = 0;
  if (!read_profile(TRTEXEC "jetson_xavierclass_trt7.1_resnet50_n2_int8_b1_profile.json", &r))
    skip();
  sloe_net *net = text_read(NETS "caffe_resnet50.net");
  compare("ResNet-50 (Caffe) 7.1 INT8, by name", &r, net, &XAVIER, NULL, MOST_LAYERS, 95);
  sloe_net_free(net);
}

static void googlenet_is_what_tensorrt7_ran(void **state) {
  (void)state;
  r.n = 0;
  if (!read_profile(TRTEXEC "jetson_xavierclass_trt7.1_googlenet_int8_b1_profile.json", &r)) skip();
  sloe_net *net = text_read(NETS "caffe_googlenet.net");
  compare("GoogLeNet (Caffe) 7.1 INT8, by name", &r, net, &XAVIER, NULL, MOST_LAYERS, 95);
  sloe_net_free(net);
}

static void mobilenetv2_is_what_a_titan_rtx_ran(void **state) {
  (void)state;
  r.n = 0;
  sloe_net *net = begin(
      MOBILENETV2, read_table(PROFILES "trex_layers.csv", "TITAN", "mobilenetv2", "int8_qat", &r));
  compare("MobileNetV2 TITAN RTX 8.4 INT8", &r, net, &TITAN, NULL, MOST_LAYERS, 95);
  sloe_net_free(net);
}

/* torch-TensorRT writes ReLU6 as a clamp in FP32 between two casts, which no convolution takes up:
   each is a pointwise layer. The same rules without the two that join activations say so. */
static void mobilenetv2_is_what_an_orin_ran(void **state) {
  (void)state;
  sloe_fuse_switches switches = {{0}};
  r.n = 0;
  sloe_net *net = begin(MOBILENETV2, read_table(PROFILES "orin_mobilenetv2_layers.csv", "orin",
                                                "mobilenet_v2", "fp16", &r));
  switches.set[SLOE_RULE_conv_clip] = switches.set[SLOE_RULE_conv_activation] = -1;
  compare("MobileNetV2 Orin Nano torch-TensorRT FP16", &r, net, &ORIN, &switches, MOST_LAYERS, 95);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(resnet18_is_what_an_a100_ran),
      cmocka_unit_test(resnet18_is_what_an_rtx3060_ran),
      cmocka_unit_test(the_trunk_of_resnet18_is_what_a_nano_ran),
      cmocka_unit_test(resnet18_is_nearly_what_torch_tensorrt_made_on_an_orin),
      cmocka_unit_test(resnet50_is_what_tensorrt7_ran),
      cmocka_unit_test(googlenet_is_what_tensorrt7_ran),
      cmocka_unit_test(mobilenetv2_is_what_a_titan_rtx_ran),
      cmocka_unit_test(mobilenetv2_is_what_an_orin_ran),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
