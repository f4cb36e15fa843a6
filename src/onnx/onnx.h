/* onnx.h: ONNX bytes -> net. The other direction, net -> ONNX, is sloe_net_write_onnx() of sloe.h.
 *
 * The reader walks the protobuf once and touches no weights: of a tensor it keeps name, type and
 * dims, and the contents only where shape arithmetic may need them (integers and booleans up to
 * SLOE_VALUE_MAX elements, floats and bytes up to 64). External data is never opened. value_info
 * is skipped: shapes are inferred.
 *
 * Local functions are inlined: the nodes of a call are named "<call>/<node>". Subgraphs see the
 * names of the graphs around them.
 *
 * What a truncated file gives: every prefix of a model is refused with the offset and, where one
 * was begun, the node, except a prefix that ends between two fields of the outermost message after
 * the graph and the opset import: that is a valid model by itself (protobuf has no end mark).
 *
 * The net is not finished: the caller runs sloe_net_finish().
 */
#ifndef SLOE_ONNX_ONNX_H
#define SLOE_ONNX_ONNX_H

#include "net/net.h"

/* `limit`: bytes the net may claim; 0: 1 GiB. Errors: NOTFOUND, IO, FORMAT and UNSUPPORTED (both
   with the offset), NOMEM. Messages do not name the path. A pipe is read whole first. */
sloe_status sloe_onnx_read_file(const char *path, size_t limit, sloe_net **out, sloe_error *err);
sloe_status sloe_onnx_read_memory(const void *buf, size_t len, size_t limit, sloe_net **out,
                                  sloe_error *err);

/* What sloe_net_write_onnx writes without weights, in memory; *data is freed with sloe_dealloc. */
sloe_status sloe_onnx_write_memory(const sloe_net *net, unsigned char **data, size_t *len,
                                   sloe_error *err);

/* For tests: memory read as a file is, through windows of `window` bytes (1..65536). */
sloe_status sloe_onnx_read_windowed(const void *buf, size_t len, size_t window, size_t limit,
                                    sloe_net **out, sloe_error *err);

#endif
