#!/usr/bin/env python3
"""The generated parts of docs/fidelity.md.

    table.py [--check] ORACLE-LINK [ORACLE-ELEMENT]

Compares our link with the recorded kernel (compare.py) and writes the tables between the page's markers. With --check
nothing is written: the exit code is 1 if a figure is out of bounds or the page says something else. With
ORACLE-ELEMENT, chaosdegrader's decision log must tell of each packet exactly what the link decided.
"""
import pathlib
import subprocess
import sys
import tempfile

import compare
from rows import ROWS

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "fidelity.md"
ELEMENT_PACKETS = 20_000  # of each row through the element; every one must be the same
# Rows that the element is not compared in: its log tells no marks, and it has no property for a table and none below 0.
CORE_ONLY = {"loss-ecn", "delay-table", "rate-negative-overhead", "rate-negative-cells"}
METRICS = {"lost.share": "lost", "lost.mean_run": "mean run of losses", "lost.runs": "lengths of runs",
           "lost.acf1": "correlation of losses", "delay": "delay, 50 % / 99 %", "late.share": "overtaken",
           "delay_acf1": "correlation of delays", "ahead.share": "sent ahead", "ahead.acf1": "correlation of these",
           "duplicate.share": "duplicated", "duplicate.acf1": "correlation of these", "corrupt.share": "corrupted",
           "corrupt.acf1": "correlation of these", "corrupt.bit": "place of the changed bit, 0..1",
           "marked.share": "marked", "marked.mean_run": "mean run of marks",
           "marked.runs": "lengths of runs", "rate_kbps": "rate, kbit/s",
           "batch.distance_ms": "time between batches, 50 % / 99 %",
           "batch.packets": "packets in a batch"}


def cells(*values):
    return "| " + " | ".join(values) + " |"


def head(*names):
    return [cells(*names), cells(*("---" for _ in names))]


def tc(row):
    return f"`{row.netem}`" if row.netem else "(nothing)"


def ours(row):
    return " ".join(f"`{name}={pathlib.Path(str(value)).name}`" for name, value in row.ours.items()) or "(nothing)"


def comparison(fixture, outcomes):
    """A row for each figure; setting and size only where they change."""
    lines = head("netem", "packets", "figure", "netem's", "ours", "difference", "bound", "noise")
    before = None
    for each in outcomes:
        if each.row.documented:
            continue
        first = each.row is not before
        before = each.row
        lines.append(cells(tc(each.row) if first else "", f"{each.row.packets}" if first else "",
                           METRICS[each.metric], each.netem, each.ours, each.difference, bound(each), each.noise))
    return lines


def bound(each):
    if each.metric in ("delay", "batch.distance_ms"):
        return "max(0.5 ms, 3 %)"
    if each.metric == "corrupt.bit":
        return f"{compare.BIT}"
    if each.metric.endswith(".runs"):
        return f"{compare.DISTANCE}"
    return f"{compare.CORRELATION}" if each.metric.endswith("acf1") else "5 %"


def deviations(fixture, outcomes):
    lines = head("netem", "figure", "documented", "netem's", "ours", "bound", "see")
    for each in outcomes:
        if each.row.documented:
            lines.append(cells(tc(each.row), METRICS[each.metric], each.documented or "as netem's", each.netem,
                               each.ours, bound(each), f"[{each.row.why}](#{each.row.why})"))
    return lines


def settings(fixture, outcomes):
    lines = head("netem", "chaosdegrader")
    return lines + [cells(tc(row), ours(row)) for row in ROWS]


def method(fixture, outcomes):
    base = fixture["rows"]["baseline"]
    low, _, high = base["gap_us"]
    spread = max(high - 1000, 1000 - low)
    return [
        f"- Kernel: {fixture['kernel']}; {fixture['iproute2'].removeprefix('tc utility, ')}.",
        f"- Noise floor (netem with no setting, {base['packets']} packets): delay {1000 * base['delay'][4]:.1f} µs at "
        f"the median, {1000 * base['delay'][-1]:.1f} µs at 99 %; packets left within {spread:.1f} µs of their time. "
        "It is part of netem's delays below and was not subtracted.",
        f"- {len(ROWS)} settings, {sum(row.packets for row in ROWS)} packets on either side, {len(outcomes)} figures, "
        f"{sum(1 for each in outcomes if each.fault)} out of bounds.",
        "- Through core only, not through the element: " +
        ", ".join(tc(row) for row in ROWS if row.name in CORE_ONLY) + ".",
    ]


PARTS = {"method": method, "comparison": comparison, "deviations": deviations, "settings": settings}


def generated(page, fixture, outcomes):
    for name, make in PARTS.items():
        begin, end = f"<!-- {name}: begin, by tests/oracle/table.py -->\n", f"<!-- {name}: end -->"
        before, found, rest = page.partition(begin)
        if not found or end not in rest:
            raise SystemExit(f"{PAGE.name}: the markers of \"{name}\" are missing")
        page = before + begin + "\n".join(make(fixture, outcomes)) + "\n" + end + rest.partition(end)[2]
    return page


def element_faults(element, link):
    """Rows of which the decision log tells something else than the link decided."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(row, min(row.packets, ELEMENT_PACKETS), pathlib.Path(folder) / row.name) for row in ROWS
                if row.name not in CORE_ONLY]
        subprocess.run([element], input="".join(compare.job(row, out, packets) for row, packets, out in jobs),
                       text=True, check=True, timeout=240)
        return [f"{row.name}: chaosdegrader's decisions are not the link's" for row, packets, out in jobs
                if out.read_bytes() != compare.through_link(link, row, folder, packets)]


def main(arguments):
    check = "--check" in arguments
    link, *element = [word for word in arguments if word != "--check"]
    fixture, outcomes = compare.evaluate(link)
    faults = [each.text for each in outcomes if each.fault]
    if element:
        faults += element_faults(element[0], link)
    page = PAGE.read_text()
    new = generated(page, fixture, outcomes)
    if check and new != page:
        faults.append(f"docs/{PAGE.name} is not what tests/oracle/table.py makes; run it without --check")
    if not check:
        PAGE.write_text(new)
    print(*faults, f"{len(outcomes)} figures, {len(faults)} faults", sep="\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
