#!/usr/bin/env node
// A solution of lesson 13's exercise: be the queue in front of the link

import { createInterface } from 'node:readline';

// The link and what waits for it. Times are in milliseconds.
class Link {
  constructor(takes, room) {
    Object.assign(this, { takes, room, begins: [] }); // when each frame begins to leave
  }

  frame(now) {
    const last = this.begins.at(-1);
    const free = last === undefined ? now : last + this.takes; // the last frame has left then
    if (free > now && this.waiting(now) >= this.room) return undefined;
    this.begins.push(Math.max(free, now));
    return this.begins.at(-1) + this.takes;
  }

  waiting(now) {
    return this.begins.filter((begins) => begins > now).length;
  }
}

let link;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...rest] = line.split(' ');
  const numbers = rest.map(Number);
  let facts = { leaves: 'never', waiting: 0 };
  if (word === 'begin') link = new Link(...numbers);
  else facts = { leaves: link.frame(...numbers) ?? 'never', waiting: link.waiting(...numbers) };
  console.log('answer:', Object.entries(facts).map(([name, value]) => `${name}=${value}`).join(' '));
}

// Try this: A frame takes 10 ms and 100 may wait. How long is the last of them on its way, and who notices?
