// JavaScript is switched off: invitation, login, second factor, temporary password and logout work; the rest says what it needs.

import assert from "node:assert/strict";
import { dango, origin, scenario } from "../harness.mjs";
import { ADMIN, authenticator, choosePassword, heading, signIn } from "../people.mjs";

const OWN = "another horse in the stable";

await scenario(async (house) => {
  // Playwright waits for what moves with script of its own, which is off, too.
  const page = await house.visitor({ javaScriptEnabled: false, reducedMotion: "reduce" });
  const invited = JSON.parse(await dango("auth", "add-user", "carol@team.example", "--base-url", origin, "--json"));
  await page.goto(invited.invite_url);
  await choosePassword(page, OWN, ["Password", "Confirm Password", "Set Password"]);
  await page.waitForURL(/\/login$/);
  await signIn(page, { email: "carol@team.example", password: OWN });
  await heading(page, "Account Settings").waitFor();
  await saysWhatItNeeds(page);
  await leave(page);

  const added = JSON.parse(await dango("auth", "add-user", "bob@team.example", "--password", "--json"));
  await signIn(page, { email: "bob@team.example", password: added.temp_password });
  await heading(page, "Change your password").waitFor();
  await page.getByLabel("Current Password").fill(added.temp_password);
  await choosePassword(page, OWN, ["New Password", "Confirm New Password", "Change Password"]);
  await page.waitForURL(/\/login$/);

  await signIn(page, { ...ADMIN, password: "wrong" });
  await page.getByText("The email or the password is not right.").waitFor();
  await signIn(page);
  await heading(page, "Secrets & Credentials").waitFor();
  await saysWhatItNeeds(page);
  for (const [path, name] of [["/settings/users", "User Management"], ["/settings/audit", "Audit Log"]]) {
    await page.goto(path);
    await heading(page, name).waitFor();
  }
  const code = await secondFactor(page);
  await leave(page);
  await signIn(page);
  await heading(page, "Two-factor authentication").waitFor();
  await page.getByLabel("Authentication code").fill(await code());
  await page.getByRole("button", { name: "Verify" }).first().click();
  await heading(page, "Secrets & Credentials").waitFor();
});

// Playwright passes over `noscript` when it looks for texts and roles.
async function saysWhatItNeeds(page) {
  const sentence = page.locator("noscript p");
  await sentence.waitFor();
  assert.match(await sentence.innerText(), /JavaScript, which is switched off/);
}

// Logs out, by a menu that opens without script.
async function leave(page) {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("button", { name: "Logout" }).click();
  await page.waitForURL(/\/login/);
}

// Switches the second factor on over the API, as a page with script does.
async function secondFactor(page) {
  const post = async (path, data) => {
    const answer = await page.context().request.post(path, { data, headers: { origin } });
    assert.equal(answer.status(), 200, path);
    return answer.json();
  };
  const { secret } = await post("/api/auth/2fa/setup", { password: ADMIN.password });
  const code = authenticator(secret);
  await post("/api/auth/2fa/verify-setup", { code: await code() });
  return code;
}
