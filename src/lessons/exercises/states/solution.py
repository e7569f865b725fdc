#!/usr/bin/env python3
"""A solution of lesson 14's exercise: from ESTABLISHED to CLOSED"""

import sys


def after(state, event):
    """The state after an event, and what is sent because of it: FIN, ACK or nothing."""
    known = {
        ("ESTABLISHED", "close"): ("FIN-WAIT-1", "FIN"),
        ("CLOSE-WAIT", "close"): ("LAST-ACK", "FIN"),
        ("ESTABLISHED", "fin"): ("CLOSE-WAIT", "ACK"),
        ("FIN-WAIT-1", "fin"): ("CLOSING", "ACK"),
        ("FIN-WAIT-2", "fin"): ("TIME-WAIT", "ACK"),
        ("FIN-WAIT-1", "ack"): ("FIN-WAIT-2", "nothing"),
        ("CLOSING", "ack"): ("TIME-WAIT", "nothing"),
        ("LAST-ACK", "ack"): ("CLOSED", "nothing"),
        ("TIME-WAIT", "2msl"): ("CLOSED", "nothing"),
    }
    # A FIN that was acknowledged before: that ACK was lost.
    return known.get((state, event), (state, "ACK" if event == "fin" else "nothing"))


for line in sys.stdin:
    _, state, event = line.split()
    state, sends = after(state, event)
    facts = {"state": state, "sends": sends}
    print("answer:", *(f"{name}={value}" for name, value in facts.items()))

# Try this: Many connections of a server are in CLOSE-WAIT. Whose fault is it?
