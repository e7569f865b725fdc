#!/usr/bin/env python3
"""A solution of lesson 11's exercise: how much may be sent now"""

import sys


class Sender:
    """What a sender knows. Bytes are counted from 0."""

    def __init__(self, window):
        self.acked, self.left, self.window = 0, 0, window

    def sent(self, count):
        self.left += count

    def ack(self, number, window):
        """An ACK that was overtaken by a later one tells of a buffer as it was."""
        if number >= self.acked:
            self.acked, self.window = number, window

    def may_send(self):
        return max(0, self.acked + self.window - self.left)


sender = None
for line in sys.stdin:
    word, *rest = line.split()
    numbers = [int(number) for number in rest]
    if word == "begin":
        sender = Sender(*numbers)
    elif word == "sent":
        sender.sent(*numbers)
    else:
        sender.ack(*numbers)
    facts = {"may": sender.may_send()}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: The window is 4000 and a round trip takes 40 ms. How many bytes per second can be sent at most?
