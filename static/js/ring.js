// The newest rows, in a fixed amount of memory. An absolute index names a row for as long as it
// is held, whatever comes after it.

export class Ring {
  constructor(capacity) {
    this.capacity = capacity;
    this.entries = new Array(capacity);
    this.end = 0; // the index the next entry gets
  }

  get first() {
    return Math.max(0, this.end - this.capacity);
  }

  push(entry) {
    this.entries[this.end % this.capacity] = entry;
    this.end += 1;
  }

  // Under the last one: what came while a marker on top goes on counting.
  pushBelowLast(entry) {
    const last = this.get(this.end - 1);
    this.entries[(this.end - 1) % this.capacity] = entry;
    this.push(last);
  }

  replaceLast(entry) {
    this.entries[(this.end - 1) % this.capacity] = entry;
  }

  get(index) {
    return index >= this.first && index < this.end
      ? this.entries[index % this.capacity]
      : undefined;
  }
}
