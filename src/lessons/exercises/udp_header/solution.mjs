#!/usr/bin/env node
// A solution of lesson 6's exercise: decode a UDP header by hand

import { createInterface } from 'node:readline';

// What the bytes of a datagram say; 'incomplete' when some are missing, 'malformed' when they contradict themselves.
function decode(datagram) {
  if (datagram.length < 8) return 'incomplete';
  const [sourcePort, destinationPort, length, checksum] = [0, 2, 4, 6].map((at) => datagram.readUInt16BE(at));
  if (length < 8) return 'malformed'; // it counts the header's own 8 bytes
  if (length > datagram.length) return 'incomplete';
  // What follows the payload is not ours: Ethernet fills short frames up.
  return { sourcePort, destinationPort, length, checksum, payload: datagram.subarray(8, length) };
}

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

// Try this: Compare with `src/layers/transport/udp.rs`. What does it refuse that yours lets through?
