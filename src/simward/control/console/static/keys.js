// Keys: / searches, ? lists the keys, j and k go through a list, Enter opens, g and a letter goes to a place.

import { isOpen } from "./dialogs.js";

const TOGETHER_MS = 1500;
let wentAt = 0;

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target.matches("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing || isOpen()) return;
    if (act(event.key)) event.preventDefault();
  });
}

function act(key) {
  if (Date.now() - wentAt < TOGETHER_MS) {
    wentAt = 0;
    const place = document.querySelector(`.places a[data-key="${CSS.escape(key)}"]`);
    place?.click();
    return place !== null;
  }
  switch (key) {
    case "/": {
      const search = document.getElementById("search");
      search?.focus();
      search?.select();
      return search !== null;
    }
    case "?":
      document.getElementById("help").showModal();
      return true;
    case "g":
      wentAt = Date.now();
      return true;
    case "j":
      return step(1);
    case "k":
      return step(-1);
    default:
      return false;
  }
}

// Focus is on the row's own link, so that Enter and everything else work as on any link.
function step(by) {
  const links = [...document.querySelectorAll("main .row-link")];
  if (links.length === 0) return false;
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)];
  next.focus();
  next.closest("tr, li")?.scrollIntoView({ block: "nearest" });
  return true;
}
