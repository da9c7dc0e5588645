// Five wrong passwords lock the account; the page counts down, and the command line opens it again.

import assert from "node:assert/strict";
import { dango, scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { ADMIN, signIn, signedIn } from "../people.mjs";

await scenario(async (house) => {
  const page = await house.visitor();
  await signIn(page, { email: ADMIN.email, password: "wrong" });
  await page.getByText("The email or the password is not right.").waitFor();
  await judge(page, "a refused login");
  for (let more = 0; more < 4; more += 1) await signIn(page, { email: ADMIN.email, password: "wrong" });
  await signIn(page);
  const timer = page.getByRole("timer");
  await timer.waitFor();
  await judge(page, "a locked account");
  const seconds = async () => (await timer.textContent()).split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  const first = await seconds();
  assert.ok(first > 800 && first <= 900, `${first} seconds`);
  await page.waitForFunction((before) => document.querySelector("[role=timer]").textContent !== before, await timer.textContent());
  assert.ok((await seconds()) < first);
  await dango("auth", "unlock", ADMIN.email);
  await signedIn(page);
});
