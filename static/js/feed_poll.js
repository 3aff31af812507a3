// The feed without a socket: asks for what follows the cursor, every two seconds.

const EVERY_MS = 2000;
const LIMIT = 500;
// So many full pages in a row mean that polling will not catch up: it goes on at the newest.
const MOST_PAGES = 20;

export class Poll {
  // `parameters()` gives [name, value] pairs, the cursor among them. `on.page({rows, cursor, hidden,
  // skipped})`, where `skipped` is true if changes before the rows were left out; `on.failed(status)`,
  // 0 if there was no answer.
  constructor(path, parameters, on) {
    Object.assign(this, { path, parameters, on, active: false, pages: 0 });
  }

  start() {
    if (this.active) return;
    this.active = true;
    this.pages = 0;
    this.ask();
  }

  stop() {
    this.active = false;
    clearTimeout(this.timer);
    this.request?.abort();
  }

  async ask() {
    this.request = new AbortController();
    const skip = this.pages >= MOST_PAGES;
    let page;
    try {
      const answer = await fetch(this.address(skip), { signal: this.request.signal, redirect: "error" });
      if (!answer.ok) return this.fail(answer.status);
      page = await answer.json();
    } catch (error) {
      return error.name === "AbortError" ? undefined : this.fail(0);
    }
    if (!this.active) return undefined;
    this.pages = page.more && !skip ? this.pages + 1 : 0;
    this.on.page({ ...page, skipped: skip });
    this.timer = setTimeout(() => this.ask(), page.more ? 0 : EVERY_MS);
    return undefined;
  }

  address(skip) {
    const query = new URLSearchParams({ limit: LIMIT, summary: 1 });
    for (const [name, value] of this.parameters()) {
      if (!(skip && name === "cursor")) query.append(name, value);
    }
    return `${this.path}?${query}`;
  }

  fail(status) {
    if (!this.active) return;
    this.stop();
    this.on.failed(status);
  }
}
