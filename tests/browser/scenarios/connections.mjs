// A source is connected to its provider in a browser, and everything that may come between: another account, a login that ended
// meanwhile, boxes that were not ticked, no at the provider; and cards at the very second at which they change.

import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { dango, origin, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { ADMIN, choosePassword, heading, isSaid, logOut, typeLogin } from "../people.mjs";

const GOOGLE = process.env.DANGO_TEST_PROVIDER;
const WEEK = 7 * 86_400_000;
const SHEETS = "https://www.googleapis.com/auth/spreadsheets.readonly";

// The server is known by a name of its own; Chromium finds it where it really is.
const PLACE = [`MAP ${new URL(origin).host}:443 ${process.env.DANGO_TEST_ADDRESS}`, "EXCLUDE localhost"];

const tell = (what) => fetch(`${GOOGLE}/tell/${what}`);
const card = (page, title) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
const notice = (page, text) => page.locator("#notices").filter({ hasText: text }).waitFor();

await scenario(async (house) => {
  const page = await house.visitor({ others: [GOOGLE], ignoreHTTPSErrors: true });
  const invited = JSON.parse(await dango("auth", "add-user", ADMIN.email, "--role", "admin", "--base-url", origin, "--json"));
  await page.goto(invited.invite_url);
  await choosePassword(page, ADMIN.password, ["Password", "Confirm Password", "Set Password"]);
  await page.waitForURL(/\/login$/);
  await page.goto("/settings/secrets");
  await typeLogin(page, ADMIN);
  await heading(page, "Secrets & Credentials").waitFor();
  await judge(page, "what can be connected");

  // Without an app at the provider there is a sentence about it.
  await page.getByRole("link", { name: "Connect Facebook Ads" }).click();
  await notice(page, "The server has no client id and secret for this provider yet.");

  // Connected; the app is in Testing, so it ends in seven days.
  await page.getByRole("link", { name: "Connect Google Sheets", exact: true }).click();
  await notice(page, "Google Sheets is connected.");
  const sheets = card(page, "Google Sheets");
  await sheets.getByText("ada@example.com").waitFor();
  await sheets.getByText(/^Expires /).waitFor();
  assert.equal(await page.getByRole("link", { name: "Connect Google Sheets", exact: true }).count(), 0);
  await judge(page, "a source that is connected");

  // Once more with the same account; another one is asked about first, and taken where it is wanted.
  await sheets.getByRole("link", { name: "Reconnect Google Sheets" }).click();
  await notice(page, "Google Sheets is connected.");
  await tell("account?email=eve@example.com");
  await sheets.getByRole("link", { name: "Reconnect Google Sheets" }).click();
  await notice(page, "This is another account than the one that was connected.");
  await sheets.getByText("ada@example.com").waitFor();
  await judge(page, "another account than before");
  await sheets.getByRole("link", { name: "Use another account for Google Sheets" }).click();
  await notice(page, "Google Sheets is connected.");
  await sheets.getByText("eve@example.com").waitFor();

  // Whoever logs out on the way has to begin again.
  await tell("hold");
  await sheets.getByRole("link", { name: "Reconnect Google Sheets" }).click({ noWaitAfter: true });
  await tell("wait");
  const other = await page.context().newPage();
  await other.goto("/settings/account");
  await logOut(other);
  await other.close();
  await tell("release");
  await page.waitForURL(/\/login\?next=/);
  await typeLogin(page, ADMIN);
  await notice(page, "The login at the provider has taken too long, or your session has ended.");

  // Gone, here and at the provider.
  await sheets.getByRole("button", { name: "Disconnect Google Sheets" }).click();
  const dialog = page.getByRole("dialog", { name: "Disconnect Source" });
  await judge(page, "the question before a source is disconnected");
  await dialog.getByRole("button", { name: "Disconnect" }).click();
  await isSaid(page, "Google Sheets is disconnected.");
  assert.equal(await sheets.count(), 0);

  // A box that was not ticked makes a limited connection.
  await tell(`untick?scope=${encodeURIComponent(SHEETS)}`);
  await page.getByRole("link", { name: "Connect Google Sheets", exact: true }).click();
  await notice(page, "Google Sheets is connected.");
  await sheets.getByText("Limited").waitFor();
  await sheets.getByText(`Missing: ${SHEETS}.`).waitFor();
  await judge(page, "a source that may not do everything");

  // No at the provider.
  await tell("deny");
  await sheets.getByRole("link", { name: "Reconnect Google Sheets" }).click();
  await notice(page, "The provider did not grant access, or it was declined there.");

  await turnsAt(page, "Almost Week", WEEK, [/^Expires /, "gray", 0], [/^Expires /, "amber", 1]);
  await turnsAt(page, "Almost Over", 0, [/^Expires /, "amber", 1], ["Expired", "red", 1]);
}, PLACE);

// A card changes at the second at which it should: what was loaded before that is the one, what was asked for after it the other.
async function turnsAt(page, title, left, before, after) {
  const name = title.toLowerCase().replace(" ", "_");
  // RFC 3339, to the second.
  const end = Math.ceil((Date.now() + left) / 1000) * 1000 + 8_000;
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
