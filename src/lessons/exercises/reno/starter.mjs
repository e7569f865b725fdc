#!/usr/bin/env node
/*
Exercise of lesson 13: a congestion window of your own.

`netlayers check reno --language javascript` says how far you are.

cwnd
 |    /\                 slow start: doubled in each round trip, up to ssthresh
 |   /  \    /|   /|     then a segment more in each round trip
 |  /    \  / |  / |     three duplicate ACKs: down to a half
 | /      \/  | /  |
 |/           |/   ...   a timeout: down to one segment
 +---------------------

The sender keeps two numbers in bytes: cwnd, which bounds what is in flight, and ssthresh, where slow start ends
(RFC 5681 section 3.1).

It runs, and it is wrong. `netlayers hint reno` helps, `netlayers reset reno --language javascript` starts over.
Any other language will do as well: `netlayers check reno --program FILE`.
*/

import { createInterface } from 'node:readline';

// Both numbers, in bytes.
class Control {
  // A connection whose full segments have `mss` bytes.
  constructor(mss) {
    this.cwnd = 10 * mss;
    this.ssthresh = undefined; // where slow start ends; nothing before the first loss
  }

  // An ACK for this many new bytes arrives.
  ack(count) {
    // This only ever grows.
    this.cwnd += count;
  }

  // Three duplicate ACKs have come while this many bytes were in flight.
  duplicates(inFlight) {}

  // The retransmission timer expired while this many bytes were in flight.
  timeout(inFlight) {}
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let control;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, number] = line.split(' ');
  if (word === 'begin') control = new Control(Number(number));
  else control[word](Number(number));
  const facts = { cwnd: control.cwnd, ssthresh: control.ssthresh ?? 'none' };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/reno.mjs, then begin 1000, then ack 1000
// 2. What would happen to the others on a link if yours came down to nine tenths instead of a half?
