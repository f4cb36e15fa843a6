/* The one symbol of libsloe-lab. The library holds its own copy of what it shares with libsloe; the
 * version says whether the two may hand each other structs.
 */
#include "campaign/campaign.h"
#include "device/device.h"

#define SLOE_STR(x)  #x
#define SLOE_XSTR(x) SLOE_STR(x)

static void each_backend(sloe_backend_fn fn, void *context) {
  sloe_backend_each(NULL, fn, context);
}

static sloe_status serve(const char *backend, int in, int out, sloe_error *err) {
  return sloe_device_serve(backend, NULL, in, out, err);
}

const sloe_lab *sloe_lab_open(void) {
  static const sloe_lab lab = {
      .version = SLOE_XSTR(SLOE_VERSION_MAJOR) "." SLOE_XSTR(SLOE_VERSION_MINOR) "." SLOE_XSTR(
          SLOE_VERSION_PATCH),
      .each_backend = each_backend,
      .session_open = sloe_session_open,
      .session_close = sloe_session_close,
      .session_card = sloe_session_card,
      .session_fusion = sloe_session_fusion,
      .session_batch = sloe_session_batch,
      .measure = sloe_measure,
      .measured_free = sloe_measured_free,
      .measured_answer = sloe_measured_answer,
      .measured_extra = sloe_measured_extra_of,
      .measured_table = sloe_measured_table,
#ifndef SLOE_ALONE /* what needs a store */
      .profile = sloe_profile,
      .collect_plan = sloe_collect_plan,
      .collect = sloe_collect,
      .evaluate = sloe_evaluate,
      .evaluation_free = sloe_evaluation_free,
      .train = sloe_train,
      .training_free = sloe_training_free,
      .calibrate = sloe_calibrate,
      .calibration_free = sloe_calibration_free,
      .split = sloe_split,
      .import = sloe_import,
      .db_export = sloe_db_export,
      .db_merge = sloe_db_merge,
      .db_info = sloe_db_get_info,
#endif
      .serve = serve,
  };
  return &lab;
}
