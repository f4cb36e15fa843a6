/* stale_module.c: a backend's module whose idea of the contract has a field less. */
#include "device/device.h"

extern const sloe_backend sloe_backend_onednn;

__attribute__((visibility("default"))) const sloe_backend sloe_backend_onednn = {
    .contract = SLOE_BACKEND_CONTRACT - sizeof(double),
    .name = "onednn",
};
