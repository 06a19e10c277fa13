// Shows in a receipt's page whether it holds.
(async () => {
  const says = document.getElementById("check");
  const of = id => document.getElementById(id).textContent;
  const say = (text, tone) => {
    const p = document.createElement("p");
    p.textContent = text;
    p.className = tone;
    says.replaceChildren(p);
  };
  try {
    const { leaf, origin } = await checkReceipt(of("receipt"), of("proof"), of("key"));
    say(says.dataset.good.replace("%s", String(leaf)).replace("%s", origin), "good");
  } catch (e) {
    e instanceof DOMException || !globalThis.crypto?.subtle ? say(says.dataset.cannot, "unsure") : say(says.dataset.bad, "bad");
  }
})();
