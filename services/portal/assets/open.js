// Opens an answer in the browser: the passphrase goes to the portal, which lets the files be
// fetched, and to a worker, which decrypts them. What is decrypted stays in the browser.
import { checkReceipt } from "./check.js";

const form = document.getElementById("open");
const says = document.getElementById("opening");
const limit = 1024 ** 3; // what a browser holds in a Blob without trouble

const say = (text, tone) => {
  const p = document.createElement("p");
  p.textContent = text;
  if (tone) p.className = "note " + tone;
  says.replaceChildren(p);
};

form?.addEventListener("submit", async event => {
  if (Number(form.dataset.bytes) > limit) return; // it goes as a form: files are offered
  event.preventDefault();
  const button = form.querySelector("button");
  const passphrase = form.passphrase.value.trim();
  button.disabled = true;
  say(form.dataset.working);
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.status === 403 || answer.status === 409) {
      const text = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[role=alert]");
      say(text ? text.textContent : form.dataset.wrong, "bad");
      return;
    }
    if (!answer.ok) throw new Error("status " + answer.status);
    document.getElementById("fetch").hidden = false;
    const { blob, receipt } = await opened(passphrase);
    const save = document.getElementById("save");
    save.href = URL.createObjectURL(blob);
    save.hidden = false;
    offer(blob);
    say(form.dataset.done, "good");
    save.focus();
    if (receipt) await proven(receipt);
  } catch {
    say(form.dataset.failed, "bad");
  } finally {
    button.disabled = false;
  }
});

// opened returns the answer, decrypted by a worker, so that the page isn't held up.
const opened = passphrase => new Promise((resolve, reject) => {
  const worker = new Worker("/assets/worker.js", { type: "module" });
  worker.onmessage = ({ data }) => {
    worker.terminate();
    data.blob ? resolve(data) : reject(new Error(data.error));
  };
  worker.onerror = () => {
    worker.terminate();
    reject(new Error("worker"));
  };
  worker.postMessage({ passphrase, key: form.dataset.key, answer: form.dataset.answer, receipt: form.dataset.receipt });
});

const oneLimit = 20 * 1024 ** 2; // as services/internal/onefile has it
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"; // 32: a byte's lowest five bits choose one

const base64 = bytes => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
};

// offer lets an answer be saved as one encrypted file, under a passphrase of 80 random bits that
// is made here.
const offer = blob => {
  const one = document.getElementById("one");
  one.hidden = blob.size > oneLimit;
  const button = one.querySelector("button");
  button.onclick = async () => {
    button.disabled = true;
    try {
      const letters = [...crypto.getRandomValues(new Uint8Array(16))].map(b => alphabet[b & 31]).join("");
      const salt = crypto.getRandomValues(new Uint8Array(16)), nonce = crypto.getRandomValues(new Uint8Array(12));
      const frame = await (await fetch("/onefile.html")).text();
      const from = await crypto.subtle.importKey("raw", new TextEncoder().encode(letters), "PBKDF2", false, ["deriveKey"]);
      const iterations = Number(/data-rounds="(\d+)"/.exec(frame)[1]);
      const key = await crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, from, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
      const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, await blob.arrayBuffer()));
      const [before, after] = frame.replace("HABEAS-SALT", base64(salt)).replace("HABEAS-NONCE", base64(nonce)).split("HABEAS-SEALED");
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([before, base64(sealed), after], { type: "text/html" }));
      link.download = "answer.html";
      link.click();
      const code = document.createElement("code");
      code.textContent = letters.match(/.{4}/g).join("-");
      one.querySelector("[role=status]").replaceChildren(button.dataset.saved, " ", code);
    } catch {
      say(form.dataset.failed, "bad");
    } finally {
      button.disabled = false;
    }
  };
};

// proven shows the receipt, and whether its proof holds: it is checked here, and by nobody else.
const proven = async page => {
  const shown = document.getElementById("receipt");
  const says = shown.querySelector("[role=status]");
  const bare = page.replace(/<style>[^]*?<\/style>/, ""); // this page's policy would complain of it
  const doc = new DOMParser().parseFromString(bare, "text/html");
  const of = id => doc.getElementById(id).textContent;
  const link = shown.querySelector("a");
  link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
  shown.hidden = false;
  try {
    const { leaf, origin } = await checkReceipt(of("receipt"), of("proof"), of("key"));
    says.textContent = shown.dataset.good.replace("%s", String(leaf)).replace("%s", origin);
    says.className = "note good";
  } catch (e) {
    const cannot = e instanceof DOMException || !globalThis.crypto?.subtle;
    says.textContent = cannot ? shown.dataset.cannot : shown.dataset.bad;
    says.className = cannot ? "note" : "note bad";
  }
};
