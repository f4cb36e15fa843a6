#!/usr/bin/python3
"""Pictures of a platform's accuracy, from what run.sh left in its folder.

    tools/accuracy/plots.py OUT [SWEEPS]        writes OUT/plots/*.png

SWEEPS is a folder of tables that tools/fit/measure_sweeps wrote (csv=FILE): sweeps, with the columns
sweep,over,x,measured,fitted, or a plane's points. What is not there is not drawn.
"""
import glob
import math
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import layers  # noqa: E402
import tables  # noqa: E402

SETS = (("convs", "random convolutions"), ("neuralpower", "NeuralPower's layers"), ("networks", "networks"))
INK, BLUE, ORANGE, GREY = "#222222", "#1f6fb4", "#d9772b", "#999999"
HISTOGRAM_END = 20  # per cent
SWEEPS_A_PAGE = 12
SWEEP, PLANE = ("sweep", "over", "x", "measured", "fitted"), ("filters", "channels", "measured", "fitted")


def save(figure, folder, name):
    figure.tight_layout()
    figure.savefig(os.path.join(folder, f"{name}.png"), dpi=110)
    plt.close(figure)


def error(row):
    return 100 * (row[2] / row[1] - 1)


# ---- predicted against measured ----


def draw_against(axes, rows, title):
    times = [t for r in rows for t in r[1:3]]
    ends = [min(times) / 1.3, max(times) * 1.3]
    axes.fill_between(ends, [0.9 * t for t in ends], [1.1 * t for t in ends], color=GREY, alpha=0.25, lw=0,
                      label="10 %")
    axes.plot(ends, ends, color=INK, lw=0.8)
    for inside, colour, text in ((True, BLUE, "in the domain"), (False, ORANGE, "outside")):
        some = [r for r in rows if r[5] == inside]
        if some:
            axes.plot([r[1] for r in some], [r[2] for r in some], ".", color=colour, ms=4, alpha=0.7, label=text)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel="measured, ms", ylabel="estimated, ms",
             title=f"{title} ({len(rows)})")
    axes.set_aspect("equal")
    axes.legend(loc="upper left", frameon=False)


def draw_histogram(axes, rows, title):
    errors = [max(-HISTOGRAM_END, min(HISTOGRAM_END, error(r))) for r in rows]
    axes.hist(errors, bins=80, range=(-HISTOGRAM_END, HISTOGRAM_END), color=BLUE)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set(xlabel=f"error, % (beyond {HISTOGRAM_END}: in the outermost bars)", ylabel="rows", title=title)


def draw_by_size(axes, rows, title):
    axes.axhspan(-10, 10, color=GREY, alpha=0.25, lw=0)
    axes.plot([r[1] for r in rows], [error(r) for r in rows], ".", color=BLUE, ms=4, alpha=0.7)
    axes.axhline(0, color=INK, lw=0.8)
    axes.set(xscale="log", xlabel="measured, ms", ylabel="error, %", title=title)
    axes.set_yscale("symlog", linthresh=10)
    axes.set_yticks([-100, -30, -10, -5, 0, 5, 10, 30, 100, 300],
                    ["-100", "-30", "-10", "-5", "0", "5", "10", "30", "100", "300"])


def plot_sets(out, folder):
    for name, title in SETS:
        rows = tables.predictions(os.path.join(out, f"{name}-predictions.csv"))
        if not rows:
            continue
        figure, (against, histogram, by_size) = plt.subplots(1, 3, figsize=(16, 5.4))
        draw_against(against, rows, f"{title}, estimated against measured")
        draw_histogram(histogram, rows, "errors")
        draw_by_size(by_size, rows, "error against size")
        save(figure, folder, name)


def plot_networks(out, folder):
    rows = tables.predictions(os.path.join(out, "networks-predictions.csv"))
    if not rows:
        return
    rows.sort(key=error)
    figure, axes = plt.subplots(figsize=(9, 1 + 0.2 * len(rows)))
    axes.axvspan(-8, 8, color=GREY, alpha=0.2, lw=0, label="8 %")
    axes.barh(range(len(rows)), [error(r) for r in rows], color=[BLUE if r[5] else ORANGE for r in rows])
    axes.set_yticks(range(len(rows)), [tables.net_name(r[0]) for r in rows], fontsize=7)
    axes.set(xlabel="error of the estimate, % (orange: outside the domain)", ylim=(-1, len(rows)),
             title="networks")
    axes.axvline(0, color=INK, lw=0.8)
    axes.legend(frameon=False)
    save(figure, folder, "networks-bars")


# ---- layer by layer (Blackthorn, figure 10) ----


def plot_layers(out, folder, name):
    _, _, _, rows = layers.both(out, name)
    figure, axes = plt.subplots(figsize=(max(8, 0.35 * len(rows)), 5))
    series = [("in the network", GREY, 3), ("alone", BLUE, 4), ("estimated", ORANGE, 5)]
    for i, (text, colour, column) in enumerate(series):
        axes.bar([x + 0.28 * (i - 1) for x in range(len(rows))], [r[column] or 0 for r in rows], 0.28,
                 color=colour, label=text)
    axes.set_xticks(range(len(rows)), [f"{r[1]} {r[2].split(' > ')[1]}" for r in rows], rotation=90, fontsize=7)
    axes.set(ylabel="ms", title=f"{name}, layer by layer")
    axes.legend(frameon=False)
    save(figure, folder, f"layers-{name}")


# ---- sweeps (Blackthorn, figures 7 and 8) ----


def read_sweeps(path):
    """{sweep: (over what, [(x, measured, fitted)])}"""
    sweeps = {}
    for r in tables.read(path):
        what, points = sweeps.setdefault(r["sweep"], (f"{r['sweep']}, {r['over']}", []))
        point = tuple(tables.number(r, key) for key in ("x", "measured", "fitted"))
        if not any(map(math.isnan, point)):  # the last line of a table that is being written
            points.append(point)
    return sweeps


def draw_sweep(axes, what, points):
    points.sort()
    axes.plot([p[0] for p in points], [p[1] for p in points], ".", color=GREY, ms=3, label="measured")
    axes.plot([p[0] for p in points], [p[2] for p in points], "-", color=ORANGE, lw=1, label="fitted")
    mape = sum(abs(p[2] / p[1] - 1) for p in points) / len(points)
    axes.set_title(f"{what}: {100 * mape:.2f} %", fontsize=8)
    axes.tick_params(labelsize=7)


def plot_sweeps(path, folder):
    sweeps = list(read_sweeps(path).values())
    for page in range(0, len(sweeps), SWEEPS_A_PAGE):
        figure, grid = plt.subplots(3, 4, figsize=(18, 11))
        for axes, (what, points) in zip(grid.flat, sweeps[page : page + SWEEPS_A_PAGE]):
            draw_sweep(axes, what, points)
        for axes in list(grid.flat)[len(sweeps) - page :]:
            axes.axis("off")
        grid[0, 0].legend(frameon=False, fontsize=8)
        name = os.path.splitext(os.path.basename(path))[0]
        save(figure, folder, f"sweeps-{name}-{page // SWEEPS_A_PAGE + 1}")


def plot_plane(path, folder):
    points = [[tables.number(r, key) for key in PLANE] for r in tables.read(path)]
    errors = [100 * (p[3] / p[2] - 1) for p in points]
    figure, axes = plt.subplots(figsize=(7.5, 6))
    drawn = axes.scatter([p[0] for p in points], [p[1] for p in points], c=errors, s=14, cmap="RdBu_r", vmin=-10,
                         vmax=10)
    figure.colorbar(drawn, label="error, %")
    mean = sum(map(abs, errors)) / len(errors)
    axes.set(xlabel="filters", ylabel="input channels",
             title=f"plane at {len(points)} points: mean {mean:.2f} %, worst {max(map(abs, errors)):.1f} %")
    save(figure, folder, "plane")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, sweeps = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    folder = os.path.join(out, "plots")
    os.makedirs(folder, exist_ok=True)
    plot_sets(out, folder)
    plot_networks(out, folder)
    for path in sorted(glob.glob(os.path.join(out, "layers", "*.estimate"))):
        plot_layers(out, folder, tables.net_name(path))
    for path in sorted(glob.glob(os.path.join(sweeps, "*.csv"))) if sweeps else []:
        rows = tables.read(path)
        if rows and set(SWEEP) <= rows[0].keys():
            plot_sweeps(path, folder)
        elif rows and set(PLANE) <= rows[0].keys():
            plot_plane(path, folder)


main()
