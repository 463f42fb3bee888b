#!/usr/bin/env python3
"""The launcher at scale: how long participants take from the order to create them to their first packets, and how long
REST, events and /metrics take to answer while all of them send.

    AVCHAOS_BUILD=build tests/bench/control.py [--chaos] [--away] [PARTICIPANTS [SECONDS]]

The medium is prepared by a small test before, as it is for every test but the first. --away sends to a socket of a
receiver of its own process; otherwise the daemon's embedded receiver measures too."""
import argparse
import http.client
import pathlib
import statistics
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from bed import Daemon  # noqa: E402

CHAOS = {"delay_ms": 15, "jitter_ms": 15, "loss_percent": 2, "burst_length": 3}


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def threads_of(pid):
    """name -> (seconds it ran, seconds it was ready and did not run)"""
    told = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        ran, waited, _ = (task / "schedstat").read_text().split()
        told[(task / "comm").read_text().strip() + "/" + task.name] = (int(ran) / 1e9, int(waited) / 1e9)
    return told


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Events(threading.Thread):
    """How far apart the samples of a test come; a second is right."""

    def __init__(self, url, test):
        super().__init__(daemon=True)
        self.url, self.test, self.at = urllib.parse.urlsplit(url), test, []
        self.start()

    def run(self):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        connection.request("GET", f"/api/v1/test/{self.test}/events")
        reply = connection.getresponse()
        while line := reply.readline():
            if line.startswith(b"event: sample"):
                self.at.append(time.monotonic())

    def late_ms(self):
        return [abs(b - a - 1) * 1000 for a, b in zip(self.at, self.at[1:])]


def latencies(daemon, paths, seconds):
    """Milliseconds of each path's answers, asked one after the other on one connection."""
    url = urllib.parse.urlsplit(daemon.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
    taken, end = {path: [] for path in paths}, time.monotonic() + seconds
    while time.monotonic() < end:
        for path in paths:
            begun = time.monotonic()
            connection.request("GET", path)
            reply = connection.getresponse()
            size = len(reply.read())
            taken[path].append(((time.monotonic() - begun) * 1000, size))
            assert reply.status == 200, (path, reply.status)
            time.sleep(0.02)
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chaos", action="store_true", help="jitter, delay and burst loss on all, and a spike")
    parser.add_argument("--away", action="store_true", help="nobody receives: packets go to a port that is closed")
    parser.add_argument("participants", nargs="?", type=int, default=1500)
    parser.add_argument("seconds", nargs="?", type=int, default=10)
    options = parser.parse_args()
    target = {"transport": "udp", "host": "127.0.0.1", "port": 9} if options.away else {"transport": "loopback"}
    scenario = {"num_participants": options.participants, "seed": 7, "target": target,
                "renditions": [2500]}
    if options.chaos:
        scenario["network_profile"] = CHAOS
    with Daemon("--max-participants", "10000") as daemon:
        warm = daemon.post("/api/v1/test/create", {**scenario, "num_participants": 1})["test_id"]
        daemon.post(f"/api/v1/test/{warm}/start")
        daemon.post(f"/api/v1/test/{warm}/stop")
        begun = time.monotonic()
        test = daemon.post("/api/v1/test/create", scenario)["test_id"]
        created = time.monotonic()
        daemon.post(f"/api/v1/test/{test}/start")
        started = time.monotonic()
        path = f"/api/v1/test/{test}"
        # Time 0 of the test: from then on each sends, after a wait of its own below a second (so that keyframes lie apart).
        while next(t for t in daemon.get("/api/v1/tests")["tests"] if t["test_id"] == test)["elapsed_seconds"] <= 0:
            time.sleep(0.002)
        sending = time.monotonic()
        print(f"create {(created - begun) * 1000:.0f} ms, start {(started - created) * 1000:.0f} ms, "
              f"from create to sending {(sending - begun) * 1000:.0f} ms")
        events = Events(daemon.url, test)
        spent = cpu_seconds(daemon.process.pid)
        paths = [path, f"{path}/metrics", f"{path}/metrics?format=prometheus", f"{path}/participants?limit=100",
                 f"{path}/participants", f"{path}/participants/1001", f"{path}/spikes", "/metrics", "/healthz"]
        for kind, (taken) in latencies(daemon, paths, options.seconds).items():
            times = [t for t, _ in taken]
            print(f"{kind.replace(test, 'ID'):55} p50 {statistics.median(times):6.1f} ms, p99 "
                  f"{quantile(times, .99):6.1f} ms, max {max(times):6.1f} ms, n {len(times)}, {taken[-1][1]} bytes")
        pid = daemon.process.pid
        print(f"cpu {(cpu_seconds(pid) - spent) / options.seconds:.2f} cores")
        for name, (ran, waited) in threads_of(pid).items():
            print(f"  thread {name.split('/')[0]:16} ran {ran:6.2f} s, ready but not running {waited:6.2f} s")
        if options.chaos:
            begun = time.monotonic()
            reply = daemon.post(f"{path}/spike", {"type": "rtp_packet_loss", "spike_id": "all",
                                                  "params": {"loss_percentage": 5}, "duration_seconds": 2})
            print(f"spike on {reply.get('participants')}: answered in {(time.monotonic() - begun) * 1000:.0f} ms")
            time.sleep(3)
        print(f"samples: {len(events.at)}, furthest from a second {max(events.late_ms(), default=0):.0f} ms")
        begun = time.monotonic()
        daemon.post(f"{path}/stop")
        print(f"stop {(time.monotonic() - begun) * 1000:.0f} ms")
        report = daemon.get(f"{path}/report.json")
        print(report["generator"], report["verdict"])


main()
