// The search: sections of the whole book, found by most of the words that a reader types. It needs no server.
(() => {
  document.body.insertAdjacentHTML("beforeend", `<dialog class="search" aria-label="Search the handbook">
    <form method="dialog">
    <input type="search" name="query" aria-label="Search words; put a phrase in quotes" placeholder="Words, or &quot;a phrase&quot;" autocomplete="off" spellcheck="false">
    <button type="button" class="search-close">Close</button>
    </form>
    <p class="search-status" role="status"></p>
    <ol class="search-results"></ol>
    </dialog>`);
  const dialog = document.querySelector("dialog.search");
  const input = dialog.querySelector("input");
  const status = dialog.querySelector(".search-status");
  const results = dialog.querySelector(".search-results");
  const base = new URL(document.body.dataset.root || "./", location.href).href;
  const SHOWN = 12;
  // The words of a question that say nothing of what is asked for.
  const EMPTY = new Set(("a about all am an and any are as at be been by can cannot could did do does doing for from get "
    + "give go got had has have how i if in into is it its just know let long make many may me mine much must my need no "
    + "not of on or our ours out please shall should so some tell than that the their them then there these they this "
    + "to up us use used using want was way we well were what when where which while who whom whose why will with "
    + "would you your").split(" "));

  // Words to their stems, so that "cancelled jobs" finds "cancel a job".
  const stem = (word) => {
    if (word.length < 4 || /\d/.test(word)) return word;
    let short = word.replace(/(?:'|’)s$/, "").replace(/ies$/, "y").replace(/(ss|sh|ch|x)es$/, "$1").replace(/([^su])s$/, "$1");
    if (short.length > 5) short = short.replace(/(?:ation|ions?|ing|ed|er|ment|ly)$/, "");
    return short.replace(/([b-df-hj-np-rtv-z])\1$/, "$1").replace(/[ey]$/, "");
  };
  const words = (text) => text.toLowerCase().normalize("NFKC").split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const plain = (text) => text.toLowerCase().replace(/\s+/g, " ");

  let book = null;
  document.addEventListener("handbook-main", () => { book = null; }); // the preview has a new text
  const script = (name) => new Promise((done, failed) => {
    const made = Object.assign(document.createElement("script"), { src: base + name, onload: done });
    made.onerror = () => failed(new Error(name + " can't be read"));
    document.head.append(made);
  });
  const load = () => book ??= (async () => {
    const given = new Promise((done) => { window.handbookSections = done; });
    await Promise.all([script("site/minisearch.js"), script("site/sections.js")]);
    const { sections, synonyms } = await given;
    const index = new MiniSearch({
      fields: ["title", "page", "text"], idField: "url", tokenize: words,
      processTerm: (word) => [...new Set([word, stem(word)])], // the word itself counts beside its stem
      searchOptions: { boost: { title: 4, page: 1.5 }, combineWith: "OR" },
    });
    index.addAll(sections);
    const groups = synonyms.map((group) => group.map((phrase) => words(phrase).map(stem)));
    return { index, groups, byUrl: new Map(sections.map((one) => [one.url, { ...one, plain: plain(one.title + " " + one.text) }])) };
  })().catch((error) => { book = null; throw error; });

  // The words of a query, each with those that mean the same.
  const asked = (query, groups) => {
    const all = words(query);
    const telling = all.filter((word) => !EMPTY.has(word));
    const terms = (telling.length ? telling : all).map((word) => ({ word, stem: stem(word), also: [] }));
    const stems = new Set(all.map(stem));
    for (const group of groups) {
      for (const phrase of group.filter((words) => words.every((word) => stems.has(word)))) {
        const term = terms.find((term) => phrase.includes(term.stem));
        if (term) term.also.push(...group.filter((other) => other !== phrase));
      }
    }
    return terms;
  };

  // A section's score for one word: the word itself, its beginning, or, for a word that the book lacks, a slip of it.
  const one = (index, word, last) => {
    const exact = index.search(word, { prefix: last && word.length > 2 });
    return exact.length ? exact : index.search(word, { fuzzy: word.length > 7 ? 0.3 : word.length > 4 ? 0.4 : 0 });
  };

  // Sections by score. What a section lacks of the words costs it more than their share.
  const find = ({ index, groups, byUrl }, query) => {
    const quoted = [...query.matchAll(/"([^"]+)"/g)].map((match) => plain(match[1]));
    const terms = asked(query, groups);
    const scores = new Map();
    let all = 0;
    terms.forEach((term, place) => {
      const best = new Map();
      const take = (found, weight) => found.forEach(({ id, score }) => best.set(id, Math.max(best.get(id) ?? 0, weight * score)));
      take(one(index, term.word, place === terms.length - 1), 1);
      for (const phrase of term.also) take(index.search(phrase.join(" "), { combineWith: "AND", processTerm: (word) => word }), 0.8);
      // A rare word says more than a frequent one; a word that the book lacks says nothing.
      const weight = best.size ? Math.log(1 + byUrl.size / best.size) : 0;
      all += weight;
      for (const [url, score] of best) {
        const sum = scores.get(url) ?? { score: 0, share: 0 };
        scores.set(url, { score: sum.score + score, share: sum.share + weight });
      }
    });
    const whole = plain(query).trim();
    return [...scores].map(([url, { score, share }]) => {
      const section = byUrl.get(url);
      let rank = score * (share / all) ** 1.5;
      if (terms.length > 1 && section.plain.includes(whole)) rank *= 3;
      if (url.includes("#sec-rule-") && !/[a-z]{3}\d{3}/i.test(query)) rank *= 0.25;
      return { section, rank };
    }).filter(({ section }) => quoted.every((phrase) => section.plain.includes(phrase)))
      .sort((a, b) => b.rank - a.rank).map(({ section }) => section);
  };

  const element = (tag, props, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };
  // The part of a text around most of the words, with the words marked.
  const excerpt = (text, stems) => {
    const tokens = text.split(" ");
    const hit = tokens.map((token) => words(token).some((word) => stems.has(stem(word))));
    let start = 0, most = -1;
    for (let from = 0; from < Math.max(1, tokens.length - 10); from += 5) {
      const count = hit.slice(from, from + 24).filter(Boolean).length;
      if (count > most) [start, most] = [from, count];
    }
    const shown = tokens.slice(start, start + 24).flatMap((token, place) =>
      [hit[start + place] ? element("mark", { textContent: token }) : token, " "]);
    return element("p", {}, start ? "… " : "", ...shown, start + 24 < tokens.length ? "…" : "");
  };
  const show = (section, stems) => element("li", {},
    element("a", { href: base + section.url, textContent: section.title }),
    ...(section.page !== section.title ? [element("span", { className: "search-page", textContent: section.page })] : []),
    excerpt(section.text, stems));

  let turn = 0;
  const search = async () => {
    const mine = ++turn;
    const query = input.value.trim();
    if (!query) { results.replaceChildren(); status.textContent = ""; return; }
    try {
      const loaded = await load();
      if (mine !== turn) return;
      const found = find(loaded, query);
      const stems = new Set(asked(query, loaded.groups).flatMap((term) => [term.stem, ...term.also.flat()]));
      results.replaceChildren(...found.slice(0, SHOWN).map((section) => show(section, stems)));
      status.textContent = !found.length ? "Nothing found"
        : found.length > SHOWN ? `The best ${SHOWN} of ${found.length} sections` : `${found.length} section${found.length > 1 ? "s" : ""}`;
    } catch (error) {
      status.textContent = "No search: " + error.message;
    }
  };
  const open = () => { dialog.showModal(); input.select(); load().catch((error) => { status.textContent = "No search: " + error.message; }); };
  document.querySelectorAll(".search-open").forEach((button) => button.addEventListener("click", open));
  dialog.querySelector(".search-close").addEventListener("click", () => dialog.close());
  input.addEventListener("input", search);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    results.querySelector("a")?.click();
  });
  results.addEventListener("click", (event) => { if (event.target.closest("a")) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    // A search field would use the first Escape to empty itself.
    if (event.key === "Escape") { event.preventDefault(); dialog.close(); return; }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const stops = [input, ...results.querySelectorAll("a")];
    event.preventDefault();
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    if ((event.key === "/" && !typing) || (event.key?.toLowerCase() === "k" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      if (!dialog.open) open();
    }
  });
})();
