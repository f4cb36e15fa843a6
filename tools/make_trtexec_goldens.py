#!/usr/bin/python3
"""Write tests/data/goldens/trtexec.txt: what stands in the recorded files of trtexec.

    tools/make_trtexec_goldens.py [RECORDINGS [FILE]]

A reading independent of src/device/trtexec: regular expressions over logs, Python's own JSON. Numbers
are those of the files, medians and sums are taken here. The file, line by line:
    file NAME               begins a file
    rows N                  records that it gives: networks and layers
    refused                 it is none of trtexec's, or holds no run
    network N               begins the N-th network of the file, from 0
    layer N                 begins the N-th layer
    COLUMN VALUE            of it, as `sloe import trtexec` names it
    name_length N           bytes in the layer's name
"""
import json
import os
import re
import statistics
import sys

NUMBER = r"([-+0-9.e]+|nan|inf)"
HERE = os.path.dirname(os.path.abspath(__file__))


def figures_of_8(text, label):
    """{min: x, ...} of the line "LABEL: min = x ms, ..."."""
    line = re.search(r"\] " + re.escape(label) + r": (min = .*)$", text, re.M)
    if not line:
        return {}
    pairs = re.findall(r"(\w+(?:\(\d+%\))?) = " + NUMBER + " ms", line.group(1))
    return {key: value for key, value in pairs}


def block_of_7(text, label):
    """The same of the lines behind one that is LABEL."""
    at = re.search(r"\] \[I\] " + re.escape(label) + r"\s*$", text, re.M)
    if not at:
        return {}
    out = {}
    for line in text[at.end() :].splitlines()[1:]:
        m = re.search(r"\[I\] (min|max|mean|median|percentile): " + NUMBER + r" ms(?: at (\d+)%)?", line)
        if not m:
            break
        out["percentile(%s%%)" % m.group(3) if m.group(3) else m.group(1)] = m.group(2)
    return out


def first(pattern, text):
    m = re.search(pattern, text, re.M)
    return m.group(1).strip() if m else None


def version_of(text):
    told = first(r"TensorRT version: ([0-9.]+)", text)
    if told and "." in told:
        return told
    packed = first(r"\[TensorRT v(\d+)\]", text)
    if packed and len(packed) == 4:
        return "%d.%d.%d" % (int(packed[0]), int(packed[1]), int(packed[2:]))
    if packed:
        return "%d.%d.%d" % (int(packed[:2]), int(packed[2:4]), int(packed[4:]))
    return None


def network_of_log(text):
    new = figures_of_8(text, "GPU Compute Time")
    gpu = new or block_of_7(text, "GPU Compute")
    host = figures_of_8(text, "Latency") or block_of_7(text, "Host Latency")
    row = {
        "latency_ms": gpu.get("median"),
        "latency_min_ms": gpu.get("min"),
        "latency_max_ms": gpu.get("max"),
        "latency_mean_ms": gpu.get("mean"),
        "p90": gpu.get("percentile(90%)"),
        "p95": gpu.get("percentile(95%)"),
        "p99": gpu.get("percentile(99%)"),
        "host_ms": host.get("median"),
        "h2d_ms": figures_of_8(text, "H2D Latency").get("median"),
        "d2h_ms": figures_of_8(text, "D2H Latency").get("median"),
        "enqueue_ms": (figures_of_8(text, "Enqueue Time") or block_of_7(text, "Enqueue Time")).get("median"),
        "throughput_qps": first(r"[Tt]hroughput: ([0-9.]+) qps", text),
        "runs": first(r"Timing trace has (\d+) queries", text),
        "version": version_of(text) or "7.1",
        "gpu": first(r"Selected Device: (.*)$", text),
        "compute_capability": first(r"Compute Capability: ([0-9.]+)", text),
        "sms": first(r"SMs: (\d+)", text),
        "build_s": first(r"Engine built in ([0-9.]+) sec", text),
        "command": first(r"^&&&& \w+ TensorRT\.trtexec.*? # (.*)$", text),
    }
    batch = first(r"--batch=(\d+)", text) or first(r"nput binding for .* with dimensions (\d+)x", text)
    row["batch"] = batch
    return row


def table_of_log(text):
    """Rows of --dumpProfile as 8.5 prints it: name, total, average, median, per cent."""
    out = []
    at = text.find("=== Profile (")
    if at < 0:
        return out
    for line in text[at:].splitlines():
        m = re.match(r"\[.*?\] \[I\]\s+(\S.*?)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)\s+([0-9.]+)$", line)
        if m and m.group(1) != "Total":
            out.append(m.groups())
    return out


def of_log(text):
    runs = re.split(r"(?=^&&&& RUNNING)", text, flags=re.M)
    networks = []
    layers = []
    for run in runs:
        if "--onnx=<file>" in run or not re.search(r"&&&& (PASSED|FAILED)", run):
            continue
        networks.append(network_of_log(run))
        for name, total, average, median, percent in table_of_log(run):
            layers.append((name, {"latency_ms": average, "total_ms": total, "latency_median_ms": median,
                                  "share": repr(float(percent) / 100)}))
    return networks, layers


def of_times(records):
    warm = [r for r in records if r["startComputeMs"] >= 200] or records
    row = {"latency_ms": statistics.median(r["computeMs"] for r in warm),
           "latency_min_ms": min(r["computeMs"] for r in warm),
           "latency_max_ms": max(r["computeMs"] for r in warm),
           "host_ms": statistics.median(r["latencyMs"] for r in warm),
           "runs": len(warm)}
    if "inMs" in records[0]:  # In and Enq have changed places in 7.1 and 7.2
        row["h2d_ms"] = statistics.median(r["inMs"] for r in warm)
        row["enqueue_ms"] = statistics.median(round(r["endInMs"] - r["startInMs"], 6) for r in warm)
    else:
        row["h2d_ms"] = statistics.median(r["h2dMs"] for r in warm)
    return [{k: repr(v) for k, v in row.items()}], []


def of_profile(elements):
    layers = [(e["name"], {"latency_ms": repr(e["averageMs"]), "total_ms": repr(e["timeMs"]),
                           "runs": str(elements[0]["count"])}) for e in elements[1:]]
    return [{"sum_of_layers_ms": repr(sum(e["averageMs"] for e in elements[1:]))}], layers


def of_layers(document):
    out = []
    for l in document["Layers"]:
        row = {"layer_type": l["LayerType"]}
        window = l.get("Kernel") or l.get("WindowSize")
        if window:
            row["kernel"] = "x".join(map(str, window))
        if l.get("OutMaps"):
            row["filters"] = str(l["OutMaps"])
        if l["Outputs"]:
            row["output"] = "x".join(map(str, l["Outputs"][0]["Dimensions"]))
        out.append((l["Name"], row))
    return [{}], out


def read(path):
    text = open(path, encoding="utf-8").read()
    if not path.endswith(".json"):
        return of_log(text)
    document = json.loads(text)
    if isinstance(document, dict):
        return of_layers(document) if "Layers" in document else ([], [])
    return of_times(document) if "computeMs" in document[0] else of_profile(document)


def write(name, networks, layers, out):
    out.append("file " + name)
    if not networks:
        out.append("refused")
        return
    out.append("rows %d" % (len(networks) + len(layers)))
    for i, row in enumerate(networks):
        out.append("network %d" % i)
        out += ["%s %s" % (k, v) for k, v in row.items() if v is not None and k != "command"]
    for i, (layer, row) in enumerate(layers):
        out.append("layer %d" % i)
        out += ["%s %s" % (k, v) for k, v in row.items()]
        out.append("name_length %d" % len(layer.encode()))


def main():
    recordings = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../shared/data/trtexec")
    target = sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "../tests/data/goldens/trtexec.txt")
    out = ["# tools/make_trtexec_goldens.py, Python %d.%d" % sys.version_info[:2]]
    for name in sorted(os.listdir(recordings)):
        write(name, *read(os.path.join(recordings, name)), out)
    with open(target, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


main()
