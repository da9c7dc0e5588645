// Variables are added, edited and deleted on the page, and the command line reads what was typed.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { dango, scenario } from "../harness.mjs";
import { assertGone, judge } from "../judges.mjs";
import { isSaid, row, signedIn } from "../people.mjs";

const VALUE = '-----BEGIN KEY-----\nä "quoted" $HOME #x\n-----END KEY-----';
const stored = async (key) => (await dango("env", "get", key, "--reveal")).replace(/\n$/, "");

await scenario(async (house) => {
  const page = await signedIn(await house.visitor());
  // On a slow line what was done is said when the page shows it, not before: whoever hears it may look at once.
  await page.route("**/settings/secrets", async (route) => {
    await pause(300);
    await route.continue();
  });
  const add = page.getByRole("button", { name: "Add Variable" });
  const dialog = page.getByRole("dialog", { name: "Add Variable" });

  // Escape closes the dialog, gives the focus back, and forgets what was typed.
  await add.click();
  await judge(page, "the dialog of a new variable");
  await dialog.getByLabel("Key").fill("FORGOTTEN");
  await dialog.getByLabel("Value").fill("forgotten-value");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.ok(await add.evaluate((button) => button === document.activeElement), "the focus is not given back");
  await assertGone(page, ["forgotten-value"]);

  // What is wrong is said at its field.
  await add.click();
  await dialog.getByLabel("Key").fill("1 WRONG");
  await dialog.getByLabel("Value").fill("x");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator("[aria-invalid=true]").waitFor();
  const described = await dialog.getByLabel("Key").evaluate((field) => document.getElementById(field.getAttribute("aria-describedby").split(" ").at(-1)).textContent);
  assert.notEqual(described, "", "nothing is said at the field");
  await judge(page, "a wrong key");
  await dialog.getByLabel("Key").fill("STRIPE_API_KEY");
  await dialog.getByLabel("Value").fill(VALUE);
  await dialog.getByRole("button", { name: "Save" }).click();
  await isSaid(page, "STRIPE_API_KEY was created.");
  assert.equal(await row(page, "STRIPE_API_KEY").getByText("***").count(), 1, "it is said before it is shown");
  assert.equal(await stored("STRIPE_API_KEY"), VALUE);
  await assertGone(page, [VALUE, "BEGIN KEY"]);
  await judge(page, "secrets with one variable");

  await page.getByRole("button", { name: "Edit STRIPE_API_KEY" }).click();
  const edit = page.getByRole("dialog", { name: "Edit Variable" });
  assert.equal(await edit.getByLabel("Key").inputValue(), "STRIPE_API_KEY");
  assert.equal(await edit.getByLabel("Key").isEditable(), false);
  assert.equal(await edit.getByLabel("Value").inputValue(), "", "a stored value is not shown");
  await judge(page, "the dialog of a known variable");
  await edit.getByLabel("Value").fill("second");
  await edit.getByRole("button", { name: "Save" }).click();
  await isSaid(page, "STRIPE_API_KEY was updated.");
  assert.equal(await stored("STRIPE_API_KEY"), "second");

  await page.getByRole("button", { name: "Delete STRIPE_API_KEY" }).click();
  const confirm = page.getByRole("dialog", { name: "Delete Variable" });
  await confirm.getByText("Delete STRIPE_API_KEY? This cannot be undone.").waitFor();
  await judge(page, "the confirmation of a deletion");
  await confirm.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await stored("STRIPE_API_KEY"), "second");
  await page.getByRole("button", { name: "Delete STRIPE_API_KEY" }).click();
  await confirm.getByRole("button", { name: "Delete" }).click();
  await isSaid(page, "STRIPE_API_KEY was deleted.");
  assert.equal(await row(page, "STRIPE_API_KEY").count(), 0, "it is said before it is shown");
  await assert.rejects(stored("STRIPE_API_KEY"));
});
