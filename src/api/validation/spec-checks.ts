import type { Problem } from '../problem.ts';
import { checkAllow } from './allow-checks.ts';
import {
  checkAbsentMembers,
  checkAuthorityIssuer,
  checkAuthorityLifetimes,
  checkAuthorityProvider,
} from './authority-checks.ts';
import { checkConfigCluster } from './config-cluster-checks.ts';
import {
  checkAuthoritySwitch,
  checkExternalAddress,
  checkExternalBundle,
  checkExternalRotation,
} from './external-checks.ts';
import { checkGatewayApi } from './gateway-api-checks.ts';
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
  checkProxyDefaults,
  checkRevisionTags,
  checkTemplateNames,
} from './injector-checks.ts';
import { checkMapKeys } from './key-checks.ts';
import { checkHttpTimeouts, checkMeshConfig, checkMeshNetworks } from './mesh-config-checks.ts';
import { checkMultiCluster } from './multi-cluster-checks.ts';
import { checkNetworkPolicyRanges } from './network-policy-checks.ts';
import { checkOverlayPaths } from './overlay-checks.ts';
import { checkRemote } from './remote-checks.ts';
import {
  checkEgress,
  checkJwtKeys,
  checkRequiredTokens,
  checkSecurityAgainstMeshConfig,
  checkSecurityPolicies,
  checkTlsSettings,
} from './security-checks.ts';
import { checkServices } from './service-checks.ts';
import type { SpecView } from './spec-view.ts';
import { checkTelemetry, checkTelemetryAgainstMeshConfig } from './telemetry-checks.ts';
import { checkTenancy } from './tenancy-checks.ts';
import { checkUpdateStrategies } from './update-strategy-checks.ts';
import { checkRevisionTagScope, checkUpgrade } from './upgrade-checks.ts';
import {
  checkCompliancePolicy,
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

/** What the shape alone does not tell. Every check runs; their order is that of a reader's interest. */
export const specChecks: readonly ((view: SpecView) => Problem[])[] = [
  checkVersion,
  checkTagAgainstVersion,
  checkImageSource,
  checkCompliancePolicy,
  checkRevision,
  checkRevisionTags,
  checkRevisionTagScope,
  checkUpgrade,
  checkTenancy,
  checkPause,
  checkMultiCluster,
  checkConfigCluster,
  checkRemote,
  checkAuthorityProvider,
  checkAuthorityIssuer,
  checkAuthorityLifetimes,
  checkAbsentMembers,
  checkExternalRotation,
  checkExternalAddress,
  checkAuthoritySwitch,
  checkExternalBundle,
  checkSecurityPolicies,
  checkAllow,
  checkJwtKeys,
  checkRequiredTokens,
  checkTlsSettings,
  checkEgress,
  checkSecurityAgainstMeshConfig,
  checkTelemetry,
  checkTelemetryAgainstMeshConfig,
  checkMeshConfig,
  checkHttpTimeouts,
  checkMeshNetworks,
  checkPilotAutoscaling,
  checkPilotRollout,
  checkResources,
  checkWorkloads,
  checkUpdateStrategies,
  checkOverlayPaths,
  checkGatewayNames,
  checkGatewayAgainstControlPlane,
  checkGatewaySelectors,
  checkSelectorValues,
  checkOwnLabels,
  checkNetworkLabels,
  checkCrossNetworkPorts,
  checkServices,
  checkNetworkPolicyRanges,
  checkInjectionTemplates,
  checkTemplateNames,
  checkInjectedAnnotations,
  checkProxyDefaults,
  checkMapKeys,
  checkGatewayApi,
];
