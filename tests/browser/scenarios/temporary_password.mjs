// Somebody with a temporary password has to choose their own before anything else.

import assert from "node:assert/strict";
import { dango, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { heading, signIn, signedIn } from "../people.mjs";

const OWN = "another horse in the stable";

await scenario(async (house) => {
  const added = JSON.parse(await dango("auth", "add-user", "bob@team.example", "--role", "editor", "--password", "--json"));
  const page = await house.visitor();
  await signIn(page, { email: "bob@team.example", password: added.temp_password });
  await heading(page, "Change your password").waitFor();
  assert.equal(new URL(page.url()).pathname, "/setup");
  await judge(page, "a temporary password");
  for (const elsewhere of ["/", "/settings/account", "/settings/secrets"]) {
    await page.goto(elsewhere);
    assert.equal(new URL(page.url()).pathname, "/setup", elsewhere);
  }

  const change = async (current, wanted, again) => {
    await page.getByLabel("Current Password").fill(current);
    await page.getByLabel("New Password", { exact: true }).fill(wanted);
    await page.getByLabel("Confirm New Password").fill(again);
    await page.getByRole("button", { name: "Change Password" }).click();
  };
  await change("not this one", OWN, OWN);
  await page.getByLabel("Current Password").and(page.locator("[aria-invalid=true]")).waitFor();
  await judge(page, "a wrong current password");
  await change(added.temp_password, OWN, `${OWN}!`);
  await page.getByLabel("Confirm New Password").and(page.locator("[aria-invalid=true]")).waitFor();
  await change(added.temp_password, "password1", "password1");
  await page.getByLabel("New Password", { exact: true }).and(page.locator("[aria-invalid=true]")).waitFor();
  await change(added.temp_password, OWN, OWN);
  await page.waitForURL(/\/login$/);
  await signedIn(page, { email: "bob@team.example", password: OWN });
  await heading(page, "Account Settings").waitFor();

  // Secrets are not theirs; the page says so and leads back.
  const answer = await page.goto("/settings/secrets");
  assert.equal(answer.status(), 403);
  await judge(page, "a page that the role does not allow");
  await page.getByRole("link", { name: "Go to the start page" }).click();
  await heading(page, "Account Settings").waitFor();
});
