#!/usr/bin/env python3
"""What a viewer asks for comes about: packets it missed come again, a keyframe comes at once, a lower rendition when it says
that its path carries no more, the better one afterwards. What is lost of its reports is in the log. Who shows another
certificate than its description names gets nothing. The viewer is aiortc."""
import time
from concurrent.futures import ThreadPoolExecutor

from bed import Daemon, check, main
from viewers import AUDIO, FIRST, VIDEO, begin, has_aiortc, logged, until_connected, watch

LOSS = {"spike_distribution": {"strategy": "legacy"}, "duration_seconds": 120,
        "spikes": [{"spike_id": "l", "type": "rtp_packet_loss", "start_offset_seconds": 0, "duration_seconds": 110,
                    "params": {"loss_percentage": "10"}}]}


def told_of(daemon, test, viewer):
    row, = [v for v in daemon.get(f"/api/v1/test/{test}/participants/{FIRST}")["viewers"] if v["viewer_id"] == viewer]
    return row, row.get("reported_by_far_side", {}), row.get("reaction", {})


def lost_in(entries):
    return sum(e["fate"] != "sent" for e in entries)


def what_is_missed_comes_again_and_may_be_lost_again():
    with Daemon() as daemon:
        test = begin(daemon, **LOSS)
        result = watch(daemon, test, "whep", 15)
        log = logged(daemon, test, result["viewer_id"])
        _, reported, reaction = told_of(daemon, test, result["viewer_id"])
        again, = [numbers for ssrc, numbers in result["sequences"].items() if ssrc not in (VIDEO, AUDIO)]
        sent = [e["seq"] for e in log["rtx"] if e["fate"] == "sent"]
        check(again == sent[:len(again)] and len(sent) - len(again) <= 2, f"{len(again)} came again, {len(sent)} sent")
        check(reaction["retransmitted"] == len(log["rtx"]), f"{reaction} and {len(log['rtx'])} in the log")
        check(reported["nacks"] >= reaction["retransmitted"] > 0, f"{reported} {reaction}")
        missed, left = lost_in(log["video"]), result["lost"]["video"]
        check(left <= 0.03 * len(log["video"]) and left < missed / 3, f"{left} stay lost of {missed}")
        check(lost_in(log["rtx"]) == reaction["retransmitted_lost_on_purpose"] > 0, f"{reaction}")
        loss = reported["audio"]["loss_percent"]
        check(0 < loss < 30 and reported["audio"]["round_trip_ms"] < 500, f"{reported}")
    return f"{missed} packets missed, {len(again)} came again, {left} stay lost"


def reports_are_lost_and_nothing_else(spike, media_too):
    with Daemon() as daemon, ThreadPoolExecutor() as pool:
        test = begin(daemon)
        viewer = pool.submit(watch, daemon, test, "rest", 9)
        until_connected(daemon, test)
        time.sleep(2)
        daemon.post(f"/api/v1/test/{test}/spike", {"spike_id": "s", "duration_seconds": 4, **spike})
        result = viewer.result()
        log = logged(daemon, test, result["viewer_id"])
        _, _, reaction = told_of(daemon, test, result["viewer_id"])
        fates = ["." if e["fate"] == "sent" else "x" for e in log["feedback"]]
        dark = fates.count("x")
        check(dark >= 3, f"{''.join(fates)}: 4 s of reports, about one a second of each stream")
        first = fates.index("x")
        check(fates[first:first + dark] == ["x"] * dark and "." in fates[first + dark:], f"not one stretch: {fates}")
        check(reaction["feedback_lost_on_purpose"] == dark, f"{reaction}")
        check((lost_in(log["video"] + log["audio"]) > 0) == media_too, "media")
    return f"{dark} of {len(fates)} reports, {lost_in(log['video'] + log['audio'])} packets of media"


def lost_reports_do_not_touch_the_media():
    return reports_are_lost_and_nothing_else({"type": "rtcp_loss", "params": {"loss_percentage": 100}}, False)


def a_blackout_is_one_both_ways():
    return reports_are_lost_and_nothing_else({"type": "blackout"}, True)


def a_keyframe_comes_when_it_is_asked_for():
    with Daemon() as daemon:
        test = begin(daemon)
        result = watch(daemon, test, "whep", 6, deeds=[[3, "pli"], [3.15, "pli"]])
        _, reported, reaction = told_of(daemon, test, result["viewer_id"])
        asked = result["done"][0]
        came = min(at for at in result["keyframes"] if at > asked) - asked
        check(came < 0.3, f"it came after {came:.2f} s; one is due each second")
        check(reported["plis"] == 2 and reaction["key_unit_jumps"] == 1, f"{reported} {reaction}")
    return f"after {1000 * came:.0f} ms; the second request, 150 ms later, was granted by it"


def kbps_between(result, begin_at, end_at):
    """Of video, by seconds after its first packet."""
    arrivals = result["arrivals"][VIDEO]
    start = arrivals[0][0]
    return sum(size for at, size in arrivals if begin_at <= at - start < end_at) * 8 / 1000 / (end_at - begin_at)


def rates_around_a_low_estimate(adaptive):
    video = {"video": {"width": 320, "height": 180, "fps": 30, "bitrate_kbps": 800}, "renditions": [800, 200]}
    with Daemon() as daemon:
        test = begin(daemon, **video, adaptive=adaptive)
        result = watch(daemon, test, "whep", 17, deeds=[[4, "remb", 400_000], [8, "remb", 5_000_000]])
        _, reported, reaction = told_of(daemon, test, result["viewer_id"])
        rates = [kbps_between(result, *span) for span in ((1, 4), (6, 8), (13, 16))]
        check(reported["rembs"] == 2 and reaction["rendition_switches"] == 2, f"{reported} {reaction}")
        lower = rates[1] < 0.6 * rates[0]
        check(lower == adaptive and rates[2] > 0.8 * rates[0], f"{rates}")
    return "kbit/s of video " + " -> ".join(f"{rate:.0f}" for rate in rates)


def the_rendition_follows_what_the_viewer_says():
    return rates_around_a_low_estimate(True)


def it_does_not_where_that_is_not_wanted():
    return rates_around_a_low_estimate(False)


def who_has_another_certificate_gets_nothing():
    with Daemon() as daemon:
        test = begin(daemon)
        for way in ("rest", "whep"):
            result = watch(daemon, test, way, 4, deeds=[["pretend"]], ends=None)
            row, _, _ = told_of(daemon, test, result["viewer_id"])
            check(row["state"] == "failed" and "certificate" in row["reason"], f"{way}: {row}")
            check(not result["sequences"] and row["packets_sent"] == 0, f"{way}: it got {row['packets_sent']} packets")
    return row["reason"]


if not has_aiortc():
    print("skipped: Debian's python3-aiortc is not installed (scripts/install-deps --test)")
    raise SystemExit(77)
main(the_rendition_follows_what_the_viewer_says, it_does_not_where_that_is_not_wanted,
     what_is_missed_comes_again_and_may_be_lost_again, lost_reports_do_not_touch_the_media, a_blackout_is_one_both_ways,
     a_keyframe_comes_when_it_is_asked_for,
     who_has_another_certificate_gets_nothing, at_once=3)
