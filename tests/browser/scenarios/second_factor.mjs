// The second factor from its QR code to its end: switched on, used by code and by recovery code, regenerated, switched off.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { scenario } from "../harness.mjs";
import { assertGone, judge } from "../judges.mjs";
import { ADMIN, authenticator, heading, logOut, signIn, signedIn } from "../people.mjs";

const CODE = /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/;

await scenario(async (house) => {
  const page = await signedIn(await house.visitor({ permissions: ["clipboard-read", "clipboard-write"] }));
  await page.goto("/settings/account");

  // The password, where Enter goes on; a wrong one is said at its field.
  await page.getByRole("button", { name: "Enable 2FA" }).click();
  const enable = page.getByRole("dialog", { name: "Enable 2FA" });
  await enable.getByLabel("Password").fill("not this one");
  await page.keyboard.press("Enter");
  await enable.getByLabel("Password").and(page.locator("[aria-invalid=true]")).waitFor();
  await judge(page, "a wrong password for 2FA");
  await enable.getByLabel("Password").fill(ADMIN.password);
  await page.keyboard.press("Enter");

  // The QR code, as a camera sees it, holds the secret that is shown as text.
  const drawing = enable.getByRole("img", { name: /QR/ });
  await drawing.waitFor();
  const secret = (await enable.getByRole("textbox", { name: "Secret" }).textContent()).trim();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const picture = await drawing.screenshot();
    const uri = new URL(read(picture));
    assert.equal(uri.protocol, "otpauth:");
    assert.equal(uri.searchParams.get("secret"), secret, colorScheme);
    assert.ok(decodeURIComponent(uri.pathname).includes(ADMIN.email), uri.pathname);
  }
  await judge(page, "the QR code");
  const code = authenticator(secret);
  await enable.getByLabel("Authentication code").fill("000000");
  await enable.getByRole("button", { name: "Verify & Enable" }).click();
  await enable.getByLabel("Authentication code").and(page.locator("[aria-invalid=true]")).waitFor();
  await enable.getByLabel("Authentication code").fill(await code());
  await enable.getByRole("button", { name: "Verify & Enable" }).click();

  // The recovery codes, copied and downloaded, and gone with the dialog.
  const codes = await shownCodes(enable);
  await judge(page, "recovery codes");
  await enable.getByRole("button", { name: "Copy" }).click();
  await enable.getByRole("button", { name: "Copied" }).waitFor();
  assert.deepEqual((await page.evaluate(() => navigator.clipboard.readText())).split("\n"), codes);
  const downloading = page.waitForEvent("download");
  await enable.getByRole("button", { name: "Download" }).click();
  const file = await downloading;
  assert.match(file.suggestedFilename(), /\.txt$/);
  const text = await readFile(await file.path(), "utf8");
  for (const one of codes) assert.ok(text.includes(one), text);
  await enable.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Disable 2FA" }).waitFor();
  await assertGone(page, [...codes, secret]);
  await judge(page, "the account with 2FA");
  await page.goto("/settings/secrets");
  await page.goBack();
  await heading(page, "Account Settings").waitFor();
  await assertGone(page, [...codes, secret]);

  // Signing in by code, and by recovery code: each once.
  await logOut(page);
  await signIn(page);
  await heading(page, "Two-factor authentication").waitFor();
  await judge(page, "the second factor");
  await page.getByLabel("Authentication code").fill("000000");
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByLabel("Authentication code").and(page.locator("[aria-invalid=true]")).waitFor();
  await page.getByLabel("Authentication code").fill(await code());
  await page.getByRole("button", { name: "Verify" }).click();
  await heading(page, "Secrets & Credentials").waitFor();
  await logOut(page);
  await byRecoveryCode(page, codes[0].toLowerCase().replaceAll("-", " "));
  await heading(page, "Secrets & Credentials").waitFor();
  await logOut(page);
  await byRecoveryCode(page, codes[0]);
  await page.getByLabel("Recovery code").and(page.locator("[aria-invalid=true]")).waitFor();
  await judge(page, "a recovery code that was used");
  await page.getByLabel("Recovery code").fill(codes[1]);
  await page.getByRole("button", { name: "Verify" }).click();
  await heading(page, "Secrets & Credentials").waitFor();

  // New codes, and the end of it.
  await page.goto("/settings/account");
  await page.getByRole("button", { name: "Regenerate Recovery Codes" }).click();
  const regenerate = page.getByRole("dialog", { name: "Regenerate Recovery Codes" });
  await regenerate.getByLabel("Password").fill(ADMIN.password);
  await regenerate.getByLabel("Authentication code").fill(await code());
  await regenerate.getByRole("button", { name: "Regenerate" }).click();
  const fresh = await shownCodes(regenerate);
  assert.equal(new Set([...codes, ...fresh]).size, 20);
  await regenerate.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Disable 2FA" }).click();
  const disable = page.getByRole("dialog", { name: "Disable 2FA" });
  await judge(page, "the dialog that ends 2FA");
  await disable.getByLabel("Password").fill(ADMIN.password);
  await disable.getByRole("button", { name: "Disable 2FA" }).click();
  await page.getByRole("button", { name: "Enable 2FA" }).waitFor();
  await logOut(page);
  await signedIn(page);
});

// What a camera reads from a picture of a QR code.
function read(picture) {
  const only = ["-Sdisable", "-Sqrcode.enable"];
  try {
    return execFileSync("zbarimg", ["--nodbus", "--raw", "--quiet", ...only, "-"], { input: picture, encoding: "utf8" }).trim();
  } catch (error) {
    throw error.code === "ENOENT" ? new Error("there is no zbarimg: run `cargo xtask setup` first") : error;
  }
}

async function shownCodes(dialog) {
  const items = dialog.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await items.nth(9).waitFor();
  const codes = await items.allTextContents();
  assert.equal(codes.length, 10);
  for (const code of codes) assert.match(code, CODE);
  return codes;
}

async function byRecoveryCode(page, code) {
  await signIn(page);
  await page.getByRole("link", { name: "Use a recovery code instead" }).click();
  await page.getByLabel("Recovery code").fill(code);
  await page.getByRole("button", { name: "Verify" }).click();
}
