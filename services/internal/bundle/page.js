(() => {
	"use strict";
	const form = document.getElementById("search");
	if (!form) return;
	const [query, kind, year] = ["q", "kind", "year"].map(id => document.getElementById(id));
	const told = document.getElementById("told"), words = form.dataset;
	const open = 300;
	const plain = s => s.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
	const count = n => n.toLocaleString(document.documentElement.lang);
	let sets;
	const load = () => sets ??= [...document.querySelectorAll(".set")].map(el => {
		const set = {
			el, more: el.querySelector("details.more"), late: false,
			rows: [...el.querySelectorAll(".records>tbody>tr,.recs>li")].map(row => ({
				row, year: row.dataset.y || "", text: plain(row.textContent), folded: !!row.closest("details"), is: true,
			})),
		};
		set.more?.addEventListener("toggle", () => { if (set.more.open && set.late) unfold(set); });
		return set;
	});
	const hide = (el, is) => { if (el.hidden !== is) el.hidden = is; };
	const unfold = set => { set.late = false; for (const r of set.rows) if (r.folded) hide(r.row, !r.is); };
	const apply = () => {
		load();
		const parts = plain(query.value).split(/\s+/).filter(Boolean);
		const active = parts.length > 0 || kind.value !== "" || year.value !== "";
		let found = 0;
		for (const set of sets) {
			let here = 0, folded = 0;
			const wanted = kind.value === "" || kind.value === set.el.id;
			for (const r of set.rows) {
				r.is = wanted && (year.value === "" || r.year === year.value) && parts.every(p => r.text.includes(p));
				if (!r.folded) hide(r.row, !r.is);
				if (r.is) { here++; if (r.folded) folded++; }
			}
			found += here;
			hide(set.el, active && here === 0);
			if (set.more) {
				hide(set.more, folded === 0);
				set.late = true;
				set.more.open = active && folded > 0 && folded <= open;
				if (set.more.open) unfold(set);
				set.more.querySelector("summary").textContent = words.more.replace("%s", count(folded));
			}
		}
		told.textContent = !active ? "" : found === 0 ? words.none : words.found.replace("%s", count(found));
		document.getElementById("reset").hidden = !active;
	};
	let soon;
	const later = () => { clearTimeout(soon); soon = setTimeout(apply, 120); };
	form.addEventListener("submit", e => { e.preventDefault(); apply(); });
	form.addEventListener("reset", () => setTimeout(apply));
	query.addEventListener("input", later);
	kind.addEventListener("change", apply);
	year.addEventListener("change", apply);
	for (const link of document.querySelectorAll("a[data-year]")) link.addEventListener("click", () => { year.value = link.dataset.year; apply(); });
	form.hidden = false;
})();
