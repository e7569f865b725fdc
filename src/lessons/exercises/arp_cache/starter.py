#!/usr/bin/env python3
"""Exercise of lesson 3: an ARP cache that forgets.

`netlayers check arp_cache --language python` says how far you are.

send 0 .2             asks       who has .2? goes to all
reply 0 .2 bb .1      nothing    .2 is at bb: keep it
send 0 .2             goes:bb
request 5 .3 cc .1    answers    .3, at cc, has asked for us: keep that, too
send 60 .2            asks       what was heard 60 s ago is forgotten

RFC 826, "Packet Reception"; RFC 1122 section 2.3.2.1.

It runs, and it is wrong. `netlayers hint arp_cache` helps, `netlayers reset arp_cache --language python` starts over.
Any other language will do as well: `netlayers check arp_cache --program FILE`.
"""

import sys


class Host:
    """What a host holds: it has the address `own`, and believes what it has heard for `lifetime` seconds."""

    def __init__(self, own, lifetime):
        self.known = {}  # of each address that is known, its MAC address

    def send(self, now, ip):
        """A packet is to go to a neighbour: "goes:" and the MAC address, "asks" or "waits"."""
        # This forgets nothing, and asks as often as it likes.
        return f"goes:{self.known[ip]}" if ip in self.known else "asks"

    def heard(self, now, is_request, ip, mac, target):
        """ARP was heard: a request or a reply, from whom, and about which address. Says whether it is answered."""
        # This keeps whatever comes, and answers for everybody.
        self.known[ip] = mac
        return is_request


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
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

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/arp_cache.py, then begin .1 60, then send 0 .2
# 2. Somebody says: reply 0 .254 ee .1, and .254 is your router. Where do your packets go now?
