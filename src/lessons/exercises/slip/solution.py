#!/usr/bin/env python3
"""A solution of lesson 15's exercise: a delimiter, and an escape for it"""

import sys

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD


class Slip:
    """What one end of a line holds."""

    def __init__(self):
        self.kept, self.escaped = bytearray(), False

    def write(self, message):
        special = {END: (ESC, ESC_END), ESC: (ESC, ESC_ESC)}
        return bytes(sign for byte in message for sign in special.get(byte, (byte,))) + bytes([END])

    def read(self, data):
        messages = []
        for byte in data:
            escaped, self.escaped = self.escaped, False
            if escaped:
                self.kept.append({ESC_END: END, ESC_ESC: ESC}.get(byte, byte))
            elif byte == ESC:
                self.escaped = True
            elif byte != END:
                self.kept.append(byte)
            elif self.kept:
                messages.append(bytes(self.kept))
                self.kept.clear()
        return messages


end = None
for line in sys.stdin:
    word, *value = line.split()
    data = bytes.fromhex(value[0]) if value else b""
    if word == "write":
        print(f"answer: wire={end.write(data).hex() or '-'}")
        continue
    if word == "begin":
        end = Slip()
    messages = [] if word == "begin" else end.read(data)
    print("answer: messages=" + ("+".join(message.hex() or "-" for message in messages) or "none"))

# Try this: RFC 1055 sets no limit. Give `read` one. What does it do with a message that is too long?
