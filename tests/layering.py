#!/usr/bin/env python3
"""Fails when an #include points the wrong way (docs/architecture.md has the picture).

Each rule says what the files below a folder may include, or those of one name; the longest match wins.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLOCKS = r"system_clock::now|steady_clock::now|clock_gettime"
C_LIBS = r"gst/|glib|gio/|gobject|libsoup/|json-glib/|sqlite3"

# folder or file: (own folders it may include, third-party includes it must not use, words it must not contain)
RULES = {
    "core": (["core"], rf"{C_LIBS}|thread$|mutex$|condition_variable|sys/|netinet/", CLOCKS),
    "core/runtime": (["core"], C_LIBS, ""),
    "core/json": (["core"], r"gst/|gio/|gobject|libsoup/|sqlite3|thread$|mutex$|condition_variable|sys/|netinet/", CLOCKS),
    "elements/support": (["core", "elements/support"], "libsoup/|json-glib/|sqlite3", ""),
    "elements": (["core", "elements"], "libsoup/|json-glib/|sqlite3", ""),
    "elements/scheduler": (["core", "elements"], "libsoup/|sqlite3", ""),  # schedules are JSON text
    "plugins": (["elements"], "libsoup/|json-glib/", ""),
    "launcher/http": (["core/result.hpp", "core/text.hpp", "launcher/http"], "gst/|sqlite3", ""),
    "launcher/scenario": (["core", "launcher/scenario"], "gst/|libsoup/|sqlite3", ""),
    "launcher/session": (["core", "elements/support", "launcher/session", "launcher/scenario", "launcher/results",
                          "launcher/receiver", "launcher/metrics", "launcher/http/json_writer.hpp",
                          "launcher/rtsp/mounts.hpp", "launcher/webrtc/viewers.hpp",
                          "launcher/webrtc/publications.hpp", "launcher/webrtc/subscribers.hpp",
                          "launcher/webrtc/whip_text.hpp"], "libsoup/|sqlite3", ""),
    "launcher/rtsp": (["core", "elements/support", "launcher/rtsp", "launcher/session/chain.hpp",
                       "launcher/session/setter.hpp"], "libsoup/|sqlite3", ""),
    # A viewer is made of the same elements as a participant, and the tests of launcher/session own the viewers.
    "launcher/webrtc": (["core", "elements/support", "launcher/webrtc", "launcher/results/samples.hpp",
                         "launcher/http/json_writer.hpp",
                         "launcher/session/chain.hpp", "launcher/session/setter.hpp",
                         "launcher/session/source_id.hpp"], "gio/|libsoup/|sqlite3", ""),
    "launcher/webrtc/http_exchange": (["core/result.hpp", "launcher/webrtc/http_exchange.hpp"], "gst/|sqlite3", ""),
    "launcher/receiver": (["core", "launcher/receiver", "launcher/results"], "gst/|libsoup/|sqlite3", ""),
    "launcher/results": (["core", "launcher/results", "launcher/scenario", "launcher/http/json_writer.hpp"],
                         "gst/|libsoup/", ""),
    "launcher/metrics": (["core", "launcher/metrics"], "gst/|libsoup/|sqlite3", ""),
    "launcher/api": (["core", "launcher/api", "launcher/http", "launcher/session", "launcher/scenario",
                      "launcher/results", "launcher/receiver", "launcher/metrics", "launcher/rtsp/mounts.hpp",
                      "launcher/webrtc"], "gst/|libsoup/|sqlite3", ""),
    "launcher": (["core", "launcher", "elements/support"], "", ""),
    "tools": (["core", "tools"], "gst/|sqlite3", ""),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# core files that elements' headers include by name, not by element: nothing else may cross between two elements
ELEMENT = re.compile(r"^elements/([a-z0-9]+)\.(?:hpp|cpp)$")


def rule_for(path):
    folder = path.with_suffix("").as_posix()
    while folder not in RULES:
        folder = folder.rpartition("/")[0]
        if not folder:
            return None
    return RULES[folder]


def faults(path, text):
    rule = rule_for(path)
    if rule is None:
        return
    own, foreign, words = rule
    me = ELEMENT.match(path.as_posix())
    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition("//")[0]
        if words and re.search(words, code):
            yield f"{path}:{number}: reads a clock"
        found = INCLUDE.match(line)
        if not found:
            continue
        quoted, name = found.group(1) == '"', found.group(2)
        if not quoted:
            if foreign and re.match(foreign, name):
                yield f"{path}:{number}: may not include <{name}>"
            continue
        if not any(name == o or name.startswith(o + "/") for o in own):
            yield f"{path}:{number}: may not include \"{name}\""
        other = ELEMENT.match(name)
        if me and other and other.group(1) != me.group(1):
            yield f"{path}:{number}: an element may not include another (\"{name}\")"


def main():
    checked, found = 0, []
    for folder in ("core", "elements", "plugins", "launcher", "tools"):
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            checked += 1
            found += faults(path.relative_to(ROOT), path.read_text())
    print("\n".join(found) if found else f"layering: {checked} files point the right way")
    return 1 if found or not checked else 0


sys.exit(main())
