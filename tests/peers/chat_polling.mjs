// Two stock Socket.IO clients that poll, while the server ends six times under them: node chat_polling.mjs PORT
//
// One speaks in bursts all the time, the other listens. The test does what is asked of it on standard output ("restart",
// "kill") and says "done". Prints one line a check and ends with 1 when one fails.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { io } = createRequire(pathToFileURL(process.cwd() + "/"))("socket.io-client");
const [port] = process.argv.slice(2);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
async function until(is, what) {
  for (const end = Date.now() + 20000; Date.now() < end; await pause(10)) if (is()) return;
  assert.fail(`no ${what} in time`);
}
async function client(name) {
  const patience = { reconnectionDelay: 50, reconnectionDelayMax: 200 };
  const socket = io(`http://127.0.0.1:${port}`, { auth: { name }, forceNew: true, transports: ["polling"], ...patience });
  socket.heard = [];
  socket.times = [];
  socket.on("message", ({ text, offset }) => socket.heard.push({ text, offset }));
  socket.on("connect", () => socket.times.push(socket.recovered));
  await until(() => socket.connected, `connection of ${name}`);
  assert.equal((await socket.emitWithAck("join", "tea")).ok, true);
  return socket;
}

const [ada, bob] = [await client("Ada"), await client("Bob")];
const acknowledged = new Set();
let [next, speaks] = [0, true];
const speech = (async () => {
  while (speaks) {
    for (let burst = 0; burst < 5 && ada.connected; burst += 1) {
      const text = `${next++}`;
      ada.timeout(20000).emit("say", "tea", text, `ada ${text}`, (error, answer) => {
        if (!error && answer.ok) acknowledged.add(text);
      });
    }
    await pause(25);
  }
})();
for (const [at, how] of ["kill", "restart", "kill", "kill", "restart", "kill"].entries()) {
  await pause(400);
  const before = bob.heard.length;
  console.log(how);
  assert.equal((await input.next()).value, "done");
  await until(() => [ada, bob].every(({ times }) => times.length === at + 2), "return");
  assert.deepEqual([ada.times.at(-1), bob.times.at(-1)], [true, true], `recovered after ${how}`);
  await until(() => bob.heard.length > before, "message after the return");
}
speaks = false;
await speech;
const heard = () => new Set(bob.heard.map(({ text }) => text));
await until(() => [...acknowledged].every((text) => heard().has(text)), "message that was acknowledged");
assert.ok(acknowledged.size > 100, `${acknowledged.size} acknowledged`);
console.log("ok nothing that was acknowledged is lost");
assert.equal(heard().size, bob.heard.length);
console.log("ok nothing came twice");
const offsets = bob.heard.map(({ offset }) => offset);
assert.deepEqual(offsets, offsets.toSorted((a, b) => a - b));
console.log("ok everything came in order");
process.exit(0);
