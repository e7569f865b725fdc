#!/usr/bin/env python3
"""Exercise of lesson 10: three ACKs that say the same.

`netlayers check duplicates --language python` says how far you are.

sender                       receiver
  |--- seq 1001 --------------->|   ack 2001
  |--- seq 2001 ----X           |
  |--- seq 3001 --------------->|   ack 2001 again: "I still wait for 2001"
  |--- seq 4001 --------------->|   ack 2001
  |--- seq 5001 --------------->|   ack 2001: the third that says nothing new

A receiver acknowledges at once what comes out of order. The third duplicate ACK shows a loss, and the missing
segment is sent again without waiting for the timer: fast retransmit (RFC 5681 section 3.2).

It runs, and it is wrong. `netlayers hint duplicates` helps, `netlayers reset duplicates --language python` starts
over.
Any other language will do as well: `netlayers check duplicates --program FILE`.
"""

import sys


class Sender:
    """What a sender knows of its ACKs."""

    def __init__(self, acked, window):
        """Nothing is in flight; the receiver expects byte `acked` and announces this window."""
        self.acked = acked  # the highest acknowledgment number so far

    def sent(self, end):
        """All bytes before number `end` have been sent."""

    def ack(self, number, length, window):
        """An ACK arrives, with `length` bytes of data. Gives the number of the byte from which a segment is to be sent
        again, or None."""
        # This takes any ACK that says the same for a loss.
        again = number if number == self.acked else None
        self.acked = number
        return again


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
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

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/duplicates.py, then begin 1001 5000, then sent 6001
#    and ack 2001 0 5000
# 2. Why three, and not one? Think of a segment that is held back for a moment and not lost.
