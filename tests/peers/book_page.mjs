// The pages of the book as a reader's eyes need them: node book_page.mjs FOLDER_OF_PAGES
//
// Drives headless Chromium by its DevTools protocol and asks axe-core, on every chapter, in the light and in the dark theme,
// with every fold open: contrast by WCAG 2 AA, names of controls, regions that scroll. Then a telephone of 390 pixels: no
// page is wider, and every ladder is whole on it. Prints what is wrong and ends with 1 when anything is.
// With SHOTS=folder it leaves pictures there.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const here = createRequire(pathToFileURL(process.cwd() + "/"));
const WebSocket = createRequire(here.resolve("engine.io-client"))("ws");
const axe = readFileSync(here.resolve("axe-core/axe.min.js"), "utf8");
const folder = resolve(process.argv[2]);

const profile = mkdtempSync(join(tmpdir(), "netlayers-book-"));
const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files", "--remote-debugging-port=0"];
const browser = spawn("chromium", [...args, `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
process.on("exit", () => {
  browser.kill("SIGKILL");
  try { rmSync(profile, { recursive: true, force: true, maxRetries: 5 }); } catch { /* it is in /tmp */ }
});
process.on("SIGTERM", () => process.exit(1));
setTimeout(() => { console.error("took too long"); process.exit(1); }, 540000).unref();
const devtools = await new Promise((found) => {
  createInterface({ input: browser.stderr }).on("line", (line) => {
    const at = /DevTools listening on (ws:.*)/.exec(line);
    if (at) found(at[1]);
  });
});
const pipe = new WebSocket(devtools, { perMessageDeflate: false });
await new Promise((open) => pipe.on("open", open));
let number = 0;
const waiting = new Map();
let loaded = () => {};
pipe.on("message", (data) => {
  const { id, result, error, method } = JSON.parse(data);
  if (method === "Page.loadEventFired") loaded();
  if (!id) return;
  const { yes, no } = waiting.get(id);
  error ? no(new Error(error.message)) : yes(result);
});
let sessionId;
const send = (method, params = {}) => new Promise((yes, no) => {
  waiting.set(++number, { yes, no });
  pipe.send(JSON.stringify({ id: number, method, params, sessionId }));
});
const { targetId } = await send("Target.createTarget", { url: "about:blank" });
({ sessionId } = await send("Target.attachToTarget", { targetId, flatten: true }));
await send("Page.enable");
const eval_ = async (expression) => {
  const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
};
async function open(page, { width, theme }) {
  await send("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 });
  const features = [{ name: "prefers-color-scheme", value: theme === "light" ? "light" : "dark" }];
  await send("Emulation.setEmulatedMedia", { features });
  const done = new Promise((yes) => { loaded = yes; });
  await send("Page.navigate", { url: pathToFileURL(join(folder, page)).href });
  await done;
  if (!await eval_(`document.documentElement.classList.contains(${JSON.stringify(theme)})`)) throw new Error(`${page} is not in ${theme}`);
}
async function shot(name, wholePage = false) {
  if (!process.env.SHOTS) return;
  const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: wholePage });
  writeFileSync(join(process.env.SHOTS, `${name}.png`), Buffer.from(data, "base64"));
}
// A checkbox of mdBook's own, with an attribute that a checkbox does not take.
const MDBOOK = "#mdbook-sidebar-toggle";
const unfold = `for (const fold of document.querySelectorAll("main details")) fold.open = true`;

const faults = [];
let measured = 0;
const chapters = readdirSync(folder).filter((name) => name.endsWith(".html") && !["404.html", "toc.html", "print.html", "index.html"].includes(name));
const source = "source/src/layers/transport/udp.rs.html";
for (const page of [...chapters, source]) {
  for (const theme of ["light", "navy"]) {
    await open(page, { width: 1200, theme });
    await shot(`${page.replace(/\W/g, "-")}-${theme}`);
    await eval_(unfold);
    await eval_(axe);
    const { violations, looked } = await eval_(`axe.run({ exclude: [${JSON.stringify(MDBOOK)}] }, { runOnly: ["wcag2a", "wcag2aa"], resultTypes: ["violations"] })
      .then((found) => ({ looked: found.passes.length, violations: found.violations.map((one) => [one.id, one.nodes.length,
        one.nodes.slice(0, 3).map((node) => node.target.join(" ") + ": " + (node.any[0]?.message ?? node.failureSummary))]) }))`);
    measured += looked > 5;
    for (const [rule, count, nodes] of violations) faults.push(`${page} in ${theme}: ${rule} (${count}): ${nodes.join("; ")}`);
  }
  await open(page, { width: 390, theme: "light" });
  await shot(`${page.replace(/\W/g, "-")}-phone`);
  await eval_(unfold);
  await shot(`${page.replace(/\W/g, "-")}-phone-open`, true);
  if (!await eval_("document.documentElement.scrollWidth <= innerWidth")) faults.push(`${page} is wider than a telephone`);
  const cut = await eval_(`[...document.querySelectorAll("figure[id*=ladder] .nl-narrow")].filter((one) => {
    const scroll = one.closest(".nl-scroll");
    return one.offsetWidth === 0 || scroll.scrollWidth > scroll.clientWidth;
  }).map((one) => one.closest("figure").id)`);
  for (const id of cut) faults.push(`${page}: ${id} is not whole on a telephone`);
  const unsaid = await eval_(`[...document.querySelectorAll(".nl-scroll")].filter((one) => one.scrollWidth > one.clientWidth + 1
    && one.previousElementSibling?.hidden !== false).map((one) => one.parentElement.id)`);
  for (const id of unsaid) faults.push(`${page}: ${id} scrolls, and nothing says so`);
}
if (measured !== 2 * (chapters.length + 1)) faults.push(`only ${measured} pages were measured`);
for (const fault of faults) console.error(fault);
console.log(`${chapters.length} chapters, ${measured} measurements, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
