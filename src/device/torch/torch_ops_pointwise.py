"""torch_ops_pointwise.py: functions of each element, arithmetic of two tensors and more."""
import functools

import torch
import torch.nn.functional as F

from torch_node import dtype_of, op

UNARY = {
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "HardSwish": F.hardswish,
    "Softplus": F.softplus, "Softsign": F.softsign, "Mish": F.mish, "Erf": torch.erf, "Abs": torch.abs,
    "Neg": torch.neg, "Sign": torch.sign, "Ceil": torch.ceil, "Floor": torch.floor, "Round": torch.round,
    "Sqrt": torch.sqrt, "Exp": torch.exp, "Log": torch.log, "Reciprocal": torch.reciprocal,
    "Sin": torch.sin, "Cos": torch.cos, "Tan": torch.tan, "Asin": torch.asin, "Acos": torch.acos,
    "Atan": torch.atan, "Sinh": torch.sinh, "Cosh": torch.cosh, "Asinh": torch.asinh, "Acosh": torch.acosh,
    "Atanh": torch.atanh, "Not": torch.logical_not, "IsNaN": torch.isnan, "sloe::Silu": F.silu,
}

BINARY = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "And": torch.logical_and, "Or": torch.logical_or,
    "Xor": torch.logical_xor, "Equal": torch.eq, "Less": torch.lt, "LessOrEqual": torch.le,
    "Greater": torch.gt, "GreaterOrEqual": torch.ge,
}


@op(*UNARY)
def unary(n):
    return UNARY[n.type]


@op("LeakyRelu")
def leaky_relu(n):
    slope = n.attr("alpha", 0.01)
    return lambda x: F.leaky_relu(x, slope)


@op("PRelu")
def prelu(n):
    slope, channels = n.samples[1], n.x.shape[1] if n.x.dim() > 1 else 1
    per_channel = slope.numel() in (1, channels) and (slope.numel() == 1 or slope.dim() == n.x.dim() - 1)
    if per_channel and all(d == 1 for d in slope.shape[1:]):
        return lambda x, s: F.prelu(x, s.reshape(-1))
    return lambda x, s: torch.where(x < 0, x * s, x)


@op("Elu", "Celu")
def elu(n):
    alpha, fn = n.attr("alpha", 1.0), F.elu if n.type == "Elu" else F.celu
    return lambda x: fn(x, alpha)


@op("Selu")
def selu(n):
    alpha, gamma = n.attr("alpha", 1.6732631921768188), n.attr("gamma", 1.0507010221481323)
    if abs(alpha - 1.6732632) < 1e-5 and abs(gamma - 1.050701) < 1e-5:
        return F.selu
    return lambda x: gamma * F.elu(x, alpha)


@op("ThresholdedRelu")
def thresholded_relu(n):
    alpha = n.attr("alpha", 1.0)
    return lambda x: F.threshold(x, alpha, 0.0)


@op("HardSigmoid")
def hard_sigmoid(n):
    alpha, beta = n.attr("alpha", 0.2), n.attr("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-4 and beta == 0.5:
        return F.hardsigmoid
    return lambda x: torch.clamp(alpha * x + beta, 0, 1)


@op("Gelu", "com.microsoft::Gelu")
def gelu(n):
    how = n.attr("approximate", "none")
    return lambda x: F.gelu(x, approximate=how)


@op("com.microsoft::QuickGelu")
def quick_gelu(n):
    alpha = n.attr("alpha", 1.702)
    return lambda x: x * torch.sigmoid(alpha * x)


@op("Clip")
def clip(n):
    def bound(name, i):
        return n.attr(name) if n.attr(name) is not None else n.value(i).item() if n.has(i) else None
    low, high = bound("min", 1), bound("max", 2)
    n.reads(0)
    if low is None and high is None:
        return torch.clone
    return lambda x: torch.clamp(x, low, high)


@op("Cast")
def cast(n):
    to = dtype_of(n.attr("to"))
    if to.is_floating_point and n.dtype is not None:
        to = n.dtype
    return lambda x: x.to(to)


# ---- two tensors ----

def _scalar(n, i):
    """The number that operand `i` is, where it is one and does not add dimensions."""
    other, small = n.samples[1 - i], n.samples[i]
    if n.values[i] is None or small.numel() != 1 or small.dim() > other.dim() or n.values[1 - i] is not None:
        return None
    return n.values[i].item()


def _with_scalars(n, fn):
    """Operands of one constant element as numbers: PyTorch then reads one tensor."""
    left, right = _scalar(n, 0), _scalar(n, 1)
    if right is not None:
        n.reads(0)
        return lambda x: fn(x, right)
    if left is not None and n.type in ("Add", "Mul"):
        n.reads(1)
        return lambda x: fn(x, left)
    return fn


@op(*BINARY)
def binary(n):
    return _with_scalars(n, BINARY[n.type])


@op("Div")
def div(n):
    if n.x.is_floating_point():
        return _with_scalars(n, torch.div)
    return lambda a, b: torch.div(a, b, rounding_mode="trunc")


@op("Pow")
def power(n):
    to = n.x.dtype
    return _with_scalars(n, lambda a, b: torch.pow(a, b).to(to))


@op("Mod")
def mod(n):
    return torch.fmod if n.attr("fmod", 0) else torch.remainder


@op("Sum", "Mean", "Min", "Max")
def variadic(n):
    fn = {"Min": torch.minimum, "Max": torch.maximum}.get(n.type, torch.add)
    count = len(n.samples)
    if count == 1:
        return torch.clone
    if n.type == "Mean":
        return lambda *x: functools.reduce(fn, x) / count
    return lambda *x: functools.reduce(fn, x)


@op("Where")
def where(_):
    return torch.where
