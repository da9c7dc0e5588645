// Everything by the keyboard alone, from the login to a variable and out again; with motion reduced, nothing moves.

import assert from "node:assert/strict";
import { scenario } from "../harness.mjs";
import { tabTo } from "../judges.mjs";
import { ADMIN, heading, isSaid } from "../people.mjs";

await scenario(async (house) => {
  const page = await house.visitor({ reducedMotion: "reduce" });
  const { keyboard } = page;
  const type = async (field, text) => {
    await tabTo(page, field);
    await keyboard.type(text);
  };
  const press = async (wanted, key = "Enter") => {
    await tabTo(page, wanted);
    await keyboard.press(key);
  };
  await page.goto("/login");
  await type(page.getByLabel("Email"), ADMIN.email);
  await type(page.getByLabel("Password"), ADMIN.password);
  await press(page.getByRole("button", { name: "Sign In" }));
  await heading(page, "Secrets & Credentials").waitFor();

  // The first stop leads past the menu.
  await keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  assert.ok(await skip.evaluate((link) => link === document.activeElement));
  await keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "MAIN");

  await press(page.getByRole("button", { name: "Add Variable" }));
  const dialog = page.getByRole("dialog", { name: "Add Variable" });
  await type(dialog.getByLabel("Key"), "BY_KEYBOARD");
  await type(dialog.getByLabel("Value"), "x");
  // The focus does not leave the dialog, however often one goes on.
  for (let presses = 0; presses < 8; presses += 1) {
    await keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null));
  }
  await press(dialog.getByRole("button", { name: "Save" }), "Space");
  await isSaid(page, "BY_KEYBOARD was created.");

  await press(page.getByRole("button", { name: "Delete BY_KEYBOARD" }));
  const confirm = page.getByRole("dialog", { name: "Delete Variable" });
  await press(confirm.getByRole("button", { name: "Delete" }));
  await isSaid(page, "BY_KEYBOARD was deleted.");
  const running = await page.evaluate(() => document.getAnimations().filter(({ effect }) => effect.getComputedTiming().duration > 1).length);
  assert.equal(running, 0, "something moves");

  // The menu opens, closes on Escape with the focus on its button, and leads everywhere.
  const gear = page.getByRole("button", { name: "Settings" });
  await press(gear);
  const menu = page.getByRole("navigation", { name: "Settings" });
  await menu.waitFor();
  await keyboard.press("Escape");
  await menu.waitFor({ state: "hidden" });
  assert.ok(await gear.evaluate((button) => button === document.activeElement));
  for (const name of ["User Management", "Audit Log", "Account Settings"]) {
    await press(gear);
    await press(menu.getByRole("link", { name }));
    await heading(page, name).waitFor();
  }
  await press(page.getByRole("button", { name: "Create Key" }));
  const create = page.getByRole("dialog", { name: "Create API Key" });
  await type(create.getByLabel("Key Name"), "by keyboard");
  await keyboard.press("Enter");
  await press(create.getByRole("button", { name: "Done" }));
  await press(page.getByRole("button", { name: "Revoke by keyboard" }));
  await press(page.getByRole("dialog", { name: "Revoke API Key" }).getByRole("button", { name: "Revoke" }));
  await page.getByRole("row").filter({ hasText: "by keyboard" }).waitFor({ state: "detached" });
  await press(gear);
  await press(menu.getByRole("button", { name: "Logout" }));
  await heading(page, "Sign in to your account").waitFor();
});
