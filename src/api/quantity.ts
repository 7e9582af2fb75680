/** Powers of the suffixes of a Kubernetes quantity: decimal ones of 10, binary ones of 1024. */
const decimalPowers: Readonly<Record<string, number>> = {
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
const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const quantityText = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$/;

/**
 * The quantity in units of 10^-9, rounded up as the API server does; undefined for a text that is none.
 * `2048Mi` and `2Gi` give the same, as do `0.5` and `500m`.
 */
export function parseQuantityNanos(value: unknown): bigint | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const match = quantityText.exec(String(value).trim());
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent, suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;

  const binary = binarySuffixes.indexOf(suffix) + 1;
  const power = exponent === undefined ? (decimalPowers[suffix] ?? 0) : Number(exponent.slice(1));
  const digits = BigInt(`${whole}${fraction}`) * 1024n ** BigInt(binary);
  const scale = power - fraction.length + 9;
  if (Math.abs(scale) > 100) return undefined;
  const magnitude = scale >= 0 ? digits * 10n ** BigInt(scale) : divideUp(digits, 10n ** BigInt(-scale));
  return sign === '-' ? -magnitude : magnitude;
}

/** The number a quantity stands for: `1500m` is 1.5; undefined for a text that is none. */
export function quantityValue(value: unknown): number | undefined {
  const nanos = parseQuantityNanos(value);
  return nanos === undefined ? undefined : Number(nanos) / 1e9;
}

/** True when both are quantities of one value. */
export function areEqualQuantities(a: unknown, b: unknown): boolean {
  const nanos = parseQuantityNanos(a);
  return nanos !== undefined && nanos === parseQuantityNanos(b);
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
