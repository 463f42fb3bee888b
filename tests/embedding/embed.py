#!/usr/bin/python3
"""Loss that follows a curve: a GstController moves chaosdegrader's loss-percent from 0 to 40 % and back within a minute
of media, then a spike takes everything for two seconds. Nothing is live, so the minute takes about a second.
Ends with 0 when the losses were where they should be."""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstController", "1.0")
from gi.repository import GObject, Gst, GstController  # noqa: E402

SECONDS, PER_SECOND, STEP = 72, 100, 6  # of media; packets a second; seconds a line below

Gst.init(None)
pipeline = Gst.parse_launch(
    f"audiotestsrc num-buffers={SECONDS * PER_SECOND} samplesperbuffer=80 ! audio/x-raw,rate=8000,channels=1"
    " ! mulawenc ! rtppcmupay min-ptime=10000000 max-ptime=10000000"
    " ! spikescheduler name=spikes ! chaosdegrader name=link seed=7 ! fakesink name=sink")
link = pipeline.get_by_name("link")
spikes = pipeline.get_by_name("spikes")

# The curve: points of stream time in ns and percent, straight lines between them. new_absolute takes the property's
# own unit; the plain constructor would take 0..1 of its range.
curve = GstController.InterpolationControlSource()
curve.set_property("mode", GstController.InterpolationMode.LINEAR)
for second, percent in ((0, 0.0), (30, 40.0), (60, 0.0)):
    curve.set(second * Gst.SECOND, percent)
link.add_control_binding(GstController.DirectControlBinding.new_absolute(link, "loss-percent", curve))


def inject(name, spike_type, start, duration, **params):
    """A spike for later. True if it was accepted; if not, a bus message says why. Times are running time in ns, and a
    bare Python int would become a C int, which ends at 2.1 s."""
    spike, values = Gst.Structure.new_empty("spike"), Gst.Structure.new_empty("params")
    for key, value in params.items():
        values.set_value(key, value)
    spike.set_value("spike-id", name)
    spike.set_value("type", spike_type)
    spike.set_value("start", GObject.Value(GObject.TYPE_UINT64, start * Gst.SECOND))
    spike.set_value("duration", GObject.Value(GObject.TYPE_UINT64, duration * Gst.SECOND))
    spike.set_value("params", values)
    return spikes.emit("inject-spike", spike)


# Counting is done by pad probes, on the streaming thread: short work only.
count = {"sink": {}, "src": {}}


def passes(pad, info, side):
    step = info.get_buffer().pts // (STEP * Gst.SECOND)
    count[side][step] = count[side].get(step, 0) + 1
    return Gst.PadProbeReturn.OK


for side in count:
    link.get_static_pad(side).add_probe(Gst.PadProbeType.BUFFER, passes, side)

# Spikes are taken from PAUSED on.
pipeline.set_state(Gst.State.PAUSED)
pipeline.get_state(Gst.CLOCK_TIME_NONE)
if not inject("total", "rtp_packet_loss", 68, 2, loss_percent=100.0):
    sys.exit("the spike was refused")
if not inject("never", "rtp_packet_loss", 62, 2, loss_percent=100.0) or not spikes.emit("cancel-spike", "never"):
    sys.exit("a planned spike could not be cancelled")
pipeline.set_state(Gst.State.PLAYING)

bus = pipeline.get_bus()
while True:
    message = bus.timed_pop(Gst.CLOCK_TIME_NONE)
    structure = message.get_structure()
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    if message.type == Gst.MessageType.WARNING:
        print("warning:", message.parse_warning()[0].message)
    if structure and structure.get_name() == "avchaos-spike":
        print("spike", structure.get_value("spike-id"), structure.get_value("state"),
              "at", structure.get_value("running-time") / Gst.SECOND, "s")
    if message.type == Gst.MessageType.EOS:
        break
pipeline.set_state(Gst.State.NULL)


def expected(step):
    """Mean of the curve over a step, in percent, and the spike's share: 2 of the last 6 seconds."""
    middle = (step + 0.5) * STEP
    return 40 - abs(middle - 30) * 40 / 30 if middle < 60 else 100 / 3 if step == 11 else 0


worst = 0
for step, came in sorted(count["sink"].items()):
    lost = 100 * (1 - count["src"].get(step, 0) / came)
    print(f"{step * STEP:3} s  asked {expected(step):5.1f} %  lost {lost:5.1f} %  {'#' * round(lost)}")
    worst = max(worst, abs(lost - expected(step)))
sys.exit(0 if len(count["sink"]) == SECONDS // STEP and worst < 8 else 1)  # four sigma of 600 packets at 40 %
