/* agent.h: the backend's state, for its tests. Private to agent/. */
#ifndef SLOE_DEVICE_AGENT_H
#define SLOE_DEVICE_AGENT_H

#include "device/agent/agent_link.h"

/* What sloe_backend_agent.open does, with other limits (NULL: the usual ones). */
sloe_status sloe_agent_open(const char *command, const sloe_agent_limits *limits, void **state,
                            sloe_device_info *info, sloe_error *err);

#endif
