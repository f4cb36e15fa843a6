/* rtc.c: kernels of our own, compiled when first asked for. */
#include <nvrtc.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "device/cudnn/cudnn.h"

/* The line of the log that says what is wrong. */
static sloe_status tell_log(nvrtcProgram program, const char *name, sloe_error *err) {
  size_t size = 0;
  char *log = NULL;
  if (nvrtcGetProgramLogSize(program, &size) == NVRTC_SUCCESS && size) log = sloe_alloc(size, 1);
  if (log && nvrtcGetProgramLog(program, log) != NVRTC_SUCCESS) log[0] = 0;
  const char *line = log ? strstr(log, "error") : NULL;
  const int length = line ? (int)strcspn(line, "\n") : 0;
  const sloe_status status = sloe_fail(err, SLOE_DEVICE, "cudnn: compiling kernel %s: %.*s", name,
                                       length > 160 ? 160 : length, line ? line : "");
  sloe_dealloc(log);
  return status;
}

static sloe_status take_code(nvrtcProgram program, char **out, sloe_error *err) {
  size_t size = 0;
  if (nvrtcGetCUBINSize(program, &size) != NVRTC_SUCCESS || !size)
    return sloe_fail(err, SLOE_DEVICE, "cudnn: the compiler made no code");
  char *code = sloe_alloc(size, 1);
  if (!code) return sloe_cudnn_nomem(err);
  if (nvrtcGetCUBIN(program, code) != NVRTC_SUCCESS) {
    sloe_dealloc(code);
    return sloe_fail(err, SLOE_DEVICE, "cudnn: the compiler made no code");
  }
  *out = code;
  return SLOE_OK;
}

sloe_status sloe_cudnn_compile(int cc, int half, const char *name, const char *text, char **out,
                               sloe_error *err) {
  char arch[40];
  const char *options[] = {arch, "--std=c++17"};
  const char *head = half ? sloe_cudnn_text_half : sloe_cudnn_text_float;
  const size_t size = strlen(head) + strlen(sloe_cudnn_text_common) + strlen(text) + 1;
  nvrtcProgram program = NULL;
  *out = NULL;
  char *whole = sloe_alloc(size, 1);
  if (!whole) return sloe_cudnn_nomem(err);
  snprintf(whole, size, "%s%s%s", head, sloe_cudnn_text_common, text);
  snprintf(arch, sizeof arch, "--gpu-architecture=sm_%d", cc);
  sloe_status status = SLOE_OK;
  if (nvrtcCreateProgram(&program, whole, name, 0, NULL, NULL) != NVRTC_SUCCESS)
    status = sloe_fail(err, SLOE_DEVICE, "cudnn: no compiler for kernel %s", name);
  sloe_dealloc(whole);
  if (status != SLOE_OK) return status;
  status = nvrtcCompileProgram(program, 2, options) == NVRTC_SUCCESS ? take_code(program, out, err)
                                                                     : tell_log(program, name, err);
  (void)nvrtcDestroyProgram(&program);
  return status;
}

static sloe_status load_kernel(const cudnn_device *device, const char *name, const char *text,
                               cudnn_kernel *out, sloe_error *err) {
  char *code;
  SLOE_TRY(sloe_cudnn_compile(device->cc, device->half, name, text, &code, err));
  cudaError_t said = cudaLibraryLoadData(&out->library, code, NULL, NULL, 0, NULL, NULL, 0);
  sloe_dealloc(code);
  CUDA_TRY(said, "loading a kernel");
  said = cudaLibraryGetKernel(&out->kernel, out->library, name);
  if (said != cudaSuccess) (void)cudaLibraryUnload(out->library);
  CUDA_TRY(said, "finding a kernel");
  return SLOE_OK;
}

/* Two texts of one hash are not met within a process. */
static void make_key(const char *name, const char *text, char key[64]) {
  snprintf(key, 64, "%.40s:%016llx", name, (unsigned long long)sloe_hash64(text, strlen(text)));
}

static sloe_status add_kernel(cudnn_device *device, const char *key, const char *name,
                              const char *text, cudnn_kernel *kernel, sloe_error *err) {
  sloe_arena *arena = &device->arena;
  kernel->key = sloe_arena_printf(arena, "%s", key);
  if (!kernel->key || !sloe_arena_grow(arena, &device->kernels, device->n_kernels,
                                       &device->cap_kernels, sizeof *kernel))
    return sloe_cudnn_nomem(err);
  SLOE_TRY(load_kernel(device, name, text, kernel, err));
  device->kernels[device->n_kernels] = *kernel;
  const int32_t index = (int32_t)device->n_kernels++;
  return sloe_map_put(&device->kernel_at, arena, kernel->key, index) ? SLOE_OK
                                                                     : sloe_cudnn_nomem(err);
}

sloe_status sloe_cudnn_kernel(cudnn_device *device, const char *name, const char *text,
                              cudaKernel_t *out, sloe_error *err) {
  cudnn_kernel kernel = {0};
  char key[64];
  make_key(name, text, key);
  *out = NULL;
  const int32_t at = sloe_map_get(&device->kernel_at, key);
  if (at < 0) SLOE_TRY(add_kernel(device, key, name, text, &kernel, err));
  *out = at < 0 ? kernel.kernel : device->kernels[at].kernel;
  return SLOE_OK;
}

void sloe_cudnn_kernels_close(cudnn_device *device) {
  for (size_t i = 0; i < device->n_kernels; i++)
    (void)cudaLibraryUnload(device->kernels[i].library);
  device->n_kernels = 0;
}

sloe_status sloe_cudnn_launch(const cudnn_device *device, cudaKernel_t kernel, unsigned grid,
                              unsigned block, void **args, sloe_error *err) {
  const dim3 blocks = {grid, 1, 1}, threads = {block, 1, 1};
  CUDA_TRY(cudaLaunchKernel((const void *)kernel, blocks, threads, args, 0, device->stream),
           "launching a kernel");
  return SLOE_OK;
}
