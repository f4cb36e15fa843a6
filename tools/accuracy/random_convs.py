#!/usr/bin/python3
"""Print the random convolutions that a platform's accuracy is told by, one NET a line.

    tools/accuracy/random_convs.py [COUNT [GFLOP]]      1000 of at most 20 GFLOP where not given

Channels and filters log-uniform over 1..1024, width and height log-uniform over 8..512 independently
of each other, kernels 1, 3, 5, 7 or 11, strides 1 or 2, padding that keeps the size, larger ones
than GFLOP drawn anew. The seed was fixed before anything was profiled: fewer convolutions are
a beginning of the same list.
"""
import math
import random
import sys

SEED = 20261125
KERNELS = (1, 3, 5, 7, 11)


def log_uniform(rng, low, high):
    return round(math.exp(rng.uniform(math.log(low), math.log(high))))


def draw(rng):
    spec = {key: log_uniform(rng, 1, 1024) for key in ("c", "k")}
    spec |= {key: log_uniform(rng, 8, 512) for key in ("h", "w")}
    return spec | {"kernel": rng.choice(KERNELS), "stride": rng.choice((1, 2))}


def flops(s):
    out = -(-s["h"] // s["stride"]) * -(-s["w"] // s["stride"])
    return 2 * out * s["c"] * s["k"] * s["kernel"] ** 2


def net(s):
    return "zoo:layer,op=conv," + ",".join(f"{key}={s[key]}" for key in ("c", "h", "w", "k", "kernel", "stride"))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    most = 1e9 * float(sys.argv[2]) if len(sys.argv) > 2 else 20e9
    rng = random.Random(SEED)
    while count:
        spec = draw(rng)
        if flops(spec) <= most:
            print(net(spec))
            count -= 1


main()
