#!/usr/bin/python3
"""Write tests/data/goldens/metrics.txt: errors of made-up estimates, as SciPy and NumPy see them.

    tools/make_metric_goldens.py [FOLDER]

An implementation independent of src/learn: Debian's python3-scipy. The best constant is found by
trying every measured value. The file, line by line:
    case NAME               begins a case
    row Y E LOW HIGH        measured, estimated, interval ("nan": none)
    ERROR VALUE             of the rows above it, per cent where learn.h says so
"""
import os
import sys

import numpy as np
import scipy
from scipy import stats


def errors(y, e, low, high):
    relative = 100 * (e - y) / y
    ape = np.abs(relative)
    n = len(y)
    has = ~(np.isnan(low) | np.isnan(high))
    varied = len(set(y)) > 1 and len(set(e)) > 1
    return {
        "mape": ape.mean(),
        "mape_constant": min(100 * np.mean(np.abs(c - y) / y) for c in y),
        "mape_ci95": 1.96 * stats.sem(ape) if n > 1 else np.nan,
        "rmse": np.sqrt(np.mean((e - y) ** 2)),
        "mae": np.mean(np.abs(e - y)),
        "mpe": relative.mean(),
        "mpe_sd": np.std(relative, ddof=1) if n > 1 else np.nan,
        "rmspe": np.sqrt(np.mean(relative**2)),
        "max_ape": ape.max(),
        "min_ape": ape.min(),
        "within_10": 100 * np.mean(ape <= 10),
        "kendall": stats.kendalltau(y, e, variant="b")[0] if varied else np.nan,
        "pearson": stats.pearsonr(y, e)[0] if varied else np.nan,
        "coverage_90": 100 * np.mean((low <= y)[has] & (y <= high)[has]) if has.any() else np.nan,
        "interval_width_median": np.median(100 * ((high - low) / e)[has]) if has.any() else np.nan,
    }


def cases(rng):
    def spread(y, e, width):
        return y, e, e * (1 - width), e * (1 + width)

    y = rng.lognormal(0, 2, 200)
    yield "two hundred", *spread(y, y * rng.lognormal(0.02, 0.1, 200), rng.uniform(0.05, 0.3, 200))
    y = rng.integers(1, 6, 101).astype(float)
    e = np.maximum(1, y + rng.integers(-2, 3, 101))
    yield "many ties", *spread(y, e, 0.5)
    y = rng.uniform(1, 2, 7)
    low = np.array([np.nan, 1, 1.2, np.nan, 0.5, 1.9, 1])
    yield "few intervals", y, y[::-1].copy(), low, low + 0.4
    nan = np.full(33, np.nan)
    y = np.arange(1.0, 34)
    yield "in reverse, no interval", y, y[::-1].copy(), nan, nan
    yield "two rows", *spread(np.array([10.0, 20]), np.array([11.0, 18]), 0.1)
    yield "one row", *spread(np.array([4.0]), np.array([5.0]), 0.25)
    yield "equal measurements", *spread(np.full(5, 0.1), np.array([0.1, 0.11, 0.12, 0.09, 0.1]), 0.1)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../tests/data/goldens")
    with open(os.path.join(folder, "metrics.txt"), "w") as f:
        f.write(f"# tools/make_metric_goldens.py, SciPy {scipy.__version__}, NumPy {np.__version__}\n")
        for name, y, e, low, high in cases(np.random.default_rng(20260729)):
            f.write(f"case {name}\n")
            for row in zip(y, e, low, high):
                f.write("row " + " ".join(repr(float(v)) for v in row) + "\n")
            for error, value in errors(y, e, low, high).items():
                f.write(f"{error} {float(value)!r}\n")


main()
