// Posts the columns at each change, and swaps what the answer says of them: verdicts, summary, warnings, conversions.
const form = document.querySelector("form[data-columns]");
let sent = null;

function swap(fresh) {
  for (const old of form.querySelectorAll("[data-swap]")) {
    const made = fresh.getElementById(old.id);
    // What somebody is in stays; an open fold stays open.
    if (!made || old.contains(document.activeElement) || old.isEqualNode(made)) continue;
    const wasOpen = old.querySelector("details[open]") !== null;
    const put = document.importNode(made, true);
    if (wasOpen) put.querySelector("details")?.setAttribute("open", "");
    old.replaceWith(put);
  }
}

function check() {
  sent?.abort();
  sent = new XMLHttpRequest();
  sent.open("POST", form.action);
  sent.responseType = "document";
  const fields = new FormData(form);
  fields.set("go", "check");
  sent.addEventListener("load", ({ target }) => target.response && swap(target.response));
  sent.send(new URLSearchParams(fields));
}

form.addEventListener("change", (event) => event.target.matches("table *") && check());
// Changed before this script was there, or kept by the browser when the page was loaded again.
const first = (select) => Math.max(0, [...select.options].findIndex((each) => each.defaultSelected));
if ([...form.querySelectorAll("table select")].some((each) => each.selectedIndex !== first(each))) check();
