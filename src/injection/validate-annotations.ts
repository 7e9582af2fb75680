import { names } from './annotation-names.ts';
import { annotationOf, type Pod, podNameText } from './pod.ts';
import { PodRejectedError } from './pod-rejected-error.ts';

/** What is wrong with a value, as the end of "must be ..."; undefined when nothing is. */
type Check = (value: string) => string | undefined;

const checks: readonly (readonly [name: string, check: Check])[] = [
  [names.interceptionMode, oneOf('REDIRECT', 'TPROXY', 'NONE')],
  [names.statusPort, portNumber],
  [names.readinessInitialDelay, unsigned],
  [names.readinessPeriod, unsigned],
  [names.readinessFailureThreshold, unsigned],
  [names.includeOutboundIPRanges, orAll(addressRanges)],
  [names.excludeOutboundIPRanges, addressRanges],
  [names.includeInboundPorts, orAll(ports)],
  [names.excludeInboundPorts, ports],
  [names.includeOutboundPorts, orAll(ports)],
  [names.excludeOutboundPorts, ports],
  [names.excludeInterfaces, interfaceNames],
  [names.kubevirtInterfaces, interfaceNames],
  [names.rerouteVirtualInterfaces, interfaceNames],
  [names.mergeMetrics, trueOrFalse],
  [names.proxyCpu, quantity],
  [names.proxyMemory, quantity],
  [names.proxyCpuLimit, quantity],
  [names.proxyMemoryLimit, quantity],
  [names.proxyImage, imageReference],
  [names.bootstrapOverride, objectName],
];

/** Throws PodRejectedError that names every annotation with a bad value and what it must be. */
export function validateAnnotations(pod: Pod): void {
  const problems = checks.flatMap(([name, check]) => {
    const value = annotationOf(pod, name);
    const wanted = value === undefined ? undefined : check(value);
    return wanted === undefined ? [] : [`annotation ${name} must be ${wanted}, but is ${excerpt(value)}`];
  });
  if (problems.length > 0) throw new PodRejectedError(`Pod ${podNameText(pod)}: ${problems.join('; ')}`);
}

/** Words that Istio reads as booleans. */
const booleanWords: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true]),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false]),
]);

/** The boolean that a text means, undefined for any other text. */
export function parseBoolean(text: string | undefined): boolean | undefined {
  return text !== undefined && Object.hasOwn(booleanWords, text) ? booleanWords[text] : undefined;
}

/** At most as much of a value as a person needs to find it. */
function excerpt(value: string | undefined): string {
  const text = JSON.stringify(value ?? '');
  return text.length <= 80 ? text : `${text.slice(0, 77)}..."`;
}

function oneOf(...words: readonly string[]): Check {
  return (value) => (words.includes(value) ? undefined : `one of ${words.join(', ')}`);
}

function orAll(check: Check): Check {
  return (value) => {
    const wanted = value === '*' ? undefined : check(value);
    return wanted === undefined ? undefined : `* or ${wanted}`;
  };
}

function portNumber(value: string): string | undefined {
  return isNumberUpTo(value.trim(), 65_535) ? undefined : 'a port number from 0 to 65535';
}

function ports(value: string): string | undefined {
  return value.trim() === '' || value.split(',').every((port) => isNumberUpTo(port.trim(), 65_535))
    ? undefined
    : 'port numbers joined by commas';
}

function unsigned(value: string): string | undefined {
  return isNumberUpTo(value, 2 ** 32 - 1) ? undefined : 'a whole number that is not negative';
}

function trueOrFalse(value: string): string | undefined {
  return parseBoolean(value) === undefined ? 'true or false' : undefined;
}

function quantity(value: string): string | undefined {
  return /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?$/.test(
    value,
  )
    ? undefined
    : 'a quantity such as 100m or 128Mi';
}

function addressRanges(value: string): string | undefined {
  return value === '' || value.split(',').every(isAddressRange)
    ? undefined
    : 'address ranges joined by commas, for example 10.0.0.0/8,fd00::/8';
}

function interfaceNames(value: string): string | undefined {
  return value === '' || value.split(',').every((name) => /^[^\s/:]{1,15}$/.test(name.trim()))
    ? undefined
    : 'names of network interfaces (at most 15 characters) joined by commas';
}

/** Kubernetes takes an image as any text without white space around it. */
function imageReference(value: string): string | undefined {
  return value === value.trim() && !/[\p{Cc}\s]/u.test(value) ? undefined : 'the name of an image';
}

function objectName(value: string): string | undefined {
  return value.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(value)
    ? undefined
    : 'the name of a ConfigMap';
}

function isNumberUpTo(text: string, most: number): boolean {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= most;
}

function isAddressRange(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(bits)) return false;
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

function isIPv4(text: string): boolean {
  return (
    /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(text) &&
    text.split('.').every((part) => String(Number(part)) === part && Number(part) <= 255)
  );
}

function isIPv6(text: string): boolean {
  const [head = '', tail, ...rest] = text.split('::');
  if (rest.length > 0) return false;
  const groups = [head, tail ?? ''].flatMap((part) => (part === '' ? [] : part.split(':')));
  const last = groups.at(-1) ?? '';
  const isMapped = last.includes('.') && isIPv4(last);
  const words = isMapped ? groups.slice(0, -1) : groups;
  const count = words.length + (isMapped ? 2 : 0);
  return (
    words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word)) && (tail === undefined ? count === 8 : count < 8)
  );
}
