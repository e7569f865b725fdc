#!/usr/bin/env python3
"""Exercise of lesson 14: from ESTABLISHED to CLOSED.

`netlayers check states --language python` says how far you are.

closes first:    ESTABLISHED -> FIN-WAIT-1 -> FIN-WAIT-2 -> TIME-WAIT -> CLOSED
closes second:   ESTABLISHED -> CLOSE-WAIT -> LAST-ACK -> CLOSED
both at once:    ESTABLISHED -> FIN-WAIT-1 -> CLOSING -> TIME-WAIT -> CLOSED

Four things can happen: the program closes (close), the FIN of the other end arrives (fin), the ACK of our own FIN
arrives (ack), and two maximum segment lifetimes have passed (2msl). RFC 9293 section 3.3.2 has the diagram.

It runs, and it is wrong. `netlayers hint states` helps, `netlayers reset states --language python` starts over.
Any other language will do as well: `netlayers check states --program FILE`.
"""

import sys


def after(state, event):
    """The state after an event, and what is sent because of it: FIN, ACK or nothing."""
    # This knows only how to begin.
    known = {
        ("ESTABLISHED", "close"): ("FIN-WAIT-1", "FIN"),
        ("ESTABLISHED", "fin"): ("CLOSE-WAIT", "ACK"),
    }
    return known.get((state, event), (state, "nothing"))


# Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for line in sys.stdin:
    _, state, event = line.split()
    state, sends = after(state, event)
    facts = {"state": state, "sends": sends}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this:
# 1. Type lines to your program yourself: python3 exercises/python/states.py, then in ESTABLISHED close
# 2. Many connections of a server are in CLOSE-WAIT. Whose fault is it?
