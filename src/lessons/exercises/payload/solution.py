#!/usr/bin/env python3
"""A solution of lesson 19's exercise: the packets in one answer"""

import sys

KINDS = "open", "close", "ping", "pong", "message", "upgrade", "noop"


def packets(body):
    found = []
    for packet in body.split(b"\x1e"):
        if packet[:1] not in [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]:
            return None
        found.append((KINDS[int(packet[:1])], packet[1:]))
    return found


for line in sys.stdin:
    found = packets(bytes.fromhex(line.split()[1].strip("-")))
    said = "refused" if found is None else "+".join(f"{kind}:{rest.hex() or '-'}" for kind, rest in found)
    print(f"answer: packets={said}")

# Try this: a WebSocket carries one packet in each message. Why does it need no separator?
