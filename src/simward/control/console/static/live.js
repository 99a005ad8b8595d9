// Parts that are asked for again every few seconds (data-live="5"): not while nobody looks, reads a dialog or marks text.

import { isOpen } from "./dialogs.js";

const TICK_MS = 1000;
const askedAt = new Map();
let freshAt = Date.now();

export function startLive() {
  if (!window.htmx) return;
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", tick);
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target, xhr, serverResponse } = event.detail;
    if (!target.matches("[data-live]")) return;
    // A page without the part is not this page: somebody else's, or the one to sign in at.
    if (xhr.status >= 400 || !serverResponse.includes(`id="${target.id}"`)) {
      event.detail.shouldSwap = false;
      stale(xhr.status === 401 || xhr.status === 200 ? "You are signed out; open the page again." : "");
    } else {
      freshAt = Date.now();
      stale(null);
    }
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(failure, (event) => {
      if (event.detail.elt.matches("[data-live]")) stale("");
    });
  }
}

function tick() {
  if (document.hidden || isOpen() || getSelection().toString()) return;
  for (const part of document.querySelectorAll("[data-live]")) {
    const last = askedAt.get(part.id) ?? (askedAt.set(part.id, Date.now()), Date.now());
    if (Date.now() - last < 1000 * Number(part.dataset.live)) continue;
    if (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
    askedAt.set(part.id, Date.now());
    window.htmx.trigger(part, "refresh");
  }
}

// What is shown is old, and since when. null: it is not.
function stale(why) {
  const place = document.getElementById("stale");
  place.hidden = why === null;
  if (why === null) return;
  const since = new Date(freshAt).toLocaleTimeString();
  place.textContent = why || `No answer from the server: this is how it stood at ${since}. Trying again.`;
}
