// What goes over the wire: the login page is small with everything, a second view loads nothing but HTML, and pages of errors lead back.

import assert from "node:assert/strict";
import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { heading, signedIn } from "../people.mjs";

const LIMIT = 60 * 1024;

await scenario(async (house) => {
  const page = await house.visitor();
  await page.goto("/login", { waitUntil: "networkidle" });
  const bytes = await transferred(page);
  assert.ok(bytes.total > 0 && bytes.total <= LIMIT, `${bytes.total} bytes`);
  await judge(page, "the login page");

  await signedIn(page);
  await page.goto("/settings/users", { waitUntil: "networkidle" });
  await page.goto("/settings/account", { waitUntil: "networkidle" });
  const second = await transferred(page);
  assert.equal(second.besides, 0, "a second view loads more than HTML");

  const missing = await page.goto("/settings/nothing-here");
  assert.equal(missing.status(), 404);
  await judge(page, "a page that is not there");
  await page.getByRole("link", { name: "Go to the start page" }).click();
  await heading(page, "Secrets & Credentials").waitFor();

  // Where it leads after the login is never another place, and nothing of the address is shown.
  for (const next of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
    const other = await house.visitor();
    await other.goto(`/login?next=${encodeURIComponent(next)}&error=evil-words`);
    assert.ok(!(await other.content()).includes("evil"), next);
    await other.getByLabel("Email").fill(process.env.DANGO_TEST_EMAIL);
    await other.getByLabel("Password").fill(process.env.DANGO_TEST_PASSWORD);
    await other.getByRole("button", { name: "Sign In" }).click();
    await heading(other, "Secrets & Credentials").waitFor();
    await other.context().close();
  }
});

async function transferred(page) {
  return page.evaluate(() => {
    const sizes = (type) => performance.getEntriesByType(type).map((entry) => entry.transferSize);
    const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
    const besides = sum(sizes("resource"));
    return { besides, total: besides + sum(sizes("navigation")) };
  });
}
