// Highlighting: up to five terms, marked in what is on the page. Nothing is hidden, and the
// document stays as it is: the browser paints over ranges.

import { parameters, remember } from "./feed_address.js";

const MOST_TERMS = 5;
const canHighlight = "highlights" in CSS;

export class Highlighter {
  constructor(form, rows, changed) {
    this.form = form;
    this.rows = rows;
    this.changed = changed;
    this.list = form.querySelector("ul");
    this.input = form.querySelector("input[type=text]");
    this.terms = parameters().getAll("mark").slice(0, MOST_TERMS);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(this.input.value);
      this.input.value = "";
    });
    this.show();
  }

  add(text) {
    const term = text.trim();
    if (!term || this.terms.includes(term)) return;
    this.set([...this.terms, term].slice(-MOST_TERMS));
  }

  set(terms) {
    this.terms = terms;
    remember("mark", terms);
    this.show();
    this.changed();
  }

  show() {
    this.list.replaceChildren(...this.terms.map((term, place) => this.item(term, place)));
  }

  item(term, place) {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = term;
    name.className = `term term-${place + 1}`;
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", className: "quiet", textContent: "✕" });
    remove.setAttribute("aria-label", `Do not highlight ${term}`);
    remove.addEventListener("click", () => {
      this.set(this.terms.filter((other) => other !== term));
      this.input.focus();
    });
    item.append(name, remove);
    return item;
  }

  // After a painting: the rows have other texts now.
  paint() {
    if (!canHighlight) return;
    CSS.highlights.clear();
    if (!this.terms.length) return;
    const terms = this.terms.map((term) => term.toLowerCase());
    const found = terms.map(() => new Highlight());
    for (const { element } of this.rows()) {
      if (element.hidden) continue;
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) mark(walker.currentNode, terms, found);
    }
    found.forEach((ranges, place) => CSS.highlights.set(`term-${place + 1}`, ranges));
  }
}

function mark(node, terms, found) {
  const text = node.data.toLowerCase();
  // Few letters change their length in lower case; then places would not fit.
  if (text.length !== node.data.length) return;
  terms.forEach((term, place) => {
    for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
      const range = new StaticRange({
        startContainer: node, startOffset: at, endContainer: node, endOffset: at + term.length,
      });
      found[place].add(range);
    }
  });
}
