#!/usr/bin/python3
"""A program of your own with chaos in its pipeline: it injects a spike when it likes, and reacts to what is measured.
Ends with 0 when the loss was seen and was gone afterwards. docs/embedding.md explains it."""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

Gst.init(None)
pipeline = Gst.parse_launch(
    "avchaossrc name=s participant-id=7 seed=42 width=320 height=180 fps=15 s.rtp ! participanttagger participant-id=7"
    " ! spikescheduler name=chaos ! chaosdegrader ! rtpqualityprobe interval-ms=500 ! fakesink async=false sync=false")
loop = GLib.MainLoop()
state = {"phase": "before", "worst": 0.0, "quiet": 0, "exit": 1}


def inject():
    spike = Gst.Structure.new_empty("spike")
    spike.set_value("spike-id", "storm")
    spike.set_value("type", "rtp_packet_loss")
    spike.set_value("duration", 2 * Gst.SECOND)
    params = Gst.Structure.new_empty("params")
    params.set_value("loss_percent", 50.0)
    spike.set_value("params", params)
    if not pipeline.get_by_name("chaos").emit("inject-spike", spike):
        sys.exit("the spike was refused")


def measured(streams):
    """The figures of the last half second: the loss of all streams together, in percent."""
    lost = sum(stream.get_value("packets-lost") for stream in streams)
    expected = sum(stream.get_value("packets-expected") for stream in streams)
    if not expected:
        return
    loss = 100 * lost / expected
    print(f"{state['phase']}: loss {loss:.1f} %")
    if state["phase"] == "before" and not state["quiet"]:
        state["quiet"] = 1
        inject()
    elif state["phase"] == "during":
        state["worst"] = max(state["worst"], loss)
    elif state["phase"] == "after":
        state["quiet"] += 1
        if state["quiet"] == 4:
            state["exit"] = 0 if state["worst"] > 25 and loss == 0 else 1
            loop.quit()


def message(bus, told):
    if told.type == Gst.MessageType.ERROR:
        print(told.parse_error()[0].message, file=sys.stderr)
        loop.quit()
    elif told.type == Gst.MessageType.ELEMENT:
        structure = told.get_structure()
        if structure.get_name() == "avchaos-spike":
            print("spike", structure.get_value("spike-id"), structure.get_value("state"))
            state["phase"] = {"started": "during", "ended": "after"}.get(structure.get_value("state"), "refused")
        elif structure.get_name() == "rtpqualityprobe":
            measured(structure.get_value("streams"))


bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", message)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
sys.exit(state["exit"])
