// Cards of connections change at the very second: seven days before the end, and at the end.

import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { card, signedIn } from "../people.mjs";

const WEEK = 7 * 86_400_000;

await scenario(async (house) => {
  const page = await signedIn(await house.visitor());
  await turnsAt(page, "Almost Week", WEEK, [/^Expires /, "gray", 0], [/^Expires /, "amber", 1]);
  await turnsAt(page, "Almost Over", 0, [/^Expires /, "amber", 1], ["Expired", "red", 1]);
});

// A card changes at the second at which it should: what was loaded before that is the one, what was asked for after it the other.
async function turnsAt(page, title, left, before, after) {
  const name = title.toLowerCase().replace(" ", "_");
  // RFC 3339, to the second.
  const end = Math.ceil((Date.now() + left) / 1000) * 1000 + 12_000;
  const text = new Date(end).toISOString().replace(".000", "");
  await appendFile(".dlt/secrets.toml", `\n[dango.oauth.${name}]\nprovider = "corp"\ncreated_at = "2026-01-01T00:00:00Z"\nexpires_at = "${text}"\n`);
  const turn = end - left;
  let samples = 0;
  for (;;) {
    const asked = Date.now();
    await page.goto("/settings/secrets");
    const loaded = Date.now();
    const [word, colour, reconnects] = asked >= turn ? after : before;
    if (asked >= turn || loaded < turn) {
      const shown = card(page, title);
      const badge = shown.locator(".badge").filter({ hasText: word });
      assert.equal(await badge.count(), 1, `${title}, ${turn - asked} ms before: ${await shown.innerText()}`);
      assert.match(await badge.getAttribute("class"), new RegExp(colour), `${turn - asked} ms before the turn`);
      assert.equal(await shown.getByRole("link", { name: `Reconnect ${title}` }).count(), reconnects);
      samples += 1;
    }
    if (asked >= turn) break;
    await pause(Math.min(200, Math.max(1, turn - Date.now())));
  }
  assert.ok(samples >= 2, `${samples} looks at ${title}`);
  await judge(page, `${title} after its turn`);
}
