// A provider of OpenID Connect for one test: `node provider.mjs CONSOLE` prints
// its issuer, and signs in whoever gives one of the names below. It wants PKCE
// and the client's secret.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const roles = { vera: ["dsar-readers"], lea: ["staff", "dsar-desk"], paul: ["dsar-officers"], otto: ["staff"] };
const [home] = process.argv.slice(2);

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "habeas-console", client_secret: "a secret of the test", redirect_uris: [`${home}/signed-in`], post_logout_redirect_uris: [`${home}/signed-out`], grant_types: ["authorization_code"], response_types: ["code"] }],
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    conformIdTokenClaims: false, // what the scope asks for is in the id_token
    cookies: { keys: ["only for a test"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: `subject-of-${id}`, preferred_username: id, groups: roles[id] ?? [] }) }),
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
