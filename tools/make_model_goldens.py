#!/usr/bin/python3
"""Write tests/data/goldens/: what others say of real networks.

    tools/make_model_goldens.py MODELS [FOLDER]

MODELS holds *.onnx, also one folder deeper, and the tables models.csv, variants/variants.csv and
onnx-light/counts.csv with their parameters and MAC FLOPs, counted from PyTorch. Shapes are those of
ONNX's own inference (Debian's python3-onnx, with data propagation), an implementation independent
of ours; the leading dimension of an input that is open becomes 1.

models.csv, a line a file:
    file        relative to MODELS
    params, mac_flops; mac_within: by how much mac_flops is rounded in the table
    outputs     of all nodes of the main graph, in file order, those left out not counted
    unresolved  which of them ONNX leaves without a full shape: ranges of their numbers, "3 7-9"
    fnv1a64     of a line "name:2x3x4" and a line feed for each of the others, in file order
NAME.shapes, for the files that the repository keeps: those lines themselves.
"""
import csv
import glob
import os
import sys

import onnx
from onnx import shape_inference

KEPT = ["tv_resnet18", "tv_mobilenet_v2", "tv_squeezenet1_1"]
TABLES = [("", "models.csv", 0), ("variants", "variants.csv", 1000), ("onnx-light", "counts.csv", 1000)]


def read_counts(models):
    counts = {}
    for folder, table, within in TABLES:
        with open(os.path.join(models, folder, table), newline="") as f:
            for row in csv.DictReader(f):
                counts[os.path.join(folder, row["file"])] = (row["params"], row["mac_flops"], within)
    return counts


def infer(path):
    model = onnx.load(path, load_external_data=False)
    for value in model.graph.input:
        for k, dim in enumerate(value.type.tensor_type.shape.dim):
            if k == 0 and not dim.HasField("dim_value"):
                dim.dim_value = 1
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return shape_inference.infer_shapes(model, data_prop=True).graph


def shapes_of(graph):
    known = {}
    for value in list(graph.value_info) + list(graph.output):
        t = value.type.tensor_type
        if t.HasField("shape") and all(d.HasField("dim_value") for d in t.shape.dim):
            known[value.name] = "x".join(str(d.dim_value) for d in t.shape.dim) or "scalar"
    return known


def ranges(numbers):
    runs = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def fnv1a64(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    models = sys.argv[1]
    folder = sys.argv[2] if len(sys.argv) == 3 else "tests/data/goldens"
    os.makedirs(folder, exist_ok=True)
    counts = read_counts(models)
    paths = sorted(glob.glob(os.path.join(models, "*.onnx")) +
                   glob.glob(os.path.join(models, "*", "*.onnx")))
    with open(os.path.join(folder, "models.csv"), "w", newline="") as f:
        f.write(f"# onnx {onnx.__version__}; see tools/make_model_goldens.py\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["file", "params", "mac_flops", "mac_within", "outputs", "unresolved",
                      "fnv1a64"])
        for path in paths:
            name = os.path.relpath(path, models)
            graph = infer(path)
            known = shapes_of(graph)
            outputs = [o for node in graph.node for o in node.output if o]
            lines = [f"{o}:{known[o]}\n" for o in outputs if o in known]
            out.writerow([name, *counts[name], len(outputs),
                          ranges(k for k, o in enumerate(outputs) if o not in known),
                          fnv1a64("".join(lines).encode())])
            stem = os.path.splitext(name)[0]
            if stem in KEPT:
                with open(os.path.join(folder, stem + ".shapes"), "w") as shapes:
                    shapes.writelines(lines)


main()
