// A spoken summary for those who listen: every 10, 30 or 60 seconds, if it is switched on.

import { changes } from "./feed_markers.js";
import { grouped } from "./number.js";
import { announce } from "./status.js";

const KEY = "deltawatch.spoken";

export class Spoken {
  constructor(select) {
    this.select = select;
    this.forget();
    select.value = localStorage.getItem(KEY) ?? "0";
    if (select.selectedIndex < 0) select.value = "0";
    select.addEventListener("change", () => {
      localStorage.setItem(KEY, select.value);
      this.start();
    });
    this.start();
  }

  start() {
    clearInterval(this.timer);
    this.forget();
    const seconds = Number(this.select.value);
    if (seconds) this.timer = setInterval(() => this.speak(), seconds * 1000);
  }

  forget() {
    this.total = 0;
    this.streams = new Map();
  }

  // Counts of the last second.
  add({ per_op: perOperation, per_stream: perStream }) {
    if (!perOperation) return;
    for (const count of Object.values(perOperation)) this.total += count;
    for (const [name, count] of perStream ?? []) {
      this.streams.set(name, (this.streams.get(name) ?? 0) + count);
    }
  }

  // "128 new changes: orders 90, sessions 38"
  speak() {
    const busiest = [...this.streams].sort(([, one], [, other]) => other - one).slice(0, 5);
    const each = busiest.map(([name, count]) => `${name} ${grouped(count)}`).join(", ");
    const text = `${changes(this.total).replace(" ", " new ")}${each ? `: ${each}` : ""}`;
    announce(this.total ? text : "No new changes");
    this.forget();
  }
}
