"""torch_ops_rows.py: products, normalisation, softmax, reductions."""
import torch
import torch.nn.functional as F

from torch_node import op


# ---- products ----

@op("Gemm")
def gemm(n):
    alpha, beta = n.attr("alpha", 1.0), n.attr("beta", 1.0)
    turn_a, turn_b = n.attr("transA", 0), n.attr("transB", 0)
    plain_bias = not n.has(2) or n.samples[2].dim() == 1
    if turn_b and not turn_a and alpha == 1 and beta == 1 and plain_bias:
        return F.linear

    def run(a, b, c=None):
        a, b = a.t() if turn_a else a, b.t() if turn_b else b
        if c is not None:
            return torch.addmm(c, a, b, beta=beta, alpha=alpha)
        return alpha * torch.mm(a, b) if alpha != 1 else torch.mm(a, b)
    return run


@op("MatMul")
def matmul(_):
    return torch.matmul


@op("Einsum")
def einsum(n):
    equation = n.attr("equation")
    return lambda *x: torch.einsum(equation, *x)


# ---- normalisation ----

@op("BatchNormalization")
def batch_norm(n):
    eps = n.attr("epsilon", 1e-5)
    if n.attr("training_mode", 0):
        raise n.refusal("training")
    return lambda x, scale, bias, mean, var: F.batch_norm(x, mean, var, scale, bias, False, 0.0, eps)


@op("InstanceNormalization")
def instance_norm(n):
    eps = n.attr("epsilon", 1e-5)
    return lambda x, scale, bias: F.instance_norm(x, None, None, scale, bias, True, 0.0, eps)


@op("LayerNormalization")
def layer_norm(n):
    if n.wanted > 1:
        raise n.refusal("mean and deviation as outputs")
    shape, eps = n.x.shape[n.axis(-1):], n.attr("epsilon", 1e-5)
    if n.samples[1].shape != shape:
        return lambda x, scale, bias=None: F.layer_norm(x, shape, scale.expand(shape),
                                                        None if bias is None else bias.expand(shape), eps)
    return lambda x, scale, bias=None: F.layer_norm(x, shape, scale, bias, eps)


@op("GroupNormalization")
def group_norm(n):
    groups, eps, channels = n.attr("num_groups"), n.attr("epsilon", 1e-5), n.x.shape[1]
    repeat = channels // n.samples[1].numel()  # before opset 21 one scale a group
    if repeat == 1:
        return lambda x, scale, bias: F.group_norm(x, groups, scale, bias, eps)
    return lambda x, scale, bias: F.group_norm(x, groups, scale.repeat_interleave(repeat),
                                               bias.repeat_interleave(repeat), eps)


@op("MeanVarianceNormalization")
def mean_variance(n):
    axes = n.attr("axes", [0, 2, 3])

    def run(x):
        x = x - x.mean(axes, keepdim=True)
        return x / (x.square().mean(axes, keepdim=True).sqrt() + 1e-9)
    return run


@op("LpNormalization")
def lp_norm(n):
    p, axis = n.attr("p", 2), n.attr("axis", -1)
    return lambda x: F.normalize(x, float(p), axis)


@op("LRN")
def lrn(n):
    size, alpha, beta, k = n.attr("size"), n.attr("alpha", 1e-4), n.attr("beta", 0.75), n.attr("bias", 1.0)
    if size % 2:
        return lambda x: F.local_response_norm(x, size, alpha, beta, k)
    before, shape = (size - 1) // 2, list(n.x.shape)

    def run(x):  # PyTorch has the odd channel in front
        squares = F.pad(x.square().reshape(shape[0], 1, shape[1], -1), [0, 0, before, size - 1 - before])
        mean = F.avg_pool2d(squares, (size, 1), 1).reshape(shape)
        return x / (k + alpha * mean) ** beta
    return run


# ---- softmax ----

@op("Softmax", "LogSoftmax")
def softmax(n):
    fn = F.softmax if n.type == "Softmax" else F.log_softmax
    axis, shape = n.axis(-1 if n.opset >= 13 else 1), list(n.x.shape)
    if n.opset >= 13 or all(d == 1 for d in shape[axis + 1:]):
        return lambda x: fn(x, axis)
    return lambda x: fn(x.flatten(axis), axis).reshape(shape)  # all dimensions from the axis on


# ---- reductions ----

REDUCE = {
    "ReduceMean": torch.mean, "ReduceSum": torch.sum, "ReduceMax": torch.amax, "ReduceMin": torch.amin,
    "ReduceLogSumExp": torch.logsumexp,
    "ReduceL1": lambda x, axes, keepdim: x.abs().sum(axes, keepdim=keepdim),
    "ReduceL2": lambda x, axes, keepdim: x.square().sum(axes, keepdim=keepdim).sqrt(),
    "ReduceSumSquare": lambda x, axes, keepdim: x.square().sum(axes, keepdim=keepdim),
    "ReduceLogSum": lambda x, axes, keepdim: x.sum(axes, keepdim=keepdim).log(),
}


@op("ReduceProd", *REDUCE)
def reduce(n):
    axes, keep = n.ints("axes", 1), bool(n.attr("keepdims", 1))
    n.reads(0)
    if not axes and n.attr("noop_with_empty_axes", 0):
        return torch.clone
    axes = axes or list(range(n.x.dim()))
    if n.type == "ReduceProd":
        return _product(sorted((a % max(n.x.dim(), 1) for a in axes), reverse=True), keep)
    fn = REDUCE[n.type]
    return lambda x: fn(x, axes, keepdim=keep)


def _product(axes, keep):
    def run(x):
        for axis in axes:
            x = x.prod(axis, keepdim=keep)
        return x
    return run


@op("ArgMax", "ArgMin")
def arg_reduce(n):
    fn = torch.argmax if n.type == "ArgMax" else torch.argmin
    axis, keep, size = n.axis(0), bool(n.attr("keepdims", 1)), n.x.shape
    if n.attr("select_last_index", 0):
        last = size[axis] - 1
        return lambda x: last - fn(x.flip(axis), axis, keepdim=keep)
    return lambda x: fn(x, axis, keepdim=keep)


@op("TopK")
def top_k(n):
    k, axis = n.ints("k", 1)[0], n.attr("axis", -1)
    largest, ordered = bool(n.attr("largest", 1)), bool(n.attr("sorted", 1))
    n.reads(0)
    return lambda x: tuple(torch.topk(x, k, axis, largest, ordered))


@op("CumSum")
def cum_sum(n):
    axis = int(n.value(1).item())
    n.reads(0)
    if n.attr("exclusive", 0) or n.attr("reverse", 0):
        raise n.refusal("exclusive or reversed sums")
    return lambda x: torch.cumsum(x, axis)
