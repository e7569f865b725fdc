#!/usr/bin/env python3
"""A solution of lesson 3's exercise: an ARP cache that forgets"""

import sys


class Host:
    """What a host holds."""

    def __init__(self, own, lifetime):
        self.own, self.lifetime = own, lifetime
        self.known = {}  # of each address that is known, its MAC address, and until when that is believed
        self.asked = {}  # when each address was asked about

    def believed(self, now, ip):
        return ip in self.known and now < self.known[ip][1]

    def send(self, now, ip):
        if self.believed(now, ip):
            return f"goes:{self.known[ip][0]}"
        if self.asked.get(ip) == now:
            return "waits"
        self.asked[ip] = now
        return "asks"

    def heard(self, now, is_request, ip, mac, target):
        if target == self.own or self.believed(now, ip):
            self.known[ip] = mac, now + self.lifetime
        return is_request and target == self.own


host = None
for line in sys.stdin:
    word, *rest = line.split()
    if word == "begin":
        host, does = Host(rest[0], int(rest[1])), "begins"
    elif word == "send":
        does = host.send(int(rest[0]), rest[1])
    else:
        does = "answers" if host.heard(int(rest[0]), word == "request", *rest[1:]) else "nothing"
    print(f"answer: does={does}")

# Try this: somebody says: reply 0 .254 ee .1, and .254 is your router. Where do your packets go now?
