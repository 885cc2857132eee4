// Copies what stands beside a Copy button; moves the focus to the summary of what is wrong with a form; says that a slow
// button is at work, and takes no second click.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}
document.querySelector("[data-focus]")?.focus();
document.addEventListener("submit", ({ target, submitter }) => {
  const words = submitter?.dataset.busy ?? target.dataset.busy;
  if (!words || !submitter) return;
  setTimeout(() => {
    submitter.disabled = true;
    submitter.textContent = words;
  });
});
