// Checks a receipt with nothing but its proof and the log's public key: that the receipt is a
// leaf of the log (HMAC-SHA-256, RFC 2104), that the leaf is in the tree that the checkpoint
// names (RFC 9162, 2.1.3.2), and that the log has signed the checkpoint (c2sp.org/tlog-proof,
// signed-note and tlog-checkpoint). It asks nobody: everything is computed in the browser.

// checkReceipt resolves to {leaf, size, origin} where the proof holds, and rejects with why it
// doesn't. receipt is the receipt's exact text, proof the .tlog-proof file's, key the log's
// verifier key.
async function checkReceipt(receipt, proof, key) {
  const text = new TextEncoder();
  const bytes = base64 => {
    const out = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
    if (btoa(String.fromCharCode(...out)) !== base64) throw new Error("form");
    return out;
  };
  const join = (...parts) => {
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of parts) {
      out.set(p, at);
      at += p.length;
    }
    return out;
  };
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  const decimal = word => {
    if (!/^(0|[1-9][0-9]{0,18})$/.test(word)) throw new Error("form");
    return BigInt(word);
  };

  // The proof: its form, the salt, the leaf's index, the hashes, and a checkpoint.
  const cut = proof.indexOf("\n\n");
  if (cut < 0) throw new Error("form");
  const lines = proof.slice(0, cut).split("\n");
  if (lines.length < 3 || lines[0] !== "c2sp.org/tlog-proof@v1" || !lines[1].startsWith("extra ") || !lines[2].startsWith("index ")) throw new Error("form");
  const salt = bytes(lines[1].slice(6));
  const index = decimal(lines[2].slice(6));
  const path = lines.slice(3).map(bytes);
  if (path.length > 63 || path.some(h => h.length !== 32)) throw new Error("form");

  // The checkpoint, as it was signed: origin, size and root, and a signature of the log's key.
  const signed = proof.slice(cut + 2);
  const end = signed.lastIndexOf("\n\n");
  if (end < 0) throw new Error("form");
  const note = signed.slice(0, end + 1);
  const [origin, sizeWord, rootWord] = note.split("\n");
  const size = decimal(sizeWord);
  const root = bytes(rootWord);
  const [name, id, ...rest] = key.trim().split("+");
  const verifier = bytes(rest.join("+"));
  if (verifier.length !== 33 || verifier[0] !== 1 || name !== origin) throw new Error("key");
  const hash = (await sha256(text.encode(name + "\n"), verifier)).slice(0, 4);
  if ([...hash].map(b => b.toString(16).padStart(2, "0")).join("") !== id) throw new Error("key");
  const line = signed.slice(end + 2).split("\n").find(l => {
    const [dash, who, signature] = l.split(" ");
    return dash === "\u2014" && who === name && signature && same(bytes(signature).slice(0, 4), hash);
  });
  if (!line) throw new Error("signature");
  const signature = bytes(line.split(" ")[2]).slice(4);
  const ed25519 = await crypto.subtle.importKey("raw", verifier.slice(1), { name: "Ed25519" }, false, ["verify"]);
  if (!await crypto.subtle.verify({ name: "Ed25519" }, ed25519, signature, text.encode(note))) throw new Error("signature");

  // The leaf, and its way up to the root.
  const hmac = await crypto.subtle.importKey("raw", salt, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const commitment = new Uint8Array(await crypto.subtle.sign("HMAC", hmac, text.encode(receipt)));
  let here = await sha256(Uint8Array.of(0), text.encode("habeas.dev/leaf/v1\n"), commitment);
  if (index >= size) throw new Error("tree");
  let fn = index;
  let sn = size - 1n;
  for (const beside of path) {
    if (sn === 0n) throw new Error("tree");
    if (fn % 2n === 1n || fn === sn) {
      here = await sha256(Uint8Array.of(1), beside, here);
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      here = await sha256(Uint8Array.of(1), here, beside);
    }
    fn /= 2n;
    sn /= 2n;
  }
  if (sn !== 0n || !same(here, root)) throw new Error("tree");
  return { leaf: index, size, origin };
}
