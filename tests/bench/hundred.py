#!/usr/bin/env python3
"""Participants for a minute, judged by tcpdump: packets lost by the generator, capture time against media time, threads,
CPU and memory of the daemon.  tests/bench/hundred.py [PARTICIPANTS [SECONDS]]   (needs root for tcpdump)"""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from bed import Daemon, parse_rtp, unwrap  # noqa: E402

SNAPLEN = 64  # Ethernet 14 + IPv4 20 + UDP 8 + RTP 20


def capture(path, port):
    process = subprocess.Popen(["tcpdump", "-i", "lo", "-p", "-n", "-s", str(SNAPLEN), "-B", "65536", "-j", "host",
                                "--time-stamp-precision=nano", "-w", path, f"udp dst port {port}"],
                               stderr=subprocess.PIPE, text=True)
    assert "listening on" in process.stderr.readline() + process.stderr.readline(), "tcpdump did not start"
    return process


def streams_of(path):
    """SSRC -> [(arrival s, seq, timestamp)] from a nanosecond capture."""
    found = defaultdict(list)
    data = pathlib.Path(path).read_bytes()
    offset = 24
    while offset + 16 <= len(data):
        seconds, nanos, size, _ = struct.unpack_from("<IIII", data, offset)
        packet = parse_rtp(data[offset + 16 + 42:offset + 16 + size])
        if packet:
            found[packet.ssrc].append((seconds + nanos / 1e9, packet.seq, packet.timestamp))
        offset += 16 + size
    return found


def usage(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(line.split(":\t") for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                  if ":\t" in line)
    return ((int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"), int(status["Threads"]),
            int(status["VmRSS"].split()[0]) / 1024)


def measure(participants, seconds):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # bound, so that nothing is refused; never read
    sink.bind(("127.0.0.1", 0))
    port = sink.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, Daemon("--max-participants", "5000") as daemon:
        tcpdump = capture(f"{folder}/lo.pcap", port)
        used = []

        def during(test):
            daemon.wait_for(test, "running")
            time.sleep(2)
            start = time.monotonic(), *usage(daemon.process.pid)
            time.sleep(seconds - 4)
            end = time.monotonic(), *usage(daemon.process.pid)
            used.extend(((end[1] - start[1]) / (end[0] - start[0]), end[2], end[3]))

        _, report = daemon.run({"num_participants": participants, "duration_seconds": seconds, "seed": 1,
                                "target": {"transport": "udp", "host": "127.0.0.1", "port": port}}, during=during,
                               timeout=seconds + 60)
        time.sleep(1)
        tcpdump.send_signal(signal.SIGINT)
        told = tcpdump.stderr.read()
        tcpdump.wait(20)
        streams = streams_of(f"{folder}/lo.pcap")
    dropped = int(next(line for line in told.splitlines() if "dropped by kernel" in line).split()[0])
    lost, packets, late = 0, 0, []
    for ssrc, rows in streams.items():
        seqs = unwrap([seq for _, seq, _ in rows])
        lost += seqs[-1] - seqs[0] + 1 - len(set(seqs))
        packets += len(rows)
        rate = 48000 if ssrc % 2 else 90000
        first = rows[0][2]
        offsets = [at - (((ts - first + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)) / rate for at, _, ts in rows]
        base = min(offsets)
        late += [o - base for o in offsets]
    late.sort()
    quantile = lambda q: late[min(len(late) - 1, int(len(late) * q))] * 1e3
    cores, threads, rss = used
    print(f"{participants:5} participants, {seconds} s: {packets} packets in {len(streams)} streams, lost {lost}, "
          f"tcpdump dropped {dropped}; late p50 {quantile(.5):.2f} p99 {quantile(.99):.2f} max {late[-1] * 1e3:.2f} ms; "
          f"{cores * 100:.1f} % of a core, {threads} threads, {rss:.0f} MiB; "
          f"report: {report['generator']}", flush=True)
    return lost == 0 and dropped == 0 and quantile(.99) < 5 and len(streams) == 2 * participants


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    length = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    raise SystemExit(0 if measure(count, length) else 1)
