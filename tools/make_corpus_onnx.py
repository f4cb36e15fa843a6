#!/usr/bin/python3
"""Write the corpus of the ONNX reader: small models that cover the format, and broken ones.

Usage: tools/make_corpus_onnx.py [FOLDER]     (default tests/fuzz/corpus/fuzz_onnx)
Made with onnx 1.12.0 and protobuf 3.21 (Debian's python3-onnx). What that onnx does not know
(defaults of function attributes, overloads) is added as bytes.
"""
import os
import sys

import numpy as np
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

FLOAT = T.FLOAT


def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    """A length-delimited field, or a varint one."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def info(name, shape=(1, 4, 8, 8), dtype=FLOAT):
    return h.make_tensor_value_info(name, dtype, shape)


def weights(name, *dims, dtype=FLOAT):
    """An initializer without data, as stripped files have."""
    t = T(name=name, data_type=dtype)
    t.dims.extend(dims)
    return t


def ints(name, values, dtype=np.int64):
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def model(nodes, inputs, outputs, inits=(), opset=17, ir=8, functions=(), imports=(), **more):
    graph = h.make_graph(nodes, "g", inputs, outputs, list(inits), **more)
    opsets = [h.make_opsetid("", opset)] + [h.make_opsetid(d, 1) for d in imports]
    return h.make_model(graph, ir_version=ir, opset_imports=opsets, functions=list(functions),
                        producer_name="corpus", producer_version="1")


def conv_chain():
    nodes = [
        h.make_node("Conv", ["x", "w", "b"], ["c"], "conv", kernel_shape=[3, 3],
                    pads=[1, 1, 1, 1], strides=[1, 1], group=1, dilations=[1, 1]),
        h.make_node("BatchNormalization", ["c", "s", "b", "b", "s"], ["n"], "bn", epsilon=1e-5),
        h.make_node("Clip", ["n", "", "six"], ["r"], "relu6"),
        h.make_node("GlobalAveragePool", ["r"], ["p"]),
        h.make_node("Flatten", ["p"], ["f"]),
        h.make_node("Gemm", ["f", "fc", ""], ["y"], "fc", alpha=1.0, transB=1),
    ]
    inits = [weights("w", 4, 4, 3, 3), weights("b", 4), weights("s", 4), weights("fc", 10, 4),
             numpy_helper.from_array(np.array(6, np.float32), "six")]
    return model(nodes, [info("x")], [info("y", (1, 10))], inits)


def dynamic():
    nodes = [
        h.make_node("Shape", ["x"], ["s"]),
        h.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        h.make_node("Unsqueeze", ["n", "axes"], ["n1"]),
        h.make_node("Concat", ["n1", "minus"], ["to"], axis=0),
        h.make_node("Reshape", ["x", "to"], ["y"]),
    ]
    inits = [ints("zero", 0), ints("axes", [0]), ints("minus", [-1])]
    return model(nodes, [info("x", ("batch", 4, 8, 8))], [info("y", ("batch", "rest"))], inits)


def branches():
    """If with outer names, inner names that hide outer ones, and an initializer inside."""
    inner = ints("k", [1, 1, 16, 16])
    yes = h.make_graph([h.make_node("Add", ["x", "x"], ["k2"]),
                        h.make_node("Identity", ["k2"], ["yes"])], "yes", [], [info("yes")])
    no = h.make_graph([h.make_node("Mul", ["h", "h"], ["k2"]),
                       h.make_node("Relu", ["k2"], ["h2"])], "no", [], [info("h2")], [inner])
    nodes = [h.make_node("Relu", ["x"], ["h"], "relu"),
             h.make_node("If", ["cond"], ["y"], "if", then_branch=yes, else_branch=no)]
    return model(nodes, [info("x")], [info("y")], [ints("cond", True, np.bool_)])


def loop():
    body = h.make_graph(
        [h.make_node("Add", ["acc", "x"], ["acc2"]), h.make_node("Identity", ["c"], ["c2"])],
        "body", [info("i", (), T.INT64), info("c", (), T.BOOL), info("acc")],
        [info("c2", (), T.BOOL), info("acc2")])
    nodes = [h.make_node("Loop", ["n", "", "x"], ["y"], "loop", body=body)]
    return model(nodes, [info("x")], [info("y")], [ints("n", 3)])


def scan():
    body = h.make_graph([h.make_node("Add", ["s", "e"], ["s2"]),
                         h.make_node("Identity", ["s2"], ["o"])], "body",
                        [info("s", (8,)), info("e", (8,))], [info("s2", (8,)), info("o", (8,))])
    nodes = [h.make_node("Scan", ["init", "x"], ["last", "all"], body=body, num_scan_inputs=1)]
    return model(nodes, [info("x", (5, 8))], [info("last", (8,)), info("all", (5, 8))],
                 [weights("init", 8)])


def function(name, inputs, outputs, nodes, attributes=(), domain="local"):
    return h.make_function(domain, name, inputs, outputs, nodes, [h.make_opsetid("", 17)],
                           list(attributes))


def referring(node, name, ref, kind):
    a = node.attribute.add()
    a.name, a.ref_attr_name, a.type = name, ref, kind
    return node


def functions():
    leaky = referring(h.make_node("LeakyRelu", ["a"], ["t"]), "alpha", "slope", 1)
    act = function("Act", ["a"], ["t"], [leaky], ["slope"])
    block = function("Block", ["u", "w", "b"], ["v", "u"],
                     [h.make_node("Conv", ["u", "w", "b"], ["c"], "conv", pads=[1, 1, 1, 1]),
                      h.make_node("Act", ["c"], ["v"], "act", domain="local", slope=0.25)])
    nodes = [h.make_node("Block", ["x", "w"], ["h", "same"], "b1", domain="local"),
             h.make_node("Block", ["h", "w"], ["y"], domain="local"),
             h.make_node("Act", ["same"], ["z"], "plain", domain="local")]
    return model(nodes, [info("x")], [info("y"), info("z")], [weights("w", 4, 4, 3, 3)],
                 functions=[act, block], imports=["local"])


def function_defaults():
    """attribute_proto (11) and overload (13; 8 in the node): IR 9 and 10."""
    leaky = referring(h.make_node("LeakyRelu", ["a"], ["t"]), "alpha", "slope", 1)
    act = function("Act", ["a"], ["t"], [leaky]).SerializeToString()
    act += field(11, h.make_attribute("slope", 0.5).SerializeToString()) + field(13, b"v2")
    node = h.make_node("Act", ["x"], ["y"], "act", domain="local")
    node.MergeFromString(field(8, b"v2"))
    return model([node], [info("x")], [info("y")], ir=10,
                 imports=["local"]).SerializeToString() + field(25, act)


def function_with_branch():
    yes = h.make_graph([h.make_node("Add", ["a", "a"], ["r"])], "yes", [], [info("r")])
    no = h.make_graph([h.make_node("Identity", ["a"], ["r"])], "no", [], [info("r")])
    f = function("F", ["a", "c"], ["t"],
                 [h.make_node("If", ["c"], ["t"], then_branch=yes, else_branch=no)])
    return model([h.make_node("F", ["x", "c"], ["y"], "f", domain="local")], [info("x")],
                 [info("y")], [ints("c", False, np.bool_)], functions=[f], imports=["local"])


def sparse():
    values = weights("w", 3)
    sparse_init = h.make_sparse_tensor(values, ints("", [0, 5, 9]), [8, 8])
    value = h.make_sparse_tensor(weights("v", 3), ints("", [0, 5, 9]), [8, 8])
    nodes = [h.make_node("Constant", [], ["k"], sparse_value=value),
             h.make_node("MatMul", ["x", "w"], ["m"]), h.make_node("Add", ["m", "k"], ["y"])]
    return model(nodes, [info("x", (8, 8))], [info("y", (8, 8))], sparse_initializer=[sparse_init])


def external():
    w = weights("w", 4, 4, 1, 1)
    w.data_location = T.EXTERNAL
    w.external_data.add(key="location", value="absent.bin")
    w.external_data.add(key="offset", value="4096")
    return model([h.make_node("Conv", ["x", "w"], ["y"])], [info("x")], [info("y")], [w])


def data_fields():
    """Every data type in its own field and as raw bytes."""
    nodes, inits, outputs = [], [], []
    kinds = [(T.FLOAT, np.float32), (T.DOUBLE, np.float64), (T.INT64, np.int64),
             (T.INT32, np.int32), (T.INT16, np.int16), (T.INT8, np.int8), (T.UINT8, np.uint8),
             (T.UINT16, np.uint16), (T.UINT32, np.uint32), (T.UINT64, np.uint64),
             (T.BOOL, np.bool_), (T.FLOAT16, np.float16)]
    for raw in (False, True):
        for kind, dtype in kinds:
            name = f"t{kind}{'r' if raw else 'f'}"
            values = np.array([0, 1, 2], dtype)
            data = values.tobytes() if raw else values.tolist()
            inits.append(h.make_tensor(name, kind, [3], data, raw=raw))
            nodes.append(h.make_node("Identity", [name], ["o" + name]))
            outputs.append(info("o" + name, (3,), kind))
    inits.append(h.make_tensor("text", T.STRING, [2], [b"a", b"b"]))
    inits.append(h.make_tensor("bf", T.BFLOAT16, [2], [1.0, 2.0]))
    inits.append(h.make_tensor("cx", T.COMPLEX64, [1], [1 + 2j]))
    inits.append(weights("none", 0, dtype=T.INT64))
    return model(nodes, [], outputs, inits)


def constants():
    make = h.make_node
    nodes = [
        make("Constant", [], ["a"], value=ints("", [1, 4, 64])),
        make("Constant", [], ["b"], value_float=1.5),
        make("Constant", [], ["c"], value_floats=[1.0, 2.0]),
        make("Constant", [], ["d"], value_int=7),
        make("Constant", [], ["e"], value_ints=[1, 2]),
        make("Constant", [], ["f"], value_string=b"s"),
        make("Constant", [], ["g"], value_strings=[b"s", b"t"]),
        make("ConstantOfShape", ["a"], ["w"], value=h.make_tensor("", FLOAT, [1], [0.5])),
        make("Reshape", ["x", "a"], ["r"]),
        make("Add", ["r", "w"], ["y"]),
    ]
    return model(nodes, [info("x")], [info("y", (1, 4, 64))])


def inputs():
    """Initializers that are inputs too, a type without a shape, a sequence, an optional."""
    node = h.make_node("Conv", ["x", "w"], ["y"])
    m = model([node], [info("x"), info("w", (4, 4, 1, 1))], [info("y")],
              [weights("w", 4, 4, 1, 1)], ir=3, opset=9)
    odd = [h.make_tensor_sequence_value_info("s", FLOAT, None)]
    return m, model([node], [info("x"), info("w", (4, 4, 1, 1))] + odd, [info("y")])


def unknown():
    nodes = [h.make_node("Foo", ["x"], ["f"], "foo", domain="com.example", s="text", fs=[1.0],
                         tensors=[ints("", [1])], ss=["a", "b"]),
             h.make_node("Relu", ["f"], ["y"])]
    return model(nodes, [info("x")], [info("y", (1, 2, 3, 3))], imports=["com.example"],
                 value_info=[info("f", (1, 2, 3, 3))])


def unsorted():
    return model([h.make_node("Relu", ["h"], ["y"], "last"),
                  h.make_node("Relu", ["x"], ["h"], "first")], [info("x")], [info("y")])


def old():
    """Opset 6: attributes without types, unpacked dims."""
    node = field(1, b"x") + field(2, b"y") + field(4, b"LeakyRelu")
    node += field(5, field(1, b"alpha") + varint(2 << 3 | 5) + b"\0\0\0\x3f")
    graph = field(1, node) + field(11, info("x").SerializeToString())
    graph += field(12, field(1, b"y"))
    return field(1, 1) + field(7, graph)


def nested(depth):
    graph = h.make_graph([h.make_node("Relu", ["x"], ["y0"])], "g0", [], [info("y0")])
    for i in range(1, depth):
        node = h.make_node("If", ["c"], [f"y{i}"], then_branch=graph, else_branch=graph)
        node.attribute[1].g.CopyFrom(
            h.make_graph([h.make_node("Relu", ["x"], ["e"])], "e", [], [info("e")]))
        graph = h.make_graph([node], f"g{i}", [], [info(f"y{i}")])
    return model(graph.node, [info("x")], [info(f"y{depth - 1}")], [ints("c", True, np.bool_)])


def bomb(levels, fan):
    """Each function calls the one below `fan` times."""
    made = [function("F0", ["a"], ["t"], [h.make_node("Relu", ["a"], ["t"])])]
    for i in range(1, levels):
        nodes = [h.make_node(f"F{i - 1}", ["a" if k == 0 else f"t{k}"], [f"t{k + 1}"],
                             domain="local") for k in range(fan)]
        made.append(function(f"F{i}", ["a"], [f"t{fan}"], nodes))
    return model([h.make_node(f"F{levels - 1}", ["x"], ["y"], domain="local")], [info("x")],
                 [info("y")], functions=made, imports=["local"])


def recursion():
    f = function("F", ["a"], ["t"], [h.make_node("G", ["a"], ["t"], domain="local")])
    g = function("G", ["a"], ["t"], [h.make_node("F", ["a"], ["t"], domain="local")])
    return model([h.make_node("F", ["x"], ["y"], "f", domain="local")], [info("x")], [info("y")],
                 functions=[f, g], imports=["local"])


def with_tensor(tensor):
    """A model around the bytes of one TensorProto."""
    m = model([h.make_node("Relu", ["x"], ["y"])], [info("x")], [info("y")])
    m.graph.MergeFromString(field(5, tensor))
    return m


def with_raw_tensor(tensor):
    graph = field(1, h.make_node("Relu", ["x"], ["y"], "relu").SerializeToString())
    graph += field(5, tensor) + field(11, info("x").SerializeToString())
    graph += field(12, info("y").SerializeToString())
    opset = field(8, field(1, b"") + field(2, 17))
    return field(1, 8) + field(7, graph) + opset


def broken():
    named = field(8, b"w")
    relu = h.make_node("Relu", ["x"], ["y"], "relu")
    chain = conv_chain().SerializeToString()
    yield "empty", b""
    yield "text", b"This is not a model.\n"
    yield "zeros", bytes(64)
    for cut in (1, 9, 40, 120, 200, len(chain) - 40, len(chain) - 8):
        yield f"cut-{cut}", chain[:cut]
    yield "negative-dim", with_raw_tensor(named + field(2, 1) + field(1, -3))
    yield "overflowing-dims", with_raw_tensor(named + field(2, 1) + field(1, varint(1 << 31) * 4))
    yield "billion-dims", with_raw_tensor(named + b"\x0a" + varint(10**9) + b"\1\1")
    yield "nine-dims", with_raw_tensor(named + field(2, 1) + field(1, b"\1" * 9))
    yield "raw-too-short", with_raw_tensor(named + field(2, 1) + field(1, 4) + field(9, b"\0" * 8))
    yield "too-many-values", with_raw_tensor(named + field(2, 7) + field(1, 2) + field(7, b"\1" * 3))
    yield "no-data-type", with_raw_tensor(named + field(1, 2))
    yield "data-type-99", with_raw_tensor(named + field(2, 99))
    yield "group", with_raw_tensor(named + b"\x1b\x1c")
    yield "wide-varint", with_raw_tensor(named + b"\x08" + b"\xff" * 10)
    yield "wrong-wire-type", with_raw_tensor(field(8, 5))
    yield "field-zero", with_raw_tensor(b"\0\0")
    yield "two-graphs", chain + chain
    yield "no-opset", field(1, 8) + field(7, relu.SerializeToString()[:0])
    yield "made-twice", model([relu, relu], [info("x")], [info("y")]).SerializeToString()
    yield "never-made", model([h.make_node("Add", ["x", "q"], ["y"], "add")], [info("x")],
                              [info("y")]).SerializeToString()
    yield "cycle", model([h.make_node("Add", ["x", "b"], ["a"], "one"),
                          h.make_node("Relu", ["a"], ["b"], "two")], [info("x")],
                         [info("b")]).SerializeToString()
    yield "depth-40", nested(40).SerializeToString()
    yield "function-bomb", bomb(12, 8).SerializeToString()
    yield "recursion", recursion().SerializeToString()
    yield "opset-99", model([relu], [info("x")], [info("y")], opset=99).SerializeToString()
    yield "ir-40", model([relu], [info("x")], [info("y")], ir=40).SerializeToString()
    bad = h.make_node("LeakyRelu", ["x"], ["y"], "leaky", alpha=1.0)
    bad.attribute[0].type = 2
    yield "attribute-of-another-type", model([bad], [info("x")], [info("y")]).SerializeToString()


def good():
    kinit, odd = inputs()
    yield from [
        ("conv-chain", conv_chain()), ("dynamic", dynamic()), ("if", branches()), ("loop", loop()),
        ("scan", scan()), ("functions", functions()), ("function-defaults", function_defaults()),
        ("function-if", function_with_branch()), ("sparse", sparse()), ("external", external()),
        ("data-fields", data_fields()), ("constants", constants()), ("kinit", kinit),
        ("odd-inputs", odd), ("unknown", unknown()), ("unsorted", unsorted()), ("old", old()),
        ("nested", nested(6)), ("function-tree", bomb(4, 3)),
        ("extra-fields", with_tensor(field(8, b"w") + field(2, 1) + field(1, 2) + field(99, b"x"))),
    ]


def main():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(root, "tests/fuzz/corpus/fuzz_onnx")
    os.makedirs(folder, exist_ok=True)
    for prefix, cases in (("", good()), ("bad-", broken())):
        for name, case in cases:
            data = case if isinstance(case, bytes) else case.SerializeToString()
            with open(os.path.join(folder, f"{prefix}{name}.onnx"), "wb") as out:
                out.write(data)


if __name__ == "__main__":
    main()
