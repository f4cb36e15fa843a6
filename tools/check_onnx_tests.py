#!/usr/bin/env python3
"""Holds sloe's inferred output shapes against those that ONNX's own operator tests declare.

    tools/check_onnx_tests.py build/sloe [FOLDER]

FOLDER holds model.onnx files (Debian: libonnx-testdata, the default). Needs python3-onnx, only to read
what the files declare. Prints how many agree and every one that does not; exit status 1 if any output
has another size than declared. A size that sloe leaves open ("?") because the model takes it as an
input at run time is counted apart.
"""
import json
import pathlib
import subprocess
import sys

import onnx


def declared(value):
    """Dims of a tensor, None where the file leaves one open or it is no tensor."""
    if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
        return None
    dims = value.type.tensor_type.shape.dim
    # A dim of 0 is how some exporters write an open one; sloe takes it so.
    return [d.dim_value or None if d.HasField("dim_value") else None for d in dims]


def inferred(sloe, path):
    run = subprocess.run([sloe, "info", path, "--format", "json"], capture_output=True, text=True)
    if run.returncode != 0:
        return None, run.stderr.strip().splitlines()[-1]
    return {t["name"]: t["shape"] for t in json.loads(run.stdout)["outputs"]}, None


def compare(want, got):
    if want is None:
        return "undeclared"
    if got is None or None in got:
        same_rank = got is None or len(got) == len(want)
        return "open" if same_rank else "wrong"
    same = len(want) == len(got) and all(w is None or w == g for w, g in zip(want, got))
    return "same" if same else "wrong"


def main():
    sloe = sys.argv[1]
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share/libonnx-testdata/data")
    counts = {"same": 0, "open": 0, "undeclared": 0, "wrong": 0, "refused": 0}
    for path in sorted(folder.rglob("model.onnx")):
        shapes, refusal = inferred(sloe, str(path))
        if refusal:
            counts["refused"] += 1
            print(f"refused {path.parent.name}: {refusal}")
            continue
        for output in onnx.load(str(path)).graph.output:
            want, got = declared(output), shapes.get(output.name)
            verdict = compare(want, got)
            counts[verdict] += 1
            if verdict == "wrong":
                print(f"wrong {path.parent.name}: {output.name} is {got}, declared {want}")
    print(f"onnx {onnx.__version__}: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
    return counts["wrong"] != 0


if __name__ == "__main__":
    sys.exit(main())
