/* gpu_product.c: matrix products through cuBLASLt, with bias, residual and Relu where it fuses
 * them.
 *
 * cuBLASLt counts columns first: rows of x by weights are, seen so, weights^T by x. Candidates are
 * what its heuristic proposes, MOST of them, each with the tail fused where it is nothing or a
 * Relu, and all are measured (gpu_steps.c). Any other activation is one kernel behind. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"

enum { MOST = 8 };
static const size_t MOST_WORKSPACE = (size_t)32 << 20;

typedef struct product { /* out (m x n, columns first) = a^T or a (m x k) b (k x n) */
  int64_t m, n, k, batch, batch_a, batch_b;
  int transpose;
  cublasLtMatmulDesc_t what;
  cublasLtMatrixLayout_t at, bt, ct;
  cudnn_value *a, *b, *bias, *residual, *out;
} product;

typedef struct product_params {
  const product *p;
  cublasLtMatmulAlgo_t algo;
} product_params;

static sloe_status launch(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const product_params *params = step->params;
  const product *p = params->p;
  const float one = 1.0F, zero = 0.0F;
  void *out = sloe_cudnn_at(job, p->out);
  if (p->bias) {
    const void *bias = sloe_cudnn_at(job, p->bias);
    BLAS_TRY(cublasLtMatmulDescSetAttribute(p->what, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias,
                                            sizeof bias),
             "product");
  }
  BLAS_TRY(cublasLtMatmul(job->device->blas, p->what, &one, sloe_cudnn_at(job, p->a), p->at,
                          sloe_cudnn_at(job, p->b), p->bt, p->residual ? &one : &zero,
                          p->residual ? sloe_cudnn_at(job, p->residual) : out, p->ct, out, p->ct,
                          &params->algo, job->workspace, step->workspace, job->device->stream),
           "product");
  return SLOE_OK;
}

/* ---- descriptors ---- */

static void destroy_what(void *handle) {
  (void)cublasLtMatmulDescDestroy(handle);
}
static void destroy_layout(void *handle) {
  (void)cublasLtMatrixLayoutDestroy(handle);
}

static cudaDataType_t type_of(const cudnn_job *job) {
  return job->device->half ? CUDA_R_16F : CUDA_R_32F;
}

static sloe_status make_what(cudnn_job *job, product *p, int relu, sloe_error *err) {
  const cublasComputeType_t compute =
      job->device->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  const cublasOperation_t turn = p->transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasLtEpilogue_t epilogue =
      p->bias ? (relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
              : (relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT);
  BLAS_TRY(cublasLtMatmulDescCreate(&p->what, compute, CUDA_R_32F), "product");
  SLOE_TRY(sloe_cudnn_own(job, p->what, destroy_what, err));
  BLAS_TRY(cublasLtMatmulDescSetAttribute(p->what, CUBLASLT_MATMUL_DESC_TRANSA, &turn, sizeof turn),
           "product");
  BLAS_TRY(cublasLtMatmulDescSetAttribute(p->what, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                          sizeof epilogue),
           "product");
  return SLOE_OK;
}

static sloe_status make_layout(cudnn_job *job, int64_t rows, int64_t columns, int64_t batch,
                               int64_t stride, cublasLtMatrixLayout_t *out, sloe_error *err) {
  const int32_t count = (int32_t)batch;
  BLAS_TRY(cublasLtMatrixLayoutCreate(out, type_of(job), (uint64_t)rows, (uint64_t)columns, rows),
           "product");
  SLOE_TRY(sloe_cudnn_own(job, *out, destroy_layout, err));
  if (batch == 1) return SLOE_OK;
  BLAS_TRY(cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                            sizeof count),
           "product");
  BLAS_TRY(cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                            &stride, sizeof stride),
           "product");
  return SLOE_OK;
}

static sloe_status make_layouts(cudnn_job *job, product *p, sloe_error *err) {
  const int64_t rows_a = p->transpose ? p->k : p->m, columns_a = p->transpose ? p->m : p->k;
  SLOE_TRY(make_layout(job, rows_a, columns_a, p->batch, p->batch_a == 1 ? 0 : p->m * p->k, &p->at,
                       err));
  SLOE_TRY(make_layout(job, p->k, p->n, p->batch, p->batch_b == 1 ? 0 : p->k * p->n, &p->bt, err));
  return make_layout(job, p->m, p->n, p->batch, p->m * p->n, &p->ct, err);
}

/* ---- candidates ---- */

/* What tells two proposals apart; the last two have but two bytes. A zero is the default, and no
   part of a name. */
static const struct {
  const char *name;
  cublasLtMatmulAlgoConfigAttributes_t what;
  size_t size;
} parts[] = {{"lt", CUBLASLT_ALGO_CONFIG_ID, 4},
             {"tile", CUBLASLT_ALGO_CONFIG_TILE_ID, 4},
             {"stages", CUBLASLT_ALGO_CONFIG_STAGES_ID, 4},
             {"split", CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 4},
             {"reduction", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, 4},
             {"swizzle", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, 4},
             {"option", CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, 4},
             {"inner", CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, 2},
             {"cluster", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2}};

static int32_t config(const cublasLtMatmulAlgo_t *algo, size_t part) {
  union {
    int32_t four;
    uint16_t two;
  } value = {0};
  size_t written;
  (void)cublasLtMatmulAlgoConfigGetAttribute(algo, parts[part].what, &value, parts[part].size,
                                             &written);
  return parts[part].size == 2 ? value.two : value.four;
}

/* "lt=13,split=1,option=3"; NULL: no memory. */
static const char *name_of(cudnn_job *job, const cublasLtMatmulAlgo_t *algo) {
  const char *name = "";
  for (size_t i = 0; i < sizeof parts / sizeof *parts && name; i++) {
    const int32_t value = config(algo, i);
    if (i && !value) continue;
    name = sloe_arena_printf(&job->arena, "%s%s%s=%d", name, i ? "," : "", parts[i].name, value);
  }
  return name;
}

static sloe_status add_candidate(cudnn_job *job, const product *p,
                                 const cublasLtMatmulHeuristicResult_t *found, cudnn_step *step,
                                 sloe_error *err) {
  product_params *params = SLOE_ARENA_NEW(&job->arena, product_params, 1);
  const char *name = name_of(job, &found->algo);
  if (!params || !name) return sloe_cudnn_nomem(err);
  *params = (product_params){.p = p, .algo = found->algo};
  *step = (cudnn_step){
      .launch = launch, .params = params, .workspace = found->workspaceSize, .choice = name};
  return SLOE_OK;
}

static sloe_status propose(const cudnn_job *job, const product *p,
                           cublasLtMatmulHeuristicResult_t *found, int *n, sloe_error *err) {
  cublasLtMatmulPreference_t wish = NULL;
  const size_t most = MOST_WORKSPACE;
  *n = 0;
  BLAS_TRY(cublasLtMatmulPreferenceCreate(&wish), "product");
  cublasStatus_t said = cublasLtMatmulPreferenceSetAttribute(
      wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most);
  if (said == CUBLAS_STATUS_SUCCESS)
    said = cublasLtMatmulAlgoGetHeuristic(job->device->blas, p->what, p->at, p->bt, p->ct, p->ct,
                                          wish, MOST, found, n);
  (void)cublasLtMatmulPreferenceDestroy(wish);
  BLAS_TRY(said, "product");
  return SLOE_OK;
}

static sloe_status choose(cudnn_job *job, const product *p, int relu, sloe_error *err) {
  cublasLtMatmulHeuristicResult_t found[MOST];
  cudnn_step steps[MOST];
  char key[200];
  size_t n = 0;
  int proposed;
  SLOE_TRY(propose(job, p, found, &proposed, err));
  for (int i = 0; i < proposed; i++)
    if (found[i].state == CUBLAS_STATUS_SUCCESS)
      SLOE_TRY(add_candidate(job, p, &found[i], &steps[n++], err));
  snprintf(key, sizeof key, "product,%lldx%lldx%lld,%lld,%lld,%lld,%d,%d,%d,%d", (long long)p->m,
           (long long)p->n, (long long)p->k, (long long)p->batch, (long long)p->batch_a,
           (long long)p->batch_b, p->transpose, p->bias != NULL, p->residual != NULL, relu);
  return sloe_cudnn_choose(job, key, steps, n, err);
}

static sloe_status finish(cudnn_job *job, product *p, const cudnn_tail *tail, cudnn_value **dst,
                          sloe_error *err) {
  if (tail->residual) SLOE_TRY(sloe_cudnn_as(job, tail->residual, CUDNN_PLAIN, &p->residual, err));
  SLOE_TRY(make_what(job, p, tail->relu, err));
  SLOE_TRY(make_layouts(job, p, err));
  SLOE_TRY(choose(job, p, tail->relu, err));
  if (tail->act && !tail->relu) SLOE_TRY(sloe_cudnn_map(job, tail->act, &p->out, 1, p->out, err));
  *dst = p->out;
  return SLOE_OK;
}

/* ---- products ---- */

sloe_status sloe_cudnn_fc(cudnn_job *job, cudnn_value *src, int64_t k, const cudnn_tail *tail,
                          const char *name, cudnn_value **dst, sloe_error *err) {
  product *p = SLOE_ARENA_NEW(&job->arena, product, 1);
  *dst = NULL;
  if (!p) return sloe_cudnn_nomem(err);
  const int64_t rows = src->dims[0], c = src->dims[1];
  const cudnn_contents weights = {.name = name, .scale = sqrtf(3.0F / (float)c)};
  const cudnn_contents bias = {.name = "bias", .scale = 0.1F};
  *p = (product){.m = k, .n = rows, .k = c, .batch = 1, .batch_a = 1, .batch_b = 1, .transpose = 1};
  SLOE_TRY(sloe_cudnn_as(job, src, CUDNN_PLAIN, &p->b, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, 2, (int64_t[]){k, c}, CUDNN_PLAIN, &weights,
                                &p->a, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, 1, &k, CUDNN_PLAIN, &bias, &p->bias, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, 2, (int64_t[]){rows, k}, CUDNN_PLAIN, NULL,
                                &p->out, err));
  return finish(job, p, tail, dst, err);
}

/* The product of all dimensions but the last two. */
static int64_t batch_of(const int64_t *dims, int rank) {
  int64_t n = 1;
  for (int i = 0; i < rank - 2; i++) n *= dims[i];
  return n;
}

/* An operand whose batch is neither the result's nor one is written out. */
static sloe_status spread(cudnn_job *job, cudnn_value *v, const int64_t *batch, cudnn_value **out,
                          sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  const int64_t own = batch_of(v->dims, v->rank);
  SLOE_TRY(sloe_cudnn_as(job, v, CUDNN_PLAIN, out, err));
  if (own == 1 || own == batch_of(batch, v->rank)) return SLOE_OK;
  memcpy(dims, batch, sizeof dims);
  dims[v->rank - 2] = v->dims[v->rank - 2];
  dims[v->rank - 1] = v->dims[v->rank - 1];
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, v->rank, dims, CUDNN_PLAIN, NULL, out, err));
  return sloe_cudnn_map(job, "x", &v, 1, *out, err);
}

sloe_status sloe_cudnn_matmul(cudnn_job *job, cudnn_value *a, cudnn_value *b,
                              const cudnn_tail *tail, cudnn_value **dst, sloe_error *err) {
  product *p = SLOE_ARENA_NEW(&job->arena, product, 1);
  int64_t dims[SLOE_MAX_RANK] = {0};
  const int rank = a->rank;
  *dst = NULL;
  if (!p) return sloe_cudnn_nomem(err);
  for (int i = 0; i < rank - 2; i++) dims[i] = a->dims[i] > b->dims[i] ? a->dims[i] : b->dims[i];
  dims[rank - 2] = a->dims[rank - 2];
  dims[rank - 1] = b->dims[rank - 1];
  if (a->dims[rank - 1] != b->dims[rank - 2])
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a product of sizes that do not match");
  SLOE_TRY(spread(job, b, dims, &p->a, err)); /* columns first: the second comes first */
  SLOE_TRY(spread(job, a, dims, &p->b, err));
  SLOE_TRY(
      sloe_cudnn_value_new(job, CUDNN_ACTIVATION, rank, dims, CUDNN_PLAIN, NULL, &p->out, err));
  p->m = dims[rank - 1];
  p->n = dims[rank - 2];
  p->k = a->dims[rank - 1];
  p->batch = batch_of(dims, rank);
  p->batch_a = batch_of(p->a->dims, rank);
  p->batch_b = batch_of(p->b->dims, rank);
  return finish(job, p, tail, dst, err);
}
