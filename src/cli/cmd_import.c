#include "cli.h"

static sloe_exit import_with(const sloe_args *args, const char *format,
                             const sloe_net_flags *flags) {
  sloe_cli_watch watch;
  const sloe_import_options options = {.format = format,
                                       .files = args->operands,
                                       .n_files = args->n_operands,
                                       .out = sloe_args_value(args, SLOE_OPT_OUT),
                                       .net = sloe_args_value(args, SLOE_OPT_NET),
                                       .rail = sloe_args_value(args, SLOE_OPT_RAIL),
                                       .net_options = &flags->options,
                                       .watch = &watch.watch};
  const sloe_lab *lab;
  sloe_error err = {0};
  char *text;
  sloe_exit code = sloe_cli_lab(&lab);
  if (code) return code;
  sloe_cli_watch_begin(&watch, 0);
  sloe_status status = lab->import(&options, &text, &err);
  sloe_cli_watch_end(&watch);
  if (status != SLOE_OK) return sloe_cli_failed(options.files[0], status, &err);
  return text ? sloe_cli_answer(text) : SLOE_EXIT_YES;
}

static sloe_exit import(const sloe_args *args, const char *format) {
  sloe_net_flags flags;
  sloe_exit code = sloe_net_flags_init(args, &flags);
  if (code) return code;
  code = import_with(args, format, &flags);
  sloe_net_flags_fini(&flags);
  return code;
}

static sloe_exit run_icas(const sloe_args *args) {
  return import(args, "icas");
}

static sloe_exit run_trtexec(const sloe_args *args) {
  return import(args, "trtexec");
}

static sloe_exit run_tegrastats(const sloe_args *args) {
  return import(args, "tegrastats");
}

const sloe_command sloe_cmd_import_icas = {
    .name = "import icas",
    .operands = "FILE...",
    .summary = "iCAS-Lab's measurements on a Jetson Nano as a measurement table",
    .details =
        "To stdout, or to the file of -o, compressed where its name ends in .gz. A FILE is the "
        "networks.csv of\ntheir chains of convolutions, or .csv.gz. Latency is of the host, with "
        "transfers; power is the GPU's\nrail, memory the whole system's.\n",
    .options = SLOE_OPTION_BIT(OUT),
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run_icas,
};

const sloe_command sloe_cmd_import_trtexec = {
    .name = "import trtexec",
    .operands = "FILE...",
    .summary = "logs and exported files of NVIDIA's trtexec as a measurement table",
    .details =
        "To stdout, or to the file of -o. A FILE is a log, or what --exportTimes, --exportProfile "
        "or "
        "--exportLayerInfo\nwrote, of TensorRT 6.0 to 11.1, .gz too. Files of one run are given "
        "together: they are put together by\nthe names in its command line, their counts, their "
        "own "
        "names, their order (docs/import.md). A record is\na run's network, or one of its layers. "
        "--net finds the layers in NET, and tells where our fusion differs.\nA run that cannot be "
        "fitted from has another quality than ok, and the reason beside it.\n",
    .options = SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(NET) | SLOE_NET_OPTIONS,
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run_trtexec,
};

const sloe_command sloe_cmd_import_tegrastats = {
    .name = "import tegrastats",
    .operands = "LOG...",
    .summary = "power and memory of logs of tegrastats as a measurement table",
    .details =
        "To stdout, or to the file of -o. A row for each LOG, or for each board in it; every board "
        "from the TX1 to\nThor. A reading is the momentary one, never the mean since tegrastats "
        "began; rails are named beside\ntheir figures, memory is the whole system's. What may be "
        "wrong with a log stands in the column remarks.\n",
    .options = SLOE_OPTION_BIT(OUT) | SLOE_OPTION_BIT(NET) | SLOE_OPTION_BIT(RAIL),
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .run = run_tegrastats,
};
