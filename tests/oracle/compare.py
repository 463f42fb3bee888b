#!/usr/bin/env python3
"""Our link against what the kernel did, within bounds.

    compare.py ORACLE-LINK [ROW…]     prints every figure; exit code 1 if any is out of bounds

Bounds: shares, run lengths, rates and batch sizes 5 % relative; quantiles of delay and of the time between batches
max(0.5 ms, 3 %); distributions of run lengths 0.03 (largest distance of the two cumulative distributions: two samples
of 8000 runs differ by 0.026 once in a hundred times); lag-1 correlations 0.03 (20 standard errors at 100 000
packets); places of changed bits 2 % of the packet. Where netem does not do what is documented, ours is held to the
documented value by the same bounds, and it is a fault if netem turns out to be within them: the row then says so
wrongly.
"""
import base64
import dataclasses
import json
import lzma
import math
import pathlib
import subprocess
import sys
import tempfile

import runs
from rows import ROWS

FIXTURE = pathlib.Path(__file__).with_name("fixtures") / "netem.json"
SEED = 1
BACK_TO_BACK_US = 20
RELATIVE, CORRELATION, DISTANCE, BIT = 0.05, 0.03, 0.03, 0.02
QUANTILE_MS, QUANTILE_RELATIVE = 0.5, 0.03
ERRORS = 3  # a bound on a share must be that many combined standard errors wide


@dataclasses.dataclass
class Outcome:
    row: object
    metric: str
    netem: str
    ours: str
    off: float  # the difference, in units of the bound: 1 is just within
    difference: str
    noise: str = ""
    documented: str = ""
    fault: str = ""

    @property
    def text(self):
        words = f"{self.row.name:28} {self.metric:18} netem {self.netem:>24} ours {self.ours:>24} {self.difference:>8}"
        return words + (f" documented {self.documented}" if self.documented else "") + (f"  FAULT: {self.fault}" if
                                                                                       self.fault else "")


def figure(figures, metric):
    for name in metric.split("."):
        figures = figures[name]
    return figures


def number(value):
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def cumulative(runs_by_length):
    total, sum_, result = sum(runs_by_length.values()), 0, {}
    for length in range(1, max(map(int, runs_by_length), default=0) + 1):
        sum_ += runs_by_length.get(str(length), 0)
        result[length] = sum_ / total
    return result


def run_distance(a, b):
    one, two = cumulative(a), cumulative(b)
    return max(abs(one.get(length, 1) - two.get(length, 1)) for length in one | two)


def of_quantiles(netem, ours, bound):
    """The worst of all quantiles: (off, point, netem's, ours)."""
    return max((abs(a - b) / bound(a), point, a, b) for point, a, b in zip(runs.POINTS, netem, ours))


def quantile_bound(value):
    return max(QUANTILE_MS, QUANTILE_RELATIVE * abs(value))


def scalar_bound(metric, value):
    return CORRELATION if metric.endswith("acf1") else RELATIVE * abs(value) if value else 0.001


def scalar(row, metric, netem, ours):
    """A figure that is one number."""
    theirs, own = figure(netem, metric), figure(ours, metric)
    meant = row.documented.get(metric, theirs)
    bound = scalar_bound(metric, meant)
    as_share = 100 if metric.endswith("share") else 1
    unit = " %" if as_share == 100 else ""
    result = Outcome(row, metric, number(theirs * as_share) + unit, number(own * as_share) + unit,
                     abs(own - meant) / bound, f"{own - meant:+.3f}" if bound == CORRELATION else
                     f"{100 * (own - meant) / meant:+.1f} %" if meant else number(own))
    if metric in row.documented:
        result.documented = number(meant * as_share) + unit
        result.netem_off = abs(theirs - meant) / bound
    if as_share == 100 and meant:
        parent = metric.split(".")[0]
        both = math.hypot(netem[parent]["error"], ours[parent]["error"]) if metric not in row.documented else \
            ours[parent]["error"]
        result.noise = f"{100 * both / meant:.1f} %"
        if ERRORS * both > bound:
            result.fault = f"{result.noise} of sampling noise do not allow this bound"
    return result


def outcome(row, metric, netem, ours):
    if metric in ("delay", "batch.distance_ms"):
        off, point, a, b = of_quantiles(figure(netem, metric), figure(ours, metric), quantile_bound)
        middle = runs.POINTS.index(50)
        both = [f"{figure(each, metric)[middle]:.2f} / {figure(each, metric)[-1]:.2f} ms" for each in (netem, ours)]
        return Outcome(row, metric, *both, off, f"{b - a:+.2f} ms", noise=f"at {point} %")
    if metric == "corrupt.bit":
        bits = row.bytes * 8
        off, point, a, b = of_quantiles(figure(netem, metric), figure(ours, metric), lambda _: BIT * bits)
        return Outcome(row, metric, f"{a / bits:.3f}", f"{b / bits:.3f}", off, f"{(b - a) / bits:+.3f}",
                       noise=f"at {point} %")
    if metric.endswith(".runs"):
        distance = run_distance(figure(netem, metric), figure(ours, metric))
        counts = [f"{sum(figure(each, metric).values())} runs" for each in (netem, ours)]
        return Outcome(row, metric, *counts, distance / DISTANCE, f"{distance:.3f}")
    return scalar(row, metric, netem, ours)


def judged(row, netem, ours):
    outcomes = [outcome(row, metric, netem, ours) for metric in row.compare]
    for each in outcomes:
        if not each.fault and not each.off <= 1:
            each.fault = "out of bounds"
    if row.documented and not any(getattr(each, "netem_off", 0) > 1 for each in outcomes):
        outcomes[0].fault = "netem is as documented after all"
    return outcomes


def job(row, out, packets):
    words = [out, packets, (row.gap_us or BACK_TO_BACK_US) * 1000, row.bytes, SEED]
    return " ".join(map(str, words + [f"{name}={value}" for name, value in row.ours.items()])) + "\n"


def through_link(program, row, folder, packets=None):
    """The record as bytes."""
    out = pathlib.Path(folder) / "link"
    subprocess.run([program], input=job(row, out, packets or row.packets), text=True, check=True, timeout=60)
    return out.read_bytes()


def unpacked(text, packets):
    bits = int.from_bytes(lzma.decompress(base64.b85decode(text)), "big")
    return f"{bits:0{packets}b}".encode().translate(bytes(48) + bytes([0, 1]) + bytes(206))


def check_packed(row, netem):
    """The packets' fates in the fixture make the figures beside them."""
    for name, text in netem["packed"].items():
        happened = unpacked(text, netem["packets"])
        lengths = {str(length): count for length, count in runs.run_lengths(happened).items()}
        if abs(sum(happened) / len(happened) - netem[name]["share"]) > 1e-6 or lengths != netem[name]["runs"]:
            raise SystemExit(f"fixtures: {row.name}: {name} is not what its packets say")


def evaluate(program, names=()):
    """(fixture, outcomes of all rows)"""
    fixture, outcomes = json.loads(FIXTURE.read_text()), []
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if names and row.name not in names:
                continue
            netem = fixture["rows"].get(row.name)
            if not netem or netem["tc"] != row.netem or netem["packets"] != row.packets:
                raise SystemExit(f"fixtures: {row.name} is not recorded as rows.py has it; run record.py {row.name}")
            check_packed(row, netem)
            outcomes += judged(row, netem, runs.figures(runs.read(through_link(program, row, folder)), row))
    return fixture, outcomes


def main(arguments):
    _, outcomes = evaluate(arguments[0], arguments[1:])
    for each in outcomes:
        print(each.text)
    faults = [each for each in outcomes if each.fault]
    print(f"{len(outcomes)} figures, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
