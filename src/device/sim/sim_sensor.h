/* sim_sensor.h: a sensor of power on a clock that passes as fast as runs are told. Private to sim/.
 *
 *   power=W             under load; without it there is no sensor
 *   idle=W              at rest: half of it
 *   refresh_ms=20       how often reading and counter are taken anew
 *   ripple=0.01         readings are by so much above and below what is drawn, in turns
 *   counter=1           of energy; 0: none
 *   sensor_lie=0        1 negative, 2 absurd, 3 the counter runs backwards, 4 the clock stands, 5
 * it falls silent, 6 shows 0 W and counts nothing sensor_lie_after=0  readings
 */
#ifndef SLOE_DEVICE_SIM_SENSOR_H
#define SLOE_DEVICE_SIM_SENSOR_H

#include "device/device.h"

#define SLOE_SIM_SENSOR_KEYS \
  "power", "idle", "refresh_ms", "ripple", "counter", "sensor_lie", "sensor_lie_after"

typedef struct sim_sensor {
  double watts, idle_w, ripple; /* watts NAN: no sensor */
  double refresh_ns, now_ns;
  double mj;                /* drawn until now */
  double shown_w, shown_mj; /* at the last refresh */
  int64_t counter, lie, lie_after, n_readings;
} sim_sensor;

sloe_status sloe_sim_sensor_open(const sloe_backend_options *options, sim_sensor *out,
                                 sloe_error *err);
/* `ns` pass under load, or at rest. */
void sloe_sim_sensor_pass(sim_sensor *s, double ns, int loaded);
void sloe_sim_sensor_read(sim_sensor *s, sloe_device_sensor *out);

#endif
