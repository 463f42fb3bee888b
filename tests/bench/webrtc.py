#!/usr/bin/env python3
"""Publications by WHIP at 2.5 Mbit/s into as many receivers (webrtcbin, tests/peers/webrtcbin_endpoint.py): what is lost
without chaos, and processor and memory per participant, beside as many plain webrtcbin that play the same rate from a file.

    tests/bench/webrtc.py [--participants 30] [--seconds 60] [--rounds 3] [--only avchaosd|plain]

Needs ffmpeg and python3-gst-1.0; all on loopback. The figures are medians of the rounds; packets are those of all.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
from bed import Daemon, check  # noqa: E402
from viewers import PYTHON  # noqa: E402
from whip_scale import Endpoint, begin, cpu_seconds, end, owned  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CONTENT = {"video": {"width": 1280, "height": 720, "fps": 30, "bitrate_kbps": 2500}, "renditions": [2500], "seed": 7}


@dataclass
class Run:
    """Per participant, but for packets and the rate."""
    sender_mcores: float
    receiver_mcores: float
    megabytes: float
    threads: float
    mbit: float
    joins_a_second: float
    packets: int
    lost: int


def make_file(path, seconds):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-f", "lavfi", "-i",
                    "sine=frequency=440:sample_rate=48000", "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast",
                    "-profile:v", "baseline", "-g", "30", "-b:v", "2500k", "-minrate", "2500k", "-maxrate", "2500k",
                    "-bufsize", "500k", "-x264-params", "nal-hrd=cbr", "-c:a", "libopus", "-y", path], check=True)


def window(pid, receiver, seconds):
    """Thousandths of a processor of both over some seconds."""
    first = cpu_seconds(pid), cpu_seconds(receiver), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - first[2]
    return (cpu_seconds(pid) - first[0]) / took * 1000, (cpu_seconds(receiver) - first[1]) / took * 1000


def run_of(count, cpu, memory_kib, threads, received, lasted, took):
    streams = [stream for one in received for stream in one["streams"].values()]
    check(len(received) == count and len(streams) == 2 * count, f"{len(streams)} streams of {len(received)} came")
    mbit = sum(one["bytes"] for one in streams) * 8 / 1e6 / lasted / count
    return Run(cpu[0] / count, cpu[1] / count, memory_kib / count / 1024, threads / count, mbit, count / took,
               sum(one["received"] for one in streams), sum(one["lost"] for one in streams))


def ours(count, seconds):
    with Daemon() as daemon, Endpoint() as endpoint:
        pid, receiver = daemon.process.pid, endpoint.process.pid
        warm, _ = begin(daemon, endpoint, 1, CONTENT)  # encodes the media
        end(daemon, endpoint, warm, 1)
        before = owned(pid)
        test, took = begin(daemon, endpoint, count, CONTENT, seconds + 60)
        connected = time.monotonic()
        cpu = window(pid, receiver, seconds)
        after = owned(pid)
        received = end(daemon, endpoint, test, count)
        lasted = time.monotonic() - connected
    return run_of(count, cpu, after[0] - before[0], after[1] - before[1], received, lasted, took)


def plain(count, seconds):
    """Without what Python and GStreamer take before there is a pipeline."""
    with tempfile.TemporaryDirectory() as folder, Endpoint() as endpoint:
        file = f"{folder}/clip.mkv"
        make_file(file, seconds + 60)
        process = subprocess.Popen([PYTHON, HERE / "webrtc_plain.py", str(count), endpoint.url, file],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            check(process.stdout.readline().strip() == "ready", "the plain sender does not start")
            before, began = owned(process.pid), time.monotonic()
            process.stdin.write("go\n")
            process.stdin.flush()
            check(process.stdout.readline().strip() == "connected", "the plain senders do not connect")
            connected = time.monotonic()
            cpu = window(process.pid, endpoint.process.pid, seconds)
            after = owned(process.pid)
            received, lasted = endpoint.told("going"), time.monotonic() - connected
        finally:
            process.kill()
            process.communicate()
    return run_of(count, cpu, after[0] - before[0], after[1] - before[1], received, lasted, connected - began)


def tell(name, runs):
    columns = list(zip(*map(astuple, runs)))
    figures = [f"{statistics.median(column):.1f}" for column in columns[:-2]]
    print(f"| {name} | {' | '.join(figures)} | {sum(columns[-2])} | {sum(columns[-1])} |", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--participants", type=int, default=30)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=("avchaosd", "plain"))
    given = options.parse_args()
    print("| per participant | sender, mcores | receiver, mcores | MB | threads | Mbit/s | connected, per second "
          "| packets | lost |\n" + "|---" * 9 + "|", flush=True)
    for name, way in (("avchaosd", ours), ("plain", plain)):
        if given.only in (None, name):
            tell(name, [way(given.participants, given.seconds) for _ in range(given.rounds)])


main()
