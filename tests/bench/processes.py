"""The processes that tests/bench/scale.py measures, and what the kernel says of them. Each ends with its with
statement, at the latest after its own bound of time."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from bed import BUILD, Daemon  # noqa: E402

LONGEST = 120  # seconds that a receiver lives at most


class Usage:
    """What a process has used so far; `since` an earlier one, what it used in between."""

    def __init__(self, pid):
        proc = pathlib.Path(f"/proc/{pid}")
        self.at = time.monotonic()
        status = dict(line.split(":\t") for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        self.threads = int(status["Threads"])
        self.rss_mib, self.peak_mib = (int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
        self.forced_switches = int(status["nonvoluntary_ctxt_switches"])
        self.fds = len(list((proc / "fd").iterdir()))
        stat = (proc / "stat").read_text().rpartition(")")[2].split()
        self.cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def since(self, earlier):
        return {"seconds": self.at - earlier.at, "cpu_seconds": self.cpu - earlier.cpu}


def steal_seconds():
    """Time that the machine below took from all of this one's processors."""
    return int(pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[8]) / os.sysconf("SC_CLK_TCK")


def apart(sender, receiver):
    """Each process on a processor of its own: a receiver on the sender's lends it its cache, and where the scheduler
    puts it differs from run to run and from way to way."""
    if os.cpu_count() < 2:
        return
    for pid, processor in ((sender, 0), (receiver, 1)):
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {processor})


class MeasuredDaemon(Daemon):
    """A daemon that is overloaded may end late: that is a finding, and no reason to throw away what it was measured."""

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        except AssertionError as why:
            print(why, flush=True)


class Receiver:
    """A process that listens on a free port of `link`; result() is what it says when it is ended."""

    def __init__(self, command, link, line_from):
        self.process = subprocess.Popen([*link.receiver_prefix, *map(str, command)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        told = getattr(self.process, line_from).readline()
        if not told.startswith("listening on"):
            raise RuntimeError(f"{command[0]}: {told!r} {self.process.stderr.read()}")
        self.port = int(told.split("(")[0].replace(":", " ").split()[-1])
        self.pid = self.process.pid

    def result(self):
        self.process.send_signal(signal.SIGINT)
        return json.loads(self.process.communicate(timeout=30)[0])

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def product_receiver(link):
    """`avchaos receive`: full statistics of every stream."""
    return Receiver([BUILD / "tools/avchaos", "receive", "--port", 0, "--bind", link.host, "--duration", LONGEST,
                     "--json"], link, "stderr")


def witness(link, dump=None):
    """tally: knows RTP by itself, sees breaks and lateness."""
    return Receiver([BUILD / "tests/bench/tally", f"--bind={link.host}", f"--seconds={LONGEST}",
                     *([f"--dump={dump}"] if dump else [])], link, "stdout")


class Program:
    """A sender of tests/bench that ends by itself."""

    def __init__(self, name, **options):
        self.process = subprocess.Popen([BUILD / "tests/bench" / name,
                                         *(f"--{key}={value}" for key, value in options.items())],
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid

    def line(self):
        return self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
