#!/usr/bin/env python3
"""Every gst-launch-1.0 line in docs/elements and README.md works as pasted: it reaches PLAYING, runs for a moment and
ends without an error when interrupted. Displays are replaced by fakesink only where there is none."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bed import BUILD, SOURCE, check, main

RUN_SECONDS, AT_ONCE = 2, 4
LISTENING = threading.Lock()  # lines that listen name the same port
FILES = ["talk.mp4", "talk.h264", "talk.opus", "profiles.json"]


def launch_lines(page):
    """Shell blocks of a page, continuation lines joined; lines that begin with gst-launch-1.0."""
    for block in re.findall(r"```(?:sh|shell|bash|console)?\n(.*?)```", page.read_text(), re.S):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            if line.strip().startswith("gst-launch-1.0"):
                yield line.strip()


def run_line(line, home):
    with LISTENING if re.search(r"(udpsrc|rtpqualityprobe) port=", line) else contextlib.nullcontext():
        play(line, home)


def play(line, home):
    folder = tempfile.mkdtemp(dir=home)  # of its own: what it writes is nobody else's
    for name in FILES:
        os.symlink(f"{home}/{name}", f"{folder}/{name}")
    for display in ("autovideosink", "autoaudiosink"):
        line = line.replace(display, "fakesink sync=true")
    env = {**os.environ, "GST_PLUGIN_PATH_1_0": str(BUILD / "plugins"), "GST_REGISTRY": f"{home}/registry",
           "AVCHAOS_CACHE_DIR": f"{home}/cache"}
    with open(f"{folder}/output", "w+") as output:
        process = subprocess.Popen(["bash", "-c", "exec " + line], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
        text = lambda: pathlib.Path(output.name).read_text(errors="replace")
        end = time.monotonic() + 40
        while time.monotonic() < end and process.poll() is None and "PLAYING" not in text():
            time.sleep(0.1)
        try:
            process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{line}\ndid not end within 10 s of SIGINT:\n{text()[-3000:]}") from None
        told = text()
    check("PLAYING" in told and "ERROR" not in told and process.returncode == 0,
          f"{line}\nended with {process.returncode}:\n{told[-3000:]}")


def every_pasted_line_works():
    pages = [SOURCE / "README.md", *sorted((SOURCE / "docs" / "elements").glob("*.md"))]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f",
                        "lavfi", "-i", "sine", "-t", "3", "-pix_fmt", "yuv420p", f"{folder}/talk.mp4"], check=True,
                       stdin=subprocess.DEVNULL)
        for part in ["-an -c:v copy talk.h264", "-vn -c:a libopus talk.opus"]:
            subprocess.run(["ffmpeg", "-loglevel", "error", "-i", "talk.mp4", *part.split()], check=True,
                           stdin=subprocess.DEVNULL, cwd=folder)
        (pathlib.Path(folder) / "profiles.json").write_text('{"office": {"delay_ms": 8, "loss_percent": 0.1}}')
        lines = [line for page in pages for line in launch_lines(page)]
        run_line(lines[0], folder)  # makes the registry
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(run_line, lines[1:], [folder] * (len(lines) - 1)))
    check(len(lines) >= 12, f"only {len(lines)} lines found")
    return f"{len(lines)} lines"


main(every_pasted_line_works)
