#!/usr/bin/env python3
"""Exercise of lesson 13: be the queue in front of the link.

`netlayers check drop_tail --language python` says how far you are.

frames come        +---+---+---+
----------------->   3   2   1   |=== 0 ===>   the link is busy with one frame,
                   +---+---+---+               and the others wait in their order
no room: dropped

A link sends one frame at a time. A frame that finds it busy waits; one that finds no room to wait is dropped. This
is all that a router does about congestion (RFC 7567 section 2 calls it tail drop).

It runs, and it is wrong. `netlayers hint drop_tail` helps, `netlayers reset drop_tail --language python` starts
over.
Any other language will do as well: `netlayers check drop_tail --program FILE`.
"""

import sys


class Link:
    """The link and what waits for it. Times are in milliseconds."""

    def __init__(self, takes, room):
        """An idle link, which a frame keeps busy for `takes`, and room for `room` frames that wait."""
        self.takes = takes

    def frame(self, now):
        """A frame comes. Gives the time when it has left over the link, or None when it is dropped."""
        # This lets frames leave side by side.
        return now + self.takes

    def waiting(self, now):
        """How many frames wait, without the one that is leaving."""
        return 0


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
link = None
for line in sys.stdin:
    word, *rest = line.split()
    if word == "begin":
        link = Link(int(rest[0]), int(rest[1]))
        facts = {"leaves": "never", "waiting": 0}
    else:
        now = int(rest[0])
        leaves = link.frame(now)
        facts = {"leaves": "never" if leaves is None else leaves, "waiting": link.waiting(now)}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/drop_tail.py, then begin 10 2, then frame 0
# 2. A frame takes 10 ms and 100 may wait. How long is the last of them on its way, and who notices?
