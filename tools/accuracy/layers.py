#!/usr/bin/python3
"""Where the error of a network's estimate comes from: its layers in the network, alone, estimated.

    tools/accuracy/layers.py OUT [NAME...]      OUT of run.sh, its part `layers`; all networks there

A row for each kind of layer, then the layers that are furthest off. `in net` is a clock around the layer
as the network runs, `alone` the layer as profiling measures it, `estimate` the platform's answer, all
in ms scaled by the reference layer's time. `alone` against `in net` is what no estimate of single
layers can know; `estimate` against `alone` is the error of the layer models.
"""
import glob
import json
import math
import os
import sys

import tables

FURTHEST = 8


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def label(layer):
    """A convolution's sort beside its kind, from its multiply-accumulates for each result."""
    if layer["kind"] != "conv" or not layer["macs"]:
        return layer["kind"]
    channels = layer["in"][0][1]
    each = round(layer["macs"] / math.prod(layer["out"][0]))
    if each == channels:
        return "conv 1x1"
    return "conv grouped" if each % channels else "conv larger"


def layer_rows(measured, estimate, scale):
    """(name, kind, shapes, in net, alone, estimate) of each layer that takes time."""
    rows = []
    for m, e in zip(measured["layers"], estimate["layers"]):
        if m["kind"] == "view" or m["latency_ms"] is None:
            continue
        alone = m.get("isolated_ms")
        shapes = " ".join("x".join(map(str, s)) for s in m["in"]) + " > " + "x".join(map(str, m["out"][0]))
        rows.append((m["name"], label(m), shapes, m["latency_ms"] * scale,
                     None if alone is None else alone * scale, e["latency_ms"]))
    return rows


def both(out, name):
    """The measured and the estimated document of a network, the scale from then to the platform's
    reference time, and the rows."""
    measured = load(os.path.join(out, "layers", f"{name}.json"))
    estimate = load(os.path.join(out, "layers", f"{name}.estimate"))
    reference = load(os.path.join(out, "platform.json"))["fitted"]["reference_ms"]
    scale = reference / measured["ref_ms"]
    return measured, estimate, scale, layer_rows(measured, estimate, scale)


def percent(a, b):
    return f"{100 * (a / b - 1):+7.1f} %" if a is not None and b else "        -"


def ms(value):
    return f"{value:9.3f}" if value is not None else "        -"


def line(what, count, in_net, alone, estimate):
    print(f"  {what:<34}{count:>5}{ms(in_net)}{ms(alone)}{ms(estimate)}  {percent(alone, in_net)}"
          f"  {percent(estimate, alone)}  {percent(estimate, in_net)}")


def by_kind(rows):
    sums = {}
    for _, kind, _, *times in rows:
        have = sums.setdefault(kind, [0, 0.0, 0.0, 0.0])
        have[0] += 1
        for i, t in enumerate(times):
            have[i + 1] += t or 0
    return sorted(sums.items(), key=lambda item: -item[1][1])


def report(out, name):
    measured, estimate, scale, rows = both(out, name)
    whole, answer = measured["latency_ms"]["p50"] * scale, estimate["latency_ms"]["p50"]
    print(f"{name}: measured {whole:.2f} ms (scaled by {scale:.3f}), estimate {answer:.2f}"
          f" {percent(answer, whole).strip()}; sum of layers in net / whole"
          f" {percent(sum(r[3] for r in rows), whole).strip()}")
    print(f"  {'':<34}{'n':>5}{'in net':>9}{'alone':>9}{'estimate':>9}  {'alone/net':>9}  {'est/alone':>9}"
          f"  {'est/net':>9}")
    line("all", len(rows), sum(r[3] for r in rows), sum(r[4] or 0 for r in rows), sum(r[5] for r in rows))
    for kind, (count, *times) in by_kind(rows):
        line(kind, count, *times)
    print("  furthest off:")
    for _, kind, shapes, *times in sorted(rows, key=lambda r: -abs(r[5] - r[3]))[:FURTHEST]:
        line(f"{kind} {shapes}"[:39], "", *times)
    print()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = sys.argv[1]
    found = sorted(glob.glob(os.path.join(out, "layers", "*.estimate")))
    for name in sys.argv[2:] or map(tables.net_name, found):
        report(out, name)


if __name__ == "__main__":
    main()
