// What pages are held against: accessibility in both schemes, narrow windows, the keyboard, and what is left behind. How Chromium is
// started is in `harness.mjs`.

import assert from "node:assert/strict";
import { axeSource } from "./harness.mjs";

const SCHEMES = ["light", "dark"];
const GRAVE = ["serious", "critical"];

// Nothing serious or critical is wrong with what is shown, in light and in dark.
export async function axe(page, state) {
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(`globalThis.axe ?? (() => { ${axeSource} })()`);
    const violations = await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations);
    const grave = violations.filter(({ impact }) => GRAVE.includes(impact));
    const told = grave.map(({ id, help, nodes }) => `${id} (${help}):\n    ${nodes.map((node) => `${node.html}\n      ${node.failureSummary}`).join("\n    ")}`);
    assert.equal(grave.length, 0, `${state} in ${colorScheme}:\n  ${told.join("\n  ")}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

// At 320 px, which is also what 400 % leaves of 1280 px, nothing makes the page scroll sideways.
export async function noSidewaysScroll(page, state) {
  const before = page.viewportSize();
  for (const size of [{ width: 320, height: 640 }, { width: 320, height: 256 }]) {
    await page.setViewportSize(size);
    const wide = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.scrollingElement;
      if (scrollWidth <= clientWidth) return [];
      const beyond = [...document.body.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > clientWidth + 0.5);
      return [`${scrollWidth} px in ${clientWidth} px`, ...beyond.slice(0, 5).map((element) => element.outerHTML.slice(0, 120))];
    });
    assert.deepEqual(wide, [], `${state} scrolls sideways at ${size.width} × ${size.height}`);
  }
  await page.setViewportSize(before);
}

// Everything at once, for what is shown now.
export async function judge(page, state) {
  await axe(page, state);
  await noSidewaysScroll(page, state);
}

// Goes on with the Tab key until something has the focus, as somebody without a mouse does, and sees where the focus is.
export async function tabTo(page, wanted, { key = "Tab" } = {}) {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement).catch(() => false)) {
      const isSeen = await wanted.evaluate((element) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
      });
      assert.ok(isSeen, `the focus on ${wanted} is not to be seen`);
      return;
    }
    await page.keyboard.press(key);
  }
  assert.fail(`80 times ${key} do not reach ${wanted}`);
}

// A secret is nowhere that a page keeps things: not in the document, its fields, its storage or its history.
export async function assertGone(page, secrets) {
  const kept = await page.evaluate(() => {
    const values = [...document.querySelectorAll("input, textarea, select")].map((field) => field.value);
    const stores = [localStorage, sessionStorage].map((store) => JSON.stringify({ ...store }));
    return [document.documentElement.outerHTML, ...values, ...stores, document.cookie, JSON.stringify(history.state), location.href].join("\n");
  });
  for (const secret of secrets) assert.ok(!kept.includes(secret), `${page.url()} still holds what was shown once`);
}
