#!/usr/bin/env python3
"""Exercise of lesson 3: which frames does an interface take?

`netlayers check is_ours --language python` says how far you are.

 0         6         12   14
+---------+---------+----+------------------- -+
| for     | from    |type| payload, 46 or more  |
+---------+---------+----+------------------- -+
ff:ff:ff:ff:ff:ff      every interface
lowest bit of byte 0   a group of interfaces
type below 0x0600      no type: a length           RFC 894, IEEE 802.3

It runs, and it is wrong. `netlayers hint is_ours` helps, `netlayers reset is_ours --language python` starts over.
Any other language will do as well: `netlayers check is_ours --program FILE`.
"""

import sys


def read(own, frame):
    """What a frame says to the interface `own`: whom it is for ("me", "all", "group", "another"), its sender, its type.

    "short" when it is no whole frame, "length" when it has a length where the type belongs.
    """
    # Is this enough for a frame?
    if len(frame) < 12:
        return "short"
    # There are other frames that are for this interface, and not for it alone.
    whom = "me" if frame[:6] == own else "another"
    ethertype = 0
    return whom, frame[6:12], ethertype


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    _, own, frame = line.split()
    said = read(bytes.fromhex(own), bytes.fromhex(frame))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        facts = {"for": said[0], "from": said[1].hex(), "type": f"{said[2]:04x}"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Watch real frames: netlayers lesson 3 --view hex. Type one of them to your program.
# 2. Which frames does Wireshark show beyond those that are for you, or for all?
