#!/usr/bin/python3
"""A WHIP endpoint made of GStreamer's own webrtcbin, for many publications at once: it counts packets and decodes nothing.
Loopback only. Prints its URL, then serves until it is ended. GET /going tells what those that are there have received,
GET /ended what those that have left had; DELETE /ended forgets that.
"""
import ctypes
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
LOCK = threading.Lock()
SESSIONS, ENDED = {}, []  # by number; what those that are over have received
NUMBERS = iter(range(1, 1 << 30))
GOBJECT = ctypes.CDLL("libgobject-2.0.so.0")


def asked(webrtc, action, argument):
    promise = Gst.Promise.new()
    webrtc.emit(action, argument, promise)
    promise.wait()
    return promise.get_reply()


def on_loopback(webrtc):
    """webrtcbin's only reference to its ICE agent is a floating one, which Python's wrapper takes over: one in its stead."""
    ice = webrtc.get_property("ice-agent")
    GOBJECT.g_object_ref(ctypes.c_void_p(hash(ice)))
    agent = ice.get_property("agent")
    agent.set_property("upnp", False)
    agent.set_property("ice-tcp", False)
    ice.emit("add-local-ip-address", "127.0.0.1")


class Session:
    def __init__(self, offer):
        self.lock = threading.Lock()  # of its end
        self.pipeline = Gst.Pipeline()
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.webrtc.set_property("latency", 50)
        on_loopback(self.webrtc)
        self.pipeline.add(self.webrtc)
        self.watch = self.webrtc.connect("pad-added", self.swallow)
        self.pipeline.set_state(Gst.State.PLAYING)
        _, sdp = GstSdp.SDPMessage.new_from_text(offer)
        asked(self.webrtc, "set-remote-description",
              GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, sdp))
        reply = asked(self.webrtc, "create-answer", None)
        asked(self.webrtc, "set-local-description", reply["answer"])
        end = time.monotonic() + 2
        while self.webrtc.get_property("ice-gathering-state").value_nick != "complete" and time.monotonic() < end:
            time.sleep(0.005)
        self.answer = self.webrtc.get_property("local-description").sdp.as_text()

    def swallow(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("async", False)
        sink.set_property("sync", False)
        self.pipeline.add(sink)
        pad.link(sink.get_static_pad("sink"))
        sink.sync_state_with_parent()

    def told(self):
        with self.lock:
            return self.figures() if self.webrtc else None

    def figures(self):
        stats, streams = asked(self.webrtc, "get-stats", None), {}
        for i in range(stats.n_fields()):
            name = stats.nth_field_name(i)
            if name.startswith("rtp-inbound-stream-stats"):
                one = stats.get_value(name)
                streams[str(one.get_value("ssrc"))] = {"received": one.get_value("packets-received"),
                                                       "lost": one.get_value("packets-lost"),
                                                       "bytes": one.get_value("bytes-received")}
        return {"state": self.webrtc.get_property("connection-state").value_nick, "streams": streams}

    def end(self):
        """What it had. Nothing may refer to anything: a cycle through a signal's closure is never collected."""
        with self.lock:
            last = self.figures()
            self.webrtc.disconnect(self.watch)
            self.pipeline.set_state(Gst.State.NULL)
            self.pipeline = self.webrtc = None
            return last


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body="", content_type="text/plain", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Type": content_type, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_OPTIONS(self):
        self.reply(204)

    def do_GET(self):
        with LOCK:
            going, told = list(SESSIONS.values()), list(ENDED)
        if self.path == "/going":
            told = [one for one in (session.told() for session in going) if one]
        self.reply(200, json.dumps(told), "application/json")

    def do_POST(self):
        session = Session(self.rfile.read(int(self.headers["Content-Length"])).decode())
        number = next(NUMBERS)
        with LOCK:
            SESSIONS[number] = session
        self.reply(201, session.answer, "application/sdp", Location=f"/session/{number}", ETag='"1"')

    def do_DELETE(self):
        if self.path == "/ended":
            with LOCK:
                ENDED.clear()
            return self.reply(204)
        with LOCK:
            session = SESSIONS.pop(int(self.path.rpartition("/")[2]), None)
        if session is None:
            return self.reply(404)
        last = session.end()
        with LOCK:
            ENDED.append(last)
        return self.reply(200)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.request_queue_size = 256
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
