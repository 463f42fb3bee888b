#!/usr/bin/python3
"""A viewer that knows nothing of the product: aiortc, on loopback only. Signals by the old REST exchange or by WHEP, plays
for some seconds, and prints what came as one JSON object.

    rtc_viewer.py rest|whep DAEMON-URL TEST PARTICIPANT SECONDS
"""
import asyncio
import json
import sys
import time
import urllib.request

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc import rtcrtpreceiver

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # aioice leaves loopback out

SEQUENCES = {}  # by SSRC, of RTP packets as they come out of SRTP, in order of arrival
EXTENSIONS = {}


def record(packet):
    SEQUENCES.setdefault(packet.ssrc, []).append(packet.sequence_number)


_handle = rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet


async def _recorded(self, packet, arrival_time_ms):
    record(packet)
    await _handle(self, packet, arrival_time_ms)


rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet = _recorded


def call(method, url, body, content_type):
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=15) as answer:
        return answer.read().decode(), dict(answer.headers)


async def in_thread(*args):
    return await asyncio.get_running_loop().run_in_executor(None, call, *args)


async def by_rest(peer, base, test, participant):
    text, _ = await in_thread("GET", f"{base}/api/v1/test/{test}/sdp/{participant}", None, "application/json")
    offer = json.loads(text)
    await peer.setRemoteDescription(RTCSessionDescription(sdp=offer["sdp_offer"], type="offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    body = json.dumps({"sdp_answer": peer.localDescription.sdp, "viewer_id": offer["viewer_id"]}).encode()
    text, _ = await in_thread("POST", f"{base}/api/v1/test/{test}/answer/{participant}", body, "application/json")
    return {"offer": offer, "answer_reply": json.loads(text), "viewer_id": offer["viewer_id"]}


async def by_whep(peer, base, test, participant):
    peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    text, headers = await in_thread("POST", f"{base}/whep/{test}/{participant}", peer.localDescription.sdp.encode(),
                                    "application/sdp")
    await peer.setRemoteDescription(RTCSessionDescription(sdp=text, type="answer"))
    return {"answer": text, "location": headers["Location"], "viewer_id": headers["Location"].rpartition("/")[2]}


async def play(way, base, test, participant, seconds):
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    frames, sizes, begun = {"video": 0, "audio": 0}, set(), time.monotonic()
    result = {"connected_after": None, "first_picture_after": None}

    async def consume(track):
        try:
            while True:
                frame = await track.recv()
                frames[track.kind] += 1
                if track.kind == "video":
                    sizes.add((frame.width, frame.height))
                    result["first_picture_after"] = result["first_picture_after"] or time.monotonic() - begun
        except Exception:  # the track ends with the connection
            pass

    @peer.on("track")
    def _(track):
        asyncio.ensure_future(consume(track))

    @peer.on("connectionstatechange")
    async def _():
        if peer.connectionState == "connected":
            result["connected_after"] = time.monotonic() - begun

    result |= await {"rest": by_rest, "whep": by_whep}[way](peer, base, test, participant)
    await asyncio.sleep(seconds)
    stats = [s for s in (await peer.getStats()).values() if s.type == "inbound-rtp"]
    result |= {"frames": dict(frames), "sizes": sorted(sizes), "state": peer.connectionState,
               "lost": {s.kind: s.packetsLost for s in stats}, "received": {s.kind: s.packetsReceived for s in stats},
               "sequences": dict(SEQUENCES)}
    await peer.close()
    return result


async def main():
    way, base, test, participant, seconds = sys.argv[1:]
    print(json.dumps(await asyncio.wait_for(play(way, base, test, participant, float(seconds)), float(seconds) + 30)))


asyncio.run(main())
