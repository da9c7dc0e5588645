// An account elsewhere, at the certified OpenID provider, is linked by whoever is signed in, signs in from then on, and is unlinked again.

import assert from "node:assert/strict";
import { scenario } from "../harness.mjs";
import { judge } from "../judges.mjs";
import { ADMIN, agreeAt, heading, isSaid, logOut, row, signedIn } from "../people.mjs";

const PROVIDER = process.env.DANGO_TEST_PROVIDER;

await scenario(async (house) => {
  const ada = await signedIn(await house.visitor({ others: [PROVIDER] }));
  await ada.goto("/settings/account");
  await row(ada, "Example").getByText("Not linked").waitFor();
  await judge(ada, "a provider that is not linked");
  await ada.getByRole("button", { name: "Link Example" }).click();
  await agreeAt(ada, PROVIDER, "carol");
  await ada.getByText("You can sign in with Example from now on.").waitFor();
  await judge(ada, "a provider that was just linked");
  await logOut(ada);
  await ada.getByRole("link", { name: "Continue with Example" }).click();
  await agreeAt(ada, PROVIDER, "carol");
  await heading(ada, "Secrets & Credentials").waitFor();
  assert.equal((await (await ada.context().request.get("/api/auth/me")).json()).email, ADMIN.email);
  await ada.goto("/settings/account");
  await ada.getByRole("button", { name: "Unlink Example" }).click();
  const dialog = ada.getByRole("dialog", { name: "Unlink Login" });
  await judge(ada, "the question before a login is unlinked");
  await dialog.getByRole("button", { name: "Unlink" }).click();
  await isSaid(ada, "Example is unlinked.");
  await row(ada, "Example").getByText("Not linked").waitFor();
});
