import { crossNetworkPort } from '../gateway-kinds.ts';
import { networkLabel } from '../labels.ts';
import type { Problem } from '../problem.ts';
import { gatewaySelector } from '../resolve-gateway.ts';
import { labelValueRule } from '../spec/field-format.ts';
import { findRepeatedBy } from './duplicates.ts';
import { type GatewayDraft, gatewaysOf, nodeValuesOf, type SpecView } from './spec-view.ts';

/** A gateway's place: its namespace and name. */
function placeOf(view: SpecView, gateway: GatewayDraft): string {
  const namespace = gateway.namespace ?? view.namespace;
  return namespace === '' ? `${gateway.name}` : `${namespace}/${gateway.name}`;
}

export function checkGatewayNames(view: SpecView): Problem[] {
  return findRepeatedBy(
    gatewaysOf(view),
    ({ gateway }) => (gateway.name === undefined ? undefined : placeOf(view, gateway)),
    ({ path }, first, place) => ({
      path: `${path}.name`,
      message: `${place} is also the gateway of ${first.path}`,
    }),
  );
}

/** `istiod`, `istiod-<revision>`: names that control planes have or may have. */
export function checkGatewayAgainstControlPlane(view: SpecView): Problem[] {
  return gatewaysOf(view)
    .filter(({ gateway }) => gateway.name === 'istiod' || gateway.name?.startsWith('istiod-') === true)
    .map(({ path, gateway }) => ({
      path: `${path}.name`,
      message: `must not be ${gateway.name}: names that begin with istiod are those of control planes`,
    }));
}

/** Two gateways of one namespace with the same selector would send traffic to each other's pods. */
export function checkGatewaySelectors(view: SpecView): Problem[] {
  const gateways = gatewaysOf(view).flatMap(({ path, gateway }) => {
    const { name, namespace = view.namespace } = gateway;
    if (name === undefined) return [];
    const { app = '', istio = '' } = gatewaySelector({ name, label: labelsOf(gateway) });
    return [{ path, name, namespace, app, istio }];
  });
  return findRepeatedBy(
    gateways,
    ({ namespace, app, istio }) => [namespace, app, istio].join('/'),
    ({ path, name, app, istio }, first) => {
      if (first.name === name) return undefined; // said already by checkGatewayNames
      const message = `selects the same pods (app=${app}, istio=${istio}) as ${first.path}`;
      return { path: `${path}.label`, message };
    },
  );
}

function labelsOf(gateway: GatewayDraft): Record<string, string> {
  const pairs = Object.entries(gateway.label ?? {});
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Labels that the operator and Istio give a meaning of their own. */
const ownLabels: readonly RegExp[] = [
  /^meshoperator\.dev\//,
  /^app\.kubernetes\.io\/(managed-by|part-of)$/,
  /^istio\.io\/rev$/,
  /^sidecar\.istio\.io\/inject$/,
  /^(install\.)?operator\.istio\.io\//,
];

export function checkOwnLabels(view: SpecView): Problem[] {
  const blocks = [
    ...gatewaysOf(view).map(({ path, gateway }) => ({
      path: `${path}.label`,
      labels: gateway.label,
      own: ownLabels,
    })),
    {
      path: 'spec.values.pilot.podLabels',
      labels: view.spec.values?.pilot?.podLabels,
      own: [...ownLabels, /^(app|istio)$/],
    },
    ...nodeValuesOf(view).flatMap(({ labels, selector }) =>
      labels.map(({ path, map }) => ({ path, labels: map, own: [...ownLabels, selector] })),
    ),
  ];
  return blocks.flatMap(({ path, labels, own }) =>
    Object.keys(labels ?? {})
      .filter((key) => own.some((pattern) => pattern.test(key)))
      .map((key) => ({
        path: `${path}[${JSON.stringify(key)}]`,
        message: 'must be left out: the operator sets it',
      })),
  );
}

/** `istio=` is derived from the name when it is not given, so a long name alone cannot break it; an empty one can. */
export function checkSelectorValues(view: SpecView): Problem[] {
  return gatewaysOf(view).flatMap(({ path, gateway }) => {
    if (gateway.name === undefined) return [];
    const selector = gatewaySelector({ name: gateway.name, label: labelsOf(gateway) });
    return Object.entries(selector)
      .filter(([, value]) => value === '' || !labelValueRule.pattern.test(value))
      .map(([key, value]) => ({
        path: `${path}.label.${key}`,
        message: `must be a label value that is not empty, but is ${JSON.stringify(value)}`,
      }));
  });
}

/** An east-west gateway says by `network` what IstioOperator says by a label. */
export function checkNetworkLabels(view: SpecView): Problem[] {
  return gatewaysOf(view)
    .filter(({ kind, gateway }) => kind.list === 'eastWestGateways' && networkLabel in (gateway.label ?? {}))
    .map(({ path }) => ({
      path: `${path}.label[${JSON.stringify(networkLabel)}]`,
      message: 'must be left out: say it as network of the gateway',
      suggestion: `${path}.network`,
    }));
}

/** On a Service: the port that other networks send to, when it is not the usual one. */
const gatewayPortLabel = 'networking.istio.io/gatewayPort';

/** istiod leaves out a network's gateway that does not listen where the others send to. */
export function checkCrossNetworkPorts(view: SpecView): Problem[] {
  const { multiCluster, values } = view.spec;
  const ofCluster = values?.global?.network ?? multiCluster?.network;
  return gatewaysOf(view).flatMap(({ path, kind, gateway }) => {
    const network = 'network' in gateway ? (gateway.network ?? ofCluster) : ofCluster;
    const ports = gateway.k8s?.service?.ports;
    const isOfNetwork = kind.list === 'eastWestGateways' && network !== undefined && network !== '';
    if (!isOfNetwork || ports === undefined) return [];
    const labelled = gateway.label?.[gatewayPortLabel];
    const wanted = labelled === undefined ? crossNetworkPort : Number(labelled);
    if (ports.some((port) => port?.port === wanted)) return [];
    const remedy =
      labelled === undefined ? `, or name another one by the label ${gatewayPortLabel}` : ' of its label';
    return [
      {
        path: `${path}.k8s.service.ports`,
        message: `must have port ${wanted}${remedy}: other networks send to it`,
      },
    ];
  });
}
