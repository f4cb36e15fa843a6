#!/usr/bin/python3
"""Hold the datasheet platforms against published latencies, and fit their shares to some of them.

    tools/datasheet_shares.py                    the errors of each platform on data/published/jetson.csv
    tools/datasheet_shares.py --fit jetson-nano-4gb fp16 conv conv3x3 pointwise matmul --source torch2trt
    tools/datasheet_shares.py --fit jetson-orin-nano-8gb,jetson-agx-orin-64gb fp16 conv3x3 pointwise

Boards of one architecture, and sources, are named together with a comma between. Fitting moves the named numbers (shares of a precision, launch_us, memory_share of the chip) one
after the other, in steps of 30 % down to 2 %, from 0.3 (launches from 20 us, grouped from 0.02) to where the mean
|ln(estimate / published)| is least, with a thousandth of the squared logarithm of each move on top.
Then each family of networks is left out in turn, and told by what the others say: what only that
family has stays where it began. Platforms are read from data/platforms and not written.
SLOE=build/sloe
"""
import argparse
import csv
import io
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SLOE = os.environ.get("SLOE", os.path.join(ROOT, "build", "sloe"))
PLATFORMS = os.path.join(ROOT, "data", "platforms")
TABLE = os.path.join(ROOT, "data", "published", "jetson.csv")
OF_CHIP = ("launch_us", "memory_share")
WEIGHT, FIRST_STEP, LAST_STEP = 0.001, 0.3, 0.02
BEGIN, BEGIN_OF = 0.3, {"launch_us": 20.0, "grouped": 0.02}  # of fits


class Refused(Exception):
    """sloe does not take the sheet, or a network."""


class Sheets:
    """Data sheets of boards of one architecture with other numbers than their files have."""

    def __init__(self, devices, precision, folder):
        self.precision, self.folder, self.sections = precision, folder, {}
        for device in devices:
            with open(os.path.join(PLATFORMS, f"{device}-datasheet.sloe"), encoding="utf-8") as file:
                self.sections[device] = re.split(r"(?m)^(?=\[)", file.read())

    def section(self, sections, key):
        name = "[chip]" if key in OF_CHIP else f"[precision {self.precision}]"
        return next(i for i, text in enumerate(sections) if text.startswith(name))

    def write(self, numbers):
        """The worst of a pair gives way, so that it stays the worst."""
        for device, own in self.sections.items():
            sections = list(own)
            for key, value in numbers.items():
                worse = max if key == "launch_us" else min
                i = self.section(sections, key)
                sections[i] = re.sub(
                    rf"(?m)^{key} = \S+ (\S+)",
                    lambda m: f"{key} = {value:.6g} {worse(float(m[1]), value):.6g}", sections[i])
            path = os.path.join(self.folder, f"{device}-datasheet.sloe")
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(sections))


def estimate(platform, nets, folder):
    """[(value, low, high)] ms, in the order of `nets`."""
    done = subprocess.run([SLOE, "estimate", *nets, "-p", platform, "--format", "csv"],
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "SLOE_PLATFORM_PATH": folder})
    if done.returncode:
        raise Refused(f"{SLOE} estimate -p {platform}: exit {done.returncode}\n{done.stderr}")
    keys = ("latency_ms", "latency_low_ms", "latency_high_ms")
    return [tuple(float(row[key]) for key in keys)
            for row in csv.DictReader(io.StringIO(done.stdout))]


def platform_of(row):
    return f"{row['device']}-datasheet-{row['precision']}-{row['mode']}"


def grouped(rows, *keys):
    """{key: rows}, in the order in which the keys come."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(key(row) for key in keys), []).append(row)
    return groups


def errors(rows, folder):
    """estimate / published - 1 of rows, and how many lie inside the range."""
    e, inside = [], 0
    for (platform,), group in grouped(rows, platform_of).items():
        told = estimate(platform, [row["net"] for row in group], folder)
        ms = [float(row["latency_ms"]) for row in group]
        inside += sum(low <= t <= high for (_, low, high), t in zip(told, ms))
        e += [value / t - 1 for (value, _, _), t in zip(told, ms)]
    return e, inside


def family(row):
    return re.match(r"zoo:(\w+)", row["net"])[1]


def mape(e):
    return 100 * statistics.mean(abs(x) for x in e)


def fit(sheet, rows, keys):
    first = {key: BEGIN_OF.get(key, BEGIN) for key in keys}

    def loss(numbers):
        sheet.write(numbers)
        try:
            e, _ = errors(rows, sheet.folder)
        except Refused:  # a share that the chip cannot have
            return math.inf
        moved = sum(math.log(numbers[key] / first[key]) ** 2 for key in keys)
        return statistics.mean(abs(math.log1p(x)) for x in e) + WEIGHT * moved

    def better(numbers, least, step):
        for key in keys:
            for sign in (1, -1):
                other = {**numbers, key: numbers[key] * math.exp(sign * step)}
                if key == "memory_share" and other[key] > 1:
                    continue
                at = loss(other)
                if at < least - 1e-5:
                    numbers, least = other, at
                    break
        return numbers, least

    numbers, least, step = first, loss(first), FIRST_STEP
    while step > LAST_STEP:
        was = least
        numbers, least = better(numbers, least, step)
        if least == was:
            step /= 2
    sheet.write(numbers)
    return numbers


def show_fit(devices, precision, keys, rows):
    with tempfile.TemporaryDirectory() as folder:
        sheet = Sheets(devices, precision, folder)
        numbers = fit(sheet, rows, keys)
        e, inside = errors(rows, folder)
        print(" ".join(f"{key} = {value:.3g}" for key, value in numbers.items()))
        print(f"{len(rows)} rows, mean error {mape(e):.1f} %, {inside} inside the range")
        left = []
        for name in sorted({family(row) for row in rows}):
            fit(sheet, [row for row in rows if family(row) != name], keys)
            out = [row for row in rows if family(row) == name]
            e, _ = errors(out, folder)
            left += e
            print(f"without {name}: " + " ".join(f"{100 * x:+.0f}" for x in e))
        print(f"leaving families out: mean {mape(left):.1f} %, "
              f"median {100 * statistics.median(abs(x) for x in left):.1f} %")


def show_errors(rows):
    print(f"{'platform':50} {'source':12} {'n':>3} {'MAPE':>6} {'constant':>8} {'worst':>6} inside")
    for (platform, source), group in grouped(rows, platform_of, lambda r: r["source"]).items():
        e, inside = errors(group, PLATFORMS)
        ms = [float(row["latency_ms"]) for row in group]
        constant = min(mape([c / t - 1 for t in ms]) for c in ms)
        worst = max(e, key=abs)
        print(f"{platform:50} {source:12} {len(e):3} {mape(e):6.1f} {constant:8.1f} "
              f"{100 * worst:+6.0f} {inside}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--fit", nargs="+", metavar="NAME", help="DEVICE,... PRECISION KEY...")
    parser.add_argument("--source", help="rows of these sources only, a comma between")
    args = parser.parse_args()
    with open(TABLE, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file)
                if args.source is None or row["source"] in args.source.split(",")]
    if not args.fit:
        return show_errors(rows)
    if len(args.fit) < 3:
        parser.error("--fit DEVICE,... PRECISION KEY...")
    devices, precision, *keys = args.fit
    devices = devices.split(",")
    rows = [row for row in rows if row["device"] in devices and row["precision"] == precision]
    if not rows:
        parser.error(f"no rows of {args.fit[0]} in {precision}")
    return show_fit(devices, precision, keys, rows)


def run():
    try:
        main()
    except Refused as refused:
        sys.exit(str(refused))


if __name__ == "__main__":
    run()
