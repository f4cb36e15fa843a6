"""torch_job.py: a layer or a network made ready to run, and what can be asked of it."""
import torch

import torch_layer
from torch_graph import Builder, read_model
from torch_node import Unsupported

DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16}


def _is_too_large(error):
    """No memory, in the words of any of PyTorch's allocators."""
    text = str(error)
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text \
        or "not enough memory" in text


class Job:
    """What is loaded. captured, outputs, launch_ns and load are the device's own."""

    captured, outputs, launch_ns, load = None, None, 0, None

    def __init__(self, device, model, is_network):
        self.device, self.is_network = device, is_network
        mark = device.memory_mark()
        dtype = DTYPES[device.options.precision]
        self.graph = Builder(model, device.torch_device, dtype).build()
        if not self.graph.steps:
            raise Unsupported("a network without layers: nothing to run")
        self.peak = device.memory_peak(self, mark)
        device.prepare(self)

    @classmethod
    def load(cls, device, model, is_network):
        """Unsupported where PyTorch lacks something, or memory does not suffice."""
        try:
            return cls(device, model, is_network)
        except NotImplementedError as error:
            raise Unsupported(str(error).split("\n", maxsplit=1)[0]) from error
        except (RuntimeError, MemoryError) as error:
            if _is_too_large(error):
                raise Unsupported(f"too large: {str(error)[:120]}") from error
            if "not implemented for" in str(error):
                raise Unsupported(str(error)[:160]) from error
            raise

    @classmethod
    def of_layer(cls, device, spec):
        """A layer by its spec."""
        return cls.load(device, torch_layer.model_of(spec), False)

    @classmethod
    def of_network(cls, device, data):
        """A network by the bytes of its file."""
        return cls.load(device, read_model(data), True)

    def inputs(self):
        """The tensors that it is fed."""
        return [self.graph.slots[i] for i in self.graph.inputs]

    def memory(self):
        """As `memory` of the protocol gives it, in 10^6 bytes."""
        weights, live = self.graph.weight_bytes, self.graph.live_bytes
        rest = None if self.peak is None else self.peak - weights - live
        numbers = {"total_mb": self.peak, "weights_mb": weights, "activations_mb": live,
                   "workspace_mb": rest if rest is None or rest >= 0 else None}
        figures = {key: None if value is None else value / 1e6 for key, value in numbers.items()}
        return {**figures, "kind": "" if self.peak is None else self.device.kind}
