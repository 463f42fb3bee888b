#!/usr/bin/env python3
"""Refuses a commit message whose first line is not "area: effect" (72 characters at most)."""
import pathlib
import re
import sys

title = pathlib.Path(sys.argv[1]).read_text().splitlines()[0]
if not re.fullmatch(r"[a-z0-9/_., -]+: \S.*", title) or len(title) > 72:
    sys.exit(f'"{title}"\nis not "area: effect" within 72 characters, for example "chaosdegrader: keeps order"')
