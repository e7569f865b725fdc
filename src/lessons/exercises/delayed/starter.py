#!/usr/bin/env python3
"""Exercise of lesson 12: which ACK may wait.

`netlayers check delayed --language python` says how far you are.

ms   0   |--- 5 bytes ------>|   the ACK may wait, until 200
    50   |--- 5 bytes ------>|   it goes on waiting
   200   |<--- ACK for both -|

An ACK may wait a little for company, but not when two full segments' worth has come since the last one, and not
when something is out of order (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2).

It runs, and it is wrong. `netlayers hint delayed` helps, `netlayers reset delayed --language python` starts over.
Any other language will do as well: `netlayers check delayed --program FILE`.
"""

import sys


class Receiver:
    """What a receiver knows. Bytes are counted from 1, times in milliseconds. Each method but the first gives the
    number of the ACK that leaves now, or None."""

    def __init__(self, mss, delay):
        """Full segments have `mss` bytes, and an ACK may wait for `delay`."""
        self.next = 1  # the byte that is expected next
        self.due = None  # until when an ACK waits, if one does

    def data(self, now, seq, length):
        """A segment arrives."""
        # This acknowledges everything at once, and believes that it comes in order.
        self.next = seq + length
        return self.next

    def sends(self, now):
        """A segment with data of our own leaves: every segment acknowledges."""
        return self.next

    def time(self, now):
        """Time has passed."""


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
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

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/delayed.py, then begin 1000 200, then data 0 1 5 and
#    time 200
# 2. How many ACKs does a transfer of 1000 full segments need, with and without the delay?
