#!/usr/bin/env python3
"""A solution of lesson 3's exercise: which frames does an interface take?"""

import sys


def read(own, frame):
    if len(frame) < 60:
        return "short"
    ethertype = int.from_bytes(frame[12:14], "big")
    if ethertype < 0x0600:
        return "length"
    if frame[:6] == own:
        whom = "me"
    elif frame[:6] == b"\xff" * 6:
        whom = "all"
    else:
        whom = "group" if frame[0] & 1 else "another"
    return whom, frame[6:12], ethertype


for line in sys.stdin:
    _, own, frame = line.split()
    said = read(bytes.fromhex(own), bytes.fromhex(frame))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        facts = {"for": said[0], "from": said[1].hex(), "type": f"{said[2]:04x}"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: which of these checks could a switch leave out, and which must it not?
