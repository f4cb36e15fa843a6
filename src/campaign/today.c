#include "campaign/today.h"

#include <time.h>

const char *sloe_today(char out[32]) {
  const time_t now = time(NULL);
  struct tm utc;
  gmtime_r(&now, &utc);
  strftime(out, 32, "%Y-%m-%d", &utc);
  return out;
}
