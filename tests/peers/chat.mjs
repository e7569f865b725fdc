// Stock Socket.IO clients in the chat: node chat.mjs PORT CUT_PORT
//
// CUT_PORT leads to the same server through a proxy of the test. The test does what is asked of it on standard output
// ("cut", "mend", "restart", "kill") and says "done". Prints one line a check and ends with 1 when one fails.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { io } = createRequire(pathToFileURL(process.cwd() + "/"))("socket.io-client");
const [port, cutPort] = process.argv.slice(2);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function askTest(word) {
  console.log(word);
  assert.equal((await input.next()).value, "done");
}
const within = (promise, what, ms = 10000) =>
  Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error(`no ${what} in time`)), ms).unref())]);
async function check(name, run) {
  await run();
  console.log("ok", name);
}

// A client with everything it heard, each event as "name who text".
async function client(name, by = port) {
  const patience = { reconnectionDelay: 50, reconnectionDelayMax: 200 };
  const options = { auth: { name }, forceNew: true, transports: ["websocket"], ...patience };
  const socket = io(`http://127.0.0.1:${by}`, options);
  socket.heard = [];
  socket.onAny((event, { from, name, text, room, to }) => {
    socket.heard.push([event, from ?? name, text ?? room ?? to].join(" "));
  });
  socket.ask = (...event) => within(socket.emitWithAck(...event), `answer to ${event[0]}`);
  socket.hears = async (line) => {
    for (const end = Date.now() + 10000; Date.now() < end;) {
      if (socket.heard.includes(line)) return;
      await new Promise((done) => setTimeout(done, 10));
    }
    assert.fail(`${name} did not hear "${line}" but ${JSON.stringify(socket.heard)}`);
  };
  await within(new Promise((yes, no) => { socket.once("connect", yes); socket.once("connect_error", no); }), "connect");
  return socket;
}
const back = (socket) => within(new Promise((yes) => socket.once("connect", yes)), "reconnect");
const said = (socket) => socket.heard.filter((line) => /^(message|private)/.test(line));

const ada = await client("Ada");
const bob = await client("Bob", cutPort);

await check("a name that is taken or no name is refused with a code", async () => {
  for (const [name, code] of [[" ADA ", "E_TAKEN"], ["", "E_NAME"], ["\u001b[1m", "E_NAME"], [undefined, "E_NAME"]]) {
    const refused = await client(name).catch((error) => error);
    assert.deepEqual(refused.data, { code });
  }
});
await check("a room: here, joined, message, who, rooms, left", async () => {
  assert.deepEqual((await ada.ask("join", "tea")).here, ["Ada"]);
  const joined = await bob.ask("join", "tea", {});
  assert.deepEqual([joined.ok, joined.room, joined.here], [true, "tea", ["Ada", "Bob"]]);
  assert.deepEqual([joined.history, joined.more], [[], false]);
  await ada.hears("joined Bob tea");
  const { ok, id, offset } = await bob.ask("say", "tea", "hello", "b1");
  assert.deepEqual([ok, typeof id, typeof offset], [true, "string", "number"]);
  await ada.hears("message Bob hello");
  await bob.hears("message Bob hello");
  assert.deepEqual((await ada.ask("who", "tea")).here.map(({ name }) => name), ["Ada", "Bob"]);
  assert.deepEqual((await ada.ask("rooms")).rooms, [{ room: "tea", here: 2 }]);
});
await check("a copy is dropped and answered like the first", async () => {
  const first = await bob.ask("say", "tea", "once", "b2");
  assert.deepEqual(await bob.ask("say", "tea", "once", "b2"), first);
  await bob.ask("say", "tea", "then");
  await ada.hears("message Bob then");
  assert.deepEqual(said(ada).slice(-2), ["message Bob once", "message Bob then"]);
});
await check("typing is heard by the others", async () => {
  bob.volatile.emit("typing", "tea", true);
  await ada.hears("typing Bob tea");
});
await check("a private message goes to one, and to nobody when there is nobody", async () => {
  assert.equal((await ada.ask("msg", "bob", "psst", "a1")).ok, true);
  await bob.hears("private Ada psst");
  const nobody = await ada.ask("msg", "Nobody", "psst");
  assert.deepEqual([nobody.ok, nobody.code], [false, "E_NOBODY"]);
});
await check("who is cut off is away, and recovers with what it missed, private messages too", async () => {
  const [id, before] = [bob.id, said(bob).length];
  await askTest("cut");
  await ada.hears("away Bob ");
  await ada.ask("say", "tea", "missed");
  await ada.ask("msg", "Bob", "also missed");
  const returned = back(bob);
  await askTest("mend");
  await returned;
  assert.deepEqual([bob.recovered, bob.id], [true, id]);
  await bob.hears("private Ada also missed");
  assert.deepEqual(said(bob).slice(before), ["message Ada missed", "private Ada also missed"]);
});
for (const how of ["restart", "kill"]) {
  await check(`after a ${how} of the server all is there: ids, names, rooms, what was said`, async () => {
    const ids = [ada.id, bob.id];
    const count = said(bob).length;
    assert.equal((await ada.ask("say", "tea", `before the ${how}`, `a-${how}`)).ok, true);
    const returned = Promise.all([back(ada), back(bob)]);
    await askTest(how);
    await returned;
    assert.deepEqual([ada.id, bob.id, ada.recovered, bob.recovered], [...ids, true, true]);
    // The answer might have been lost: it is said again, with the same id.
    assert.equal((await ada.ask("say", "tea", `before the ${how}`, `a-${how}`)).ok, true);
    assert.equal((await ada.ask("say", "tea", `after the ${how}`)).ok, true);
    await bob.hears(`message Ada after the ${how}`);
    assert.deepEqual(said(bob).slice(count), [`message Ada before the ${how}`, `message Ada after the ${how}`]);
    assert.deepEqual((await bob.ask("who", "tea")).here.map(({ name }) => name), ["Ada", "Bob"]);
  });
}
await check("who comes later reads the history, page by page", async () => {
  const eve = await client("Eve");
  const { history, end } = await eve.ask("join", "tea");
  assert.deepEqual(history.map(({ text }) => text).slice(0, 3), ["hello", "once", "then"]);
  const page = await eve.ask("history", "tea", { before: end, limit: 2 });
  assert.deepEqual([page.messages.length, page.more], [2, true]);
  const rest = await eve.ask("history", "tea", { since: 0, limit: 50 });
  assert.deepEqual([rest.messages.length, rest.more], [history.length, false]);
  assert.equal((await eve.ask("nick", "Evelyn")).name, "Evelyn");
  await ada.hears("renamed Eve Evelyn");
});
process.exit(0);
