/* gpu_functions.c: functions of elements, as text of CUDA C over the floats x and y. */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "device/cudnn/cudnn.h"

#define SIGMOID "(1.0f / (1.0f + __expf(-x)))"
#define SIXTHS  "fminf(fmaxf(x * 0.16666667f + 0.5f, 0.0f), 1.0f)"
#define GELU    "(0.5f * x * (1.0f + erff(x * 0.70710678f)))"
#define MISH    "(x * tanhf(log1pf(__expf(x))))"

const char *sloe_cudnn_act_text(sloe_spec_act act) {
  switch (act) {
    case SLOE_SPEC_ACT_NONE: return "x";
    case SLOE_SPEC_ACT_RELU: return "fmaxf(x, 0.0f)";
    case SLOE_SPEC_ACT_CLIP: return "fminf(fmaxf(x, 0.0f), 6.0f)";
    case SLOE_SPEC_ACT_LEAKY: return "(x > 0.0f ? x : 0.1f * x)";
    case SLOE_SPEC_ACT_SIGMOID: return SIGMOID;
    case SLOE_SPEC_ACT_HARDSIGMOID: return SIXTHS;
    case SLOE_SPEC_ACT_SWISH: return "x * " SIGMOID;
    case SLOE_SPEC_ACT_HARDSWISH: return "x * " SIXTHS;
    case SLOE_SPEC_ACT_TANH: return "tanhf(x)";
    case SLOE_SPEC_ACT_ELU: return "(x > 0.0f ? x : expm1f(x))";
    case SLOE_SPEC_ACT_GELU: return GELU;
    case SLOE_SPEC_ACT_ERF: return "erff(x)";
    case SLOE_SPEC_ACT_EXP: return "__expf(x)";
    case SLOE_SPEC_ACT_SQRT: return "sqrtf(x)";
    default: return MISH;
  }
}

const char *sloe_cudnn_act_of(sloe_arena *arena, const char *act, const char *inner) {
  return sloe_arena_printf(arena, "([](float x) { return %s; })(%s)", act, inner);
}

const char *sloe_cudnn_binary_text(sloe_op op) {
  switch (op) {
    case SLOE_OP_ADD:
    case SLOE_OP_SUM: return "x + y";
    case SLOE_OP_SUB: return "x - y";
    case SLOE_OP_MUL: return "x * y";
    case SLOE_OP_DIV: return "x / y";
    case SLOE_OP_MIN: return "fminf(x, y)";
    case SLOE_OP_MAX: return "fmaxf(x, y)";
    case SLOE_OP_POW: return "powf(x, y)";
    case SLOE_OP_PRELU: return "(x > 0.0f ? x : x * y)";
    default: return NULL;
  }
}

/* "0.2f" in every locale. */
static const char *literal(double value, char buf[SLOE_NUMBER_BUF + 4]) {
  char digits[SLOE_NUMBER_BUF];
  if (value > 3.4e38) value = 3.4e38;
  if (value < -3.4e38) value = -3.4e38;
  sloe_format_double((double)(float)value, digits);
  snprintf(buf, SLOE_NUMBER_BUF + 4, "%s%sf", digits, strpbrk(digits, ".e") ? "" : ".0");
  return buf;
}

/* A bound of Clip: an attribute, or an input whose contents are known. */
static double bound(const sloe_net *net, const sloe_node *node, size_t i, const char *name,
                    double fallback) {
  const sloe_tensor *t = sloe_node_in(net, node, i);
  if (t && t->value && t->value->n == 1)
    return t->value->real ? t->value->f[0] : (double)t->value->i[0];
  return sloe_node_float(node, name, fallback);
}

/* A text with up to two numbers in it: "%s" stands for each. */
static void write(char buf[CUDNN_TEXT], const char *format_a, double a, const char *format_b,
                  double b) {
  char number[2][SLOE_NUMBER_BUF + 4];
  const char *at_a = strstr(format_a, "%s"), *at_b = strstr(format_b, "%s");
  const int before_a = at_a ? (int)(at_a - format_a) : (int)strlen(format_a);
  const int before_b = at_b ? (int)(at_b - format_b) : (int)strlen(format_b);
  snprintf(buf, CUDNN_TEXT, "%.*s%s%s%.*s%s%s", before_a, format_a,
           at_a ? literal(a, number[0]) : "", at_a ? at_a + 2 : "", before_b, format_b,
           at_b ? literal(b, number[1]) : "", at_b ? at_b + 2 : "");
}

static int write_scaled(const sloe_net *net, const sloe_node *node, char buf[CUDNN_TEXT]) {
  const double alpha = sloe_node_float(node, "alpha", 0);
  switch (node->op) {
    case SLOE_OP_LEAKY_RELU:
      write(buf, "(x > 0.0f ? x : x * %s)", sloe_node_float(node, "alpha", 0.01), "", 0);
      return 1;
    case SLOE_OP_CLIP:
      write(buf, "fminf(fmaxf(x, %s)", bound(net, node, 1, "min", -3.4e38), ", %s)",
            bound(net, node, 2, "max", 3.4e38));
      return 1;
    case SLOE_OP_HARD_SIGMOID:
      write(buf, "fminf(fmaxf(x * %s", sloe_node_float(node, "alpha", 0.2), " + %s, 0.0f), 1.0f)",
            sloe_node_float(node, "beta", 0.5));
      return 1;
    case SLOE_OP_ELU:
    case SLOE_OP_CELU:
      write(buf, "(x > 0.0f ? x : %s * expm1f(x))", sloe_node_float(node, "alpha", 1), "", 0);
      return 1;
    case SLOE_OP_MS_QUICK_GELU:
      write(buf, "x / (1.0f + __expf(-x * %s))", alpha != 0 ? alpha : 1.702, "", 0);
      return 1;
    default: return 0;
  }
}

static const char *plain_text(const sloe_node *node) {
  switch (node->op) {
    case SLOE_OP_RELU: return "fmaxf(x, 0.0f)";
    case SLOE_OP_SIGMOID: return SIGMOID;
    case SLOE_OP_HARD_SWISH: return "x * " SIXTHS;
    case SLOE_OP_TANH: return "tanhf(x)";
    case SLOE_OP_SOFTPLUS: return "log1pf(__expf(x))";
    case SLOE_OP_MISH: return MISH;
    case SLOE_OP_GELU:
    case SLOE_OP_MS_GELU:
      return strcmp(sloe_node_string(node, "approximate", "none"), "tanh") != 0
                 ? GELU
                 : "0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)))";
    case SLOE_OP_ERF: return "erff(x)";
    case SLOE_OP_ABS: return "fabsf(x)";
    case SLOE_OP_EXP: return "__expf(x)";
    case SLOE_OP_LOG: return "__logf(x)";
    case SLOE_OP_SQRT: return "sqrtf(x)";
    case SLOE_OP_ROUND: return "rintf(x)";
    case SLOE_OP_FLOOR: return "floorf(x)";
    case SLOE_OP_CEIL: return "ceilf(x)";
    case SLOE_OP_NEG: return "-x";
    case SLOE_OP_RECIPROCAL: return "1.0f / x";
    case SLOE_OP_SIN: return "sinf(x)";
    case SLOE_OP_COS: return "cosf(x)";
    case SLOE_OP_SIGN: return "(x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : 0.0f))";
    case SLOE_OP_SOFTSIGN: return "x / (1.0f + fabsf(x))";
    case SLOE_OP_SELU: return "1.05070098f * (x > 0.0f ? x : 1.67326324f * expm1f(x))";
    default: return NULL;
  }
}

int sloe_cudnn_node_text(const sloe_net *net, const sloe_node *node, char buf[CUDNN_TEXT]) {
  const char *text = plain_text(node);
  if (!text) return write_scaled(net, node, buf);
  snprintf(buf, CUDNN_TEXT, "%s", text);
  return 1;
}
