#!/usr/bin/env node
/*
Exercise of lesson 13: be the queue in front of the link.

`netlayers check drop_tail --language javascript` says how far you are.

frames come        +---+---+---+
----------------->   3   2   1   |=== 0 ===>   the link is busy with one frame,
                   +---+---+---+               and the others wait in their order
no room: dropped

A link sends one frame at a time. A frame that finds it busy waits; one that finds no room to wait is dropped. This
is all that a router does about congestion (RFC 7567 section 2 calls it tail drop).

It runs, and it is wrong. `netlayers hint drop_tail` helps, `netlayers reset drop_tail --language javascript` starts
over.
Any other language will do as well: `netlayers check drop_tail --program FILE`.
*/

import { createInterface } from 'node:readline';

// The link and what waits for it. Times are in milliseconds.
class Link {
  // An idle link, which a frame keeps busy for `takes`, and room for `room` frames that wait.
  constructor(takes, room) {
    this.takes = takes;
  }

  // A frame comes. Gives the time when it has left over the link, or undefined when it is dropped.
  frame(now) {
    // This lets frames leave side by side.
    return now + this.takes;
  }

  // How many frames wait, without the one that is leaving.
  waiting(now) {
    return 0;
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let link;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  let facts = { leaves: 'never', waiting: 0 };
  if (word === 'begin') link = new Link(...numbers);
  else facts = { leaves: link.frame(...numbers) ?? 'never', waiting: link.waiting(...numbers) };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/drop_tail.mjs, then begin 10 2, then frame 0
// 2. A frame takes 10 ms and 100 may wait. How long is the last of them on its way, and who notices?
