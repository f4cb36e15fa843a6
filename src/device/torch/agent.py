#!/usr/bin/env python3
"""agent.py: PyTorch as a platform: serves the protocol of docs/agent.md on stdin and stdout.

    sloe measure NET -b "agent:python3 src/device/torch/agent.py --device cpu --threads 1"
    sloe measure NET -b "agent:python3 src/device/torch/agent.py --device cuda --precision fp16 --compile graph"

One request after the other; a thread says now and then that the one at hand is still worked on. Whatever
else is printed goes to stderr. Needs torch, onnx and numpy.
"""
import argparse
import base64
import binascii
import json
import os
import sys
import threading
import time

PROTOCOL, LINE_MOST, BEAT_S, SPAN_MOST_NS = 1, 64 << 20, 2.0, 60_000_000_000


class Wire:
    """Lines to the other end, whole ones only."""

    def __init__(self):
        self.out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self.lock = threading.Lock()

    def say(self, answer, still=lambda: True):
        """One object, one line, where `still` holds when it is its turn."""
        line, sent = json.dumps(answer, allow_nan=False).encode() + b"\n", 0
        with self.lock:
            while sent < len(line) and (sent or still()):
                sent += self.out.write(line[sent:])


class Heart:
    """Says of a request that takes long that it is not forgotten."""

    def __init__(self, wire):
        self.wire, self.busy = wire, None
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self):
        while True:
            time.sleep(BEAT_S)
            busy = self.busy
            if busy and time.monotonic() - busy[1] > BEAT_S / 2:
                beat = {"id": busy[0], "busy": round(time.monotonic() - busy[1], 1)}
                try:
                    self.wire.say(beat, lambda asked=busy: self.busy is asked)
                except OSError:
                    return


class Lost(Exception):
    """The device is gone for this process."""


class Server:
    """The ops. Each takes a request and gives an answer, or raises."""

    def __init__(self, options):
        import torch
        from torch_cpu import Cpu
        from torch_cuda import Cuda
        self.options, self.torch = options, torch
        self.device = (Cuda if options.device == "cuda" else Cpu)(options)
        self.jobs = {}

    def answer(self, request):
        """The answer to one request, within PyTorch's mode for inference."""
        ops = {"hello": self.hello, "load_layer": self.load_layer, "load_network": self.load_network,
               "unload": self.unload, "run": self.run, "run_layers": self.run_layers, "memory": self.memory,
               "power": self.power, "sensor": self.sensor, "load": self.load, "rest": self.rest}
        from torch_node import Unsupported
        if request.get("op") not in ops:
            raise Unsupported(f"no op '{str(request.get('op'))[:40]}' in protocol {PROTOCOL}")
        with self.torch.inference_mode():
            return ops[request["op"]](request)

    def hello(self, _):
        """Who measures."""
        import onnx
        about, options = self.device.describe(), self.options
        precision = "fp16" if options.precision == "fp16" else "fp32"
        environment = {**about["environment"], "python": sys.version.split()[0], "onnx": onnx.__version__}
        return {"protocol": PROTOCOL, "sloe": "", "backend": f"torch:{' '.join(sys.argv[1:])}", **about,
                "runtime": "torch", "version": self.torch.__version__.split("+")[0], "precision": precision,
                "batch": options.batch, "threads": options.threads,
                "fusion": {"runtime": "none", "version": 0, "precision": precision, "compute_capability": 0},
                "environment": environment,
                "can": {"networks": True, "layers": True, "settle": True, "memory": True,
                        "power": self.device.has_power, "sensor": self.device.has_power}}

    def _keep(self, job):
        number = next(i for i in range(1, len(self.jobs) + 2) if i not in self.jobs)
        self.jobs[number] = job
        return {"job": number, "layers": len(job.graph.steps) if job.is_network else 1}

    def load_layer(self, request):
        """A layer by its spec."""
        from torch_job import Job
        return self._keep(Job.of_layer(self.device, str(request.get("spec", ""))))

    def load_network(self, request):
        """A network by its file."""
        from torch_job import Job
        try:
            data = base64.b64decode(request.get("onnx", ""), validate=True)
        except (binascii.Error, TypeError) as error:
            raise ValueError(f"'onnx' is no base64: {error}") from error
        return self._keep(Job.of_network(self.device, data))

    def _job(self, request):
        from torch_node import Misuse
        if request.get("job") not in self.jobs:
            raise Misuse("'job' is none that is loaded")
        return self.jobs[request["job"]]

    def unload(self, request):
        """Forgets a job."""
        self.device.load(self._job(request), 0)  # no slice of it outlives it
        del self.jobs[request["job"]]
        return {}

    def run(self, request):
        """One inference."""
        job = self._job(request)
        if request.get("settle"):
            self.device.settle(job)
        device_ns, host_ns = self.device.run(job)
        return {"device_ns": device_ns, **({} if host_ns is None else {"host_ns": host_ns})}

    def run_layers(self, request):
        """One inference with a clock around each layer."""
        from torch_node import Unsupported
        job = self._job(request)
        if not job.is_network:
            raise Unsupported("a layer has no layers")
        return {"layer_ns": self.device.run_layers(job)}

    def memory(self, request):
        """What a job holds."""
        return self._job(request).memory()

    def sensor(self, _):
        """What it shows now."""
        none = {"power_w": None, "energy_mj": None, "at_ns": time.monotonic_ns(), "rail": ""}
        return self.device.sense() if self.device.has_power else none

    @staticmethod
    def _span(request):
        from torch_node import Misuse
        ns = request.get("ns")
        if type(ns) is not int or not 0 <= ns <= SPAN_MOST_NS:
            raise Misuse(f"'ns' is no whole number of 0 to {SPAN_MOST_NS}")
        return ns

    def load(self, request):
        """Back to back for a time."""
        return {"count": self.device.load(self._job(request), self._span(request))}

    def rest(self, request):
        """Idle for a time."""
        self.device.rest(self._span(request))
        return {}

    def power(self, _):
        """Since the last time."""
        return self.device.power() or {"power_w": None, "energy_mj": None, "rail": ""}


def status_of(error, device=None):
    """How the protocol calls what went wrong."""
    from torch_node import Misuse, Unsupported
    names = ((Unsupported, "unsupported"), (Misuse, "usage"), (ValueError, "format"), (MemoryError, "nomem"))
    for kind, name in names:
        if isinstance(error, kind):
            return name
    return "device" if device and device.is_lost(error) else "internal"


def refusal(number, error, status):
    """One line that says why."""
    text = " ".join(str(error).split()) or "no reason given"
    if status == "internal":
        text = f"{type(error).__name__}: {text}"
    return {"id": number, "status": status, "message": f"torch: {text}"[:300]}


def requests(source):
    """(id, request) of each line; ValueError where one is none."""
    while True:
        line = source.readline(LINE_MOST + 1)
        if not line:
            return
        if len(line) > LINE_MOST or not line.endswith(b"\n"):
            raise ValueError("a request too long or cut short")
        request = json.loads(line)
        if not isinstance(request, dict) or type(request.get("id")) is not int or request["id"] < 1:
            raise ValueError("a request without an 'id' of 1 and more")
        yield request["id"], request


def serve(server, wire, heart):
    """Until stdin ends; Lost where the device does."""
    for number, request in requests(sys.stdin.buffer):
        heart.busy = (number, time.monotonic())
        try:
            answer, lost = {**server.answer(request), "id": number}, False
        except Exception as error:  # whatever it is, the other end is told
            status = status_of(error, server.device)
            answer, lost = refusal(number, error, status), status == "device"
        heart.busy = None  # no beat behind the answer
        wire.say(answer)
        if lost:
            raise Lost(answer["message"])


def options_of(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(description="PyTorch behind sloe's agent protocol")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--index", type=int, default=0, help="which GPU")
    parser.add_argument("--precision", choices=("fp32", "tf32", "fp16"), default="fp32")
    parser.add_argument("--threads", type=int, default=1, help="of the processor")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--compile", choices=("none", "graph"), default="none", help="graph: a captured CUDA graph")
    options = parser.parse_args(arguments)
    if options.device == "cpu" and (options.precision != "fp32" or options.compile != "none"):
        parser.error("a CPU runs --precision fp32 --compile none")
    if options.batch < 1 or options.threads < 1:
        parser.error("--batch and --threads are 1 and more")
    return options


def main():
    """Exit code 0 when stdin ends."""
    options = options_of(sys.argv[1:])
    for library in ("OMP", "OPENBLAS", "MKL"):  # read when they are loaded; PyTorch does not tell them all
        os.environ[f"{library}_NUM_THREADS"] = str(options.threads)
    wire = Wire()
    try:
        heart = Heart(wire)
        serve(Server(options), wire, heart)
    except Lost:
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        status = "unsupported" if isinstance(error, ImportError) else status_of(error)
        wire.say(refusal(0, error, status))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
