"""Where the sender's time goes with chaos on: perf's samples of a whole daemon, by library and by function."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import ways


def shares(data, keys, most):
    """[(percent, what)] by perf's sort keys."""
    told = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "-g", "none", "--percent-limit",
                           "0.3", "--sort", keys], capture_output=True, text=True).stdout
    rows = re.findall(r"^\s*([\d.]+)%\s+(\S.*?)\s*$", told, re.M)
    return [(float(share), re.sub(r"\s+", " ", what)) for share, what in rows][:most]


def profile(link, participants, seconds, clip):
    if not shutil.which("perf"):
        print("profile: skipped, there is no perf", flush=True)
        return None
    with tempfile.TemporaryDirectory() as folder:
        data = str(pathlib.Path(folder, "perf.data"))

        def record(pid):
            subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-p", str(pid), "-o", data, "--",
                            "sleep", str(seconds)], check=True, capture_output=True)

        run = ways.ours(link, participants, seconds, clip, chaos=True, during=record)
        result = {"participants": participants, "sender_us": run["sender_us"],
                  "libraries": shares(data, "dso", 8), "functions": shares(data, "dso,symbol", 40)}
    for share, what in result["libraries"] + result["functions"][:25]:
        print(f"{share:6.2f} %  {what}")
    return result
