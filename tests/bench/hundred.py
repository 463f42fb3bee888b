#!/usr/bin/env python3
"""Participants for a minute, judged by tcpdump: packets the generator lost, capture time against media time, threads,
files, CPU and memory of the daemon, and how much of the lateness is the kernel's (run delay: ready, but not running).

    tests/bench/hundred.py [--chaos] [PARTICIPANTS [SECONDS]]        (needs root, tcpdump, ethtool)

The sender hands the kernel many packets as one (UDP_SEGMENT), and a capture on loopback would show them as one. So all
of it happens in a network namespace of its own, whose loopback device has that offload turned off: there the kernel
cuts the packets apart before they reach the device, and the capture."""
import argparse
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from array import array
from collections import defaultdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from bed import Daemon, unwrap  # noqa: E402

SNAPLEN = 64  # Ethernet 14 + IPv4 20 + UDP 8 + RTP 20; every packet of ours is longer, so records are of one size
RECORD = 16 + SNAPLEN
SETTLED = 2  # seconds after which a run is called steady
INSIDE = "AVCHAOS_BENCH_NAMESPACE"  # set in the environment: the namespace is there
CHAOS = {"delay_ms": 40, "jitter_ms": 10}  # of the network under every packet


def capture(path, port):
    process = subprocess.Popen(["tcpdump", "-i", "lo", "-p", "-n", "-s", str(SNAPLEN), "-B", "65536", "-j", "host",
                                "--time-stamp-precision=nano", "-w", path, f"udp dst port {port}"],
                               stderr=subprocess.PIPE, text=True)
    told = process.stderr.readline()
    assert "listening on" in told, f"tcpdump: {told}"
    return process


def streams_of(path):
    """SSRC -> [(arrival ns, seq, timestamp)] from a nanosecond capture."""
    data = pathlib.Path(path).read_bytes()[24:]
    data = data[:len(data) // RECORD * RECORD]
    little, big = array("H", data), array("H", data)
    big.byteswap()
    column = lambda words, at: words[at::RECORD // 2]
    assert set(column(little, 4)) == {SNAPLEN}, "a packet shorter than the capture's length"
    pair = lambda words, low, high: [(h << 16) | l for l, h in zip(column(words, low), column(words, high))]
    at = [s * 1_000_000_000 + n for s, n in zip(pair(little, 0, 1), pair(little, 2, 3))]
    rtp = (16 + 42) // 2
    found = defaultdict(list)
    for ssrc, *row in zip(pair(big, rtp + 5, rtp + 4), at, column(big, rtp + 1), pair(big, rtp + 3, rtp + 2)):
        found[ssrc].append(row)
    return found


class Witness:
    """A process that does nothing but sleep to the next millisecond: how late anybody is on this machine right now."""

    PROGRAM = """
import sys, time
late, due = [], time.monotonic()
end = due + float(sys.argv[1])
while due < end:
    due += .001
    time.sleep(max(0, due - time.monotonic()))
    late.append(int((time.monotonic() - due) * 1e9))
print(*late)
"""

    def __init__(self, seconds):
        self.process = subprocess.Popen([sys.executable, "-c", self.PROGRAM, str(seconds)], stdout=subprocess.PIPE,
                                        text=True)

    def told(self):
        return [int(late) for late in self.process.communicate()[0].split()]


class Usage:
    """What a process has used so far."""

    def __init__(self, pid):
        proc = pathlib.Path(f"/proc/{pid}")
        self.at, self.wall = time.monotonic(), time.time_ns()
        status = dict(line.split(":\t") for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        self.threads, self.rss = int(status["Threads"]), int(status["VmRSS"].split()[0]) / 1024
        self.fds = len(list((proc / "fd").iterdir()))
        stat = (proc / "stat").read_text().rpartition(")")[2].split()
        self.cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        self.tasks = {}
        for task in (proc / "task").iterdir():
            on, waited, times = map(int, (task / "schedstat").read_text().split())
            status = (task / "status").read_text()
            forced = int(status.split("nonvoluntary_ctxt_switches:")[1])
            self.tasks[task.name] = ((task / "comm").read_text().strip(), waited / 1e9, times, forced, on / 1e9)


def contexts(start, end):
    """Of every thread that keeps deadlines: seconds on the CPU, seconds ready but waiting for one, the number of
    times it ran, and how often it was thrown off."""
    rows = {}
    for task, (name, waited, times, forced, on) in end.tasks.items():
        if name.startswith("avc:") and task in start.tasks:
            _, waited0, times0, forced0, on0 = start.tasks[task]
            rows[name] = {"on_cpu_s": round(on - on0, 2), "run_delay_s": round(waited - waited0, 3),
                          "runs": times - times0, "preempted": forced - forced0}
    return rows


def lateness(rows, rate):
    """Of every packet: how much later than the stream's most punctual one it left, by its RTP timestamp."""
    late, media, last = [], 0, rows[0][2]
    for at, _, timestamp in rows:
        media += ((timestamp - last + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        last = timestamp
        late.append(at - media * 1_000_000_000 // rate)
    base = min(late)
    return [each - base for each in late]


def quantiles(values):
    values = sorted(values)
    at = lambda share: values and round(values[min(len(values) - 1, int(len(values) * share))] / 1e6, 2)
    return {"p50": at(.5), "p99": at(.99), "p999": at(.999), "max": at(1)}


def measure(participants, seconds, chaos):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # bound, so that nothing is refused; never read
    sink.bind(("127.0.0.1", 0))
    port = sink.getsockname()[1]
    scenario = {"num_participants": participants, "duration_seconds": seconds, "seed": 1,
                **({"network_profile": CHAOS} if chaos else {}),
                "target": {"transport": "udp", "host": "127.0.0.1", "port": port}}
    with tempfile.TemporaryDirectory() as folder, Daemon("--max-participants", "5000") as daemon:
        tcpdump = capture(f"{folder}/lo.pcap", port)
        used, witnesses = [], []

        def during(test):
            daemon.wait_for(test, "running")
            time.sleep(SETTLED)
            used.append(Usage(daemon.process.pid))
            witnesses.append(Witness(seconds - SETTLED - 1))
            time.sleep(seconds - SETTLED - 1)
            used.append(Usage(daemon.process.pid))

        try:
            _, report = daemon.run(scenario, during=during, timeout=seconds + 60)
            time.sleep(1)
        finally:
            tcpdump.send_signal(signal.SIGINT)
            told = tcpdump.stderr.read()
            tcpdump.wait(20)
        streams = streams_of(f"{folder}/lo.pcap")
    start, end = used
    witness = quantiles(witnesses[0].told())
    lost, packets, starting, steady = 0, 0, [], []
    for ssrc, rows in streams.items():
        seqs = unwrap([seq for _, seq, _ in rows])
        lost += max(seqs) - min(seqs) + 1 - len(set(seqs))
        packets += len(rows)
        for (at, _, _), late in zip(rows, lateness(rows, 48000 if ssrc % 2 else 90000)):
            (steady if at >= start.wall else starting).append(late)
    return {"participants": participants, "seconds": seconds, "streams": len(streams), "packets": packets, "lost": lost,
            "tcpdump_dropped": int(next(l for l in told.splitlines() if "dropped by kernel" in l).split()[0]),
            "late_ms": quantiles(steady), "start_late_ms": quantiles(starting),
            "bare_sleeper_late_ms": witness,
            "own_late_ms": {k: v for k, v in report["generator"].items() if k.startswith("late_")},
            "cpu_percent": round((end.cpu - start.cpu) / (end.at - start.at) * 100, 1),
            "rss_mib": round(end.rss), "threads": end.threads, "fds": end.fds, "contexts": contexts(start, end),
            "send_errors": report["generator"].get("send_errors"), "verdict": report["verdict"]}


def enter_namespace():
    """This program again, in a namespace whose loopback shows every packet by itself."""
    loopback = 'ip link set lo up && ethtool -K lo tx-udp-segmentation off && exec "$@"'
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "sh", "-ec", loopback, "sh", sys.executable, *sys.argv])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("participants", nargs="?", type=int, default=100)
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("--chaos", action="store_true", help=f"with {CHAOS}")
    asked = parser.parse_args()
    if INSIDE not in os.environ:
        enter_namespace()
    result = measure(asked.participants, asked.seconds, asked.chaos)
    for key, value in result.items():
        print(f"{key}: {value}", flush=True)
    good = (result["lost"] == 0 and result["tcpdump_dropped"] == 0 and result["streams"] == 2 * asked.participants and
            (asked.chaos or result["late_ms"]["p99"] < 5))
    raise SystemExit(0 if good else 1)
