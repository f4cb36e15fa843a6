"""python_way.py FILE: what one does without sloe: load, infer shapes, add up the MACs."""
import sys

import onnx
from onnx import shape_inference


def macs_of(graph):
    shapes = {}
    for info in list(graph.value_info) + list(graph.input) + list(graph.output):
        shapes[info.name] = [d.dim_value for d in info.type.tensor_type.shape.dim]
    for tensor in graph.initializer:
        shapes[tensor.name] = list(tensor.dims)
    macs = 0
    for node in graph.node:
        if node.op_type == "Conv":
            n = 1
            for d in shapes[node.output[0]]:
                n *= d
            for d in shapes[node.input[1]][1:]:
                n *= d
            macs += n
        elif node.op_type == "Gemm":
            out = shapes[node.output[0]]
            weight = shapes[node.input[1]]
            trans = any(a.name == "transB" and a.i for a in node.attribute)
            macs += out[0] * out[1] * weight[1 if trans else 0]
    return macs


model = shape_inference.infer_shapes(onnx.load(sys.argv[1]))
print(macs_of(model.graph))
