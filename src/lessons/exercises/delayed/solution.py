#!/usr/bin/env python3
"""A solution of lesson 12's exercise: which ACK may wait"""

import sys


class Receiver:
    """What a receiver knows. Each method but the first gives the number of the ACK that leaves now, or None."""

    def __init__(self, mss, delay):
        self.mss, self.delay, self.next, self.due = mss, delay, 1, None
        self.early = None  # start and end of what came too early: one block is enough here
        self.unacked = 0  # bytes that came in order since the last ACK

    def acknowledge(self):
        self.unacked, self.due = 0, None
        return self.next

    def data(self, now, seq, length):
        in_order, gap = seq == self.next, self.early is not None
        if in_order:
            self.next, self.unacked = seq + length, self.unacked + length
            if gap and self.early[0] <= self.next:
                self.next, self.early = max(self.next, self.early[1]), None
        elif seq > self.next:
            self.early = seq, seq + length
        if not in_order or gap or self.unacked >= 2 * self.mss:
            return self.acknowledge()
        if self.due is None:
            self.due = now + self.delay
        return None

    def sends(self, now):
        return self.acknowledge()

    def time(self, now):
        return self.acknowledge() if self.due is not None and self.due <= now else None


receiver = None
for line in sys.stdin:
    word, *rest = line.split()
    numbers = [int(number) for number in rest]
    ack = None
    if word == "begin":
        receiver = Receiver(*numbers)
    elif word == "data":
        ack = receiver.data(*numbers)
    elif word == "sends":
        ack = receiver.sends(*numbers)
    else:
        ack = receiver.time(*numbers)
    facts = {"ack": "none" if ack is None else ack, "due": "-" if receiver.due is None else receiver.due}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: How many ACKs does a transfer of 1000 full segments need, with and without the delay?
