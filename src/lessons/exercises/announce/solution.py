#!/usr/bin/env python3
"""A solution of lesson 11's exercise: when more room is worth telling"""

import sys


class Receiver:
    """A buffer, and what was announced of it."""

    def __init__(self, buffer, mss):
        self.buffer, self.unread, self.announced = buffer, 0, buffer
        self.worth = min(mss, buffer // 2)  # what more must be free before it is announced

    def arrives(self, count):
        self.unread += count
        self.announced -= count  # the right edge stays
        self.update()

    def reads(self, count):
        self.unread -= count
        self.update()

    def update(self):
        if self.buffer - self.unread >= self.announced + self.worth:
            self.announced = self.buffer - self.unread

    def window(self):
        return self.announced


receiver = None
for line in sys.stdin:
    word, *rest = line.split()
    numbers = [int(number) for number in rest]
    if word == "begin":
        receiver = Receiver(*numbers)
    elif word == "arrives":
        receiver.arrives(*numbers)
    else:
        receiver.reads(*numbers)
    facts = {"window": receiver.window()}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: What would a sender do with a window of 100 bytes, and what would that cost in headers?
