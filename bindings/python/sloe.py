"""How fast, how power-hungry and how large a CNN will be on an edge GPU: libsloe from Python.

    import sloe
    platform = sloe.Platform("jetson-orin-nano-8gb-datasheet-fp16")
    answer = platform.estimate("resnet18.onnx")
    print(answer.latency_ms.value, answer.latency_ms.low, answer.latency_ms.high)

What holds for everything here:
 - Units stand in the names: `_ms`, `_w`, `_mj`, `_mb` (10^6 bytes), `_bytes`. Counts are elements or operations of
   one inference of the whole batch; FLOPs are 2 x multiply-accumulates.
 - An unknown number is NaN, an unknown text or flag None; nothing unknown is 0. A Figure says why.
 - Shapes are tuples of whole numbers; a dimension that depends on the data is None, and so is a shape of unknown rank.
 - What fails raises a subclass of Error, one for each status of the library. What is closed raises ValueError.
 - Platform, Net and Estimate may be used by many threads at once; the library runs without the interpreter's lock. Each
   gives its memory back when it is closed or forgotten, and nothing that still needs it is left.

It needs Python 3.9 and libsloe of its own version, no other package. SLOE_LIBRARY names another file of the library.
"""
import ctypes
import functools
import json
import math
import operator
import os
import weakref
from collections import namedtuple
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint64, c_void_p

__version__ = "0.1.0"
__all__ = ["Platform", "Net", "Estimate", "Figure", "estimate", "platforms", "search_folders", "Error",
           "NoMemoryError", "UsageError", "FormatError", "UnsupportedError", "IoError", "NotFoundError",
           "InternalError", "DeviceError", "StoppedError"]

# ---- errors ------------------------------------------------------------------------------------


class Error(Exception):
    """What the library refused. `message`: its sentence; `subject`: the network, platform or file that it is about,
    or None; `offset`: the byte of the file where the trouble stands, or None; `code`: the status (sloe.h)."""
    code = None

    def __init__(self, message, subject=None, offset=None):
        super().__init__(message, subject, offset)
        self.message, self.subject, self.offset = message, subject, offset

    def __str__(self):
        named = self.subject is None or self.subject in self.message
        return (("" if named else f"{self.subject}: ") + self.message
                + (f" (byte {self.offset})" if self.offset else ""))


class NoMemoryError(Error, MemoryError):
    """Out of memory, or over the memory limit of the network."""
    code = 1


class UsageError(Error, ValueError):
    """An argument is wrong."""
    code = 2


class FormatError(Error, ValueError):
    """Malformed input; `offset` is the byte."""
    code = 3


class UnsupportedError(Error):
    """Well-formed input that sloe does not handle."""
    code = 4


class IoError(Error):
    """Reading or writing failed."""
    code = 5


class NotFoundError(Error, LookupError):
    """No such file, platform or name."""
    code = 6


class InternalError(Error):
    """A bug in sloe."""
    code = 7


class DeviceError(Error):
    """A device or a sensor failed."""
    code = 8


class StoppedError(Error):
    """Stopped when asked to."""
    code = 9


_ERRORS = {kind.code: kind for kind in (NoMemoryError, UsageError, FormatError, UnsupportedError, IoError,
                                        NotFoundError, InternalError, DeviceError, StoppedError)}

# ---- the structs of sloe.h, held against the compiler's by tests/python/layout.c ---------------

_STRUCTS = {}


def _struct(name, /, **fields):
    """A struct of sloe.h with its members in order."""
    _STRUCTS[name] = type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})
    return _STRUCTS[name]


_Shape = _struct("sloe_shape", rank=c_int, dim=c_int64 * 8)
_ErrorOut = _struct("sloe_error", code=c_int, offset=c_uint64, msg=c_char * 256)
_InputShape = _struct("sloe_input_shape", name=c_char_p, shape=_Shape)
_DimBinding = _struct("sloe_dim_binding", symbol=c_char_p, value=c_int64)
_NetOptions = _struct("sloe_net_options", batch=c_int64, inputs=POINTER(_InputShape), n_inputs=c_size_t,
                      dims=POINTER(_DimBinding), n_dims=c_size_t, memory_limit=c_size_t)
_Feature = _struct("sloe_feature", name=c_char_p, doc=c_char_p, value=c_double)
_TensorInfo = _struct("sloe_tensor_info", name=c_char_p, dtype=c_char_p, shape=_Shape)
_UnknownOp = _struct("sloe_unknown_op", op=c_char_p, count=c_size_t, reason=c_char_p)
_NetInfo = _struct(
    "sloe_net_info", name=c_char_p, producer=c_char_p, ir_version=c_int64, opset=c_int64,
    inputs=POINTER(_TensorInfo), outputs=POINTER(_TensorInfo), n_inputs=c_size_t, n_outputs=c_size_t, batch=c_int64,
    n_ops=c_size_t, params=c_uint64, trainable_params=c_uint64, macs=c_uint64, flops=c_uint64, mac_flops=c_uint64,
    flops_by_kind=c_uint64 * 8, activations=c_uint64, weights_bytes=c_uint64, peak_activation_bytes=c_uint64,
    features=POINTER(_Feature), n_features=c_size_t, unknown_ops=POINTER(_UnknownOp), n_unknown_ops=c_size_t,
    unknown_bytes_share=c_double)
_Layer = _struct(
    "sloe_layer", name=c_char_p, kind=c_int, ops=POINTER(c_char_p), n_ops=c_size_t, **{"in": POINTER(_Shape)},
    out=POINTER(_Shape), n_in=c_size_t, n_out=c_size_t, macs=c_uint64, flops=c_uint64, params=c_uint64,
    in_elements=c_uint64, out_elements=c_uint64, kernel=c_int64 * 2, stride=c_int64 * 2, dilation=c_int64 * 2,
    pads=c_int64 * 4, groups=c_int64, filters=c_int64, data_dependent=c_int)
_Search = _struct("sloe_search", dirs=POINTER(c_char_p), n_dirs=c_size_t)
_Card = _struct(
    "sloe_card", name=c_char_p, path=c_char_p, device=c_char_p, title=c_char_p, runtime=c_char_p,
    runtime_version=c_char_p, precision=c_int, mode=c_char_p, default_mode=c_int, source=c_int, notes=c_char_p,
    transfers=c_int, gpu_mhz=c_double, peak_gflops=c_double, bandwidth_gbs=c_double, launch_us=c_double,
    memory_mb=c_double, memory_reserved_mb=c_double, power_cap_w=c_double, validated_mape=c_double,
    validated_on=c_char_p)
_FigureOut = _struct("sloe_figure", value=c_double, low=c_double, high=c_double, source=c_int, method=c_int,
                     validated_mape=c_double, validated_n=c_double, in_domain=c_int)
_LayerEstimate = _struct("sloe_layer_estimate", layer=POINTER(_Layer), latency_ms=c_double, share=c_double,
                         bytes=c_uint64, bound=c_int, source=c_int, in_domain=c_int)
_Result = _struct(
    "sloe_result", latency_ms=_FigureOut, latency_p75_ms=c_double, latency_p97_5_ms=c_double,
    sum_of_layers_ms=c_double, power_w=_FigureOut, energy_mj=_FigureOut, memory_mb=_FigureOut, power_rail=c_char_p,
    memory_kind=c_char_p, fits=c_int, layers=POINTER(_LayerEstimate), n_layers=c_size_t, warnings=POINTER(c_char_p),
    n_warnings=c_size_t)
_EstimateOptions = _struct("sloe_estimate_options", method=c_int, model=c_char_p)
_PruneLayer = _struct(
    "sloe_prune_layer", layer=POINTER(_Layer), filters=c_int64, tread_lo=c_int64, tread_hi=c_int64, target=c_int64,
    latency_ms=c_double, target_ms=c_double, saved_ms=c_double, saved_share=c_double, network_saved_ms=c_double,
    in_domain=c_int)
_PruneStep = _struct("sloe_prune_step", layer=c_size_t, filters=c_int64, latency_ms=c_double, params=c_double)
_PruneResult = _struct("sloe_prune_result", layers=POINTER(_PruneLayer), n_layers=c_size_t,
                       steps=POINTER(_PruneStep), n_steps=c_size_t, latency_ms=c_double)
_PruneOptions = _struct("sloe_prune_options", slack=c_double, max_steps=c_size_t)
_ReportOptions = _struct("sloe_report_options", format=c_int, layers=c_int, features=c_int, color=c_int, bars=c_int,
                         width=c_int, list=c_int, budget_ms=c_double, budget_w=c_double, budget_mb=c_double)

# ---- the library -------------------------------------------------------------------------------

_OUT, _ERR = POINTER(c_void_p), POINTER(_ErrorOut)
_FUNCTIONS = {  # name: what it returns (c_int: a status), what it takes
    "version": (c_char_p,),
    "net_open": (c_int, c_char_p, POINTER(_NetOptions), _OUT, _ERR),
    "net_from_memory": (c_int, c_char_p, c_size_t, POINTER(_NetOptions), _OUT, _ERR),
    "net_free": (None, c_void_p),
    "net_warning_count": (c_size_t, c_void_p),
    "net_warning": (c_char_p, c_void_p, c_size_t),
    "net_get_info": (POINTER(_NetInfo), c_void_p),
    "layers_new": (c_int, c_void_p, c_void_p, _OUT, _ERR),
    "layers_free": (None, c_void_p),
    "platform_open": (c_int, c_char_p, POINTER(_Search), _OUT, _ERR),
    "platform_from_memory": (c_int, c_char_p, c_size_t, c_char_p, _OUT, _ERR),
    "platform_free": (None, c_void_p),
    "platform_card": (POINTER(_Card), c_void_p),
    "platform_fusion": (c_void_p, c_void_p),
    "platform_list_new": (c_int, POINTER(_Search), _OUT, _ERR),
    "platform_list_free": (None, c_void_p),
    "platform_list_count": (c_size_t, c_void_p),
    "platform_list_at": (POINTER(_Card), c_void_p, c_size_t),
    "method_parse": (c_int, c_char_p, POINTER(c_int), _ERR),
    "estimate_new": (c_int, c_void_p, c_void_p, POINTER(_EstimateOptions), _OUT, _ERR),
    "estimate_free": (None, c_void_p),
    "estimate_get": (POINTER(_Result), c_void_p),
    "prune_new": (c_int, c_void_p, POINTER(_PruneOptions), _OUT, _ERR),
    "prune_free": (None, c_void_p),
    "prune_get": (POINTER(_PruneResult), c_void_p),
    "report_estimates": (c_int, _OUT, c_size_t, POINTER(_ReportOptions), _OUT, _ERR),
    "text_free": (None, c_void_p),
    "source_name": (c_char_p, c_int),
    "method_name": (c_char_p, c_int),
    "bound_name": (c_char_p, c_int),
    "precision_name": (c_char_p, c_int),
    "layer_kind_name": (c_char_p, c_int),
}
_JSON = 1  # SLOE_FORMAT_JSON
_SONAME = "libsloe.so.0"
# From this file's folder to those of the library and of the data. The build fills them in for installing; as they
# stand here this is a checkout.
_LIBRARY_FROM_HERE, _DATA_FROM_HERE = "@SLOE_PYTHON_TO_LIBRARY@", "@SLOE_PYTHON_TO_DATA@"
_HERE = os.path.dirname(os.path.abspath(__file__))
_IN_CHECKOUT = _LIBRARY_FROM_HERE.startswith("@")


def _beside(installed, in_checkout):
    return os.path.normpath(os.path.join(_HERE, in_checkout if _IN_CHECKOUT else installed))


def _find_library():
    """SLOE_LIBRARY; else what was built or installed with this file; else, installed, what the loader finds."""
    named = os.environ.get("SLOE_LIBRARY")
    if named:
        return named
    own = os.path.join(_beside(_LIBRARY_FROM_HERE, "../../build"), _SONAME)
    return own if _IN_CHECKOUT or os.path.exists(own) else _SONAME


def _load_library(path):
    """The library with its functions declared. ImportError where it cannot be loaded or is of another version."""
    try:
        library = ctypes.CDLL(path)
        library.sloe_version.restype = c_char_p
        version = library.sloe_version().decode()
    except (OSError, AttributeError) as error:
        hint = "build it first (make build)" if _IN_CHECKOUT else "install it"
        raise ImportError(f"sloe: cannot load {path}: {error}; {hint}, or name it in SLOE_LIBRARY", path=path) from None
    if version != __version__:
        raise ImportError(f"sloe: {path} is version {version}, this module needs {__version__}", path=path)
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(library, "sloe_" + name)
        function.restype, function.argtypes = result, arguments
    return library


_lib = _load_library(_find_library())


def _call(function, *arguments, about=None):
    """Calls what ends in (..., **out, *err); gives the pointer. Raises what its status says."""
    out, err = c_void_p(), _ErrorOut()
    status = function(*arguments, byref(out), byref(err))
    if status:
        _refuse(status, err, about)
    return out


def _refuse(status, err, about):
    text = err.msg.decode(errors="replace")
    raise _ERRORS.get(status, Error)(text, about, err.offset or None)


def _free_all(frees, keeps):  # `keeps`: what must outlive these objects
    for free, pointer in frees:
        free(pointer)


class _Handle:
    """A pointer of the library, freed when nobody holds the handle any more; until then `keeps` live too."""
    __slots__ = ("pointer", "__weakref__")

    def __init__(self, pointer, frees, keeps=()):
        self.pointer = pointer
        # At the end of the process all memory goes back at once, and another thread may still be at work.
        weakref.finalize(self, _free_all, frees, keeps).atexit = False


class _Closable:
    """What can be closed, by `close()` or at the end of `with`. A call that is under way in another thread, and
    answers that were given before, stay good."""

    _handle = None

    def _open(self):
        handle = self._handle
        if handle is None:
            raise ValueError(f"this {type(self).__name__} is closed")
        return handle

    def close(self):
        """Give the memory back as soon as no answer needs it. Closing twice does no harm."""
        self._handle = None

    @property
    def closed(self):
        return self._handle is None

    def __enter__(self):
        self._open()
        return self

    def __exit__(self, *_):
        self.close()


# ---- from Python to C and back -----------------------------------------------------------------


def _to_c(text, what):
    """Bytes of a text or a path; C would stop at a zero byte."""
    try:
        data = os.fsencode(text)
    except TypeError:
        raise UsageError(f"{what}: a text or a path is needed, not {type(text).__name__}") from None
    if b"\0" in data:
        raise UsageError(f"{what}: {text!r} holds a zero byte")
    return data


def _whole(value, what, least=1, most=2**63 - 1):
    """A whole number that C takes as it is."""
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{what}: a whole number is needed, not {value!r}") from None
    if not least <= number <= most:
        raise UsageError(f"{what}: {number} is not between {least} and {most}")
    return number


def _to_shape(dims, what):
    if isinstance(dims, (str, bytes)) or not hasattr(dims, "__iter__"):
        raise UsageError(f"{what}: a sequence of dimensions is needed, not {dims!r}")
    dims = [_whole(dim, what) for dim in dims]
    if not 1 <= len(dims) <= 8:
        raise UsageError(f"{what}: 1 to 8 dimensions are needed, not {len(dims)}")
    return _Shape(len(dims), (c_int64 * 8)(*dims))


def _text(data):
    """A text of the library; None where it says nothing."""
    return data.decode(errors="replace") if data else None


def _texts(array, n):
    return tuple(array[i].decode(errors="replace") for i in range(n))


def _shapes(array, n):
    return tuple(None if array[i].rank < 0 else
                 tuple(None if dim < 0 else dim for dim in array[i].dim[:array[i].rank]) for i in range(n))


@functools.lru_cache(maxsize=None)
def _name(enum, value):
    """The name of an enum's value; None for "none"."""
    name = getattr(_lib, f"sloe_{enum}_name")(value).decode()
    return None if name == "none" else name


def _data(data, what):
    try:
        return data if isinstance(data, bytes) else memoryview(data).tobytes()
    except TypeError:
        raise UsageError(f"{what}: bytes are needed, not {type(data).__name__}") from None


# ---- platforms ---------------------------------------------------------------------------------


def search_folders():
    """Folders where platforms are looked up by name, in the order of the command: those of SLOE_PLATFORM_PATH
    (separated by ':'), the user's, the installed one (in a checkout: data/platforms)."""
    data, home = os.environ.get("XDG_DATA_HOME", ""), os.environ.get("HOME")
    folders = [folder for folder in os.environ.get("SLOE_PLATFORM_PATH", "").split(":") if folder]
    if data.startswith("/"):
        folders.append(data + "/sloe/platforms")
    elif home:
        folders.append(home + "/.local/share/sloe/platforms")
    folders.append(os.path.join(_beside(_DATA_FROM_HERE, "../../data"), "platforms"))
    return folders


def _to_search(search):
    if search is None:
        search = search_folders()
    elif isinstance(search, (str, bytes, os.PathLike)):
        search = [search]
    folders = [_to_c(folder, "search") for folder in search]
    return _Search((c_char_p * len(folders))(*folders), len(folders))


Card = namedtuple("Card", [
    "name", "path", "device", "title", "runtime", "runtime_version", "precision", "mode", "default_mode", "source",
    "notes", "transfers", "gpu_mhz", "peak_gflops", "bandwidth_gbs", "launch_us", "memory_mb", "memory_reserved_mb",
    "power_cap_w", "validated_mape", "validated_on"])
Card.__doc__ = """What a platform is and where its figures come from; the members of `sloe_card` in sloe.h.

`precision`: "fp32", "fp16", "int8". `mode`: the power mode; `default_mode`: whether it is the device's default.
`source`: "datasheet", "fitted", "learned". `transfers`: whether latencies include copies to and from the device.
`memory_mb`: RAM of the board. `validated_mape`: per cent on held-out networks, those of `validated_on`."""


def _card(struct):
    values = {name: getattr(struct, name) for name in Card._fields}
    for name, value in values.items():
        if value is None or isinstance(value, bytes):
            values[name] = _text(value)
    return Card(**{**values, "path": os.fsdecode(struct.path) if struct.path else None,
                   "precision": _name("precision", struct.precision),
                   "source": _name("source", struct.source),
                   "default_mode": bool(struct.default_mode), "transfers": bool(struct.transfers)})


def platforms(search=None):
    """The Cards of all platforms in the folders of `search` (a list; None: search_folders()), sorted by name. Files
    that cannot be read are left out."""
    listed = _call(_lib.sloe_platform_list_new, byref(_to_search(search)))
    try:
        return [_card(_lib.sloe_platform_list_at(listed, i).contents)
                for i in range(_lib.sloe_platform_list_count(listed))]
    finally:
        _lib.sloe_platform_list_free(listed)


class Platform(_Closable):
    """All that is known of one device, runtime, precision and power mode. Open it once, ask it often.

    `platform`: a name, or a path (it holds a '/' or ends in ".sloe"; "FILE.sloe:fp16-7w" chooses one of a file).
    `search`: the folders in which a name is looked up, in place of search_folders(). `card`: what it says of itself.
    Raises NotFoundError, FormatError, UnsupportedError (a later version of the format), IoError, NoMemoryError."""

    def __init__(self, platform, search=None):
        named = _to_c(platform, "platform")
        self._take(_call(_lib.sloe_platform_open, named, byref(_to_search(search)), about=os.fsdecode(named)))

    @classmethod
    def from_bytes(cls, data, variant=None):
        """The same from the bytes of a platform file; `variant` names one of the platforms inside ("fp16-7w")."""
        data, self = _data(data, "platform"), cls.__new__(cls)
        variant = None if variant is None else _to_c(variant, "variant")
        self._take(_call(_lib.sloe_platform_from_memory, data, len(data), variant))
        return self

    def _take(self, pointer):
        self._handle = _Handle(pointer, [(_lib.sloe_platform_free, pointer)])
        self._fusion = _lib.sloe_platform_fusion(pointer)
        self.card = _card(_lib.sloe_platform_card(pointer).contents)

    name = property(lambda self: self.card.name, doc="as in Card")

    def estimate(self, net, method="auto", model=None):
        """The Estimate of a Net, or of what Net takes. `method`: "layers" (their sum), "network" (a model of whole
        networks), "auto" (the better). `model`: of whole networks ("xgb"); None: the one that validated best.
        Raises UnsupportedError where the platform has no model for that."""
        return Estimate(self, net, method, model)

    def prune(self, net, slack=0.03, max_steps=32):
        """Filter counts at the right end of a latency step, as a Pruning. `slack`: latencies within this share are
        one step. Raises UnsupportedError where the platform is no fitted one: a data sheet has no steps."""
        if not 0 < slack < 1:
            raise UsageError(f"slack: a share between 0 and 1 is needed, not {slack!r}")
        answer = self.estimate(net)
        options = _PruneOptions(slack, _whole(max_steps, "max_steps"))
        pruned = _call(_lib.sloe_prune_new, answer._handle.pointer, byref(options), about=answer.net)
        try:
            return _pruning(answer, _lib.sloe_prune_get(pruned).contents)
        finally:
            _lib.sloe_prune_free(pruned)

    def __repr__(self):
        return f"<sloe.Platform {self.name}{' (closed)' if self.closed else ''}>"


# ---- networks ----------------------------------------------------------------------------------

Tensor = namedtuple("Tensor", "name dtype shape")
UnknownOp = namedtuple("UnknownOp", "op count reason")


def _tensors(array, n):
    return tuple(Tensor(_text(array[i].name), _text(array[i].dtype), _shapes([array[i].shape], 1)[0])
                 for i in range(n))


class Net(_Closable):
    """A network whose shapes are inferred. Open it once for all platforms and questions.

    `net`: the path of an ONNX file, or a zoo spec ("zoo:resnet,depth=50"); the weights are not read.
    `batch`: leading dimension of every input; None: as in the file, 1 where that leaves it open (a warning).
    `inputs`: shapes by input name ({"image": (1, 3, 224, 224)}), or the shape of the only input.
    `dims`: values of symbolic dimensions ({"N": 4}). `memory_limit_bytes`: what the net may take; None: 1 GiB.

    Attributes are those of `sloe_net_info` in sloe.h: `name`, `producer`, `opset`, `batch`, `inputs`, `outputs`
    (Tensors), `n_ops`, `params`, `trainable_params`, `macs`, `flops`, `mac_flops`, `activations`, `weights_bytes`,
    `peak_activation_bytes`, `unknown_bytes_share`; and `features` (a dict, docs/features.md), `unknown_ops`
    (UnknownOps), `warnings`.
    Raises NotFoundError, IoError, FormatError (`offset` is the byte), UsageError (a zoo spec's key), UnsupportedError,
    NoMemoryError."""

    def __init__(self, net, batch=None, inputs=None, dims=None, memory_limit_bytes=None):
        named, options = _to_c(net, "net"), _net_options(batch, inputs, dims, memory_limit_bytes)
        self._take(_call(_lib.sloe_net_open, named, byref(options), about=os.fsdecode(named)))

    @classmethod
    def from_bytes(cls, data, batch=None, inputs=None, dims=None, memory_limit_bytes=None):
        """The same from the bytes of an ONNX model, as onnx.ModelProto.SerializeToString() gives them."""
        data, options = _data(data, "net"), _net_options(batch, inputs, dims, memory_limit_bytes)
        self = cls.__new__(cls)
        self._take(_call(_lib.sloe_net_from_memory, data, len(data), byref(options)))
        return self

    def _take(self, pointer):
        self._handle = _Handle(pointer, [(_lib.sloe_net_free, pointer)])
        info = _lib.sloe_net_get_info(pointer).contents
        self.name, self.batch = info.name.decode(errors="replace"), info.batch
        self.warnings = tuple(_text(_lib.sloe_net_warning(pointer, i))
                              for i in range(_lib.sloe_net_warning_count(pointer)))

    def _read(self, read):
        handle = self._open()  # holds the memory while it is read
        return read(_lib.sloe_net_get_info(handle.pointer).contents)

    producer = property(lambda self: self._read(lambda info: _text(info.producer)), doc="who wrote the file")
    inputs = property(lambda self: self._read(lambda info: _tensors(info.inputs, info.n_inputs)))
    outputs = property(lambda self: self._read(lambda info: _tensors(info.outputs, info.n_outputs)))
    features = property(lambda self: self._read(lambda info: {
        _text(feature.name): feature.value for feature in info.features[:info.n_features]}))
    unknown_ops = property(lambda self: self._read(lambda info: tuple(
        UnknownOp(_text(op.op), op.count, _text(op.reason)) for op in info.unknown_ops[:info.n_unknown_ops])))

    def __repr__(self):
        return f"<sloe.Net {self.name}, batch {self.batch}{' (closed)' if self.closed else ''}>"


for _key in ("ir_version", "opset", "n_ops", "params", "trainable_params", "macs", "flops", "mac_flops",
             "activations", "weights_bytes", "peak_activation_bytes", "unknown_bytes_share"):
    setattr(Net, _key, property(lambda self, _key=_key: self._read(operator.attrgetter(_key)),
                                doc=f"`{_key}` of `sloe_net_info`"))


def _net_options(batch, inputs, dims, memory_limit_bytes):
    if inputs is None:
        inputs = {}
    elif not hasattr(inputs, "items"):
        inputs = {"": inputs}
    shapes = [_InputShape(_to_c(name, "inputs"), _to_shape(dim, f"inputs: {name or 'the only one'}"))
              for name, dim in inputs.items()]
    bound = [_DimBinding(_to_c(name, "dims"), _whole(value, f"dims: {name}")) for name, value in (dims or {}).items()]
    return _NetOptions(
        0 if batch is None else _whole(batch, "batch"), (_InputShape * len(shapes))(*shapes), len(shapes),
        (_DimBinding * len(bound))(*bound), len(bound),
        0 if memory_limit_bytes is None else _whole(memory_limit_bytes, "memory_limit_bytes"))


# ---- answers -----------------------------------------------------------------------------------


class Figure:
    """A figure that says how good it is. float() gives its value; of an unknown one that is NaN.

    `value`, `low`, `high`: in `unit`; the 90 % interval of the model's error, or what a data sheet's best and worst
    shares allow. `source`: "datasheet", "fitted", "learned". `method`: "layers", "network". `validated_mape`: mean
    error on held-out networks, per cent. `validated_n`: of how many; None: the card's `validated_on` says.
    `in_domain`: whether the question lies inside what was measured. `reason`: why it is unknown; None where it is
    known. Of an unknown figure `source`, `method` and `in_domain` are None."""
    __slots__ = ("value", "low", "high", "unit", "source", "method", "validated_mape", "validated_n", "in_domain",
                 "reason")

    def __init__(self, struct, unit, reason):
        self.value, self.low, self.high, self.unit = struct.value, struct.low, struct.high, unit
        self.validated_mape = struct.validated_mape
        self.validated_n = int(struct.validated_n) if struct.validated_n > 0 else None
        self.source = self.method = self.in_domain = None
        self.reason = reason
        if math.isfinite(struct.value):
            self.source, self.method = _name("source", struct.source), _name("method", struct.method)
            self.in_domain, self.reason = bool(struct.in_domain), None

    @property
    def known(self):
        return self.reason is None

    def __float__(self):
        return self.value

    def __str__(self):
        if not self.known:
            return f"unknown: {self.reason}"
        return f"{self.value:.3g} {self.unit} ({self.low:.3g} to {self.high:.3g})"

    def __repr__(self):
        return f"<sloe.Figure {self}>"


LayerEstimate = namedtuple("LayerEstimate", [
    "name", "kind", "ops", "inputs", "outputs", "macs", "flops", "params", "kernel", "stride", "groups", "filters",
    "latency_ms", "share", "bytes", "bound", "source", "in_domain"])
LayerEstimate.__doc__ = """One layer as the runtime launches it, and its time.

`ops`: names of its ONNX nodes. `inputs`, `outputs`: shapes of its activations. `kernel`, `stride`: (height, width);
`kernel`, `stride`, `groups`, `filters` are 0 where they mean nothing. `share`: of the sum of the layers, 0 to 1.
`bytes`: moved to and from memory. `bound`: what it waits for: "arithmetic", "memory", "launch", None."""


def _layer_estimate(row):
    layer = row.layer.contents
    return LayerEstimate(
        layer.name.decode(errors="replace"), _name("layer_kind", layer.kind),
        _texts(layer.ops, layer.n_ops), _shapes(getattr(layer, "in"), layer.n_in), _shapes(layer.out, layer.n_out),
        layer.macs, layer.flops, layer.params, tuple(layer.kernel), tuple(layer.stride), layer.groups, layer.filters,
        row.latency_ms, row.share, row.bytes, _name("bound", row.bound),
        _name("source", row.source), bool(row.in_domain))


class Estimate:
    """What a platform says of a network, and under which assumptions; Platform.estimate() makes it.

    Figures: `latency_ms` (median device time of one inference of the whole batch), `power_w` (while it runs, at
    `power_rail`), `energy_mj` (of one inference), `memory_mb` (counted as `memory_kind`: "system", "process",
    "device").
    Numbers: `latency_p75_ms`, `latency_p97_5_ms` (of runs on the device), `sum_of_layers_ms`, and
    `throughput_per_s` with its interval `throughput_low_per_s`, `throughput_high_per_s` (inputs a second, one
    inference after the other).
    `fits`: whether the memory goes into the board's RAM; None: unknown.
    Assumptions: `net` and `platform` (names), `precision`, `mode` (the power mode; None: not stated), `batch`,
    `transfers` (True: the latency includes copies to and from the device). `source`, `in_domain`: of the latency.
    `layers`: LayerEstimates in execution order. `warnings`: sentences on the network and on this estimate."""

    def __init__(self, platform, net, method="auto", model=None):
        if not isinstance(net, Net):
            net = Net(net)
        on, of = platform._open(), net._open()
        options = _estimate_options(method, model)
        layers = _call(_lib.sloe_layers_new, of.pointer, platform._fusion, about=net.name)
        frees = [(_lib.sloe_layers_free, layers)]
        try:
            pointer = _call(_lib.sloe_estimate_new, layers, on.pointer, byref(options), about=net.name)
            frees.insert(0, (_lib.sloe_estimate_free, pointer))
        finally:  # of a failed one the layers go back here
            self._handle = _Handle(frees[0][1], frees, (on, of))
        self._result = _lib.sloe_estimate_get(pointer).contents
        self._net_warnings = net.warnings
        self.card, self.net, self.batch = platform.card, net.name, net.batch

    platform = property(lambda self: self.card.name)
    precision = property(lambda self: self.card.precision)
    mode = property(lambda self: self.card.mode)
    transfers = property(lambda self: self.card.transfers)
    source = property(lambda self: self.latency_ms.source)
    in_domain = property(lambda self: self.latency_ms.in_domain)
    latency_p75_ms = property(lambda self: self._result.latency_p75_ms)
    latency_p97_5_ms = property(lambda self: self._result.latency_p97_5_ms)
    sum_of_layers_ms = property(lambda self: self._result.sum_of_layers_ms)
    power_rail = property(lambda self: _text(self._result.power_rail))
    memory_kind = property(lambda self: _text(self._result.memory_kind))
    fits = property(lambda self: None if self._result.fits < 0 else bool(self._result.fits))
    throughput_per_s = property(lambda self: self._rate(self._result.latency_ms.value))
    throughput_low_per_s = property(lambda self: self._rate(self._result.latency_ms.high))
    throughput_high_per_s = property(lambda self: self._rate(self._result.latency_ms.low))

    def _rate(self, ms):
        return 1000 * self.batch / ms if ms > 0 else math.nan

    def _lacking(self, what):
        return f"{self.platform} has no model that tells the {what} of this network"

    @functools.cached_property
    def latency_ms(self):
        return Figure(self._result.latency_ms, "ms", self._lacking("latency"))

    @functools.cached_property
    def power_w(self):
        reason = self._lacking("power")
        if self.card.source == "datasheet":
            cap = self.card.power_cap_w
            reason = ("a data sheet does not tell what a network draws"
                      + ("" if math.isnan(cap) else f"; the power mode is capped at {cap:g} W"))
        return Figure(self._result.power_w, "W", reason)

    @functools.cached_property
    def energy_mj(self):
        lacking = "power" if math.isnan(self._result.power_w.value) else "energy"
        return Figure(self._result.energy_mj, "mJ", self.power_w.reason or self._lacking(lacking))

    @functools.cached_property
    def memory_mb(self):
        return Figure(self._result.memory_mb, "MB", self._lacking("memory"))

    @functools.cached_property
    def layers(self):
        result = self._result
        return tuple(_layer_estimate(row) for row in result.layers[:result.n_layers])

    @property
    def warnings(self):
        return self._net_warnings + _texts(self._result.warnings, self._result.n_warnings)

    def to_dict(self):
        """The document that `sloe estimate --format json` writes (docs/json.md), as a dict. Unknown is None."""
        options, one = _ReportOptions(format=_JSON), c_void_p(self._handle.pointer.value)
        text = _call(_lib.sloe_report_estimates, byref(one), 1, byref(options), about=self.net)
        try:
            return json.loads(ctypes.string_at(text.value))
        finally:
            _lib.sloe_text_free(text)

    def __str__(self):
        latency = self.latency_ms
        domain = ("nothing was measured" if latency.source == "datasheet" else
                  "inside what was measured" if latency.in_domain else "outside what was measured")
        said = f"{latency.source}, {domain}" if latency.known else "no source"
        return (f"{self.net} on {self.platform}: {latency}; batch {self.batch}, {self.precision}, "
                f"power mode {self.mode or 'not stated'}, transfers {'included' if self.transfers else 'excluded'}; "
                f"{said}")

    def __repr__(self):
        return f"<sloe.Estimate {self}>"


def _estimate_options(method, model):
    parsed, err = c_int(), _ErrorOut()
    if method != "auto":
        status = _lib.sloe_method_parse(_to_c(method, "method"), byref(parsed), byref(err))
        if status:
            _refuse(status, err, None)
    return _EstimateOptions(parsed.value, None if model is None else _to_c(model, "model"))


def estimate(net, platform, search=None, method="auto", model=None):
    """The Estimate of a Net (or of what Net takes) on a Platform (or on what Platform takes, looked up in
    `search`). Who asks often opens them once."""
    if not isinstance(platform, Platform):
        platform = Platform(platform, search)
    return platform.estimate(net, method, model)


Pruning = namedtuple("Pruning", "estimate latency_ms layers steps")
Pruning.__doc__ = """Where the filter counts of a network stand on their latency steps.

`estimate`: the Estimate that it starts from, with all its assumptions. `latency_ms`: of the network as it is. `layers`:
PruneLayers, convolutions and fully connected ones in order. `steps`: PruneSteps, most milliseconds a filter first."""
PruneLayer = namedtuple("PruneLayer", [
    "name", "kind", "filters", "tread_lo", "tread_hi", "target", "latency_ms", "target_ms", "saved_ms", "saved_share",
    "network_saved_ms", "in_domain"])
PruneLayer.__doc__ = """One layer's step. `tread_lo` to `tread_hi`: filter counts of about equal latency, so that
`tread_hi` costs nothing more. `target`: the right end of the next step below, which takes `target_ms` and saves
`saved_ms`, with the layers that read its output `network_saved_ms`; None, and the times NaN, where there is none.
`saved_share`: of the network, 0 to 1."""
PruneStep = namedtuple("PruneStep", "layer filters latency_ms params")
PruneStep.__doc__ = """After this step `Pruning.layers[layer]` has `filters`, the network `params` and `latency_ms`."""


def _prune_layer(row):
    layer, kept = row.layer.contents, (row.filters, row.tread_lo, row.tread_hi)
    below = (None, row.latency_ms, math.nan, math.nan, math.nan, math.nan)
    if 0 < row.target < row.filters:
        below = (row.target, row.latency_ms, row.target_ms, row.saved_ms, row.saved_share, row.network_saved_ms)
    return PruneLayer(layer.name.decode(errors="replace"), _name("layer_kind", layer.kind), *kept, *below,
                      bool(row.in_domain))


def _pruning(answer, result):
    return Pruning(answer, result.latency_ms, tuple(map(_prune_layer, result.layers[:result.n_layers])),
                   tuple(PruneStep(row.layer, row.filters, row.latency_ms, row.params)
                         for row in result.steps[:result.n_steps]))
