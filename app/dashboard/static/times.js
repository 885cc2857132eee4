// Shows times in the reader's zone; without it they are in UTC, which is named.
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });

export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const moment = new Date(time.dateTime);
    const today = moment.toDateString() === new Date().toDateString();
    const year = moment.getFullYear() === new Date().getFullYear() ? "" : ` ${moment.getFullYear()}`;
    time.textContent = today ? clock.format(moment) : `${day.format(moment)}${year}, ${clock.format(moment)}`;
    time.title = whole.format(moment);
  }
}

// A form that asks for a time zone begins with the reader's.
for (const option of document.querySelectorAll("select[data-zone] option")) {
  option.selected ||= option.value === Intl.DateTimeFormat().resolvedOptions().timeZone;
}
localise(document);
document.addEventListener("sluice:swapped", (event) => localise(event.target));
