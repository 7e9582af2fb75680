import { nearestName } from './nearest-name.ts';

/** What is wrong with a format string. */
export interface FormatProblem {
  readonly message: string;
  readonly suggestion?: string;
}

/** Operators that are often used, to say which was meant; Envoy has more, and those are let through. */
const commonOperators = [
  ...['START_TIME', 'PROTOCOL', 'DURATION', 'REQ', 'RESP', 'TRAILER', 'RESPONSE_CODE'],
  ...['RESPONSE_CODE_DETAILS', 'RESPONSE_FLAGS', 'BYTES_RECEIVED', 'BYTES_SENT', 'UPSTREAM_HOST'],
  ...['UPSTREAM_CLUSTER', 'UPSTREAM_LOCAL_ADDRESS', 'UPSTREAM_TRANSPORT_FAILURE_REASON', 'ROUTE_NAME'],
  ...['DOWNSTREAM_LOCAL_ADDRESS', 'DOWNSTREAM_REMOTE_ADDRESS', 'REQUESTED_SERVER_NAME', 'HOSTNAME'],
  ...['CONNECTION_TERMINATION_DETAILS', 'GRPC_STATUS', 'TRACE_ID', 'DYNAMIC_METADATA', 'FILTER_STATE'],
  ...['CEL', 'ENVIRONMENT', 'METADATA', 'STREAM_ID', 'REQUEST_DURATION', 'RESPONSE_DURATION'],
];

/** `%%`, or `%NAME%`, `%NAME(arguments)%`, `%NAME(arguments):10%`, of which arguments may hold `%`. */
const operator = /%%|%([A-Z][A-Z0-9_]*)(?:\([^)]*\))?(?::[0-9]+)?%/g;

/** The first thing that Envoy would not take of an access-log format; undefined when there is none. */
export function findFormatProblem(format: string): FormatProblem | undefined {
  const rest = format.replace(operator, '');
  const broken = rest.indexOf('%');
  if (broken >= 0) {
    const near = rest.slice(broken, broken + 20);
    const word = /^%([A-Za-z_]+)/.exec(near)?.[1];
    const suggestion = word === undefined ? undefined : nearestName(word, commonOperators);
    return {
      message: `has no complete operator at ${JSON.stringify(near)}: write %NAME%, %NAME(argument)%, or %% for a percent sign`,
      ...(suggestion === undefined ? {} : { suggestion: `%${suggestion}%` }),
    };
  }
  for (const [, name] of format.matchAll(operator)) {
    if (name === undefined || commonOperators.includes(name)) continue;
    const suggestion = nearestName(name, commonOperators);
    if (suggestion !== undefined && isOneTypingError(name, suggestion)) {
      return { message: `has an unknown operator %${name}%`, suggestion: `%${suggestion}%` };
    }
  }
  return undefined;
}

/** Two letters swapped, or one more or one less. */
function isOneTypingError(name: string, known: string): boolean {
  const sorted = (text: string) => [...text].sort().join('');
  if (sorted(name) === sorted(known)) return true;
  const [short, long] = name.length < known.length ? [name, known] : [known, name];
  return [...long].some((_letter, index) => long.slice(0, index) + long.slice(index + 1) === short);
}
