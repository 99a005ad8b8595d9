// Dialogs: what asks before it is done (loaded by htmx into #ask-body), and the list of keys.

export function startDialogs() {
  const ask = document.getElementById("ask");
  const body = document.getElementById("ask-body");

  document.body.addEventListener("htmx:configRequest", (event) => {
    const csrf = document.querySelector('meta[name="csrf"]').content;
    if (csrf) event.detail.headers["X-CSRF-Token"] = csrf;
  });
  // Once it is settled, not swapped: before that a form in it would be sent past htmx.
  body.addEventListener("htmx:afterSettle", () => {
    if (!ask.open) ask.showModal();
    body.querySelector("[autofocus], textarea, input:not([type=hidden])")?.focus();
  });
  ask.addEventListener("close", () => body.replaceChildren());
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button?.dataset.do === "close" && ask.open) {
      event.preventDefault();
      ask.close();
    } else if (button?.dataset.do === "help") {
      document.getElementById("help").showModal();
    } else if (event.target instanceof HTMLDialogElement) {
      event.target.close(); // beside what it shows
    }
  });
}

export function isOpen() {
  return document.querySelector("dialog[open]") !== null;
}
