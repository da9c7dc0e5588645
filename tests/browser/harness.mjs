// What every scenario starts with: Chromium, contexts in which nothing goes unseen, and the server's address. What people do on the
// pages is in `people.mjs`, what pages are held against in `judges.mjs`.

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";

const given = (name) => process.env[name] ?? fail(`${name} is not set: the end-to-end tests start scenarios with it`);
const packages = createRequire(`${given("DANGO_TEST_NODE_MODULES")}/`);
const { chromium } = packages("playwright-core");

// The text of axe-core, to be run in a page.
export const axeSource = packages("axe-core").source;

// The server's own origin.
export const origin = given("DANGO_TEST_URL");

// Far beyond what anything needs on a busy machine, so that only what never comes fails.
const PATIENCE = 20_000;
const ALL_IN_ALL = 100_000;

// What Chromium itself writes into the console: answers that a person may get for what they typed, that a logout clears up, and that
// somebody began to type before the page had put them where to.
const ORDINARY = [
  /^Failed to load resource: the server responded with a status of (400|401|403|404|405|409|410|422|423|429) /,
  /^Clear-Site-Data header /,
  /^Autofocus processing was blocked because a document already has a focused element/,
];

function fail(sentence) {
  throw new Error(sentence);
}

// Runs `dango` in the project of the running server, and gives what it says.
export async function dango(...words) {
  const { stdout } = await promisify(execFile)(given("DANGO_TEST_BINARY"), words);
  return stdout;
}

// Plays one scenario. It fails if the play does, or if anything was said, blocked or asked for that should not have been.
// `localhost` says how Chromium finds that name, in its own rules.
export async function scenario(play, localhost = ["EXCLUDE localhost"]) {
  const browser = await chromium.launch({
    executablePath: given("DANGO_TEST_CHROMIUM"),
    // A process of root has no sandbox, and containers have little shared memory. No name but these is found.
    args: ["--no-sandbox", "--disable-dev-shm-usage", `--host-resolver-rules=${[...localhost, "EXCLUDE 127.0.0.1", "MAP * ~NOTFOUND"].join(", ")}`],
  });
  const house = new House(browser);
  let bell;
  const late = new Promise((_, reject) => (bell = setTimeout(() => reject(new Error("the scenario does not come to its end")), ALL_IN_ALL)));
  try {
    await Promise.race([play(house), late]);
    house.assertQuiet();
  } catch (failure) {
    console.error(await house.everything());
    throw failure;
  } finally {
    clearTimeout(bell);
    await browser.close();
  }
}

class House {
  constructor(browser) {
    this.browser = browser;
    this.pages = [];
    this.found = [];
  }

  // A page of somebody who was never here. `options` are those of Playwright's contexts; `watched: false` is for pages of others, and
  // `others` are the origins of those to whom pages of ours lead: what happens there is their affair.
  async visitor({ watched = true, others = [], ...options } = {}) {
    const context = await this.browser.newContext({ baseURL: origin, locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
    context.setDefaultTimeout(PATIENCE);
    context.on("page", (page) => {
      this.pages.push(page);
      if (watched) this.#watch(page, others);
    });
    return context.newPage();
  }

  #watch(page, others) {
    const note = (what) => this.found.push(`${page.url()}: ${what}`);
    const isElsewhere = () => URL.canParse(page.url()) && others.includes(new URL(page.url()).origin);
    page.on("console", (message) => {
      if (isElsewhere()) return;
      const asset = message.location().url.includes("/assets/");
      if (asset || !ORDINARY.some((ordinary) => ordinary.test(message.text()))) note(`console ${message.type()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => note(`an error of the page: ${error}`));
    page.on("crash", () => note("the page crashed"));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (isElsewhere() || others.includes(url.origin)) return;
      if (url.origin !== origin && url.protocol !== "blob:") note(`asks another origin: ${url}`);
    });
  }

  // Nothing was written into the console, blocked by the policy, thrown, or asked of another origin.
  assertQuiet() {
    const found = this.found.splice(0);
    if (found.length > 0) fail(`not quiet:\n  ${found.join("\n  ")}`);
  }

  // All that can be seen, for whoever has to find out what went wrong.
  async everything() {
    const seen = this.pages.filter((page) => !page.isClosed()).map(async (page) => {
      const text = await page.locator("body").ariaSnapshot({ timeout: 2_000 }).catch((error) => `(${error.message})`);
      return `--- ${page.url()}\n${text}`;
    });
    return [...(await Promise.all(seen)), ...this.found].join("\n");
  }
}
