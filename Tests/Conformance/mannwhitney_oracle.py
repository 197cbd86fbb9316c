"""What SciPy says of random pairs of samples: one line of JSON each, for Tests/RolloutTests.

A metric is high when the candidate, lowered by a quarter of the estimated shift, is still greater with p < 0.01 (confidence 0.98,
two sides), low when it is still less after being raised by as much; either only when the means agree.
"""

import json
import sys

import numpy
from scipy.stats import mannwhitneyu


def result(stable, candidate):
    if numpy.array_equal(stable, candidate) or len(set(stable) | set(candidate)) == 1:
        return "pass"
    shift = 0.25 * abs(float(numpy.median(numpy.subtract.outer(candidate, stable))))
    test = dict(method="asymptotic", use_continuity=True)
    above, below = float(numpy.mean(candidate)), float(numpy.mean(stable))
    ratio = above / below if below else 1 if above == 0 else float("inf")
    if ratio >= 1 and mannwhitneyu(candidate - shift, stable, alternative="greater", **test).pvalue < 0.01:
        return "high"
    if ratio <= 1 and mannwhitneyu(candidate + shift, stable, alternative="less", **test).pvalue < 0.01:
        return "low"
    return "pass"


def sample(random, kind, size, center):
    if kind == 0:
        return random.normal(center + 5, 1.0, size)
    if kind == 1:
        return random.exponential(center + 0.1, size)
    if kind == 2:
        return random.poisson(center * 3, size).astype(float)
    return numpy.round(random.lognormal(center, 0.5, size), 1)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    random = numpy.random.default_rng(seed)
    for _ in range(count):
        kind, shift = int(random.integers(4)), float(random.choice([0, 0, 0.2, 0.5, 1.0, 2.0]))
        sizes = random.integers(3, 60, 2)
        samples = [sample(random, kind, int(sizes[0]), 1.0), sample(random, kind, int(sizes[1]), 1.0 + shift)]
        if random.integers(2):
            samples.reverse()
        stable, candidate = samples
        print(json.dumps({"stable": stable.tolist(), "candidate": candidate.tolist(), "result": result(stable, candidate)}))


main()
