#!/usr/bin/env python3
"""docs/elements and gst-inspect-1.0 tell the same: every property has a row in its element's page and the other way
round, with the same default; every action signal is on the page.

    docs.py PLUGIN-FOLDER
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

PAGES = pathlib.Path(__file__).resolve().parent.parent / "docs" / "elements"
NOT_OURS = {"name", "parent"}
NOTHING = {"", "null", "none", "empty", '""', "0"}  # ways to say that there is no value; a number 0 is told apart below


def inspect(element, plugin_folder, registry):
    env = {**os.environ, "GST_PLUGIN_PATH_1_0": plugin_folder, "GST_REGISTRY": registry, "LANG": "C"}
    return subprocess.run(["gst-inspect-1.0", "--no-colors", element], env=env, check=True, capture_output=True,
                          text=True).stdout


def properties_of(text):
    """Name -> default as gst-inspect-1.0 prints it, None where it prints none."""
    section = text.partition("Element Properties:")[2].partition("Element Actions:")[0].partition("Element Signals:")[0]
    found = {}
    for name, body in re.findall(r"^  ([a-z][a-z0-9-]*) *: (.*?)(?=^  [a-z][a-z0-9-]* *: |\Z)", section, re.S | re.M):
        default = re.search(r"Default: *([^\n]*)", body)
        value = default and default.group(1).strip()
        if value and (choice := re.fullmatch(r'-?\d+, "(.*)"', value)):
            value = choice.group(1)
        found[name] = value.strip('"') if value else None
    return {name: value for name, value in found.items() if name not in NOT_OURS}


def rows_of(page):
    """Name -> default, from tables with the columns `name` or `property`, and `default`."""
    rows, columns = {}, None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else None
        if not cells:
            columns = None
        elif columns is None:
            columns = cells if cells[0] in ("name", "property") and "default" in cells else []
        elif columns and not set(cells[0]) <= set("-: "):
            names = re.findall(r"`([^`]+)`", cells[0])
            defaults = [each.strip().strip("`") for each in cells[columns.index("default")].split(",")]
            if len(defaults) != len(names):
                defaults = [cells[columns.index("default")].strip("`")] * len(names)
            rows.update(zip(names, defaults))
    return rows


def alike(told, real):
    if real is None:
        return told in ("", "–", "read")
    try:
        return float(told) == float(real)
    except ValueError:
        return told == real or (told in NOTHING and real in NOTHING and "0" not in (told, real))


def faults_of(element, page, text):
    rows, properties = rows_of(page), properties_of(text)
    for name in sorted(rows.keys() | properties.keys()):
        if name not in properties:
            yield f"{element}: the page has {name}, which gst-inspect-1.0 does not"
        elif name not in rows:
            yield f"{element}: {name} is not in the page's table of properties"
        elif not alike(rows[name], properties[name]):
            yield f"{element}: {name} is {properties[name]!r} by default, the page says {rows[name]!r}"
    for action in re.findall(r'^  "([a-z-]+)" :', text.partition("Element Actions:")[2], re.M):
        if f"`{action}`" not in page:
            yield f"{element}: the page does not tell of the action {action}"


def main():
    faults, count = [], 0
    with tempfile.TemporaryDirectory() as folder:
        registry = f"{folder}/registry"
        listed = inspect("avchaos", sys.argv[1], registry)
        elements = re.findall(r"^  ([a-z]+): ", listed, re.M)
        for element in elements:
            page = PAGES / f"{element}.md"
            if not page.exists():
                faults.append(f"{element}: has no page {page.name}")
                continue
            text = inspect(element, sys.argv[1], registry)
            count += len(properties_of(text))
            faults += faults_of(element, page.read_text(), text)
        strangers = {page.stem for page in PAGES.glob("*.md")} - set(elements)
        faults += [f"{name}.md is the page of no element" for name in sorted(strangers)]
    for fault in faults:
        print(fault)
    if not elements or not count:
        sys.exit("gst-inspect-1.0 told of nothing")
    print(f"docs: {len(elements)} elements, {count} properties")
    sys.exit(1 if faults else 0)


main()
