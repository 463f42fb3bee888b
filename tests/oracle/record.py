#!/usr/bin/env python3
"""Asks the kernel: every setting of rows.py through tc netem, and what each packet met there into fixtures/netem.json.

    record.py [--qemu] [ROW…]      some rows only: the others keep what they have

Uses this machine's netem, in a network namespace of its own, if its kernel has one, else (or with --qemu) Debian's
cloud kernel under QEMU without KVM, which takes about three minutes. Needs root and, on Debian, apt-get install
qemu-system-x86 busybox-static cpio iproute2 g++. Nothing outside is touched.
"""
import base64
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import guest
import runs
from rows import ROWS

FIXTURE = pathlib.Path(__file__).with_name("fixtures") / "netem.json"


# Always a new qdisc: "tc qdisc replace" changes the one that is there, and keeps rate, slots and correlations that the
# new command does not name.
REMOVE = "qdisc del dev lo root"


def discipline(row):
    limit = "" if "limit" in row.netem else "limit 100000 "
    return f"qdisc add dev lo root netem {limit}{row.netem}".strip()


def probe_arguments(row, out, slot):
    words = [out, str(slot), str(row.packets), str(row.gap_us * 1000), str(row.bytes), str(row.wait_ms)]
    return words + (["ip"] if row.feature == "ecn" else ["full"] if row.full else [])


def in_namespace(folder, rows):
    """(kernel, records) by this machine's own netem; None if it has none."""
    name = f"avc-oracle-{os.getpid()}"
    inside = ("ip", "netns", "exec", name)
    if not shutil.which("ip") or subprocess.run(("ip", "netns", "add", name), capture_output=True).returncode != 0:
        return None
    try:
        guest.run(*inside, "ip", "link", "set", "lo", "up")
        if subprocess.run((*inside, "tc", "qdisc", "add", "dev", "lo", "root", "netem"),
                          capture_output=True).returncode != 0:
            return None
        probe, records = guest.build_probe(folder), []
        environment = {**os.environ, "TC_LIB_DIR": str(guest.tables(folder))}
        for row in rows:
            guest.run(*inside, "tc", *REMOVE.split())
            guest.run(*inside, "tc", *discipline(row).split(), env=environment)
            guest.run(*inside, str(probe), *probe_arguments(row, str(folder / "record"), 0))
            records.append((folder / "record").read_bytes())
            (folder / "record").unlink()
        return f"{os.uname().release}, this machine's", records
    finally:
        subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)


def in_guest(folder, rows):
    guest.check_tools()
    image, version = guest.kernel(folder)
    commands = []
    for slot, row in enumerate(rows):
        commands.append(f"/sbin/tc {discipline(row)} && /bin/probe {' '.join(probe_arguments(row, '/dev/vda', slot))}"
                        f" && echo oracle: {row.name}; /sbin/tc {REMOVE}")
    said, disk = guest.boot(folder, image, guest.initramfs(folder, guest.build_probe(folder), commands), len(rows))
    missing = [row.name for row in rows if f"oracle: {row.name}\n" not in said]
    if missing:
        raise RuntimeError(f"no answer for {', '.join(missing)}:\n{said[-3000:]}")
    with disk.open("rb") as file:
        records = []
        for slot in range(len(rows)):
            file.seek(slot * guest.SLOT)
            records.append(file.read(guest.SLOT))
    return f"{version}, under QEMU with icount", records


def packed(happened):
    """One bit per packet, compressed, as text."""
    bits = int(bytes(happened).translate(bytes([48, 49] + [49] * 254)), 2)
    data = lzma.compress(bits.to_bytes((len(happened) + 7) // 8, "big"), lzma.FORMAT_ALONE, preset=9)
    return base64.b85encode(data).decode()


def rounded(value):
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def entry(row, record):
    run = runs.read(record)
    result = rounded(runs.figures(run, row))
    gaps = [(b - a) / 1e3 for a, b in zip(run.sent, run.sent[1:])]
    result["gap_us"] = rounded([min(gaps), sum(gaps) / len(gaps), max(gaps)])
    fate = runs.fates(run)
    compared = {metric.split(".")[0] for metric in row.compare}
    result["packed"] = {name: packed(fate[name]) for name in sorted(compared & fate.keys())}
    return {"tc": row.netem, **result}


def write(kernel, entries):
    names = [row.name for row in ROWS]
    data = {"made_by": "tests/oracle/record.py", "kernel": kernel, "iproute2": guest.run("tc", "-V").strip(),
            "rows": {name: entries[name] for name in names if name in entries}}
    FIXTURE.parent.mkdir(exist_ok=True)
    lines = json.dumps(data, indent=1, separators=(",", ": "))
    FIXTURE.write_text(lines + "\n")


def main(arguments):
    if os.geteuid() != 0:
        sys.exit("record.py: needs root (a network namespace, or a guest's disk and kernel)")
    names = [word for word in arguments if not word.startswith("-")]
    rows = [row for row in ROWS if not names or row.name in names]
    if len(rows) < len(names) or not rows:
        sys.exit(f"record.py: rows are {' '.join(row.name for row in ROWS)}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        try:
            answer = None if "--qemu" in arguments else in_namespace(folder, rows)
            kernel, records = answer or in_guest(folder, rows)
        except guest.Missing as error:
            sys.exit(f"record.py: {error}")
    old = json.loads(FIXTURE.read_text()) if names and FIXTURE.exists() else {"kernel": kernel, "rows": {}}
    if old["kernel"] != kernel:
        sys.exit(f"record.py: the other rows are by {old['kernel']}, this is {kernel}: all or none")
    write(kernel, old["rows"] | {row.name: entry(row, record) for row, record in zip(rows, records)})
    print(f"{len(rows)} rows by {kernel}: {FIXTURE.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
