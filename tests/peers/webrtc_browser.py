#!/usr/bin/env python3
"""Chromium plays a participant over WHEP and by the old exchange: the picture decodes, nothing is lost without chaos, and what
it calls lost with chaos agrees with the decision log. What it misses comes again, a blackout is a freeze that ends, and the
picture's bit rate follows what its path carries. The page /play plays for whoever opens it. In a network of its own that
has nothing but loopback."""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

from bed import Daemon, check, main
from chromium import PROGRAM, Chromium

SECONDS = 10
SCENARIO = {"num_participants": 1, "target": {"transport": "webrtc"}, "decision_log": True, "duration_seconds": 120,
            "video": {"width": 320, "height": 180, "fps": 30, "bitrate_kbps": 500}, "renditions": [500], "seed": 7,
            "spike_distribution": {"strategy": "legacy"}}
OWN_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]

PLAYER = """
  const pc = window.pc = new RTCPeerConnection(), video = document.createElement('video');
  video.muted = video.autoplay = true;
  video.srcObject = new MediaStream();
  document.body.append(video);
  pc.ontrack = event => video.srcObject.addTrack(event.track);
  const connected = async () => {
    for (let i = 0; i < 100 && pc.connectionState != 'connected'; ++i) await new Promise(done => setTimeout(done, 100));
    return pc.connectionState;
  };"""
BY_WHEP = "(async () => {" + PLAYER + """
  for (const kind of ['audio', 'video']) pc.addTransceiver(kind, {direction: 'recvonly'});
  await pc.setLocalDescription(await pc.createOffer());
  const reply = await fetch('/whep/TEST/1001', {method: 'POST', headers: {'Content-Type': 'application/sdp'},
                                               body: pc.localDescription.sdp});
  if (reply.status != 201) return reply.status + ' ' + await reply.text();
  window.resource = reply.headers.get('Location');
  pc.onicecandidate = event => {
    if (event.candidate) fetch(window.resource, {method: 'PATCH', body: 'a=' + event.candidate.candidate + '\\r\\n',
                                                 headers: {'Content-Type': 'application/trickle-ice-sdpfrag'}});
  };
  await pc.setRemoteDescription({type: 'answer', sdp: await reply.text()});
  return connected();
})()"""
BY_REST = "(async () => {" + PLAYER + """
  const at = what => '/api/v1/test/TEST/' + what + '/1001';
  const post = (what, body) => fetch(at(what), {method: 'POST', body: JSON.stringify(body)});
  const offer = await (await fetch(at('sdp'))).json(), viewer_id = offer.viewer_id;
  await pc.setRemoteDescription({type: 'offer', sdp: offer.sdp_offer});
  await pc.setLocalDescription(await pc.createAnswer());
  pc.onicecandidate = event => {
    if (event.candidate && event.candidate.candidate) post('ice', {...event.candidate.toJSON(), viewer_id});
  };
  const reply = await post('answer', {sdp_answer: pc.localDescription.sdp, viewer_id});
  return reply.status == 200 ? connected() : reply.status + ' ' + await reply.text();
})()"""
STATS = """(async () => {
  const found = {};
  (await pc.getStats()).forEach(row => { if (row.type == 'inbound-rtp') found[row.kind] = row; });
  return found;
})()"""
# Of video, ten times a second.
SAMPLES = """(async () => {
  window.samples = [];
  setInterval(async () => (await pc.getStats()).forEach(row => {
    if (row.type == 'inbound-rtp' && row.kind == 'video')
      window.samples.push({...row, at: performance.now() / 1000});
  }), 100);
  return 0;
})()"""
LEAVE_WHEP = "fetch(window.resource, {method: 'DELETE'}).then(reply => { pc.close(); return reply.status; })"
LEAVE_REST = "pc.close(), 200"


def started(daemon, **scenario):
    test = daemon.post("/api/v1/test/create", {**SCENARIO, **scenario})["test_id"]
    daemon.post(f"/api/v1/test/{test}/start")
    while daemon.get(f"/api/v1/test/{test}").get("preparing"):
        time.sleep(0.1)
    return test


@contextlib.contextmanager
def watching(watch=BY_WHEP, **scenario):
    with Daemon() as daemon:
        test = started(daemon, **scenario)
        with Chromium() as browser:
            browser.visit(f"{daemon.url}/healthz")
            state = browser.run(watch.replace("TEST", test))
            check(state == "connected", f"Chromium is {state}")
            yield daemon, test, browser


def viewer_of(daemon, test):
    viewer, = daemon.get(f"/api/v1/test/{test}/participants/1001")["viewers"]
    return viewer


def log_of(daemon, test):
    path = daemon.state_dir() / f"{test}.decisions.1001.{viewer_of(daemon, test)['viewer_id']}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def played(spikes, watch=BY_WHEP, leave=LEAVE_WHEP):
    """What the browser says after some seconds, the decision log, and what the daemon says of the viewer."""
    with watching(watch, spikes=spikes) as (daemon, test, browser):
        time.sleep(SECONDS)
        stats = browser.run(STATS)
        viewer = viewer_of(daemon, test)
        check(browser.run(leave) == 200, "leaving was refused")
        end = time.monotonic() + 5
        while (gone := viewer_of(daemon, test))["state"] != "closed" and time.monotonic() < end:
            time.sleep(0.1)
        check(gone["state"] == "closed", f"it left and is {gone}")
        log = log_of(daemon, test)
        daemon.post(f"/api/v1/test/{test}/stop")
    return stats, log, viewer


def a_whep_player_plays_without_a_loss():
    return plays_without_a_loss(*played([]))


def a_client_of_the_old_exchange_does_too():
    return plays_without_a_loss(*played([], BY_REST, LEAVE_REST))


def plays_without_a_loss(stats, log, viewer):
    video = stats["video"]
    check(video["framesDecoded"] > 0.8 * 30 * SECONDS, f"{video['framesDecoded']} pictures in {SECONDS} s")
    check(video["packetsLost"] == 0 and stats["audio"]["packetsLost"] == 0, f"{video} {stats['audio']}")
    check((video["frameWidth"], video["frameHeight"]) == (320, 180), f"{video['frameWidth']}x{video['frameHeight']}")
    check(viewer["state"] == "connected" and viewer["packets_lost_on_purpose"] == 0, f"{viewer}")
    check(all(e["fate"] == "sent" for e in log), "the log has losses")
    return f"{video['framesDecoded']} pictures, {video['packetsReceived']} packets, {video['freezeCount']} freezes"


def what_a_browser_calls_lost_is_in_the_log_and_comes_again():
    stats, log, viewer = played([{"spike_id": "l", "type": "rtp_packet_loss", "start_offset_seconds": 0,
                                  "duration_seconds": 110, "params": {"loss_percentage": "10"}}])
    told = []
    for kind in ("video", "audio"):
        came, lost = stats[kind]["packetsReceived"], stats[kind]["packetsLost"]
        # as many decisions as packets had been sent when the browser was asked
        fates = [e["fate"] for e in log if e["stream"] == f"1001/{kind}"][:came + lost]
        logged = len(fates) - fates.count("sent")
        check(abs(lost - logged) <= 5 + 0.01 * len(fates), f"{kind}: it says {lost}, the log {logged} of {len(fates)}")
        told.append(f"{kind}: {lost} lost, {logged} of {len(fates)} in the log")
    video, reported, reaction = stats["video"], viewer["reported_by_far_side"], viewer["reaction"]
    again = [e["fate"] for e in log if e["stream"] == "1001/rtx"]
    came_again = video["retransmittedPacketsReceived"]
    check(video["nackCount"] > 0 and reported["nacks"] >= reaction["retransmitted"] > 0, f"{video} {viewer}")
    check(abs(came_again - again.count("sent")) <= 5, f"{came_again} came again, {again.count('sent')} were sent")
    check(again.count("lost") > 0, "chaos spared what was sent again")
    # The first seconds of a stream may have holes that nobody knew to ask for.
    check(video["framesDecoded"] > 0.9 * 30 * SECONDS, f"{video['framesDecoded']} pictures in {SECONDS} s")
    check(video["totalFreezesDuration"] < 0.1 * SECONDS, f"{video['totalFreezesDuration']} s frozen")
    told.append(f"{came_again} came again, {video['framesDecoded']} pictures, {video['freezeCount']} freezes of "
                f"{video['totalFreezesDuration']:.2f} s")
    return "; ".join(told)


def a_blackout_is_a_freeze_that_ends():
    dark = 2
    with watching() as (daemon, test, browser):
        browser.run(SAMPLES)
        time.sleep(4)
        daemon.post(f"/api/v1/test/{test}/spike", {"spike_id": "b", "type": "blackout", "duration_seconds": dark})
        time.sleep(dark + 6)
        samples, viewer = browser.run("window.samples"), viewer_of(daemon, test)
    first, last = samples[0], samples[-1]
    still = longest_stand(samples)
    check(last["freezeCount"] > first["freezeCount"], f"no freeze: {last}")
    frozen = last["totalFreezesDuration"] - first["totalFreezesDuration"]
    check(dark - 0.3 < frozen < dark + 2, f"{frozen:.2f} s frozen in a blackout of {dark} s")
    check(dark - 0.3 < still < dark + 2, f"no picture for {still:.2f} s")
    check(viewer["state"] == "connected" and viewer["reaction"]["feedback_lost_on_purpose"] > 0, f"{viewer}")
    after = [s for s in samples if s["at"] > last["at"] - 3]
    rate = (last["framesDecoded"] - after[0]["framesDecoded"]) / (last["at"] - after[0]["at"])
    check(rate > 25, f"{rate:.0f} pictures a second at the end")
    return (f"frozen {frozen:.2f} s, recovered {still - dark:.2f} s after its end, {last['pliCount']} PLI, "
            f"{viewer['reaction']['key_unit_jumps']} jumps to a keyframe")


def longest_stand(samples):
    """The longest time without a new picture."""
    longest, since = 0, samples[0]
    for sample in samples[1:]:
        if sample["framesDecoded"] != since["framesDecoded"]:
            longest = max(longest, sample["at"] - since["at"])
            since = sample
    return longest


def until_rendition(daemon, test, kbps, seconds):
    begun = time.monotonic()
    while (viewer := viewer_of(daemon, test))["rendition_kbps"] != kbps:
        check(time.monotonic() < begun + seconds, f"after {seconds} s it is still {viewer}")
        time.sleep(0.1)
    return time.monotonic() - begun


def the_bit_rate_follows_what_the_path_carries():
    video = {"width": 320, "height": 180, "fps": 30, "bitrate_kbps": 1000}
    with watching(video=video, renditions=[1000, 250]) as (daemon, test, browser):
        time.sleep(4)
        viewer = viewer_of(daemon, test)
        check(viewer["rendition_kbps"] == 1000 and viewer["reaction"]["rendition_switches"] == 0, f"{viewer}")
        check(viewer["reported_by_far_side"]["transport_feedbacks"] > 10, f"{viewer}")
        daemon.post(f"/api/v1/test/{test}/spike", {"spike_id": "b", "type": "bandwidth_limit", "duration_seconds": 10,
                                                   "params": {"bandwidth_kbps": 500}})
        begun = time.monotonic()
        down = until_rendition(daemon, test, 250, 6)
        time.sleep(max(0, begun + 9.5 - time.monotonic()))
        viewer = viewer_of(daemon, test)
        limit = viewer["reaction"]["estimate_kbps"]
        check(viewer["rendition_kbps"] == 250 and limit < 700, f"{viewer}")
        up = until_rendition(daemon, test, 1000, 40)
    return f"down after {down:.1f} s, {limit:.0f} kbit/s estimated of 500, up {up:.1f} s after the limit"


def until(browser, script, seconds=20):
    end = time.monotonic() + seconds
    while not browser.run(script):
        check(time.monotonic() < end, f"not so: {script}; the page says {browser.run(OF_PAGE + 'of(`status`)')!r}")
        time.sleep(0.1)


OF_PAGE = "var of = id => document.getElementById(id).textContent;"


def plays(browser, daemon, test, participant):
    until(browser, OF_PAGE + f"of('status') == 'Playing {participant} of {test}.'")
    until(browser, OF_PAGE + "Number(of('video-framesDecoded')) > 60 && Number(of('audio-packetsReceived')) > 100")
    check(browser.run(OF_PAGE + "of('video-packetsLost') + of('audio-packetsLost')") == "00", "packets are lost")
    check(browser.run("document.getElementById('video').videoWidth") == 320, "there is no picture")
    viewer, = daemon.get(f"/api/v1/test/{test}/participants/{participant}")["viewers"]
    check(viewer["state"] == "connected", f"{viewer}")
    browser.run("document.getElementById('stop').click(), 0")
    until(browser, OF_PAGE + "of('status') == 'Stopped.'")
    end = time.monotonic() + 5
    while daemon.get(f"/api/v1/test/{test}/participants/{participant}")["viewers"][0]["state"] != "closed":
        check(time.monotonic() < end, "it stopped, and its viewer is still there")
        time.sleep(0.1)


def the_page_plays_who_is_named_in_its_address():
    with Daemon() as daemon, Chromium() as browser:
        test = started(daemon)
        browser.visit(f"{daemon.url}/play?test={test}&id=1001")
        plays(browser, daemon, test, 1001)
        return browser.run(OF_PAGE + "of('video-framesDecoded')") + " pictures"


def the_page_asks_for_the_token_and_lists_whom_to_choose():
    with Daemon(env={"AVCHAOS_TOKEN": "secret"}) as daemon, Chromium() as browser:
        call = daemon.call
        daemon.call = lambda method, path, body=None: call(method, path, body, {"Authorization": "Bearer secret"})
        test = started(daemon, num_participants=2)
        browser.visit(f"{daemon.url}/play")
        until(browser, OF_PAGE + "of('status').startsWith('401 ')")
        browser.run("document.getElementById('token').value = 'secret', document.getElementById('refresh').click(), 0")
        until(browser, "[...document.getElementById('id').options].map(one => one.value).join() == '1001,1002'")
        browser.run("document.getElementById('id').value = '1002', document.getElementById('choice').requestSubmit(), 0")
        plays(browser, daemon, test, 1002)


def why_not():
    if PROGRAM is None:
        return "Chromium is not installed (scripts/install-deps --test)"
    if shutil.which("ip") is None or subprocess.run([*OWN_NETWORK, "true"], capture_output=True).returncode != 0:
        return "this user may not have a network of its own"
    return None


if "--inside" not in sys.argv:
    if reason := why_not():
        print(f"skipped: {reason}")
        raise SystemExit(77)
    inside = 'ip link set lo up && exec "$0" "$1" --inside'
    os.execvp(OWN_NETWORK[0], [*OWN_NETWORK, "sh", "-c", inside, sys.executable, __file__])
main(a_whep_player_plays_without_a_loss, a_client_of_the_old_exchange_does_too,
     what_a_browser_calls_lost_is_in_the_log_and_comes_again, a_blackout_is_a_freeze_that_ends,
     the_page_plays_who_is_named_in_its_address, the_page_asks_for_the_token_and_lists_whom_to_choose, at_once=2,
     alone=[the_bit_rate_follows_what_the_path_carries])
