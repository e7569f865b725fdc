#!/usr/bin/env python3
"""Exercise of lesson 10: how long to wait for an ACK.

`netlayers check timeout --language python` says how far you are.

sent    |---- data ---->|
        |<---- ACK -----|     measured: 800 ms there and back
sent    |---- data --X        how long is the sender to wait before it sends again?

RFC 6298 section 2 keeps two averages of the round trips, in milliseconds: SRTT, the smoothed round trip, and
RTTVAR, how much they vary. RTO, the retransmission timeout, is SRTT plus four times RTTVAR.

It runs, and it is wrong. `netlayers hint timeout` helps, `netlayers reset timeout --language python` starts over.
Any other language will do as well: `netlayers check timeout --program FILE`.
"""

import sys


class Timer:
    """What a sender knows of the round trip. All times are in milliseconds."""

    def __init__(self):
        self.rto = 1000  # the retransmission timeout, before anything was measured

    def measured(self, rtt):
        """An ACK came for a segment that was sent once, `rtt` after it was sent."""
        # This believes that the next round trip is like the last one.
        self.rto = rtt

    def ambiguous(self, rtt):
        """An ACK came for a segment that was sent twice, `rtt` after it was sent the second time."""
        self.measured(rtt)

    def expired(self):
        """The timer expired: the segment is sent once more, and the timer is set again."""


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
timer = None
for line in sys.stdin:
    word, *rest = line.split()
    if word == "begin":
        timer = Timer()
    elif word == "expired":
        timer.expired()
    elif word == "measured":
        timer.measured(int(rest[0]))
    else:
        timer.ambiguous(int(rest[0]))
    facts = {"rto": int(timer.rto)}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/timeout.py, then begin, then measured 800
# 2. Linux never waits less than 200 ms, the RFC says a second. Who gains by which?
