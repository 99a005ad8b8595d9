// Times: how long ago stays true while the page is open, and the zone may be one's own.

import { keep, kept } from "./cookies.js";

const EVERY_MS = 15_000;
const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

export function startTimes() {
  setInterval(() => showTimes(document.body), EVERY_MS);
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-do="zone"]') === null) return;
    keep("zone", kept("zone") === "local" ? "utc" : "local");
    showTimes(document.body);
    document.dispatchEvent(new CustomEvent("zonechange"));
  });
}

export function isLocal() {
  return kept("zone") === "local";
}

export function showTimes(root) {
  const now = Date.now();
  for (const place of document.querySelectorAll("[data-zone-name]")) place.textContent = isLocal() ? zone() : "UTC";
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const ago = time.querySelector("[data-ago]");
    if (ago) ago.textContent = relative(at - now);
    const exact = time.querySelector("[data-exact]");
    if (exact) exact.textContent = isLocal() ? written(at, true) : written(at, false);
    time.title = `${written(at, false)}\n${written(at, true)}`;
  }
}

function relative(apartMs) {
  const seconds = Math.floor(Math.abs(apartMs) / 1000);
  if (seconds < 1) return "now";
  const [name, size] = UNITS.find(([, size]) => seconds >= size);
  const span = `${Math.floor(seconds / size)} ${name}`;
  return apartMs > 0 ? `in ${span}` : `${span} ago`;
}

const two = (number) => String(number).padStart(2, "0");

function written(at, local) {
  if (!local) return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${zone(at)}`;
}

function zone(at = new Date()) {
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts(at);
  return parts.find((one) => one.type === "timeZoneName")?.value ?? "local";
}
