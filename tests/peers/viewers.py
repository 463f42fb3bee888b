"""What the tests of viewers share: a test whose participants have viewers, and aiortc as one (rtc_viewer.py)."""
import json
import subprocess
import time

from bed import SOURCE, check

PYTHON = "/usr/bin/python3"  # Debian's, which aiortc is installed for
FIRST, VIDEO, AUDIO = 1001, 1001000, 1001001
SMALL = {"video": {"width": 320, "height": 180, "fps": 30, "bitrate_kbps": 500}, "renditions": [500], "seed": 7}


def has_aiortc():
    return subprocess.run([PYTHON, "-c", "import aiortc"], capture_output=True).returncode == 0


def begin(daemon, **scenario):
    test = daemon.post("/api/v1/test/create", {"num_participants": 1, "target": {"transport": "webrtc"},
                                               "decision_log": True, **SMALL, **scenario})["test_id"]
    daemon.post(f"/api/v1/test/{test}/start")
    while daemon.get(f"/api/v1/test/{test}").get("preparing"):
        time.sleep(0.1)
    return test


def until_connected(daemon, test):
    while daemon.get(f"/api/v1/test/{test}/participants/{FIRST}")["state"] != "running":
        time.sleep(0.1)


def logged(daemon, test, viewer, participant=FIRST):
    """A viewer's decision log: by stream (video, audio, rtcp, rtx, feedback), in order."""
    log = {}
    path = daemon.state_dir() / f"{test}.decisions.{participant}.{viewer}.jsonl"
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        log.setdefault(entry["stream"].partition("/")[2], []).append(entry)
    return log


def watch(daemon, test, way, seconds, participant=FIRST, deeds=(), ends="connected"):
    run = subprocess.run([PYTHON, SOURCE / "tests" / "peers" / "rtc_viewer.py", way, daemon.url, test,
                          str(participant), str(seconds), json.dumps(list(deeds))],
                         capture_output=True, text=True, timeout=seconds + 60)
    check(run.returncode == 0, f"the viewer ended with {run.returncode}: {run.stderr[-2000:]}")
    result = json.loads(run.stdout)
    for what in ("sequences", "arrivals"):
        result[what] = {int(ssrc): numbers for ssrc, numbers in result[what].items()}
    check(ends in (None, result["state"]), f"the viewer is {result['state']}")
    return result


def decisions(daemon, test, viewer, participant=FIRST):
    """By SSRC, in order, of the media."""
    log = logged(daemon, test, viewer, participant)
    return {1000 * participant: log.get("video", []), 1000 * participant + 1: log.get("audio", [])}


def came_is_what_was_sent(result, log, participant=FIRST):
    """Up to the last packet that came, exactly; returns (decided, lost) of both streams."""
    decided = lost = 0
    video, audio = 1000 * participant, 1000 * participant + 1
    check({video, audio} <= set(result["sequences"]), f"streams {sorted(result['sequences'])}")
    for ssrc in (video, audio):
        entries, numbers = log[ssrc], result["sequences"][ssrc]
        last = max(i for i, e in enumerate(entries) if e["seq"] == numbers[-1])
        before = entries[:last + 1]
        sent = [e["seq"] for e in before if e["fate"] == "sent"]
        check(numbers == sent, f"{ssrc}: {len(numbers)} came, {len(sent)} were logged as sent")
        decided, lost = decided + len(before), lost + len(before) - len(sent)
    return decided, lost
