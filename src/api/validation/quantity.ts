const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };

/** The number a Kubernetes quantity stands for (`1500m` is 1.5); undefined when it is none. */
export function quantityValue(quantity: string | number): number | undefined {
  if (typeof quantity === 'number') return quantity;
  const match = /^([0-9.]+)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?[0-9]+))$/.exec(quantity);
  if (match === null) return undefined;
  const [, digits, binary, decimal, exponent] = match;
  // Parsed with its exponent in one go: a multiplication would not give 0.1 for 100m.
  const value =
    binary === undefined
      ? Number(`${digits}e${exponent ?? decimalExponents[decimal ?? '']}`)
      : Number(digits) * 2 ** (binaryExponents[binary] ?? Number.NaN);
  return Number.isNaN(value) ? undefined : value;
}
