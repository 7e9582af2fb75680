import { z } from 'zod';

/**
 * Marks an object whose fields the CRD does not spell out, being in it too often: the whole CRD must fit into the annotation
 * of `kubectl apply`. The operator checks them as any others.
 */
export const checkedByOperatorAlone = { checkedByOperatorAlone: true } as const;

/** A rule for text: what it must look like, and the sentence a person reads when it does not. */
export interface TextRule {
  readonly pattern: RegExp;
  readonly maxLength: number;
  /** Completes "<path>: ", for example "must be a DNS label (...)". */
  readonly message: string;
}

/** A DNS label as RFC 1123 has it: names of namespaces, revisions and gateways. */
export const dnsLabelRule: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  message:
    'must be a DNS label: lower-case letters, digits and "-", starting and ending with a letter or digit',
};

/** Lower-case DNS labels joined by dots (RFC 1123): names of Secrets, domains. */
export const dnsNameRule: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  maxLength: 253,
  message: 'must be a DNS name: lower-case letters, digits, "-" and "."',
};

/** The value of a Kubernetes label; empty is allowed. */
export const labelValueRule: TextRule = {
  pattern: /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  maxLength: 63,
  message:
    'must be a label value: letters, digits, "-", "_" and ".", starting and ending with a letter or digit',
};

/** The name after the optional prefix of a Kubernetes label or annotation key. */
export const qualifiedNameRule: TextRule = {
  pattern: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/,
  maxLength: 317,
  message: 'must be a label key: an optional DNS prefix and "/", then letters, digits, "-", "_" and "."',
};

const serviceNameRule: TextRule = {
  pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  message: 'must be a DNS label that starts with a letter: it is the name of a Service',
};

const portNameRule: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  message: 'must be a port name: lower-case letters, digits and "-"',
};

const goDurationRule: TextRule = {
  pattern: /^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$/,
  maxLength: 64,
  message: 'must be a duration with units, for example 30m or 1h30m',
};

const imageTagRule: TextRule = {
  pattern: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  maxLength: 128,
  message: 'must be an image tag: letters, digits, "_", "." and "-"',
};

const imageVariantRule: TextRule = {
  pattern: /^(default|debug|distroless)$/,
  maxLength: 16,
  message: 'must be one of default, debug, distroless',
};

const imageHubRule: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/,
  maxLength: 255,
  message:
    'must be a registry with an optional path, for example registry.istio.io/release (no scheme, no tag)',
};

const imageNameRule: TextRule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/,
  maxLength: 512,
  message: 'must be an image name (pilot) or a complete image reference (registry.example.com/pilot:1.0)',
};

/** The name of an environment variable, as Kubernetes allows it. */
export const environmentNameRule: TextRule = {
  pattern: /^[A-Za-z_.-][A-Za-z0-9_.-]*$/,
  maxLength: 253,
  message: 'must be the name of an environment variable: letters, digits, "_", "." and "-", no leading digit',
};

const priorityClassRule = { ...dnsNameRule, message: 'must be the name of a PriorityClass (a DNS name)' };
const secretNameRule = { ...dnsNameRule, message: 'must be the name of a Secret (a DNS name)' };
const configMapNameRule = { ...dnsNameRule, message: 'must be the name of a ConfigMap (a DNS name)' };

const nodePathRule: TextRule = {
  pattern: /^\/[A-Za-z0-9._/@+-]*$/,
  maxLength: 1024,
  message: 'must be an absolute path on the node, for example /opt/cni/bin',
};

const fileNameRule: TextRule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  maxLength: 253,
  message: 'must be the name of a file: letters, digits, "-", "_" and "."',
};

const configMapKeyRule: TextRule = {
  pattern: /^[-._a-zA-Z0-9]+$/,
  maxLength: 253,
  message: 'must be a key of a ConfigMap: letters, digits, "-", "_" and "."',
};

const hostAndPortRule: TextRule = {
  pattern:
    /^([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:.]+\]):[1-9][0-9]{0,4}$/,
  maxLength: 253,
  message: 'must be host:port, for example cert-manager-istio-csr.cert-manager.svc:443 (no scheme)',
};

const logLevelRule: TextRule = {
  pattern:
    /^[a-zA-Z0-9_-]+:(debug|info|warn|error|fatal|none)(,[a-zA-Z0-9_-]+:(debug|info|warn|error|fatal|none))*$/,
  maxLength: 1024,
  message:
    'must be scope:level pairs joined by commas, for example default:info,ads:debug (levels: debug, info, warn, error, fatal, none)',
};

const proxyLogLevels = '(trace|debug|info|warning|warn|error|critical|off)';

const componentLogLevelRule: TextRule = {
  pattern: new RegExp(`^([a-z0-9_]+:${proxyLogLevels}(,[a-z0-9_]+:${proxyLogLevels})*)?$`),
  maxLength: 1024,
  message: 'must be component:level pairs joined by commas, for example misc:error,rbac:debug',
};

const percentageRule: TextRule = {
  pattern: /^(100|[0-9]{1,2}(\.[0-9]{1,4})?)%$/,
  maxLength: 8,
  message: 'must be a percentage such as 0.5%',
};

const httpAddressRule: TextRule = {
  pattern:
    /^https?:\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?(\/[-A-Za-z0-9._~]+)*\/?$/,
  maxLength: 512,
  message:
    'must be an http or https address, for example http://prometheus.monitoring:9090 (no user, no query)',
};

const cidrRule: TextRule = {
  pattern: /^([0-9]{1,3}(\.[0-9]{1,3}){3}\/[0-9]{1,2}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\/[0-9]{1,3})$/,
  maxLength: 64,
  message: 'must be an address range such as 10.0.0.0/8',
};

const oneCidr = '([0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/[0-9]{1,3})';

const cidrListRule: TextRule = {
  pattern: new RegExp(`^(\\*|${oneCidr}(,${oneCidr})*)?$`),
  maxLength: 4096,
  message: 'must be address ranges joined by commas, for example 10.0.0.0/8,fd00::/8; * for all',
};

const portListRule: TextRule = {
  pattern: /^(\*|[0-9]{1,5}(,[0-9]{1,5})*)?$/,
  maxLength: 4096,
  message: 'must be port numbers joined by commas, for example 8080,9090; * for all',
};

const ipRule: TextRule = {
  pattern: /^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/,
  maxLength: 64,
  message: 'must be an IP address',
};

/** An IP address or a host name. */
export const dnsNameOrAddressRule: TextRule = {
  pattern: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$/,
  maxLength: 253,
  message: 'must be an IP address or a host name',
};

/** Text that follows a rule. */
export function textOf(rule: TextRule) {
  return z
    .string()
    .max(rule.maxLength, `must not be longer than ${rule.maxLength} characters`)
    .regex(rule.pattern, rule.message);
}

export const dnsLabel = () => textOf(dnsLabelRule);
export const dnsName = () => textOf(dnsNameRule);
export const labelValue = () => textOf(labelValueRule);
export const serviceName = () => textOf(serviceNameRule);
export const portName = () => textOf(portNameRule);
export const goDuration = () => textOf(goDurationRule);
export const imageTag = () => textOf(imageTagRule);
export const imageVariant = () => textOf(imageVariantRule);
export const imageHub = () => textOf(imageHubRule);
export const imageName = () => textOf(imageNameRule);
export const environmentName = () => textOf(environmentNameRule);
export const priorityClass = () => textOf(priorityClassRule);
export const secretName = () => textOf(secretNameRule);
export const configMapName = () => textOf(configMapNameRule);
export const configMapKey = () => textOf(configMapKeyRule);
export const nodePath = () => textOf(nodePathRule);
export const fileName = () => textOf(fileNameRule);
export const hostAndPort = () => textOf(hostAndPortRule);
export const percentage = () => textOf(percentageRule);
export const httpAddress = () => textOf(httpAddressRule);
export const istioLogLevel = () => textOf(logLevelRule);
export const proxyComponentLogLevel = () => textOf(componentLogLevelRule);
export const cidr = () => textOf(cidrRule);
export const cidrList = () => textOf(cidrListRule);
export const portList = () => textOf(portListRule);
export const ipAddress = () => textOf(ipRule);

/** A whole number in a range. */
export function integer(minimum: number, maximum = 2147483647) {
  return z.int().min(minimum).max(maximum);
}

/** A TCP or UDP port. */
export const port = () => integer(1, 65535);

/** A map of label keys to label values. */
export const labels = () => z.record(z.string(), labelValue());

/** A map of annotation keys to any text. */
export const annotations = () => z.record(z.string(), z.string());

// RE2 and JavaScript agree on these patterns: the same text goes into the CRD.
const quantityPattern =
  /^([0-9]+(\.[0-9]*)?|\.[0-9]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?$/;
const percentPattern = /^[0-9]+%$/;
const portOrNamePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A Kubernetes quantity: `500m`, `2Gi`, or a plain number. */
export function quantity() {
  return intOrString(
    (text) => quantityPattern.test(text),
    quantityPattern,
    'must be a quantity, for example 500m, 2 or 1Gi',
  );
}

/** A number of pods, or a percentage of them such as `25%`. */
export function countOrPercent() {
  return intOrString(
    (text) => percentPattern.test(text),
    percentPattern,
    'must be a number of pods or a percentage such as 25%',
  );
}

/** A port's number or the name of a container port. */
export function portOrName() {
  return intOrString(
    (text) => portOrNamePattern.test(text) && text.length <= 63,
    portOrNamePattern,
    'must be a port number or the name of a container port',
    65535,
  );
}

function intOrString(
  accepts: (text: string) => boolean,
  pattern: RegExp,
  message: string,
  maximum = Infinity,
) {
  return z
    .custom<number | string>(
      (value) =>
        typeof value === 'string'
          ? accepts(value)
          : Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= maximum,
      message,
    )
    .meta({ 'x-kubernetes-int-or-string': true, pattern: pattern.source });
}
