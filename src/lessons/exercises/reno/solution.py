#!/usr/bin/env python3
"""A solution of lesson 13's exercise: a congestion window of your own"""

import sys


class Control:
    """Both numbers, in bytes."""

    def __init__(self, mss):
        self.mss, self.cwnd, self.ssthresh = mss, min(10 * mss, max(2 * mss, 14600)), None

    def ack(self, count):
        if self.ssthresh is None or self.cwnd < self.ssthresh:
            self.cwnd += min(count, self.mss)  # at most a segment an ACK
        else:
            self.cwnd += max(1, self.mss * self.mss // self.cwnd)  # about a segment in each round trip

    def duplicates(self, in_flight):
        self.cwnd = self.ssthresh = max(in_flight // 2, 2 * self.mss)

    def timeout(self, in_flight):
        self.duplicates(in_flight)
        self.cwnd = self.mss


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

# Try this: What would happen to the others on a link if yours came down to nine tenths instead of a half?
