#!/usr/bin/env python3
"""Makes docs/images/demo.svg: the terminal as `avchaos run` leaves it, from a run made now.

    docs/images/make.py BUILD-FOLDER REPORT-FOLDER

The report of that run is left in REPORT-FOLDER; docs/images/README.md says how report.png is made of it."""
import os
import pathlib
import pty
import re
import struct
import sys
import fcntl
import termios
from xml.sax.saxutils import escape

COLUMNS, ROWS = 80, 120
CELL, LINE, SIZE = 8.43, 19, 14
COLOURS = {"31": "#ff8a8a", "32": "#7ee29a", "33": "#ffd27a", "36": "#7cd5ee", "2": "#8b95a5", "1": "#ffffff"}
PLAIN, PAPER = "#d5dbe5", "#161b22"


def record(command):
    """Everything the command writes to a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.environ.pop("NO_COLOR", None)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.execvp(command[0], command)
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def screen(output):
    """Lines of (character, colour), as a terminal that is tall enough shows them in the end."""
    lines, row, column, colour = [[]], 0, 0, None
    for token in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.|\n", output, re.S):
        if token == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append([])
        elif token == "\r":
            column = 0
        elif token.startswith("\x1b"):
            number = token[2:-1]
            if token.endswith("A"):
                row = max(0, row - int(number or 1))
            elif token.endswith("K"):
                del lines[row][column:]
            elif token.endswith("J"):
                del lines[row][column:], lines[row + 1:]
            elif token.endswith("m"):
                colour = COLOURS.get(number)
        else:
            lines[row][column:] = [*lines[row][column:column], (token, colour), *lines[row][column + 1:]]
            column += 1
    return lines


def runs(line):
    """(column, text, colour) of what is alike and has no gap in it: viewers collapse spaces."""
    text = "".join(character for character, _ in line)
    for word in re.finditer(r"\S+(?: \S+)*", text):
        start = word.start()
        for column in range(word.start(), word.end() + 1):
            if column == word.end() or line[column][1] != line[start][1]:
                yield start, text[start:column], line[start][1]
                start = column


def svg(lines, title):
    width, height = round(COLUMNS * CELL + 32), len(lines) * LINE + 32
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           f'role="img"><title>{escape(title)}</title><rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>'
           f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" '
           f'font-size="{SIZE}" fill="{PLAIN}" xml:space="preserve">']
    for row, line in enumerate(lines):
        for column, text, colour in runs(line):
            lead, shown = len(text) - len(text.lstrip()), text.strip()
            paint = f' fill="{colour}"' if colour else ""
            out.append(f'<text x="{16 + (column + lead) * CELL:.1f}" y="{30 + row * LINE}" '
                       f'textLength="{len(shown) * CELL:.1f}"{paint}>{escape(shown)}</text>')
    return "\n".join(out) + "\n</g></svg>\n"


def main():
    build, report = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    output, code = record([str(build / "tools" / "avchaos"), "run", "--report-dir", report])
    if code:
        sys.exit(f"the run ended with {code}:\n{output}")
    lines = [[(character, "#8b95a5" if column < 1 else "#ffffff") for column, character in enumerate("$ scripts/demo")]]
    shown = screen(output)
    plain = ["".join(character for character, _ in line) for line in shown]
    lines += [*shown[:2], [("…", None)], *shown[plain.index("Injected versus measured"):]]  # without the progress
    while lines and not lines[-1]:
        lines.pop()
    target = pathlib.Path(__file__).with_name("demo.svg")
    target.write_text(svg(lines, "Terminal after scripts/demo: injected versus measured for six spikes, verdict passed"))
    print(f"{target}: {len(lines)} lines")


main()
