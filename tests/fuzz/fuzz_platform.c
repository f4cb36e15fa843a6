/* Bytes -> a platform file.
 *
 * Property: status and handle agree; a refusal has a message and an offset inside the input; twice
 * gives the same answer; every platform of an accepted file gives times that are finite and ordered
 * low <= value <= high for layers from nothing to saturated counts.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "sloe/sloe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok) {
  if (!ok) __builtin_trap();
}

static void check_roofline(const sloe_roofline *roof) {
  static const double counts[] = {0, 1, 1e6, 3.6e9, 1.8446744073709552e19};
  for (int work = 0; work < SLOE_WORK_COUNT; work++)
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
      sloe_roofline_work layer = {(sloe_work)work, counts[i], counts[4 - i], counts[i], i & 1};
      sloe_roofline_time t = sloe_roofline_eval(roof, &layer);
      check(isfinite(t.low_s) && isfinite(t.value_s) && isfinite(t.high_s));
      check(0 <= t.low_s && t.low_s <= t.value_s && t.value_s <= t.high_s);
    }
}

static void check_platform(const sloe_platform *p) {
  const sloe_card *card = sloe_platform_card(p);
  check(card->name[0] && card->device[0] && card->title[0] && card->mode[0]);
  check(isfinite(card->peak_gflops) && isfinite(card->bandwidth_gbs));
  check(card->memory_reserved_mb < card->memory_mb);
  for (size_t i = 0; i < p->n_parameters; i++) check(!isinf(p->parameters[i].value));
  check_roofline(&p->roofline);
}

static sloe_status try_variant(const uint8_t *data, size_t size, const char *variant) {
  sloe_platform *p = (void *)&p, *again = NULL;
  sloe_error err = {0}, err2 = {0};
  sloe_status status = sloe_platform_from_memory(data, size, variant, &p, &err);
  check(status == sloe_platform_from_memory(data, size, variant, &again, &err2));
  check((status == SLOE_OK) == (p != NULL) && (p == NULL) == (again == NULL));
  if (p) {
    check_platform(p);
    check(strcmp(sloe_platform_card(p)->name, sloe_platform_card(again)->name) == 0);
  } else {
    check(err.msg[0] && err.code == status && err.offset <= size);
    check(err.offset == err2.offset && strcmp(err.msg, err2.msg) == 0);
  }
  sloe_platform_free(p);
  sloe_platform_free(again);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (try_variant(data, size, NULL) != SLOE_OK) return 0;
  try_variant(data, size, "fp32");
  try_variant(data, size, "fp16-maxn");
  try_variant(data, size, "int8");
  return 0;
}
