#!/usr/bin/env node
/*
Exercise of lesson 12: which ACK may wait.

`netlayers check delayed --language javascript` says how far you are.

ms   0   |--- 5 bytes ------>|   the ACK may wait, until 200
    50   |--- 5 bytes ------>|   it goes on waiting
   200   |<--- ACK for both -|

An ACK may wait a little for company, but not when two full segments' worth has come since the last one, and not
when something is out of order (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2).

It runs, and it is wrong. `netlayers hint delayed` helps, `netlayers reset delayed --language javascript` starts
over.
Any other language will do as well: `netlayers check delayed --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a receiver knows. Bytes are counted from 1, times in milliseconds. Each method but the first gives the number of
// the ACK that leaves now, or undefined.
class Receiver {
  // Full segments have `mss` bytes, and an ACK may wait for `delay`.
  constructor(mss, delay) {
    this.next = 1; // the byte that is expected next
    this.due = undefined; // until when an ACK waits, if one does
  }

  // A segment arrives.
  data(now, seq, length) {
    // This acknowledges everything at once, and believes that it comes in order.
    this.next = seq + length;
    return this.next;
  }

  // A segment with data of our own leaves: every segment acknowledges.
  sends(now) {
    return this.next;
  }

  // Time has passed.
  time(now) {}
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let receiver;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  let ack;
  if (word === 'begin') receiver = new Receiver(...numbers);
  else ack = receiver[word](...numbers);
  const facts = { ack: ack ?? 'none', due: receiver.due ?? '-' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/delayed.mjs, then begin 1000 200, then data 0 1 5
//    and time 200
// 2. How many ACKs does a transfer of 1000 full segments need, with and without the delay?
