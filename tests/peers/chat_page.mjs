// Browsers on the chat's page: node chat_page.mjs PORT CUT_PORT
//
// Drives headless Chromium by its DevTools protocol. CUT_PORT leads to the same server through a proxy of the test,
// which cuts its connections when it reads "cut" here on standard output, and says "done" on standard input.
// Prints one line a check and ends with 1 when one fails. With SHOTS=folder it leaves pictures of the page there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const require = createRequire(createRequire(pathToFileURL(process.cwd() + "/")).resolve("engine.io-client"));
const WebSocket = require("ws");

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
  choose(name) {
    const buttons = `[...document.querySelectorAll("#people button")]`;
    return this.eval(`${buttons}.find((b) => b.textContent.startsWith(${JSON.stringify(name)})).click()`);
  }
  // What the log shows: messages as "who: text", with a mark for those that were replayed.
  log() {
    return this.eval(`[...document.querySelectorAll("#log li")].filter((li) => li.querySelector("p")).map((li) =>
      (li.matches(".replay") ? "(again) " : "") + (li.matches(".waits") ? "(waits) " : "")
      + li.querySelector("b").textContent + ": " + li.querySelector("p").textContent)`);
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

await check("a private message reaches one person only", async () => {
  const eve = await Person.at(`http://127.0.0.1:${port}/`);
  await eve.enter("Eve", "tea");
  await ada.sees("Eve joined");
  await ada.choose("Bob");
  await ada.sees("In private to Bob");
  await ada.say("psst");
  await bob.sees("psst");
  await ada.eval(`document.getElementById("everyone").click()`);
  await ada.say("aloud");
  await eve.sees("aloud");
  assert.ok(!(await eve.log()).some((line) => line.includes("psst")));
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
  await ada.eval(`document.getElementById("everyone").click()`);
  await ada.sees("missed in private");
  await askTest("mend");
  await bob.sees("replayed 4, nothing is missing");
  const own = "Bob: said while it was broken";
  await ada.sees("said while it was broken");
  await bob.until(`!document.querySelector(".waits")`);
  assert.deepEqual((await bob.log()).slice(before), [
    "(again) Ada: missed 1", "(again) Ada: missed 2", "(again) Ada: missed 3",
    "(again) Ada to Bob, in private: missed in private", own,
  ]);
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
  await bob.sees("missed in private");
  const log = await bob.log();
  assert.equal(new Set(log).size, log.length, log.join("\n"));
});

await ada.shot("chat-desk-light");
await bob.shot("chat-phone-dark");
await ada.look({ width: 1200, height: 800, dark: true });
await bob.look({ width: 360, height: 740, dark: false });
await ada.shot("chat-desk-dark");
await bob.shot("chat-phone-light");
assert.ok(await bob.eval("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than a phone");
if (process.env.SHOTS) {
  await bob.look({ width: 360, height: 1900, dark: false });
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
