/* settle.c: put the caches into the state that a network would leave them in.
 *
 * A layer alone, run again and again, finds its weights and its whole input in the cache. In a
 * network other layers ran since its weights were last read, and its input has just been written,
 * the end of it last. So before each run:
 *   1. read and write a buffer of twice the second-level cache (4..16 MB): what the layer had there
 *      goes out;
 *   2. flush the weights from all levels: networks of more than a few MB find theirs in memory. The
 *      third level is shared, its size says nothing of how much of it is ours (measured: weights of
 *      9 MB cost 0.6 ms more in ResNet-50 than behind step 1 alone, and the same behind step 2;
 *      docs/notes/onednn.md);
 *   3. read and rewrite the last bytes of the input, as many as the second-level cache holds, in
 *      the order of their addresses.
 *   4. run another, tiny layer: the library's own way to a kernel is in the cache, the kernel is
 * not (measured: without it a layer of 0.5 us takes that or 4.7 us, by chance). Takes under a
 * millisecond but where weights are tens of MB. Where there is no instruction to flush a line, step
 * 2 is left out.
 */
#include "device/onednn/onednn.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

enum { LINE = 64 };

static void rewrite(char *from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += LINE) {
    volatile char *p = from + i;
    *p = *p;
  }
}

static void flush(const char *from, size_t bytes) {
#if defined(__x86_64__)
  for (size_t i = 0; i < bytes; i += LINE) _mm_clflush(from + i);
  _mm_mfence();
#else
  (void)from, (void)bytes;
#endif
}

static void flush_weights(const onednn_job *job) {
  for (const onednn_value *v = job->values; v; v = v->next) {
    if (v->kind != ONEDNN_CONSTANT || !v->fixed) continue;
    const char *at = (const char *)(const void *)sloe_onednn_bytes(job, v);
    if (at) flush(at, dnnl_memory_desc_get_size(&v->md));
  }
}

static void touch_value(const onednn_device *device, const onednn_job *job,
                        const onednn_value *value) {
  char *at = (char *)(void *)sloe_onednn_bytes(job, value);
  const size_t bytes = dnnl_memory_desc_get_size(&value->md);
  const size_t hot = bytes < device->l2_bytes ? bytes : device->l2_bytes;
  if (at) rewrite(at + (bytes - hot), hot);
}

void sloe_onednn_settle(onednn_device *device, const onednn_job *job) {
  rewrite(device->evict, device->evict_bytes);
  flush_weights(job);
  if (job->input && job->input->fixed) touch_value(device, job, job->input);
  if (device->neighbour) (void)sloe_onednn_job_run(device->neighbour, NULL);
}
