#!/usr/bin/env python3
"""Holds the files of `sloe zoo emit` against ONNX's own checker and shape inference.

    tools/check_zoo_onnx.py build/sloe [GOLDENS]

Every network of GOLDENS (tests/data/zoo-goldens.csv by default) is written without weights, checked
strictly, its shapes inferred by ONNX and its counts read back by sloe: they must be those of the spec
itself. A small one is written with weights too. Needs python3-onnx. Closes with totals; exit status 1
if anything differs. Without python3-onnx it says skipped.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import onnx
except ImportError:
    print("check_zoo_onnx: python3-onnx is not there\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)

DEFAULT = pathlib.Path(__file__).parent.parent / "tests" / "data" / "zoo-goldens.csv"
SAME = ["params", "trainable_params", "macs", "flops", "activations", "n_ops", "features",
        "peak_activation_bytes", "unknown_ops"]


def info(sloe, net):
    run = subprocess.run([sloe, "info", net, "--format", "json"], capture_output=True, text=True)
    if run.returncode != 0:
        raise ValueError(run.stderr.strip().splitlines()[-1])
    return json.loads(run.stdout)


def shape_of(value):
    return [d.dim_value for d in value.type.tensor_type.shape.dim]


def check(sloe, net, path, options=()):
    run = subprocess.run([sloe, "zoo", "emit", net, "-o", path, *options], capture_output=True, text=True)
    if run.returncode != 0:
        raise ValueError(run.stderr.strip().splitlines()[-1])
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    of_spec, of_file = info(sloe, net), info(sloe, path)
    for key in SAME:
        if of_spec.get(key) != of_file.get(key):
            raise ValueError(f"{key} differ: {of_spec.get(key)} and {of_file.get(key)}")
    for ours, theirs in zip(of_spec["outputs"], inferred.graph.output):
        if ours["shape"] != shape_of(theirs):
            raise ValueError(f"output {ours['shape']}, ONNX infers {shape_of(theirs)}")


def main():
    sloe, goldens = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else DEFAULT
    with open(goldens, newline="") as table:
        nets = sorted({row["net"] for row in csv.DictReader(table)})
    jobs = [(net, ()) for net in nets] + [("zoo:squeezenet", ("--weights",))]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for net, options in jobs:
            try:
                check(sloe, net, os.path.join(folder, "net.onnx"), options)
            except (ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as e:
                print(f"{net}: {e}")
                failed += 1
    print(f"{len(jobs) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
