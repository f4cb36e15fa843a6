/* gpu_status.c: what CUDA, cuDNN and cuBLASLt say, as statuses. */
#include "device/cudnn/cudnn.h"

sloe_status sloe_cudnn_cuda_said(cudaError_t said, const char *what, sloe_error *err) {
  (void)cudaGetLastError(); /* it would be told again to the next call */
  if (said == cudaErrorMemoryAllocation)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %s: the GPU's memory is too small", what);
  return sloe_fail(err, SLOE_DEVICE, "cudnn: %s: %.120s", what, cudaGetErrorString(said));
}

sloe_status sloe_cudnn_dnn_said(cudnnStatus_t said, const char *what, sloe_error *err) {
  const int refused = (said >= CUDNN_STATUS_BAD_PARAM && said < CUDNN_STATUS_INTERNAL_ERROR) ||
                      said == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
  return sloe_fail(err, refused ? SLOE_UNSUPPORTED : SLOE_DEVICE, "cudnn: %s: %.120s", what,
                   cudnnGetErrorString(said));
}

sloe_status sloe_cudnn_blas_said(cublasStatus_t said, const char *what, sloe_error *err) {
  const int refused = said == CUBLAS_STATUS_NOT_SUPPORTED || said == CUBLAS_STATUS_INVALID_VALUE ||
                      said == CUBLAS_STATUS_ALLOC_FAILED || said == CUBLAS_STATUS_ARCH_MISMATCH;
  return sloe_fail(err, refused ? SLOE_UNSUPPORTED : SLOE_DEVICE, "cudnn: %s: %.120s", what,
                   cublasLtGetStatusString(said));
}
