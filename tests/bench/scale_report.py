#!/usr/bin/env python3
"""Writes what tests/bench/scale.py measured into docs/performance.md (between its markers) and docs/images/scale-*.svg.

    tests/bench/scale_report.py [RESULT.json]          (plots need python3-matplotlib; without it they are left as is)
"""
import json
import pathlib
import sys
from statistics import median

import scale_plots

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "performance.md"
BEGIN, END = "<!-- scale: made by tests/bench/scale_report.py -->", "<!-- scale: end -->"
NAMES = {"bare": "(a) bare loop", "plain": "(b) ours", "chaos": "(c) ours, chaos", "stock": "(d) stock chain",
         "encoded": "(e) encoder each"}
STATED = {100: (2, 2, 250), 500: (6, 8, 1200), 1000: (12, 16, 2500), 1500: (18, 24, 3700)}  # GB, cores, Mbit/s


class Results:
    def __init__(self, result):
        self.result = result
        self.records = [record for record in result["records"] if "failed" not in record]

    def of(self, link, way, participants):
        return [r for r in self.records if (r["link"], r["way"], r["participants"]) == (link, way, participants)]

    def sizes(self, link, *ways):
        return sorted({r["participants"] for r in self.records if r["link"] == link and r["way"] in ways})

    def middle(self, link, way, participants, *keys):
        """The median over the rounds of a figure, found by its keys; nothing if there is none."""
        values = []
        for record in self.of(link, way, participants):
            for key in keys:
                record = record.get(key) if isinstance(record, dict) else None
            if record is not None:
                values.append(record)
        return median(values) if values else None

    def ratio(self, link, way, participants):
        own, bare = (self.middle(link, each, participants, "sender_us") for each in (way, "bare"))
        return own / bare if own and bare else None


def text(value, decimals=0):
    return "–" if value is None else f"{value:,.{decimals}f}".replace(",", " ")


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
                      *("| " + " | ".join(row) + " |" for row in rows)])


def costs(results, link):
    rows = []
    for participants in results.sizes(link, *NAMES):
        for way, name in NAMES.items():
            runs = results.of(link, way, participants)
            if not runs:
                continue
            get = lambda *keys: results.middle(link, way, participants, *keys)
            late = " / ".join(text(get("late_ms", key), 2) for key in ("p50", "p99", "max"))
            behind = "" if all(run.get("kept_up", True) for run in runs) else " ‡"
            lost, errors, drops = (sum(run.get(key) or 0 for run in runs) for key in ("lost", "send_errors",
                                                                                     "kernel_drops"))
            ratio = results.ratio(link, way, participants)
            rows.append([text(participants), name + behind, text(get("packets_per_second")), text(get("sender_us"), 3),
                         text(ratio, 2), text(get("sender_cores"), 3), text(get("receiver_us"), 3), late,
                         f"{text(lost)} / {text(errors)} / {text(drops)}", text(get("rss_mib")), text(get("threads")),
                         text(get("fds")), str(len(runs))])
    return table(["participants", "way", "packets/s", "sender, µs a packet", "of (a)", "sender, cores",
                  "receiver, µs a packet", "late p50 / p99 / max, ms", "lost / send errors / receiver's drops", "RSS, MiB",
                  "threads", "fds", "runs"], rows)


def checks(results):
    rows = []
    for link in ("loopback", "veth"):
        for participants in results.sizes(link, "checked"):
            seen = results.of(link, "checked", participants)[0]
            log = results.of(link, "logged", participants)
            said = "–"
            if log:
                wrong = log[0]["sent_but_missing"] + log[0]["lost_but_there"]
                said = f"{text(log[0]['log_lost'])} of {text(log[0]['log_lost'] + log[0]['log_sent'])}, {text(wrong)} wrong"
            rows.append([link, text(participants), text(seen["packets"]), text(seen["breaks"]), text(seen["malformed"]),
                         text(seen["lost"]), text(seen["kernel_drops"]), text(seen["answered_seconds"], 2),
                         text(seen["start_seconds"], 2), f"{text(seen['rest_ms']['p50'], 1)} / {text(seen['rest_ms']['p99'], 1)}", said])
    return table(["link", "participants", "packets seen", "sequence breaks", "malformed", "lost", "receiver's drops",
                  "create + start answered, s", "first packets of all §, s", "REST p50 / p99, ms",
                  "with chaos: lost by the decision log"], rows)


def savings(results):
    rows = []
    for participants in results.sizes("loopback", "encoded"):
        get = lambda way, key: results.middle("loopback", way, participants, key)
        each, own = get("encoded", "sender_us"), get("plain", "sender_us")
        behind = "" if all(run["kept_up"] for run in results.of("loopback", "encoded", participants)) else " ‡"
        if each and own:
            rows.append([text(participants) + behind, text(get("encoded", "sender_cores"), 2),
                         text(get("plain", "sender_cores"), 3), text(each), text(own, 1),
                         f"{text(100 * (1 - own / each), 1)} %"])
    return table(["participants", "(e) cores", "(b) cores", "(e) µs a packet", "(b) µs a packet", "saved"], rows)


def beside(results):
    rows = []
    for participants, (gigabytes, cores, mbit) in STATED.items():
        get = lambda *keys: results.middle("loopback", "chaos", participants, *keys)
        memory, own_mbit = get("rss_mib"), get("mbit")
        rows.append([text(participants), f"{gigabytes} GB", text(cores), text(mbit),
                     f"{text(memory)} MiB", text(get("sender_cores"), 2), text(own_mbit)])
    return table(["participants", "stated: memory", "cores", "Mbit/s", "ours with chaos: memory", "cores", "Mbit/s"],
                 rows)


def profiled(results):
    found = results.result.get("profile")
    if not found:
        return "Not taken in this run (`--profile`)."
    libraries = ", ".join(f"{what} {text(share)} %" for share, what in found["libraries"][:6])
    rows = [[text(share, 1), *what.replace("|", "\\|").split(" ", 1)] for share, what in found["functions"][:14]]
    return (f"(c) with {found['participants']} participants over loopback, all threads (perf, cpu-clock): {libraries}.\n\n" +
            table(["%", "library", "function"], rows))


def goals(results):
    get = lambda way, participants, *keys: results.middle("loopback", way, participants, *keys)
    errors = sum(run["send_errors"] for run in results.of("loopback", "chaos", 1500))
    answered, first = (get("checked", 1500, key) for key in ("answered_seconds", "start_seconds"))
    costs_of = [get("chaos", n, "sender_us") for n in results.sizes("loopback", "chaos") if n >= 500]
    # the least x for which all are within ± x % of something: of the middle of their range
    spread = 100 * (max(costs_of) - min(costs_of)) / (max(costs_of) + min(costs_of)) if costs_of else None
    rows = [
        ["P1", "CPU a packet with chaos, of the bare loop", "≤ 1.5", text(results.ratio("loopback", "chaos", 1500), 2)],
        ["P2", "1500 with chaos: cores of sender", "≤ 0.5", text(get("chaos", 1500, "sender_cores"), 3)],
        ["P2", "lateness p99, ms", "≤ 2", text(get("chaos", 1500, "late_ms", "p99"), 2)],
        ["P2", "send errors in all runs", "0", text(errors)],
        ["P2", "RSS, MiB", "≤ 95 (100 MB)", text(get("chaos", 1500, "rss_mib"))],
        ["P2", "threads, file descriptors", "≤ 4, < 30",
         f"{text(get('chaos', 1500, 'threads'))}, {text(get('chaos', 1500, 'fds'))}"],
        ["P3", "4000 with chaos, receiver here: lateness p99, ms", "≤ 5", text(get("chaos", 4000, "late_ms", "p99"), 2)],
        ["P5", "1500: create + start answered; first packets of all §, s", "≤ 0.5",
         f"{text(answered, 2)}; {text(first, 2)}"],
        ["P5", "REST p99 meanwhile, ms", "< 50", text(get("checked", 1500, "rest_ms", "p99"), 1)],
        ["P6", "CPU a packet from 500 to 4000 participants, ± %", "≤ 20", text(spread, 0)],
    ]
    return table(["goal", "what", "wanted", "measured (median)"], rows)


def section(results):
    machine, clip = results.result["machine"], results.result.get("clip", {})
    parts = [
        BEGIN,
        f"{machine['processor']}, {machine['processors']} processors, kernel {machine['kernel']}, GStreamer "
        f"{machine['gstreamer']}, {machine['build']} build of {machine['commit']}, {machine['at']}, load average before "
        f"it {machine['load_average']:.1f}. A participant: {clip.get('packets_per_second', 0):.0f} packets and "
        f"{clip.get('mbit', 0):.2f} Mbit a second.",
        "### Goals\n", goals(results),
        "### Loopback\n", costs(results, "loopback"),
        "![CPU a packet](images/scale-cost.svg)\n\n![Cores](images/scale-cores.svg)\n\n"
        "![Lateness](images/scale-lateness.svg)\n\n![Memory](images/scale-memory.svg)",
        "### Between two namespaces (veth)\n",
        costs(results, "veth") if results.sizes("veth", *NAMES) else
        f"Not measured: {results.result.get('veth_skipped') or 'not asked for'}.",
        "### Correctness, start and REST\n", checks(results),
        "### An encoder each against the shared clip\n", savings(results),
        "### Profile\n", profiled(results),
        "### Beside the old tool's stated table\n", beside(results),
        END,
    ]
    return "\n\n".join(parts).replace("\n\n\n", "\n\n")


def main(path):
    results = Results(json.loads(pathlib.Path(path).read_text()))
    page = PAGE.read_text()
    if BEGIN not in page:
        raise SystemExit(f"{PAGE} has no line {BEGIN}")
    PAGE.write_text(page[:page.index(BEGIN)] + section(results) + page[page.index(END) + len(END):])
    print(f"{PAGE.relative_to(TOP)}: tables written")
    print(scale_plots.draw(results, NAMES, STATED, TOP / "docs" / "images"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else TOP / "build-rel" / "bench" / "scale.json")
