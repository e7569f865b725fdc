#!/usr/bin/env python3
"""A solution of lesson 17's exercise: decode a WebSocket frame by hand"""

import sys


def decode(frame):
    """What the bytes of a frame say; "incomplete" when some are missing, "malformed" when they break a rule."""
    if len(frame) < 2:
        return "incomplete"
    first, second = frame[:2]
    fin, opcode, masked, length = first >> 7, first & 0x0F, second >> 7, second & 0x7F
    is_control = opcode in (8, 9, 10)
    # What the first two bytes say is enough for these rules (RFC 6455 section 5.2, 5.5).
    if first & 0x70 or not (opcode <= 2 or is_control) or (is_control and (not fin or length > 125)):
        return "malformed"
    at = 2
    if length > 125:
        size, least = (2, 126) if length == 126 else (8, 2**16)
        if len(frame) < at + size:
            return "incomplete"
        length = int.from_bytes(frame[at:at + size], "big")
        # One form only, the shortest; and the first of 64 bits is 0.
        if length < least or length >> 63:
            return "malformed"
        at += size
    key = frame[at:at + 4] if masked else None
    at += 4 if masked else 0
    if len(frame) < at + length:
        return "incomplete"
    payload = frame[at:at + length]
    if key:
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    return fin, opcode, key, at, payload


for line in sys.stdin:
    said = decode(bytes.fromhex(line.split()[1].strip("-")))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        fin, opcode, key, header_len, payload = said
        facts = {"fin": fin, "opcode": opcode, "header": header_len, "key": key.hex() if key else "none"}
        facts["payload"] = payload.hex() or "-"
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: Which of the cases would a program survive that takes every length as it comes? What could be done to it?
