// Decrypts an answer: first the identity, by the passphrase, then the answer, by the identity.
import { Decrypter } from "./age.js";

const fetched = async url => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("status " + answer.status);
  return answer;
};

// receiptOf returns the receipt's page; nothing where there is none, or another identity
// opens it: the answer is the person's all the same.
const receiptOf = async (url, key) => {
  if (!url) return "";
  try {
    const own = new Decrypter();
    own.addIdentity(key.trim());
    return await own.decrypt(new Uint8Array(await (await fetched(url)).arrayBuffer()), "text");
  } catch {
    return "";
  }
};

onmessage = async ({ data }) => {
  try {
    const first = new Decrypter();
    first.addPassphrase(data.passphrase);
    const key = await first.decrypt(new Uint8Array(await (await fetched(data.key)).arrayBuffer()), "text");
    const second = new Decrypter();
    second.addIdentity(key.trim());
    const plain = await second.decrypt((await fetched(data.answer)).body);
    const blob = await new Response(plain).blob();
    postMessage({ blob: new Blob([blob], { type: "application/zip" }), receipt: await receiptOf(data.receipt, key) });
  } catch (e) {
    postMessage({ error: String(e.message) });
  }
};
