"""torch_layer.py: one layer from its spec, "zoo:layer,op=conv,c=64,...": as a model of one to three nodes.

The grammar and its defaults are those of src/net/layer_spec.h; what an op stands for is what `sloe zoo emit`
makes of it (src/zoo/zoo_layer.c), but for what PyTorch has a function of its own.
"""
from onnx import TensorProto, helper

from torch_node import Misuse, Unsupported

KEYS = {
    "conv": "k kernel stride pad dilation groups out act add", "fc": "k act add", "matmul": "k act add",
    "deconv": "k kernel stride pad dilation groups out act add", "maxpool": "kernel stride pad dilation out",
    "avgpool": "kernel stride pad dilation out", "globalpool": "", "batchnorm": "act", "layernorm": "act", "lrn": "",
    "activation": "act", "binary": "with act", "softmax": "", "reduce": "", "resize": "out linear",
    "concat": "parts", "slice": "k", "transpose": "", "copy": "", "reorder": "",
}
PAIRS = ("kernel", "stride", "pad", "dilation", "out")
ACTS = {
    "relu": ("Relu", {}), "clip": ("Clip", {}), "leaky": ("LeakyRelu", {"alpha": 0.01}), "sigmoid": ("Sigmoid", {}),
    "hardsigmoid": ("HardSigmoid", {"alpha": 1 / 6}), "swish": ("sloe::Silu", {}), "hardswish": ("HardSwish", {}),
    "tanh": ("Tanh", {}), "elu": ("Elu", {}), "gelu": ("com.microsoft::Gelu", {}), "erf": ("Erf", {}),
    "exp": ("Exp", {}), "sqrt": ("Sqrt", {}), "other": ("Softplus", {}),
}
WITHS = ("full", "channel", "scalar", "row")
WINDOWS = ("conv", "deconv", "maxpool", "avgpool")
OPSET = 17


def _whole(key, text):
    if not text.isdecimal() or int(text) > 1 << 30:
        raise Misuse(f"layer: {key}: '{text[:40]}' is not a whole number up to 2^30")
    return int(text)


def _value(key, text):
    if key in PAIRS:
        parts = [_whole(key, part) for part in text.split("x", 1)]
        return parts * 2 if len(parts) == 1 else parts
    known = {"op": KEYS, "act": {"none": 0, **ACTS}, "with": WITHS}.get(key)
    if known is None:
        return _whole(key, text)
    if text not in known:
        raise Misuse(f"layer: {key}: '{text[:40]}' is not known")
    return text


def parse(text):
    """The spec as a dict, defaults filled in. Misuse names the key."""
    spec = {}
    for token in text.removeprefix("zoo:layer,").split(","):
        key, equals, value = token.partition("=")
        if not equals:
            raise Misuse(f"layer: '{token[:40]}' is no key=value")
        if key in spec:
            raise Misuse(f"layer: '{key}' stands twice")
        spec[key] = _value(key, value)
    if "op" not in spec:
        raise Misuse("layer: 'op' is missing")
    for key in spec:
        if key not in ("op", "n", "c", "h", "w") and key not in KEYS[spec["op"]].split():
            raise Misuse(f"layer: {spec['op']} takes no '{key[:40]}'")
    return _fill(spec)


def _reach(s, d):
    return s["dilation"][d] * (s["kernel"][d] - 1) + 1


def _fill(given):
    s = {"n": 1, "c": 1, "h": 1, "w": 1, "kernel": [1, 1], "stride": [1, 1], "dilation": [1, 1], "pad": [0, 0],
         "groups": 1, "parts": 1, "act": "none", "add": 0, "with": "full", "linear": 0, **given}
    s.setdefault("k", s["c"])
    sizes = (s["h"], s["w"])
    if s["op"] in WINDOWS and s["op"] != "deconv" and "pad" not in given:
        s["pad"] = [(_reach(s, d) - 1) // 2 for d in range(2)]
    if min(s["n"], s["c"], s["h"], s["w"], s["k"], s["groups"], s["parts"], *s["kernel"], *s["stride"]) < 1:
        raise Misuse("layer: a size of 0")
    if "out" not in s:
        s["out"] = [_default_out(s, d, sizes[d]) for d in range(2)]
    if s["c"] % s["groups"] or s["k"] % s["groups"]:
        raise Misuse(f"layer: groups: {s['groups']} do not divide c={s['c']} and k={s['k']}")
    return s


def _default_out(s, d, size):
    if s["op"] == "globalpool":
        return 1
    if s["op"] == "deconv":
        return s["stride"][d] * (size - 1) + _reach(s, d) - 2 * s["pad"][d]
    if s["op"] in WINDOWS:
        return (size + 2 * s["pad"][d] - _reach(s, d)) // s["stride"][d] + 1
    return size


class _Model:
    """Nodes, inputs and weights on their way into a model."""

    def __init__(self):
        self.nodes, self.inputs, self.constants, self.count = [], [], [], 0

    def _name(self):
        self.count += 1
        return f"t{self.count}"

    def input(self, *dims):
        name = self._name()
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
        return name

    def weight(self, *dims):
        """Without contents: random."""
        name = self._name()
        self.constants.append(TensorProto(name=name, data_type=TensorProto.FLOAT, dims=dims))
        return name

    def ints(self, *values):
        return self._constant(TensorProto.INT64, [len(values)], values)

    def number(self, value):
        return self._constant(TensorProto.FLOAT, [], [value])

    def _constant(self, dtype, dims, values):
        name = self._name()
        self.constants.append(helper.make_tensor(name, dtype, dims, values))
        return name

    def node(self, kind, inputs, **attrs):
        domain, _, kind = kind.rpartition("::")
        name = self._name()
        self.nodes.append(helper.make_node(kind, inputs, [name], name=kind, domain=domain, **attrs))
        return name

    def act(self, t, act):
        if act == "none":
            return t
        kind, attrs = ACTS[act]
        return self.node(kind, [t, self.number(0.0), self.number(6.0)] if act == "clip" else [t], **attrs)

    def finish(self, t):
        output = helper.make_tensor_value_info(t, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "layer", self.inputs, [output], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])


def _window(s):
    """Attributes of a window: rows behind follow from the output's size."""
    pads, more = list(s["pad"]) + [0, 0], [0, 0]
    for d, size in enumerate((s["h"], s["w"])):
        if s["op"] == "deconv":
            end = (size - 1) * s["stride"][d] + _reach(s, d) - s["pad"][d] - s["out"][d]
            more[d] = max(-end, 0)
        else:
            end = (s["out"][d] - 1) * s["stride"][d] + _reach(s, d) - size - s["pad"][d]
        pads[2 + d] = max(end, 0)
    attrs = {"kernel_shape": s["kernel"], "strides": s["stride"], "dilations": s["dilation"], "pads": pads}
    return {**attrs, "output_padding": more} if s["op"] == "deconv" else attrs


def _conv(m, s):
    wide, narrow = (s["c"], s["k"]) if s["op"] == "deconv" else (s["k"], s["c"])
    weight = m.weight(wide, narrow // s["groups"], *s["kernel"])
    kind = "ConvTranspose" if s["op"] == "deconv" else "Conv"
    return m.node(kind, [_image(m, s), weight, m.weight(s["k"])], group=s["groups"], **_window(s))


def _image(m, s):
    return m.input(s["n"], s["c"], s["h"], s["w"])


def _pool(m, s):
    return m.node({"maxpool": "MaxPool", "avgpool": "AveragePool"}[s["op"]], [_image(m, s)], **_window(s))


def _fc(m, s):
    return m.node("Gemm", [m.input(s["n"], s["c"]), m.weight(s["k"], s["c"]), m.weight(s["k"])], transB=1)


def _matmul(m, s):
    right = m.node("Identity", [m.input(s["n"], s["c"], s["k"])])
    return m.node("MatMul", [m.input(s["n"], s["h"], s["c"]), right])


def _batchnorm(m, s):
    return m.node("BatchNormalization", [_image(m, s)] + [m.weight(s["c"]) for _ in range(4)])


def _layernorm(m, s):
    if s["h"] * s["w"] > 1:
        return m.node("LpNormalization", [_image(m, s)], axis=1)
    return m.node("LayerNormalization", [m.input(s["n"], s["c"]), m.weight(s["c"]), m.weight(s["c"])], axis=-1)


def _binary(m, s):
    second = {"full": (s["n"], s["c"], s["h"], s["w"]), "channel": (s["n"], s["c"], 1, 1), "row": (s["w"],),
              "scalar": (1,)}[s["with"]]
    return m.node("Add", [_image(m, s), m.input(*second)])


def _resize(m, s):
    sizes = m.ints(s["n"], s["c"], *s["out"])
    return m.node("Resize", [_image(m, s), "", "", sizes], mode="linear" if s["linear"] else "nearest")


def _concat(m, s):
    more, each = s["c"] % s["parts"], s["c"] // s["parts"]
    parts = [m.input(s["n"], each + (i < more), s["h"], s["w"]) for i in range(s["parts"])]
    return m.node("Concat", parts, axis=1)


def _slice(m, s):
    return m.node("Slice", [_image(m, s), m.ints(0), m.ints(s["k"]), m.ints(1)])


def _transpose(m, s):
    return m.node("Transpose", [m.input(s["n"], s["h"], s["w"], s["c"])], perm=[0, 3, 1, 2])


def _simple(kind, **attrs):
    return lambda m, s: m.node(kind, [_image(m, s)], **attrs)


BUILDERS = {
    "conv": _conv, "deconv": _conv, "fc": _fc, "matmul": _matmul, "maxpool": _pool, "avgpool": _pool,
    "globalpool": _simple("GlobalAveragePool"), "batchnorm": _batchnorm, "layernorm": _layernorm,
    "lrn": _simple("LRN", size=5), "activation": lambda m, s: m.act(_image(m, s), s["act"]), "binary": _binary,
    "softmax": _simple("Softmax", axis=1), "reduce": _simple("ReduceMean", axes=[1]), "resize": _resize,
    "concat": _concat, "slice": _slice, "transpose": _transpose,
    "copy": lambda m, s: m.node("Pad", [_image(m, s), m.ints(*[0] * 8)]), "reorder": _simple("sloe::Reorder"),
}


def _residual(m, s):
    shape = {"fc": (s["n"], s["k"]), "matmul": (s["n"], s["h"], s["k"])}
    return m.input(*shape.get(s["op"], (s["n"], s["k"], *s["out"])))


def model_of(text):
    """The model of the layer that `text` names."""
    s, m = parse(text), _Model()
    if s["op"] == "activation" and s["act"] == "none":
        raise Misuse("layer: act: an activation needs one")
    if s["op"] == "concat" and s["parts"] > 4096:
        raise Unsupported(f"layer: parts: {s['parts']}, at most 4096")
    t = BUILDERS[s["op"]](m, s)
    if s["add"]:
        t = m.node("Add", [t, _residual(m, s)])
    return m.finish(t if s["op"] == "activation" else m.act(t, s["act"]))
