#!/usr/bin/env python3
"""visits.py FIRST.csv[.gz] SECOND.csv[.gz]: how far two visits to a device agree on the networks and layers that both
measured, in per cent of the first: median, mean, 95th of 100, the largest and whose it is, and the mean with its sign
(another card, another clock). Rows of other quality than `ok` are left out, and counted.
"""
import csv
import gzip
import sys

METRICS = ("latency_ms", "power_w", "memory_mb")


def rows(path):
    opened = gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")
    with opened as file:
        table = list(csv.DictReader(file))
    good = {(row["net"], row.get("batch") or "1"): row for row in table if row.get("quality", "ok") == "ok"}
    return good, len(table) - len(good)


def differences(first, second, metric):
    """(per cent of the first, whose) of every row that both have, the smallest first."""
    found = []
    for key, row in first.items():
        a, b = row.get(metric), second[key].get(metric) if key in second else None
        if a and b and float(a) > 0:
            found.append((100 * (float(b) / float(a) - 1), key[0]))
    return sorted(found, key=lambda d: abs(d[0]))


def main(paths):
    if len(paths) != 2:
        sys.exit(__doc__)
    (first, left), (second, right) = rows(paths[0]), rows(paths[1])
    print(f"{len(first.keys() & second.keys())} rows in both, {left + right} not ok")
    print(f"{'':12}{'n':>6}{'median':>9}{'mean':>9}{'95 %':>9}{'worst':>9}{'signed':>9}")
    for metric in METRICS:
        found = differences(first, second, metric)
        if not found:
            continue
        size = [abs(d) for d, _ in found]
        told = (size[len(size) // 2], sum(size) / len(size), size[int(0.95 * (len(size) - 1))], size[-1],
                sum(d for d, _ in found) / len(found))
        print(f"{metric:12}{len(found):6}" + "".join(f"{x:9.2f}" for x in told) + f"  {found[-1][1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
