// Puts the console's parts together. Without it every page still works: links lead, forms send, times are in UTC.

import { startDialogs } from "./dialogs.js";
import { startKeys } from "./keys.js";
import { startLists } from "./lists.js";
import { startLive } from "./live.js";
import { startTheme } from "./theme.js";
import { showTimes, startTimes } from "./times.js";

const WAYS_IN = [showTimes, drawCharts]; // for what stands on the page, and for what htmx brings later

startTheme();
startTimes();
startKeys();
startLists();
startDialogs();
startLive();

for (const way of WAYS_IN) way(document.body);
document.body.addEventListener("htmx:load", (event) => {
  for (const way of WAYS_IN) way(event.detail.elt);
});

// A page without a chart does not load what draws them.
async function drawCharts(root) {
  const places = [...root.querySelectorAll("[data-chart]")];
  if (root.matches("[data-chart]")) places.push(root);
  if (places.length === 0) return;
  const { draw } = await import("./charts.js");
  places.forEach(draw);
}
