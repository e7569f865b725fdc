#!/usr/bin/env python3
"""A solution of lesson 12's exercise: gather small writes"""

import sys


class Sender:
    """What a sender holds. Each method gives the sizes of the segments that leave now."""

    def __init__(self, mss):
        self.mss, self.waiting, self.in_flight, self.nodelay = mss, 0, False, False

    def send(self):
        full, self.waiting = divmod(self.waiting, self.mss)
        sizes = [self.mss] * full
        self.in_flight |= full > 0
        if self.waiting and (self.nodelay or not self.in_flight):
            sizes.append(self.waiting)
            self.waiting, self.in_flight = 0, True
        return sizes

    def write(self, count):
        self.waiting += count
        return self.send()

    def ack(self):
        self.in_flight = False
        return self.send()

    def set_nodelay(self):
        self.nodelay = True
        return self.send()


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

# Try this: Linux waits only while a small segment is in flight (Minshall). Which cases would it answer otherwise?
