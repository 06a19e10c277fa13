(() => {
	"use strict";
	const form = document.getElementById("unlock"), says = document.getElementById("says");
	const say = (text, bad) => { says.textContent = text; says.className = bad ? "bad" : ""; };
	const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
	const normal = text => text.trim().toLowerCase().replace(/[-\s]/g, "");
	const sealed = document.getElementById("sealed").textContent;
	const decrypted = async passphrase => {
		const from = await crypto.subtle.importKey("raw", new TextEncoder().encode(normal(passphrase)), "PBKDF2", false, ["deriveKey"]);
		const key = await crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt: bytes(form.dataset.salt), iterations: Number(form.dataset.rounds) }, from, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
		return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(form.dataset.nonce) }, key, bytes(sealed)));
	};
	const entries = zip => {
		const view = new DataView(zip.buffer), all = new Map();
		let end = zip.length - 22;
		while (end > 0 && view.getUint32(end, true) !== 0x06054b50) end--;
		let at = view.getUint32(end + 16, true);
		for (let n = view.getUint16(end + 10, true); n > 0; n--) {
			const name = view.getUint16(at + 28, true), extra = view.getUint16(at + 30, true), comment = view.getUint16(at + 32, true), local = view.getUint32(at + 42, true);
			const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
			all.set(new TextDecoder().decode(zip.subarray(at + 46, at + 46 + name)), { method: view.getUint16(at + 10, true), data: zip.subarray(from, from + view.getUint32(at + 20, true)) });
			at += 46 + name + extra + comment;
		}
		return all;
	};
	const kinds = { csv: "text/csv", json: "application/json", vcf: "text/vcard", ics: "text/calendar", eml: "message/rfc822", jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", gif: "image/gif", webp: "image/webp", mp3: "audio/mpeg", ogg: "audio/ogg", wav: "audio/wav", m4a: "audio/mp4", mp4: "video/mp4", webm: "video/webm", pdf: "application/pdf" };
	const blob = async (entry, name) => {
		const type = kinds[name.split(".").pop().toLowerCase()] || "application/octet-stream";
		if (entry.method === 0) return new Blob([entry.data], { type });
		const plain = new Blob([entry.data]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
		return new Blob([await new Response(plain).blob()], { type });
	};
	const save = (what, name) => {
		const link = document.createElement("a");
		link.href = URL.createObjectURL(what);
		link.download = name;
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 60000);
	};
	const show = async zip => {
		const all = entries(zip);
		const path = [...all.keys()].find(name => name.endsWith("/data/index.html"));
		const base = path.slice(0, -"index.html".length);
		const page = new DOMParser().parseFromString(await (await blob(all.get(path), path)).text(), "text/html");
		const bar = page.createElement("p");
		bar.className = "wrap onefile";
		const button = page.createElement("button");
		button.textContent = form.dataset.save;
		button.type = "button";
		bar.append(button);
		page.querySelector("main").prepend(bar);
		for (const media of page.querySelectorAll("img[src],audio[src],video[src]")) {
			const name = decodeURIComponent(media.getAttribute("src")), entry = all.get(base + name);
			if (entry) media.src = URL.createObjectURL(await blob(entry, name));
		}
		const scripts = [...page.querySelectorAll("script")].map(s => { const run = document.createElement("script"); run.textContent = s.textContent; s.remove(); return run; });
		page.querySelectorAll("meta[http-equiv]").forEach(m => m.remove());
		document.head.replaceChildren(...page.head.childNodes);
		document.body.replaceChildren(...page.body.childNodes);
		document.body.append(...scripts);
		button.addEventListener("click", () => save(new Blob([zip], { type: "application/zip" }), "answer.zip"));
		document.addEventListener("click", async event => {
			const href = event.target.closest?.("a[href]")?.getAttribute("href");
			if (!href || href.startsWith("#") || /^[a-z]+:/i.test(href)) return;
			event.preventDefault();
			const name = decodeURIComponent(href), entry = all.get(base + name);
			if (entry) save(await blob(entry, name), name.split("/").pop());
		});
		scrollTo(0, 0);
	};
	form.addEventListener("submit", async event => {
		event.preventDefault();
		if (!globalThis.crypto?.subtle || !globalThis.DecompressionStream) return say(form.dataset.old, true);
		const button = form.querySelector("button");
		button.disabled = true;
		say(form.dataset.working);
		try {
			await show(await decrypted(document.getElementById("passphrase").value));
		} catch {
			say(form.dataset.wrong, true);
		} finally {
			button.disabled = false;
		}
	});
})();
