"""torch_ops_window.py: convolutions, pooling, resizing."""
import math

import torch
import torch.nn.functional as F

from torch_node import op

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
DECONV = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
GLOBAL_AVG = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
GLOBAL_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}


def flat_pads(begin, end):
    """As F.pad takes them: the last dimension first."""
    return [pad for pair in reversed(list(zip(begin, end))) for pad in pair]


class Window:
    """Kernel, stride, dilation and what is added in front and behind."""

    def __init__(self, n, kernel):
        rank = n.x.dim() - 2
        if rank not in CONV:
            raise n.refusal(f"a window over {rank} dimensions")
        self.rank, self.kernel = rank, list(kernel)
        self.stride = n.attr("strides", [1] * rank)
        self.dilation = n.attr("dilations", [1] * rank)
        pads = n.attr("pads", [0] * 2 * rank)
        self.begin, self.end = pads[:rank], pads[rank:]
        if n.attr("auto_pad", "NOTSET").startswith("SAME") and n.type != "ConvTranspose":
            self._pad_same(n)
        self.is_even = self.begin == self.end

    def _pad_same(self, n):
        total = []
        for d, size in enumerate(n.x.shape[2:]):
            out = -(-size // self.stride[d])
            total.append(max((out - 1) * self.stride[d] + self.reach(d) - size, 0))
        less, more = [t // 2 for t in total], [t - t // 2 for t in total]
        upper = n.attr("auto_pad") == "SAME_UPPER"
        self.begin, self.end = (less, more) if upper else (more, less)

    def reach(self, d):
        """What a window spans."""
        return self.dilation[d] * (self.kernel[d] - 1) + 1

    def fits_pool(self):
        """Can PyTorch's pooling add the pads itself?"""
        return self.is_even and all(2 * p <= k for p, k in zip(self.begin, self.kernel))


@op("Conv")
def conv(n):
    w, groups = Window(n, n.samples[1].shape[2:]), n.attr("group", 1)
    fn, stride, dilation, pad = CONV[w.rank], w.stride, w.dilation, w.begin
    if w.is_even:
        return lambda x, weight, bias=None: fn(x, weight, bias, stride, pad, dilation, groups)
    pads = flat_pads(w.begin, w.end)
    return lambda x, weight, bias=None: fn(F.pad(x, pads), weight, bias, stride, 0, dilation, groups)


def _pad_to_shape(n, w, more):
    """The pads that give the output the asked size."""
    shape, same = n.attr("output_shape"), n.attr("auto_pad", "NOTSET")
    if shape is None and not same.startswith("SAME"):
        return
    sizes = n.x.shape[2:]
    shape = shape[-w.rank:] if shape else [s * k for s, k in zip(sizes, w.stride)]
    total = [w.stride[d] * (sizes[d] - 1) + more[d] + w.reach(d) - shape[d] for d in range(w.rank)]
    less, rest = [t // 2 for t in total], [t - t // 2 for t in total]
    w.begin, w.end = (less, rest) if same == "SAME_UPPER" else (rest, less)
    w.is_even = w.begin == w.end


@op("ConvTranspose")
def deconv(n):
    w, groups = Window(n, n.samples[1].shape[2:]), n.attr("group", 1)
    fn, stride, dilation, more = DECONV[w.rank], w.stride, w.dilation, n.attr("output_padding", [0] * w.rank)
    _pad_to_shape(n, w, more)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation)):
        raise n.refusal("an output padding of a whole stride")
    if w.is_even and min(w.begin) >= 0:
        pad = w.begin
        return lambda x, weight, bias=None: fn(x, weight, bias, stride, pad, more, groups, dilation)
    cut = flat_pads([-b for b in w.begin], [-e for e in w.end])
    return lambda x, weight, bias=None: F.pad(fn(x, weight, bias, stride, 0, more, groups, dilation), cut)


@op("MaxPool")
def max_pool(n):
    if n.wanted > 1:
        raise n.refusal("the places of the maxima")
    w, ceil = Window(n, n.attr("kernel_shape")), bool(n.attr("ceil_mode", 0))
    fn, kernel, stride, dilation, pad = MAX_POOL[w.rank], w.kernel, w.stride, w.dilation, w.begin
    if w.fits_pool():
        return lambda x: fn(x, kernel, stride, pad, dilation, ceil)
    pads = flat_pads(w.begin, w.end)
    return lambda x: fn(F.pad(x, pads, value=-math.inf), kernel, stride, 0, dilation, ceil)


@op("AveragePool")
def avg_pool(n):
    w, ceil = Window(n, n.attr("kernel_shape")), bool(n.attr("ceil_mode", 0))
    fn, kernel, stride, pad, whole = AVG_POOL[w.rank], w.kernel, w.stride, w.begin, bool(n.attr("count_include_pad", 0))
    if any(d != 1 for d in w.dilation):
        raise n.refusal("dilation")
    if w.fits_pool():
        return lambda x: fn(x, kernel, stride, pad, ceil, whole)
    pads = flat_pads(w.begin, w.end)
    if whole:
        return lambda x: fn(F.pad(x, pads), kernel, stride, 0, ceil)
    share = fn(F.pad(torch.ones_like(n.x[:1, :1]), pads), kernel, stride, 0, ceil)
    return lambda x: fn(F.pad(x, pads), kernel, stride, 0, ceil) / share


@op("GlobalAveragePool")
def global_avg(n):
    fn, size = GLOBAL_AVG[n.x.dim() - 2], [1] * (n.x.dim() - 2)
    return lambda x: fn(x, size)


@op("GlobalMaxPool")
def global_max(n):
    fn, size = GLOBAL_MAX[n.x.dim() - 2], [1] * (n.x.dim() - 2)
    return lambda x: fn(x, size)


# ---- regions ----

def _cuts(low, high, parts, limit):
    """Where the parts of a region begin and end, as Fast R-CNN counts them."""
    step = max(high - low + 1, 1) / parts
    cuts = [(low + math.floor(i * step), low + math.ceil((i + 1) * step)) for i in range(parts)]
    return [(min(max(a, 0), limit), min(max(b, 0), limit)) for a, b in cuts]


def _pool_region(image, rows, columns):
    out = image.new_zeros((image.shape[0], len(rows), len(columns)))
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            if bottom > top and right > left:
                out[:, i, j] = image[:, top:bottom, left:right].amax((1, 2))
    return out


@op("MaxRoiPool")
def roi_pool(n):
    high, wide = n.attr("pooled_shape")
    scale = n.attr("spatial_scale", 1.0)

    def run(x, regions):
        out = []
        for image, *box in regions.tolist():
            left, top, right, bottom = (math.floor(side * scale + 0.5) for side in box)
            rows = _cuts(top, bottom, high, x.shape[2])
            out.append(_pool_region(x[int(image)], rows, _cuts(left, right, wide, x.shape[3])))
        return torch.stack(out)
    return run


# ---- resizing ----

def _place(n, mode, i, size, out, scale):
    """Which place of the input the place `i` of the output is."""
    if mode == "align_corners":
        return i * (size - 1) / (out - 1) if out > 1 else 0.0
    if mode == "asymmetric":
        return i / scale
    if mode == "pytorch_half_pixel" and out == 1:
        return 0.0
    if mode in ("half_pixel", "pytorch_half_pixel"):
        return (i + 0.5) / scale - 0.5
    raise n.refusal(f"coordinates {mode}")


def _nearest(place, how):
    if how == "floor":
        return math.floor(place)
    if how == "ceil":
        return math.ceil(place)
    return math.floor(place + 0.5) if how == "round_prefer_ceil" else math.ceil(place - 0.5)


def _resize_sizes(n):
    """Output sizes and scales, of every dimension."""
    sizes = list(n.x.shape)
    at = 1 if n.type == "Upsample" or n.opset < 11 else 2
    scales = n.attr("scales") or (n.value(at).tolist() if n.has(at) and n.value(at).numel() else None)
    is_stretched = n.attr("keep_aspect_ratio_policy", "stretch") == "stretch"
    if n.attr("axes") is not None or n.attr("antialias", 0) or not is_stretched:
        raise n.refusal("axes, antialiasing or a kept aspect")
    if scales:
        return [math.floor(s * f) for s, f in zip(sizes, scales)], scales
    out = n.ints("", 3)
    return out, [o / s for o, s in zip(out, sizes)]


def _pick(places):
    """Copies the nearest element, dimension by dimension."""
    def run(x):
        for d, index in places:
            x = x.index_select(d, index)
        return x
    return run


def _mix(places):
    """Mixes two neighbours, dimension by dimension."""
    def run(x):
        for d, low, high, share in places:
            x = torch.lerp(x.index_select(d, low), x.index_select(d, high), share)
        return x
    return run


def _resize_nearest(n, places, out):
    how = n.attr("nearest_mode", "round_prefer_floor") if n.type == "Resize" and n.opset > 10 else "floor"
    picked, sizes = {}, n.x.shape
    for d, line in places.items():
        picked[d] = [min(max(_nearest(p, how), 0), sizes[d] - 1) for p in line]
    for mode, offset in (("nearest", 0.0), ("nearest-exact", 0.5)):
        torchs = {d: [min(math.floor((i + offset) * sizes[d] / out[d]), sizes[d] - 1) for i in range(out[d])]
                  for d in picked}
        if torchs == picked and min(places, default=2) > 1 and n.x.dim() in LINEAR:
            return lambda x: F.interpolate(x, size=out[2:], mode=mode)
    return _pick([(d, torch.tensor(line, device=n.device)) for d, line in picked.items()])


def _resize_linear(n, mode, places, out):
    """PyTorch's own where it means the same by `mode`."""
    inside = min(places, default=2) > 1 and n.x.dim() in LINEAR
    is_same = mode in ("half_pixel", "align_corners") or (mode == "pytorch_half_pixel" and min(out[2:]) > 1)
    if inside and is_same:
        kind, corners = LINEAR[n.x.dim()], mode == "align_corners"
        return lambda x: F.interpolate(x, size=out[2:], mode=kind, align_corners=corners)
    mixed, device = [], n.device
    for d, line in places.items():
        last = n.x.shape[d] - 1
        line = [min(max(p, 0.0), float(last)) for p in line]
        share = torch.tensor([p - math.floor(p) for p in line], dtype=n.x.dtype, device=device)
        low = torch.tensor([math.floor(p) for p in line], device=device)
        mixed.append((d, low, (low + 1).clamp(max=last), share.reshape([-1] + [1] * (n.x.dim() - d - 1))))
    return _mix(mixed)


@op("Resize", "Upsample")
def resize(n):
    out, scales = _resize_sizes(n)
    old = n.type == "Upsample" or n.opset < 11
    mode = "asymmetric" if old else n.attr("coordinate_transformation_mode", "half_pixel")
    n.reads(0)
    kind, sizes = n.attr("mode", "nearest"), n.x.shape
    if kind == "cubic" and mode in ("half_pixel", "pytorch_half_pixel") and n.attr("cubic_coeff_a", -0.75) == -0.75 \
            and not n.attr("exclude_outside", 0) and n.x.dim() == 4 and [s * f for s, f in zip(sizes, scales)] == out:
        return lambda x: F.interpolate(x, size=out[2:], mode="bicubic", align_corners=False)
    places = {d: [_place(n, mode, i, sizes[d], out[d], scales[d]) for i in range(out[d])]
              for d in range(n.x.dim()) if out[d] != sizes[d] or scales[d] != 1}
    if kind == "nearest":
        return _resize_nearest(n, places, out)
    if kind != "linear":
        raise n.refusal(f"mode {kind} with coordinates {mode}")
    is_exact = mode == "align_corners" or [s * f for s, f in zip(sizes, scales)] == out
    return _resize_linear(n, mode if is_exact else "", places, out)
