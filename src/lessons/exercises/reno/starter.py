#!/usr/bin/env python3
"""Exercise of lesson 13: a congestion window of your own.

`netlayers check reno --language python` says how far you are.

cwnd
 |    /\                 slow start: doubled in each round trip, up to ssthresh
 |   /  \    /|   /|     then a segment more in each round trip
 |  /    \  / |  / |     three duplicate ACKs: down to a half
 | /      \/  | /  |
 |/           |/   ...   a timeout: down to one segment
 +---------------------

The sender keeps two numbers in bytes: cwnd, which bounds what is in flight, and ssthresh, where slow start ends
(RFC 5681 section 3.1).

It runs, and it is wrong. `netlayers hint reno` helps, `netlayers reset reno --language python` starts over.
Any other language will do as well: `netlayers check reno --program FILE`.
"""

import sys


class Control:
    """Both numbers, in bytes."""

    def __init__(self, mss):
        """A connection whose full segments have `mss` bytes."""
        self.cwnd = 10 * mss
        self.ssthresh = None  # where slow start ends; nothing before the first loss

    def ack(self, count):
        """An ACK for this many new bytes arrives."""
        # This only ever grows.
        self.cwnd += count

    def duplicates(self, in_flight):
        """Three duplicate ACKs have come while this many bytes were in flight."""

    def timeout(self, in_flight):
        """The retransmission timer expired while this many bytes were in flight."""


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
control = None
for line in sys.stdin:
    word, number = line.split()
    if word == "begin":
        control = Control(int(number))
    elif word == "ack":
        control.ack(int(number))
    elif word == "duplicates":
        control.duplicates(int(number))
    else:
        control.timeout(int(number))
    facts = {"cwnd": control.cwnd, "ssthresh": "none" if control.ssthresh is None else control.ssthresh}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/reno.py, then begin 1000, then ack 1000
# 2. What would happen to the others on a link if yours came down to nine tenths instead of a half?
