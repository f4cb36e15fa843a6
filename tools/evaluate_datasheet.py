#!/usr/bin/python3
"""Hold the datasheet platforms against recorded latencies (docs/notes/datasheet.md).

    tools/evaluate_datasheet.py --sloe build/sloe --data ../shared/data --models ../shared/models

Chain CNNs of a Jetson Nano (icas-jetson-nano/networks.csv.gz: FP32, batch 1, MAXN, host wall time)
are rebuilt from their recipe as ONNX files without weights, a seeded sample of one half of them is
estimated, and the error is printed beside that of a constant and of a line through the MACs, both
fitted to the other half. The halves are told apart by a hash of the network's name, so that nothing
that informed the shares in the platform files is counted in the figure that they are judged by.

Needs Debian's python3-onnx.
"""
import argparse
import csv
import gzip
import hashlib
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile

import onnx
from onnx import TensorProto, helper

NANO = "jetson-nano-4gb-datasheet-fp32"
PLATFORMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "platforms")

# Single recordings whose network is at hand: model, platform, median ms on the device, remark.
RECORDED = [
    ("tv_resnet18", "jetson-orin-nano-8gb-datasheet-fp16-super-25w", 0.878, "trtexec 10.3"),
    ("tv_mobilenet_v2", "jetson-orin-nano-8gb-datasheet-fp16", 2.095,
     "sum of layers, ReLU6 not fused, mode not stated"),
    ("tv_resnet50", "jetson-xavier-nx-8gb-datasheet-int8-15w-2core", 3.055,
     "TensorRT 7.1, Caffe's net, board not stated"),
    ("tv_resnet50", "jetson-agx-xavier-32gb-datasheet-int8-maxn", 3.055, "the same recording"),
    ("tv_googlenet", "jetson-xavier-nx-8gb-datasheet-int8-15w-2core", 1.989,
     "TensorRT 7.1, Caffe's net, board not stated"),
    ("tv_googlenet", "jetson-agx-xavier-32gb-datasheet-int8-maxn", 1.989, "the same recording"),
]


def blocks(row):
    """(kernel, pad, depthwise) of each block of a row."""
    pad = 2
    for i in range(int(row["L"])):
        kernel = int(row["K1"])
        if row["kind"] == "mixed":
            kernel = kernel if i % 2 == 0 else int(row["K2"])
            pad = 1 if kernel % 2 else pad
        elif kernel == 3 or (kernel == 1 and row["kind"] == "conv"):
            pad = 1
        yield kernel, pad, row["kind"] == "dws"


class Chain:
    """A chain CNN as an ONNX graph whose weights are external data that is not there."""

    def __init__(self, width):
        self.nodes, self.weights, self.macs, self.biases = [], [], 0, 0
        self.name, self.channels, self.size = "input", 3, width

    def weight(self, *dims):
        tensor = TensorProto(name=f"w{len(self.weights)}", data_type=TensorProto.FLOAT,
                             dims=dims, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="absent.bin")
        self.weights.append(tensor)
        return tensor.name

    def add(self, op, inputs, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name + "_out"], name=name, **attributes))
        self.name = name + "_out"

    def conv(self, kernel, pad, filters, groups):
        weight = self.weight(filters, self.channels // groups, kernel, kernel)
        self.add("Conv", [self.name, weight, self.weight(filters)], pads=[pad] * 4, group=groups,
                 kernel_shape=[kernel] * 2)
        self.size += 2 * pad - kernel + 1
        self.macs += self.size**2 * filters * self.channels // groups * kernel**2
        self.biases += self.size**2 * filters
        self.channels = filters

    def finish(self):
        self.add("Flatten", [self.name])
        inputs = self.channels * self.size**2
        self.macs += inputs * 10
        self.biases += 10
        self.add("Gemm", [self.name, self.weight(10, inputs), self.weight(10)], transB=1)


def build(row, path):
    """Write the row's network; returns its MACs. torchinfo counts a bias as one MAC an output."""
    width = int(row["W"])
    chain = Chain(width)
    for kernel, pad, depthwise in blocks(row):
        if depthwise:
            chain.conv(kernel, pad, chain.channels, chain.channels)
        chain.conv(1 if depthwise else kernel, 0 if depthwise else pad, int(row["F"]), 1)
        chain.add("Relu", [chain.name])
    chain.finish()
    if row["macs_torchinfo"] and int(row["macs_torchinfo"]) != chain.macs + chain.biases:
        sys.exit(f"{row['model']}: {chain.macs + chain.biases} MACs, recorded {row['macs_torchinfo']}")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        chain.nodes, "chain", [value("input", TensorProto.FLOAT, [1, 3, width, width])],
        [value(chain.name, TensorProto.FLOAT, [1, 10])], chain.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    with open(path, "wb") as out:
        out.write(model.SerializeToString())
    return chain.macs


def read_rows(path):
    """Rows without noise (two runs within 10 %) and throttling (clock always 921 MHz)."""
    rows = []
    with gzip.open(path, "rt") as table:
        for row in csv.DictReader(table):
            if not row["lat_ms_100runs"] or not row["lat_ms_60s"]:
                continue
            first, second = float(row["lat_ms_100runs"]), float(row["lat_ms_60s"])
            if abs(first - second) < 0.1 * second and float(row["gpu_mhz_min"]) >= 921:
                row["ms"] = second
                rows.append(row)
    return rows


def held_out(row):
    key = row["group"] + "/" + row["model"]
    return hashlib.sha256(key.encode()).digest()[0] & 1


def estimate(sloe, platform, paths):
    """[(value, low, high)] in ms, in the order of `paths`."""
    figures = []
    for start in range(0, len(paths), 50):
        command = [sloe, "estimate", *paths[start:start + 50], "-p", platform, "--format", "csv"]
        done = subprocess.run(command, capture_output=True, check=False, text=True,
                              env={**os.environ, "SLOE_PLATFORM_PATH": PLATFORMS})
        if done.returncode:
            sys.exit(f"{sloe} estimate -p {platform}: exit {done.returncode}\n{done.stderr}")
        for row in csv.DictReader(io.StringIO(done.stdout)):
            figures.append(tuple(float(row[key]) for key in
                                 ("latency_ms", "latency_low_ms", "latency_high_ms")))
    assert len(figures) == len(paths)
    return figures


def mape(pairs):
    return 100 * statistics.mean(abs(guess / truth - 1) for guess, truth in pairs)


def line_through(points):
    """Least squares y = a x + b."""
    xs, ys = zip(*points)
    mx, my = statistics.mean(xs), statistics.mean(ys)
    slope = sum((x - mx) * (y - my) for x, y in points) / sum((x - mx)**2 for x in xs)
    return slope, my - slope * mx


def report(title, rows):
    inside = 100 * statistics.mean(r["low"] <= r["ms"] <= r["high"] for r in rows)
    print(f"  {title:8} n {len(rows):4}   MAPE {mape([(r['value'], r['ms']) for r in rows]):6.1f} %"
          f"   constant {mape([(r['constant'], r['ms']) for r in rows]):6.1f} %"
          f"   line in MACs {mape([(r['line'], r['ms']) for r in rows]):6.1f} %"
          f"   inside the interval {inside:5.1f} %"
          f"   median high/low {statistics.median(r['high'] / r['low'] for r in rows):5.1f}")


def evaluate_chains(options, folder):
    rows = read_rows(os.path.join(options.data, "icas-jetson-nano", "networks.csv.gz"))
    pick = random.Random(options.seed)
    tune, test = [r for r in rows if not held_out(r)], [r for r in rows if held_out(r)]
    tune, test = (sorted(half, key=lambda r: r["group"] + r["model"]) for half in (tune, test))
    tune, test = pick.sample(tune, min(options.count, len(tune))), pick.sample(test, options.count)
    if options.half == "tune":
        test = tune
    for i, row in enumerate(tune + test):
        row["path"] = os.path.join(folder, f"{i}.onnx")
        row["macs"] = build(row, row["path"])
    slope, offset = line_through([(r["macs"], r["ms"]) for r in tune])
    constant = statistics.median(r["ms"] for r in tune)
    for row, figures in zip(test, estimate(options.sloe, NANO, [r["path"] for r in test])):
        row["value"], row["low"], row["high"] = figures
        row["constant"], row["line"] = constant, slope * row["macs"] + offset
    print(f"{NANO}: chain CNNs, {options.half} half, {len(rows)} usable rows, seed {options.seed}")
    report("all", test)
    for kind in sorted({r["kind"] for r in test}):
        report(kind, [r for r in test if r["kind"] == kind])


def evaluate_single(options):
    print("single recordings (seen while the shares were set: no validation)")
    for model, platform, ms, remark in RECORDED:
        path = os.path.join(options.models, model + ".onnx")
        value, low, high = estimate(options.sloe, platform, [path])[0]
        print(f"  {model:16} {platform:48} recorded {ms:6.3f} ms   estimate {value:6.3f}"
              f" ({100 * (value / ms - 1):+4.0f} %)   {low:.3f} to {high:.3f}"
              f"   {'inside' if low <= ms <= high else 'OUTSIDE'}   {remark}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sloe", default="build/sloe")
    parser.add_argument("--data", default="../shared/data")
    parser.add_argument("--models", default="../shared/models")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("held-out", "tune"), default="held-out")
    options = parser.parse_args()
    if not os.path.isdir(options.data):
        sys.exit(f"{options.data}: not there, nothing to hold the estimates against")
    with tempfile.TemporaryDirectory() as folder:
        evaluate_chains(options, folder)
    evaluate_single(options)


if __name__ == "__main__":
    main()
