#!/usr/bin/python3
"""The accuracy of a platform as one table, from what run.sh left in its folder.

    tools/accuracy/summary.py OUT [WORST]

WORST cases of each set are listed below the table (25). Errors are of the estimate over the measured
time, in per cent; times are scaled by the reference layer's, unless it says raw. Baselines: the best
constant, and the best line in multiply-accumulates, each fitted to one half of the rows and tried on
the other, both ways.
"""
import json
import math
import os
import statistics
import sys

import tables

SETS = (("convs", "random convolutions"), ("neuralpower", "NeuralPower's layers"), ("networks", "networks"))
GOALS = {  # least and aim: RMSPE / worst of layers, mean / worst of networks
    "convs": "5 / 40, aim 3 / 20",
    "neuralpower": "5, aim 2.5",
    "networks": "3 / 8, aim 1.5 / 5",
}


def rms(errors):
    return math.sqrt(statistics.fmean(e * e for e in errors)) if errors else math.nan


def mean_abs(errors):
    return statistics.fmean(map(abs, errors)) if errors else math.nan


def worst(errors):
    return max(map(abs, errors), default=math.nan)


def quantile(errors, q):
    ranked = sorted(map(abs, errors))
    return ranked[min(len(ranked) - 1, int(q * len(ranked)))] if ranked else math.nan


def per_cent(estimated, measured):
    return 100 * (estimated - measured) / measured


def errors_of(rows):
    return [per_cent(r[2], r[1]) for r in rows]


# ---- baselines ----


def fit_line(points, slope):
    """a, b of the least relative squared error of a + b x, over (x, y); b is 0 without `slope`."""
    s = [0.0] * 5
    for x, y in points:
        s = [p + q for p, q in zip(s, (1 / y**2, x / y**2, x * x / y**2, 1 / y, x / y))]
    det = s[0] * s[2] - s[1] ** 2
    if not slope or det <= 0:
        return s[3] / s[0], 0.0
    return (s[3] * s[2] - s[4] * s[1]) / det, (s[0] * s[4] - s[1] * s[3]) / det


def baseline(points, slope):
    """Errors of a line fitted to the even rows on the odd ones, and the other way round."""
    errors = []
    for half in range(2):
        if len(points[half::2]) < 3:
            return []
        a, b = fit_line(points[half::2], slope)
        errors += [per_cent(a + b * x, y) for x, y in points[1 - half :: 2]]
    return errors


def baselines(out, name, rows):
    macs = tables.macs_by_net(os.path.join(out, f"{name}-layers.csv"))
    points = [(macs.get(tables.net_name(r[0]), 0.0), r[1]) for r in rows]
    return baseline(points, False), baseline(points, True)


# ---- noise ----


def noise(out, name):
    """Differences of two measurements of the same layers, scaled and raw."""
    again = {r["net"]: r for r in tables.read(os.path.join(out, f"{name}-again.csv"))}
    scaled, raw = [], []
    for first in tables.read(os.path.join(out, f"{name}.csv")):
        second = again.get(first["net"])
        if not second or "ok" != first["quality"] or "ok" != second["quality"]:
            continue
        a, b = (tables.number(r, "latency_ms") for r in (first, second))
        raw.append(per_cent(b, a))
        scaled.append(per_cent(b / tables.number(second, "ref_ms"), a / tables.number(first, "ref_ms")))
    return scaled, raw


# ---- the table ----


def print_errors(what, errors, note=""):
    print(f"  {what:<26}{len(errors):>5}{mean_abs(errors):>8.2f}{quantile(errors, 0.5):>8.2f}"
          f"{quantile(errors, 0.95):>8.1f}{rms(errors):>8.2f}{worst(errors):>8.1f}  {note}")


def print_set(out, name, title):
    rows = tables.predictions(os.path.join(out, f"{name}-predictions.csv"))
    if not rows:
        return
    raw = tables.predictions(os.path.join(out, f"{name}-predictions-raw.csv"))
    with open(os.path.join(out, f"{name}.nets"), encoding="utf-8") as file:
        asked = len(set(file.read().split("\n")) - {""})
    measured = tables.read(os.path.join(out, f"{name}.csv"))
    bad = sum(r["quality"] != "ok" for r in measured)
    inside = [r for r in rows if r[3] <= r[1] <= r[4]]
    mean = "mean" if name == "networks" else "RMSPE"
    print(f"{title}: goal {mean} / worst {GOALS[name]}; {asked} asked, {asked - len({r['net'] for r in measured})}"
          f" refused, {bad} too noisy; {sum(not r[5] for r in rows)} outside the domain;"
          f" 90 % interval covers {100 * len(inside) / len(rows):.1f} %")
    print_errors("platform", errors_of(rows))
    print_errors("platform, raw", errors_of(raw))
    domain = [r for r in rows if r[5]]
    if len(domain) < len(rows):
        print_errors("platform, in domain", errors_of(domain))
    constant, line = baselines(out, name, rows)
    print_errors("constant", constant)
    print_errors("line in MACs", line)
    scaled, unscaled = noise(out, name)
    if scaled:
        print_errors("measured twice", scaled, "the noise floor")
        print_errors("measured twice, raw", unscaled)
    print()


def print_platform(out):
    path = os.path.join(out, "platform.json")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        fitted = json.load(file).get("fitted") or {}
    print(f"to profile: {fitted.get('points')} measurements, {(fitted.get('seconds') or math.nan) / 60:.1f} min"
          " (goal 5000, 60; aim 2000, 20)")
    path = os.path.join(out, "estimate-time.txt")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for net, step, *microseconds in map(str.split, file):
                if step == "layer":
                    print(f"to estimate: {float(microseconds[0]):.3f} us a layer of {net} (goal 0.5, aim 0.1)")
    print()


def print_worst(out, name, title, count):
    rows = tables.predictions(os.path.join(out, f"{name}-predictions.csv"))
    rows = sorted(set(rows), key=lambda r: -abs(per_cent(r[2], r[1])))
    if rows:
        print(f"{title}, the worst: measured ms, estimated ms, error, outside the domain")
    for net, measured, estimated, _, _, inside in rows[:count]:
        print(f"  {tables.net_name(net).removeprefix('zoo:layer,'):<60}{measured:>11.4f}{estimated:>11.4f}"
              f"{per_cent(estimated, measured):>+8.1f} %{'' if inside else '  outside'}")
    if rows:
        print()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 25
    print(f"  {'errors, per cent':<26}{'rows':>5}{'mean':>8}{'median':>8}{'p95':>8}{'rms':>8}{'worst':>8}")
    for name, title in SETS:
        print_set(out, name, title)
    print_platform(out)
    for name, title in SETS:
        print_worst(out, name, title, count)


main()
