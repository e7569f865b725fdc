#!/usr/bin/env node
/*
Exercise of lesson 15: messages with a length in front.

`netlayers check length_prefix --language javascript` says how far you are.

read  00 02 68 69 00 03 79      a whole message, "hi", and the beginning of another
      +---+ +---+ +---+ +
      length    2     3 kept: 1
read  6f 75                     the rest of it: "you"

It runs, and it is wrong. `netlayers hint length_prefix` helps, `netlayers reset length_prefix --language javascript`
starts over. Any other language will do as well: `netlayers check length_prefix --program FILE`.
*/

import { createInterface } from 'node:readline';

// What a reader holds.
class Reader {
  constructor(limit) {
    this.limit = limit; // the longest message that it takes
  }

  // A read gave these bytes (a Buffer). Gives the messages that are complete, how many bytes are kept, and whether a
  // message was too long.
  read(bytes) {
    // This takes each read for one message, and looks at no length.
    const message = bytes.subarray(2);
    return { messages: [message], kept: 0, refused: message.length > this.limit };
  }
}

// Each line of the check comes in here, and its answer goes out. Lines that you print besides do no harm.
let reader;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.trim().split(' ');
  let got = { messages: [], kept: 0, refused: false };
  if (word === 'begin') reader = new Reader(Number(value));
  else got = reader.read(Buffer.from(value, 'hex'));
  const messages = got.messages.map((message) => message.toString('hex') || '-').join('+') || 'none';
  console.log(`answer: messages=${messages} kept=${got.kept} refused=${got.refused ? 'yes' : 'no'}`);
}

// Try this:
// 1. Type lines to your program yourself: node exercises/javascript/length_prefix.mjs, then begin 100, read 00026869
// 2. Make the length four bytes. What must the limit be now, so that 1000 strangers cannot fill the memory?
