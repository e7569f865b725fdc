#!/usr/bin/env node
/*
Exercise of lesson 10: three ACKs that say the same.

`netlayers check duplicates --language javascript` says how far you are.

sender                       receiver
  |--- seq 1001 --------------->|   ack 2001
  |--- seq 2001 ----X           |
  |--- seq 3001 --------------->|   ack 2001 again: "I still wait for 2001"
  |--- seq 4001 --------------->|   ack 2001
  |--- seq 5001 --------------->|   ack 2001: the third that says nothing new

A receiver acknowledges at once what comes out of order. The third duplicate ACK shows a loss, and the missing
segment is sent again without waiting for the timer: fast retransmit (RFC 5681 section 3.2).

It runs, and it is wrong. `netlayers hint duplicates` helps, `netlayers reset duplicates --language javascript`
starts over.
Any other language will do as well: `netlayers check duplicates --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a sender knows of its ACKs.
class Sender {
  // Nothing is in flight; the receiver expects byte `acked` and announces this window.
  constructor(acked, window) {
    this.acked = acked; // the highest acknowledgment number so far
  }

  // All bytes before number `end` have been sent.
  sent(end) {}

  // An ACK arrives, with `length` bytes of data. Gives the number of the byte from which a segment is to be sent again,
  // or undefined.
  ack(number, length, window) {
    // This takes any ACK that says the same for a loss.
    const again = number === this.acked ? number : undefined;
    this.acked = number;
    return again;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let sender;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  let again;
  if (word === 'begin') sender = new Sender(...numbers);
  else if (word === 'sent') sender.sent(...numbers);
  else again = sender.ack(...numbers);
  const facts = { again: again ?? 'nothing' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/duplicates.mjs, then begin 1001 5000, then sent
//    6001 and ack 2001 0 5000
// 2. Why three, and not one? Think of a segment that is held back for a moment and not lost.
