#!/usr/bin/env python3
"""check_sloe.py SLOE LAYOUT [unittest's arguments]: the Python module against the command SLOE beside the library that it
loads, against what LAYOUT (layout.c) says of sloe.h, and against misuse. Closes with a line of totals.
"""
import concurrent.futures
import ctypes
import doctest
import gc
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import weakref

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "bindings/python"))

import sloe

SLOE, LAYOUT = sys.argv[1:3]
MODELS, PLATFORMS = SOURCE / "data/models", SOURCE / "data/platforms"
CORPUS = SOURCE / "tests/fuzz/corpus/fuzz_onnx"
RESNET = MODELS / "tv_resnet18.onnx"
ORIN, H200, NANO = "jetson-orin-nano-8gb-datasheet-fp16", "h200-cudnn9-fp32", "jetson-nano-trt8-fp32"


def command(*arguments):
    """What the command answers, as a document."""
    said = subprocess.run([SLOE, *map(str, arguments), "--format", "json"], check=True, capture_output=True)
    return json.loads(said.stdout)


def python(code, **environment):
    """Runs `code` in an interpreter of its own."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(SOURCE / "bindings/python"), **environment})


def or_none(number):
    return None if isinstance(number, float) and math.isnan(number) else number


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class TheLibrary(InAFolder):
    def test_structs_are_those_of_the_compiler(self):
        want = [line.split() for line in subprocess.check_output([LAYOUT], text=True).splitlines()]
        have = []
        for name, struct in sloe._STRUCTS.items():
            have.append([name, str(ctypes.sizeof(struct))])
            have += [[f"{name}.{member}", str(getattr(struct, member).offset), str(getattr(struct, member).size)]
                     for member, _ in struct._fields_]
        self.assertCountEqual(have, [row for row in want if not row[0].startswith("SLOE_")])

    def test_every_status_has_its_error(self):
        said = dict(line.split() for line in subprocess.check_output([LAYOUT], text=True).splitlines()
                    if line.startswith("SLOE_"))
        self.assertEqual(int(said.pop("SLOE_FORMAT_JSON")), sloe._JSON)
        self.assertEqual(int(said.pop("SLOE_METHOD_AUTO")), 0)
        self.assertEqual(int(said.pop("SLOE_OK")), 0)
        self.assertEqual({int(code) for code in said.values()}, set(sloe._ERRORS))
        for name, code in said.items():
            want = name[len("SLOE_"):].replace("NOTFOUND", "NOT_FOUND").replace("NOMEM", "NO_MEMORY")
            kind = sloe._ERRORS[int(code)]
            self.assertEqual(kind.__name__, want.title().replace("_", "") + "Error")
            self.assertIn(kind.__name__, sloe.__all__)
            self.assertTrue(issubclass(kind, sloe.Error))

    def test_the_module_has_the_version_of_the_project(self):
        line = re.search(r"project\(sloe VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text())
        self.assertEqual(sloe.__version__, line[1])

    def test_every_function_of_the_table_is_declared_in_the_header(self):
        header = (SOURCE / "include/sloe/sloe.h").read_text()
        for name in sloe._FUNCTIONS:
            self.assertRegex(header, rf"\bsloe_{name}\(")

    def test_without_a_library_the_import_says_what_to_do(self):
        said = python("import sloe", SLOE_LIBRARY=str(self.folder / "libnone.so"))
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("ImportError: sloe: cannot load", said.stderr)
        self.assertIn("SLOE_LIBRARY", said.stderr)

    def test_a_library_of_another_kind_is_refused(self):
        said = python("import sloe", SLOE_LIBRARY="libc.so.6")
        self.assertIn("ImportError: sloe: cannot load libc.so.6", said.stderr)

    def test_a_library_of_another_version_is_refused(self):
        copy = self.folder / "sloe.py"
        copy.write_text((SOURCE / "bindings/python/sloe.py").read_text().replace(
            f'__version__ = "{sloe.__version__}"', '__version__ = "0.0.9"'))
        said = python("import sloe", PYTHONPATH=str(self.folder))
        self.assertIn(f"is version {sloe.__version__}, this module needs 0.0.9", said.stderr)

    def test_a_checkout_that_is_not_built_takes_no_other_library(self):
        folder = self.folder / "bindings/python"
        folder.mkdir(parents=True)
        shutil.copy(SOURCE / "bindings/python/sloe.py", folder)
        said = python("import sloe", PYTHONPATH=str(folder), SLOE_LIBRARY="")
        self.assertIn(f"cannot load {self.folder}/build/libsloe.so.0", said.stderr)
        self.assertIn("make build", said.stderr)

    def test_it_needs_no_other_package(self):
        said = python("import sys, sloe; print(sorted(m for m in sys.modules if m.startswith(('numpy', 'onnx'))))")
        self.assertEqual(said.stdout, "[]\n", said.stderr)


class Answers(unittest.TestCase):
    maxDiff = None

    def check_as_the_command(self, net, platform, *options, **keywords):
        want = command("estimate", net, "-p", platform, *options)
        answer = sloe.Platform(platform).estimate(sloe.Net(net, **keywords))
        self.assertEqual(answer.to_dict(), want)
        for key in ("net", "platform", "precision", "mode", "batch", "transfers", "power_rail", "memory_kind", "fits"):
            self.assertEqual(getattr(answer, key), want[key], key)
        self.assertEqual(or_none(answer.sum_of_layers_ms), want["sum_of_layers_ms"])
        self.assertEqual(or_none(answer.latency_p75_ms), want["latency_ms"]["p75"])
        self.assertEqual(or_none(answer.latency_p97_5_ms), want["latency_ms"]["p97_5"])
        self.assertEqual(list(answer.warnings), want["warnings"])
        self.assertEqual((answer.source, answer.in_domain), (want["latency_ms"]["source"], want["latency_ms"]["in_domain"]))
        for key in ("latency_ms", "power_w", "energy_mj", "memory_mb"):
            said, figure = getattr(answer, key), want[key]
            self.assertEqual(or_none(said.value), figure.get("value", figure.get("p50")), key)
            self.assertEqual(said.known, or_none(said.value) is not None)
            for member in ("low", "high", "source", "method", "validated_mape", "validated_n", "in_domain"):
                self.assertEqual(or_none(getattr(said, member)), figure[member], (key, member))
        for layer, row in zip(answer.layers, want["layers"]):
            as_lists = [[list(shape) for shape in shapes] for shapes in (layer.inputs, layer.outputs)]
            self.assertEqual(as_lists, [row["in"], row["out"]])
            self.assertEqual(list(layer.ops), row["ops"])
            for key in ("name", "kind", "latency_ms", "share", "bytes", "bound", "source", "in_domain", "macs", "flops"):
                self.assertEqual(getattr(layer, key), row[key], key)
        self.assertEqual(len(answer.layers), len(want["layers"]))
        return answer

    def test_a_data_sheet_answers_as_the_command_does(self):
        answer = self.check_as_the_command(RESNET, ORIN)
        self.assertFalse(answer.in_domain)

    def test_a_measured_platform_answers_as_the_command_does(self):
        self.assertTrue(self.check_as_the_command(RESNET, H200).in_domain)

    def test_a_platform_of_whole_networks_answers_as_the_command_does(self):
        answer = self.check_as_the_command("zoo:chain,layers=4,filters=32", NANO)
        self.assertTrue(answer.transfers)

    def test_a_batch_answers_as_the_command_does(self):
        answer = self.check_as_the_command(RESNET, H200, "--batch", "8", batch=8)
        self.assertAlmostEqual(answer.throughput_per_s, 8000 / answer.latency_ms.value)
        self.assertLess(answer.throughput_low_per_s, answer.throughput_high_per_s)

    def test_operators_that_are_not_known_are_said_as_the_command_says_them(self):
        answer = self.check_as_the_command(CORPUS / "unknown.onnx", ORIN)
        self.assertTrue(any("com.example::Foo" in warning for warning in answer.warnings))

    def test_a_method_and_a_model_are_asked_as_by_the_command(self):
        with sloe.Platform(H200) as platform, sloe.Net("zoo:squeezenet") as net:
            for method in ("layers", "network"):
                want = command("estimate", "zoo:squeezenet", "-p", H200, "--method", method)
                self.assertEqual(platform.estimate(net, method=method).to_dict(), want)
            want = command("estimate", "zoo:squeezenet", "-p", H200, "--model", "xgb")
            self.assertEqual(platform.estimate(net, model="xgb").to_dict(), want)

    def test_an_unknown_figure_is_nan_and_says_why(self):
        power = sloe.estimate(RESNET, ORIN).power_w
        self.assertTrue(math.isnan(float(power)))
        self.assertFalse(power.known)
        self.assertEqual((power.source, power.method, power.in_domain), (None, None, None))
        self.assertIn("capped at 15 W", power.reason)
        self.assertEqual(str(power), "unknown: " + power.reason)
        energy = sloe.estimate("zoo:squeezenet", "h200-cudnn9-fp32-tf32").energy_mj
        self.assertEqual(energy.reason, "h200-cudnn9-fp32-tf32 has no model that tells the power of this network")

    def test_an_answer_as_text_states_its_assumptions(self):
        said = str(sloe.estimate(RESNET, ORIN))
        for part in (f"tv_resnet18 on {ORIN}", "1.13 ms (0.103 to 2.95)", "batch 1", "fp16", "power mode 15w",
                     "transfers excluded", "datasheet, nothing was measured"):
            self.assertIn(part, said)
        self.assertIn("transfers included; learned, outside what was measured", str(sloe.estimate(RESNET, NANO)))

    def test_pruning_says_what_the_command_says(self):
        want = command("prune", RESNET, "-p", H200, "--steps", "5")
        pruning = sloe.Platform(H200).prune(RESNET, max_steps=5)
        self.assertEqual(pruning.latency_ms, want["latency_ms"])
        self.assertEqual(pruning.estimate.latency_ms.value, want["latency_ms"])
        self.assertEqual([{key: or_none(value) for key, value in layer._asdict().items()} for layer in pruning.layers],
                         want["layers"])
        steps = [(pruning.layers[step.layer].name, *step[1:]) for step in pruning.steps]
        self.assertEqual(steps, [(row["name"], row["filters"], row["latency_ms"], row["params"])
                                 for row in want["steps"] if row["name"] is not None])

    def test_the_platforms_are_those_of_the_command(self):
        want = command("platform", "list")["platforms"]
        cards = sloe.platforms()
        self.assertEqual([card.name for card in cards], [row["name"] for row in want])
        self.assertIn(ORIN, [card.name for card in cards])


class Nets(unittest.TestCase):
    def test_what_is_known_of_a_net_is_what_the_command_says(self):
        want, net = command("info", RESNET), sloe.Net(RESNET)
        for key in ("producer", "ir_version", "opset", "batch", "n_ops", "params", "trainable_params", "macs", "flops",
                    "mac_flops", "activations", "weights_bytes", "peak_activation_bytes", "unknown_bytes_share",
                    "features"):
            self.assertEqual(getattr(net, key), want[key], key)
        self.assertEqual(net.name, want["net"])
        for tensors, rows in ((net.inputs, want["inputs"]), (net.outputs, want["outputs"])):
            self.assertEqual([[t.name, t.dtype, list(t.shape)] for t in tensors],
                             [[row["name"], row["dtype"], row["shape"]] for row in rows])

    def test_a_net_from_bytes_is_that_of_the_file(self):
        data = RESNET.read_bytes()
        for given in (data, bytearray(data), memoryview(data)):
            self.assertEqual(sloe.Net.from_bytes(given).macs, sloe.Net(RESNET).macs)

    def test_open_dimensions_are_bound(self):
        path = CORPUS / "dynamic.onnx"
        self.assertIn("taken as 1", sloe.Net(path).warnings[0])
        for keywords in ({"batch": 4}, {"dims": {"batch": 4}}, {"inputs": (4, 4, 8, 8)},
                         {"inputs": {"x": [4, 4, 8, 8]}}):
            net = sloe.Net(path, **keywords)
            self.assertEqual((net.batch, net.inputs[0].shape, net.warnings), (4, (4, 4, 8, 8), ()), keywords)

    def test_what_would_wrap_in_c_is_refused(self):
        for keywords in ({"batch": 2**64 + 1}, {"batch": 0}, {"batch": -1}, {"batch": 1.5}, {"batch": "4"},
                         {"inputs": {"x": (2**64 + 1, 4)}}, {"inputs": {"x": [1] * 9}}, {"inputs": {"x": ()}},
                         {"inputs": "1x3"}, {"inputs": {3: (1, 2)}}, {"dims": {"N": 0}},
                         {"memory_limit_bytes": 2**64}):
            with self.assertRaises(sloe.UsageError, msg=keywords):
                sloe.Net(RESNET, **keywords)

    def test_names_and_data_of_another_type_are_refused(self):
        for wrong in (lambda: sloe.Net("a\0b"), lambda: sloe.Net(7), lambda: sloe.Net(None),
                      lambda: sloe.Net.from_bytes(7), lambda: sloe.Net.from_bytes("text"),
                      lambda: sloe.Platform("x\0"), lambda: sloe.Platform.from_bytes(None)):
            with self.assertRaises(sloe.UsageError):
                wrong()

    def test_a_truncated_file_says_at_which_byte(self):
        with self.assertRaises(sloe.FormatError) as caught:
            sloe.Net.from_bytes(RESNET.read_bytes()[:1000])
        self.assertEqual((caught.exception.code, caught.exception.offset), (3, 988))
        self.assertTrue(str(caught.exception).endswith("(byte 988)"))
        with self.assertRaises(sloe.FormatError) as caught:
            sloe.Net(CORPUS / "bad-cut-200.onnx")
        self.assertEqual(caught.exception.subject, str(CORPUS / "bad-cut-200.onnx"))
        self.assertIn("bad-cut-200.onnx: ", str(caught.exception))

    def test_a_net_that_is_not_there_is_not_found(self):
        for net in ("nowhere.onnx", str(RESNET) + ".gz"):
            with self.assertRaises(LookupError) as caught:
                sloe.Net(net)
            self.assertIs(type(caught.exception), sloe.NotFoundError)
            self.assertIn(net, str(caught.exception))

    def test_a_spec_of_no_sense_and_too_little_memory_have_their_errors(self):
        with self.assertRaisesRegex(ValueError, "depth"):
            sloe.Net("zoo:resnet,depth=7")
        with self.assertRaises(MemoryError):
            sloe.Net(RESNET, memory_limit_bytes=4096)


class Platforms(InAFolder):
    def test_a_platform_that_is_not_there_names_the_nearest(self):
        with self.assertRaises(sloe.NotFoundError) as caught:
            sloe.Platform("jetson-orin-nano-8gb-datasheet-fp61")
        self.assertIn("did you mean", str(caught.exception))

    def test_search_replaces_the_folders(self):
        for search in ([self.folder], self.folder, str(self.folder), []):
            with self.assertRaises(sloe.NotFoundError):
                sloe.Platform(ORIN, search=search)
            self.assertEqual(sloe.platforms(search), [])
        shutil.copy(PLATFORMS / "jetson-tx1-datasheet.sloe", self.folder)
        names = {card.device for card in sloe.platforms(self.folder)}
        self.assertEqual(names, {"jetson-tx1"})
        answer = sloe.estimate("zoo:squeezenet", "jetson-tx1-datasheet-fp16", search=[self.folder])
        self.assertEqual(answer.card.path, str(self.folder / "jetson-tx1-datasheet.sloe"))

    def test_folders_are_those_of_the_command(self):
        code = "import sloe; print('\\n'.join(sloe.search_folders()))"
        said = python(code, SLOE_PLATFORM_PATH="/a::/b", XDG_DATA_HOME="/x", HOME="/h").stdout.split("\n")
        self.assertEqual(said[:3] + said[4:], ["/a", "/b", "/x/sloe/platforms", ""])
        self.assertEqual(said[3], str(PLATFORMS))
        said = python(code, SLOE_PLATFORM_PATH="", XDG_DATA_HOME="relative", HOME="/h").stdout.split("\n")
        self.assertEqual(said[0], "/h/.local/share/sloe/platforms")

    def test_a_file_and_one_of_its_platforms_are_opened(self):
        path = PLATFORMS / "jetson-orin-nano-8gb-datasheet.sloe"
        self.assertEqual(sloe.Platform(path).name, ORIN)
        self.assertEqual(sloe.Platform(f"{path}:fp16-7w").card.mode, "7w")
        card = sloe.Platform.from_bytes(path.read_bytes(), "int8-7w").card
        self.assertEqual((card.precision, card.mode, card.default_mode, card.path), ("int8", "7w", False, None))
        with self.assertRaises(sloe.NotFoundError):
            sloe.Platform.from_bytes(path.read_bytes(), "fp99")

    def test_a_platform_of_a_later_version_is_refused(self):
        text = (PLATFORMS / "jetson-tx1-datasheet.sloe").read_bytes().replace(b"sloe-platform 1", b"sloe-platform 9")
        fitted = bytearray((PLATFORMS / f"{H200}.sloe").read_bytes())
        fitted[8] = 99
        for data in (text, fitted):
            with self.assertRaisesRegex(sloe.UnsupportedError, "newer than this program"):
                sloe.Platform.from_bytes(data)

    def test_a_damaged_platform_is_refused(self):
        fitted = bytearray((PLATFORMS / f"{H200}.sloe").read_bytes())
        fitted[-1] ^= 1
        for data in (fitted, fitted[:500], b"", b"junk"):
            with self.assertRaises(sloe.FormatError):
                sloe.Platform.from_bytes(data)

    def test_what_a_platform_has_no_model_for_is_unsupported(self):
        platform = sloe.Platform(ORIN)
        for ask in (lambda: platform.estimate(RESNET, method="network"), lambda: platform.prune(RESNET),
                    lambda: sloe.estimate(RESNET, H200, model="oracle")):
            with self.assertRaises(sloe.UnsupportedError):
                ask()
        for ask in (lambda: platform.estimate(RESNET, method="magic"), lambda: platform.prune(RESNET, slack=0),
                    lambda: platform.prune(RESNET, max_steps=0)):
            with self.assertRaises(sloe.UsageError):
                ask()


class Lives(unittest.TestCase):
    def test_what_is_closed_refuses(self):
        platform, net = sloe.Platform(ORIN), sloe.Net(RESNET)
        other = sloe.Platform(ORIN)
        platform.close()
        platform.close()
        self.assertTrue(platform.closed)
        with self.assertRaisesRegex(ValueError, "this Platform is closed"):
            platform.estimate(net)
        with net as same:
            self.assertIs(same, net)
        for use in (lambda: other.estimate(net), lambda: net.macs, lambda: net.features, net.__enter__):
            with self.assertRaisesRegex(ValueError, "this Net is closed"):
                use()
        self.assertEqual((net.name, platform.name), ("tv_resnet18", ORIN))
        self.assertIn("closed", repr(net) + repr(platform))

    def test_an_answer_outlives_its_net_and_platform(self):
        with sloe.Platform(ORIN) as platform, sloe.Net(RESNET) as net:
            answer = platform.estimate(net)
        del platform, net
        gc.collect()
        self.assertEqual(answer.to_dict(), command("estimate", RESNET, "-p", ORIN))
        self.assertEqual(answer.layers[1].name, "/conv1/Conv + /relu/Relu")

    def test_memory_goes_back_when_the_last_holder_is_gone(self):
        platform, net = sloe.Platform(ORIN), sloe.Net(RESNET)
        answer = platform.estimate(net)
        held = weakref.ref(net._handle)
        net.close()
        gc.collect()
        self.assertIsNotNone(held())
        del answer
        gc.collect()
        self.assertIsNone(held())

    def test_a_failed_answer_leaves_nothing(self):
        platform, net = sloe.Platform(ORIN), sloe.Net(RESNET)
        held = weakref.ref(net._handle)
        with self.assertRaises(sloe.UnsupportedError):
            platform.estimate(net, model="oracle")
        del net
        gc.collect()
        self.assertIsNone(held())

    def test_many_questions_take_no_more_memory_than_a_few(self):
        pages = pathlib.Path("/proc/self/statm")
        if not pages.exists():
            self.skipTest("no /proc")

        def ask(times):
            for _ in range(times):
                platform.estimate(sloe.Net("zoo:squeezenet")).to_dict()
                try:
                    platform.estimate("zoo:squeezenet", model="oracle")
                except sloe.UnsupportedError:
                    pass
            gc.collect()
            return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

        platform = sloe.Platform(ORIN)
        before = ask(100)
        self.assertLess(ask(400) - before, 2_000_000)

    def test_threads_share_a_platform_and_a_net(self):
        platform, nets = sloe.Platform(H200), [sloe.Net(RESNET), sloe.Net("zoo:squeezenet")]
        want = [platform.estimate(net).to_dict() for net in nets]

        def ask(i):
            answer = platform.estimate(nets[i % 2])
            return answer.to_dict() == want[i % 2] and len(answer.layers) == len(want[i % 2]["layers"])

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(set(pool.map(ask, range(200))), {True})

    def test_closing_under_another_thread_does_no_harm(self):
        for _ in range(50):
            platform, net = sloe.Platform(ORIN), sloe.Net("zoo:squeezenet")
            said = []

            def ask():
                try:
                    while True:
                        said.append(platform.estimate(net).latency_ms.value)
                except ValueError as error:
                    said.append(str(error))

            asking = threading.Thread(target=ask)
            asking.start()
            platform.close()
            net.close()
            asking.join()
            self.assertEqual(said[-1], "this Platform is closed")
            self.assertLessEqual(len(set(said[:-1])), 1)

    def test_a_process_ends_well_while_a_thread_asks(self):
        said = python("import sloe, threading\n"
                      f"platform, net = sloe.Platform({ORIN!r}), sloe.Net('zoo:squeezenet')\n"
                      "def ask():\n  while True: platform.estimate(net).layers\n"
                      "threading.Thread(target=ask, daemon=True).start()\n"
                      "platform.estimate(net)")
        self.assertEqual((said.returncode, said.stderr), (0, ""))


class Documents(unittest.TestCase):
    def check_examples(self, path):
        text = (SOURCE / path).read_text()
        blocks = re.findall(r"^```pycon\n(.*?)^```$", text, re.M | re.S)
        self.assertTrue(blocks)
        test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, path, path, 0)
        said, here = [], os.getcwd()
        os.chdir(SOURCE)
        try:
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
        finally:
            os.chdir(here)
        self.assertFalse(said, "".join(said))

    def test_the_examples_of_the_manual_answer_as_it_says(self):
        self.check_examples("docs/python.md")

    def test_the_examples_of_the_readme_answer_as_it_says(self):
        self.check_examples("README.md")

    def test_everything_public_has_a_docstring(self):
        for name in sloe.__all__:
            self.assertTrue(getattr(sloe, name).__doc__, name)


if __name__ == "__main__":
    os.environ["SLOE_PLATFORM_PATH"] = str(PLATFORMS)
    result = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False).result
    skipped, failed = len(result.skipped), len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0 or result.testsRun == 0)
