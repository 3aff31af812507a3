// The drawer: a change beside the list, without leaving it. Its address is `?sel=`, Back closes it.

import { startChange } from "./change.js";
import { parameters, remember } from "./feed_address.js";

export class Drawer {
  // `on.moved()` after the drawer opened, closed or changed; `on.closed(id)` with the change that
  // was shown.
  constructor(root, changeUrl, on) {
    const find = (selector) => root.querySelector(selector);
    Object.assign(this, { root, changeUrl, on, id: "" });
    this.body = find(".drawer-body");
    this.title = find("h2");
    find("[data-close]").addEventListener("click", () => this.close());
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      this.close();
    });
    window.addEventListener("popstate", () => this.follow());
  }

  get isOpen() {
    return this.id !== "";
  }

  // Show what the address says: at first, and after Back and Forward.
  follow() {
    const id = parameters().get("sel") ?? "";
    if (id && id !== this.id) this.show(id);
    else if (!id && this.isOpen) this.hide();
  }

  open(id) {
    if (id === this.id) return;
    remember("sel", [id], { push: !this.isOpen, state: { drawer: true } });
    this.show(id);
  }

  close() {
    // Only a visit of our own is taken back; an address that was opened with a change stays here.
    if (history.state?.drawer) history.back();
    else {
      remember("sel", []);
      this.hide();
    }
  }

  async show(id) {
    const wasOpen = this.isOpen;
    this.id = id;
    this.root.hidden = false;
    if (!wasOpen) this.title.focus();
    this.on.moved();
    this.request?.abort();
    this.request = new AbortController();
    this.body.setAttribute("aria-busy", "true");
    try {
      this.fill(await this.fetch(id));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.fill(message(`The change could not be loaded: ${error.message}.`, this.changeUrl(id)));
    }
    this.body.removeAttribute("aria-busy");
  }

  async fetch(id) {
    const headers = { "HX-Request": "true" };
    const answer = await fetch(this.changeUrl(id), { headers, signal: this.request.signal });
    if (answer.redirected) throw new Error("you are signed out");
    if (answer.status === 404) throw new Error("it is not stored, or no longer");
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const change = page.querySelector("article.change");
    if (!change) throw new Error("the answer was not a change");
    return document.adoptNode(change);
  }

  fill(content) {
    this.body.replaceChildren(content);
    this.body.scrollTop = 0;
    if (content.matches("article")) startChange(content);
  }

  hide() {
    const { id } = this;
    this.id = "";
    this.request?.abort();
    this.root.hidden = true;
    this.body.replaceChildren();
    this.on.closed(id);
    this.on.moved();
  }
}

function message(text, url) {
  const paragraph = document.createElement("p");
  paragraph.className = "notice bad";
  const page = document.createElement("a");
  page.href = url;
  page.textContent = "Open its page";
  paragraph.append(text, " ", page);
  return paragraph;
}
