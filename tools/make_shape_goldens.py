#!/usr/bin/python3
"""Write tests/data/shape/goldens_<family>.test: random nodes and the shapes that ONNX's own
inference gives them. Debian's python3-onnx is an implementation independent of ours; its version
stands in every file. The seed is fixed, so that a second run writes the same bytes.

    tools/make_shape_goldens.py [FOLDER]

Left out: what ONNX leaves unknown or refuses, and where version 1.12 is known to be wrong:
- pools with ceil_mode whose last window would lie wholly in the padding (ONNX counts it; later
  versions and the runtimes do not), and ceil_mode together with auto_pad;
- ConvTranspose with auto_pad=SAME_* where the kernel is smaller than the stride or output_padding
  is given (ONNX's result is not input x stride, as the operator's text wants), and output_shape
  smaller than the input (ONNX drops the axes from there on).
"""
import os
import random
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "f64": TensorProto.DOUBLE,
         "i64": TensorProto.INT64, "i32": TensorProto.INT32, "u8": TensorProto.UINT8,
         "i8": TensorProto.INT8, "bool": TensorProto.BOOL}
NAMES = {v: k for k, v in TYPES.items()}
NUMPY = {"f32": np.float32, "i64": np.int64, "i32": np.int32}
rng = random.Random(20240601)


# ---- a node: operator, inputs, attributes, number of outputs, opset ----

def tensor(*shape, t="f32"):
    return (t, list(shape), None)


def const(values, t="i64", shape=None):
    return (t, [len(values)] if shape is None else shape, values)


def node(op, inputs, outputs=1, opset=17, **attrs):
    return (op, inputs, outputs, opset, {k: v for k, v in attrs.items() if v is not None})


def dims(low, high, n):
    return [rng.randint(low, high) for _ in range(n)]


def some(value, chance=0.5):
    """The value or None: an attribute that is there or not."""
    return value if rng.random() < chance else None


def pick(*choices):
    return rng.choice(choices)


def axes_of(rank, n):
    return [a - rank if rng.random() < 0.4 else a for a in rng.sample(range(rank), n)]


# ---- generators, one a family ----

def window(n, kernel, dilated=True):
    """strides, dilations and either pads or auto_pad."""
    w = {"strides": some(dims(1, 3, n), 0.7)}
    w["dilations"] = some(dims(1, 2, n), 0.3) if dilated else None
    if rng.random() < 0.3:
        w["auto_pad"] = pick("SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET")
    else:
        w["pads"] = some([rng.randint(0, k - 1) for k in kernel * 2])
    return w


def conv():
    n = pick(1, 2, 2, 2, 3)
    kernel, group = dims(1, 5, n), pick(1, 1, 2, 4)
    c, m = group * rng.randint(1, 4), group * rng.randint(1, 4)
    x, w = tensor(rng.randint(1, 3), c, *dims(10, 30, n)), tensor(m, c // group, *kernel)
    bias = [tensor(m)] if rng.random() < 0.5 else []
    return node("Conv", [x, w] + bias, opset=pick(1, 11, 17), group=group if group > 1 else None,
                kernel_shape=some(kernel), **window(n, kernel))


def quantized_conv():
    kernel, c, m = dims(1, 4, 2), rng.randint(1, 8), rng.randint(1, 8)
    x, w = tensor(1, c, *dims(8, 20, 2), t="u8"), tensor(m, c, *kernel, t=pick("u8", "i8"))
    if rng.random() < 0.5:
        return node("ConvInteger", [x, w], **window(2, kernel))
    scale = tensor()
    zeros = [tensor(t=t) for t in ("u8", w[0], pick("u8", "i8"))]
    return node("QLinearConv", [x, scale, zeros[0], w, scale, zeros[1], scale, zeros[2]],
                **window(2, kernel))


def conv_transpose():
    n = pick(1, 2, 2, 3)
    kernel, group = dims(1, 5, n), pick(1, 1, 2)
    c, m = group * rng.randint(1, 4), rng.randint(1, 4)
    x, w = tensor(1, c, *dims(4, 20, n)), tensor(c, m, *kernel)
    win = window(n, kernel)
    win["output_padding"] = some([rng.randint(0, s - 1) for s in win["strides"] or [1] * n], 0.3)
    if str(win.get("auto_pad")).startswith("SAME"):
        win["strides"] = [rng.randint(1, k) for k in kernel]
        win["output_padding"] = None
    elif rng.random() < 0.2:
        win["output_shape"] = dims(20, 40, n)
    return node("ConvTranspose", [x, w], group=group if group > 1 else None,
                kernel_shape=some(kernel), opset=pick(1, 11, 17), **win)


def last_window_in_padding(size, kernel, stride, dilation, begin, end):
    room = size + begin + end - (dilation * (kernel - 1) + 1)
    return -(-room // stride) * stride >= size + begin


def pool():
    op, n = pick("MaxPool", "AveragePool", "LpPool"), pick(1, 2, 2, 3)
    kernel, size = dims(1, 4, n), dims(8, 30, n)
    win = window(n, kernel, dilated=op == "MaxPool")
    ceil = op != "LpPool" and rng.random() < 0.4 and win.get("auto_pad", "NOTSET") == "NOTSET"
    strides, dilations = win["strides"] or [1] * n, win["dilations"] or [1] * n
    pads = win.get("pads") or [0] * (2 * n)
    if ceil and any(last_window_in_padding(*a) for a in
                    zip(size, kernel, strides, dilations, pads[:n], pads[n:])):
        return None
    outputs = 2 if op == "MaxPool" and rng.random() < 0.3 else 1
    return node(op, [tensor(rng.randint(1, 2), rng.randint(1, 8), *size)], outputs,
                kernel_shape=kernel, ceil_mode=1 if ceil else None, opset=pick(11, 12, 17), **win)


def other_pool():
    x = tensor(rng.randint(1, 2), rng.randint(1, 8), *dims(3, 20, 2))
    choice = rng.randint(0, 3)
    if choice == 0:
        return node(pick("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), [x])
    if choice == 1:
        return node("MaxRoiPool", [x, tensor(rng.randint(1, 50), 5)], pooled_shape=dims(1, 9, 2))
    rois = rng.randint(1, 50)
    return node("RoiAlign", [x, tensor(rois, 4), tensor(rois, t="i64")],
                output_height=some(rng.randint(1, 9)), output_width=some(rng.randint(1, 9)))


def gemm():
    m, k, n = dims(1, 40, 3)
    ta, tb = some(1, 0.4), some(1, 0.4)
    a, b = tensor(*((k, m) if ta else (m, k))), tensor(*((n, k) if tb else (k, n)))
    c = pick([], [tensor(n)], [tensor(m, n)], [tensor(1, n)], [tensor(m, 1)], [tensor()])
    return node("Gemm", [a, b] + c, transA=ta, transB=tb, opset=pick(11, 13))


def broadcast_pair(rank):
    full = dims(1, 6, rank)
    one = [1 if rng.random() < 0.3 else d for d in full]
    two = [1 if o > 1 and rng.random() < 0.3 else d for o, d in zip(one, full)]
    return one, two[rng.randint(0, rank):]


def matmul():
    m, k, n = dims(1, 20, 3)
    batch_a, batch_b = broadcast_pair(rng.randint(0, 3))
    a, b = batch_a + [m, k], batch_b + [k, n]
    if rng.random() < 0.15:
        a = [k]
    if rng.random() < 0.15:
        b = [k]
    if rng.random() < 0.2:
        return node("MatMulInteger", [tensor(*a, t="u8"), tensor(*b, t="i8")])
    return node("MatMul", [tensor(*a), tensor(*b)])


def einsum():
    letters = rng.sample("abcdefgh", 4)
    size = {c: rng.randint(1, 7) for c in letters}
    terms = ["".join(rng.sample(letters, rng.randint(1, 4))) for _ in range(rng.randint(1, 3))]
    used = sorted(set("".join(terms)))
    inputs = [tensor(*(size[c] for c in term)) for term in terms]
    out = "".join(rng.sample(used, rng.randint(0, len(used))))
    arrow = "->" + out if rng.random() < 0.7 else ""
    return node("Einsum", inputs, equation=",".join(terms) + arrow)


def elementwise():
    one, two = broadcast_pair(rng.randint(1, 4))
    op = pick("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Less", "Equal", "Where")
    if op == "Where":
        return node(op, [tensor(*one, t="bool"), tensor(*two, t="i64"), tensor(*one, t="i64")])
    return node(op, [tensor(*one), tensor(*two)])


def reduction():
    rank = rng.randint(1, 5)
    x, axes = tensor(*dims(1, 9, rank)), axes_of(rank, rng.randint(1, rank))
    keep = some(rng.randint(0, 1))
    if rng.random() < 0.2:
        return node(pick("ArgMax", "ArgMin"), [x], axis=axes[0], keepdims=keep)
    if rng.random() < 0.3:
        return node("ReduceSum", [x] + ([const(axes)] if rng.random() < 0.8 else []), keepdims=keep,
                    noop_with_empty_axes=some(1, 0.3))
    return node(pick("ReduceMean", "ReduceMax", "ReduceProd", "ReduceL2"), [x], keepdims=keep,
                axes=some(axes, 0.8), opset=pick(11, 13, 17))


def resize():
    x = tensor(1, rng.randint(1, 8), *dims(4, 30, 2))
    scales = const([1.0, 1.0] + [pick(0.5, 0.75, 1.25, 2.0, 2.5, 3.0) for _ in range(2)], "f32")
    opset = pick(10, 11, 13)
    if opset == 10:
        return node("Resize", [x, scales], opset=opset)
    empty = const([], "f32")
    if rng.random() < 0.5:
        return node("Resize", [x, empty, scales], opset=opset)
    return node("Resize", [x, empty, empty, const(x[1][:2] + dims(1, 60, 2))], opset=opset)


def normalization():
    c = rng.randint(1, 9)
    x = tensor(rng.randint(1, 3), c, *dims(1, 9, rng.randint(1, 3)))
    op = pick("BatchNormalization", "LayerNormalization", "InstanceNormalization", "LRN")
    if op == "BatchNormalization":
        return node(op, [x] + [tensor(c)] * 4, opset=pick(9, 14))
    if op == "LayerNormalization":
        axis = rng.randint(1, len(x[1]) - 1)
        return node(op, [x, tensor(*x[1][axis:])], 3, axis=pick(axis, axis - len(x[1])))
    if op == "LRN":
        return node(op, [x], size=5)
    return node(op, [x, tensor(c), tensor(c)])


def recurrent():
    op = pick("LSTM", "GRU", "RNN")
    steps, batch, inputs, hidden = dims(1, 12, 4)
    gates, d = {"LSTM": 4, "GRU": 3, "RNN": 1}[op], pick(1, 2)
    layout = some(1, 0.4)
    x = tensor(batch, steps, inputs) if layout else tensor(steps, batch, inputs)
    return node(op, [x, tensor(d, gates * hidden, inputs), tensor(d, gates * hidden, hidden)],
                3 if op == "LSTM" else 2, hidden_size=hidden, layout=layout,
                direction="bidirectional" if d == 2 else None)


def slicing():
    rank = rng.randint(1, 4)
    x, n = tensor(*dims(2, 12, rank)), rng.randint(1, rank)
    axes, ends = axes_of(rank, n), dims(-14, 14, n)
    starts, steps = dims(-14, 14, n), [pick(1, 1, 2, 3, -1, -2) for _ in range(n)]
    if rng.random() < 0.3:
        return node("Slice", [x], starts=starts, ends=ends, axes=axes, opset=9)
    return node("Slice", [x, const(starts), const(ends), const(axes)] +
                ([const(steps)] if rng.random() < 0.7 else []), opset=pick(10, 11, 13))


def padding():
    rank = rng.randint(1, 4)
    x, pads = tensor(*dims(3, 9, rank)), dims(0, 4, 2 * rank)
    if rng.random() < 0.4:
        return node("Pad", [x], pads=pads, mode=some("reflect"), opset=2)
    return node("Pad", [x, const(pads)], opset=pick(11, 13))


def joining():
    rank = rng.randint(1, 4)
    shape, axis = dims(1, 9, rank), rng.randint(0, rank - 1)
    signed = pick(axis, axis - rank)
    if rng.random() < 0.5:
        parts = [shape[:axis] + [size] + shape[axis + 1:] for size in dims(1, 9, rng.randint(1, 4))]
        return node("Concat", [tensor(*p) for p in parts], axis=signed)
    parts = dims(1, 5, rng.randint(1, 4))
    shape[axis] = sum(parts)
    if rng.random() < 0.5:
        return node("Split", [tensor(*shape)], len(parts), axis=signed, split=parts, opset=11)
    return node("Split", [tensor(*shape), const(parts)], len(parts), axis=signed, opset=13)


def moving():
    rank = rng.randint(1, 4)
    x, axis = tensor(*dims(1, 8, rank)), rng.randint(-rank, rank - 1)
    index = tensor(*dims(1, 5, rng.randint(0, 2)), t="i64")
    block = pick(2, 3)
    deep, wide = [1, 2 * block * block] + dims(2, 5, 2), [1, 3] + [block * d for d in dims(2, 5, 2)]
    return pick(
        lambda: node("Transpose", [x], perm=some(rng.sample(range(rank), rank), 0.7)),
        lambda: node("Gather", [x, index], axis=axis),
        lambda: node("Tile", [x, const(dims(1, 4, rank))]),
        lambda: node("DepthToSpace", [tensor(*deep)], blocksize=block),
        lambda: node("SpaceToDepth", [tensor(*wide)], blocksize=block),
        lambda: node("TopK", [x, const([rng.randint(1, x[1][axis])])], 2, axis=axis),
        lambda: node("Expand", [tensor(*broadcast_pair(3)[0]), const([4, 1, 1, 1])]),
        lambda: node("GatherElements", [x, tensor(*dims(1, 5, rank), t="i64")], axis=axis))()


def viewing():
    rank = rng.randint(1, 4)
    shape, axis = dims(1, 6, rank), rng.randint(0, rank)
    count = int(np.prod(shape))
    divisor = pick(*[d for d in range(1, count + 1) if count % d == 0])
    ones = [i for i, d in enumerate(shape) if d == 1]
    new = sorted(rng.sample(range(rank + 2), 2))
    target = pick([divisor, -1], [-1], [count // divisor, divisor, 1], [0, -1])
    return pick(
        lambda: node("Reshape", [tensor(*shape), const(target)]),
        lambda: node("Flatten", [tensor(*shape)], axis=axis),
        lambda: node("Squeeze", [tensor(*shape)] + ([const(ones)] if ones else [])),
        lambda: node("Squeeze", [tensor(*shape)], axes=ones or None, opset=11),
        lambda: node("Unsqueeze", [tensor(*shape), const(new)]),
        lambda: node("Unsqueeze", [tensor(*shape)], axes=new, opset=11),
        lambda: node("Shape", [tensor(*shape)], start=some(axis), opset=15),
        lambda: node("ConstantOfShape", [const(shape)]))()


FAMILIES = {"conv": (conv, 60), "quantized_conv": (quantized_conv, 12),
            "conv_transpose": (conv_transpose, 40), "pool": (pool, 60),
            "other_pool": (other_pool, 12), "gemm": (gemm, 20), "matmul": (matmul, 30),
            "einsum": (einsum, 25),
            "elementwise": (elementwise, 25), "reduce": (reduction, 40), "resize": (resize, 20),
            "norm": (normalization, 16), "rnn": (recurrent, 12), "slice": (slicing, 50),
            "pad": (padding, 15), "join": (joining, 25), "move": (moving, 50),
            "view": (viewing, 50)}


# ---- ONNX's answer ----

def infer(case):
    """[(type, shape)] of the outputs, or None where ONNX refuses or leaves something open."""
    op, inputs, n_out, opset, attrs = case
    feeds, constants, names = [], [], []
    for i, (t, shape, values) in enumerate(inputs):
        names.append("in%d" % i)
        if values is None:
            feeds.append(helper.make_tensor_value_info(names[-1], TYPES[t], shape))
        else:
            array = np.array(values, NUMPY[t]).reshape(shape)
            constants.append(numpy_helper.from_array(array, names[-1]))
    outs = ["out%d" % i for i in range(n_out)]
    graph = helper.make_graph([helper.make_node(op, names, outs, **attrs)], "g", feeds,
                              [onnx.ValueInfoProto(name=o) for o in outs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except Exception:
        return None
    answer = []
    for out in inferred.graph.output:
        t = out.type.tensor_type
        if t.elem_type not in NAMES or not t.HasField("shape"):
            return None
        if any(not d.HasField("dim_value") or d.dim_value < 1 for d in t.shape.dim):
            return None
        answer.append((NAMES[t.elem_type], [d.dim_value for d in t.shape.dim], None))
    return answer


# ---- writing ----

def write_tensor(t):
    kind, shape, values = t
    text = "x".join(map(str, shape))
    if kind != "f32" or values is not None or not shape:
        text = "%s[%s]" % (kind, text)
    return text if values is None else "%s={%s}" % (text, ",".join(map(str, values)))


def write_attr(key, value):
    text = "[%s]" % ",".join(map(str, value)) if isinstance(value, list) else value
    return "%s=%s" % (key, text)


def write_case(case, answer):
    op, inputs, _, opset, attrs = case
    words = [op] + (["opset=%d" % opset] if opset != 17 else [])
    words += [write_attr(k, attrs[k]) for k in sorted(attrs)]
    return "%s\n%s\n%s\n" % (" ".join(words), " ".join(map(write_tensor, inputs)),
                             " ".join(map(write_tensor, answer)))


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    default = os.path.join(here, "..", "tests", "data", "shape")
    folder = sys.argv[1] if len(sys.argv) > 1 else default
    for family, (generate, wanted) in FAMILIES.items():
        cases, tries = [], 0
        while len(cases) < wanted and tries < 20 * wanted:
            tries += 1
            case = generate()
            answer = infer(case) if case else None
            text = write_case(case, answer) if answer else None
            if text and text not in cases:
                cases.append(text)
        with open(os.path.join(folder, "goldens_%s.test" % family), "w") as f:
            f.write("# Made by tools/make_shape_goldens.py with the shape inference of onnx %s.\n\n"
                    % onnx.__version__)
            f.write("\n".join(cases))
        print("%s: %d cases of %d tries" % (family, len(cases), tries))


if __name__ == "__main__":
    main()
