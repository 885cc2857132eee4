// Keeps the regions of a page as they are now: by a stream, or where too many pages are open by fetching the page again.
const live = document.querySelector("[data-live]");
const said = live.querySelector("[data-said]");
const trusted = { createHTML: (html) => html };
const policy = globalThis.trustedTypes?.createPolicy("sluice", trusted) ?? trusted;
const seen = new Map();
const PAUSE = 10000; // from one announcement to the next
let stop = () => {};
let over = false;
let turn = 0;
let saidAt = 0;
let later;

function swap(html) {
  const box = document.createElement("template");
  box.innerHTML = policy.createHTML(html);
  for (const region of box.content.querySelectorAll("[data-region]")) {
    const old = document.getElementById(region.id);
    const text = region.outerHTML;
    if (!old || seen.get(region.id) === text) continue;
    seen.set(region.id, text);
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    for (const open of old.querySelectorAll("details[id][open]")) region.querySelector(`#${open.id}`)?.setAttribute("open", "");
    old.replaceWith(region);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    region.dispatchEvent(new CustomEvent("sluice:swapped", { bubbles: true }));
    if (region.id === "now") tell(region);
  }
}

function tell(now) {
  document.title = now.textContent;
  clearTimeout(later);
  const words = now.dataset.say;
  const wait = Math.max(0, saidAt + PAUSE - Date.now());
  later = setTimeout(() => {
    if (said.textContent === words) return;
    said.textContent = words;
    saidAt = Date.now();
  }, wait);
}

function end(lost) {
  over = true;
  turn += 1;
  stop();
  live.querySelector("[data-over]").hidden = !lost;
}

function listen() {
  const source = new EventSource(live.dataset.live);
  let failures = 0;
  source.addEventListener("regions", (event) => ((failures = 0), swap(event.data)));
  source.addEventListener("end", (event) => end(event.data === "lost"));
  source.addEventListener("error", () => {
    if (++failures > 15) end(true);
    else if (source.readyState === EventSource.CLOSED) release = poll(); // it was refused, for good
  });
  let release = () => source.close();
  return () => release();
}

function poll() {
  let failures = 0;
  const timer = setInterval(async () => {
    try {
      const answer = await fetch(`${live.dataset.live}&once=true`);
      if (answer.redirected || [401, 403, 404, 410].includes(answer.status)) return end(true);
      if (!answer.ok) throw new Error(answer.status);
      failures = 0;
      swap(await answer.text());
      if (answer.headers.get("Sluice-Live") === "ended") end(false);
    } catch {
      if (++failures > 5) end(true);
    }
  }, 5000);
  return () => clearInterval(timer);
}

// A browser has six connections to a server. Four pages hold one each; whoever finds no free lock asks now and then.
async function take(number) {
  if (!navigator.locks || number === 4) return poll();
  return new Promise((found) => {
    navigator.locks.request(`sluice-live-${number}`, { ifAvailable: true }, (lock) => {
      if (!lock) return void found(take(number + 1));
      const close = listen();
      return new Promise((release) => found(() => (close(), release())));
    });
  });
}

// A page that nobody sees holds nothing.
async function follow() {
  const mine = ++turn;
  stop();
  stop = () => {};
  if (over || document.hidden) return;
  const close = await take(0);
  if (mine === turn) stop = close;
  else close();
}

live.querySelector("[data-still]").hidden = true;
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", () => ((turn += 1), stop()));
addEventListener("pageshow", (event) => event.persisted && follow());
follow();
