// What the pages around a viewer say: whose game it is, in the heading and the title.

const heading = document.querySelector("[data-subject]");
const live = location.pathname.match(/^\/live\/(.+)$/);
const path = new URLSearchParams(location.search).get("path");
const subject = live ? decodeURIComponent(live[1]) : (path?.split("/").at(-1) ?? "");
if (subject) {
  heading.textContent = subject;
  document.title = `${subject} · andross`;
}
const download = document.querySelector("[data-download]");
if (download && path) {
  download.href = `/replays/${path.split("/").map(encodeURIComponent).join("/")}`;
  download.hidden = false;
}
