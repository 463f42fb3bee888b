#!/usr/bin/python3
"""Somebody who watches everybody in the room: aiortc, which decodes nothing here. Prints what came in SECONDS, once all
streams have begun, as one JSON object: by SSRC, the sequence numbers in order of arrival.

    janus_subscriber.py SECONDS FEED...
"""
import asyncio
import json
import sys

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc import rtcrtpreceiver

from janus_bed import ADDRESS, ROOM, Session

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [ADDRESS]

SECONDS, FEEDS = float(sys.argv[1]), [int(feed) for feed in sys.argv[2:]]
SEQUENCES, PAYLOAD_TYPES = {}, {}


async def record(self, packet, arrival_time_ms):
    SEQUENCES.setdefault(packet.ssrc, []).append(packet.sequence_number)
    PAYLOAD_TYPES[packet.ssrc] = packet.payload_type


rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet = record


async def main():
    session = Session()
    _, offer = session.room("join", ptype="subscriber", room=ROOM, streams=[{"feed": feed} for feed in FEEDS])
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    await peer.setRemoteDescription(RTCSessionDescription(sdp=offer["sdp"], type="offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    answer = {"type": "answer", "sdp": peer.localDescription.sdp}
    await asyncio.get_running_loop().run_in_executor(None, lambda: session.room("start", answer))
    for _ in range(300):
        if len(SEQUENCES) == 2 * len(FEEDS):
            break
        await asyncio.sleep(0.1)
    began = {ssrc: len(numbers) for ssrc, numbers in SEQUENCES.items()}
    await asyncio.sleep(SECONDS)
    kinds = {line.split(":")[1].split()[0]: line.split()[1].split("/")[0]
             for line in offer["sdp"].splitlines() if line.startswith("a=rtpmap:")}
    print(json.dumps({"state": peer.connectionState,
                      "streams": [{"codec": kinds[str(PAYLOAD_TYPES[ssrc])], "numbers": numbers[began.get(ssrc, 0):]}
                                  for ssrc, numbers in SEQUENCES.items()]}))
    await peer.close()


asyncio.run(main())
