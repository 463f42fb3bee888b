#!/usr/bin/env python3
"""What `avchaos receive --rtcp` reports of a UDP participant is in its figures, marked as the far side's word. Beside it
runs a test whose receiver reports nothing."""
import json
import socket
import subprocess
import time
from contextlib import contextmanager

from bed import BUILD, Daemon, check, main

SCENARIO = {"num_participants": 2, "duration_seconds": 60, "seed": 5,
            "network_profile": {"loss_percent": 10, "duplicate_percent": 5},
            "video": {"width": 320, "height": 180, "fps": 30, "bitrate_kbps": 500}, "renditions": [500]}


def free_pair():
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            try:
                two.bind(("127.0.0.1", one.getsockname()[1] + 1))
                return one.getsockname()[1]
            except OSError:
                pass


@contextmanager
def sending(daemon, *flags):
    """A test that sends to `avchaos receive`."""
    port = free_pair()
    receive = subprocess.Popen([BUILD / "tools" / "avchaos", "receive", "--bind", "127.0.0.1", "--port", str(port),
                                "--duration", "60", "--json", *flags], stdout=subprocess.DEVNULL)
    try:
        test = daemon.post("/api/v1/test/create", {**SCENARIO, "target": {"transport": "udp", "host": "127.0.0.1",
                                                                          "port": port}})["test_id"]
        daemon.post(f"/api/v1/test/{test}/start")
        yield test
        daemon.post(f"/api/v1/test/{test}/stop")
    finally:
        receive.terminate()
        receive.wait(20)


def figures_are_the_far_sides_where_it_reports():
    with Daemon() as daemon, sending(daemon, "--rtcp") as told, sending(daemon) as untold:
        end, worst = time.monotonic() + 40, 0
        while True:
            far = daemon.get(f"/api/v1/test/{told}/participants/1001").get("reported_by_far_side", {})
            worst = max(worst, far.get("video", {}).get("loss_percent", 0))
            if far.get("extended_reports", 0) >= 12 and far["video"]["reports"] >= 6:
                break
            check(time.monotonic() < end, f"{far}")
            time.sleep(0.2)
        video = far["video"]
        check(video["packets_lost"] > 20 and video["duplicates"] > 5, f"{far}")
        check(1 < worst < 40, f"{worst} % were lost of an interval")
        check(0 <= video["round_trip_ms"] < 500, f"{far}")
        other = daemon.get(f"/api/v1/test/{untold}/participants/1001")
        check(other["packets_sent"] > 100 and "reported_by_far_side" not in other, f"{other}")
    return json.dumps(far)


main(figures_are_the_far_sides_where_it_reports)
