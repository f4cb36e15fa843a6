#!/usr/bin/python3
"""Tables of measurements and predictions, as the scripts of this folder read them.

    tools/accuracy/tables.py concat FILE...         one table of several with the same header, to stdout
    tools/accuracy/tables.py join MEASURED LAYERS   a row of MEASURED for each row of LAYERS, by `net`,
                                                    with the columns of LAYERS behind
    tools/accuracy/tables.py quietest FILE...       a row for each `net` of the tables: the one beside which
                                                    others kept memory least busy (`move_ms`), to stdout
    tools/accuracy/tables.py busy FILE              the `net`s beside which they kept it busier than
                                                    BUSY times what is usual where it is quiet
"""
import csv
import math
import os
import sys


BUSY = 1.15  # as `sloe profile` has it


def read(path):
    """Rows as dicts; none where there is no such file."""
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(rows):
    if not rows:
        return
    out = csv.DictWriter(sys.stdout, rows[0].keys(), lineterminator="\n", restval="")
    out.writeheader()
    out.writerows(rows)


def number(row, key):
    text = row.get(key) or ""
    return float(text) if text else math.nan


def net_name(net):
    """As the command names a NET: the file without folder and suffix; a spec as it is."""
    return net if net.startswith("zoo:") else os.path.splitext(os.path.basename(net))[0]


def spec_of(net):
    """The keys of a layer spec, as text; {} of a file."""
    if not net.startswith("zoo:layer,"):
        return {}
    return dict(pair.split("=", 1) for pair in net.split(",")[1:])


def predictions(path):
    """(net, measured ms, estimated ms, low, high, in domain) of each row."""
    return [(r["net"], number(r, "measured"), number(r, "estimated"), number(r, "low"), number(r, "high"),
             r["in_domain"] == "1") for r in read(path) if r["metric"] == "latency_ms"]


def macs_by_net(path):
    """Multiply-accumulates by name, from what `sloe estimate --layers --format csv` wrote."""
    sums = {}
    for r in read(path):
        sums[r["net"]] = sums.get(r["net"], 0) + number(r, "macs")
    return sums


def join(measured, layers):
    by_net = {r["net"]: r for r in measured}
    return [by_net[r["net"]] | {k: v for k, v in r.items() if k != "net"} for r in layers if r["net"] in by_net]


def quietest(rows):
    best = {}
    for r in rows:
        if number(r, "move_ms") < number(best.setdefault(r["net"], r), "move_ms"):
            best[r["net"]] = r
    return list(best.values())


def busy(rows):
    moves = sorted(m for m in (number(r, "move_ms") for r in rows) if m > 0)
    return [r["net"] for r in rows if moves and number(r, "move_ms") > BUSY * moves[len(moves) // 10]]


def main():
    if len(sys.argv) >= 2 and sys.argv[1] == "concat":
        write([row for path in sys.argv[2:] for row in read(path)])
    elif len(sys.argv) >= 2 and sys.argv[1] == "quietest":
        write(quietest([row for path in sys.argv[2:] for row in read(path)]))
    elif len(sys.argv) == 3 and sys.argv[1] == "busy":
        print("".join(net + "\n" for net in busy(read(sys.argv[2]))), end="")
    elif len(sys.argv) == 4 and sys.argv[1] == "join":
        write(join(read(sys.argv[2]), read(sys.argv[3])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
