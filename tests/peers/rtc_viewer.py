#!/usr/bin/python3
"""A viewer that knows nothing of the product: aiortc, on loopback only. Signals by the old REST exchange or by WHEP, plays
for some seconds, and prints what came as one JSON object. What it does meanwhile is a JSON list:

    rtc_viewer.py rest|whep DAEMON-URL TEST PARTICIPANT SECONDS [DEEDS]

    [3, "pli"]: three seconds after its connection, [3, "remb", BITS_PER_SECOND];
    ["pretend"]: its description names a certificate that it does not have
"""
import asyncio
import json
import re
import sys
import time
import urllib.request

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc import rtcrtpreceiver
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # aioice leaves loopback out

SEQUENCES = {}  # by SSRC, of RTP packets as they come out of SRTP, in order of arrival
ARRIVALS = {}  # likewise, [time, bytes of payload]
KEYFRAMES = []  # time of each one's first packet, whose parameter sets begin it
DONE = []  # time of each deed


def record(packet):
    now = time.monotonic()
    SEQUENCES.setdefault(packet.ssrc, []).append(packet.sequence_number)
    ARRIVALS.setdefault(packet.ssrc, []).append([now, len(packet.payload)])
    kind = packet.payload[0] & 31 if packet.payload else 0
    if kind == 7 or kind == 24 and packet.payload[3] & 31 == 7:  # alone, or first of an aggregate
        KEYFRAMES.append(now)


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


def named(description, deeds):
    """Its own, with another's certificate if it is to pretend."""
    if ["pretend"] not in deeds:
        return description.sdp
    return re.sub(r"(a=fingerprint:\S+ )..", r"\g<1>00", description.sdp)


async def do(peer, deeds):
    receiver, = [r for r in peer.getReceivers() if r.track.kind == "video"]
    begun = time.monotonic()
    for deed in deeds:
        if deed == ["pretend"]:
            continue
        after, what, *values = deed
        await asyncio.sleep(begun + after - time.monotonic())
        ssrc, = [s for s in SEQUENCES if s % 1000 == 0]
        if what == "pli":
            await receiver._send_rtcp_pli(ssrc)
        elif what == "remb":
            await receiver._send_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, media_ssrc=0, fci=pack_remb_fci(values[0], [ssrc]),
                                                     ssrc=receiver._RTCRtpReceiver__rtcp_ssrc))
        DONE.append(time.monotonic())


async def by_rest(peer, base, test, participant, deeds):
    text, _ = await in_thread("GET", f"{base}/api/v1/test/{test}/sdp/{participant}", None, "application/json")
    offer = json.loads(text)
    await peer.setRemoteDescription(RTCSessionDescription(sdp=offer["sdp_offer"], type="offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    body = json.dumps({"sdp_answer": named(peer.localDescription, deeds), "viewer_id": offer["viewer_id"]}).encode()
    text, _ = await in_thread("POST", f"{base}/api/v1/test/{test}/answer/{participant}", body, "application/json")
    return {"offer": offer, "answer_reply": json.loads(text), "viewer_id": offer["viewer_id"]}


async def by_whep(peer, base, test, participant, deeds):
    peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    text, headers = await in_thread("POST", f"{base}/whep/{test}/{participant}",
                                    named(peer.localDescription, deeds).encode(),
                                    "application/sdp")
    await peer.setRemoteDescription(RTCSessionDescription(sdp=text, type="answer"))
    return {"answer": text, "location": headers["Location"], "viewer_id": headers["Location"].rpartition("/")[2]}


async def play(way, base, test, participant, seconds, deeds):
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    frames, sizes, begun = {"video": 0, "audio": 0}, set(), time.monotonic()
    result = {"connected_after": None, "first_picture_after": None}
    acting = []

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
            acting.append(asyncio.ensure_future(do(peer, deeds)))

    result |= await {"rest": by_rest, "whep": by_whep}[way](peer, base, test, participant, deeds)
    await asyncio.sleep(seconds)
    for task in acting:
        if task.done():
            task.result()  # what went wrong is told
        else:
            task.cancel()
    stats = [s for s in (await peer.getStats()).values() if s.type == "inbound-rtp"]
    result |= {"frames": dict(frames), "sizes": sorted(sizes), "state": peer.connectionState,
               "lost": {s.kind: s.packetsLost for s in stats}, "received": {s.kind: s.packetsReceived for s in stats},
               "sequences": dict(SEQUENCES), "arrivals": dict(ARRIVALS), "keyframes": KEYFRAMES, "done": DONE}
    await peer.close()
    return result


async def main():
    way, base, test, participant, seconds, *deeds = sys.argv[1:]
    playing = play(way, base, test, participant, float(seconds), json.loads(deeds[0]) if deeds else [])
    print(json.dumps(await asyncio.wait_for(playing, float(seconds) + 30)))


asyncio.run(main())
