"""torch_cuda.py: an NVIDIA GPU as a device: who it is, events, graphs, its caches, its memory and power.

Times. A network's `run` is one inference as a program sees it: events around it, the gaps in which the GPU
waits for the host included (`--compile graph` has none). A layer's, and the layers' of a network, are the GPU's
alone: before them it is kept busy for as long as the host needs to send them, so that they follow each other
without gaps.
"""
import time

import torch

from torch_cpu import libraries, read_text, token_of
from torch_load import Load
from torch_node import Unsupported
from torch_sensor import Power

CHUNK = 64  # layers sent behind one wait: fewer than a stream's queue holds


class Cuda:
    """One GPU."""

    kind = "device"

    def __init__(self, options):
        if not torch.cuda.is_available():
            raise Unsupported("PyTorch finds no CUDA device here")
        self.options = options
        self.torch_device = torch.device("cuda", options.index)
        torch.cuda.set_device(self.torch_device)
        is_tf32 = options.precision == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = is_tf32
        self.properties = torch.cuda.get_device_properties(options.index)
        l2 = getattr(self.properties, "L2_cache_size", 0) or 64 << 20
        self.evict = torch.zeros(2 * l2 // 4, device=self.torch_device)
        self.sensor = Power(options.index, str(getattr(self.properties, "uuid", "")))
        self.has_power = self.sensor.is_there
        self._wake()
        self.per_ns = getattr(self.properties, "clock_rate", 0) / 1e6 or 2.0  # cycles

    def _wake(self):
        """What the libraries allocate once is no job's."""
        dtype = torch.float16 if self.options.precision == "fp16" else torch.float32
        x = torch.zeros(1, 64, 64, 64, device=self.torch_device, dtype=dtype)
        torch.nn.functional.conv2d(x, x.new_zeros(64, 64, 3, 3))
        torch.nn.functional.linear(x[0, 0], x[0, 1], x[0, 0, 0])
        torch.cuda.synchronize()

    def describe(self):
        """Its part of the answer to hello."""
        p = self.properties
        driver = read_text("/proc/driver/nvidia/version").split("\n")[0]
        environment = {"gpu": p.name, "compute_capability": f"{p.major}.{p.minor}", "driver": driver,
                       "cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version()),
                       "sensor": "nvml" if self.has_power else "none", **libraries()}
        modes = ["tf32"] * (self.options.precision == "tf32") + ["graph"] * (self.options.compile == "graph")
        return {"device": token_of(p.name), "title": p.name, "mode": "-".join(modes),
                "memory_mb": p.total_memory / 1e6, "environment": environment}

    # ---- making ready ----

    def prepare(self, job):
        """Runs until libraries have settled; captures where asked to; asks how long the host takes."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                job.graph.run()
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        job.captured = self._capture(job) if self.options.compile == "graph" else None
        self._launch(job)
        torch.cuda.synchronize()
        start = time.perf_counter_ns()
        self._launch(job)
        job.launch_ns = time.perf_counter_ns() - start
        torch.cuda.synchronize()

    @staticmethod
    def _capture(job):
        captured = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(captured):
                job.outputs = job.graph.run()
        except RuntimeError as error:
            if "captur" in str(error):
                raise Unsupported(f"it cannot be captured as a CUDA graph: {str(error)[:120]}") from error
            raise
        return captured

    @staticmethod
    def _launch(job):
        if job.captured:
            job.captured.replay()
        else:
            job.graph.run()

    # ---- running ----

    def settle(self, job):
        """Writes a buffer of twice the second-level cache, then the inputs."""
        self.evict.zero_()
        for tensor in job.inputs():
            tensor.copy_(tensor.clone())

    def _hold(self, ns):
        """Keeps the GPU busy for as long, and some more."""
        torch.cuda._sleep(int((2 * ns + 50_000) * self.per_ns))

    def run(self, job):
        """Device time by events; what was waited, where nothing held the GPU up."""
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        is_held = not job.is_network
        if is_held:
            self._hold(job.launch_ns)
        else:
            torch.cuda.synchronize()
        start = time.perf_counter_ns()
        first.record()
        self._launch(job)
        last.record()
        last.synchronize()
        waited = time.perf_counter_ns() - start
        return max(round(first.elapsed_time(last) * 1e6), 1), None if is_held else waited

    def run_layers(self, job):
        """Events between the steps."""
        steps, slots = job.graph.steps, job.graph.slots.copy()
        share = (max(job.launch_ns, 20_000 * len(steps)) if job.captured else job.launch_ns) / len(steps)
        times = []
        for at in range(0, len(steps), CHUNK):
            part = steps[at:at + CHUNK]
            events = [torch.cuda.Event(enable_timing=True) for _ in range(len(part) + 1)]
            self._hold((share + 5_000) * len(part))
            events[0].record()
            for step, event in zip(part, events[1:]):
                job.graph.call(step, slots)
                event.record()
            times += [(step, a, b) for step, a, b in zip(part, events, events[1:])]
        torch.cuda.synchronize()
        return [0 if step.is_view else max(round(a.elapsed_time(b) * 1e6), 1) for step, a, b in times]

    # ---- memory, power ----

    def memory_mark(self):
        """Bytes that tensors hold now."""
        torch.cuda.synchronize()
        return torch.cuda.memory_allocated()

    def memory_peak(self, job, mark):
        """Most bytes of an inference above `mark`: peak minus initial, the context left out."""
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        job.graph.run()
        torch.cuda.synchronize()
        return max(torch.cuda.max_memory_allocated() - mark, 0)

    def sense(self):
        """What the sensor shows now."""
        return self.sensor.sense()

    def load(self, job, ns):
        """Keeps the GPU busy with it for about `ns`, beside what is read meanwhile; 0: to the end of what is sent."""
        if job.load is None:
            if not ns:
                return 0
            job.load = Load(lambda: self._launch(job))
        return job.load.go_on(ns)

    @staticmethod
    def rest(ns):
        """Idle for so long."""
        torch.cuda.synchronize()
        time.sleep(ns / 1e9)

    def power(self):
        """Since the last time."""
        return self.sensor.since() if self.has_power else None

    @staticmethod
    def is_lost(error):
        """After such an error every call fails."""
        return "CUDA error" in str(error) and "out of memory" not in str(error)
