// Opens a page from a file in a real Chromium and tells what it looks like, as one JSON line.
//
// Arguments: PAGE.html, the folder for screenshots. CHROMIUM names the browser. Every request that
// the page makes is listed; what is no file is refused as well.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const clients = process.env.NL_CLIENTS ?? import.meta.dirname;
const { chromium } = createRequire(path.join(clients, "package.json"))("playwright-core");
const [page_file, folder] = process.argv.slice(2);
const WIDTHS = [360, 1280];

// The width that a PNG's header says.
function png_width(file) {
  return fs.readFileSync(file).readUInt32BE(16);
}

// Runs inside the page: what reaches over the right edge, and how its text is set.
function look() {
  const root = document.documentElement;
  const over = [...document.querySelectorAll("body *")]
    .filter((element) => element.closest("thead") === null || root.clientWidth > 760)
    .filter((element) => {
      const inner = getComputedStyle(element).display !== "inline"
        && element.scrollWidth > element.clientWidth + 1;
      return inner || element.getBoundingClientRect().right > root.clientWidth + 0.5;
    })
    .map((element) => `${element.tagName} ${element.textContent.slice(0, 40)}`);
  return {
    scroll_width: root.scrollWidth,
    client_width: root.clientWidth,
    over,
    background: getComputedStyle(document.body).backgroundColor,
    text: document.body.innerText,
    sections: document.querySelectorAll("section").length,
    tables: document.querySelectorAll("table").length,
    headings: document.querySelectorAll("thead th[scope=col]").length,
    scripts: document.scripts.length,
  };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const said = { requests: [], messages: [], views: [] };
try {
  for (const color of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme: color });
    await context.route("**/*", (route) => {
      const url = route.request().url();
      said.requests.push(url);
      return url.startsWith("file:") ? route.continue() : route.abort();
    });
    const page = await context.newPage();
    page.on("console", (message) => said.messages.push(message.text()));
    page.on("pageerror", (error) => said.messages.push(String(error)));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(pathToFileURL(page_file).href);
      const shot = path.join(folder, `sheet-${width}-${color}.png`);
      await page.screenshot({ path: shot, fullPage: true });
      said.views.push({ width, color, shot, shot_width: png_width(shot),
        ...(await page.evaluate(look)) });
    }
    await context.close();
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify(said));
