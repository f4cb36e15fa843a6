#!/usr/bin/python3
"""kinds.py OUT: what kinds.sh found, as Markdown.

First of each kind left out: its rows, the share that is told to lie outside the domain, MAPE, coverage of the 90 %
interval, and how wide it is (the median of high / value outside the domain). Then, over random draws of K of these kinds
of which each in turn is the new one, how often three rules cover a kind's rows, and the median interval.
"""
import csv
import glob
import math
import os
import random
import sys

METRICS = {"latency_ms": "time", "power_w": "power", "memory_mb": "memory"}
END, DRAWS = "-predictions.csv", 400


def load(folder):
    """metric -> kind -> rows (measured, estimated, low, high, inside)"""
    found = {m: {} for m in METRICS}
    for path in sorted(glob.glob(os.path.join(folder, "*" + END))):
        with open(path, newline="") as file:
            for r in csv.DictReader(file):
                row = tuple(float(r[c]) for c in ("measured", "estimated", "low", "high", "in_domain"))
                found[r["metric"]].setdefault(os.path.basename(path)[:-len(END)], []).append(row)
    return found


def median(values):
    values = sorted(values)
    return values[len(values) // 2] if values else float("nan")


def percent(share):
    return "-" if share != share else f"{100 * share:.0f} %"


def print_kinds(metric, kinds):
    print(f"\n| {METRICS[metric]}, left out | rows | outside | MAPE | covered | outside of the domain | interval |")
    print("|---|---|---|---|---|---|---|")
    means = []
    for kind, rows in sorted(kinds.items(), key=lambda k: -len(k[1])):
        outside = [r for r in rows if not r[4]]
        covered = [sum(r[2] <= r[0] <= r[3] for r in some) / len(some) if some else float("nan") for some in (rows, outside)]
        mape = sum(abs(r[1] / r[0] - 1) for r in rows) / len(rows)
        means.append((covered[0], covered[1]))
        interval = f"x {median([r[3] / r[1] for r in outside]):.2f}" if outside else "-"
        print(f"| {kind} | {len(rows)} | {percent(len(outside) / len(rows))} | {100 * mape:.3g} | {percent(covered[0])} | "
              f"{percent(covered[1])} | {interval} |")
    known = [m[1] for m in means if m[1] == m[1]]
    print(f"| mean of the kinds | | | | {percent(sum(m[0] for m in means) / len(means))} | "
          f"{percent(sum(known) / max(1, len(known)))} | |")


# ---- the rules ----


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values), max(1, math.ceil(q * len(values) - 1e-9))) - 1]


def of_rows(kinds):
    return quantile([e for k in kinds for e in k], 0.9)


def of_weights(kinds):
    below = 0
    for e, weight in sorted((e, 1 / (len(k) * (len(kinds) + 1))) for k in kinds for e in k):
        below += weight
        if below >= 0.9 - 1e-9:
            return e
    return math.inf


def worst(kinds):
    return max(quantile(k, 0.9) for k in kinds)


RULES = (("rows", of_rows), ("the worst kind", worst),
         ("sloe", lambda kinds: min(of_weights(kinds), (1 + 1 / len(kinds)) * worst(kinds))))


def print_rules(metric, kinds):
    errors = [[abs(math.log(r[1] / r[0])) for r in rows] for rows in kinds.values()]
    if len(errors) < 6:
        return
    rng = random.Random(1)
    print(f"\n| {METRICS[metric]}, kinds known | " + " | ".join(f"{n}: covered | interval" for n, _ in RULES) + " |")
    print("|---" * (2 * len(RULES) + 1) + "|")
    for known in [k for k in (2, 3, 4, 6, 8, 9, 12) if k < len(errors) - 1] + [len(errors) - 1]:
        told = [[] for _ in RULES]
        for _ in range(DRAWS):
            new, *others = rng.sample(errors, known + 1)
            for (_, rule), t in zip(RULES, told):
                width = rule(others)
                t.append((sum(e <= width for e in new) / len(new), width))
        print(f"| {known} | " + " | ".join(
            f"{percent(sum(c for c, _ in t) / DRAWS)} | x {math.exp(median([w for _, w in t])):.2f}" for t in told) + " |")


def main(folder):
    for metric, kinds in load(folder).items():
        if kinds:
            print_kinds(metric, kinds)
            print_rules(metric, kinds)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
