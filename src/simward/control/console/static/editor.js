// The policy's editor: line numbers beside the text, those that are wrong marked, and a way from a problem to its line.

const text = document.getElementById("text");
const gutter = document.querySelector("[data-gutter]");

if (text && gutter) {
  text.addEventListener("input", number);
  text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));
  document.body.addEventListener("htmx:afterSwap", number);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    go(Number(link.dataset.line));
  });
  number();
}

function number() {
  const wrong = new Set([...document.querySelectorAll("#found [data-line]")].map((one) => Number(one.dataset.line)));
  const count = text.value.split("\n").length;
  gutter.replaceChildren(...Array.from({ length: count }, (_, at) => {
    const line = document.createElement("span");
    line.textContent = at + 1;
    if (wrong.has(at + 1)) line.className = "wrong";
    return line;
  }));
  gutter.scrollTop = text.scrollTop;
}

function go(line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  text.scrollTop = (text.scrollHeight / lines.length) * Math.max(line - 5, 0);
}
