// Opens an answer in the browser: the passphrase goes to the portal, which lets the files be
// fetched, and to a worker, which decrypts them. What is decrypted stays in the browser.
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
    const blob = await opened(passphrase);
    const save = document.getElementById("save");
    save.href = URL.createObjectURL(blob);
    save.hidden = false;
    say(form.dataset.done, "good");
    save.focus();
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
    data.blob ? resolve(data.blob) : reject(new Error(data.error));
  };
  worker.onerror = () => {
    worker.terminate();
    reject(new Error("worker"));
  };
  worker.postMessage({ passphrase, key: form.dataset.key, answer: form.dataset.answer });
});
