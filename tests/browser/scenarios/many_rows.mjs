// A thousand variables: they are searched, sorted and paged through without losing one's place, and fit into a narrow window.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { row, signedIn } from "../people.mjs";

const KEYS = Array.from({ length: 1000 }, (_, number) => `KEY_${String(number).padStart(4, "0")}`);

await scenario(async (house) => {
  await writeFile(".env", KEYS.map((key) => `${key}=x\n`).join(""));
  const page = await signedIn(await house.visitor());
  const table = page.getByRole("table", { name: "Environment Variables" });
  const keys = async () => (await table.getByRole("rowheader").allTextContents()).map((text) => text.trim());
  assert.deepEqual(await keys(), KEYS.slice(0, 50));
  await page.getByText("1–50 of 1000").waitFor();
  await judge(page, "a thousand variables");

  await page.getByRole("link", { name: "Next" }).click();
  await row(page, "KEY_0050").waitFor();
  assert.deepEqual(await keys(), KEYS.slice(50, 100));
  await table.getByRole("link", { name: "Key" }).click();
  await row(page, "KEY_0999").waitFor();
  assert.equal(await table.getByRole("columnheader", { name: "Key" }).getAttribute("aria-sort"), "descending");
  assert.deepEqual(await keys(), KEYS.slice(-50).reverse());

  // Typing finds at once, keeps the focus, and says how many there are.
  const search = page.getByRole("searchbox", { name: "Search variables" });
  await search.pressSequentially("key_07");
  await page.getByText("of 100 found among 1000").first().waitFor();
  assert.ok(await search.evaluate((field) => field === document.activeElement));
  await judge(page, "what was found among a thousand");
  await search.fill("nothing like it");
  await page.getByText("No variable has this in its key.").waitFor();
  await judge(page, "a search that finds nothing");

  // Where one is stays in the address, so that going back leads there.
  await page.goto("/settings/secrets?q=KEY_0123");
  assert.deepEqual(await keys(), ["KEY_0123"]);
});
