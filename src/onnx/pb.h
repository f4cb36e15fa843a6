/* pb.h: protobuf bytes being made. Private to onnx/.
 *
 * A message's length stands before it and is known after it: begin() notes the place, end() moves
 * what was written since and puts the length in. Weights are not held in memory: a *hole* stands
 * for bytes that the caller makes while the file is written; lengths count them.
 */
#ifndef SLOE_ONNX_PB_H
#define SLOE_ONNX_PB_H

#include <stddef.h>
#include <stdint.h>

typedef struct sloe_pb_hole {
  size_t at;      /* in data */
  uint64_t bytes; /* that belong there */
  int32_t id;     /* the caller's */
} sloe_pb_hole;

typedef struct sloe_pb {
  uint8_t *data;
  size_t len, cap;
  sloe_pb_hole *holes;
  size_t n_holes, cap_holes;
  uint64_t hole_bytes;
  int failed; /* out of memory: sticks, check at the end */
} sloe_pb;

typedef struct sloe_pb_mark {
  size_t at, n_holes;
  uint64_t hole_bytes;
} sloe_pb_mark;

void sloe_pb_fini(sloe_pb *pb);
void sloe_pb_int(sloe_pb *pb, unsigned field, int64_t value);
void sloe_pb_float(sloe_pb *pb, unsigned field, double value);
void sloe_pb_bytes(sloe_pb *pb, unsigned field, const void *data, size_t len);
void sloe_pb_text(sloe_pb *pb, unsigned field, const char *s);
/* A bytes field whose contents are a hole. */
void sloe_pb_hollow(sloe_pb *pb, unsigned field, uint64_t bytes, int32_t id);
sloe_pb_mark sloe_pb_begin(sloe_pb *pb, unsigned field);
void sloe_pb_end(sloe_pb *pb, sloe_pb_mark mark);

#endif
