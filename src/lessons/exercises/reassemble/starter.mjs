#!/usr/bin/env node
/*
Exercise of lesson 9: make a stream of segments again.

`netlayers check 9 --language javascript` says how far you are.

the stream    a b c d e f g h i j
seq        1001                1010

arrives    seq=1006 "fghij"     too early: keep it, the acknowledgment stays 1001
arrives    seq=1001 "abcde"     hand on "abcdefghij", the acknowledgment is 1011

Each byte of a TCP stream has a number (RFC 9293 section 3.4); a segment says the number of its first byte.

It runs, and it is wrong. `netlayers hint 9` helps, `netlayers reset 9 --language javascript` starts over.
Any other language will do as well: `netlayers check 9 --program FILE`.
*/

import { createInterface } from 'node:readline';

// One direction of a connection, as its receiver sees it.
class Stream {
  // The SYN itself has the number `isn`, so the first byte has the one after it.
  constructor(isn) {
    this.next = (isn + 1) >>> 0; // the number of the byte that is expected next; >>> 0 makes it one of 32 bits
  }

  // Takes a segment whose first byte has the number `seq`. Gives the bytes (a Buffer) whose turn has come, in order.
  receive(seq, bytes) {
    // This believes that segments arrive in order, and each of them once.
    this.next = (seq + bytes.length) >>> 0;
    return bytes;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let stream;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number, hex = ''] = line.split(' ');
  let delivered = '';
  if (word === 'begin') stream = new Stream(Number(number));
  else delivered = stream.receive(Number(number), Buffer.from(hex.replace('-', ''), 'hex')).toString();
  const facts = { delivers: delivered ? `"${delivered}"` : 'nothing', ack: stream.next };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/reassemble.mjs, then begin 1000, segment 1003 6364
// 2. How much memory can a peer make you use? What bounds it in `src/layers/transport/tcp/receiver.rs`?
