#!/usr/bin/env node
/*
Exercise of lesson 11: how much may be sent now.

`netlayers check usable --language javascript` says how far you are.

         acknowledged          in flight         may be sent now   must wait
   |----------------------|------------------|-------------------|------------
                         ack              sent            ack + window

A window counts from the acknowledgment number beside it: it is the number of bytes after that one for which the
receiver has room. What is in flight takes up a part of it already (RFC 9293 section 3.8.6.2.1 calls the rest the
usable window).

It runs, and it is wrong. `netlayers hint usable` helps, `netlayers reset usable --language javascript` starts over.
Any other language will do as well: `netlayers check usable --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a sender knows. Bytes are counted from 0.
class Sender {
  // Nothing is in flight, and this window was announced.
  constructor(window) {
    this.window = window;
  }

  // This many bytes leave, after those that have left.
  sent(count) {}

  // An ACK arrives: all bytes before `number` have arrived, and there is room for `window` more.
  ack(number, window) {
    this.window = window;
  }

  // How many bytes may leave now.
  maySend() {
    // This forgets what is in flight.
    return this.window;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let sender;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  if (word === 'begin') sender = new Sender(...numbers);
  else sender[word](...numbers);
  const facts = { may: sender.maySend() };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/usable.mjs, then begin 4000, then sent 1000 and ack
//    1000 3000
// 2. The window is 4000 and a round trip takes 40 ms. How many bytes per second can be sent at most?
