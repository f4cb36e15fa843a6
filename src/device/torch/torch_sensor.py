"""torch_sensor.py: what a GPU draws, by NVIDIA's management library, as src/device/cudnn/nvml.c reads it."""
import ctypes
import time

POWER_INSTANT, DOUBLE, WIDE = 186, 0, 3  # NVML_FI_DEV_POWER_INSTANT; types of a field's value


class _Value(ctypes.Union):
    _fields_ = [("real", ctypes.c_double), ("whole", ctypes.c_uint), ("wide", ctypes.c_ulonglong)]


class _Field(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint), ("scope", ctypes.c_uint), ("timestamp", ctypes.c_longlong),
                ("latency_us", ctypes.c_longlong), ("type", ctypes.c_int), ("said", ctypes.c_int),
                ("value", _Value)]


class Power:
    """Power and the counter of energy of one GPU; is_there: one of them answers."""

    def __init__(self, index, uuid, library=None):
        self.gpu, self.is_there, self.last = ctypes.c_void_p(), False, None
        try:
            self.nvml = library or ctypes.CDLL("libnvidia-ml.so.1")
            self.is_there = self._find(index, uuid) and self.sense()["rail"] != ""
        except (OSError, AttributeError):  # no library, or an old one
            return
        self.last = self.sense() if self.is_there else None

    def _find(self, index, uuid):
        """By its number that holds everywhere: the library numbers GPUs as it likes."""
        if self.nvml.nvmlInit_v2() != 0:
            return False
        if not uuid:
            return self.nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(self.gpu)) == 0
        name = f"GPU-{uuid.removeprefix('GPU-')}".encode()
        return self.nvml.nvmlDeviceGetHandleByUUID(name, ctypes.byref(self.gpu)) == 0

    def _watts(self):
        """Of this moment, or, of an older driver, of its last second; None where it tells neither."""
        field, milliwatts = _Field(id=POWER_INSTANT), ctypes.c_uint()
        ask = getattr(self.nvml, "nvmlDeviceGetFieldValues", None)
        if ask and ask(self.gpu, 1, ctypes.byref(field)) == 0 and field.said == 0:
            value = field.value
            return {DOUBLE: value.real, WIDE: float(value.wide)}.get(field.type, float(value.whole)) / 1e3
        ask = getattr(self.nvml, "nvmlDeviceGetPowerUsage", None)
        return milliwatts.value / 1e3 if ask and ask(self.gpu, ctypes.byref(milliwatts)) == 0 else None

    def sense(self):
        """What it shows now, as the protocol's `sensor` gives it."""
        watts, energy = self._watts(), ctypes.c_ulonglong()
        at_ns = time.monotonic_ns()
        said = self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.gpu, ctypes.byref(energy))
        counted = float(energy.value) if said == 0 else None
        rail = "" if watts is None and counted is None else "gpu"
        return {"power_w": watts, "energy_mj": counted, "at_ns": at_ns, "rail": rail}

    def since(self):
        """Watts and millijoules since the last time; None where the counter did not move."""
        now = self.sense()
        if now["energy_mj"] is None or self.last["energy_mj"] is None:
            return None
        energy, ns = now["energy_mj"] - self.last["energy_mj"], now["at_ns"] - self.last["at_ns"]
        if energy <= 0 or ns <= 0:
            return None
        self.last = now
        return {"power_w": energy * 1e6 / ns, "energy_mj": energy, "rail": "gpu"}
