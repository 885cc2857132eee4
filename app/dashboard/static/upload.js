// Sends a file with its progress in bytes, and can be cancelled. Without it the form sends the file by itself.
const form = document.querySelector("form[data-upload]");
const part = (name) => form.querySelector(`[data-${name}]`);
const size = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;

function tell(text, wrong = false) {
  part("told").textContent = text;
  part("told").className = wrong ? "error" : "";
  part("bar").hidden = wrong;
  part("progress").hidden = false;
}

function settle(request) {
  const wrong = request.response?.querySelector("#summary li") ?? request.response?.querySelector("main h1");
  if (request.status < 300 && request.responseURL !== form.action) location.assign(request.responseURL);
  else end(wrong?.textContent ?? "The file could not be sent. Try again");
}

function end(text) {
  part("cancel").hidden = true;
  form.querySelector(".main, button:not([type])").disabled = false;
  tell(text, true);
}

form?.addEventListener("submit", (event) => {
  const [file] = form.querySelector("input[type=file]").files;
  if (!file) return;
  event.preventDefault();
  if (file.size > Number(form.dataset.limit)) return end(`The file has ${size(file.size)}. At most ${size(form.dataset.limit)} can be sent`);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    Object.assign(form.querySelector("progress"), { value: loaded, max: total });
    tell(loaded < total ? `${size(loaded)} of ${size(total)}` : "Sent. Reading it…");
  });
  request.addEventListener("load", () => settle(request));
  request.addEventListener("error", () => end("The connection was lost. Send the file again"));
  request.addEventListener("abort", () => end("Cancelled. Nothing was kept"));
  part("cancel").hidden = false;
  part("cancel").onclick = () => request.abort();
  form.querySelector("button:not([type])").disabled = true;
  request.send(new FormData(form));
});
