import meshConfigFields from '../../../generated/mesh-config-fields.json' with { type: 'json' };
import { isRecord } from '../../base/stable-json.ts';
import type { Problem } from '../problem.ts';
import { meshConfigMessage, networkMessage, type ProtoMessages } from '../proto-fields.ts';
import { checkAuthorityIssuer, checkAuthorityLifetimes, checkAuthorityProvider } from './authority-checks.ts';
import {
  checkAuthoritySwitch,
  checkExternalAddress,
  checkExternalBundle,
  checkExternalRotation,
} from './external-checks.ts';
import {
  checkCrossNetworkPorts,
  checkGatewayAgainstControlPlane,
  checkGatewayNames,
  checkGatewaySelectors,
  checkNetworkLabels,
  checkOwnLabels,
  checkSelectorValues,
} from './gateway-checks.ts';
import {
  checkInjectedAnnotations,
  checkInjectionTemplates,
  checkRevisionTags,
  checkTemplateNames,
} from './injector-checks.ts';
import { checkMapKeys } from './key-checks.ts';
import { checkOverlayPaths } from './overlay-checks.ts';
import { findProtoProblems } from './proto-problems.ts';
import { checkServices } from './service-checks.ts';
import type { SpecView } from './spec-view.ts';
import { checkRevisionTagScope, checkUpgrade } from './upgrade-checks.ts';
import {
  checkImageSource,
  checkPause,
  checkRevision,
  checkTagAgainstVersion,
  checkVersion,
} from './version-checks.ts';
import {
  checkPilotAutoscaling,
  checkPilotRollout,
  checkResources,
  checkWorkloads,
} from './workload-checks.ts';

const protoMessages = meshConfigFields as ProtoMessages;

/** What the shape alone does not tell. Every check runs; their order is that of a reader's interest. */
export const specChecks: readonly ((view: SpecView) => Problem[])[] = [
  checkVersion,
  checkTagAgainstVersion,
  checkImageSource,
  checkRevision,
  checkRevisionTags,
  checkRevisionTagScope,
  checkUpgrade,
  checkPause,
  checkAuthorityProvider,
  checkAuthorityIssuer,
  checkAuthorityLifetimes,
  checkExternalRotation,
  checkExternalAddress,
  checkAuthoritySwitch,
  checkExternalBundle,
  checkMeshConfig,
  checkMeshNetworks,
  checkPilotAutoscaling,
  checkPilotRollout,
  checkResources,
  checkWorkloads,
  checkOverlayPaths,
  checkGatewayNames,
  checkGatewayAgainstControlPlane,
  checkGatewaySelectors,
  checkSelectorValues,
  checkOwnLabels,
  checkNetworkLabels,
  checkCrossNetworkPorts,
  checkServices,
  checkInjectionTemplates,
  checkTemplateNames,
  checkInjectedAnnotations,
  checkMapKeys,
];

function checkMeshConfig({ spec }: SpecView): Problem[] {
  const documents = [
    { path: ['spec', 'meshConfig'], document: spec.meshConfig },
    { path: ['spec', 'values', 'meshConfig'], document: spec.values?.meshConfig },
  ];
  return documents.flatMap(({ path, document }) =>
    document === undefined ? [] : findProtoProblems(protoMessages, meshConfigMessage, document, path),
  );
}

function checkMeshNetworks({ spec }: SpecView): Problem[] {
  const networks = spec.values?.global?.meshNetworks;
  if (!isRecord(networks)) return [];
  return Object.entries(networks).flatMap(([name, network]) =>
    findProtoProblems(protoMessages, networkMessage, network, [
      'spec',
      'values',
      'global',
      'meshNetworks',
      name,
    ]),
  );
}
