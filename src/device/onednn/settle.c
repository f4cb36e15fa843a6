/* settle.c: put the caches into the state that a network would leave them in.
 *
 * A layer alone, run again and again, finds its weights and its whole input in the cache. In a
 * network other layers ran since its weights were last read, and its input has just been written,
 * the end of it last. So before each run:
 *   1. read and write a buffer of twice the second-level cache (4..16 MB): what the layer had there
 *      goes out, weights above all;
 *   2. read and rewrite the last bytes of the input, as many as the second-level cache holds, in
 *      the order of their addresses.
 * The third level is left alone: it is shared, and where it is large a network finds its weights
 * there too. Takes under a millisecond.
 */
#include "device/onednn/onednn.h"

enum { LINE = 64 };

static void rewrite(char *from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += LINE) {
    volatile char *p = from + i;
    *p = *p;
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
  if (job->input && job->input->fixed) touch_value(device, job, job->input);
}
