#include "model/roofline.h"

static double larger(double a, double b) {
  return a > b ? a : b;
}

static double arithmetic_s(const sloe_roofline *roof, const sloe_roofline_work *work, double matrix,
                           double vector) {
  return work->matrix_flops / (roof->matrix_flops * matrix) +
         work->vector_flops / (roof->vector_flops * vector);
}

/* Nothing can be faster: matrix and vector units overlap, the cache keeps what it can. */
static double fastest_s(const sloe_roofline *roof, const sloe_roofline_work *work) {
  double saving = larger(work->can_be_fast ? roof->fast_conv : 1, roof->fast_matrix);
  double vector_peak = larger(roof->vector_flops, roof->matrix_flops);
  double arithmetic =
      larger(work->matrix_flops / (roof->matrix_flops * saving), work->vector_flops / vector_peak);
  double bytes = larger(work->bytes - 2 * roof->l2_bytes, 0);
  return larger(arithmetic, bytes / roof->bandwidth);
}

sloe_roofline_time sloe_roofline_eval(const sloe_roofline *roof, const sloe_roofline_work *work) {
  sloe_range share = roof->share[work->work], vector = roof->share[SLOE_WORK_VECTOR];
  double arithmetic = arithmetic_s(roof, work, share.typical, vector.typical);
  double memory = work->bytes / (roof->bandwidth * roof->memory_share.typical);
  double busy = larger(arithmetic, memory), launch = roof->launch_s.typical;
  double slow = larger(arithmetic_s(roof, work, share.worst, vector.worst),
                       work->bytes / (roof->bandwidth * roof->memory_share.worst));
  sloe_roofline_time time = {.value_s = busy + launch, .low_s = fastest_s(roof, work)};
  time.high_s = larger(slow + roof->launch_s.worst, time.value_s);
  if (time.low_s > time.value_s) time.low_s = time.value_s;
  time.bound = launch > busy          ? SLOE_BOUND_LAUNCH
               : arithmetic >= memory ? SLOE_BOUND_ARITHMETIC
                                      : SLOE_BOUND_MEMORY;
  return time;
}

const char *sloe_work_key(sloe_work work) {
  switch (work) {
#define SLOE_WORK_KEY(id, key, doc) \
  case SLOE_WORK_##id: return key;
    SLOE_WORK_MAP(SLOE_WORK_KEY)
#undef SLOE_WORK_KEY
    case SLOE_WORK_COUNT: break;
  }
  return "unknown";
}
