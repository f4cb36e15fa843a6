#!/usr/bin/env python3
"""check_ops.py: every operator of the PyTorch agent against ONNX's own operator tests, whose results are
computed with NumPy (python3-onnx, onnx.backend.test.case.node). The first input is fed, the others are constants,
as they are in a network; where that leaves nothing to feed, the agent folds the node, and that is compared.

What they do not cover is computed with NumPy here. Prints a line per difference and how many tests passed and
failed; an operator without a test is a failure, a test of something that the agent refuses is skipped.
"""
import math
import pathlib
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/device/torch"))
warnings.filterwarnings("ignore")

import numpy
import torch
from onnx import TensorProto, helper, numpy_helper

for name, kind in {"float": float, "bool": bool, "object": object, "int": int}.items():
    if name not in vars(numpy):  # the tests of onnx 1.12 were written for older ones
        setattr(numpy, name, kind)
from onnx.backend.test.case.node import collect_testcases
from torch_graph import Builder
from torch_node import OPS, Unsupported, type_of


def cases():
    """Tests of one node whose operator is known, with their data."""
    for case in collect_testcases(None):
        graph = case.model.graph if case.model else None
        if graph and len(graph.node) == 1 and type_of(graph.node[0]) in OPS:
            yield case


def settle(model, inputs, fed):
    """Inputs behind the first `fed` become constants."""
    del model.graph.initializer[:]
    names = [info.name for info in model.graph.input]
    for name, array in list(zip(names, inputs))[fed:]:
        model.graph.initializer.append(numpy_helper.from_array(numpy.asarray(array), name))
    return {name: torch.from_numpy(numpy.array(array)) for name, array in list(zip(names, inputs))[:fed]}


def results(model, inputs, fed):
    """The outputs, with so many inputs fed."""
    feed = settle(model, inputs, fed)
    with torch.inference_mode():
        builder = Builder(model, torch.device("cpu"), torch.float32, feed)
        return [tensor.numpy() for tensor in builder.build().run()]


def is_numeric(arrays):
    """Tensors of types that NumPy computes with: no texts, sequences, or types that only ONNX has."""
    return all(isinstance(a, (numpy.ndarray, numpy.generic)) and numpy.asarray(a).dtype.kind in "fiub" and
               numpy.asarray(a).dtype.name not in ("uint16", "uint32", "uint64") for a in arrays)


def compare(want, got):
    """What differs; None."""
    if len(want) > len(got):
        return f"{len(got)} outputs of {len(want)}"
    for a, b in zip(want, got):
        a = numpy.asarray(a)
        if a.shape != b.shape:
            return f"{b.shape} for {a.shape}"
        a, b = a.astype(numpy.float64), b.astype(numpy.float64)
        if not numpy.allclose(a, b, rtol=2e-3 if "float16" in str(want[0].dtype) else 1e-4, atol=1e-5, equal_nan=True):
            return f"differs by {numpy.nanmax(numpy.abs(a - b)):.3g}"
    return None


# What ONNX computed otherwise before 1.13: by the size that the scale gives before it is rounded.
KNOWN = {"test_resize_downsample_scales_linear_align_corners"}
FIRST_ONLY = {"LayerNormalization", "MaxPool", "Dropout"}  # what else they give nobody reads in a network


def attempt(case, fed, data):
    """What differs, "" where nothing does, None where the agent refuses."""
    inputs, want = data
    model = type(case.model)()
    model.CopyFrom(case.model)
    if type_of(model.graph.node[0]) in FIRST_ONLY:
        del model.graph.output[1:]
        want = want[:1]
    try:
        return compare(want, results(model, inputs, fed)) or ""
    except Unsupported:
        return None
    except Exception as error:
        return None if "not implemented for" in str(error) else f"{type(error).__name__}: {error}"


def check(case, counts, covered):
    """Runs one test with all inputs but the first constant, with all fed, with none."""
    for data in case.data_sets:
        if not is_numeric([*data[0], *data[1]]) or case.name in KNOWN:
            counts["skipped"] += 1
            continue
        tries = {fed: attempt(case, fed, data) for fed in {0, min(1, len(data[0])), len(data[0])}}
        for fed, why in tries.items():
            if why:
                print(f"FAILED: {case.name}, {fed} fed: {why}")
        ran = [why for why in tries.values() if why is not None]
        counts["skipped" if not ran else "failed" if any(ran) else "passed"] += 1
        if ran:
            covered.add(type_of(case.model.graph.node[0]))


# ---- what ONNX has no test of ----

def _erf(x):
    return numpy.vectorize(math.erf)(x)


def _regions(x, rois):
    """Fast R-CNN's pooling to 2 x 2, written down once more."""
    out = numpy.zeros((len(rois), x.shape[1], 2, 2))
    for r, (image, left, top, right, bottom) in enumerate(rois.astype(int)):
        high, wide = (bottom - top + 1) / 2, (right - left + 1) / 2
        for i in range(2):
            for j in range(2):
                part = x[image, :, top + int(i * high):top + math.ceil((i + 1) * high),
                         left + int(j * wide):left + math.ceil((j + 1) * wide)]
                out[r, :, i, j] = part.max((1, 2))
    return out


X = numpy.random.default_rng(7).standard_normal((2, 6, 5, 4)).astype(numpy.float32)
ROWS = X.reshape(12, 20)
BOXES = numpy.array([[0, 0, 0, 3, 4], [1, 1, 1, 3, 3], [0, 2, 0, 2, 2]], dtype=numpy.float32)
CENTRED = ROWS - ROWS.mean(1, keepdims=True)
OWN = [
    ("sloe::Silu", {}, [X], X / (1 + numpy.exp(-X))),
    ("sloe::Reorder", {}, [X], X),
    ("com.microsoft::QuickGelu", {"alpha": 1.5}, [X], X / (1 + numpy.exp(-1.5 * X))),
    ("com.microsoft::Gelu", {}, [X], 0.5 * X * (1 + _erf(X / math.sqrt(2)))),
    ("Gelu", {}, [X], 0.5 * X * (1 + _erf(X / math.sqrt(2)))),
    ("Mish", {}, [X], X * numpy.tanh(numpy.log1p(numpy.exp(X)))),
    ("LpNormalization", {"axis": 1}, [X], X / numpy.sqrt((X * X).sum(1, keepdims=True))),
    ("LpNormalization", {"axis": 1, "p": 1}, [X], X / numpy.abs(X).sum(1, keepdims=True)),
    ("LayerNormalization", {}, [ROWS, ROWS[0], ROWS[1]],
     CENTRED / numpy.sqrt((CENTRED ** 2).mean(1, keepdims=True) + 1e-5) * ROWS[0] + ROWS[1]),
    ("GroupNormalization", {"num_groups": 12}, [ROWS.reshape(1, 12, 20), numpy.ones(12, "f"), numpy.ones(12, "f")],
     (CENTRED / numpy.sqrt((CENTRED ** 2).mean(1, keepdims=True) + 1e-5) + 1).reshape(1, 12, 20)),
    ("MaxRoiPool", {"pooled_shape": [2, 2]}, [X, BOXES], _regions(X, BOXES)),
    ("LRN", {"size": 4, "alpha": 0.5}, [X], X / (1 + 0.125 * sum(
        numpy.pad(X * X, ((0, 0), (1, 2), (0, 0), (0, 0)))[:, i:i + 6] for i in range(4))) ** 0.75),
]


def own_model(kind, attrs, inputs):
    """A model of one node."""
    domain, _, name = kind.rpartition("::")
    names = [f"x{i}" for i in range(len(inputs))]
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, a.shape) for n, a in zip(names, inputs)]
    node = helper.make_node(name, names, ["y"], domain=domain, **attrs)
    graph = helper.make_graph([node], "one", infos, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def check_own(counts, covered):
    """What is computed here with NumPy."""
    for kind, attrs, inputs, want in OWN:
        why = compare([want], results(own_model(kind, attrs, inputs), inputs, len(inputs)))
        counts["failed" if why else "passed"] += 1
        covered.add(kind)
        if why:
            print(f"FAILED: {kind} {attrs}: {why}")


def main():
    """Exit status 1 where one differs."""
    counts, covered = {"passed": 0, "failed": 0, "skipped": 0}, set()
    for case in cases():
        check(case, counts, covered)
    check_own(counts, covered)
    lacking = sorted(set(OPS) - covered)
    if lacking:
        print(f"FAILED: no test of {', '.join(lacking)}")
        counts["failed"] += 1
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
