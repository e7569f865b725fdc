#!/usr/bin/env python3
"""Exercise of lesson 17: decode a WebSocket frame by hand.

`netlayers check 17 --language python` says how far you are.

 7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0
+-+-+-+-+-------+-+-------------+
|F|R|R|R| opcode|M|short length |   0 to 125: the length
|I|S|S|S|       |A|             |   126: it is in the next 2 bytes
|N|V|V|V|       |S|             |   127: it is in the next 8 bytes
| |1|2|3|       |K|             |
+-+-+-+-+-------+-+-------------+
| then the length, if it is not in the seven bits
| then 4 bytes of key, if MASK is 1
| then the payload, XORed with the key         RFC 6455 §5.2
+-------------------------------

The picture counts bits: one row is two bytes, the most significant bit first.

It runs, and it is wrong. `netlayers hint 17` helps, `netlayers reset 17 --language python` starts over.
Any other language will do as well: `netlayers check 17 --program FILE`.
"""

import sys


def decode(frame):
    """What the bytes of a frame say; "incomplete" when some are missing, "malformed" when they break a rule."""
    if len(frame) < 2:
        return "incomplete"
    fin = frame[0] >> 7
    # The opcode is not the whole first byte.
    opcode = frame[0]
    key = None
    header_len = 2
    payload = frame[2:]
    return fin, opcode, key, header_len, payload


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    said = decode(bytes.fromhex(line.split()[1].strip("-")))
    if isinstance(said, str):
        facts = {"refused": said}
    else:
        fin, opcode, key, header_len, payload = said
        facts = {"fin": fin, "opcode": opcode, "header": header_len, "key": key.hex() if key else "none"}
        facts["payload"] = payload.hex() or "-"
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type a line to your program yourself: python3 exercises/python/frame_header.py, then decode 810548656c6c6f
# 2. Which of the cases would a program survive that takes every length as it comes? What could be done to it?
