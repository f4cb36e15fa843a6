#!/usr/bin/env python3
"""check_load.py: the power of the PyTorch agent without a GPU: its sensor on a stand-in of NVIDIA's management library,
its load on a stand-in of a stream. With --serve it is the agent itself, on a processor that has a sensor of 10 W
idle and 30 W under load, for `sloe measure`.

Prints a line a failure, then how many passed and failed.
"""
import argparse
import pathlib
import sys
import time
from functools import partial

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/device/torch"))

import torch
import torch_load
from torch_cpu import Cpu
from torch_node import Misuse
from torch_sensor import DOUBLE, Power

IDLE_W, BUSY_W = 10.0, 30.0


class Nvml:
    """A library with a counter; what it lacks is not there, as of an old driver."""

    def __init__(self, instant=None, usage=None, energy=None, found=0):
        self.asked, self.energy = [], energy
        self.nvmlInit_v2 = lambda: 0
        self.nvmlDeviceGetHandleByIndex_v2 = lambda index, gpu: self.asked.append(index) or found
        self.nvmlDeviceGetHandleByUUID = lambda name, gpu: self.asked.append(name) or found
        self.nvmlDeviceGetTotalEnergyConsumption = self._energy
        if instant is not None:
            self.nvmlDeviceGetFieldValues = lambda gpu, n, field: self._field(field._obj, instant)
        if usage is not None:
            self.nvmlDeviceGetPowerUsage = lambda gpu, mw: self._put(mw._obj, usage)

    @staticmethod
    def _put(place, value):
        place.value = value
        return 0

    @staticmethod
    def _field(field, milliwatts):
        assert field.id == 186
        field.type, field.said, field.value.real = DOUBLE, 0, milliwatts
        return 0

    def _energy(self, _, place):
        return 3 if self.energy is None else self._put(place._obj, self.energy)


def sensor_shows_power_and_counter():
    """Both, when, and of which rail."""
    nvml = Nvml(instant=71500.0, usage=1, energy=900)
    sensor = Power(1, "abc", nvml)
    shown = sensor.sense()
    assert sensor.is_there and nvml.asked == [b"GPU-abc"]
    assert (shown["power_w"], shown["energy_mj"], shown["rail"]) == (71.5, 900.0, "gpu")
    assert sensor.sense()["at_ns"] > shown["at_ns"]


def older_drivers_tell_the_mean_power():
    """And no counter."""
    shown = Power(2, "", Nvml(usage=50000)).sense()
    assert (shown["power_w"], shown["energy_mj"], shown["rail"]) == (50.0, None, "gpu")


def what_is_not_there_is_said():
    """No figures, or no such GPU: no sensor."""
    assert not Power(0, "", Nvml()).is_there
    assert not Power(0, "", Nvml(usage=1, found=6)).is_there


def energy_since_the_last_time():
    """For other ends that know no `sensor`."""
    nvml = Nvml(energy=1000)
    sensor = Power(0, "", nvml)
    assert sensor.since() is None
    nvml.energy = 1500
    assert sensor.since()["energy_mj"] == 500.0 and sensor.since() is None


class Stream:
    """In place of torch.cuda: what was sent takes its time only when it is waited for."""

    def __init__(self, ns):
        self.ns, self.sent, self.done, self.most = ns, 0, 0, 0
        stream = self

        class Event:
            """A place on the stream."""

            def record(self):
                """Behind all that was sent."""
                self.at = stream.sent

            def synchronize(self):
                """Up to here."""
                stream.wait(self.at)

        self.Event = Event

    def launch(self):
        """One more."""
        self.sent += 1
        self.most = max(self.most, self.sent - self.done)

    def wait(self, upto):
        """As long as it takes."""
        time.sleep(max(upto - self.done, 0) * self.ns / 1e9)
        self.done = max(self.done, upto)

    def synchronize(self):
        """All."""
        self.wait(self.sent)


def load_keeps_work_under_way():
    """One slice is on the stream while the last one is waited for; at the end none, and each was counted."""
    stream = Stream(500_000)
    kept, torch_load.torch = torch_load.torch, argparse.Namespace(cuda=stream)
    try:
        load = torch_load.Load(stream.launch)
        trial = stream.sent
        counts = [load.go_on(10_000_000) for _ in range(4)]
        assert counts[0] == trial and min(counts[1:]) >= 5, counts
        assert stream.sent > stream.done and stream.most >= 2 * min(counts[1:])
        counts.append(load.go_on(0))
        assert sum(counts) == stream.sent == stream.done and load.go_on(0) == 0
    finally:
        torch_load.torch = kept


class Sensed(Cpu):
    """A processor whose sensor draws more under load."""

    has_power = True

    def __init__(self, options):
        super().__init__(options)
        self.energy, self.at = 5e6, time.monotonic_ns()

    def _count(self, watts):
        now = time.monotonic_ns()
        self.energy += watts * (now - self.at) / 1e6
        self.at = now

    def load(self, job, ns):
        """Under load."""
        self._count(IDLE_W)
        count = super().load(job, ns)
        self._count(BUSY_W)
        return count

    def sense(self):
        """The counter alone."""
        self._count(IDLE_W)
        return {"power_w": None, "energy_mj": self.energy, "at_ns": self.at, "rail": "device"}


def server_answers(serve):
    """`sensor`, `load` and `rest`, and what they refuse."""
    job = serve.answer({"op": "load_layer", "spec": "op=fc,c=64,k=64"})["job"]
    assert serve.answer({"op": "hello"})["can"]["sensor"] is True
    assert serve.answer({"op": "load", "job": job, "ns": 2_000_000})["count"] > 0
    assert serve.answer({"op": "load", "job": job, "ns": 0}) == {"count": 0}
    assert serve.answer({"op": "rest", "ns": 1000}) == {}
    first, second = serve.answer({"op": "sensor"}), serve.answer({"op": "sensor"})
    assert second["energy_mj"] > first["energy_mj"] and second["at_ns"] > first["at_ns"]
    for wrong in (-1, 60_000_000_001, 1.5, "1", None, True):
        for request in ({"op": "rest", "ns": wrong}, {"op": "load", "job": job, "ns": wrong}):
            try:
                serve.answer(request)
            except Misuse:
                continue
            raise AssertionError(f"{request} is answered")
    assert serve.answer({"op": "unload", "job": job}) == {}


def device_without_sensor_says_so(serve):
    """And shows nothing."""
    serve.device.has_power = False
    shown = serve.answer({"op": "sensor"})
    assert shown["rail"] == "" and shown["power_w"] is None and shown["energy_mj"] is None
    assert serve.answer({"op": "hello"})["can"]["sensor"] is False


def a_server(device):
    """Of agent.py, on that device."""
    import agent
    made = agent.Server.__new__(agent.Server)
    made.options, made.torch, made.jobs = device.options, torch, {}
    made.device = device
    return made


def main():
    """Exit status 1 where one fails."""
    if "--serve" in sys.argv:
        import agent
        import torch_cpu
        sys.argv.remove("--serve")
        torch_cpu.Cpu = Sensed
        return agent.main()
    options = argparse.Namespace(device="cpu", precision="fp32", threads=1, batch=1, compile="none", index=0)
    served = a_server(Sensed(options))
    checks = [sensor_shows_power_and_counter, older_drivers_tell_the_mean_power, what_is_not_there_is_said,
              energy_since_the_last_time, load_keeps_work_under_way]
    checks += [partial(check, served) for check in (server_answers, device_without_sensor_says_so)]
    failed = 0
    for one in checks:
        try:
            one()
        except Exception as error:  # any of them is a failure
            failed += 1
            print(f"FAILED: {one}: {type(error).__name__}: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
