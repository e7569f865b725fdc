#!/usr/bin/env node
/*
Exercise of lesson 6: decode a UDP header by hand.

`netlayers check 6 --language javascript` says how far you are.

 0      7 8     15 16    23 24    31
+--------+--------+--------+--------+
|   source port   | destination port|
+--------+--------+--------+--------+
|     length      |    checksum     |
+--------+--------+--------+--------+
|     payload ...                       RFC 768
+----------------

The picture counts bits: one row is four bytes. `length` counts the header and the payload, in bytes.

It runs, and it is wrong. `netlayers hint 6` helps, `netlayers reset 6 --language javascript` starts over.
Any other language will do as well: `netlayers check 6 --program FILE`.
*/

import { createInterface } from 'node:readline';

// What the bytes of a datagram (a Buffer) say; 'incomplete' when some are missing, 'malformed' when they contradict
// themselves.
function decode(datagram) {
  if (datagram.length === 0) return 'incomplete';
  // A number has two bytes. This takes one of them.
  const sourcePort = datagram[0];
  const destinationPort = datagram[2];
  const length = 0;
  const checksum = 0;
  const payload = datagram;
  return { sourcePort, destinationPort, length, checksum, payload };
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
for await (const line of createInterface({ input: process.stdin })) {
  const said = decode(Buffer.from(line.split(' ')[1].replace('-', ''), 'hex'));
  const facts = typeof said === 'string' ? { refused: said } : {
    source_port: said.sourcePort,
    destination_port: said.destinationPort,
    length: said.length,
    checksum: `0x${said.checksum.toString(16).padStart(4, '0')}`,
    payload: said.payload.toString('hex') || '-',
  };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type a line to your program yourself: node exercises/javascript/udp_header.mjs, then decode c00000350008f2aa
// 2. Compare with `src/layers/transport/udp.rs`. What does it refuse that yours lets through?
