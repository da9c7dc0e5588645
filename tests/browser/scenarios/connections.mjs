// A source is connected to its provider in a browser, and everything that may come between: another account, a login that ended
// meanwhile, boxes that were not ticked, no at the provider.

import assert from "node:assert/strict";
import { origin, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { ADMIN, card, firstSignedIn, heading, isSaid, logOut, typeLogin } from "../people.mjs";

const GOOGLE = process.env.DANGO_TEST_PROVIDER;
const SHEETS = "https://www.googleapis.com/auth/spreadsheets.readonly";

// The server is known by a name of its own; Chromium finds it where it really is.
const PLACE = [`MAP ${new URL(origin).host}:443 ${process.env.DANGO_TEST_ADDRESS}`, "EXCLUDE localhost"];

const tell = (what) => fetch(`${GOOGLE}/tell/${what}`);
const notice = (page, text) => page.locator("#notices").filter({ hasText: text }).waitFor();

await scenario(async (house) => {
  const page = await house.visitor({ others: [GOOGLE], ignoreHTTPSErrors: true });
  await firstSignedIn(page);
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
}, PLACE);
