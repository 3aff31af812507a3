// The connection: opens, keeps it alive, and comes back after it broke. It knows nothing of rows.

const SILENCE_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const RESTART = 1012;
// So many attempts in a row that never opened: something on the way lets no WebSocket through.
const BLOCKED = 3;
// The server's last words: trying again would be answered the same.
export const LOG_IN = 4401;
export const NO_ACCESS = 4403;
export const TOO_MANY = 4429;
const FINAL = [LOG_IN, NO_ACCESS, TOO_MANY];

export class FeedSocket {
  // `on.open()`, `on.message(object)`, `on.wait(seconds)`, `on.offline()`, `on.refused(code)`,
  // and `on.blocked()` after each attempt that did not open, from the third in a row on.
  constructor(path, on) {
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.on = on;
    this.failures = 0;
    this.unopened = 0;
    window.addEventListener("online", () => this.now());
    window.addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.isOpen) this.now();
    });
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.timer);
    clearInterval(this.countdown);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.opened = false;
    this.listen();
    // A socket that was given up must not speak for its successor.
    const current = (run) => (event) => socket === this.socket && run(event);
    socket.addEventListener("open", current(() => {
      this.unopened = 0;
      this.opened = true;
      this.on.open();
    }));
    socket.addEventListener("message", current((event) => this.receive(event.data)));
    socket.addEventListener("close", current((event) => this.closed(event.code)));
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  // Try at once, if nothing is open and nothing final was said.
  now() {
    if (!this.isOpen) this.renew();
  }

  // Give up a connection that may be dead without knowing it, and try at once.
  renew() {
    if (this.final) return;
    this.failures = 0;
    this.drop(false);
    this.open();
  }

  receive(text) {
    this.listen();
    const message = JSON.parse(text);
    if (message.type === "ready") this.failures = 0;
    this.on.message(message);
  }

  // A connection can die without a word; a living one speaks every second, a hidden one every five.
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.drop(), SILENCE_MS);
  }

  drop(report = true) {
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
    if (report && !this.final) this.closed(0);
  }

  closed(code) {
    clearTimeout(this.silence);
    this.socket = undefined;
    if (!this.opened) this.unopened += 1;
    if (FINAL.includes(code)) {
      this.final = true;
      this.on.refused(code);
    } else if (!navigator.onLine) {
      this.on.offline();
    } else {
      this.retry(code);
      if (this.unopened >= BLOCKED) this.on.blocked();
    }
  }

  // Full jitter, so that a restarted server does not meet all its viewers at once.
  retry(code) {
    const longest = Math.min(FIRST_WAIT_MS * 2 ** this.failures, LONGEST_WAIT_MS);
    const wait = Math.random() * (code === RESTART ? 3000 : longest);
    this.failures += 1;
    const due = Date.now() + wait;
    const tell = () => this.on.wait(Math.max(0, Math.ceil((due - Date.now()) / 1000)));
    clearTimeout(this.timer);
    clearInterval(this.countdown);
    tell();
    this.countdown = setInterval(tell, 1000);
    this.timer = setTimeout(() => this.open(), wait);
  }
}
