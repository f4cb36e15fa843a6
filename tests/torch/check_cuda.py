#!/usr/bin/env python3
"""check_cuda.py [NET.onnx...]: the PyTorch agent's GPU half, where there is a GPU: layers and networks give what
they give on the processor, in every precision, captured or not, and their times make sense.

Needs no sloe. Prints a line a case: device time, sum of layers, memory, how far the results are from the
processor's; then how many passed and failed.
"""
import argparse
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src/device/torch"))

import torch
import torch_layer
from torch_cuda import Cuda
from torch_graph import Builder, read_model
from torch_job import Job
from torch_node import Unsupported

LAYERS = ["op=conv,c=64,h=56,w=56,k=64,kernel=3,act=relu", "op=conv,c=96,h=56,w=56,k=96,kernel=3,groups=96",
          "op=deconv,c=64,h=28,w=28,k=32,kernel=4,stride=2,pad=1", "op=fc,n=16,c=4096,k=4096",
          "op=matmul,n=12,h=197,c=64,k=197", "op=maxpool,c=64,h=112,w=112,kernel=3,stride=2",
          "op=avgpool,c=64,h=56,w=56,kernel=2,stride=2", "op=globalpool,c=2048,h=7,w=7",
          "op=batchnorm,c=256,h=56,w=56,act=relu", "op=layernorm,n=197,c=768", "op=lrn,c=64,h=56,w=56",
          "op=activation,c=256,h=56,w=56,act=swish", "op=binary,c=256,h=56,w=56,with=channel",
          "op=softmax,n=2364,c=197", "op=reduce,c=256,h=56,w=56", "op=resize,c=64,h=40,w=40,out=80,linear=1",
          "op=concat,c=512,h=28,w=28,parts=4", "op=slice,c=64,h=56,w=56,k=16", "op=transpose,c=96,h=56,w=56",
          "op=copy,c=64,h=56,w=56", "op=reorder,c=64,h=56,w=56"]
MODES = [("fp32", "none", 1e-3), ("tf32", "none", 3e-2), ("fp16", "none", 5e-2), ("fp32", "graph", 1e-3),
         ("fp16", "graph", 5e-2)]


def cases(nets):
    """(name, model, is a network)."""
    for spec in LAYERS:
        yield spec, torch_layer.model_of(spec), False
    for path in nets or sorted((ROOT / "data/models").glob("*.onnx")):
        yield pathlib.Path(path).stem, read_model(pathlib.Path(path).read_bytes()), True


def distance(want, got):
    """Of the results, relative to their size."""
    far = [((a - b.float().cpu()).norm() / a.norm().clamp(min=1e-20)).item() for a, b in zip(want, got)]
    return max(far)


def results_of(job):
    """Those of a run as it is timed."""
    if not job.captured:
        return job.graph.run()
    job.captured.replay()
    torch.cuda.synchronize()
    return job.outputs


def check(device, model, is_network, most):
    """(a line, whether all is well); weights and inputs are the same on both."""
    torch.manual_seed(7)
    want = Builder(model, torch.device("cpu"), torch.float32).build().run()
    torch.manual_seed(7)
    job = Job.load(device, model, is_network)
    far = distance(want, results_of(job))
    times = []
    for _ in range(20):
        device.settle(job)
        times.append(device.run(job)[0])
    layers = sum(device.run_layers(job))
    memory, ns = job.memory(), statistics.median(times)
    line = f"{ns / 1e3:9.1f} us  layers {layers / 1e3:9.1f} us  {memory['total_mb']:8.1f} MB  off by {far:.1e}"
    sound = far < most and ns > 0 and layers > 0 and memory["total_mb"] > 0
    return line, sound


def main():
    """Exit status 1 where one differs."""
    if not torch.cuda.is_available():
        print("skipped: no GPU that PyTorch can use\n0 passed, 0 failed, 1 skipped")
        return 0
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for precision, how, most in MODES:
        device = Cuda(argparse.Namespace(index=0, precision=precision, compile=how, threads=1, batch=1))
        print(f"-- {precision} {how}: {device.describe()}")
        for name, model, is_network in cases(sys.argv[1:]):
            try:
                with torch.inference_mode():
                    line, sound = check(device, model, is_network, most)
            except Unsupported as error:
                line, sound = f"unsupported: {error}", None
            verdict = {None: "skipped", True: "passed", False: "failed"}[sound]
            counts[verdict] += 1
            print(f"{verdict:8}{name:56} {line}", flush=True)
        print("power:", device.sense() if device.has_power else "no sensor")
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
