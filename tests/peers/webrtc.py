#!/usr/bin/env python3
"""aiortc watches participants over WebRTC, by the old exchange and by WHEP: it gets every packet that chaos let through,
and no other; viewers do not disturb each other, nor what goes to a UDP receiver. Those that never answer: webrtc_silent."""
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from bed import SOURCE, Daemon, Receiver, by_stream, check, main, unwrap
from viewers import (AUDIO, FIRST, PYTHON, VIDEO, begin, came_is_what_was_sent, decisions, has_aiortc,
                     until_connected, watch)

LOSS = {"spike_distribution": {"strategy": "legacy"}, "duration_seconds": 120,
        "spikes": [{"spike_id": "l", "type": "rtp_packet_loss", "start_offset_seconds": 0, "duration_seconds": 110,
                    "params": {"loss_percentage": "10"}}]}


def shown(daemon, test, viewer, participant=FIRST):
    told = daemon.get(f"/api/v1/test/{test}/participants/{participant}")
    row, = [v for v in told["viewers"] if v["viewer_id"] == viewer]
    return told, row


def viewers_of_both_ways_get_everything_side_by_side():
    with Daemon() as daemon:
        test = begin(daemon)
        with ThreadPoolExecutor() as pool:
            runs = [pool.submit(watch, daemon, test, "rest", 10)]
            until_connected(daemon, test)  # whoever answers an offer has it: the next one gets another
            runs += [pool.submit(watch, daemon, test, way, 6) for way in ("rest", "whep")]
            results = [run.result() for run in runs]
        check(len({r["viewer_id"] for r in results}) == 3, "they are not three")
        told = []
        for result in results:
            decided, lost = came_is_what_was_sent(result, decisions(daemon, test, result["viewer_id"]))
            check(lost == 0 and sum(result["lost"].values()) == 0, f"lost {lost}, the viewer says {result['lost']}")
            check(result["frames"]["video"] > 120 and result["frames"]["audio"] > 200, f"{result['frames']}")
            check(result["sizes"] == [[320, 180]], f"the picture is {result['sizes']}")
            told.append(f"{decided} packets, picture after {result['first_picture_after']:.2f} s")
        daemon.post(f"/api/v1/test/{test}/stop")
    return "; ".join(told)


def loss_is_exactly_what_was_logged():
    with Daemon() as daemon:
        test = begin(daemon, **LOSS)
        result = watch(daemon, test, "whep", 20)
        decided, lost = came_is_what_was_sent(result, decisions(daemon, test, result["viewer_id"]))
        # of video it counts what could not be repaired (webrtc_feedback.py)
        sound = decisions(daemon, test, result["viewer_id"])[AUDIO]
        told, gone = result["lost"]["audio"], sum(e["fate"] == "lost" for e in sound)
        share, sigma = 100 * lost / decided, 100 * (0.1 * 0.9 / decided) ** 0.5
        check(abs(share - 10) < 4 * sigma, f"{share:.2f} % of {decided} lost, 4 sigma is {4 * sigma:.2f}")
        check(abs(told - gone) <= 10 + 0.01 * len(sound), f"the viewer says {told} lost of the sound, the log {gone}")
        participant, row = shown(daemon, test, result["viewer_id"])
        check(row["packets_lost_on_purpose"] >= lost, f"{row}")
        check(participant["packets_lost_on_purpose"] == row["packets_lost_on_purpose"], f"{participant}")
    return f"{lost} of {decided} lost ({share:.2f} %), of the sound {gone}, the viewer says {told}"


def an_injected_spike_reaches_a_viewer_and_ends():
    with Daemon() as daemon, ThreadPoolExecutor() as pool:
        test = begin(daemon)
        viewer = pool.submit(watch, daemon, test, "rest", 9)
        until_connected(daemon, test)
        time.sleep(2)
        daemon.post(f"/api/v1/test/{test}/spike", {"spike_id": "b", "type": "blackout", "duration_seconds": 2})
        result = viewer.result()
        log = decisions(daemon, test, result["viewer_id"])
        _, lost = came_is_what_was_sent(result, log)
        audio = [e["fate"] == "sent" for e in log[AUDIO]]
        dark = audio.count(False)
        check(abs(dark - 100) <= 3, f"{dark} packets of sound lost in 2 s of 20 ms")
        first = audio.index(False)
        check(not any(audio[first:first + dark]) and all(audio[first + dark:]), "what was lost is not one stretch")
    return f"{lost} packets lost, {dark} of sound"


def a_udp_receiver_is_not_disturbed():
    receiver = Receiver()
    with Daemon() as daemon:
        test = begin(daemon, target={"transport": "udp", "host": "127.0.0.1", "port": receiver.port})
        result = watch(daemon, test, "whep", 5)
        came_is_what_was_sent(result, decisions(daemon, test, result["viewer_id"]))
        daemon.post(f"/api/v1/test/{test}/stop")
    streams = by_stream(receiver.close())
    check(set(streams) == {VIDEO, AUDIO}, f"{sorted(streams)}")
    for ssrc, packets in streams.items():
        numbers = unwrap([p.seq for p in packets])
        check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{ssrc} has holes")
        check({p.participant for p in packets} == {FIRST}, "ids are missing")
    return f"{sum(map(len, streams.values()))} packets by UDP, {sum(result['received'].values())} to the viewer"


def one_that_vanishes_has_failed_and_says_why():
    with Daemon() as daemon:
        test = begin(daemon)
        viewer = subprocess.Popen([PYTHON, SOURCE / "tests" / "peers" / "rtc_viewer.py", "whep", daemon.url, test,
                                   str(FIRST), "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_connected(daemon, test)
        time.sleep(2)
        viewer.kill()
        viewer.wait()
        gone = time.monotonic()
        told = daemon.get(f"/api/v1/test/{test}/participants/{FIRST}")
        while told["viewers"][0]["state"] == "connected" and time.monotonic() < gone + 80:
            time.sleep(0.5)
            told = daemon.get(f"/api/v1/test/{test}/participants/{FIRST}")
    check(told["viewers"][0]["state"] == "failed" and "ICE failed" in told["viewers"][0]["reason"], f"{told}")
    check(told["state"] == "connecting", f"{told}")
    return f"after {time.monotonic() - gone:.0f} s"


if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
main(one_that_vanishes_has_failed_and_says_why, loss_is_exactly_what_was_logged,
     viewers_of_both_ways_get_everything_side_by_side, an_injected_spike_reaches_a_viewer_and_ends,
     a_udp_receiver_is_not_disturbed, at_once=3)
