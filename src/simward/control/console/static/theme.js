// Dark or light: as the system has it, until somebody switches. A cookie tells the server, so that nothing flashes.

import { keep } from "./cookies.js";

export function startTheme() {
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-do="theme"]') === null) return;
    const root = document.documentElement;
    root.dataset.theme = isDark() ? "light" : "dark";
    keep("theme", root.dataset.theme);
    document.dispatchEvent(new CustomEvent("themechange"));
  });
}

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
