#!/usr/bin/env python3
"""Chromium plays a participant over WHEP and by the old exchange: the picture decodes, nothing is lost without chaos, and what it calls lost
with chaos agrees with the decision log. In a network of its own that has nothing but loopback."""
import json
import os
import shutil
import subprocess
import sys
import time

from bed import Daemon, check, main
from chromium import PROGRAM, Chromium

SECONDS = 10
VIDEO, AUDIO = 1001000, 1001001
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
LEAVE_WHEP = "fetch(window.resource, {method: 'DELETE'}).then(reply => { pc.close(); return reply.status; })"
LEAVE_REST = "pc.close(), 200"


def played(spikes, watch=BY_WHEP, leave=LEAVE_WHEP):
    """What the browser says after some seconds, the decision log, and what the daemon says of the viewer."""
    with Daemon() as daemon:
        test = daemon.post("/api/v1/test/create", {**SCENARIO, "spikes": spikes})["test_id"]
        daemon.post(f"/api/v1/test/{test}/start")
        while daemon.get(f"/api/v1/test/{test}").get("preparing"):
            time.sleep(0.1)
        with Chromium() as browser:
            browser.visit(f"{daemon.url}/healthz")
            state = browser.run(watch.replace("TEST", test))
            check(state == "connected", f"Chromium is {state}")
            time.sleep(SECONDS)
            stats = browser.run(STATS)
            viewer, = daemon.get(f"/api/v1/test/{test}/participants/1001")["viewers"]
            check(browser.run(leave) == 200, "leaving was refused")
            end = time.monotonic() + 5
            while True:
                gone, = daemon.get(f"/api/v1/test/{test}/participants/1001")["viewers"]
                if gone["state"] == "closed" or time.monotonic() > end:
                    break
                time.sleep(0.1)
            check(gone["state"] == "closed", f"it left and is {gone}")
        log = (daemon.state_dir() / f"{test}.decisions.1001.{viewer['viewer_id']}.jsonl").read_text().splitlines()
        daemon.post(f"/api/v1/test/{test}/stop")
    return stats, [json.loads(line) for line in log], viewer


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


def what_a_browser_calls_lost_is_in_the_log():
    stats, log, _ = played([{"spike_id": "l", "type": "rtp_packet_loss", "start_offset_seconds": 0,
                             "duration_seconds": 110, "params": {"loss_percentage": "10"}}])
    told = []
    for kind, ssrc in (("video", VIDEO), ("audio", AUDIO)):
        came, lost = stats[kind]["packetsReceived"], stats[kind]["packetsLost"]
        # as many decisions as packets had been sent when the browser was asked
        fates = [e["fate"] for e in log if e["ssrc"] == ssrc and e["stream"].partition("/")[2] in ("video", "audio")][:came + lost]
        logged = len(fates) - fates.count("sent")
        check(abs(lost - logged) <= 5 + 0.01 * len(fates), f"{kind}: it says {lost}, the log {logged} of {len(fates)}")
        told.append(f"{kind}: {lost} lost, {logged} of {len(fates)} in the log")
    check(stats["video"]["framesDecoded"] > 0, "no picture at all")
    return "; ".join(told) + f"; {stats['video']['framesDecoded']} pictures"


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
main(a_whep_player_plays_without_a_loss, a_client_of_the_old_exchange_does_too, what_a_browser_calls_lost_is_in_the_log)
