const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d+)?$/;
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** Kubernetes keeps nine decimals and rounds what is smaller away from zero. */
const decimals = 9;

/**
 * A Kubernetes quantity as the API server writes it back: `2000m` is `2`, `1024Mi` is `1Gi`, `0.5` is `500m`
 * (k8s.io/apimachinery, `Quantity.CanonicalizeBytes`). What is sent in this form never looks like drift.
 * Text that is no quantity comes back as it is: refusing it is validation's business.
 */
export function canonicalQuantity(text: string): string {
  const match = pattern.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return text;

  const nano = scaledToNano(whole, fraction, suffix);
  if (nano === 0n) return '0';
  const minus = sign === '-' ? '-' : '';
  if (isBinary(suffix) && nano % unit === 0n && nano / unit >= 1024n) {
    return minus + binaryText(nano / unit);
  }
  return minus + decimalText(nano, /^[eE]/.test(suffix) && suffix.length > 1);
}

const unit = 10n ** BigInt(decimals);

function isBinary(suffix: string): boolean {
  return suffix.endsWith('i');
}

/** The amount in billionths. */
function scaledToNano(whole: string, fraction: string, suffix: string): bigint {
  const digits = BigInt(`${whole}${fraction}`);
  if (isBinary(suffix)) {
    const factor = 1024n ** BigInt(binarySuffixes.indexOf(suffix));
    return divideUp(digits * factor * unit, 10n ** BigInt(fraction.length));
  }
  const exponent = decimalExponent(suffix) + decimals - fraction.length;
  return exponent >= 0 ? digits * 10n ** BigInt(exponent) : divideUp(digits, 10n ** BigInt(-exponent));
}

function decimalExponent(suffix: string): number {
  const at = decimalSuffixes.indexOf(suffix);
  return at >= 0 ? (at - decimalSuffixes.indexOf('')) * 3 : Number(suffix.slice(1));
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

function binaryText(amount: bigint): string {
  let [rest, power] = [amount, 0];
  while (rest % 1024n === 0n && power < binarySuffixes.length - 1) [rest, power] = [rest / 1024n, power + 1];
  return `${rest}${binarySuffixes[power]}`;
}

function decimalText(nano: bigint, asExponent: boolean): string {
  let [rest, power] = [nano, 0];
  while (rest % 1000n === 0n && power < decimalSuffixes.length - 1) [rest, power] = [rest / 1000n, power + 1];
  if (!asExponent) return `${rest}${decimalSuffixes[power]}`;
  const exponent = power * 3 - decimals;
  return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
}
