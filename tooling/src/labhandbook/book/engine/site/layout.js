// What a page of the embedded engine does beyond being read: theme, copying, tabs, the place on the page.
// Everything here is an addition: without it the page is complete.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* a closed store: this page only */ } },
  };

  // Theme
  const toggle = document.querySelector(".theme-toggle");
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const showTheme = () => toggle.setAttribute("aria-pressed", String(isDark()));
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    store.set("handbook-theme", root.dataset.theme);
    showTheme();
  });
  showTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

  // Prepare the text of the page; the preview calls this again when it has replaced the text.
  const dress = (main, chosen = []) => {
    offerCopies(main);
    linkHeadings(main);
    stepTabs(main, chosen);
    followPlace(main);
  };

  // Copy
  const offerCopies = (main) => {
    for (const pre of all("pre", main)) {
      let box = pre.closest("div.sourceCode");
      if (!box) {
        box = Object.assign(document.createElement("div"), { className: "sourceCode" });
        pre.replaceWith(box);
        box.append(pre);
      }
      const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
      button.setAttribute("aria-label", "Copy this code");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(pre.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(pre);
          button.textContent = "Press Ctrl-C";
        }
        button.classList.add("done");
        setTimeout(() => { button.textContent = "Copy"; button.classList.remove("done"); }, 1500);
      });
      box.append(button);
    }
  };

  // Links to headings
  const linkHeadings = (main) => {
    for (const heading of all("section[id] > :is(h2, h3, h4)", main)) {
      const link = Object.assign(document.createElement("a"), { className: "anchor", textContent: "#", href: "#" + heading.parentElement.id });
      link.setAttribute("aria-label", "Link to " + heading.textContent.trim());
      heading.append(link);
    }
  };

  // Tabs: groups stay in step, on this page and the next
  const select = (tab) => {
    const set = tab.closest(".panel-tabset");
    for (const other of all("[role=tab]", set.querySelector(".tabs"))) {
      const on = other === tab;
      other.setAttribute("aria-selected", String(on));
      other.tabIndex = on ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).toggleAttribute("data-inactive", !on);
    }
  };
  const choose = (tab) => {
    const group = tab.closest(".panel-tabset").dataset.group;
    const top = tab.getBoundingClientRect().top;
    if (group) {
      store.set("handbook-tab-" + group, tab.textContent);
      for (const other of all("main [data-group] [role=tab]")) {
        if (other.closest("[data-group]").dataset.group === group && other.textContent === tab.textContent) select(other);
      }
    }
    select(tab);
    tab.focus({ preventScroll: true });
    scrollBy({ top: tab.getBoundingClientRect().top - top, behavior: "instant" });
  };
  const stepTabs = (main, chosen) => {
    for (const set of all(".panel-tabset", main)) {
      const tabs = all("[role=tab]", set.querySelector(".tabs"));
      const wanted = set.dataset.group && store.get("handbook-tab-" + set.dataset.group);
      const known = tabs.find((tab) => chosen.includes(tab.id)) || tabs.find((tab) => tab.textContent === wanted);
      if (known) select(known);
      tabs.forEach((tab, place) => {
        tab.addEventListener("click", () => choose(tab));
        tab.addEventListener("keydown", (event) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          const next = step ? tabs[(place + step + tabs.length) % tabs.length] : { Home: tabs[0], End: tabs.at(-1) }[event.key];
          if (next) { event.preventDefault(); choose(next); }
        });
      });
    }
  };

  // A link into a hidden panel or a closed callout opens it
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const panel = target.closest("[role=tabpanel][data-inactive]");
    if (panel) select(document.getElementById(panel.getAttribute("aria-labelledby")));
    const closed = target.closest("details:not([open])");
    if (closed) closed.open = true;
    if (panel || closed) target.scrollIntoView();
  };

  // The place on the page
  let watch = null;
  const followPlace = (main) => {
    watch?.disconnect();
    const links = new Map(all(".toc a", main).map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    if (!links.size) return;
    const headings = all("section[id] > :is(h2, h3, h4)", main).filter((one) => links.has(one.parentElement.id));
    const mark = () => {
      const at = headings.filter((one) => one.getBoundingClientRect().top < 120).pop();
      links.forEach((link, id) => link.classList.toggle("here", id === at?.parentElement.id));
      const here = at && links.get(at.parentElement.id);
      if (here) showIn(here.closest(".toc"), here);
    };
    watch = new IntersectionObserver(mark, { rootMargin: "-110px 0px -60% 0px", threshold: [0, 1] });
    for (const heading of headings) watch.observe(heading);
  };
  // Scroll a list, and only it, so that one of its entries is seen.
  const showIn = (list, entry) => {
    const [outer, inner] = [list.getBoundingClientRect(), entry.getBoundingClientRect()];
    if (inner.top < outer.top + 48 || inner.bottom > outer.bottom - 48) {
      list.scrollTop += inner.top - outer.top - outer.height / 2;
    }
  };

  const text = document.querySelector("main");
  dress(text);
  reveal();
  addEventListener("hashchange", reveal);
  document.addEventListener("handbook-main", (event) => { dress(document.querySelector("main"), event.detail); });

  // The page's contents are beside the text on a wide screen and folded above it on a narrow one
  matchMedia("(min-width: 1200px)").addEventListener("change", (wide) => {
    for (const toc of all("details.toc")) toc.open = wide.matches;
  });

  // The parts of the book fold
  const book = document.getElementById("book");
  for (const list of all("li > ul", book)) {
    const part = list.parentElement;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "fold" });
    button.setAttribute("aria-label", "Chapters of " + part.querySelector(".part").textContent.trim());
    const show = (open) => {
      part.classList.toggle("open", open);
      part.classList.toggle("folded", !open);
      button.setAttribute("aria-expanded", String(open));
    };
    button.addEventListener("click", () => show(part.classList.contains("folded")));
    show(Boolean(part.querySelector("[aria-current]")));
    part.querySelector(".part").after(button);
  }

  // The book's contents open where the reader is
  const showCurrent = () => { const here = book.querySelector("[aria-current]"); if (here) showIn(book, here); };
  book.addEventListener("toggle", showCurrent);
  showCurrent();
})();
