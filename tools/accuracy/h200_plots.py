#!/usr/bin/env python3
"""h200_plots.py OUT: pictures of the shipped platforms of the H200 against the shipped recordings.

For each precision: sweeps of 3x3 convolutions with what is told of them, told against measured (convolutions
that no fit has seen), and the error by kind of layer (single layers of the campaign, held-out ones apart).
SLOE=build/sloe. Needs matplotlib."""
import collections, csv, gzip, os, subprocess, sys, tempfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SLOE = os.environ.get("SLOE", os.path.join(ROOT, "build", "sloe"))


def recording(precision, part=""):
    return os.path.join(ROOT, "data", "recordings", f"nvidia-h200-cudnn9-{precision}{part}.csv.gz")


def predictions(precision, part=""):
    """net -> (measured ms, told ms)"""
    platform = os.path.join(ROOT, "data", "platforms", f"h200-cudnn9-{precision}.sloe")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "p.csv")
        subprocess.run([SLOE, "evaluate", recording(precision, part), "-p", platform, "--raw", "--predictions", path],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        with open(path) as file:
            return {r["net"]: (float(r["measured"]), float(r["estimated"])) for r in csv.DictReader(file)
                    if r["metric"] == "latency_ms" and r["measured"] and r["estimated"]}


def splits(precision):
    csv.field_size_limit(1 << 30)
    with gzip.open(recording(precision), "rt") as file:
        return {r["net"]: r["split"] for r in csv.DictReader(file)}


def spec(net):
    return dict(pair.split("=", 1) for pair in net[len("zoo:layer,"):].split(","))


def sweeps(told, split, kernel):
    """dimension -> points (x, measured, told) of the lines of one dense convolution of stride 1"""
    base = collections.Counter()
    rows = []
    for net, times in told.items():
        if split.get(net) != "line" or not net.startswith("zoo:layer,op=conv"):
            continue
        s = spec(net)
        if s.get("kernel", "1") != kernel or s.get("stride", "1") != "1" or "groups" in s:
            continue
        s = {d: int(s.get(d, s.get("c", 1) if d == "k" else 1)) for d in "kchw"}
        rows.append((s, times))
        base.update(s.items())
    usual = {d: max((n, v) for (e, v), n in base.items() if e == d)[1] for d in "kchw"} if rows else {}
    return {d: sorted((s[d], *t) for s, t in rows if all(s[e] == usual[e] for e in "kchw" if e != d)) for d in usual}


def plot_sweeps(told, split, path):
    figure, axes = plt.subplots(2, 4, figsize=(16, 7))
    for row, kernel in zip(axes, ("3", "1")):
        for axis, (dimension, points) in zip(row, sweeps(told, split, kernel).items()):
            axis.plot([p[0] for p in points], [p[1] for p in points], "k.", label="measured")
            axis.step([p[0] for p in points], [p[2] for p in points], where="mid", label="told")
            axis.set(xlabel=f"{dimension}, {kernel}x{kernel}", ylabel="ms", ylim=0)
            axis.legend()
    figure.tight_layout()
    figure.savefig(path)


def plot_told(told, path):
    figure, axis = plt.subplots(figsize=(6, 6))
    axis.loglog([m for m, _ in told.values()], [t for _, t in told.values()], ".", markersize=3)
    ends = [min(m for m, _ in told.values()), max(m for m, _ in told.values())]
    axis.loglog(ends, ends, "k-", linewidth=0.5)
    axis.set(xlabel="measured, ms", ylabel="told, ms")
    figure.tight_layout()
    figure.savefig(path)


def plot_kinds(told, split, path):
    errors = collections.defaultdict(list)
    for net, (measured, said) in told.items():
        if net.startswith("zoo:layer,") and "#" not in net:
            held = split.get(net) == "held-out"
            errors["held-out" if held else spec(net)["op"]].append(100 * abs(said / measured - 1))
    names = sorted(errors, key=lambda name: sorted(errors[name])[len(errors[name]) // 2])
    figure, axis = plt.subplots(figsize=(8, 6))
    axis.boxplot([errors[n] for n in names], vert=False, labels=[f"{n} ({len(errors[n])})" for n in names], showfliers=False)
    axis.set(xlabel="error, %")
    figure.tight_layout()
    figure.savefig(path)


def main(out):
    os.makedirs(out, exist_ok=True)
    for precision in ("fp32", "fp16"):
        told, split = predictions(precision), splits(precision)
        plot_sweeps(told, split, os.path.join(out, f"sweeps-{precision}.png"))
        plot_kinds(told, split, os.path.join(out, f"kinds-{precision}.png"))
        plot_told(predictions(precision, "-convolutions"), os.path.join(out, f"told-{precision}.png"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
