#!/usr/bin/env python3
"""docs/embedding.md holds the programs beside this script, word for word.

    in_docs.py            fails where the page and a program differ
    in_docs.py --write    puts the programs into the page
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "embedding.md"
# <!-- program: NAME --> and the fenced block after it
PLACE = re.compile(r"(<!-- program: (\S+) -->\n```\w+\n)(.*?)(^```$)", re.S | re.M)
PROGRAMS = {"embed.cpp", "embed.py"}


def main(arguments):
    page = PAGE.read_text()
    written = PLACE.sub(lambda place: place[1] + (HERE / place[2]).read_text() + place[4], page)
    missing = PROGRAMS - {place[2] for place in PLACE.finditer(page)}
    if missing:
        sys.exit(f"{PAGE.name} has no place for {', '.join(sorted(missing))}")
    if arguments == ["--write"]:
        PAGE.write_text(written)
    elif written != page:
        sys.exit(f"{PAGE.name} differs from the programs: run tests/embedding/in_docs.py --write")


if __name__ == "__main__":
    main(sys.argv[1:])
