const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number a Kubernetes quantity stands for (`1500m` is 1.5); undefined when it is none. */
export function quantityValue(quantity: string | number): number | undefined {
  if (typeof quantity === 'number') return quantity;
  const match = /^([0-9.]+)(?:([numkMGTPE]i?)?|([eE][+-]?[0-9]+))$/.exec(quantity);
  if (match === null) return undefined;
  const factor = match[3] === undefined ? suffixes[match[2] ?? ''] : Number(`1${match[3]}`);
  const value = Number(match[1]) * (factor ?? Number.NaN);
  return Number.isNaN(value) ? undefined : value;
}
