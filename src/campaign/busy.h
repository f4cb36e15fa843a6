/* busy.h: how busy others on the host kept memory beside what was measured. Private to campaign/.
 *
 * A backend times a fixed move of memory beside each take (device.h, move_ns). Where neighbours
 * share a cache or the way to memory it takes longer, and so do layers and networks, each in its
 * own way (docs/notes/accuracy.md).
 */
#ifndef SLOE_CAMPAIGN_BUSY_H
#define SLOE_CAMPAIGN_BUSY_H

#include <stddef.h>

/* What a move takes on a quiet machine: the quietest tenth of `n` takes or less; NAN of none. Sorts
   them. */
double sloe_quiet_move_ms(double *move_ms, size_t n);

/* ln(move / quiet); 0 where either is not known. */
double sloe_busy(double move_ms, double quiet_ms);

/* The power of a move's time, 0 to 1, by which times grow: least squares of off[n], which is
   ln(measured / told), over busy[n]. 0 where all were equally busy. */
double sloe_busy_power(const double *busy, const double *off, size_t n);

#endif
