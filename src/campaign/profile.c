#include "base/error.h"
#include "campaign/campaign.h"
sloe_status sloe_profile(const sloe_profile_options *options, const sloe_watch *watch,
                         sloe_profile_summary *out, sloe_error *err) {
  (void)options, (void)watch, (void)out;
  return sloe_fail(err, SLOE_UNSUPPORTED, "no");
}
