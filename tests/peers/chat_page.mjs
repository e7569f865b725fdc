// Browsers on the chat's page: node chat_page.mjs PORT CUT_PORT
//
// Drives headless Chromium by its DevTools protocol. CUT_PORT leads to the same server through a proxy of the test,
// which cuts its connections when it reads "cut" here on standard output, and says "done" on standard input.
// Prints one line a check and ends with 1 when one fails. With SHOTS=folder it leaves pictures of the page there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const here = createRequire(pathToFileURL(process.cwd() + "/"));
const WebSocket = createRequire(here.resolve("engine.io-client"))("ws");
const axe = readFileSync(here.resolve("axe-core/axe.min.js"), "utf8");

const [port, cutPort] = process.argv.slice(2);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function askTest(word) {
  console.log(word);
  assert.equal((await input.next()).value, "done");
}
async function check(name, run) {
  await run();
  console.log("ok", name);
}

const profile = mkdtempSync(join(tmpdir(), "netlayers-chat-"));
const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"];
const own = [`--user-data-dir=${profile}`, "about:blank"];
const browser = spawn("chromium", [...args, ...own], { stdio: ["ignore", "ignore", "pipe"] });
process.on("exit", () => {
  browser.kill("SIGKILL");
  try { rmSync(profile, { recursive: true, force: true, maxRetries: 5 }); } catch { /* it is in /tmp */ }
});
setTimeout(() => { console.error("took too long"); process.exit(1); }, 90000).unref();
const devtools = await new Promise((found) => {
  createInterface({ input: browser.stderr }).on("line", (line) => {
    const at = /DevTools listening on (ws:.*)/.exec(line);
    if (at) found(at[1]);
  });
});

// One connection for all pages; each has a session of its own.
const pipe = new WebSocket(devtools, { perMessageDeflate: false });
await new Promise((open) => pipe.on("open", open));
let number = 0;
const waiting = new Map();
const complaints = [];
pipe.on("message", (data) => {
  const { id, result, error, method, params } = JSON.parse(data);
  if (id) {
    const { yes, no } = waiting.get(id);
    error ? no(new Error(error.message)) : yes(result);
  } else if (method === "Runtime.exceptionThrown") {
    complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
  } else if (method === "Log.entryAdded" && params.entry.level === "error" && params.entry.source !== "network") {
    complaints.push(params.entry.text);
  } else if (method === "Page.javascriptDialogOpening") {
    complaints.push("a script of somebody else ran: " + params.message);
  }
});
const send = (method, params = {}, sessionId) => new Promise((yes, no) => {
  waiting.set(++number, { yes, no });
  pipe.send(JSON.stringify({ id: number, method, params, sessionId }));
});

// A person with a browser window of its own: nothing is shared but the server.
class Person {
  static async at(url, { width = 1200, height = 800, dark = false } = {}) {
    const { browserContextId } = await send("Target.createBrowserContext");
    const { targetId } = await send("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const person = Object.assign(new Person(), { session: sessionId });
    for (const domain of ["Page", "Runtime", "Log"]) await person.cdp(`${domain}.enable`);
    await person.look({ width, height, dark });
    await person.cdp("Page.navigate", { url });
    await person.until("document.readyState === 'complete' && !document.getElementById('door')?.hidden");
    return person;
  }
  cdp(method, params) {
    return send(method, params, this.session);
  }
  async look({ width, height, dark }) {
    await this.cdp("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
    const features = [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }];
    await this.cdp("Emulation.setEmulatedMedia", { features });
  }
  async eval(expression) {
    const how = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.cdp("Runtime.evaluate", how);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
  async until(expression, ms = 15000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(30)) {
      if (await this.eval(expression).catch(() => false)) return;
    }
    throw new Error(`not in time: ${expression}\n${await this.eval("document.body.innerText")}`);
  }
  // As if typed, and Enter pressed.
  async submit(form, values) {
    for (const [id, value] of Object.entries(values)) {
      await this.eval(`document.getElementById(${JSON.stringify(id)}).focus()`);
      await this.eval(`document.getElementById(${JSON.stringify(id)}).value = ""`);
      await this.cdp("Input.insertText", { text: value });
    }
    await this.eval(`document.getElementById(${JSON.stringify(form)}).requestSubmit()`);
  }
  enter(name, room) {
    return this.submit("enter", { name, "first-room": room });
  }
  say(text) {
    return this.submit("say", { text });
  }
  // Clicks the button of a list that begins with a name; waits until it is there.
  async click(list, name) {
    const button = `[...document.querySelectorAll("#${list} button")].find((b) => b.textContent.startsWith(${JSON.stringify(name)}))`;
    await this.until(`Boolean(${button})`);
    await this.eval(`${button}.click()`);
  }
  // To the thread of a person, and back to the room.
  async choose(name) {
    await this.click("people", name);
    await this.sees(`In private with ${name}`);
  }
  async goBack() {
    await this.eval(`document.getElementById("back").click()`);
    await this.until(`document.getElementById("back").hidden`);
  }
  // What axe-core finds wrong, by WCAG 2 A and AA.
  async faults() {
    await this.eval(axe);
    return this.eval(`axe.run({ runOnly: ["wcag2a", "wcag2aa"], resultTypes: ["violations"] }).then((found) =>
      [found.passes.length > 5 ? [] : ["nothing was looked at"], found.violations.map((one) =>
        one.id + ": " + one.nodes.map((node) => node.target + " " + node.any[0]?.message).slice(0, 3))].flat())`);
  }
  // What the log shows: messages as "who: text", with a mark for those that were replayed.
  log() {
    return this.eval(`[...document.querySelectorAll("#log li")].filter((li) => li.querySelector("p")).map((li) =>
      (li.matches(".replay") ? "(again) " : "") + (li.matches(".waits") ? "(waits) " : "")
      + li.querySelector("b").textContent + ": " + li.querySelector("p").textContent)`);
  }
  // Waits until the log, from a line on, is this.
  async shows(expected, from = 0) {
    let log = [];
    for (const end = Date.now() + 15000; Date.now() < end; await sleep(30)) {
      log = (await this.log()).slice(from);
      if (JSON.stringify(log) === JSON.stringify(expected)) return;
    }
    assert.deepEqual(log, expected);
  }
  sees(text) {
    return this.until(`document.body.innerText.includes(${JSON.stringify(text)})`);
  }
  async shot(name) {
    if (!process.env.SHOTS) return;
    const { data } = await this.cdp("Page.captureScreenshot", { format: "png" });
    writeFileSync(join(process.env.SHOTS, `${name}.png`), Buffer.from(data, "base64"));
  }
}

// Somebody without a window: as much of a client as it takes to sit in a room and to speak there.
function guest(name, room) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  return new Promise((inside, refused) => {
    socket.on("error", refused);
    socket.on("message", (data) => {
      const packet = String(data);
      if (packet[0] === "0") socket.send(`40${JSON.stringify({ name })}`);
      if (packet === "2") socket.send("3");
      if (packet.startsWith("40")) socket.send(`420${JSON.stringify(["join", room])}`);
      if (packet.startsWith("44")) refused(new Error(packet));
      if (packet.startsWith("430")) inside({ say: (text) => socket.send(`42${JSON.stringify(["say", room, text])}`) });
    });
  });
}

const ada = await Person.at(`http://127.0.0.1:${port}/`);
const bob = await Person.at(`http://127.0.0.1:${cutPort}/`, { width: 360, height: 740, dark: true });
await ada.shot("door-desk-light");
await bob.shot("door-phone-dark");

await check("two browsers enter a room and see each other", async () => {
  await ada.enter("Ada", "tea");
  await ada.sees("connected as Ada");
  await bob.enter("ada", "tea");
  await bob.sees("is taken");
  await bob.enter("Bob", "tea");
  await bob.sees("connected as Bob");
  await ada.sees("Bob joined");
  await ada.until(`document.getElementById("people").innerText.includes("Bob")`);
});

await check("what is said is seen by both, and HTML in it is text", async () => {
  await ada.say("hello, layers");
  const evil = `<img src=x onerror="alert(1)"><script>alert(2)</script>&amp;`;
  await bob.say(evil);
  await ada.sees(evil);
  const expected = ["Ada: hello, layers", `Bob: ${evil}`];
  for (const person of [ada, bob]) {
    await person.until(`document.querySelectorAll("#log li p").length === 2`);
    assert.deepEqual(await person.log(), expected);
    assert.equal(await person.eval(`document.querySelectorAll("#log img, #log script").length`), 0);
  }
});

await check("typing is shown", async () => {
  await bob.eval(`document.getElementById("text").focus()`);
  await bob.cdp("Input.insertText", { text: "hm" });
  await ada.sees("Bob is typing");
});

await check("a private message reaches one person only, and stands in a thread of its own", async () => {
  const eve = await Person.at(`http://127.0.0.1:${port}/`);
  await eve.enter("Eve", "tea");
  await ada.sees("Eve joined");
  await ada.choose("Bob");
  await ada.say("psst");
  await ada.shows(["Ada: psst"]);
  // Bob reads the room. He is told that there is something, and goes there.
  await bob.until(`document.title === "(1) netlayers chat"`);
  assert.ok(!(await bob.log()).some((line) => line.includes("psst")));
  await bob.until(`document.getElementById("threads").innerText.replace(/\\s+/g, " ") === "Ada 1 new"`);
  await bob.click("threads", "Ada");
  await bob.until(`document.title === "netlayers chat"`);
  await bob.shows(["Ada: psst"]);
  await bob.say("what is it?");
  await ada.shows(["Ada: psst", "Bob: what is it?"]);
  await bob.goBack();
  await ada.goBack();
  await ada.say("aloud");
  await eve.sees("aloud");
  await bob.sees("aloud");
  for (const person of [ada, bob, eve]) assert.ok(!(await person.log()).some((line) => line.includes("psst")));
});

await check("the layers of an event are shown, with lengths that add up", async () => {
  const [text, packet] = await ada.eval(`(() => {
    const shown = [...document.querySelectorAll("#packets li")];
    const li = shown.find((li) => li.innerText.includes('["say","tea","aloud"') && li.innerText.includes("sent"));
    return [li.innerText.replace(/\\s+/g, " "), li.querySelector("code").textContent];
  })()`);
  const length = Buffer.byteLength(packet) + 1; // and Engine.IO's digit
  assert.ok(length < 126, packet);
  assert.match(text, new RegExp(`${length + 6} bytes for TCP`));
  assert.match(text, new RegExp(`81 ${(length | 128).toString(16)} \\+ 4 bytes of mask`));
});

await check("who is cut off gets what it missed: once, in order, marked, and sends what waited", async () => {
  await bob.eval(`document.getElementById("text").value = ""`);
  const before = (await bob.log()).length;
  await askTest("cut");
  await bob.sees("connection lost");
  await ada.sees("Bob (away)");
  await bob.say("said while it was broken");
  await bob.sees("not sent yet");
  await bob.shot("broken-phone-dark");
  for (const n of [1, 2, 3]) await ada.say(`missed ${n}`);
  await ada.choose("Bob");
  await ada.say("missed in private");
  await ada.sees("missed in private");
  await ada.goBack();
  await askTest("mend");
  await bob.sees("replayed 4, nothing is missing");
  const own = "Bob: said while it was broken";
  await ada.sees("said while it was broken");
  await bob.until(`!document.querySelector(".waits")`);
  await bob.shows(["(again) Ada: missed 1", "(again) Ada: missed 2", "(again) Ada: missed 3", own], before);
  await bob.click("threads", "Ada");
  await bob.shows(["Ada: psst", "Bob: what is it?", "(again) Ada: missed in private"]);
  await bob.goBack();
  assert.equal((await ada.log()).filter((line) => line === own).length, 1);
  await ada.until(`!document.body.innerText.includes("Bob (away)")`);
});

await check("a server that ends and comes back is found again, and nothing is missing", async () => {
  await bob.say("before the restart");
  await ada.sees("before the restart");
  await askTest("restart");
  for (const person of [ada, bob]) await person.sees("nothing is missing");
  await ada.until(`document.getElementById("status").textContent === "connected as Ada"`);
  await bob.until(`document.getElementById("status").textContent === "connected as Bob"`);
  await ada.say("after the restart");
  await bob.sees("after the restart");
  assert.equal((await bob.log()).filter((line) => line.includes("before the restart")).length, 1);
});

await check("a reload is the same person, with the history", async () => {
  await bob.cdp("Page.reload");
  await bob.sees("connected as Bob");
  await bob.sees("missed 2");
  await bob.sees("after the restart");
  const log = await bob.log();
  assert.equal(new Set(log).size, log.length, log.join("\n"));
  await bob.click("threads", "Ada");
  await bob.shows(["Ada: psst", "Bob: what is it?", "Ada: missed in private"]);
  await bob.goBack();
});

let pupils;
await check("a class of fifty is listed as people sort, and leaves the layers in view", async () => {
  const numbers = Array.from({ length: 50 }, (_, i) => i + 1);
  pupils = await Promise.all(numbers.map((n) => guest(`pupil ${n}`, "class")));
  await bob.eval(`document.getElementById("find").open = true`); // on a telephone it is folded
  for (const person of [ada, bob]) await person.submit("join", { room: "class" });
  for (const person of [ada, bob]) await person.until(`document.getElementById("count").textContent === "(52)"`);
  const names = await ada.eval(`[...document.querySelectorAll("#people b")].map((b) => b.textContent)`);
  assert.deepEqual(names, ["Ada", "Bob", ...numbers.map((n) => `pupil ${n}`)]);
  assert.ok(await ada.eval(`document.querySelector("nav h2").offsetHeight > 0`), "the rooms have their heading");
  const people = await ada.eval(`[people.scrollHeight > people.clientHeight, people.clientHeight > 100]`);
  assert.deepEqual(people, [true, true], "it scrolls, and has room");
  const [top, bottom] = await ada.eval(`(({ top, bottom }) => [top, bottom])(layers.getBoundingClientRect())`);
  assert.ok(bottom <= 800 && bottom - top >= 150, `the layers are from ${top} to ${bottom}`);
  assert.ok(await bob.eval(`people.clientHeight < 0.4 * innerHeight`), "on a telephone the list is bounded, too");
  assert.ok(await bob.eval("document.documentElement.scrollWidth <= innerWidth"));
});

await check("many who come are one line", async () => {
  for (const name of ["Gil", "Hal", "Ian"]) await guest(name, "class");
  await ada.until(`document.querySelector("#log li:last-child").textContent.endsWith("Ian joined")`);
  const names = await ada.eval(`[...document.querySelectorAll("#log li:last-child b")].map((b) => b.textContent)`);
  assert.deepEqual(names.slice(-3), ["Gil", "Hal", "Ian"]);
});

await check("a reader further up stays there, and is told that there is more", async () => {
  for (let n = 0; n < 30; n++) pupils[n].say(`line ${n}`);
  await ada.until(`document.querySelectorAll("#log p").length === 30`);
  await ada.eval(`document.getElementById("scroll").scrollTop = 0`);
  await sleep(200); // the browser tells the page of it a frame later
  pupils[0].say("something new");
  await ada.sees("1 new message");
  pupils[1].say("and more");
  await ada.sees("2 new messages");
  assert.equal(await ada.eval(`document.getElementById("scroll").scrollTop`), 0);
  await ada.shot("below-desk-light");
  await ada.eval(`below.click()`);
  await ada.until(`below.hidden && (({ scrollHeight, scrollTop, clientHeight }) =>
    scrollHeight - scrollTop - clientHeight < 5)(document.getElementById("scroll"))`);
});

await check("rooms that exist are found, and what is said elsewhere is marked", async () => {
  const gambit = await guest("Gambit", "chess 10");
  await guest("Rook", "chess 2");
  await ada.eval(`document.getElementById("room").blur()`);
  await sleep(2100); // who looked just now does not ask again
  await ada.eval(`document.getElementById("room").focus()`);
  await ada.until(`document.getElementById("others").innerText.includes("chess")`);
  const others = await ada.eval(`[...document.querySelectorAll("#others button")].map((b) => b.textContent)`);
  assert.deepEqual(others, ["chess 2 1 here", "chess 10 1 here"]);
  await ada.click("others", "chess 10");
  await ada.sees("Room chess 10");
  await ada.until(`!document.getElementById("others").innerText.includes("chess 10")`);
  pupils[4].say("who plays?");
  await ada.until(`document.title === "(1) netlayers chat"`);
  pupils[5].say("I do");
  await ada.until(`document.title === "(2) netlayers chat"`);
  const rooms = await ada.eval(`[...document.querySelectorAll("#rooms li")].map((li) => li.innerText.replace(/\\s+/g, " "))`);
  assert.deepEqual(rooms, ["tea ×", "class 2 new ×", "chess 10 ×"]);
  await ada.shot("unread-desk-light");
  gambit.say("e4");
  await ada.sees("e4");
  assert.equal(await ada.eval("document.title"), "(2) netlayers chat");
  await ada.click("rooms", "class");
  await ada.sees("who plays?");
  await ada.until(`document.title === "netlayers chat"`);
});

await ada.shot("chat-desk-light");
await bob.shot("chat-phone-dark");
const faults = [await ada.faults(), await bob.faults()];
await ada.look({ width: 1200, height: 800, dark: true });
await bob.look({ width: 390, height: 740, dark: false });
await ada.shot("chat-desk-dark");
await bob.shot("chat-phone-light");
assert.ok(await bob.eval("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than a phone");
await check("axe-core finds nothing wrong, on a desk and on a telephone, light and dark", async () => {
  faults.push(await ada.faults(), await bob.faults());
  await ada.choose("pupil 7");
  faults.push(await ada.faults());
  await ada.shot("thread-desk-dark");
  await ada.goBack();
  assert.deepEqual(faults.flat(), []);
});
if (process.env.SHOTS) {
  await bob.look({ width: 390, height: 1900, dark: false });
  await bob.shot("chat-phone-all");
}

await check("a server that has forgotten everything is joined anew, and all that is said there is seen", async () => {
  await askTest("forget");
  for (const person of [ada, bob]) {
    await person.sees("Too late for a replay");
    await person.until(`document.getElementById("status").textContent.startsWith("connected as")`);
  }
  for (const n of [1, 2, 3]) {
    await ada.say(`new ${n}`);
    await bob.sees(`new ${n}`);
  }
  for (const person of [ada, bob]) assert.deepEqual(await person.log(), ["Ada: new 1", "Ada: new 2", "Ada: new 3"]);
});
assert.deepEqual(complaints, [], "no page complained");
process.exit(0);
