// The harness, tried on a page that does everything wrong: what nobody would notice otherwise has to be found.

import assert from "node:assert/strict";
import { scenario } from "../harness.mjs";
import { axe, noSidewaysScroll, tabTo } from "../judges.mjs";
import { totp } from "../people.mjs";

const BAD = `<!doctype html><html lang="en"><title>Bad</title><h1 style="width: 900px">Bad</h1><img src="/a.png">
<button style="outline: none">No ring</button><img alt="" src="http://127.0.0.1:1/foreign.png"><script>console.log("said")</script>`;

await scenario(async (house) => {
  const page = await house.visitor();
  const bad = { status: 200, contentType: "text/html", headers: { "content-security-policy": "script-src 'self'" }, body: BAD };
  await page.route("**/bad", (route) => route.fulfill(bad));
  await page.goto("/bad");
  assert.throws(() => house.assertQuiet(), /inline script violates/);
  await page.reload();
  assert.throws(() => house.assertQuiet(), /another origin: http:\/\/127\.0\.0\.1:1\/foreign/);
  await page.evaluate(() => console.log("said"));
  await page.evaluate(() => void setTimeout(() => { throw new Error("thrown"); }));
  await page.waitForTimeout(200);
  assert.throws(() => house.assertQuiet(), /console log: said[^]*thrown/);
  await assert.rejects(axe(page, "bad"), /image-alt/);
  await assert.rejects(noSidewaysScroll(page, "bad"), /<h1/);
  await assert.rejects(tabTo(page, page.getByRole("button", { name: "No ring" })), /not to be seen/);
  house.assertQuiet();
  // RFC 6238, appendix B: the last six digits of the first row.
  assert.equal(totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 1), "287082");
});
