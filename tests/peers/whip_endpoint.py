#!/usr/bin/python3
"""A WHIP endpoint that knows nothing of the product: aiortc, on loopback only. Prints its URL, then serves until it is ended.

    whip_endpoint.py TOKEN [BUSY [TROUBLES]]

POST /whip/ROOM/ID is answered with 503 for the first BUSY times, then with a session; GET / tells of all sessions.
TROUBLES is a JSON object of what goes wrong with some IDs (the three tables below, and do_POST()).
"""
import asyncio
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc import rtcrtpreceiver

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]  # aioice leaves loopback out

TOKEN, BUSY = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
TROUBLES = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
SOON = 3  # seconds that a connection lasts which is to be lost
SEQUENCES = {}  # by SSRC, of RTP packets as they come out of SRTP, in order of arrival
OVERLAPS = []  # sessions that began while another of their ID had not been deleted
OWNERS = {}  # the session that a receiver belongs to
SESSIONS = {}  # by ID; those after the first by ID.2, ID.3, ...
REFUSED = {}  # how often, by ID
LOOP = asyncio.new_event_loop()

_handle = rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet


async def _recorded(self, packet, arrival_time_ms):
    for numbers in (SEQUENCES, OWNERS[id(self)]["sequences"]):
        numbers.setdefault(packet.ssrc, []).append(packet.sequence_number)
    await _handle(self, packet, arrival_time_ms)


rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet = _recorded


async def consume(track, frames):
    try:
        while True:
            await track.recv()
            frames[track.kind] += 1
    except Exception:  # the track ends with the connection
        pass


def dtls_of(peer):
    return peer.getTransceivers()[0].receiver.transport


async def connected(peer):
    while peer.connectionState != "connected":
        await asyncio.sleep(0.05)
    await asyncio.sleep(SOON)


async def vanishes(peer):
    """Its sockets are gone, without a word."""
    await connected(peer)
    await dtls_of(peer).transport.stop()


async def closes(peer):
    await connected(peer)
    await peer.close()


async def nothing(parameters):
    pass


async def no_dtls(peer):
    dtls_of(peer).start = nothing


async def no_ice(peer):
    dtls_of(peer).transport.start = dtls_of(peer).start = nothing


async def dtls_alert(peer):
    dtls = dtls_of(peer)

    async def say_hello_then_break_off(parameters):
        dtls.ssl.set_connect_state()
        try:
            dtls.ssl.do_handshake()
        except Exception:  # it wants to read
            pass
        await dtls._write_ssl()
        await dtls.transport._recv()
        # RFC 6347 section 4.1: an alert (21), DTLS 1.2, epoch 0, record 9, two bytes: fatal, handshake_failure
        await dtls.transport._send(bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40]))
    dtls.start = say_hello_then_break_off


def no_candidates(sdp):
    return "".join(line + "\r\n" for line in sdp.split("\r\n")[:-1] if not line.startswith("a=candidate"))


def nobody_there(sdp):
    return re.sub(r"127\.0\.0\.1 \d+ typ", "127.0.0.1 9 typ", sdp)


def bad_answer(_):
    return "v=0\r\nthis is no session description\r\n"


BEFORE_ANSWER = {"no_dtls": no_dtls, "dtls_alert": dtls_alert, "dead_candidates": no_ice}
ANSWERS = {"bad_answer": bad_answer, "no_candidates": no_candidates, "dead_candidates": nobody_there}
LATER = {"vanishes": vanishes, "closes": closes}


def note_keys(session):
    """What the keys of SRTP are made of (RFC 5764 section 4.2)."""
    if session["peer"].connectionState == "connected":
        session["keys"] = dtls_of(session["peer"]).ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 60).hex()


async def create(name, offer):
    trouble = TROUBLES.get(name)
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    frames = {"video": 0, "audio": 0}
    number = 1 + sum(1 for other in SESSIONS if other.partition(".")[0] == name)
    if any(not one["deleted"] for other, one in SESSIONS.items() if other.partition(".")[0] == name):
        OVERLAPS.append(name)
    key = name if number == 1 else f"{name}.{number}"
    SESSIONS[key] = {"peer": peer, "frames": frames, "deleted": False, "sequences": {},
                     "ufrag": re.search(r"a=ice-ufrag:(\S+)", offer)[1], "keys": None}
    peer.on("track", lambda track: asyncio.ensure_future(consume(track, frames)))
    await peer.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
    for transceiver in peer.getTransceivers():
        OWNERS[id(transceiver.receiver)] = SESSIONS[key]
    peer.on("connectionstatechange", lambda: note_keys(SESSIONS[key]))
    if trouble in BEFORE_ANSWER:
        await BEFORE_ANSWER[trouble](peer)
    await peer.setLocalDescription(await peer.createAnswer())
    if trouble in LATER and number == 1:  # the next one stays
        asyncio.ensure_future(LATER[trouble](peer))
    return key, ANSWERS.get(trouble, str)(peer.localDescription.sdp)


def told():
    return {"sequences": SEQUENCES, "refused": REFUSED, "overlaps": len(OVERLAPS),
            "sessions": {name: {"state": one["peer"].connectionState, "frames": one["frames"],
                                **{key: one[key] for key in ("deleted", "sequences", "ufrag", "keys")}} for name, one in SESSIONS.items()}}


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
        if TROUBLES.get(name) == "hangs_up":
            self.close_connection = True
            return None
        if TROUBLES.get(name) == "forbidden":
            return self.reply(403, json.dumps({"title": "Forbidden", "detail": "not in this room"}),
                              "application/problem+json")
        if REFUSED.setdefault(name, 0) < (1000 if TROUBLES.get(name) == "always_busy" else BUSY):
            REFUSED[name] += 1
            return self.reply(503, "busy", Retry_After="0")
        key, answer = asyncio.run_coroutine_threadsafe(create(name, offer), LOOP).result(20)
        self.reply(201, answer, "application/sdp", Location=f"../../session/{key}", ETag='"1"')
        return None

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
