/* nvrtc.h: what src/device/cudnn uses of it (declarations/README.md). */
#ifndef SLOE_DECLARATIONS_NVRTC
#define SLOE_DECLARATIONS_NVRTC

#include <stddef.h>

#ifdef SLOE_WITH_TOOLKIT
#include_next <nvrtc.h>
#else
typedef enum { NVRTC_SUCCESS } nvrtcResult;
typedef struct nvrtcProgram_s *nvrtcProgram;
#endif

nvrtcResult nvrtcVersion(int *, int *);
nvrtcResult nvrtcCreateProgram(nvrtcProgram *, const char *, const char *, int, const char *const *,
                               const char *const *);
nvrtcResult nvrtcDestroyProgram(nvrtcProgram *);
nvrtcResult nvrtcCompileProgram(nvrtcProgram, int, const char *const *);
nvrtcResult nvrtcGetCUBINSize(nvrtcProgram, size_t *);
nvrtcResult nvrtcGetCUBIN(nvrtcProgram, char *);
nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram, size_t *);
nvrtcResult nvrtcGetProgramLog(nvrtcProgram, char *);

#endif
