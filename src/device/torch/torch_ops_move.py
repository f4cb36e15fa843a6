"""torch_ops_move.py: data that is moved, seen otherwise, made, or counted.

PyTorch has slices and transpositions as views with strides, which whoever reads them pays for. Here each
that sloe takes for a layer writes its result, so that its time stands at it; what sloe takes for a view
(VIEWS) never copies then.
"""
import torch
import torch.nn.functional as F

from torch_node import dtype_of, op

VIEWS = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Shape", "Size"}


# ---- views ----

@op("Reshape")
def reshape(n):
    shape = n.ints("shape", 1)
    n.reads(0)
    if not n.attr("allowzero", 0):
        shape = [n.x.shape[i] if d == 0 else d for i, d in enumerate(shape)]
    return lambda x: x.reshape(shape)


@op("Flatten")
def flatten(n):
    outside = 1
    for d in n.x.shape[:n.axis(1)]:
        outside *= d
    return lambda x: x.reshape(outside, -1)


@op("Squeeze")
def squeeze(n):
    axes, rank = n.ints("axes", 1), n.x.dim()
    n.reads(0)
    gone = [a % rank for a in axes] if axes else [i for i, d in enumerate(n.x.shape) if d == 1]
    shape = [d for i, d in enumerate(n.x.shape) if i not in gone]
    return lambda x: x.reshape(shape)


@op("Unsqueeze")
def unsqueeze(n):
    axes = n.ints("axes", 1)
    n.reads(0)
    rank = n.x.dim() + len(axes)
    new, old = {a % rank for a in axes}, iter(n.x.shape)
    shape = [1 if i in new else next(old) for i in range(rank)]
    return lambda x: x.reshape(shape)


@op("Identity", "Dropout")
def identity(n):
    if n.wanted > 1:
        raise n.refusal("its mask as an output")
    if n.type == "Dropout" and n.has(2) and n.value(2).item():
        raise n.refusal("training")
    n.reads(0)
    return lambda x: x


# ---- moves ----

@op("Concat")
def concat(n):
    axis = n.attr("axis", 1)
    return lambda *x: torch.cat(x, axis)


@op("Split")
def split(n):
    axis, parts = n.axis(0), n.parts
    sizes = n.ints("split", 1)
    n.reads(0)
    if not sizes:
        step = -(-n.x.shape[axis] // parts)
        sizes = [step] * (parts - 1) + [n.x.shape[axis] - step * (parts - 1)]
    return lambda x: tuple(part.contiguous() for part in torch.split(x, sizes, axis))


@op("Slice")
def slice_(n):
    starts, ends = n.ints("starts", 1), n.ints("ends", 2)
    axes = n.ints("axes", 3, list(range(len(starts))))
    steps = n.ints("steps", 4, [1] * len(starts))
    n.reads(0)
    cut, turned = [slice(None)] * n.x.dim(), []
    for start, end, axis, step in zip(starts, ends, axes, steps):
        axis %= n.x.dim()
        where = range(*slice(start, end, step).indices(n.x.shape[axis])) if step > 0 else \
            _backwards(start, end, step, n.x.shape[axis])
        if step < 0:
            where = where[::-1]
            turned.append(axis)
        cut[axis] = slice(where.start, where.stop, where.step) if len(where) else slice(0, 0)
    cut = tuple(cut)
    if turned:
        return lambda x: x[cut].flip(turned)
    return lambda x: x[cut].contiguous()


def _backwards(start, end, step, size):
    """ONNX's ends are clamped to -1 in front of the first, which Python's slices cannot say."""
    start = min(max(start + size if start < 0 else start, 0), size - 1)
    end = max(end + size if end < 0 else end, -1)
    return range(start, end, step)


@op("Transpose")
def transpose(n):
    order = n.attr("perm", list(range(n.x.dim()))[::-1])
    return lambda x: x.permute(order).contiguous()


@op("sloe::Reorder")
def reorder(_):
    return lambda x: x.contiguous(memory_format=torch.channels_last)


@op("Expand")
def expand(n):
    shape = list(torch.broadcast_shapes(tuple(n.x.shape), tuple(n.ints("shape", 1))))
    n.reads(0)
    return lambda x: x.expand(shape).contiguous()


@op("Tile")
def tile(n):
    repeats = n.ints("repeats", 1)
    n.reads(0)
    return lambda x: x.repeat(repeats)


def _pads_of(n):
    pads, rank = n.ints("pads", 1), n.x.dim()
    axes = n.ints("axes", 3)
    if axes is None:
        return pads[:rank], pads[rank:]
    begin, end = [0] * rank, [0] * rank
    for i, axis in enumerate(axes):
        begin[axis % rank], end[axis % rank] = pads[i], pads[len(axes) + i]
    return begin, end


@op("Pad")
def pad(n):
    begin, end = _pads_of(n)
    fill = n.value(2).item() if n.has(2) and n.value(2).numel() else n.attr("value", 0.0)
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}.get(n.attr("mode", "constant"))
    n.reads(0)
    flat = [p for pair in reversed(list(zip(begin, end))) for p in pair]
    if mode is None:
        raise n.refusal(f"mode {n.attr('mode')}")
    if mode == "constant":
        return lambda x: F.pad(x, flat, value=fill)
    if n.x.dim() not in (3, 4) or any(begin[:2]) or any(end[:2]):
        raise n.refusal(f"mode {mode} in front of height and width")
    flat = flat[:2 * (n.x.dim() - 2)]
    return lambda x: F.pad(x, flat, mode)


def _from_front(index, size):
    return torch.where(index < 0, index + size, index)


@op("Gather")
def gather(n):
    axis, index = n.axis(0), n.samples[1]
    size = n.x.shape[axis]
    shape = list(n.x.shape[:axis]) + list(index.shape) + list(n.x.shape[axis + 1:])
    if n.values[1] is None:
        return lambda x, i: x.index_select(axis, _from_front(i, size).reshape(-1)).reshape(shape)
    n.reads(0)
    if index.numel() == 1:
        place = int(n.values[1].item())
        return lambda x: x.select(axis, place).reshape(shape).contiguous()
    fixed = _from_front(n.values[1], size).reshape(-1).to(n.device)
    return lambda x: x.index_select(axis, fixed).reshape(shape)


@op("GatherElements")
def gather_elements(n):
    axis = n.axis(0)
    size = n.x.shape[axis]
    return lambda x, i: torch.gather(x, axis, _from_front(i, size))


@op("GatherND")
def gather_nd(n):
    if n.attr("batch_dims", 0):
        raise n.refusal("dimensions of a batch")
    return lambda x, i: x[tuple(i.unbind(-1))]


@op("DepthToSpace")
def depth_to_space(n):
    r, (b, c, h, w) = n.attr("blocksize"), n.x.shape
    if n.attr("mode", "DCR") == "CRD":
        return lambda x: F.pixel_shuffle(x, r)
    deep, wide = (b, r, r, c // (r * r), h, w), (b, c // (r * r), h * r, w * r)
    return lambda x: x.reshape(deep).permute(0, 3, 4, 1, 5, 2).reshape(wide)


@op("SpaceToDepth")
def space_to_depth(n):
    r, (b, c, h, w) = n.attr("blocksize"), n.x.shape
    wide, deep = (b, c, h // r, r, w // r, r), (b, c * r * r, h // r, w // r)
    return lambda x: x.reshape(wide).permute(0, 3, 5, 1, 2, 4).reshape(deep)


@op("Trilu")
def trilu(n):
    k = int(n.value(1).item()) if n.has(1) else 0
    n.reads(0)
    fn = torch.triu if n.attr("upper", 1) else torch.tril
    return lambda x: fn(x, k)


# ---- made, counted ----

@op("Shape")
def shape(n):
    dims = torch.tensor(list(n.x.shape)[n.attr("start", 0):n.attr("end")], dtype=torch.int64)
    n.reads()
    return lambda: dims


@op("Size")
def size(n):
    count = torch.tensor(n.x.numel(), dtype=torch.int64)
    n.reads()
    return lambda: count


@op("Constant")
def constant(n):
    types = {"value_int": torch.int64, "value_ints": torch.int64, "value_float": torch.float32,
             "value_floats": torch.float32}
    value = n.attr("value")
    for name, dtype in types.items():
        if value is None and n.attr(name) is not None:
            value = torch.tensor(n.attr(name), dtype=dtype)
    if value is None:
        raise n.refusal("a constant of no known kind")
    return lambda: value


@op("ConstantOfShape")
def constant_of_shape(n):
    value, dims = n.attr("value", torch.zeros(1)), n.ints("", 0)
    n.reads()
    return lambda: torch.full(dims, value.item(), dtype=value.dtype)


@op("Range")
def range_(n):
    start, limit, delta = (n.value(i) for i in range(3))
    n.reads()
    return lambda: torch.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


@op("EyeLike")
def eye_like(n):
    dtype, k = dtype_of(n.attr("dtype", 1)), n.attr("k", 0)
    rows, columns = n.x.shape
    n.reads()
    return lambda: torch.ones(rows, columns, dtype=dtype).triu(k).tril(k)


@op("NonZero")
def non_zero(n):
    value = n.value(0)
    n.reads()
    return lambda: torch.nonzero(value).t().contiguous()
