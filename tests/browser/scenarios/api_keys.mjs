// An API key is made, copied, used by a program, and revoked; the page shows it once.

import assert from "node:assert/strict";
import { origin, scenario } from "../harness.mjs";
import { assertGone, judge } from "../judges.mjs";
import { heading, row, signedIn } from "../people.mjs";

await scenario(async (house) => {
  const page = await signedIn(await house.visitor({ permissions: ["clipboard-read", "clipboard-write"] }));
  await page.goto("/settings/account");
  await page.getByRole("button", { name: "Create Key" }).click();
  const dialog = page.getByRole("dialog", { name: "Create API Key" });
  await judge(page, "the dialog of a new key");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByLabel("Key Name").and(page.locator("[aria-invalid=true]")).waitFor();
  await dialog.getByLabel("Key Name").fill("nightly <b>sync</b>");
  await dialog.getByRole("button", { name: "Create" }).click();
  const shown = dialog.getByRole("textbox", { name: "API key" });
  await shown.getByText(/^dak_/).or(shown.filter({ hasText: "dak_" })).first().waitFor();
  const key = (await shown.textContent()).trim();
  assert.match(key, /^dak_[0-9A-Za-z]{46}$/);
  await judge(page, "a key that is shown once");
  await dialog.getByRole("button", { name: "Copy" }).click();
  await dialog.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  assert.equal(await useKey(key), 200);
  await dialog.getByRole("button", { name: "Done" }).click();

  // From now on only its first characters are known.
  await row(page, "nightly <b>sync</b>").getByText(key.slice(0, 8)).waitFor();
  await assertGone(page, [key]);
  await judge(page, "the account with a key");
  await page.goto("/settings/secrets");
  await page.goBack();
  await heading(page, "Account Settings").waitFor();
  await assertGone(page, [key]);

  await page.getByRole("button", { name: "Revoke nightly <b>sync</b>" }).click();
  const confirm = page.getByRole("dialog", { name: "Revoke API Key" });
  await judge(page, "the confirmation of a revocation");
  await confirm.getByRole("button", { name: "Revoke" }).click();
  await row(page, "nightly").waitFor({ state: "detached" });
  assert.equal(await useKey(key), 401);
});

async function useKey(key) {
  const answer = await fetch(`${origin.replace("localhost", "127.0.0.1")}/api/secrets`, { headers: { authorization: `Bearer ${key}` } });
  return answer.status;
}
