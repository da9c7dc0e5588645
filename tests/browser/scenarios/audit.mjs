// The audit log is filtered, verified and exported on the page; the command line has the same records.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dango, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { ADMIN, heading, openMenu, row, signIn, signedIn } from "../people.mjs";

await scenario(async (house) => {
  await dango("auth", "add-user", "bob@team.example", "--role", "viewer");
  const stranger = await house.visitor();
  await signIn(stranger, { email: ADMIN.email, password: "wrong" });
  const page = await signedIn(await house.visitor());
  await (await openMenu(page)).getByRole("link", { name: "Audit Log" }).click();
  await heading(page, "Audit Log").waitFor();
  await page.getByText(/The log is intact: all \d+ records/).waitFor();
  await row(page, "user_created").first().waitFor();
  await judge(page, "the audit log");

  await page.getByLabel("Type").selectOption("login_failure");
  await page.getByRole("button", { name: "Filter" }).click();
  await row(page, "user_created").first().waitFor({ state: "detached" });
  assert.equal(await row(page, "login_failure").count(), 1);
  await judge(page, "the filtered audit log");

  // What is exported is what is filtered for.
  for (const [format, holds] of [["JSON Lines", (text) => JSON.parse(text.trim().split("\n")[0])], ["CSV", (text) => assert.match(text, /login_failure/)]]) {
    await page.getByLabel("Format of the export").selectOption({ label: format });
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    const text = await readFile(await (await downloading).path(), "utf8");
    holds(text);
    assert.ok(text.includes("login_failure") && !text.includes("user_created"), text);
  }

  await page.getByLabel("Type").selectOption("All");
  await page.getByLabel("Actor").fill(ADMIN.email);
  await page.getByRole("button", { name: "Filter" }).click();
  await row(page, "login_success").first().waitFor();
  assert.equal(await row(page, "login_failure").count(), 0, "nobody knows who failed to sign in");
  await page.getByLabel("Actor").fill("nobody@team.example");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByText("Nothing that happened fits these filters.").waitFor();
  await judge(page, "an audit log in which nothing fits");
  await page.getByRole("link", { name: "Show everything" }).click();
  await row(page, "user_created").first().waitFor();
  assert.match(await dango("audit", "list", "--json", "--limit", "500"), /audit_export/);
});
