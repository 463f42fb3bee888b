#!/usr/bin/python3
"""What webrtcbin costs by itself: publishes a file so many times by WHIP, with nothing of ours. Loopback only.

    webrtc_plain.py COUNT URL FILE.mkv

Prints "ready", begins when it is told to by a line, prints "connected" when all are, and ends when its input does.
"""
import ctypes
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

Gst.init(None)
GOBJECT = ctypes.CDLL("libgobject-2.0.so.0")
COUNT, URL, FILE = int(sys.argv[1]), sys.argv[2], sys.argv[3]
PIPELINE = (f"webrtcbin name=w bundle-policy=max-bundle latency=0 filesrc location={FILE} ! matroskademux name=d "
            "d.video_0 ! queue ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au "
            "! identity sync=true ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96 mtu=1200 "
            "! application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000 ! queue ! w. "
            "d.audio_0 ! queue ! opusparse ! identity sync=true ! rtpopuspay pt=111 "
            "! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! queue ! w. ")


class Sender:
    def __init__(self, number):
        self.number, self.offered, self.connected = number, threading.Event(), threading.Event()
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.webrtc = self.pipeline.get_by_name("w")
        ice = self.webrtc.get_property("ice-agent")  # webrtcbin's reference to it is a floating one, which this takes
        GOBJECT.g_object_ref(ctypes.c_void_p(hash(ice)))
        agent = ice.get_property("agent")
        agent.set_property("upnp", False)
        agent.set_property("ice-tcp", False)
        ice.emit("add-local-ip-address", "127.0.0.1")
        self.webrtc.connect("on-negotiation-needed", self.negotiate)
        self.webrtc.connect("notify::ice-gathering-state", self.gathered)
        self.webrtc.connect("notify::connection-state", self.changed)

    def negotiate(self, webrtc):
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.take_offer))

    def take_offer(self, promise, *_):
        reply = promise.get_reply()
        self.webrtc.emit("set-local-description", reply["offer"], Gst.Promise.new())

    def gathered(self, webrtc, _):
        if webrtc.get_property("ice-gathering-state").value_nick == "complete":
            self.offered.set()

    def changed(self, webrtc, _):
        if webrtc.get_property("connection-state").value_nick == "connected":
            self.connected.set()

    def publish(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        self.offered.wait(2)  # webrtcbin does not always tell
        offer = self.webrtc.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(f"{URL}/whip/plain/{self.number}", offer.encode(),
                                         {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            _, sdp = GstSdp.SDPMessage.new_from_text(reply.read().decode())
        promise = Gst.Promise.new()
        self.webrtc.emit("set-remote-description",
                         GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp), promise)
        promise.wait()


def publish_all():
    senders = [Sender(number) for number in range(COUNT)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(Sender.publish, senders))
    assert all(one.connected.wait(30) for one in senders), "no connection"
    return senders


print("ready", flush=True)
sys.stdin.readline()
senders = publish_all()
print("connected", flush=True)
sys.stdin.read()
