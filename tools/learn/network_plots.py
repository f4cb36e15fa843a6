#!/usr/bin/python3
"""network_plots.py OUT: the figures of Bouzidi et al. 2022 from what networks.sh left in its folder.

    flops.png         figures 3 to 5 and 6a, b: each metric against FLOPs or parameters, every network measured
    correlations.png  of 3.2: how each feature ranks the networks, against each metric (Spearman)
    memory.png        figure 6c: what memory is made of
    sizes.png         figure 7: the metrics against the size of the input, three networks
    selection.png     figure 8: forward selection, F-score and cross-validated error of each metric
    mape.png          figures 13 to 15: error of each regressor in each space with its 95 % interval, theirs beside

Needs matplotlib. What was not measured is not drawn.
"""
import collections
import os
import re
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from network_tables import errors, load, rows_of, theirs  # noqa: E402

INK, GREY = "#222222", "#999999"
COLOURS = ("#1f6fb4", "#d9772b", "#3a8f5c", "#9a4ea3", "#b59a1e", "#5aa7c7", "#c2526b")
METRICS = {"latency_ms": "time, ms", "power_w": "power, W", "memory_mb": "memory, MB"}
MODELS = ("poly", "mlp", "svr", "rf", "xgb", "layers", "")
LEGEND = dict(frameon=False, fontsize=8)


def save(figure, folder, name):
    figure.tight_layout()
    figure.savefig(os.path.join(folder, f"{name}.png"), dpi=110)
    plt.close(figure)


# ---- rows ----


def number(row, column):
    try:
        return float(row.get(column) or "nan")
    except ValueError:
        return float("nan")


def known(rows, *columns):
    return [r for r in rows if all(number(r, c) > 0 for c in columns)]


def measured(rows):
    return [m for m in METRICS if len(known(rows, m)) > 9]


def groups(rows):
    """name -> rows: by space, else by variant, where those are few"""
    for column in ("space", "variant"):
        found = collections.defaultdict(list)
        for row in rows:
            found[row.get(column) or ""].append(row)
        if 1 < len(found) <= len(COLOURS):
            return dict(sorted(found.items()))
    return {"networks": rows}


def cnn(row):
    """The network without the size of its input."""
    return re.sub(r",(input|seed)=[^,]*", "", row["net"].removeprefix("zoo:"))


# ---- what goes with what ----


def ranks(values):
    order = sorted(range(len(values)), key=values.__getitem__)
    found, i = [0.0] * len(values), 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in order[i:j + 1]:
            found[k] = (i + j) / 2
        i = j + 1
    return found


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    n = len(a)
    mean = (n - 1) / 2
    top = sum((x - mean) * (y - mean) for x, y in zip(a, b))
    return top / max(1e-9, sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)) ** 0.5


def draw_scatter(axes, rows, feature, metric):
    rows = known(rows, feature, metric)
    for colour, (name, some) in zip(COLOURS, groups(rows).items()):
        axes.plot([number(r, feature) for r in some], [number(r, metric) for r in some], ".", ms=3, alpha=0.6,
                  color=colour, label=name)
    rank = spearman([number(r, feature) for r in rows], [number(r, metric) for r in rows])
    values = [number(r, metric) for r in rows]
    axes.set(xscale="log", yscale="log" if max(values) > 10 * min(values) else "linear", xlabel={"flops": "FLOPs", "params": "parameters"}[feature],
             ylabel=METRICS[metric], title=f"rank correlation {rank:.3f}")
    axes.legend(markerscale=3, **LEGEND)


def plot_flops(rows, folder):
    panels = [p for p in (("flops", "latency_ms"), ("flops", "power_w"), ("params", "memory_mb"), ("flops", "memory_mb"))
              if len(known(rows, *p)) > 9]
    figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 4.2), squeeze=False)
    for a, panel in zip(axes[0], panels):
        draw_scatter(a, rows, *panel)
    save(figure, folder, "flops")


def plot_correlations(rows, features, folder):
    metrics = measured(rows)
    table = {}
    for feature in features:
        some = [r for r in rows if number(r, feature) == number(r, feature)]
        if len({r[feature] for r in some}) < 2:
            continue
        pairs = [[(number(r, feature), number(r, m)) for r in known(some, m)] for m in metrics]
        table[feature] = [spearman(*zip(*p)) for p in pairs]
    names = sorted(table, key=lambda f: table[f][0])
    figure, axes = plt.subplots(figsize=(7, 0.22 * len(names) + 1))
    for k, (metric, colour) in enumerate(zip(metrics, COLOURS)):
        axes.plot([table[f][k] for f in names], range(len(names)), "o", ms=5, color=colour, label=METRICS[metric][:-1].split(",")[0])
    axes.set_yticks(range(len(names)))
    axes.set_yticklabels(names, fontsize=8)
    axes.set(xlim=(-1.05, 1.05), ylim=(-1, len(names)), xlabel=f"rank correlation over {len(rows)} networks")
    axes.axvline(0, color=INK, lw=0.8)
    axes.grid(axis="y", color=GREY, alpha=0.25)
    axes.legend(loc="lower right", **LEGEND)
    save(figure, folder, "correlations")


# ---- memory and sizes ----


def parts(row):
    """weights, activations, what the runtime takes besides: MB"""
    weights, live = number(row, "weights_mb"), number(row, "activations_mb")
    if weights != weights:
        weights = 4e-6 * number(row, "params")
    if live != live:
        live = 1e-6 * number(row, "peak_activations_bytes")
    total = number(row, "memory_mb")
    return weights, min(live, total - weights), max(0.0, total - weights - live)


def plot_memory(rows, folder):
    """One network of each kind, the one in the middle."""
    rows = known(rows, "memory_mb", "params")
    kinds = collections.defaultdict(list)
    for row in rows:
        kinds[row.get("family") or "" if len({r.get("family") for r in rows}) > 1 else row.get("group") or ""].append(row)
    if not rows:
        return
    some = [sorted(k, key=lambda r: number(r, "memory_mb"))[len(k) // 2] for k in kinds.values()]
    some.sort(key=lambda r: number(r, "memory_mb"))
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(some) + 1.4))
    left = [0.0] * len(some)
    for colour, (k, text) in zip(COLOURS, enumerate(("weights", "activations alive at once", "the rest: runtime, scratch"))):
        width = [parts(r)[k] for r in some]
        axes.barh(range(len(some)), width, left=left, color=colour, label=text)
        left = [a + b for a, b in zip(left, width)]
    axes.set_yticks(range(len(some)))
    axes.set_yticklabels([r["net"].removeprefix("zoo:") for r in some], fontsize=8)
    axes.set(xlabel=f"MB ({some[0].get('memory_kind') or 'memory'}): of each kind the network in the middle")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncol=3, **LEGEND)
    save(figure, folder, "memory")


def plot_sizes(rows, folder):
    """The three networks with the most sizes, of different families where there are."""
    metrics = measured(rows)
    by = collections.defaultdict(list)
    for row in known(rows, "input_height"):
        by[cnn(row)].append(row)
    chosen, families = [], set()
    for name in sorted((n for n in by if "random" not in n),
                       key=lambda n: (-len({number(r, "input_height") for r in by[n]}), n)):
        kind = by[name][0].get("family"), by[name][0].get("variant") if by[name][0].get("family") == "chain" else ""
        if len(chosen) < 3 and kind not in families:
            chosen.append(name)
            families.add(kind)
    figure, axes = plt.subplots(1, len(metrics), figsize=(5 * len(metrics), 4), squeeze=False)
    for a, metric in zip(axes[0], metrics):
        for colour, name in zip(COLOURS, chosen):
            points = sorted((number(r, "input_height"), number(r, metric)) for r in known(by[name], metric))
            a.plot([p[0] for p in points], [p[1] for p in points], ".-", color=colour, label=name)
        a.set(xlabel="height of the input, pixels", ylabel=METRICS[metric], ylim=0)
        a.legend(loc="best", **LEGEND)
    save(figure, folder, "sizes")


# ---- selection and errors ----


def draw_selection(axes, steps, metric):
    n = len(steps)
    steps = [s for s in steps if s["score"] > 0 or s["mape"] is not None]
    at = range(len(steps))
    axes.bar(at, [s["score"] for s in steps], color=["#1f6fb4" if s["chosen"] else "#c9d6e2" for s in steps])
    axes.set_xticks(list(at))
    axes.set_xticklabels([s["feature"] for s in steps], rotation=90, fontsize=7)
    axes.set(ylabel="F-score: splits that ask for it", xlim=(-0.7, len(steps) - 0.3))
    right = axes.twinx()
    tried = [(i, s["mape"]) for i, s in enumerate(steps) if s["mape"] is not None]
    right.plot([t[0] for t in tried], [t[1] for t in tried], ".-", color="#d9772b")
    right.set(ylabel="MAPE with it and all before it, %", ylim=0)
    last = max((i for i, s in enumerate(steps) if s["chosen"]), default=0)
    right.axvline(last + 0.5, color=INK, lw=0.8, ls="--")
    late = last > len(steps) / 2
    right.text(last + (0.3 if late else 0.7), right.get_ylim()[1] * 0.97, va="top", ha="right" if late else "left", fontsize=8,
               s=f"nothing gained after {last + 1}:\n{steps[last]['mape']:.3g} %")
    unused = f"; {n - len(steps)} features that no split asks for" if n > len(steps) else ""
    axes.set_title(METRICS[metric].split(",")[0] + unused, fontsize=10)


def plot_selection(selected, folder):
    metrics = [m for m in METRICS if any(s["metric"] == m for s in selected)]
    figure, axes = plt.subplots(1, len(metrics), figsize=(5.6 * len(metrics), 4.6), squeeze=False)
    for a, metric in zip(axes[0], metrics):
        draw_selection(a, [s for s in selected if s["metric"] == metric], metric)
    save(figure, folder, "selection")


def draw_mape(axes, ours, spaces, metric):
    paper = theirs()
    models = [m for m in MODELS if any(ours.get((metric, m, s)) for s in spaces)]
    for k, (colour, space) in enumerate(zip(COLOURS, spaces)):
        for i, model in enumerate(models):
            e, x = ours.get((metric, model, space)), i + 0.22 * (k - (len(spaces) - 1) / 2)
            if e and e["mape"] is not None:
                axes.errorbar(x, e["mape"], yerr=min(e["mape_ci95"] or 0, 0.95 * e["mape"]), fmt="o", ms=5,
                              color=colour, capsize=3, label=space if model == models[0] else None)
            row = paper.get((metric, model, space))
            if row:
                axes.plot([x] * 3, [float(row[f"mape_{b}"]) for b in ("agx", "tx2", "nano")], "_", ms=9, color=GREY,
                          label="theirs: AGX, TX2, Nano" if (i, k) == (0, 0) else None)
        constant = ours[metric, "", space]["mape_constant"]
        if constant:
            axes.axhline(constant, color=colour, lw=0.8, ls=":")
    axes.set_xticks(range(len(models)))
    axes.set_xticklabels([m or "the\nplatform" for m in models])
    axes.set(yscale="log", ylabel="MAPE, %; dotted: the best constant", title=METRICS[metric].split(",")[0])
    axes.yaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.grid(axis="y", which="both", color=GREY, alpha=0.2)
    axes.legend(**LEGEND)


def plot_mape(folder):
    spaces = [name for name in ("nis", "ncv", "nca") if os.path.exists(os.path.join(folder, f"{name}.json"))]
    spaces = spaces or sorted(f[5:-4] for f in os.listdir(folder) if re.fullmatch(r"test-.+\.csv", f)) or ["all"]
    ours = errors(folder, spaces)
    metrics = [m for m in METRICS if (m, "", spaces[0]) in ours]
    figure, axes = plt.subplots(1, len(metrics), figsize=(6.5 * len(metrics), 4.6), squeeze=False)
    for a, metric in zip(axes[0], metrics):
        draw_mape(a, ours, spaces, metric)
    save(figure, folder, "mape")


# ---- the whole ----


def main(folder):
    rows = [r for name in ("train", "test") for r in rows_of(os.path.join(folder, f"{name}.csv"))]
    rows = [r for r in rows if r.get("quality") in ("ok", "", None)]
    if rows and "flops" in rows[0]:
        plot_flops(rows, folder)
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "net", "features.def")
        with open(source) as file:
            plot_correlations(rows, [f for f in re.findall(r"^FEATURE\((\w+)", file.read(), re.M) if f in rows[0]], folder)
        plot_memory(rows, folder)
        plot_sizes(rows, folder)
    selected = load(folder, "select")["selected"]
    if selected:
        plot_selection(selected, folder)
    plot_mape(folder)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
