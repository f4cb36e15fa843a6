"""torch_graph.py: an ONNX graph as a list of calls of PyTorch.

The nodes are walked once, in order. What does not depend on what is fed is computed there and then (sloe
folds the same nodes); every other node becomes a Step and is run, so that those behind it know their sizes.
So the steps are as many as sloe's layers without fusion, in the same order, views included.
"""
import math

import onnx
import torch

import torch_ops_move
import torch_ops_pointwise  # noqa: F401 (fills the table)
import torch_ops_rows  # noqa: F401
import torch_ops_window  # noqa: F401
from torch_node import OPS, Node, Unsupported, dtype_of, tensor_of, type_of

NONE = 0  # the slot of inputs that are left out

# Which inputs are weights by their place: a graph input that is nothing else is one (sloe_node_takes_weight).
WEIGHT_FROM = {"Conv": 1, "ConvTranspose": 1, "Gemm": 1, "BatchNormalization": 1, "InstanceNormalization": 1,
               "LayerNormalization": 1, "GroupNormalization": 1, "PRelu": 1}
POSITIVE = {"BatchNormalization": (1, 4), "InstanceNormalization": (1,), "LayerNormalization": (1,),
            "GroupNormalization": (1,)}
AFRESH = {"If", "Loop", "Scan", "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
          "Multinomial", "Bernoulli"}


class Step:
    """One call: slots in, slots out; `free`: slots that nobody reads any more."""

    def __init__(self, fn, args, outs, is_many, is_view, name):
        self.fn, self.args, self.outs, self.is_many = fn, args, outs, is_many
        self.is_view, self.name, self.free = is_view, name, ()


class Graph:
    """A graph ready to run. slots[i] holds a constant, an input, or what a step made."""

    def __init__(self):
        self.slots, self.steps, self.inputs, self.outputs = [None], [], [], {}
        self.weight_bytes = self.live_bytes = 0

    def run(self):
        """One inference; gives what it ends with."""
        slots = self.slots.copy()
        for step in self.steps:
            self.call(step, slots)
        return [slots[i] for i in self.outputs.values()]

    @staticmethod
    def call(step, slots):
        """Runs one step."""
        made = step.fn(*[slots[i] for i in step.args])
        if step.is_many:
            for slot, tensor in zip(step.outs, made):
                slots[slot] = tensor
        else:
            slots[step.outs[0]] = made
        for slot in step.free:
            slots[slot] = None


def sorted_nodes(graph, known):
    """The nodes as they can run: file order, but for those that stand before what they read."""
    known, waiting = set(known) | {""}, list(graph.node)
    while waiting:
        later, moved = [], False
        for node in waiting:
            if all(name in known for name in node.input):
                known.update(node.output)
                moved = True
                yield node
            else:
                later.append(node)
        if not moved:
            lost = [name for name in waiting[0].input if name not in known]
            raise Unsupported(f"{waiting[0].op_type} {waiting[0].name}: nothing makes {lost[0]}")
        waiting = later


def read_model(data):
    """The model of some bytes."""
    try:
        return onnx.load_model_from_string(data)
    except Exception as error:  # of protobuf: google.protobuf.message.DecodeError
        raise ValueError(f"no ONNX: {error}") from error


class Builder:
    """Makes a Graph of a model, for a device and a precision. feed: what to feed inputs, random where it does
    not say."""

    def __init__(self, model, device, dtype, feed=None):
        self.graph, self.device, self.dtype = model.graph, device, dtype
        self.opset = max([o.version for o in model.opset_import if o.domain in ("", "ai.onnx")] or [1])
        self.feed = feed or {}
        self.constants, self.slot, self.out = {}, {}, Graph()
        self.bytes, self.readers = {}, {}
        for node in self.graph.node:
            for i, name in enumerate(node.input):
                self.readers.setdefault(name, []).append((type_of(node), i))
        self.left = {name: len(readers) for name, readers in self.readers.items()}
        self.left.update({info.name: -1 for info in self.graph.output})

    # ---- what is given ----

    def _positive(self):
        """Scales and variances, through identities."""
        behind = {n.output[0]: n.input[0] for n in self.graph.node if n.op_type == "Identity"}
        found = set()
        for node in self.graph.node:
            for i in POSITIVE.get(node.op_type, ()):
                name = node.input[i] if i < len(node.input) else ""
                while name in behind:
                    name = behind[name]
                found.add(name)
        return found

    @staticmethod
    def _random(dims, dtype, positive):
        """Around 1, by He's rule or small, as sloe writes random weights."""
        if not dtype.is_floating_point:
            return torch.zeros(dims, dtype=dtype)
        fan_in = math.prod(dims[1:]) if len(dims) > 1 else 1
        spread = 0.1 if positive else math.sqrt(2 / max(fan_in, 1)) if len(dims) > 1 else 0.05
        return torch.randn(dims, dtype=torch.float32).mul_(spread).add_(1.0 if positive else 0.0).to(dtype)

    def _take_initializers(self):
        positive = self._positive()
        for proto in self.graph.initializer:
            dtype, dims = dtype_of(proto.data_type), list(proto.dims)
            fields = (proto.raw_data, proto.float_data, proto.int32_data, proto.int64_data, proto.double_data)
            if any(len(field) for field in fields) or math.prod(dims) == 0:
                self.constants[proto.name] = tensor_of(proto)
            else:
                self.constants[proto.name] = self._random(dims, dtype, proto.name in positive)
        return positive

    def _regions(self, dims):
        """Boxes within the first input's image."""
        shape = self.graph.input[0].type.tensor_type.shape.dim
        high, wide = shape[-2].dim_value, shape[-1].dim_value
        corner, extent = torch.rand(dims[0], 2) * 0.5, torch.rand(dims[0], 2) * 0.4 + 0.1
        sides = torch.tensor([wide, high], dtype=torch.float32)
        return torch.cat([torch.zeros(dims[0], 1), corner * sides, (corner + extent) * sides], 1)

    def _input_tensor(self, info):
        tensor = info.type.tensor_type
        dims = [d.dim_value for d in tensor.shape.dim]
        if any(d < 1 for d in dims):
            raise Unsupported(f"the size of input {info.name} is not known")
        if ("MaxRoiPool", 1) in self.readers.get(info.name, []):
            return self._regions(dims)
        dtype = dtype_of(tensor.elem_type)
        return torch.randn(dims) if dtype.is_floating_point else torch.zeros(dims, dtype=dtype)

    def _take_inputs(self, positive):
        for info in self.graph.input:
            name = info.name
            if name in self.constants:
                continue
            readers = self.readers.get(name, [])
            if name not in self.feed and readers and all(i >= WEIGHT_FROM.get(kind, 1 << 30) for kind, i in readers):
                dims = [d.dim_value for d in info.type.tensor_type.shape.dim]
                self.constants[name] = self._random(dims, torch.float32, name in positive)
                continue
            tensor = self.feed[name] if name in self.feed else self._input_tensor(info)
            self.out.inputs.append(self._new_slot(name, self._bind(tensor)))

    # ---- slots ----

    def _bind(self, tensor):
        """On the device, in the precision that is computed with."""
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _new_slot(self, name, tensor):
        self.out.slots.append(tensor)
        self.slot[name] = len(self.out.slots) - 1
        return self.slot[name]

    def _slot_of(self, name):
        """Where a run finds an input; constants get a place when they are first read."""
        if not name:
            return NONE
        if name not in self.slot:
            bound = self._bind(self.constants[name])
            self.out.weight_bytes += bound.numel() * bound.element_size()
            self._new_slot(name, bound)
        return self.slot[name]

    # ---- nodes ----

    def _maker(self, proto):
        kind = type_of(proto)
        if kind not in OPS:
            raise Unsupported(f"operator {kind} is not among those that this agent runs")
        return OPS[kind]

    def _wanted(self, proto):
        """How many of its outputs anyone reads, up to the last that is."""
        return max((i + 1 for i, name in enumerate(proto.output) if name in self.left), default=0)

    @staticmethod
    def _outputs(made):
        return made if isinstance(made, tuple) else (made,)

    def _fold(self, proto):
        """Computes a node of constants."""
        values = [self.constants[name] if name else None for name in proto.input]
        node = Node(proto, self.opset, values, values, self._wanted(proto))
        fn = self._maker(proto)(node)
        made = self._outputs(fn(*[values[i] for i in node.read]))
        for name, tensor in zip(proto.output, made):
            self.constants[name] = tensor

    def _shape_only(self, proto, live):
        """Shape and Size of a tensor that is fed or made: its sizes are known."""
        node = Node(proto, self.opset, [live[self.slot[proto.input[0]]]], [None])
        self.constants[proto.output[0]] = self._maker(proto)(node)()

    def _step(self, proto, live):
        values = [self.constants.get(name) if name else None for name in proto.input]
        samples = [None if not name else live[self.slot[name]] if value is None else value
                   for name, value in zip(proto.input, values)]
        node = Node(proto, self.opset, samples, values, self._wanted(proto), self.device, self.dtype)
        fn = self._maker(proto)(node)
        args = [self._slot_of(proto.input[i]) for i in node.read]
        live.extend(self.out.slots[len(live):])
        result = fn(*[live[i] for i in args])
        made, is_view = self._outputs(result), node.type in torch_ops_move.VIEWS
        outs = [self._new_slot(name, None) for name, _ in zip(proto.output, made)]
        live.extend(made[:len(outs)])
        for slot, tensor in zip(outs, made):
            self.bytes[slot] = 0 if is_view else tensor.numel() * tensor.element_size()
        self.out.steps.append(Step(fn, args, outs, isinstance(result, tuple), is_view, node.name))

    def _forget(self, proto, live):
        """Lets go of what no node behind reads."""
        for name in proto.input:
            if name in self.left:
                self.left[name] -= 1
                if not self.left[name] and name in self.slot and self.slot[name] not in self.out.inputs:
                    live[self.slot[name]] = None

    def build(self):
        """The graph; Unsupported where a node is."""
        self._take_inputs(self._take_initializers())
        live = list(self.out.slots)
        for proto in sorted_nodes(self.graph, list(self.constants) + list(self.slot)):
            if type_of(proto) in ("Shape", "Size") and proto.input[0] in self.slot \
                    and proto.input[0] not in self.constants:
                self._shape_only(proto, live)
            elif type_of(proto) not in AFRESH and all(not x or x in self.constants for x in proto.input):
                self._fold(proto)
            else:
                self._step(proto, live)
            self._forget(proto, live)
        self._finish()
        return self.out

    # ---- who reads what last ----

    def _finish(self):
        out = self.out
        out.outputs = {info.name: self._slot_of(info.name) for info in self.graph.output}
        keep, last = set(out.outputs.values()), {}
        for at, step in enumerate(out.steps):
            last.update({slot: at for slot in step.outs})
            last.update({slot: at for slot in step.args if slot in last})
        now = most = sum(out.slots[i].numel() * out.slots[i].element_size() for i in out.inputs)
        for at, step in enumerate(out.steps):
            now += sum(self.bytes[slot] for slot in step.outs)
            most = max(most, now)
            step.free = tuple({s for s in (*step.args, *step.outs) if last.get(s) == at and s not in keep})
            now -= sum(self.bytes[slot] for slot in step.free)
        out.live_bytes = most


def shapes_of(graph):
    """The sizes of what each step makes: for tests."""
    slots, shapes = graph.slots.copy(), []
    with torch.inference_mode():
        for step in graph.steps:
            free, step.free = step.free, ()
            Graph.call(step, slots)
            step.free = free
            shapes.append([list(slots[slot].shape) for slot in step.outs])
    return shapes
