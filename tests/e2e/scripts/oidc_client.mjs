// A login by oauth4webapi, a certified OpenID relying party, at the provider in the first argument. Prints the claims, or why it refuses.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.DANGO_TEST_NODE_MODULES}/`);
const oauth = await import(pathToFileURL(require.resolve("oauth4webapi")));
const issuer = new URL(process.argv[2]);
const plain = { [oauth.allowInsecureRequests]: true };
const client = { client_id: "client id+1", require_auth_time: false };
const redirectUri = "http://127.0.0.1:9/callback";

async function logIn() {
  const discovered = await oauth.discoveryRequest(issuer, plain);
  const server = await oauth.processDiscoveryResponse(issuer, discovered);
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid email",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  const page = await fetch(address, { redirect: "manual" });
  const answer = oauth.validateAuthResponse(server, client, new URL(page.headers.get("location")), state);
  const authentication = oauth.ClientSecretBasic("canary-client-secret");
  const response = await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, redirectUri, verifier, plain);
  const options = { expectedNonce: nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, options);
  await oauth.validateApplicationLevelSignature(server, response, plain);
  return oauth.getValidatedIdTokenClaims(tokens);
}

try {
  console.log(JSON.stringify(await logIn()));
} catch (error) {
  console.log(JSON.stringify({ refused: `${error.code ?? error.name}: ${error.message}` }));
}
