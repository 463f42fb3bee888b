#!/usr/bin/env python3
"""Measures what each model of the link costs and writes the table into docs/fidelity.md.

    tests/bench/link_costs.py [BUILD-FOLDER]

Compiles a release build (default build-release) and runs tests/bench/link_models in it. Exit code 1 if a model is
above its limit; the table is written all the same.
"""
import pathlib
import platform
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "fidelity.md"
BEGIN, END = "<!-- costs: made by tests/bench/link_costs.py -->", "<!-- costs: end -->"
LIMIT, DISABLED_LIMIT = 150, 20  # nanoseconds per packet

INTRODUCTION = """## What each model costs

Processor time per packet in `core/net`, release build ({compiler}), {processor}. Median of eleven repetitions of
200 000 packets; the ratio is to a loop of 64 dependent steps of splitmix64 that is measured before each repetition.
Limits: {limit} ns for a model, {disabled} ns for a link that does nothing. `tests/bench/link_costs.py` makes this table.
"""


def measured(folder):
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, "--buildtype=release", "-Dlauncher=disabled", "-Dtools=disabled"],
                       cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, "tests/bench/link_models"], check=True, stdout=subprocess.DEVNULL)
    output = subprocess.run([folder / "tests/bench/link_models"], check=True, text=True, capture_output=True).stdout
    return [line for line in output.splitlines() if line.startswith("|")]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def section(rows):
    compiler = subprocess.run(["g++", "-dumpfullversion"], text=True, capture_output=True).stdout.strip()
    head = INTRODUCTION.format(compiler=f"GCC {compiler}", processor=processor(), limit=LIMIT, disabled=DISABLED_LIMIT)
    return "\n".join([BEGIN, head, *rows, END])


def write(text):
    page = PAGE.read_text() if PAGE.exists() else "# Fidelity\n"
    if BEGIN in page:
        page = page[:page.index(BEGIN)] + text + page[page.index(END) + len(END):]
    else:
        page = page.rstrip("\n") + "\n\n" + text + "\n"
    PAGE.write_text(page)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build-release").resolve()
    rows = measured(folder)
    write(section(rows))
    slow = 0
    for name, ns in re.findall(r"^\| ([a-z0-9].*?) \| ([0-9.]+) \|", "\n".join(rows), re.M):
        limit = DISABLED_LIMIT if name == "disabled" else LIMIT
        if float(ns) > limit:
            print(f"{name}: {ns} ns per packet, more than {limit}")
            slow += 1
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
