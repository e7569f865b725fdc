#!/usr/bin/env node
/*
Exercise of lesson 17: decode a WebSocket frame by hand.

`netlayers check 17 --language javascript` says how far you are.

 7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0
+-+-+-+-+-------+-+-------------+
|F|R|R|R| opcode|M|short length |   0 to 125: the length
|I|S|S|S|       |A|             |   126: it is in the next 2 bytes
|N|V|V|V|       |S|             |   127: it is in the next 8 bytes
| |1|2|3|       |K|             |
+-+-+-+-+-------+-+-------------+
| then the length, if it is not in the seven bits
| then 4 bytes of key, if MASK is 1
| then the payload, XORed with the key         RFC 6455 §5.2
+-------------------------------

The picture counts bits: one row is two bytes, the most significant bit first.

It runs, and it is wrong. `netlayers hint 17` helps, `netlayers reset 17 --language javascript` starts over.
Any other language will do as well: `netlayers check 17 --program FILE`.
*/

import { createInterface } from 'node:readline';

// What the bytes of a frame (a Buffer) say; 'incomplete' when some are missing, 'malformed' when they break a rule.
function decode(frame) {
  if (frame.length < 2) return 'incomplete';
  const fin = frame[0] >> 7;
  // The opcode is not the whole first byte.
  const opcode = frame[0];
  const key = undefined;
  const headerLength = 2;
  const payload = frame.subarray(2);
  return { fin, opcode, key, headerLength, payload };
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const said = decode(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const facts = typeof said === 'string' ? { refused: said } : {
    fin: said.fin,
    opcode: said.opcode,
    header: said.headerLength,
    key: said.key?.toString('hex') ?? 'none',
    payload: said.payload.toString('hex') || '-',
  };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type a line to your program yourself: node exercises/javascript/frame_header.mjs, then decode 810548656c6c6f
// 2. Which of the cases would a program survive that takes every length as it comes? What could be done to it?
