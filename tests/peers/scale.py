#!/usr/bin/env python3
"""What is promised before a run is what a stranger receives: packets a second and bits of `avchaos plan`. Keyframes of
different participants lie apart; all participants are listed, page by page; what does not fit is told when to come
again; on a ramp each begins at its time, and meets the spikes in force by then."""
import json
import pathlib
import subprocess
import tempfile

from bed import BUILD, VIDEO_PT, Daemon, Problem, Receiver, by_stream, check, main, unwrap

PARTICIPANTS, SECONDS = 20, 12
COUNTED = 10  # seconds of media of each stream; their starts are spread over the first of the test
SCENARIO = {"num_participants": PARTICIPANTS, "duration_seconds": SECONDS, "seed": 3, "renditions": [1200],
            "video": {"width": 640, "height": 360, "fps": 30, "bitrate_kbps": 1200}}


class Run:
    """One test, recorded by a receiver of our own; and what the plan said of it."""

    def __init__(self):
        receiver = Receiver()
        scenario = {**SCENARIO, "target": {"transport": "udp", "host": "127.0.0.1", "port": receiver.port}}
        self.pages = []
        with tempfile.TemporaryDirectory() as folder, Daemon() as daemon:
            file = pathlib.Path(folder) / "scenario.json"
            file.write_text(json.dumps(scenario))
            told = subprocess.run([BUILD / "tools" / "avchaos", "plan", file, "--json", "--base-url", daemon.url],
                                  capture_output=True, text=True, check=True)
            self.plan = json.loads(told.stdout)
            daemon.run(scenario, during=lambda test: self.look(daemon, test))
        self.streams = by_stream(receiver.close())

    def look(self, daemon, test):
        after = 0
        while after is not None:
            page = daemon.get(f"/api/v1/test/{test}/participants?limit=7&after={after}")
            self.pages.append([p["participant_id"] for p in page["participants"]])
            after = page["next"]


_RUN = []


def run():
    if not _RUN:
        _RUN.append(Run())
    return _RUN[0]


def media_seconds(packets):
    """Each packet with its place on the media time line, by its RTP timestamp alone."""
    clock = 90000 if packets[0].pt == VIDEO_PT else 48000
    first, at = packets[0].timestamp, []
    for p in packets:
        at.append((((p.timestamp - first) & 0xFFFFFFFF) / clock, p))
    return at


def the_plan_says_what_is_sent():
    load = run().plan["load"]
    check(load["estimated"] is False, f"{load}")
    check(len(run().streams) == 2 * PARTICIPANTS, f"{len(run().streams)} streams")
    packets = size = 0
    for stream in run().streams.values():
        numbers = unwrap([p.seq for p in stream])
        check(len(numbers) == numbers[-1] - numbers[0] + 1, "packets are missing")
        counted = [p for at, p in media_seconds(stream) if at < COUNTED]
        packets += len(counted)
        size += sum(p.size for p in counted)
    for name, planned, measured in (("packets/s", load["packets_per_second"], packets / COUNTED),
                                    ("Mbit/s", load["mbit_per_second"], size * 8 / 1e6 / COUNTED)):
        check(abs(measured / planned - 1) <= 0.02, f"{name}: {planned:.1f} planned, {measured:.1f} measured")
    return f"{packets / COUNTED:.0f} packets/s of {load['packets_per_second']:.0f} planned"


def keyframes_lie_apart():
    starts = []
    for stream in run().streams.values():
        if stream[0].pt == VIDEO_PT:
            starts.append(stream[0].at)  # a participant begins with a keyframe
    check(len(starts) == PARTICIPANTS, f"{len(starts)} participants")
    spread = max(starts) - min(starts)
    slots = {int((at - min(starts)) * 20) for at in starts}  # of 50 ms
    check(spread > 0.5 and len(slots) > PARTICIPANTS / 3, f"{len(slots)} slots of 50 ms in {spread:.2f} s")
    return f"first keyframes in {len(slots)} slots of 50 ms"


def participants_are_listed_page_by_page():
    check([len(page) for page in run().pages] == [7, 7, 6], f"pages of {[len(p) for p in run().pages]}")
    check([i for page in run().pages for i in page] == list(range(1001, 1001 + PARTICIPANTS)), f"{run().pages}")


def on_a_ramp_each_begins_at_its_time():
    """Ten participants in four seconds; a blackout from 1.0 to 2.2 s holds the fourth and fifth (1.2 and 1.6 s) back."""
    receiver = Receiver()
    blackout = {"spike_id": "b", "type": "blackout", "start_offset_seconds": 1, "duration_seconds": 1.2,
                "participant_ids": [1004, 1005]}
    with Daemon() as daemon:
        _, report = daemon.run({**SCENARIO, "num_participants": 10, "duration_seconds": 6, "ramp": {"seconds": 4},
                                "spikes": [blackout], "spike_distribution": {"strategy": "legacy"},
                                "target": {"transport": "udp", "host": "127.0.0.1", "port": receiver.port}})
    first = {}
    for p in receiver.close():
        first.setdefault(p.participant, p.at)
    begin, wrong = first[1001], []
    for i, participant in enumerate(range(1001, 1011)):
        due = 2.2 if participant in blackout["participant_ids"] else 0.4 * i
        if not -0.02 <= first[participant] - begin - due <= 0.25:
            wrong.append(f"{participant} at {first[participant] - begin:.3f} s, due at {due:.1f} s")
    check(not wrong, "; ".join(wrong))
    joined = [sample["participants"] for sample in report["samples"]]
    check(joined == sorted(joined) and joined[0] in (3, 4) and joined[-1] == 10, f"participants by second: {joined}")
    late = max(first[p] - begin - 0.4 * (p - 1001) for p in first if p not in blackout["participant_ids"])
    return f"at most {late * 1000:.0f} ms late"


def what_does_not_fit_is_told_when_to_come_again():
    with Daemon("--max-participants", "5") as daemon:
        try:
            daemon.post("/api/v1/test/create", {"num_participants": 6})
        except Problem as problem:
            check(problem.status == 429 and int(problem.headers["Retry-After"]) > 0, f"{problem}")
            check(problem.body["field"] == "num_participants", f"{problem.body}")
            return
        check(False, "6 of 5 participants were taken")


if __name__ == "__main__":
    main(the_plan_says_what_is_sent, keyframes_lie_apart, participants_are_listed_page_by_page,
         on_a_ramp_each_begins_at_its_time, what_does_not_fit_is_told_when_to_come_again)
