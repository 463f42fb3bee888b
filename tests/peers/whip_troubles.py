#!/usr/bin/env python3
"""What goes wrong with one publication is that participant's alone: it says what it was, those that can do so come back,
and the others' streams arrive whole all the while. The endpoint is whip_endpoint.py."""
import time

from bed import Daemon, check, main
from viewers import FIRST, SMALL, came_is_what_was_sent, decisions, has_aiortc
from whip_bed import Endpoint, of_participant, publish, until

# by trouble: the state that a participant comes to, and how its reason begins
FAILURES = {
    "forbidden": "whip: 403 Forbidden: not in this room",
    "bad_answer": "whip: the answer: ",
    "no_candidates": "whip: the answer has no candidate",
    "dead_candidates": "whip: no pair of candidates works (ICE failed)",
    "no_dtls": "whip: no connection came about: the DTLS handshake does not end (ICE c",
    "dtls_alert": "whip: the DTLS handshake failed",
    "hangs_up": "whip: ",
    "always_busy": "whip: 503 Service Unavailable: busy (after 8 attempts)",
}
LOSSES = {"closes": "the endpoint has closed the connection", "vanishes": "it answers no more (ICE failed)"}
UNTOUCHED = [FIRST, FIRST + 1]


def each_fails_alone():
    """All of them at once, and two that nothing happens to."""
    ids = dict(zip(FAILURES, range(FIRST + 2, FIRST + 2 + len(FAILURES))))
    with Daemon() as daemon, Endpoint(troubles={str(id): trouble for trouble, id in ids.items()}) as endpoint:
        test = publish(daemon, endpoint, num_participants=2 + len(ids))
        until(daemon, test, UNTOUCHED, "running")
        until(daemon, test, ids.values(), "failed", seconds=90)
        for trouble, id in ids.items():
            reason = of_participant(daemon, test, id)["reason"]
            check(reason.startswith(FAILURES[trouble]), f"{trouble}: {reason}")
        whole = untouched(daemon, endpoint, test)
        for trouble, id in ids.items():
            left = [one["deleted"] for name, one in endpoint.told()["sessions"].items() if name == str(id)]
            check(all(left), f"{trouble}: its session is still there")
    return f"{len(ids)} failures with reasons; {whole} packets of the others, none lost"


def a_lost_connection_is_made_again():
    ids = dict(zip(LOSSES, range(FIRST + 2, FIRST + 2 + len(LOSSES))))
    with Daemon() as daemon, Endpoint(troubles={str(id): trouble for trouble, id in ids.items()}) as endpoint:
        test = publish(daemon, endpoint, num_participants=2 + len(ids))
        until(daemon, test, [*UNTOUCHED, *ids.values()], "running")
        began = time.monotonic()
        waited = {}
        for trouble, id in ids.items():
            end = time.monotonic() + 90
            while len(told := of_participant(daemon, test, id)["viewers"]) < 2 or told[1]["state"] != "connected":
                now = of_participant(daemon, test, id)
                if now["state"] == "connecting" and "reason" in now:
                    waited.setdefault(trouble, now["reason"])
                check(time.monotonic() < end, f"{trouble}: {now}")
                time.sleep(0.02)
            now = of_participant(daemon, test, id)
            check(now["state"] == "running" and "reason" not in now, f"{trouble}: {now}")
            check(now["viewers"][0]["state"] in ("closed", "failed"), f"{trouble}: {now['viewers']}")
            check(waited.get(trouble) == f"whip: {LOSSES[trouble]}; publishes again", f"{trouble}: {waited}")
            sessions = endpoint.told()["sessions"]
            check(sessions[str(id)]["deleted"], f"{trouble}: its first session is still there")
            time.sleep(1)
            frames = endpoint.told()["sessions"][f"{id}.2"]["frames"]
            check(frames["video"] > 10 and frames["audio"] > 10, f"{trouble}: {frames}")
        took = time.monotonic() - began
        whole = untouched(daemon, endpoint, test)
    return f"{len(ids)} are there again after {took:.0f} s; {whole} packets of the others, none lost"


def untouched(daemon, endpoint, test):
    viewers = {}
    for id in UNTOUCHED:
        now = of_participant(daemon, test, id)
        check(now["state"] == "running" and len(now["viewers"]) == 1, f"{now}")
        viewers[id] = now["viewers"][0]["viewer_id"]
    daemon.post(f"/api/v1/test/{test}/stop")
    time.sleep(0.5)
    sequences = {int(ssrc): numbers for ssrc, numbers in endpoint.told()["sequences"].items()}
    decided = 0
    for id, viewer in viewers.items():
        mine = {"sequences": {ssrc: numbers for ssrc, numbers in sequences.items() if ssrc // 1000 == id}}
        here, lost = came_is_what_was_sent(mine, decisions(daemon, test, viewer, id), id)
        check(lost == 0, f"{lost} of {id} are lost")
        decided += here
    return decided


if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
main(each_fails_alone, a_lost_connection_is_made_again, at_once=2)
