// Numbers as every page spells them: 118,204.

const format = new Intl.NumberFormat("en");

export const grouped = (number) => format.format(number);
