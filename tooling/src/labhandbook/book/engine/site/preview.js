// In the preview only: the page follows its source. The server sends each new state of this page; the text, the
// contents and the mistakes then replace the old ones, and the reader keeps their place.
(() => {
  "use strict";
  const { page, version: first } = document.currentScript.dataset;
  let version = first;
  let wanted = first;
  let busy = false;
  let events = null;

  // Where the reader is: the last thing with an id above the middle of the screen, and how far from the top it is.
  const place = () => {
    const above = [...document.querySelectorAll("main [id]")].findLast(
      (one) => one.getClientRects()[0]?.top < innerHeight / 2);
    return { y: scrollY, id: above?.id, top: above?.getBoundingClientRect().top };
  };
  const restore = ({ y, id, top }) => {
    const there = y > 0 && id && document.getElementById(id);
    scrollTo({ top: there ? scrollY + there.getBoundingClientRect().top - top : y, behavior: "instant" });
  };
  // What the reader opened and chose on the page.
  const opened = () => [...document.querySelectorAll("main details")].map((one) => one.open);
  const chosen = () => [...document.querySelectorAll("main [role=tab][aria-selected=true]")].map((one) => one.id);

  const swap = (fresh) => {
    const kept = { place: place(), opened: opened(), chosen: chosen() };
    for (const selector of ["title", "main", "#book", ".site-footer", "#preview-panel"]) {
      const [old, now] = [document.querySelector(selector), fresh.querySelector(selector)];
      if (!old || !now) continue;
      if (selector === "#book") { if (old.innerHTML !== now.innerHTML) old.innerHTML = now.innerHTML; }
      else old.replaceWith(document.adoptNode(now));
    }
    const details = [...document.querySelectorAll("main details")];
    if (details.length === kept.opened.length) details.forEach((one, at) => { one.open = kept.opened[at]; });
    document.dispatchEvent(new CustomEvent("handbook-main", { detail: kept.chosen }));
    restore(kept.place);
  };

  const catchUp = async () => {
    if (busy) return;
    busy = true;
    try {
      while (wanted !== version) {
        const seen = wanted;
        const [run, assets] = version.split(".");
        const [newRun, newAssets] = wanted.split(".");
        if (run !== newRun || assets !== newAssets) return location.reload();
        const response = await fetch("/" + page, { cache: "no-store" });
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        const now = fresh.querySelector("script[data-version]")?.dataset.version;
        if (!now || response.status !== 200 || !document.querySelector("main[data-search]")) return location.reload();
        swap(fresh);
        version = now;
        if (wanted === seen) wanted = now;
      }
    } catch { /* the server has gone; its return is announced */ } finally { busy = false; }
  };

  // A browser opens few connections to one server, so a hidden tab closes its own.
  const listen = () => {
    if (document.hidden) { events?.close(); events = null; return; }
    if (events) return;
    events = new EventSource("/.preview/events?page=" + encodeURIComponent(page));
    events.onmessage = ({ data }) => { wanted = data; catchUp(); };
  };
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => { events?.close(); events = null; });
  addEventListener("pageshow", listen);
  listen();
})();
