// Two browsers of one person: each sees both sessions, and one ends the other's.

import assert from "node:assert/strict";
import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { row, signedIn } from "../people.mjs";

await scenario(async (house) => {
  const here = await signedIn(await house.visitor());
  const there = await signedIn(await house.visitor({ userAgent: "Elsewhere/1.0 (a long name that does not fit into its column at all)" }));
  await here.goto("/settings/account");
  await row(here, "Current").waitFor();
  assert.equal(await row(here, "Current").getByRole("button").count(), 0, "the current session is not to be revoked here");
  await judge(here, "two sessions");
  await row(here, "Elsewhere").getByRole("button", { name: /^Revoke/ }).click();
  await row(here, "Elsewhere").waitFor({ state: "detached" });
  await there.goto("/settings/account");
  assert.match(there.url(), /\/login\?next=/);

  // All the others at once; and where one was led away from, one comes back to.
  await there.getByLabel("Email").fill(process.env.DANGO_TEST_EMAIL);
  await there.getByLabel("Password").fill(process.env.DANGO_TEST_PASSWORD);
  await there.getByRole("button", { name: "Sign In" }).click();
  await there.waitForURL(/\/settings\/account$/);
  const third = await signedIn(await house.visitor({ userAgent: "Third/1.0" }));
  await here.reload();
  await row(here, "Third").waitFor();
  await here.getByRole("button", { name: "Revoke All Others" }).click();
  await row(here, "Third").waitFor({ state: "detached" });
  for (const other of [there, third]) {
    await other.goto("/settings/account");
    assert.match(other.url(), /\/login/);
  }
  await here.reload();
  await row(here, "Current").waitFor();
});
