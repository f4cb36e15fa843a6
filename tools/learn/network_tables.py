#!/usr/bin/python3
"""Bouzidi et al. 2022, tables 6 to 11, of what networks.sh left in its folder.

    network_tables.py values TABLE COLUMN     the values of a column, spaces first, others in order of appearance
    network_tables.py tables OUT SPACE...     Markdown, ours beside theirs (bouzidi.csv: AGX Xavier, TX2, Nano)
"""
import csv
import gzip
import json
import os
import sys

METRICS = (("latency_ms", "Time", "6 and 7"), ("power_w", "Power", "8 and 9"), ("memory_mb", "Memory", "10 and 11"))
SPACES = ("nis", "ncv", "nca")  # in the order of the paper
THEIRS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bouzidi.csv")


def rows_of(path):
    csv.field_size_limit(1 << 30)
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def values(path, column):
    found = dict.fromkeys(r.get(column) or "" for r in rows_of(path))
    return [s for s in SPACES if s in found] + [v for v in found if v and v not in SPACES]


def theirs():
    return {(r["metric"], r["model"], r["space"]): r for r in rows_of(THEIRS)}


def load(folder, name):
    with open(os.path.join(folder, f"{name}.json")) as file:
        return json.load(file)


def errors(folder, spaces):
    """(metric, model or "" for what answers, space) -> errors"""
    found = {}
    for space in ["all", *spaces]:
        for e in load(folder, space)["errors"]:
            found[e["metric"], e["group"] or "", space] = e
    return found


def number(value, digits=3):
    if value is None:
        return "-"
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in text else text


def cell(e):
    if not e or e["mape"] is None:
        return "-"
    return f"{number(e['mape'])} ± {number(e['mape_ci95'], 2)}"


def print_metric(metric, title, numbers, ours, costs, spaces):
    paper = theirs()
    models = [m for m in costs if any((metric, m, s) in ours for s in spaces)]
    if not models:
        return
    print(f"\n{title} (Z tables {numbers}): MAPE ± its 95 % interval, per cent; Kendall; Pearson\n")
    heads = [f"{s.upper()}, {ours[metric, '', s]['n']} networks" for s in spaces]
    print("| | " + " | ".join(h + " | K | P" for h in heads) + " | train s | tune s | us | theirs: " +
          ", ".join(s.upper() for s in SPACES) + " |")
    print("|---" * (3 * len(spaces) + 5) + "|")
    for model in models + [""]:
        cells = []
        for space in spaces:
            e = ours.get((metric, model, space))
            cells += [cell(e), number(e and e["kendall"]), number(e and e["pearson"])]
        cost = costs.get(model, {})
        cells += [number(cost.get(k), 2) for k in ("train_s", "tune_s", "predict_us")]
        rows = [paper.get((metric, model, s)) for s in SPACES]
        cells.append("; ".join("/".join(r[f"mape_{b}"] for b in ("agx", "tx2", "nano")) for r in rows if r) or "-")
        print(f"| {model or 'the platform'} | " + " | ".join(cells) + " |")
    constants = [number(ours[metric, "", s]["mape_constant"]) for s in spaces]
    print("| constant | " + " | ".join(c + " | | " for c in constants) + " | | | | |")


def tables(folder, spaces):
    spaces = spaces or ["all"]
    ours, train = errors(folder, spaces), load(folder, "train")
    print(f"Learned from {train['rows']} networks, {train['features']} features.")
    for metric, title, numbers in METRICS:
        costs = {m["model"]: m for m in train["models"] if m["metric"] == metric}
        if costs:
            print_metric(metric, title, numbers, ours, costs, spaces)


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "values":
        print("\n".join(values(*sys.argv[2:])))
    elif len(sys.argv) >= 3 and sys.argv[1] == "tables":
        tables(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)
