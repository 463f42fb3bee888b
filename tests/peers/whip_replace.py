#!/usr/bin/env python3
"""ice_restart and srtp_rekey replace the connection of one of two participants that publish to an endpoint written with
aiortc: new ICE credentials, new SRTP keys, the old session deleted before the new one begins, the same SSRCs with
sequence numbers that go on, media again; how long it took is in the report. The other participant notices nothing."""
import time

from bed import Daemon, Problem, check, main
from viewers import FIRST, came_is_what_was_sent, decisions, has_aiortc
from whip_bed import Endpoint, of_participant, publish, until, until_deleted

OTHER = FIRST + 1
RESTART = {"spike_id": "restart", "type": "ice_restart", "participant_ids": [FIRST], "start_offset_seconds": 3,
           "duration_seconds": 1}
REKEY = {"spike_id": "rekey", "type": "srtp_rekey", "participant_ids": [FIRST], "duration_seconds": 1, "params": {}}


def until_frames(endpoint, session, seconds=30):
    """Until pictures have come in it."""
    end = time.monotonic() + seconds
    while endpoint.told()["sessions"].get(session, {"frames": {"video": 0}})["frames"]["video"] < 10:
        check(time.monotonic() < end, f"no media in {session}: {endpoint.told()['sessions'].keys()}")
        time.sleep(0.1)


def sessions_of(told, participant):
    return [told["sessions"][name] for name in sorted(told["sessions"]) if name.partition(".")[0] == str(participant)]


def goes_on(daemon, test, sessions, viewers, participant):
    """The sessions' packets are one stream; returns the numbers between two sessions that nobody got."""
    left_out = []
    logs = [decisions(daemon, test, viewer["viewer_id"], participant) for viewer in viewers]
    for session, log in zip(sessions, logs):
        came = {int(ssrc): numbers for ssrc, numbers in session["sequences"].items() if int(ssrc) // 1000 == participant}
        _, lost = came_is_what_was_sent({"sequences": came}, log, participant)
        check(lost == 0, f"{lost} lost without chaos")
    for before, after in zip(logs, logs[1:]):
        for ssrc in (1000 * participant, 1000 * participant + 1):
            left_out.append((after[ssrc][0]["seq"] - before[ssrc][-1]["seq"] - 1) % 65536)
    # A frame that was under way when the old connection ended.
    check(all(number <= 12 for number in left_out), f"numbers left out: {left_out}")
    return left_out


def a_connection_is_replaced_by_another():
    with Daemon() as daemon, Endpoint() as endpoint:
        test = publish(daemon, endpoint, num_participants=2, spikes=[RESTART],
                       spike_distribution={"strategy": "legacy"})
        until(daemon, test, [FIRST, OTHER], "running")
        until_frames(endpoint, f"{FIRST}.2")
        until(daemon, test, [FIRST], "running")
        reply = daemon.post(f"/api/v1/test/{test}/spike", REKEY)
        check(reply["participants"] == 1 and not reply["warnings"], f"{reply}")
        until_frames(endpoint, f"{FIRST}.3")
        viewers = {id: of_participant(daemon, test, id)["viewers"] for id in (FIRST, OTHER)}
        time.sleep(1)  # until the second spike is over
        daemon.post(f"/api/v1/test/{test}/stop")
        until_deleted(endpoint, 4)
        told, report = endpoint.told(), daemon.get(f"/api/v1/test/{test}/report.json")
        mine, others = sessions_of(told, FIRST), sessions_of(told, OTHER)
        check([len(mine), len(others)] == [3, 1], f"{told['sessions'].keys()}")
        for what in ("ufrag", "keys"):
            check(len({one[what] for one in mine}) == 3 and None not in [one[what] for one in mine],
                  f"{what}: {[one[what] for one in mine]}")
        check([v["state"] for v in viewers[FIRST]] == ["closed", "closed", "connected"], f"{viewers[FIRST]}")
        left_out = goes_on(daemon, test, mine, viewers[FIRST], FIRST)
        goes_on(daemon, test, others, viewers[OTHER], OTHER)
    check(told["overlaps"] == 0, "a session began before the one before it was deleted")
    times = []
    for spike in report["spikes"]:
        check(spike["state"] == "ended" and spike["participants"] == 1, f"{spike}")
        check(spike["connections_replaced"]["count"] == 1, f"{spike}")
        times.append(spike["connections_replaced"]["max_ms"])
        check(0 < times[-1] < 5000, f"{times}")
        check("without connection" in [figure["name"] for figure in spike["figures"]], f"{spike['figures']}")
    check(len(times) == 2, f"{report['spikes']}")
    return f"{times[0]:.0f} and {times[1]:.0f} ms without a connection, numbers left out: {left_out}"


def where_there_is_no_connection_it_is_refused():
    with Daemon() as daemon:
        for target in ({"transport": "webrtc"}, {"transport": "loopback"}):
            for spikes in ([RESTART], {"types": {"srtp_rekey": {"weight": 1}}}):
                try:
                    daemon.post("/api/v1/test/create", {"num_participants": 2, "target": target, "spikes": spikes})
                except Problem as refusal:
                    why = str(refusal)
                    check("400" in why and "needs a participant that publishes by WHIP" in why, why)
                else:
                    check(False, f"{target} {spikes} is taken")
    return why


if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
main(a_connection_is_replaced_by_another, where_there_is_no_connection_it_is_refused)
