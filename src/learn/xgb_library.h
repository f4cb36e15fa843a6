/* xgb_library.h: XGBoost's C API, opened when it is asked for: the measuring library neither needs
 * it nor waits for it otherwise. Private to learn/.
 *
 *   sloe_xgb x; SLOE_TRY(sloe_xgb_open(&x, err));  x.XGBoosterCreate(...)
 */
#ifndef SLOE_LEARN_XGB_LIBRARY_H
#define SLOE_LEARN_XGB_LIBRARY_H

#include <xgboost/c_api.h>

#include "sloe/sloe.h"

#define SLOE_XGB_FUNCTIONS(X) \
  X(XGBGetLastError)          \
  X(XGDMatrixCreateFromMat)   \
  X(XGDMatrixSetFloatInfo)    \
  X(XGDMatrixFree)            \
  X(XGBoosterCreate)          \
  X(XGBoosterFree)            \
  X(XGBoosterSetParam)        \
  X(XGBoosterUpdateOneIter)   \
  X(XGBoosterPredict)         \
  X(XGBoosterDumpModel)

typedef struct sloe_xgb {
#define SLOE_XGB_MEMBER(name) __typeof__(name) *name;
  SLOE_XGB_FUNCTIONS(SLOE_XGB_MEMBER)
#undef SLOE_XGB_MEMBER
} sloe_xgb;

/* It stays open until the program ends. Errors: UNSUPPORTED (it is not there). */
sloe_status sloe_xgb_open(sloe_xgb *out, sloe_error *err);

#endif
