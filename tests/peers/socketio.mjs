// Three stock Socket.IO clients against the event server: node socketio.mjs PORT TRANSPORTS suite|chat
// Runs where the packages of package.json are installed; prints one line a check and ends with 1 when one fails.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const { io, Manager } = require("socket.io-client");
const { Socket: EngineSocket } = require("engine.io-client");

const [port, transports, profile] = [process.argv[2], process.argv[3].split(","), process.argv[4]];
const url = `http://127.0.0.1:${port}`;
const options = { transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100 };

const within = (promise, what, ms = 4000) =>
  Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error(`no ${what} in time`)), ms).unref())]);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
// Every event of a client from the start, so that none is missed between two awaits.
function watch(socket) {
  const heard = [];
  const waiting = [];
  socket.onAny((name, ...args) => {
    const at = waiting.findIndex((w) => w.name === name);
    at < 0 ? heard.push([name, args]) : waiting.splice(at, 1)[0].done(args);
  });
  socket.next = (name) => {
    const at = heard.findIndex(([n]) => n === name);
    if (at >= 0) return Promise.resolve(heard.splice(at, 1)[0][1]);
    return within(new Promise((done) => waiting.push({ name, done })), `"${name}"`);
  };
  socket.heard = heard;
  return socket;
}
async function client(namespace = "/", more = {}) {
  const socket = watch(io(url + namespace, { ...options, ...more }));
  await within(new Promise((yes, no) => { socket.on("connect", yes); socket.on("connect_error", no); }), "connect");
  return socket;
}
// What the server adds in the chat profile (the offset) is the last argument; it is not part of the message.
const payload = (args) => (profile === "chat" ? args.slice(0, -1) : args);
const ask = (socket, ...args) => within(socket.emitWithAck(...args), `ack of ${args[0]}`);
async function check(name, run) {
  await within(run(), name, 20000);
  console.log("ok", name);
}

const [a, b, c] = await Promise.all([client("/", { auth: { token: "123" } }), client(), client()]);

await check("the server sends what CONNECT had", async () => {
  assert.deepEqual(payload(await a.next("auth")), [{ token: "123" }]);
  assert.deepEqual(payload(await b.next("auth")), [{}]);
  await c.next("auth");
});
await check("messages come back, with bytes in them", async () => {
  a.emit("message", 1, "2", { 3: [true, null], ä: "\u2028🦀" });
  assert.deepEqual(payload(await a.next("message-back")), [1, "2", { 3: [true, null], ä: "\u2028🦀" }]);
  a.emit("message", Buffer.from([1, 2, 3]), { deep: [new Uint8Array([4]), "x"] });
  const [one, two] = await a.next("message-back");
  assert.deepEqual([...Buffer.from(one)], [1, 2, 3]);
  assert.deepEqual([...Buffer.from(two.deep[0])], [4]);
  const big = Buffer.alloc(500_000, 7);
  a.emit("message", big);
  assert.ok(big.equals(Buffer.from((await a.next("message-back"))[0])));
});
await check("acks go both ways", async () => {
  assert.deepEqual(await ask(a, "message-with-ack", 1, { b: 2 }), 1);
  assert.ok(Buffer.from([9]).equals(Buffer.from(await ask(a, "message-with-ack", Buffer.from([9])))));
  a.once("emit-with-ack", (x, answer) => answer("answer", x, Buffer.from([5])));
  a.emit("emit-with-ack", 42);
  await a.next("emit-with-ack");
  const [word, x, bytes] = await a.next("emit-with-ack");
  assert.deepEqual([word, x, [...Buffer.from(bytes)]], ["answer", 42, [5]]);
});
await check("rooms: who hears what", async () => {
  assert.deepEqual(await ask(a, "join", "red"), { ok: true, rooms: [a.id, "red"] });
  await ask(b, "join", "red");
  await ask(b, "join", "blue");
  await ask(c, "join", "blue");
  assert.equal(await ask(a, "members", "red"), 2);
  assert.deepEqual(await ask(a, "say", "red", "hi"), { ok: true });
  assert.deepEqual((await b.next("said"))[0], { room: "red", from: a.id, msg: "hi" });
  await ask(a, "say-all", "red", Buffer.from([1]));
  assert.ok(Buffer.from([1]).equals(Buffer.from((await a.next("said"))[0].msg)));
  assert.ok(Buffer.from([1]).equals(Buffer.from((await b.next("said"))[0].msg)));
  await ask(a, "say-except", ["red", "blue"], ["nobody"], "once");
  assert.deepEqual((await b.next("said"))[0].msg, "once");
  assert.deepEqual((await c.next("said"))[0].msg, "once");
  await a.next("said");
  await ask(c, "say-except", ["red", "blue"], ["blue"], "only red");
  assert.deepEqual((await a.next("said"))[0].msg, "only red");
  c.emit("broadcast", "all");
  assert.deepEqual((await a.next("broadcasted"))[0], { from: c.id, msg: "all" });
  await b.next("broadcasted");
  c.emit("to-id", a.id, "you");
  assert.deepEqual((await a.next("direct"))[0], { from: c.id, msg: "you" });
  c.emit("volatile", "red", "maybe");
  assert.equal((await a.next("said"))[0].msg, "maybe");
  await b.next("said");
  assert.deepEqual(await ask(b, "leave", "red"), { ok: true, rooms: [b.id, "blue"] });
  assert.equal(await ask(a, "members", "red"), 1);
  await sleep(50);
  assert.deepEqual([a.heard, b.heard, c.heard], [[], [], []], "nobody heard anything else");
});
await check("a room is asked, and who does not answer is not waited for", async () => {
  const answer = (word) => (question, answer) => answer(`${question} ${word}`);
  b.once("question", answer("from b"));
  await ask(a, "join", "blue");
  assert.deepEqual(await ask(a, "ask-room", "blue", "who?"), ["who? from b"]);
  await Promise.all([b.next("question"), c.next("question")]);
});
await check("namespaces: open, guarded, unknown", async () => {
  const custom = await client("/custom");
  assert.deepEqual(await ask(custom, "message-with-ack", 7), 7);
  assert.equal(await ask(custom, "members", "red"), 0);
  custom.emit("disconnect-me");
  assert.equal(await within(new Promise((yes) => custom.on("disconnect", yes)), "disconnect"), "io server disconnect");
  custom.disconnect();
  const secret = await client("/private", { auth: { token: "secret" } });
  secret.disconnect();
  const refused = await client("/private").catch((error) => error);
  assert.deepEqual([refused.message, refused.data], ["unauthorized", { code: "E_AUTH" }]);
  assert.equal((await client("/elsewhere").catch((error) => error)).message, "Invalid namespace");
});
await check("two namespaces share a connection", async () => {
  const manager = new Manager(url, options);
  const [main, custom] = [watch(manager.socket("/")), watch(manager.socket("/custom"))];
  await Promise.all([main.next("auth"), custom.next("auth")]);
  main.emit("disconnect-me");
  await within(new Promise((yes) => main.on("disconnect", yes)), "disconnect");
  assert.equal(await ask(custom, "message-with-ack", "alive"), "alive");
  custom.disconnect();
});
await check("the server closes the connection when asked", async () => {
  const d = await client("/", { reconnection: false });
  d.emit("close-me");
  assert.match(await within(new Promise((yes) => d.on("disconnect", yes)), "disconnect"), /transport close|transport error/);
});
await check("thousands of messages come back in order", async () => {
  const n = profile === "chat" ? 10_000 : 200; // `suite` gives up on a client that is busy for half a second
  const d = io(url, { ...options, forceNew: true });
  const done = new Promise((yes, no) => {
    let next = 0;
    d.on("message-back", (i) => (i === next ? ++next === n && yes() : no(new Error(`${i} instead of ${next}`))));
  });
  await new Promise((yes) => d.on("connect", yes));
  for (let i = 0; i < n; i++) d.emit("message", i);
  await within(done, "last message", 15000);
  d.disconnect();
});
if (profile === "chat") {
  await check("who was cut off comes back with its id and rooms, and gets what it missed", async () => {
    const d = await client();
    await d.next("auth");
    await ask(d, "join", "red");
    const id = d.id;
    for (const word of ["first", Buffer.from([1, 2])]) {
      const back = new Promise((yes) => d.once("connect", yes));
      d.io.engine.close();
      await ask(a, "say", "red", word);
      await ask(a, "say", "red", "second");
      await within(back, "reconnect");
      assert.equal(d.recovered, true);
      assert.equal(d.id, id);
      const [missed] = await d.next("said");
      word === "first" ? assert.equal(missed.msg, word) : assert.deepEqual([...Buffer.from(missed.msg)], [1, 2]);
      assert.equal((await d.next("said"))[0].msg, "second");
    }
    await sleep(50);
    assert.deepEqual(d.heard, [], "nothing twice, and no second auth");
    d.disconnect();
  });
  await check("a volatile event before the break does not spoil the return", async () => {
    const d = await client();
    await d.next("auth");
    await ask(d, "join", "red");
    const id = d.id;
    a.emit("volatile", "red", "the last word before the break");
    await d.next("said");
    const back = new Promise((yes) => d.once("connect", yes));
    d.io.engine.close();
    await ask(a, "say", "red", "after");
    await within(back, "reconnect");
    assert.deepEqual([d.recovered, d.id], [true, id]);
    assert.equal((await d.next("said"))[0].msg, "after");
    d.disconnect();
  });
  await check("whoever comes with the secret of a living client gets nothing of it", async () => {
    const d = await client();
    await ask(d, "join", "red");
    const thief = watch(io(url, { ...options, autoConnect: false }));
    [thief._pid, thief._lastOffset] = [d._pid, d._lastOffset];
    const entered = new Promise((yes) => thief.once("connect", yes));
    thief.connect();
    await within(entered, "connect");
    assert.ok(!thief.recovered);
    assert.notEqual(thief.id, d.id);
    await ask(a, "say", "red", "for members");
    assert.equal((await d.next("said"))[0].msg, "for members");
    await sleep(50);
    assert.deepEqual(thief.heard.map(([name]) => name), ["auth"]);
    [d, thief].forEach((socket) => socket.disconnect());
  });
} else {
  await check("without recovery a client comes back as somebody else", async () => {
    const d = await client();
    const id = d.id;
    const back = new Promise((yes) => d.once("connect", yes));
    d.io.engine.close();
    await within(back, "reconnect");
    assert.ok(!d.recovered);
    assert.notEqual(d.id, id);
    d.disconnect();
  });
  await check("the bare engine echoes text and bytes, also through an upgrade", async () => {
    const engine = new EngineSocket(url, { path: "/engine.io/", transports });
    const got = [];
    const done = new Promise((yes) => engine.on("message", (data) => got.push(data) === 41 && yes()));
    await within(new Promise((yes) => engine.on("open", yes)), "open");
    for (let i = 0; i < 40; i++) { engine.send(`m${i}`); await sleep(5); }
    engine.send(Buffer.from([1, 2, 3]));
    await within(done, "echo");
    assert.deepEqual(got.slice(0, 40), Array.from({ length: 40 }, (_, i) => `m${i}`));
    assert.deepEqual([...Buffer.from(got[40])], [1, 2, 3]);
    assert.equal(engine.transport.name, transports.at(-1));
    engine.close();
  });
  await check("connections live through many pings", async () => {
    await sleep(1200);
    assert.ok(a.connected && b.connected && c.connected);
    assert.equal(a.io.engine.transport.name, transports.at(-1));
  });
}
[a, b, c].forEach((socket) => socket.disconnect());
process.exit(0);
