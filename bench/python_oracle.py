#!/usr/bin/env python3
"""python_oracle.py SLOE [RUNS]: what a question costs from Python (bindings/python), beside a process of the command SLOE for
the same. Medians and the 5th and 95th percentile over RUNS rounds (101), microseconds; a round takes each in turn, so that
what disturbs one disturbs all. SLOE_BENCH_PLATFORM: the platform that is asked (default: h200-cudnn9-fp32).
"""
import os
import pathlib
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
SLOE = os.path.abspath(sys.argv[1])
RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 101
os.environ["SLOE_PLATFORM_PATH"] = str(SOURCE / "data/platforms")
os.environ.setdefault("SLOE_LIBRARY", os.path.join(os.path.dirname(SLOE), "libsloe.so.0"))
sys.path.insert(0, str(SOURCE / "bindings/python"))

import sloe

PLATFORM = os.environ.get("SLOE_BENCH_PLATFORM", "h200-cudnn9-fp32")
SHEET, SPEC = "jetson-orin-nano-8gb-datasheet-fp16", "zoo:resnet,depth=18"
FILE = str(SOURCE / "data/models/tv_resnet18.onnx")


def process(net, platform):
    return lambda: subprocess.run([SLOE, "estimate", net, "-p", platform], check=True, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)


sheet, platform, net = sloe.Platform(SHEET), sloe.Platform(PLATFORM), sloe.Net(FILE)
answer = platform.estimate(net)
STEPS = [  # what, how often in a round, the question
    ("open a platform by name", 1, lambda: sloe.Platform(PLATFORM)),
    ("open a network of the zoo", 20, lambda: sloe.Net(SPEC)),
    ("open a file", 20, lambda: sloe.Net(FILE)),
    ("latency, data sheet", 20, lambda: float(sheet.estimate(net).latency_ms)),
    ("latency, fitted", 20, lambda: float(platform.estimate(net).latency_ms)),
    ("  with all layers", 20, lambda: platform.estimate(net).layers),
    ("  as a document", 20, lambda: platform.estimate(net).to_dict()),
    ("zoo to latency, data sheet", 20, lambda: float(sheet.estimate(SPEC).latency_ms)),
    ("zoo to latency, fitted", 20, lambda: float(platform.estimate(SPEC).latency_ms)),
    ("sloe, zoo, data sheet", 1, process(SPEC, SHEET)),
    ("sloe, zoo, fitted", 1, process(SPEC, PLATFORM)),
    ("sloe, file, fitted", 1, process(FILE, PLATFORM)),
]

taken = {name: [] for name, _, _ in STEPS}
for _ in range(RUNS + 1):
    for name, times, ask in STEPS:
        begin = time.perf_counter_ns()
        for _ in range(times):
            ask()
        taken[name].append((time.perf_counter_ns() - begin) / times / 1e3)

print(f"{answer.net}, {len(answer.layers)} layers; fitted: {platform.name}; {RUNS} rounds, Python {sys.version.split()[0]}")
print(f"  {'microseconds':28} {'median':>9} {'p5 .. p95':>21}")
for name, times in taken.items():
    times = sorted(times[1:])  # the first round warms up
    p5, median, p95 = (times[round(q * (len(times) - 1))] for q in (0.05, 0.5, 0.95))
    print(f"  {name:28} {median:9.1f} {f'{p5:.1f} .. {p95:.1f}':>21}")
