"""torch_cpu.py: this processor as a device: who it is, its clock, its caches, its memory."""
import ctypes
import glob
import os
import re
import time

import torch

SETTLE_MOST = 16 << 20


def read_text(path, otherwise=""):
    """What a file says, without the blanks around it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip("\0 \n")
    except OSError:
        return otherwise


def token_of(title):
    """"Intel(R) Xeon(R) Processor" -> "intel-xeon-processor"."""
    plain = re.sub(r"\((R|TM|C)\)", " ", title, flags=re.IGNORECASE).lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "cpu"


def _processor():
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", read_text("/proc/cpuinfo"), re.MULTILINE)
    return found.group(1) if found else read_text("/proc/device-tree/model", "cpu")


def _l2_bytes():
    for path in glob.glob("/sys/devices/system/cpu/cpu0/cache/index*"):
        size = read_text(path + "/size")
        if read_text(path + "/level") == "2" and size.endswith("K"):
            return int(size[:-1]) << 10
    return 2 << 20


def libraries():
    """Versions of PyTorch and of what it computes with."""
    config = torch.__config__.show()
    found = {"pytorch": torch.__version__, "pytorch_git": str(torch.version.git_version)}
    for key, pattern in (("onednn", r"(?:MKL-DNN|oneDNN) v([\w.]+)"),
                         ("mkl", r"Math Kernel Library.*?Version ([\w.]+)"),
                         ("blas", r"(?:BLAS_INFO|BLAS)=(\w+)"), ("cpu_capability", r"CPU capability usage: (\w+)")):
        match = re.search(pattern, config)
        if match:
            found[key] = match.group(1)
    loaded = re.findall(r"/(lib\w*(?:blas|mkl_core)\S*)$", read_text("/proc/self/maps"), re.MULTILINE)
    return {**found, "blas_libraries": " ".join(sorted(set(loaded))) or "none"}


class Cpu:
    """One processor. A `run` is timed by the clock around it."""

    kind, has_power = "process", False

    def __init__(self, options):
        torch.set_num_threads(options.threads)
        torch.set_num_interop_threads(1)
        self.options, self.torch_device = options, torch.device("cpu")
        self.evict = torch.zeros(max(4 << 20, min(2 * _l2_bytes(), SETTLE_MOST)) // 4)
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def describe(self):
        """Its part of the answer to hello."""
        title = _processor()
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        environment = {"cpu": title, "kernel": os.uname().release, **libraries(),
                       "governor": read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "unknown")}
        return {"device": token_of(title), "title": title, "mode": f"t{self.options.threads}",
                "memory_mb": pages / 1e6, "environment": environment}

    def settle(self, job):
        """Another buffer goes through the second-level cache, then the inputs are as just written.
        Weights may stay in a larger cache behind it."""
        self.evict.add_(0)
        for tensor in job.inputs():
            tensor.copy_(tensor.clone())

    def prepare(self, job):
        """Ready to run; nothing to do here but the first run, which is not like the others."""
        job.graph.run()

    def run(self, job):
        """Device time and what was waited: the same here."""
        start = time.perf_counter_ns()
        job.graph.run()
        passed = time.perf_counter_ns() - start
        return passed, passed

    def run_layers(self, job):
        """A clock around each step."""
        slots, times, now = job.graph.slots.copy(), [], time.perf_counter_ns
        for step in job.graph.steps:
            start = now()
            job.graph.call(step, slots)
            times.append(0 if step.is_view else max(now() - start, 1))
        return times

    # ---- memory ----

    def memory_mark(self):
        """Resident bytes of the process now, what was freed given back."""
        if self._trim:
            self._trim(0)
        return int(read_text("/proc/self/statm", "0 0").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def memory_peak(self, job, mark):
        """Most resident bytes of a run, above `mark`."""
        try:
            with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
        except OSError:
            return None
        job.graph.run()
        peak = re.search(r"VmHWM:\s*(\d+) kB", read_text("/proc/self/status"))
        return max(int(peak.group(1)) * 1024 - mark, 0) if peak else None

    def load(self, job, ns):
        """Runs it for so long."""
        end, count = time.perf_counter_ns() + ns, 0
        while time.perf_counter_ns() < end:
            job.graph.run()
            count += 1
        return count

    @staticmethod
    def rest(ns):
        """Idle for so long."""
        time.sleep(ns / 1e9)

    def power(self):
        """No sensor that is known everywhere."""
        return None

    @staticmethod
    def is_lost(_):
        """Nothing that goes wrong here makes the device useless."""
        return False
