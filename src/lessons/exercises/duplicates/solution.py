#!/usr/bin/env python3
"""A solution of lesson 10's exercise: three ACKs that say the same"""

import sys


class Sender:
    """What a sender knows of its ACKs."""

    def __init__(self, acked, window):
        self.acked, self.end, self.window, self.duplicates = acked, acked, window, 0

    def sent(self, end):
        self.end = end

    def ack(self, number, length, window):
        """An ACK arrives. Gives the number of the byte from which a segment is to be sent again, or None."""
        in_flight = self.end > self.acked
        says_the_same = number == self.acked and window == self.window
        self.window = window
        if number > self.acked:
            self.acked, self.duplicates = number, 0
        elif in_flight and says_the_same and length == 0:
            self.duplicates += 1
            # The third and no later one: what they report is still under way.
            if self.duplicates == 3:
                return self.acked
        return None


sender = None
for line in sys.stdin:
    word, *rest = line.split()
    numbers = [int(number) for number in rest]
    again = None
    if word == "begin":
        sender = Sender(*numbers)
    elif word == "sent":
        sender.sent(*numbers)
    else:
        again = sender.ack(*numbers)
    facts = {"again": "nothing" if again is None else again}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: Why three, and not one? Think of a segment that is held back for a moment and not lost.
