#!/usr/bin/env python3
"""Viewers over WebRTC that never answer delay nobody: what leaves is as punctual with 40 of them as without."""
from bed import Daemon, check, main
from viewers import FIRST, begin, came_is_what_was_sent, decisions, has_aiortc, watch


def stay_silent(daemon, test, participants):
    """A viewer of each by both ways that is never heard of again: offers nobody answers, answers that lead nowhere."""
    for participant in participants:
        daemon.get(f"/api/v1/test/{test}/sdp/{participant}")
    offer = daemon.get(f"/api/v1/test/{test}/sdp/{participants[0]}")["sdp_offer"]  # as good as a player's, turned round
    offer = "\r\n".join(line for line in offer.replace("a=sendonly", "a=recvonly").split("\r\n")
                        if not line.startswith(("a=ssrc", "a=candidate", "a=msid")))
    for participant in participants:
        daemon.call("POST", f"/whep/{test}/{participant}", offer, {"Content-Type": "application/sdp"})


def late_p99(daemon, silent_viewers):
    """Of a test with one viewer that watches, and so many by each way that do nothing."""
    test = begin(daemon, num_participants=21)
    silent = range(FIRST + 1, FIRST + 1 + silent_viewers)
    if silent:
        stay_silent(daemon, test, silent)
    result = watch(daemon, test, "rest", 8)
    _, lost = came_is_what_was_sent(result, decisions(daemon, test, result["viewer_id"]))
    check(lost == 0, f"{lost} lost")
    for participant in silent:
        states = sorted(v["state"] for v in daemon.get(f"/api/v1/test/{test}/participants/{participant}")["viewers"])
        check(states == ["checking", "new"], f"the silent viewers are {states}")
    daemon.post(f"/api/v1/test/{test}/stop")
    report = daemon.get(f"/api/v1/test/{test}/report.json")
    return report["generator"]["late_p99_ms"]


def viewers_that_never_answer_delay_nobody():
    with Daemon() as daemon:
        without, silent = late_p99(daemon, 0), late_p99(daemon, 20)
        # A push that waited for an answer would take seconds; making so many connections takes some of the machine.
        check(silent < without + 10, f"lateness p99 is {silent} ms with 20 of each way, {without} ms without")
    return f"lateness p99 {without:.2f} ms without, {silent:.2f} ms with 20 offers unanswered and 20 players silent"


if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
main(viewers_that_never_answer_delay_nobody)
