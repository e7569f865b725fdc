#!/usr/bin/env node
/*
Exercise of lesson 3: which frames does an interface take?

`netlayers check is_ours --language javascript` says how far you are.

 0         6         12   14
+---------+---------+----+------------------- -+
| for     | from    |type| payload, 46 or more  |
+---------+---------+----+------------------- -+
ff:ff:ff:ff:ff:ff      every interface
lowest bit of byte 0   a group of interfaces
type below 0x0600      no type: a length           RFC 894, IEEE 802.3

It runs, and it is wrong. `netlayers hint is_ours` helps, `netlayers reset is_ours --language javascript` starts over.
Any other language will do as well: `netlayers check is_ours --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a frame (a Buffer) says to the interface `own`: whom it is for ('me', 'all', 'group', 'another'), its sender,
// its type. 'short' when it is no whole frame, 'length' when it has a length where the type belongs.
function read(own, frame) {
  // Is this enough for a frame?
  if (frame.length < 12) return 'short';
  // There are other frames that are for this interface, and not for it alone.
  const whom = frame.subarray(0, 6).equals(own) ? 'me' : 'another';
  const type = 0;
  return { whom, from: frame.subarray(6, 12), type };
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const [, own, frame] = line.split(' ');
  const said = read(Buffer.from(own, 'hex'), Buffer.from(frame, 'hex'));
  const facts = typeof said === 'string' ? { refused: said } : {
    for: said.whom,
    from: said.from.toString('hex'),
    type: said.type.toString(16).padStart(4, '0'),
  };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Watch real frames: netlayers lesson 3 --view hex. Type one of them to your program.
// 2. Which frames does Wireshark show beyond those that are for you, or for all?
