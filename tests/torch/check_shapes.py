#!/usr/bin/env python3
"""check_shapes.py SLOE NET...: the steps that the PyTorch agent makes of a network are sloe's layers without
fusion: as many, in the same order, with the same views, and every tensor has the size that sloe infers.

NET is an ONNX file or zoo:... Prints a line per network that differs; then how many passed and failed.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/device/torch"))

import torch
from torch_graph import Builder, read_model, shapes_of
from torch_node import Unsupported


def layers_of(sloe, net):
    """What sloe makes of it: (name, is a view, sizes of what it writes)."""
    told = subprocess.run([sloe, "info", net, "--layers", "--fusion", "none", "--format", "json"],
                          capture_output=True, text=True, check=True)
    return [(layer["name"], layer["kind"] == "view", layer["out"]) for layer in json.loads(told.stdout)["layers"]]


def steps_of(data):
    """What the agent makes of it."""
    with torch.inference_mode():
        graph = Builder(read_model(data), torch.device("cpu"), torch.float32).build()
    return [(step.name, step.is_view, sizes) for step, sizes in zip(graph.steps, shapes_of(graph))]


def bytes_of(sloe, net, folder):
    """The file of a network, written where it is only named."""
    if net.startswith("zoo:"):
        path = pathlib.Path(folder) / "net.onnx"
        subprocess.run([sloe, "zoo", "emit", net, "-o", str(path)], check=True, capture_output=True)
        return path.read_bytes()
    return pathlib.Path(net).read_bytes()


def differences(sloe, net, folder):
    """The first thing that differs; None."""
    try:
        steps = steps_of(bytes_of(sloe, net, folder))
    except Unsupported as error:
        return f"unsupported: {error}"
    layers = layers_of(sloe, net)
    if len(steps) != len(layers):
        extra = [s[0] for s in steps if s[0] not in {l[0] for l in layers}][:3]
        return f"{len(steps)} steps, {len(layers)} layers; only here: {extra}"
    for step, layer in zip(steps, layers):
        sizes = layer[2][:len(step[2])]  # what nobody reads is not always made
        if step[1:] != (layer[1], sizes) or (step[0] and step[0] != layer[0]):
            return f"here {step}, there {layer}"
    return None


def main():
    """Exit status 1 where one differs."""
    sloe, nets, failed = sys.argv[1], sys.argv[2:], 0
    with tempfile.TemporaryDirectory() as folder:
        for net in nets:
            why = differences(sloe, net, folder)
            if why:
                failed += 1
                print(f"FAILED: {net}: {why}")
    print(f"{len(nets) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
