#!/usr/bin/env python3
"""docs/comparison.md promises only what there is: each name in the last column is a property of chaosdegrader (with a
value it takes), a spike type, an element or a command; and our cell is empty nowhere.

    comparison.py PLUGIN-FOLDER AVCHAOS
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
DASH = re.compile(r"(–( \(.*\))?)?")


def run(*command, **env):
    return subprocess.run(command, env={**os.environ, "LANG": "C", **env}, capture_output=True, text=True, check=True).stdout


def tables(page):
    """Rows of all tables whose last column is `ours`, as (other cells, our cell)."""
    columns = None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else None
        if not cells:
            columns = None
        elif columns is None:
            columns = cells if cells[-1] == "ours" else []
        elif columns and not set(cells[0]) <= set("-: "):
            assert len(cells) == len(columns), line
            yield cells[0], cells[1:-1], cells[-1]


class Known:
    def __init__(self, plugins, avchaos):
        self.avchaos = avchaos
        with tempfile.TemporaryDirectory() as folder:
            env = {"GST_PLUGIN_PATH_1_0": plugins, "GST_REGISTRY": f"{folder}/registry"}
            self.inspected = run("gst-inspect-1.0", "--no-colors", "chaosdegrader", **env)
            self.elements = set(re.findall(r"^  ([a-z]+): ", run("gst-inspect-1.0", "--no-colors", "avchaos", **env), re.M))
        parts = re.split(r"^  ([a-z][a-z0-9-]*) *: ", self.inspected.partition("Element Properties:")[2], flags=re.M)
        self.properties = dict(zip(parts[1::2], parts[2::2]))
        self.spikes = set(re.findall(r"^([a-z_]+)  ", run(avchaos, "spikes"), re.M)) - {"parameter"}

    def property_fault(self, name, value):
        if name not in self.properties:
            return f"chaosdegrader has no property {name}"
        body = self.properties[name]
        if value and "Enum" in body:
            return None if re.search(rf"\): {re.escape(value)} ", body) else f"{name} does not take {value}"
        return None

    def fault(self, token, word_behind):
        if word_behind == "spike":
            return None if token in self.spikes else f"there is no spike {token}"
        if token.startswith("avchaos "):
            help_text = subprocess.run([self.avchaos, *token.split()[1:], "--help"], capture_output=True, text=True)
            return None if help_text.returncode == 0 else f"`{token}` is no command"
        if token in self.elements:
            return None
        name, _, value = token.partition("=")
        return self.property_fault(name, value)


def main():
    known = Known(sys.argv[1], sys.argv[2])
    faults, rows, names = [], 0, 0
    for feature, others, ours in tables((DOCS / "comparison.md").read_text()):
        rows += 1
        if DASH.fullmatch(ours) and not all(DASH.fullmatch(other) for other in others):
            faults.append(f"{feature}: our cell is empty")
        for token, behind in re.findall(r"`([^`]+)`(?: (spike))?", ours):
            names += 1
            if fault := known.fault(token, behind):
                faults.append(f"{feature}: {fault}")
        for target in re.findall(r"\]\(([^)#]+)", ours):
            if not (DOCS / target).exists():
                faults.append(f"{feature}: docs/{target} does not exist")
    for fault in faults:
        print(fault)
    if rows < 40 or names < 60 or not known.spikes:
        sys.exit(f"the tables were not read: {rows} rows, {names} names")
    print(f"comparison: {rows} rows, {names} names of ours")
    sys.exit(1 if faults else 0)


main()
