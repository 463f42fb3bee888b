#!/usr/bin/env python3
"""Janus, an SFU that knows nothing of the product: ten participants publish into a VideoRoom by WHIP, through a bridge in
this test (janus_bed.py), and subscribers (janus_subscriber.py) receive all of them back from it. All of it runs in a
network namespace of its own."""
import json
import shutil
import subprocess
import time

from bed import SOURCE, Daemon, check, main, unwrap
from janus_bed import ADDRESS, Bridge, Server, enter_namespace, publishers
from viewers import FIRST, PYTHON, SMALL, has_aiortc

PARTICIPANTS, SUBSCRIBERS, SECONDS, LOSSY = 10, 2, 8, FIRST + 4
IDS = list(range(FIRST, FIRST + PARTICIPANTS))


def begin(daemon, bridge, **scenario):
    target = {"transport": "whip", "url": bridge.url + "/whip/{room}/{id}", "room": "peers"}
    test = daemon.post("/api/v1/test/create", {"num_participants": PARTICIPANTS, "duration_seconds": 120,
                                               "ramp": {"seconds": 1}, "target": target, **SMALL, **scenario})["test_id"]
    daemon.post(f"/api/v1/test/{test}/start")
    end = time.monotonic() + 40
    while any(one["state"] != "running" for one in participants(daemon, test)):
        check(time.monotonic() < end, f"{[(p['state'], p.get('reason')) for p in participants(daemon, test)]}")
        time.sleep(0.2)
    return test


def participants(daemon, test):
    return daemon.get(f"/api/v1/test/{test}/participants")["participants"]


def sent(daemon, test):
    return sum(one["packets_sent"] for one in participants(daemon, test))


def subscribe(feeds):
    command = [PYTHON, SOURCE / "tests" / "peers" / "janus_subscriber.py", SECONDS, *feeds]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def received(subscriber):
    out, errors = subscriber.communicate(timeout=90)
    check(subscriber.returncode == 0, f"a subscriber ended with {subscriber.returncode}: {errors[-2000:]}")
    result = json.loads(out)
    check(result["state"] == "connected", f"a subscriber is {result['state']}")
    return result["streams"]


def share(streams):
    """Packets that came, and those that the numbers on them say were sent in between."""
    came = expected = 0
    for one in streams:
        numbers = set(unwrap(one["numbers"]))
        came, expected = came + len(numbers), expected + max(numbers) - min(numbers) + 1
    return came, expected


def ten_publish_and_all_of_them_come_back():
    with Server(), Bridge() as bridge:
        with Daemon("--ice-address", ADDRESS) as daemon:
            test = begin(daemon, bridge)
            check(publishers() == IDS, f"in the room: {publishers()}")
            watching = [subscribe(IDS) for _ in range(SUBSCRIBERS)]
            first, began = sent(daemon, test), time.monotonic()
            time.sleep(SECONDS)
            rate = (sent(daemon, test) - first) / (time.monotonic() - began)
            results = [received(subscriber) for subscriber in watching]
            daemon.post(f"/api/v1/test/{test}/stop")
            end = time.monotonic() + 10
            while bridge.deleted != set(IDS):
                check(time.monotonic() < end, f"deleted: {sorted(bridge.deleted)}")
                time.sleep(0.1)
    for streams in results:
        codecs = sorted(one["codec"].upper() for one in streams)
        check(codecs == ["H264"] * PARTICIPANTS + ["OPUS"] * PARTICIPANTS, f"{codecs}")
        check(all(len(one["numbers"]) > 20 * SECONDS for one in streams), f"{[len(s['numbers']) for s in streams]}")
        here, expected = share(streams)
        check(expected > 0.9 * rate * SECONDS, f"{expected} packets in {SECONDS} s, of {rate:.0f} that are sent per second")
        check(here == expected, f"{here} of {expected} packets")
    return (f"{PARTICIPANTS} x {SUBSCRIBERS} participants received of {PARTICIPANTS * SUBSCRIBERS}, "
            f"{sum(len(streams) for streams in results)} streams; delivered {sum(share(s)[0] for s in results)} of "
            f"{sum(share(s)[1] for s in results)} packets (100 %)")


if shutil.which("janus") is None:
    print("skipped: Debian's janus is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
enter_namespace()
main(ten_publish_and_all_of_them_come_back)
