#!/usr/bin/env python3
"""A solution of lesson 10's exercise: how long to wait for an ACK"""

import sys


class Timer:
    """What a sender knows of the round trip. All times are in milliseconds."""

    def __init__(self):
        self.rto = 1000
        self.srtt = self.rttvar = None

    def measured(self, rtt):
        """An ACK came for a segment that was sent once, `rtt` after it was sent."""
        if self.srtt is None:
            self.srtt, self.rttvar = rtt, rtt / 2
        else:
            # RTTVAR first: it is about the SRTT of before this round trip.
            self.rttvar = self.rttvar * 3 / 4 + abs(self.srtt - rtt) / 4
            self.srtt = self.srtt * 7 / 8 + rtt / 8
        self.rto = min(max(self.srtt + max(1, 4 * self.rttvar), 1000), 60000)

    def ambiguous(self, rtt):
        """Karn's algorithm: which of the two the ACK answers, nobody can tell."""

    def expired(self):
        """The timer expired: the next wait is twice as long."""
        self.rto = min(self.rto * 2, 60000)


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

# Try this: Linux never waits less than 200 ms, the RFC says a second. Who gains by which?
