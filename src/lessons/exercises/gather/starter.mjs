#!/usr/bin/env node
/*
Exercise of lesson 12: gather small writes.

`netlayers check gather --language javascript` says how far you are.

write 5    |--- 5 -------------->|   nothing is in flight: it goes at once
write 5    |                     |   it waits
write 5    |                     |   it waits, too
           |<-------------- ACK -|
           |--- 10 ------------->|   together

Nagle's algorithm: while something is not acknowledged, no small segment leaves; full ones do (RFC 9293 section
3.7.4).

It runs, and it is wrong. `netlayers hint gather` helps, `netlayers reset gather --language javascript` starts over.
Any other language will do as well: `netlayers check gather --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a sender holds. Each method gives the sizes of the segments that leave now.
class Sender {
  constructor(mss) {
    this.mss = mss; // bytes in a full segment
  }

  // The program writes this many bytes.
  write(count) {
    // This sends each write at once, cut at the size of a segment.
    const sizes = [];
    for (let start = 0; start < count; start += this.mss) sizes.push(Math.min(this.mss, count - start));
    return sizes;
  }

  // All that was sent is acknowledged.
  ack() {
    return [];
  }

  // The program sets TCP_NODELAY.
  nodelay() {
    return [];
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let sender;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number] = line.split(' ');
  let sends = [];
  if (word === 'begin') sender = new Sender(Number(number));
  else sends = sender[word](Number(number));
  const facts = { sends: sends.join('+') || 'nothing' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/gather.mjs, then begin 1000, then write 5
// 2. Linux waits only while a small segment is in flight (Minshall). Which cases would it answer otherwise?
