"""Debian's cloud kernel under QEMU, with tc, the probe and a disk for what it saw.

QEMU counts instructions in place of time (icount, one nanosecond each) and jumps over idle time, so the guest's
clock does not know how busy this machine is: timers fire within microseconds, and minutes of waiting cost nothing.
"""
import gzip
import pathlib
import re
import shutil
import subprocess

from rows import TABLE

SLOT = 16 << 20
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk",
           "sch_netem")
PACKAGES = ("qemu-system-x86", "busybox-static", "cpio", "iproute2", "g++")
NEEDED = ("qemu-system-x86_64", "busybox", "cpio", "tc", "ip", "g++", "apt-get", "dpkg")
MOST_SECONDS = 1800


class Missing(Exception):
    """Something that must be installed first."""


def run(*command, cwd=None, env=None, timeout=300):
    return subprocess.run(command, cwd=cwd, env=env, check=True, capture_output=True, text=True, timeout=timeout).stdout


def check_tools():
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        raise Missing(f"missing: {', '.join(missing)}; apt-get install {' '.join(PACKAGES)}")


def kernel(folder):
    """Fetches and unpacks the newest cloud kernel that apt knows; nothing is installed. Its image and version."""
    depends = run("apt-cache", "depends", "linux-image-cloud-amd64")
    package = re.search(r"Depends: (linux-image-\S+)", depends)
    if not package:
        raise Missing("apt knows no linux-image-cloud-amd64; apt-get update, on Debian")
    run("apt-get", "download", package[1], cwd=folder)
    (deb,) = folder.glob("linux-image-*.deb")
    run("dpkg", "-x", str(deb), str(folder / "kernel"))
    (image,) = (folder / "kernel/boot").glob("vmlinuz-*")
    version = run("dpkg-deb", "-f", str(deb), "Version").strip()
    return image, f"{image.name.removeprefix('vmlinuz-')} ({version})"


def build_probe(folder):
    probe = folder / "probe"
    run("g++", "-O2", "-std=c++20", "-static", "-o", str(probe), str(pathlib.Path(__file__).with_name("probe.cpp")))
    return probe


def tables(folder):
    """tc's tables of jitter and our own in one folder, for TC_LIB_DIR."""
    place = folder / "tables"
    place.mkdir()
    for table in [*re.findall(r"/\S+\.dist", run("dpkg", "-L", "iproute2")), str(TABLE)]:
        shutil.copy(table, place)
    return place


def copy_with_libraries(program, root):
    target = root / program.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, target)
    for library in re.findall(r"/\S+", run("ldd", program)):
        place = root / library.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)


def init_script(commands):
    lines = ["#!/bin/busybox sh", "/bin/busybox mount -t proc proc /proc", "/bin/busybox mount -t sysfs sys /sys",
             "/bin/busybox mount -t devtmpfs dev /dev"]
    lines += [f"/bin/busybox insmod /modules/{name}.ko" for name in MODULES]
    lines += ["export TC_LIB_DIR=/tables", "/sbin/ip link set lo up", *commands, "echo oracle: finished",
              "/bin/busybox poweroff -f", ""]
    return "\n".join(lines)


def initramfs(folder, probe, commands):
    root = folder / "root"
    for name in ("bin", "sbin", "proc", "sys", "dev", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    shutil.copy(probe, root / "bin/probe")
    for name in ("tc", "ip"):
        copy_with_libraries(shutil.which(name), root)
        found = root / shutil.which(name).lstrip("/")
        if found != root / "sbin" / name:
            shutil.copy(found, root / "sbin" / name)
    shutil.copytree(tables(folder), root / "tables")
    for name in MODULES:
        (module,) = (folder / "kernel").rglob(f"{name}.ko")
        shutil.copy(module, root / "modules")
    (root / "init").write_text(init_script(commands))
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names.encode(), check=True,
                             capture_output=True, timeout=60).stdout
    (folder / "initramfs.gz").write_bytes(gzip.compress(archive, 1))
    return folder / "initramfs.gz"


def boot(folder, image, ramdisk, slots):
    """Runs the guest to its end; returns what it said and the disk."""
    disk = folder / "disk"
    with disk.open("wb") as file:
        file.truncate(slots * SLOT)
    command = ["qemu-system-x86_64", "-machine", "pc", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-m", "1024",
               "-kernel", str(image), "-initrd", str(ramdisk), "-append", "console=ttyS0 quiet panic=-1", "-nographic",
               "-no-reboot", "-nic", "none", "-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=MOST_SECONDS).stdout.replace("\r", "")
    if "oracle: finished" not in said:
        raise RuntimeError("the guest did not come to its end:\n" + said[-3000:])
    return said, disk
