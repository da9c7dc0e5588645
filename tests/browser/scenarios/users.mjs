// Users in all five states, as the command line made them; the page changes none of them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { dango, origin, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { heading, openMenu, row, signIn, signedIn } from "../people.mjs";

const EXPIRE = `import sqlite3, sys
database = sqlite3.connect(".dango/dango.db", timeout=20)
changed = database.execute("UPDATE users SET invite_expires_at = 1 WHERE email = ?", sys.argv[1:]).rowcount
database.execute("UPDATE invites SET expires_at = 2 WHERE user_id = (SELECT id FROM users WHERE email = ?)", sys.argv[1:])
database.commit()
sys.exit(changed != 1)`;

await scenario(async (house) => {
  for (const [name, role] of [["invited", "editor"], ["late", "viewer"], ["off", "viewer"], ["locked", "editor"]]) {
    const words = name === "invited" || name === "late" ? [] : ["--password"];
    await dango("auth", "add-user", `${name}@team.example`, "--role", role, ...words);
  }
  await dango("auth", "deactivate-user", "off@team.example", "--yes");
  // Nobody can wait for days in a test: time passes in the database.
  execFileSync(process.env.DANGO_TEST_PYTHON, ["-c", EXPIRE, "late@team.example"]);
  const stranger = await house.visitor();
  for (let turn = 0; turn < 5; turn += 1) await signIn(stranger, { email: "locked@team.example", password: "wrong" });

  const page = await signedIn(await house.visitor());
  await (await openMenu(page)).getByRole("link", { name: "User Management" }).click();
  await heading(page, "User Management").waitFor();
  for (const [who, role, status] of [
    ["ada@", "admin", "Active"],
    ["invited@", "editor", "Invited"],
    ["late@", "viewer", "Invite Expired"],
    ["locked@", "editor", "Locked"],
    ["off@", "viewer", "Inactive"],
  ]) {
    const line = row(page, who);
    assert.equal(await line.getByText(role, { exact: true }).count(), 1, `${who} is no ${role}: ${await line.textContent()}`);
    assert.equal(await line.getByText(status, { exact: true }).count(), 1, `${who} is not ${status}: ${await line.textContent()}`);
  }
  await row(page, "off@").getByText("Never").waitFor();
  await page.getByText("dango auth", { exact: true }).first().waitFor();
  assert.equal(await page.getByRole("main").getByRole("button", { name: /delete|deactivate|reset|add/i }).count(), 0);
  await judge(page, "users in five states");

  // Typing searches in place, and what is sorted says so.
  const search = page.getByRole("searchbox");
  if (await search.count()) {
    await search.fill("late");
    await row(page, "ada@").waitFor({ state: "detached" });
    assert.ok(await search.evaluate((field) => field === document.activeElement), "searching takes the focus away");
    assert.equal(new URL(page.url()).origin, origin);
  }
});
