#!/usr/bin/env python3
"""Participants publish by WHIP to an endpoint written with aiortc (whip_endpoint.py): it gets every packet that chaos let
through and no other, also after it was busy at first; who is refused says why; no session stays behind."""
import time

from bed import Daemon, check, main
from viewers import FIRST, came_is_what_was_sent, decisions, has_aiortc
from whip_bed import Endpoint, of_participant, publish, until, until_deleted

LOSS = [{"spike_id": "l", "type": "rtp_packet_loss", "start_offset_seconds": 0, "duration_seconds": 110,
         "params": {"loss_percentage": "10"}}]


def all_of(daemon, endpoint, busy=0, **scenario):
    """Three of them for some seconds; returns (decided, lost) of all."""
    ids = range(FIRST, FIRST + 3)
    test = publish(daemon, endpoint, num_participants=3, **scenario)
    until(daemon, test, ids, "running")
    time.sleep(6)
    viewers = {id: of_participant(daemon, test, id)["viewers"][0] for id in ids}
    daemon.post(f"/api/v1/test/{test}/stop")
    until_deleted(endpoint, 3)
    told = endpoint.told()
    sums = [0, 0]
    for id in ids:
        check(viewers[id]["by"] == "whip" and viewers[id]["state"] == "connected", f"{viewers[id]}")
        check(told["sessions"][str(id)]["frames"]["audio"] > 100, f"{told['sessions']}")
        check(told["refused"][str(id)] == busy, f"{told['refused']}")
        came = {int(ssrc): numbers for ssrc, numbers in told["sequences"].items() if int(ssrc) // 1000 == id}
        sums = [a + b for a, b in zip(sums, came_is_what_was_sent(
            {"sequences": came}, decisions(daemon, test, viewers[id]["viewer_id"], id), id))]
    return sums


def what_is_published_arrives():
    with Daemon() as daemon, Endpoint() as endpoint:
        decided, lost = all_of(daemon, endpoint)
    check(lost == 0, f"{lost} lost")
    return f"{decided} packets of 3 participants"


def a_busy_endpoint_is_asked_again_and_loss_is_what_was_logged():
    with Daemon() as daemon, Endpoint(busy=2) as endpoint:
        decided, lost = all_of(daemon, endpoint, busy=2, spikes=LOSS, spike_distribution={"strategy": "legacy"})
    share = 100 * lost / decided
    check(6 < share < 14, f"{share} % lost")
    return f"{lost} of {decided} packets lost ({share:.1f} %)"


def a_wrong_token_is_a_failure_with_a_reason():
    with Daemon() as daemon, Endpoint() as endpoint:
        test = publish(daemon, endpoint, token="wrong", num_participants=1)
        until(daemon, test, [FIRST], "failed")
        reason = of_participant(daemon, test, FIRST)["reason"]
    check(reason == "whip: 401 Unauthorized: wrong token", reason)
    return reason


def a_daemon_that_ends_leaves_no_session():
    with Endpoint() as endpoint:
        with Daemon() as daemon:
            test = publish(daemon, endpoint, num_participants=2)
            until(daemon, test, [FIRST, FIRST + 1], "running")
        check(all(one["deleted"] for one in endpoint.told()["sessions"].values()), f"{endpoint.told()['sessions']}")
    return "2 sessions deleted at SIGTERM"


if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
main(what_is_published_arrives, a_busy_endpoint_is_asked_again_and_loss_is_what_was_logged,
     a_wrong_token_is_a_failure_with_a_reason, a_daemon_that_ends_leaves_no_session, at_once=2)
