"""What a probe saw (probe.cpp has the format), and the figures made of it: the same for the kernel's side and ours."""
import array
import collections
import dataclasses
import math
import struct

HEADER = struct.Struct("<4s4I")
NO_BIT = 0xFFFFFFFF
POINTS = (1, 5, 10, 25, 50, 75, 90, 95, 99)  # percent, of every table of quantiles
BLOCKS = 40  # a standard error comes from the spread of so many parts
SAME_BATCH_MS = 1.0


@dataclasses.dataclass
class Run:
    sent: array.array  # ns, by packet
    at: list  # ns, one for each arrival, in their order
    packet: list
    bit: list  # NO_BIT: arrived as it was sent
    bytes: int


def read(data):
    magic, version, packets, arrivals, size = HEADER.unpack_from(data)
    if magic != b"AVCP" or version != 1:
        raise ValueError("not a probe's record")
    sent = array.array("Q", data[HEADER.size:HEADER.size + 8 * packets])
    start = HEADER.size + 8 * packets
    words = array.array("I", data[start:start + 16 * arrivals])
    if len(sent) != packets or len(words) != 4 * arrivals:
        raise ValueError("the probe's record is cut off")
    times = array.array("Q", words.tobytes())
    return Run(sent, times[0::2].tolist(), words[2::4].tolist(), words[3::4].tolist(), size)


def quantiles(values):
    ordered = sorted(values)
    return [round(ordered[min(len(ordered) - 1, len(ordered) * point // 100)], 4) for point in POINTS]


def block_error(values):
    """Standard error of the mean, from the means of blocks: holds for correlated values, too."""
    size = len(values) // BLOCKS
    means = [sum(values[i * size:(i + 1) * size]) / size for i in range(BLOCKS)]
    middle = sum(means) / BLOCKS
    return math.sqrt(sum((m - middle) ** 2 for m in means) / (BLOCKS - 1) / BLOCKS)


def correlation(values):
    """Of each value with the next."""
    mean = sum(values) / len(values)
    spread = sum(v * v for v in values) / len(values) - mean * mean
    if spread <= 0:
        return 0.0
    product = sum(map(lambda a, b: a * b, values, values[1:])) / (len(values) - 1)
    return (product - mean * mean) / spread


def run_lengths(happened):
    return collections.Counter(len(run) for run in happened.split(b"\0") if run)


def events(happened):
    """Figures of something that did (1) or did not (0) happen to each packet."""
    runs = run_lengths(happened)
    count = sum(happened)
    return {"share": count / len(happened), "error": block_error(happened), "acf1": correlation(happened),
            "mean_run": count / sum(runs.values()) if runs else 0.0,
            "runs": {str(length): runs[length] for length in sorted(runs)}}


def fates(run):
    """Per packet: was it lost, did it come twice, was it changed (damaged or, where that is measured, marked)."""
    count = len(run.sent)
    came, damaged = bytearray(count), bytearray(count)
    for packet, bit in zip(run.packet, run.bit):
        came[packet] += 1
        if bit != NO_BIT:
            damaged[packet] = 1
    return {"lost": came.translate(bytes([1] + [0] * 255)), "duplicate": came.translate(bytes([0, 0] + [1] * 254)),
            "corrupt": damaged}


def late(packets):
    """Which arrivals had been overtaken (RFC 4737: a number below one that came before)."""
    marks, newest = bytearray(len(packets)), -1
    for i, packet in enumerate(packets):
        if packet >= newest:
            newest = packet
        else:
            marks[i] = 1
    return marks


def batches(run):
    """Arrivals less than SAME_BATCH_MS after the one before belong to its batch. First and last are left out."""
    starts, sizes, before = [], [], -math.inf
    for at in run.at:
        if at - before > SAME_BATCH_MS * 1e6:
            starts.append(at)
            sizes.append(0)
        sizes[-1] += 1
        before = at
    distances = [(b - a) / 1e6 for a, b in zip(starts[1:-1], starts[2:])]
    return {"distance_ms": quantiles(distances), "packets": sum(sizes[1:-1]) / len(sizes[1:-1])}


def figures(run, row):
    """Everything that a row may compare."""
    fate = fates(run)
    result = {"packets": len(run.sent), "arrivals": len(run.at)}
    for name, happened in fate.items():
        result[name] = events(bytes(happened))
    delays = [(at - run.sent[packet]) / 1e6 for at, packet in zip(run.at, run.packet)]
    result["delay"] = quantiles(delays)
    result["delay_mean"] = sum(delays) / len(delays)
    if row.feature in ("delay", "reorder", "combined"):
        by_packet = [None] * len(run.sent)
        for packet, delay in zip(run.packet, delays):
            by_packet[packet] = delay
        kept = [d for d in by_packet if d is not None]
        result["delay_acf1"] = correlation(kept)
        result["late"] = events(bytes(late(run.packet)))
        half = row.ours.get("delay_ms", 0) / 2
        result["ahead"] = events(bytes(d < half for d in kept))
    if row.feature in ("rate", "slot", "combined"):
        seconds = (run.at[-1] - run.at[0]) / 1e9
        result["rate_kbps"] = (len(run.at) - 1) * run.bytes * 8 / seconds / 1000
    if row.feature == "slot":
        result["batch"] = batches(run)
    if row.feature == "ecn":
        result["marked"] = result.pop("corrupt")
    if row.full:
        bits = sorted(bit for bit in run.bit if bit != NO_BIT)
        result["corrupt"]["bit"] = quantiles(bits) if bits else []
    return result
