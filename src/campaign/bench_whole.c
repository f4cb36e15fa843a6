/* bench_whole.c: the three metrics of a whole network, from one loaded job.
 *
 * Loading is what costs most where a runtime chooses its algorithms by trying them, so all is taken
 * from one job: what it holds, its time (100 runs or 10 s, at least 5: Z 4.2), its power. A network
 * below 1 ms is marked and kept: the paper leaves it out, as its sensor was too slow; whoever reads
 * the table decides.
 */
#include <math.h>

#include "base/error.h"
#include "campaign/bench_parts.h"
#include "campaign/session.h"

const char sloe_remark_short[] = "short";
static const double SHORT_NS = 1e6;

static sloe_status take_rest(sloe_bench *b, sloe_bench_point *p, sloe_job *job,
                             const sloe_timing *t, double power_s, size_t number, sloe_error *err) {
  const sloe_power_options load = {.seconds = power_s};
  sloe_bench_taken taken = sloe_bench_taken_none(t);
  SLOE_TRY(sloe_job_memory(job, &taken.memory, err));
  if (power_s >= 0) SLOE_TRY(sloe_power_job(b->device, job, &load, &taken.power, err));
  taken.noisy = sloe_is_noisy(t);
  if (t->median_ns < SHORT_NS) taken.remark = sloe_remark_short;
  SLOE_TRY(sloe_bench_keep(b, p, &taken, number, err));
  b->measured++;
  return SLOE_OK;
}

static sloe_status take(sloe_bench *b, sloe_bench_point *p, sloe_job *job,
                        const sloe_measure_options *how, size_t number, sloe_error *err) {
  sloe_timing_options options = sloe_network_timing(how);
  sloe_timing t;
  options.retakes = 1; /* of runs that may last seconds each */
  SLOE_TRY(sloe_time_job(b->device, job, &options, &t, err));
  const sloe_status status = take_rest(b, p, job, &t, how->power_s, number, err);
  if (status == SLOE_OK && number == 0) p->is_short = t.median_ns < SHORT_NS;
  sloe_timing_fini(&t);
  return status;
}

sloe_status sloe_bench_whole(sloe_bench *b, size_t point, const sloe_layers *layers,
                             const sloe_measure_options *how, size_t number, sloe_error *err) {
  sloe_bench_point *p = &b->points[point];
  sloe_error why = {0};
  sloe_job *job;
  double idle_w;
  sloe_status status = SLOE_OK;
  if (how->power_s >= 0) /* before anything runs; remembered from then on */
    status = sloe_power_idle(b->device, 0, &idle_w, &why);
  if (status == SLOE_OK) status = sloe_device_load_network(b->device, layers, &job, &why);
  if (status == SLOE_OK) {
    status = take(b, p, job, how, number, &why);
    sloe_job_unload(job);
  }
  if (status == SLOE_OK) return SLOE_OK;
  if (status == SLOE_DEVICE) sloe_bench_fail_point(b, p, &why);
  /* What was measured once stays measured. */
  if (status == SLOE_UNSUPPORTED && number > 0) return SLOE_OK;
  return sloe_bench_not_loaded(b, p, status, &why, err);
}
