#!/usr/bin/env python3
"""A solution of lesson 9's exercise: make a stream of segments again"""

import sys


class Stream:
    """One direction of a connection, as its receiver sees it."""

    def __init__(self, isn):
        self.next = (isn + 1) % 2**32  # the number of the byte that is expected next
        self.early = []  # segments that came early; a real receiver bounds this by its window

    def receive(self, seq, data):
        """Takes a segment whose first byte has the number `seq`. Gives the bytes whose turn has come, in order."""
        self.early.append((seq, data))
        due = b""
        # What is handed on may be what another piece waited for, so look until nothing is due.
        while ready := [piece for piece in self.early if self.ahead(piece[0]) <= 0]:
            self.early.remove(ready[0])
            seq, data = ready[0]
            fresh = data[-self.ahead(seq):]  # what lies before `next` was handed on already: perhaps all of it
            self.next = (self.next + len(fresh)) % 2**32
            due += fresh
        return due

    def ahead(self, seq):
        """How far `seq` is ahead of `next` on the circle of numbers; negative when it is behind."""
        distance = (seq - self.next) % 2**32
        return distance - 2**32 if distance >= 2**31 else distance


stream = None
for line in sys.stdin:
    word, number, *rest = line.split()
    if word == "begin":
        stream, delivered = Stream(int(number)), b""
    else:
        delivered = stream.receive(int(number), bytes.fromhex(rest[0].strip("-")))
    shown = f'"{delivered.decode()}"' if delivered else "nothing"
    facts = {"delivers": shown, "ack": stream.next}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: How much memory can a peer make you use? What bounds it in `src/layers/transport/tcp/receiver.rs`?
