#!/usr/bin/python3
"""A WHIP endpoint that knows nothing of the product: aiortc, on loopback only. Prints its URL, then serves until it is ended.

    whip_endpoint.py TOKEN [BUSY]

POST /whip/ROOM/ID is answered with 503 for the first BUSY times, then with a session; GET / tells of all sessions.
"""
import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc import rtcrtpreceiver

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # aioice leaves loopback out

TOKEN, BUSY = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
SEQUENCES = {}  # by SSRC, of RTP packets as they come out of SRTP, in order of arrival
SESSIONS = {}  # by ID
REFUSED = {}  # how often, by ID
LOOP = asyncio.new_event_loop()

_handle = rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet


async def _recorded(self, packet, arrival_time_ms):
    SEQUENCES.setdefault(packet.ssrc, []).append(packet.sequence_number)
    await _handle(self, packet, arrival_time_ms)


rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet = _recorded


async def consume(track, frames):
    try:
        while True:
            await track.recv()
            frames[track.kind] += 1
    except Exception:  # the track ends with the connection
        pass


async def create(name, offer):
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    frames = {"video": 0, "audio": 0}
    SESSIONS[name] = {"peer": peer, "frames": frames, "deleted": False}
    peer.on("track", lambda track: asyncio.ensure_future(consume(track, frames)))
    await peer.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    return peer.localDescription.sdp


def told():
    return {"sequences": SEQUENCES, "refused": REFUSED,
            "sessions": {name: {"state": one["peer"].connectionState, "frames": one["frames"],
                                "deleted": one["deleted"]} for name, one in SESSIONS.items()}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body="", content_type="text/plain", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def welcome(self):
        return self.headers["Authorization"] == f"Bearer {TOKEN}"

    def do_GET(self):
        self.reply(200, json.dumps(told()), "application/json")

    def do_POST(self):
        offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
        name = self.path.rpartition("/")[2]
        if not self.welcome():
            return self.reply(401, "wrong token")
        if REFUSED.setdefault(name, 0) < BUSY:
            REFUSED[name] += 1
            return self.reply(503, "busy", Retry_After="0")
        answer = asyncio.run_coroutine_threadsafe(create(name, offer), LOOP).result(20)
        self.reply(201, answer, "application/sdp", Location=f"../../session/{name}", ETag='"1"')

    def do_DELETE(self):
        session = SESSIONS.get(self.path.rpartition("/")[2])
        if session is None or not self.welcome() or not self.path.startswith("/session/"):
            return self.reply(404)
        session["deleted"] = True
        asyncio.run_coroutine_threadsafe(session["peer"].close(), LOOP).result(20)
        self.reply(200)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
LOOP.run_forever()
