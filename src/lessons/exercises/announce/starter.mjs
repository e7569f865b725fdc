#!/usr/bin/env node
/*
Exercise of lesson 11: when more room is worth telling.

`netlayers check announce --language javascript` says how far you are.

the buffer   |#### not read ####|---- window ----|.. free, and not announced ..|
                                                  grows with every read

A receiver announces more room only when it is worth a full segment, or half of its buffer, whichever is less. Until
then the right edge of the window stays where it is (RFC 9293 section 3.8.6.2.2).

It runs, and it is wrong. `netlayers hint announce` helps, `netlayers reset announce --language javascript` starts
over.
Any other language will do as well: `netlayers check announce --program FILE`.
*/

import { createInterface } from 'node:readline';

// A buffer, and what was announced of it.
class Receiver {
  // An empty buffer of this size, all of it announced; full segments have `mss` bytes.
  constructor(buffer, mss) {
    Object.assign(this, { buffer, unread: 0 });
  }

  // This many bytes arrive in order, within the window.
  arrives(count) {
    this.unread += count;
  }

  // The program reads this many of them.
  reads(count) {
    this.unread -= count;
  }

  // The window that an ACK would announce now.
  window() {
    // This announces every free byte: a silly window.
    return this.buffer - this.unread;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let receiver;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  if (word === 'begin') receiver = new Receiver(...numbers);
  else receiver[word](...numbers);
  const facts = { window: receiver.window() };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/announce.mjs, then begin 4000 1000, then arrives
//    4000 and reads 100
// 2. What would a sender do with a window of 100 bytes, and what would that cost in headers?
