"""torch_load.py: a job again and again on a GPU, one slice of time behind the other, for the sensor of power. A slice
is sent before the last one is waited for: while the other end reads the sensor, the GPU has work to do."""
import time

import torch

MOST, TRIAL_NS = 1000, 5_000_000  # inferences on the stream at once; of load to see how long one takes


class Load:
    """Of one job; launch sends an inference."""

    def __init__(self, launch):
        self.launch, self.under_way, self.end, self.ended = launch, 0, None, 0
        for _ in range(2):  # the first may find the GPU asleep
            self.inference_ns = self._time(1)
        self.inference_ns = self._time(self._count(TRIAL_NS))  # back to back

    def _time(self, count):
        torch.cuda.synchronize()
        start = time.perf_counter_ns()
        for _ in range(count):
            self.launch()
        torch.cuda.synchronize()
        self.ended += count
        return max((time.perf_counter_ns() - start) / count, 1)

    def _count(self, ns):
        return max(1, min(int(ns / self.inference_ns), MOST))

    def _send(self, ns):
        if not ns:
            return 0, None
        count, end = self._count(ns), torch.cuda.Event()
        for _ in range(count):
            self.launch()
        end.record()
        return count, end

    def go_on(self, ns):
        """Sends as much as takes `ns`, waits for what was sent before, and says how many have ended."""
        count, end = self._send(ns)
        if self.under_way:
            self.end.synchronize()
        ended, self.ended = self.ended + self.under_way, 0
        self.under_way, self.end = count, end
        return ended
