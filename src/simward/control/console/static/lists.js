// Lists: a row leads where its link leads, filters are sent when something is chosen, identifiers are copied.

const PAUSE_MS = 400;

export function startLists() {
  document.addEventListener("click", (event) => {
    copy(event.target.closest("[data-copy]"));
    if (event.target.closest("a, button, input, label, select, summary, [data-copy]")) return;
    if (getSelection().toString()) return;
    event.target.closest("main tr, main li")?.querySelector(".row-link")?.click();
  });
  let waiting = 0;
  const soon = (form, pause) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => send(form), pause);
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form) soon(form, event.target.matches("select") ? 0 : PAUSE_MS);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-autosubmit]")) return;
    event.preventDefault();
    send(event.target);
  });
}

// Without what is empty: an address that can be read and sent to somebody.
function send(form) {
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(given).toString();
  location.assign(form.action.split("?")[0] + (query ? `?${query}` : ""));
}

function copy(element) {
  if (!element || !navigator.clipboard || getSelection().toString()) return;
  navigator.clipboard.writeText(element.textContent.trim()).then(() => {
    element.classList.add("copied");
    setTimeout(() => element.classList.remove("copied"), 900);
  });
}
