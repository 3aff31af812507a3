// What the page shows is in its address: streams, filter, columns, the selected change.

export const parameters = () => new URLSearchParams(location.search);

// The page's address with other values of one parameter; none takes it away.
export function addressWith(name, values) {
  const query = parameters();
  query.delete(name);
  for (const value of values) query.append(name, value);
  const text = query.toString();
  return text ? `${location.pathname}?${text}` : location.pathname;
}

export function go(name, values) {
  location.assign(addressWith(name, values));
}

// The same without a visit: the page shows it already. Forms that keep what is in the address keep
// this too.
export function remember(name, values, { push = false, state = history.state } = {}) {
  history[push ? "pushState" : "replaceState"](state, "", addressWith(name, values));
  for (const form of document.querySelectorAll("form[data-keeps]")) {
    form.querySelectorAll(`input[type=hidden][name="${name}"]`).forEach((input) => input.remove());
    if (!form.dataset.keeps.split(" ").includes(name)) continue;
    for (const value of values) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      form.append(input);
    }
  }
}
