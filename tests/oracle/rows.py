"""Every setting that tc netem and our link are compared in.

Sample sizes. A share s measured over n packets of a chain with lag-1 correlation a has the relative standard error
sqrt((1-s)/(s*n) * (1+a)/(1-a)). The bound on a share is 5 % relative, and both sides have such an error, so each must
be below 5 %/(4*sqrt(2)) = 0.88 % for a difference of four standard errors to stay inside: 200 000 packets give 0.67 %
at 10 % independent loss and 0.77 % for the chain 10 %/40 % (s 0.2, a 0.5). compare.py measures the errors (by
blocks) and fails where a bound is not at least three combined standard errors wide. A quantile of 40 000 delays of
10 ms deviation is known to 0.06 ms at the median and 0.26 ms at 99 % (normal), against bounds of 1.5 and 2.2 ms.

Packets are frames of `bytes` bytes; that is the size netem counts, so ours counts no overhead beside it unless told.
"""
import dataclasses
import pathlib
from typing import Any

TABLE = pathlib.Path(__file__).with_name("fixtures") / "two_humps.dist"

LOSS = ("lost.share", "lost.mean_run", "lost.runs", "lost.acf1")
DELAY = ("delay",)
JITTER = ("delay", "late.share")
RATE = ("rate_kbps", "delay")
BATCH = ("batch.distance_ms", "batch.packets", "delay")
# Slots with less room than there is traffic: delays then depend on when the first slot was, and not on the setting.
FULL_BATCH = ("batch.distance_ms", "batch.packets", "rate_kbps")


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    feature: str
    netem: str  # as after "tc qdisc add … netem limit 100000"; a limit in it replaces that one
    ours: dict[str, Any]
    packets: int
    gap_us: int  # from packet to packet; 0: as fast as the guest can
    compare: tuple[str, ...]
    bytes: int = 100
    # Where netem does not do what is documented: metric -> the documented value, which ours is held to, and why.
    documented: dict[str, float] = dataclasses.field(default_factory=dict)
    why: str = ""
    full: bool = False  # look at every bit

    @property
    def wait_ms(self):
        """After the last packet, until nothing can be under way any more."""
        return 8000 if "rate" in self.netem or "slot" in self.netem else 500


def chain(name, netem, **ours):
    return Row(name, "loss", f"loss {netem}", ours, 200_000, 0, LOSS)


def jitter(name, netem, distribution, **more):
    ours = {"delay_ms": 50, "jitter_ms": 10, "delay_distribution": distribution, "allow_reordering": "true"}
    return Row(name, "delay", netem, ours, 40_000, 1000, JITTER, **more)


def events(name, kind, **more):
    return Row(name, kind, f"{kind} 20%", {f"{kind}_percent": 20}, 100_000, 0, (f"{kind}.share", f"{kind}.acf1"),
               full=kind == "corrupt", **more)


def line(name, netem, gap_us=7000, packets=2000, size=1000, compare=RATE, **ours):
    settings = {"bandwidth_kbps": 1000, "queue_ms": -1, **ours}
    return Row(name, "rate", netem, settings, packets, gap_us, compare, bytes=size)


def slot(name, netem, gap_us=200, packets=20_000, compare=BATCH, **ours):
    return Row(name, "slot", f"slot {netem}", {"queue_ms": -1, **ours}, packets, gap_us, compare)


def reorder(name, netem, packets=50_000, **ours):
    return Row(name, "reorder", f"delay 10ms reorder {netem}", {"delay_ms": 10, **ours}, packets, 200,
               ("ahead.share", "ahead.acf1", "late.share", "delay"))


def correlated(row, name, percent, share, **more):
    """The same with netem's CORRELATION, which does not keep the share; ours keeps share and correlation."""
    kind = row.compare[0].split(".")[0]
    word = "loss" if kind == "lost" else "reorder" if kind == "ahead" else kind
    ours = {**row.ours, f"{word}_correlation": percent}
    return dataclasses.replace(row, name=name, netem=f"{row.netem} {percent}%", ours=ours,
                               why="duplicate-correlation" if word == "duplicate" else "correlation",
                               compare=(f"{kind}.share", f"{kind}.acf1"),
                               documented={f"{kind}.share": share, f"{kind}.acf1": percent / 100}, **more)


GE = {"loss_model": "gilbert-elliott"}
M4 = {"loss_model": "markov4"}
random_loss = chain("loss-random", "random 10%", loss_percent=10)
duplicate = events("duplicate", "duplicate")
corrupt = dataclasses.replace(events("corrupt", "corrupt"), compare=("corrupt.share", "corrupt.acf1", "corrupt.bit"),
                              ours={"corrupt_percent": 20, "corrupt_headers": "true"})
reorder_percent = reorder("reorder", "25%", reorder_percent=25)

ROWS = (
    Row("baseline", "noise", "", {}, 10_000, 1000, DELAY),
    random_loss,
    correlated(random_loss, "loss-random-correlation", 25, 0.1),
    chain("loss-state-1", "state 10%", **M4, markov_p13=10),
    chain("loss-state-2", "state 10% 40%", **M4, markov_p13=10, markov_p31=40),
    chain("loss-state-3", "state 10% 40% 20%", **M4, markov_p13=10, markov_p31=40, markov_p32=20),
    chain("loss-state-4", "state 10% 40% 20% 50%", **M4, markov_p13=10, markov_p31=40, markov_p32=20, markov_p23=50),
    chain("loss-state-5", "state 10% 40% 20% 50% 5%", **M4, markov_p13=10, markov_p31=40, markov_p32=20,
          markov_p23=50, markov_p14=5),
    chain("loss-gemodel-1", "gemodel 10%", **GE, ge_p=10),
    chain("loss-gemodel-2", "gemodel 10% 40%", **GE, ge_p=10, ge_r=40),
    chain("loss-gemodel-3", "gemodel 10% 40% 70%", **GE, ge_p=10, ge_r=40, ge_h=70),
    chain("loss-gemodel-4", "gemodel 10% 40% 70% 5%", **GE, ge_p=10, ge_r=40, ge_h=70, ge_k=5),
    # The mean burst length in netem's words: r = 1/2.5, p = r * 0.2/0.8.
    chain("loss-burst", "gemodel 10% 40%", loss_model="burst", loss_percent=20, burst_length=2.5),
    # Nothing is lost of packets that say they can be marked; ours takes all for such.
    Row("loss-ecn", "ecn", "loss gemodel 10% 40% ecn", {**GE, "ge_p": 10, "ge_r": 40, "ecn": "ect0"}, 200_000, 0,
        ("lost.share", "marked.share", "marked.mean_run", "marked.runs")),
    Row("delay", "delay", "delay 50ms", {"delay_ms": 50}, 5_000, 1000, DELAY),
    jitter("delay-uniform", "delay 50ms 10ms", "uniform"),
    jitter("delay-normal", "delay 50ms 10ms distribution normal", "normal"),
    jitter("delay-pareto", "delay 50ms 10ms distribution pareto", "pareto"),
    jitter("delay-paretonormal", "delay 50ms 10ms distribution paretonormal", "paretonormal"),
    # A user's own table; tc takes its name, ours its path.
    dataclasses.replace(
        jitter("delay-table", "delay 50ms 10ms distribution two_humps", "table"),
        ours={"delay_ms": 50, "jitter_ms": 10, "delay_distribution": "table", "allow_reordering": "true",
              "delay_table": str(TABLE)}),
    reorder_percent,
    correlated(reorder_percent, "reorder-correlation", 50, 0.25),
    reorder("reorder-gap-always", "100% gap 5", packets=20_000, reorder_percent=100, reorder_gap=5),
    reorder("reorder-gap", "50% gap 5", packets=100_000, reorder_percent=50, reorder_gap=5),
    duplicate,
    correlated(duplicate, "duplicate-correlation", 50, 0.2),
    corrupt,
    correlated(corrupt, "corrupt-correlation", 50, 0.2),
    line("rate", "rate 1mbit", gap_us=10_000, packet_overhead=0),
    line("rate-queue", "rate 1mbit", packet_overhead=0),
    line("rate-overhead", "rate 1mbit 20", packet_overhead=20),
    line("rate-negative-overhead", "rate 1mbit -14", size=1014, packet_overhead=-14),
    line("rate-cells", "rate 1mbit 0 48", packet_overhead=0, cell_bytes=48),
    line("rate-cells-overhead", "rate 1mbit 20 48 5", packet_overhead=20, cell_bytes=48, cell_overhead=5),
    line("rate-negative-cells", "rate 1mbit 0 48 -5", gap_us=6000, packet_overhead=0, cell_bytes=48, cell_overhead=-5),
    line("limit", "rate 1mbit limit 20", gap_us=3100, packets=20_000, packet_overhead=0, limit_packets=20,
         compare=("lost.share", "rate_kbps", "delay")),
    # Not 50 ms: no packet shall leave at the very moment another arrives.
    Row("limit-delay", "limit", "limit 20 delay 50.5ms", {"delay_ms": 50.5, "limit_packets": 20}, 20_000, 1000,
        ("lost.share", "lost.runs", "delay")),
    slot("slot", "10ms", slot_min_ms=10, slot_max_ms=10),
    slot("slot-range", "10ms 20ms", packets=50_000, slot_min_ms=10, slot_max_ms=20),
    # 4000 batches: their quantile at 99 % is known to 0.11 ms, against 0.74.
    slot("slot-distribution", "distribution normal 20ms 2ms", gap_us=400, packets=200_000, slot_delay_ms=20,
         slot_jitter_ms=2, slot_distribution="normal"),
    slot("slot-packets", "10ms 10ms packets 10", gap_us=500, packets=2000, compare=FULL_BATCH, slot_min_ms=10,
         slot_max_ms=10, slot_packets=10),
    slot("slot-bytes", "10ms 10ms bytes 1000", gap_us=500, packets=2000, compare=FULL_BATCH, packet_overhead=0,
         slot_min_ms=10, slot_max_ms=10, slot_bytes=1000),
    dataclasses.replace(
        slot("slot-bytes-part", "10ms 10ms bytes 950", gap_us=500, packets=2000, packet_overhead=0, slot_min_ms=10,
             slot_max_ms=10, slot_bytes=950),
        compare=("batch.packets",), documented={"batch.packets": 9}, why="slot-bytes"),
    dataclasses.replace(
        jitter("delay-correlation", "delay 50ms 10ms 50% distribution normal", "normal"),
        ours={"delay_ms": 50, "jitter_ms": 10, "delay_distribution": "normal", "allow_reordering": "true",
              "delay_correlation": 50},
        compare=("delay", "delay_acf1"), documented={"delay_acf1": 0.5}, why="delay-correlation"),
    dataclasses.replace(
        jitter("delay-correlation-uniform", "delay 50ms 10ms 50%", "uniform"),
        ours={"delay_ms": 50, "jitter_ms": 10, "delay_distribution": "uniform", "allow_reordering": "true",
              "delay_correlation": 50},
        compare=("delay", "delay_acf1"), documented={"delay_acf1": 0.4826}, why="delay-correlation"),
    Row("combined-loss-corrupt-delay", "combined",
        "loss gemodel 10% 40% 70% 5% corrupt 20% delay 40ms 5ms distribution normal",
        {**GE, "ge_p": 10, "ge_r": 40, "ge_h": 70, "ge_k": 5, "corrupt_percent": 20, "corrupt_headers": "true",
         "delay_ms": 40, "jitter_ms": 5, "allow_reordering": "true"},
        100_000, 500, ("lost.share", "lost.mean_run", "lost.runs", "corrupt.share", "delay", "late.share"), full=True),
    Row("combined-rate-delay-loss", "combined", "rate 2mbit delay 30ms loss random 10%",
        {"bandwidth_kbps": 2000, "packet_overhead": 0, "queue_ms": -1, "delay_ms": 30, "loss_percent": 10},
        100_000, 3800, ("lost.share", "rate_kbps", "delay"), bytes=1000),
    Row("combined-duplicate-loss", "combined", "duplicate 20% loss random 10%",
        {"duplicate_percent": 20, "loss_percent": 10}, 200_000, 0, ("lost.share", "duplicate.share"),
        documented={"lost.share": 0.1, "duplicate.share": 0.18}, why="duplicate-loss"),
)
