#!/usr/bin/env python3
"""A solution of lesson 6's exercise: decode a UDP header by hand"""

import sys


def decode(datagram):
    """What the bytes of a datagram say; "incomplete" when some are missing, "malformed" when they contradict
    themselves."""
    if len(datagram) < 8:
        return "incomplete"
    source_port, destination_port, length, checksum = (
        int.from_bytes(datagram[at:at + 2], "big") for at in range(0, 8, 2))
    if length < 8:  # it counts the header's own 8 bytes
        return "malformed"
    if length > len(datagram):
        return "incomplete"
    # What follows the payload is not ours: Ethernet fills short frames up.
    return source_port, destination_port, length, checksum, datagram[8:length]


for line in sys.stdin:
    said = decode(bytes.fromhex(line.split()[1].strip("-")))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        source_port, destination_port, length, checksum, payload = said
        facts = {"source_port": source_port, "destination_port": destination_port, "length": length}
        facts |= {"checksum": f"0x{checksum:04x}", "payload": payload.hex() or "-"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: Compare with `src/layers/transport/udp.rs`. What does it refuse that yours lets through?
