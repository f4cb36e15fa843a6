"""torch_node.py: one ONNX node on its way to a function of tensors, and the table of those that are known.

An operator is a *maker*: it takes a Node and gives a function that computes the node's outputs from its
inputs with PyTorch. All that does not depend on what is fed (attributes, constant inputs, sizes: the samples
are of the sizes that will come) is settled by the maker, so that a run does nothing but call PyTorch.
"""
import torch
from onnx import AttributeProto, numpy_helper

OPS = {}

# float16 too: in which precision all is computed, the agent was told.
DTYPES = {1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64,
          9: torch.bool, 10: torch.float32, 11: torch.float64}


class Unsupported(Exception):
    """This layer or network cannot be run here: it is skipped, for good."""


class Misuse(Exception):
    """A request that makes no sense."""


def op(*names):
    """Registers a maker under the names of its operators."""
    def register(maker):
        for name in names:
            OPS[name] = maker
        return maker
    return register


def dtype_of(number):
    """The type of tensor that ONNX numbers so."""
    if number not in DTYPES:
        raise Unsupported(f"tensors of ONNX's type {number}")
    return DTYPES[number]


def tensor_of(proto):
    """The contents of a TensorProto; of a scalar too."""
    return torch.from_numpy(numpy_helper.to_array(proto).copy()).to(dtype_of(proto.data_type))


def type_of(proto):
    """"Conv", "com.microsoft::Gelu"."""
    return proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}::{proto.op_type}"


def _attr_value(attr):
    if attr.type == AttributeProto.TENSOR:
        return tensor_of(attr.t)
    if attr.type == AttributeProto.STRING:
        return attr.s.decode()
    kinds = {AttributeProto.FLOAT: "f", AttributeProto.INT: "i"}
    lists = {AttributeProto.FLOATS: "floats", AttributeProto.INTS: "ints"}
    if attr.type in kinds:
        return getattr(attr, kinds[attr.type])
    if attr.type in lists:
        return list(getattr(attr, lists[attr.type]))
    return None


class Node:
    """What a maker knows. samples[i]: a tensor as input i will be, None where it is left out; values[i]:
    the contents where they are constant. device and dtype: where and with what it computes; dtype None:
    as the file says. wanted: how many of the outputs anyone reads, the last one that is counted."""

    def __init__(self, proto, opset, samples, values, wanted=1, device="cpu", dtype=None):
        self.type, self.name, self.opset = type_of(proto), proto.name, opset
        self.device, self.dtype = device, dtype
        self.attrs = {a.name: _attr_value(a) for a in proto.attribute}
        self.samples, self.values = samples, values
        self.parts, self.wanted = len(proto.output), wanted
        self.read = [i for i, sample in enumerate(samples) if sample is not None]

    @property
    def x(self):
        """A sample of the first input."""
        return self.samples[0]

    def attr(self, name, default=None):
        """An attribute, or `default`."""
        value = self.attrs.get(name)
        return default if value is None else value

    def has(self, i):
        """Is input `i` given?"""
        return i < len(self.samples) and self.samples[i] is not None

    def reads(self, *inputs):
        """Says which inputs the function takes: all that are given, unless a maker says otherwise."""
        self.read = list(inputs)

    def value(self, i, default=None):
        """The contents of constant input `i`; `default` where it is left out."""
        if not self.has(i):
            return default
        if self.values[i] is None:
            raise self.refusal(f"input {i} depends on what is fed")
        return self.values[i]

    def ints(self, name, i, default=None):
        """Whole numbers of attribute `name` or, in later opsets, of constant input `i`."""
        if self.attrs.get(name) is not None:
            return self.attrs[name]
        value = self.value(i)
        return default if value is None else [int(v) for v in value.reshape(-1).tolist()]

    def axis(self, default, rank=None):
        """Attribute `axis`, from the front."""
        axis = self.attr("axis", default)
        return axis + (rank or self.x.dim()) if axis < 0 else axis

    def refusal(self, why):
        """What to raise where this node is too much."""
        return Unsupported(f"{self.type} {self.name}: {why}".replace("\n", " "))
