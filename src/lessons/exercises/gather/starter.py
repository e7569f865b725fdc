#!/usr/bin/env python3
"""Exercise of lesson 12: gather small writes.

`netlayers check gather --language python` says how far you are.

write 5    |--- 5 -------------->|   nothing is in flight: it goes at once
write 5    |                     |   it waits
write 5    |                     |   it waits, too
           |<-------------- ACK -|
           |--- 10 ------------->|   together

Nagle's algorithm: while something is not acknowledged, no small segment leaves; full ones do (RFC 9293 section
3.7.4).

It runs, and it is wrong. `netlayers hint gather` helps, `netlayers reset gather --language python` starts over.
Any other language will do as well: `netlayers check gather --program FILE`.
"""

import sys


class Sender:
    """What a sender holds. Each method gives the sizes of the segments that leave now."""

    def __init__(self, mss):
        self.mss = mss  # bytes in a full segment

    def write(self, count):
        """The program writes this many bytes."""
        # This sends each write at once, cut at the size of a segment.
        return [min(self.mss, count - start) for start in range(0, count, self.mss)]

    def ack(self):
        """All that was sent is acknowledged."""
        return []

    def set_nodelay(self):
        """The program sets TCP_NODELAY."""
        return []


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
sender = None
for line in sys.stdin:
    word, *rest = line.split()
    sends = []
    if word == "begin":
        sender = Sender(int(rest[0]))
    elif word == "write":
        sends = sender.write(int(rest[0]))
    elif word == "ack":
        sends = sender.ack()
    else:
        sends = sender.set_nodelay()
    facts = {"sends": "+".join(str(size) for size in sends) or "nothing"}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/gather.py, then begin 1000, then write 5
# 2. Linux waits only while a small segment is in flight (Minshall). Which cases would it answer otherwise?
