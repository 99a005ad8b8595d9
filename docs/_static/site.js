// What the theme leaves out for who reads by keyboard or ear: what scrolls can be reached, and headings have a level.
addEventListener("DOMContentLoaded", () => {
  for (const one of document.querySelectorAll(".highlight pre, .table-wrapper")) one.tabIndex = 0;
  for (const one of document.querySelectorAll('[role="heading"]:not([aria-level])')) one.ariaLevel = "2";
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "All pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
});
