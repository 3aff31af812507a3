// What is left out, as rows of the list: each omission is counted, has its time, and leads to the
// very changes.

import { grouped } from "./number.js";

const REASONS = {
  backlog: "not shown here: they happened meanwhile",
  slow: "not listed: they came faster than this browser could show them",
  rate: "not listed: they came faster than the feed can show",
  retention: "no longer stored: retention has removed them",
};

export function changes(count) {
  return `${grouped(count)} ${count === 1 ? "change" : "changes"}`;
}

// The entry of a `gap` frame. `begun` and `ended` are ISO times around it.
export function gapEntry(frame, begun, ended) {
  const { reason } = frame;
  if (reason === "collection") {
    return { marker: { reason, text: frame.text, url: frame.url, action: "See the stream", count: 0 } };
  }
  const removes = frame.operations?.REMOVE ?? 0;
  const of = removes ? ` (${grouped(removes)} REMOVE)` : "";
  const unasked = frame.unasked ? ", with or without the filter" : "";
  const text = `${changes(frame.count)}${of} ${REASONS[reason] ?? REASONS.backlog}${unasked},`;
  return { marker: { reason, text, url: frame.url, count: frame.count, begun, ended } };
}

// What polling had to leave out: nobody counted it.
export function skippedEntry(url, begun, ended) {
  const text = "Changes that came faster than polling can fetch them are not listed,";
  return { marker: { reason: "slow", text, url, count: 0, begun, ended } };
}

// The marker of a sampled stretch grows on top of the list for as long as the stretch lasts and
// nobody reads it; then it stays where it is.
export class Sampling {
  // `rangeUrl(after, upto)` is the page of what lies between two cursors.
  constructor(ring, rangeUrl) {
    this.ring = ring;
    this.rangeUrl = rangeUrl;
    this.open = undefined;
  }

  // The rows of a batch, and how many of its changes are not among them. The marker is not touched
  // below `held`, the index up to which the list stands still.
  add(entries, sampled, frame, at, held) {
    if (this.open && (this.open.index < held || this.open.entry !== this.ring.get(this.ring.end - 1))) {
      this.open = undefined;
    }
    if (!sampled) {
      this.open = undefined;
      entries.forEach((entry) => this.ring.push(entry));
    } else if (this.open) {
      entries.forEach((entry) => this.ring.pushBelowLast(entry));
      this.grow(sampled, frame.to, at);
    } else {
      entries.forEach((entry) => this.ring.push(entry));
      this.begin(sampled, frame, at);
    }
  }

  begin(count, frame, at) {
    this.after = frame.from;
    this.ring.push({ marker: this.marker(count, frame.to, at, at) });
    this.remember();
  }

  grow(count, upto, at) {
    const { marker } = this.open.entry;
    this.ring.replaceLast({ marker: this.marker(marker.count + count, upto, marker.begun, at) });
    this.remember();
  }

  remember() {
    const index = this.ring.end - 1;
    this.open = { index, entry: this.ring.get(index) };
  }

  marker(count, upto, begun, ended) {
    const url = this.rangeUrl(this.after, upto);
    return { reason: "sampled", text: `${changes(count)} not listed,`, url, count, begun, ended };
  }
}
