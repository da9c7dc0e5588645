// Signing in with an account elsewhere, at the certified OpenID provider: the first use, the second factor, and everybody who is not let in.

import assert from "node:assert/strict";
import { dango, origin, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { agreeAt, authenticator, choosePassword, heading, logOut, row } from "../people.mjs";

const PROVIDER = process.env.DANGO_TEST_PROVIDER;
const PASSWORD = "another horse in the stable";

const button = (page) => page.getByRole("link", { name: "Continue with Example" });

await scenario(async (house) => {
  const visitor = () => house.visitor({ others: [PROVIDER] });
  const invited = JSON.parse(await dango("auth", "add-user", "bob@example.com", "--base-url", origin, "--json"));
  const bob = await visitor();

  // Before the invitation is accepted nothing else opens the account.
  await bob.goto("/login");
  await judge(bob, "a login with a provider");
  await button(bob).click();
  await agreeAt(bob, PROVIDER, "bob");
  await bob.getByRole("alert").filter({ hasText: "This account cannot be used to sign in here." }).waitFor();
  await judge(bob, "somebody who is not let in");
  await bob.goto(invited.invite_url);
  await choosePassword(bob, PASSWORD, ["Password", "Confirm Password", "Set Password"]);
  await bob.waitForURL(/\/login$/);

  // The first use links by the verified address, and leads to the page that was wanted.
  await bob.goto("/settings/account?wanted=1");
  await button(bob).click();
  await agreeAt(bob, PROVIDER, "bob");
  await bob.waitForURL(`${origin}/settings/account?wanted=1`);
  await heading(bob, "Account Settings").waitFor();
  const linked = row(bob, "Example");
  await linked.getByRole("button", { name: "Unlink Example" }).waitFor();
  await judge(bob, "an account that is linked");

  // A second factor is asked for all the same.
  const begun = await api(bob, "POST", "/api/auth/2fa/setup", { password: PASSWORD });
  const code = authenticator(begun.secret);
  await api(bob, "POST", "/api/auth/2fa/verify-setup", { code: await code() });
  await bob.goto("/settings/account");
  await logOut(bob);
  await button(bob).click();
  await agreeAt(bob, PROVIDER, "bob");
  await heading(bob, "Two-factor authentication").waitFor();
  assert.equal((await bob.context().request.get("/api/auth/me")).status(), 401);
  await bob.getByLabel("Authentication code").fill(await code());
  await bob.getByRole("button", { name: "Verify" }).click();
  await heading(bob, "Account Settings").waitFor();

  // Nobody knows Mallory here; and whoever says no at the provider comes back and reads why nothing has happened.
  const mallory = await visitor();
  await mallory.goto("/login");
  await button(mallory).click();
  await agreeAt(mallory, PROVIDER, "mallory");
  await mallory.getByRole("alert").filter({ hasText: "This account cannot be used to sign in here." }).waitFor();
  const wary = await visitor();
  await wary.goto("/login");
  await button(wary).click();
  await wary.getByRole("link", { name: "Cancel" }).click();
  await wary.getByRole("alert").filter({ hasText: "The login provider did not confirm who you are" }).waitFor();
  await judge(wary, "a login that was declined");

  // An answer that belongs to nothing is nobody's login.
  const stranger = await visitor();
  await stranger.goto("/api/auth/oauth/oidc/callback?code=x&state=y");
  await stranger.getByRole("alert").filter({ hasText: "belongs to no login that was begun in this browser" }).waitFor();
});

// Asks for an operation as a page of the server does.
async function api(page, method, path, data) {
  const answer = await page.context().request.fetch(path, { method, data, headers: { origin } });
  assert.ok(answer.ok(), `${path}: ${await answer.text()}`);
  return answer.json();
}
