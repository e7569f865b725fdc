#!/usr/bin/env python3
"""Exercise of lesson 19: the packets in one answer.

`netlayers check 19 --language python` says how far you are.

body 34 68 69             message:6869    a digit, 4, and "hi"
body 32 1e 34 68 69       ping:-+message:6869
        |
        between two packets

0 open, 1 close, 2 ping, 3 pong, 4 message, 5 upgrade, 6 noop      Engine.IO protocol, revision 4

It runs, and it is wrong. `netlayers hint 19` helps, `netlayers reset 19 --language python` starts over.
Any other language will do as well: `netlayers check 19 --program FILE`.
"""

import sys

KINDS = "open", "close", "ping", "pong", "message", "upgrade", "noop"


def packets(body):
    """The packets in a body: of each the name of its kind, and what is behind the digit. None when one is no packet."""
    # This takes every body for one message.
    return [("message", body[1:])]


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    found = packets(bytes.fromhex(line.split()[1].strip("-")))
    said = "refused" if found is None else "+".join(f"{kind}:{rest.hex() or '-'}" for kind, rest in found)
    print(f"answer: packets={said}")

# Try this:
# 1. Type a line to your program yourself: python3 exercises/python/payload.py, then body 321e346869
# 2. A WebSocket carries one packet in each message. Why does it need no separator?
