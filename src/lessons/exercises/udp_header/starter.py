#!/usr/bin/env python3
"""Exercise of lesson 6: decode a UDP header by hand.

`netlayers check 6 --language python` says how far you are.

 0      7 8     15 16    23 24    31
+--------+--------+--------+--------+
|   source port   | destination port|
+--------+--------+--------+--------+
|     length      |    checksum     |
+--------+--------+--------+--------+
|     payload ...                       RFC 768
+----------------

The picture counts bits: one row is four bytes. `length` counts the header and the payload, in bytes.

It runs, and it is wrong. `netlayers hint 6` helps, `netlayers reset 6 --language python` starts over.
Any other language will do as well: `netlayers check 6 --program FILE`.
"""

import sys


def decode(datagram):
    """What the bytes of a datagram say; "incomplete" when some are missing, "malformed" when they contradict
    themselves."""
    if not datagram:
        return "incomplete"
    # A number has two bytes. This takes one of them.
    source_port = datagram[0]
    destination_port = datagram[2]
    length = 0
    checksum = 0
    payload = datagram
    return source_port, destination_port, length, checksum, payload


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    said = decode(bytes.fromhex(line.split()[1].strip("-")))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        source_port, destination_port, length, checksum, payload = said
        facts = {"source_port": source_port, "destination_port": destination_port, "length": length}
        facts |= {"checksum": f"0x{checksum:04x}", "payload": payload.hex() or "-"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type a line to your program yourself: python3 exercises/python/udp_header.py, then decode c00000350008f2aa
# 2. Compare with `src/layers/transport/udp.rs`. What does it refuse that yours lets through?
