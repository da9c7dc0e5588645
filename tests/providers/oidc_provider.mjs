// The certified OpenID provider `oidc-provider` on a free port, with its own pages for signing in: PKCE is demanded, refresh tokens
// rotate, and one that comes a second time ends its whole grant. Prints its address once it listens; GET /heard tells what it granted
// and refused so far. Registered is one app, by DANGO_TEST_CLIENT_ID and DANGO_TEST_CLIENT_SECRET, for the redirect URIs of
// DANGO_TEST_REDIRECT_URIS (separated by blanks); a loopback address stands for all its ports (RFC 8252 §7.3).
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { webcrypto } from "node:crypto";

// Node 18 has it, but not there.
globalThis.crypto ??= webcrypto;
const require = createRequire(`${process.env.DANGO_TEST_NODE_MODULES}/`);
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const env = process.env;
const heard = [];
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: env.DANGO_TEST_CLIENT_ID,
      client_secret: env.DANGO_TEST_CLIENT_SECRET,
      redirect_uris: env.DANGO_TEST_REDIRECT_URIS.split(" "),
      application_type: "native",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_basic",
    }],
    pkce: { required: () => true },
    scopes: ["openid", "offline_access", "email", "profile"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    findAccount: async (ctx, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: id }),
    }),
    cookies: { keys: ["only for tests"] },
  });
  provider.on("grant.success", (ctx) => heard.push(`granted ${ctx.oidc.params.grant_type}`));
  provider.on("grant.error", (ctx, error) => heard.push(`refused ${error.error} ${error.error_detail ?? ""}`.trim()));
  provider.on("authorization.error", (ctx, error) => heard.push(`refused ${error.error} ${error.error_description ?? ""}`.trim()));
  provider.on("grant.revoked", () => heard.push("revoked"));
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (request.url === "/heard") {
      response.setHeader("Content-Type", "application/json");
      return response.end(JSON.stringify(heard));
    }
    return answer(request, response);
  });
  console.log(issuer);
});
