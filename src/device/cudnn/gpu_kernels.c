/* gpu_kernels.c: CUDA C that NVRTC compiles at load, as text. No headers are needed there, so that
 * none must be installed; numbers are T in memory (float, or the bits of a half) and float in
 * arithmetic.
 *
 * What is put in front of a text, line by line: RANK and the like, where its head says so. */
#include "device/cudnn/cudnn.h"

#define TEXT(...) #__VA_ARGS__

const char *const sloe_cudnn_text_float = TEXT(
    typedef float T; __device__ inline float load(T x) {
      return x;
    } __device__ inline T store(float x) { return x; }) "\n";

const char *const sloe_cudnn_text_half = TEXT(
    typedef unsigned short T; __device__ inline float load(T x) {
      float f;
      asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(x));
      return f;
    } __device__ inline T store(float x) {
      T h;
      asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));
      return h;
    }) "\n";

/* clang-format off */
const char *const sloe_cudnn_text_common = TEXT(
    struct Map { /* cudnn_map_args of gpu_map.c */
      unsigned n;
      unsigned dim[8];
      int out[8];
      int in[4][8];
    };
    struct Reduce { /* cudnn_reduce_args of gpu_rows.c */
      unsigned n, m;
      unsigned dim[8];
      int out[8];
      int in[8];
      unsigned over[8];
      int stride[8];
    };
    struct Image { /* cudnn_image_args of gpu_window.c */
      int n, c, h, w, oh, ow;
      long long in[4];
      long long out[4];
      int kernel[2];
      int step[2];
      int dilation[2];
      int pad[2];
      int last;
      float a, b, k;
    };) "\n";
/* clang-format on */

/* offset + scale * a hash of the place, in +-1 */
const char *const sloe_cudnn_text_fill = TEXT(extern "C" __global__ void fill(
    T *to, unsigned long long n, unsigned seed, float scale, float offset) {
  unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; i < n; i += (unsigned long long)gridDim.x * blockDim.x) {
    unsigned x = (unsigned)i * 2654435761u ^ (unsigned)(i >> 32) ^ seed;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    to[i] = store(offset + scale * ((float)(x % 2001u) / 1000.0f - 1.0f));
  }
});

/* RANK, FN(x, y, z, u). Each thread makes four elements, a block apart: all are read before the
   first is written. In-place is fine. */
const char *const sloe_cudnn_text_map = TEXT(extern "C" __global__ void map(
    T *out, const T *a, const T *b, const T *c, const T *d, const Map l) {
  unsigned i = blockIdx.x * (4u * blockDim.x) + threadIdx.x;
  float value[4];
  int place[4];
  for (int k = 0; k < 4; k++, i += blockDim.x) {
    unsigned rest = i;
    int o = 0;
    int p[4] = {0, 0, 0, 0};
    place[k] = -1;
    if (i >= l.n) continue;
    for (int r = RANK - 1; r >= 0; r--) {
      const unsigned at = r ? rest % l.dim[r] : rest;
      if (r) rest /= l.dim[r];
      o += (int)at * l.out[r];
      for (int q = 0; q < 4; q++) p[q] += (int)at * l.in[q][r];
    }
    const float x = load(a[p[0]]);
    const float y = b ? load(b[p[1]]) : 0.0f;
    const float z = c ? load(c[p[2]]) : 0.0f;
    const float u = d ? load(d[p[3]]) : 0.0f;
    value[k] = FN(x, y, z, u);
    place[k] = o;
  }
  for (int k = 0; k < 4; k++)
    if (place[k] >= 0) out[place[k]] = store(value[k]);
});

/* KEPT and OVER (ranks), START, STEP(s, x), JOIN(s, t), DONE(s, m). WIDE: a block makes one
   element, else a thread does. */
const char *const sloe_cudnn_text_reduce =
    TEXT(extern "C" __global__ void reduce(T *out, const T *in, const Reduce l) {
      const unsigned first = WIDE ? threadIdx.x : 0;
      const unsigned step = WIDE ? blockDim.x : 1;
      unsigned rest = WIDE ? blockIdx.x : blockIdx.x * blockDim.x + threadIdx.x;
      long long o = 0;
      long long p = 0;
      if (rest >= l.n) return;
      for (int r = KEPT - 1; r >= 0; r--) {
        const unsigned at = r ? rest % l.dim[r] : rest;
        if (r) rest /= l.dim[r];
        o += (long long)at * l.out[r];
        p += (long long)at * l.in[r];
      }
      float s = START;
      for (unsigned i = first; i < l.m; i += step) {
        unsigned left = i;
        long long q = p;
        for (int r = OVER - 1; r >= 0; r--) {
          const unsigned at = r ? left % l.over[r] : left;
          if (r) left /= l.over[r];
          q += (long long)at * l.stride[r];
        }
        const float x = load(in[q]);
        s = STEP(s, x);
      }
      if (WIDE) {
        __shared__ float part[32];
        for (int d = 16; d; d /= 2) {
          const float t = __shfl_xor_sync(0xffffffffu, s, d);
          s = JOIN(s, t);
        }
        if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = s;
        __syncthreads();
        if (threadIdx.x) return;
        for (unsigned i = 1; i < blockDim.x / 32; i++) s = JOIN(s, part[i]);
      }
      out[o] = store(DONE(s, (float)l.m));
    });

/* A block makes a row of m contiguous elements. */
const char *const sloe_cudnn_text_norm = TEXT(
    __device__ float total(float s, float *part) {
      for (int d = 16; d; d /= 2) s += __shfl_xor_sync(0xffffffffu, s, d);
      __syncthreads();
      if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = s;
      __syncthreads();
      s = 0.0f;
      for (unsigned i = 0; i < blockDim.x / 32; i++) s += part[i];
      return s;
    } extern "C" __global__ void norm_rows(T *out, const T *in, const T *factor, const T *offset,
                                           unsigned m, float epsilon) {
      __shared__ float part[32];
      const T *row = in + (unsigned long long)blockIdx.x * m;
      float s = 0.0f;
      float v = 0.0f;
      for (unsigned i = threadIdx.x; i < m; i += blockDim.x) s += load(row[i]);
      const float mean = total(s, part) / (float)m;
      for (unsigned i = threadIdx.x; i < m; i += blockDim.x) {
        const float x = load(row[i]) - mean;
        v += x * x;
      }
      const float scale = rsqrtf(total(v, part) / (float)m + epsilon);
      out += (unsigned long long)blockIdx.x * m;
      for (unsigned i = threadIdx.x; i < m; i += blockDim.x)
        out[i] = store((load(row[i]) - mean) * scale * load(factor[i]) + load(offset[i]));
    });

/* A thread makes an element: pool_max, pool_mean, pool_padded, nearest, linear, lrn. */
const char *const sloe_cudnn_text_image = TEXT(
    struct Place {
      int n;
      int c;
      int y;
      int x;
    };
    __device__ inline bool place(const Image &l, Place &p) {
      unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i >= (unsigned)l.n * l.c * l.oh * l.ow) return false;
      if (l.last) {
        p.c = i % l.c;
        i /= l.c;
      }
      p.x = i % l.ow;
      i /= l.ow;
      p.y = i % l.oh;
      i /= l.oh;
      if (!l.last) {
        p.c = i % l.c;
        i /= l.c;
      }
      p.n = i;
      return true;
    } __device__ inline float at(const T *in, const Image &l, const Place &p, int y, int x) {
      return load(in[p.n * l.in[0] + p.c * l.in[1] + y * l.in[2] + x * l.in[3]]);
    } __device__ inline void put(T *out, const Image &l, const Place &p, float v) {
      out[p.n * l.out[0] + p.c * l.out[1] + p.y * l.out[2] + p.x * l.out[3]] = store(v);
    } __device__ inline void pool(T *out, const T *in, const Image &l, int max, int padded) {
      Place p;
      if (!place(l, p)) return;
      float most = -3.4e38f;
      float sum = 0.0f;
      int count = 0;
      for (int i = 0; i < l.kernel[0]; i++)
        for (int j = 0; j < l.kernel[1]; j++) {
          const int y = p.y * l.step[0] + i * l.dilation[0] - l.pad[0];
          const int x = p.x * l.step[1] + j * l.dilation[1] - l.pad[1];
          if (y < 0 || x < 0 || y >= l.h || x >= l.w) continue;
          const float v = at(in, l, p, y, x);
          most = fmaxf(most, v);
          sum += v;
          count++;
        }
      if (padded) count = l.kernel[0] * l.kernel[1];
      put(out, l, p, max ? most : sum / (float)(count ? count : 1));
    } extern "C" __global__ void pool_max(T *out, const T *in, const Image l) {
      pool(out, in, l, 1, 0);
    } extern "C" __global__ void pool_mean(T *out, const T *in, const Image l) {
      pool(out, in, l, 0, 0);
    } extern "C" __global__ void pool_padded(T *out, const T *in, const Image l) {
      pool(out, in, l, 0, 1);
    } extern "C" __global__ void nearest(T *out, const T *in, const Image l) {
      Place p;
      if (!place(l, p)) return;
      const int y = (int)((long long)p.y * l.h / l.oh);
      const int x = (int)((long long)p.x * l.w / l.ow);
      put(out, l, p, at(in, l, p, y, x));
    } extern "C" __global__ void linear(T *out, const T *in, const Image l) {
      Place p;
      if (!place(l, p)) return;
      const float fy = fmaxf((p.y + 0.5f) * l.h / l.oh - 0.5f, 0.0f);
      const float fx = fmaxf((p.x + 0.5f) * l.w / l.ow - 0.5f, 0.0f);
      const int y = min((int)fy, l.h - 1);
      const int x = min((int)fx, l.w - 1);
      const int y2 = min(y + 1, l.h - 1);
      const int x2 = min(x + 1, l.w - 1);
      const float ry = fy - y;
      const float rx = fx - x;
      const float top = at(in, l, p, y, x) * (1 - rx) + at(in, l, p, y, x2) * rx;
      const float low = at(in, l, p, y2, x) * (1 - rx) + at(in, l, p, y2, x2) * rx;
      put(out, l, p, top * (1 - ry) + low * ry);
    } extern "C" __global__ void lrn(T *out, const T *in, const Image l) {
      Place p;
      if (!place(l, p)) return;
      const float v = at(in, l, p, p.y, p.x);
      const int size = l.kernel[0];
      float sum = 0.0f;
      Place q = p;
      for (int i = -((size - 1) / 2); i <= size / 2; i++) {
        q.c = p.c + i;
        if (q.c < 0 || q.c >= l.c) continue;
        const float x = at(in, l, q, p.y, p.x);
        sum += x * x;
      }
      put(out, l, p, v * powf(l.k + l.a / (float)size * sum, -l.b));
    });
