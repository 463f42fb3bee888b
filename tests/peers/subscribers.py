#!/usr/bin/env python3
"""`avchaos receive --whep` and `--webrtc` watch a daemon's participants: all packets come where there is no chaos; what
is lost where there is some is what the decision log says, and of video nearly all of that comes again; one dead URL
disturbs nobody."""
import json
import os
import signal
import subprocess
import time

from bed import BUILD, Daemon, check, main
from viewers import FIRST, begin

LOSS = {"spike_distribution": {"strategy": "legacy"}, "duration_seconds": 120,
        "spikes": [{"spike_id": "l", "type": "rtp_packet_loss", "start_offset_seconds": 0, "duration_seconds": 110,
                    "params": {"loss_percentage": "10"}}]}
AVCHAOS = BUILD / "tools" / "avchaos"


def receive(*words, seconds=None, env=None):
    """(exit code, JSON or None, standard error); without `seconds` whoever calls gets the process."""
    command = [AVCHAOS, "receive", "--json", *words, *(["--duration", str(seconds)] if seconds else [])]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})})
    return finished(process, seconds + 60) if seconds else process


def finished(process, timeout=60):
    out, errors = process.communicate(timeout=timeout)
    return process.returncode, json.loads(out) if out else None, errors


def whep(daemon, test, *participants):
    return [word for id in participants for word in [f"{daemon.url}/whep/{test}/{id}"]]


def logged(daemon, test, participant):
    """Of the participant's one viewer, by media: fates in order, of RTP packets."""
    path, = daemon.state_dir().glob(f"{test}.decisions.{participant}.*.jsonl")
    log = {"video": [], "audio": [], "rtx": []}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        media = entry["stream"].rpartition("/")[2]
        if media in log:
            log[media].append(entry)
    return log


def compare(daemon, test, result, participants):
    """What came is what was sent, to the packet; returns (decided, lost)."""
    decided = lost = 0
    check([one["state"] for one in result["subscribers"]] == ["connected"] * len(participants), f"{result}")
    for one, participant in zip(result["subscribers"], participants):
        log = logged(daemon, test, participant)
        check([s["media"] for s in one["streams"]] == ["video", "audio"], f"streams: {one}")
        for stream in one["streams"]:
            check(stream["participant_id"] == participant, f"{stream['participant_id']} is not {participant}")
            entries = log[stream["media"]]
            # The log goes on while the connection is being closed: the last packets are on the way.
            sent = sum(e["fate"] == "sent" for e in entries)
            came = stream["packets"] - stream["packets_repaired"]
            on_the_way = sent - came
            check(0 <= on_the_way <= 60, f"{participant} {stream['media']}: {came} came, {sent} were sent")
            last = [i for i, e in enumerate(entries) if e["fate"] == "sent"][-on_the_way - 1]
            entries = entries[:last + 1]
            gone = sum(e["fate"] != "sent" for e in entries)
            # In front of the first packet that came, and behind the last one, a receiver knows of no loss.
            first = next(i for i, e in enumerate(entries) if e["fate"] == "sent")
            check(stream["packets_lost_in_network"] == gone - first,
                  f"{participant} {stream['media']}: lost {stream['packets_lost_in_network']}, the log says {gone - first}")
            check(stream["packets_lost"] == gone - first - stream["packets_repaired"], f"not repaired: {stream}")
            decided, lost = decided + len(entries), lost + gone - first
        sent_again = sum(e["fate"] == "sent" for e in log["rtx"])
        again = sum(stream["packets_retransmitted"] for stream in one["streams"])
        check(0 <= sent_again - again <= 5, f"{again} came again, {sent_again} were sent again")
    return decided, lost


def three_get_everything_by_whep():
    with Daemon() as daemon:
        test, ids = begin(daemon, num_participants=3), [FIRST, FIRST + 1, FIRST + 2]
        code, result, errors = receive("--whep", *whep(daemon, test, *ids), seconds=6)
        check(code == 0, f"{code}: {errors}")
        decided, lost = compare(daemon, test, result, ids)
        check(lost == 0 and result["packets_lost"] == 0, f"lost {lost}")
        check(result["frames_complete_percent"] == 100, f"{result['frames_complete_percent']} % of the frames")
        for one in result["subscribers"]:
            check(0 < one["join_time_ms"] < 5000, f"joined after {one['join_time_ms']} ms")
            check(one["time_to_first_packet_ms"] <= one["time_to_first_keyframe_ms"] < 5000, f"{one}")
        told = daemon.get(f"/api/v1/test/{test}/participants/{FIRST}")["viewers"]
        check([v["state"] for v in told] == ["closed"], f"it has not left: {told}")
        joins = [round(one["join_time_ms"]) for one in result["subscribers"]]
    return f"{decided} packets, joined after {joins} ms"


def all_get_everything_by_the_old_exchange():
    with Daemon() as daemon:
        test, ids = begin(daemon, num_participants=3), [FIRST, FIRST + 1, FIRST + 2]
        code, result, errors = receive("--webrtc", daemon.url, test, "all", seconds=5)
        check(code == 0, f"{code}: {errors}")
        decided, lost = compare(daemon, test, result, ids)
        check(lost == 0, f"lost {lost}")
        code, result, errors = receive("--webrtc", daemon.url, test, "2", seconds=2)
        check(code == 0 and len(result["subscribers"]) == 2, f"{code}: {errors}")
        code, _, errors = receive("--webrtc", daemon.url, test, "4", seconds=2)
        check(code == 104 and "has 3 participants, not 4" in errors, f"{code}: {errors}")
    return f"{decided} packets"


def what_chaos_takes_is_what_is_missing():
    with Daemon() as daemon:
        test = begin(daemon, num_participants=2, **LOSS)
        code, result, errors = receive("--whep", *whep(daemon, test, FIRST, FIRST + 1), seconds=15)
        check(code == 0, f"{code}: {errors}")
        decided, lost = compare(daemon, test, result, [FIRST, FIRST + 1])
        share, sigma = 100 * lost / decided, 100 * (0.1 * 0.9 / decided) ** 0.5
        check(abs(share - 10) < 4 * sigma, f"{share:.2f} % of {decided} lost, 4 sigma is {4 * sigma:.2f}")
        video = [s for one in result["subscribers"] for s in one["streams"] if s["media"] == "video"]
        missing, repaired = sum(s["packets_lost_in_network"] for s in video), sum(s["packets_repaired"] for s in video)
        # what comes again may be lost again, or come too late where the machine is busy
        check(repaired > 0.8 * missing, f"{repaired} of {missing} packets of video repaired")
    return f"{lost} of {decided} lost ({share:.2f} %), {repaired} of {missing} of video repaired"


def one_dead_url_disturbs_nobody():
    with Daemon() as daemon:
        test = begin(daemon, num_participants=2)
        dead = ["http://127.0.0.1:1/whep", *whep(daemon, test, 1009)]
        code, result, errors = receive("--whep", *dead, *whep(daemon, test, FIRST), seconds=5)
        states = [one["state"] for one in result["subscribers"]]
        check(states == ["asking", "failed", "connected"] or states == ["failed", "failed", "connected"], f"{states}")
        check(code == 1, f"exit code {code}")
        check("1009 is not in this test" in errors, errors)
        check(result["subscribers"][2]["join_time_ms"] < 5000, "the good one was held up")
        code, _, errors = receive("--whep", *dead[1:], seconds=5)
        check(code == 107, f"nothing came, and the exit code is {code}: {errors}")
    return errors.strip()


def a_signal_ends_with_the_figures():
    with Daemon() as daemon:
        test = begin(daemon)
        process = receive("--whep", *whep(daemon, test, FIRST))
        while daemon.get(f"/api/v1/test/{test}/participants/{FIRST}")["state"] != "running":
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        code, result, errors = finished(process)
        check(code == 0 and result["packets"] > 0, f"{code}: {errors}")
    return f"{result['packets']} packets"


def a_token_is_sent_where_it_is_asked_for():
    with Daemon(env={"AVCHAOS_TOKEN": "secret"}) as daemon:
        url = f"{daemon.url}/whep/none/1001"
        for token, status in ([], "401"), (["--token", "secret"], "404"):
            code, result, errors = receive("--whep", url, *token, seconds=3)
            check(code == 107 and status in result["subscribers"][0]["reason"], f"{code}: {errors}")


main(three_get_everything_by_whep, all_get_everything_by_the_old_exchange, what_chaos_takes_is_what_is_missing,
     one_dead_url_disturbs_nobody, a_signal_ends_with_the_figures, a_token_is_sent_where_it_is_asked_for, at_once=3)
