import { z } from 'zod';
import { profileNames } from './profiles.ts';
import { certificateAuthoritySchema } from './spec/certificate-authority.ts';
import { componentsSchema } from './spec/components.ts';
import { imageHub, imageTag, integer, secretName, type TextRule, textOf } from './spec/field-format.ts';
import { multiClusterSchema } from './spec/multi-cluster.ts';
import { networkPolicySchema } from './spec/network-policy.ts';
import { pauseSchema } from './spec/pause.ts';
import { securitySchema } from './spec/security.ts';
import { sidecarInjectorSchema } from './spec/sidecar-injector.ts';
import { telemetrySchema } from './spec/telemetry.ts';
import { tenancySchema } from './spec/tenancy.ts';
import { revisionTagScopeSchema, upgradeSchema } from './spec/upgrade.ts';
import { valuesSchema } from './spec/values.ts';
import { istioVersions } from './versions.ts';

/** `istiod-<revision>` names a Service, so at most 63 - 7 characters are left. */
export const revisionRule: TextRule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: 56,
  message:
    'must be a DNS label of at most 56 characters: lower-case letters, digits and "-", for example 1-31-1',
};

const versionRule: TextRule = {
  pattern: /^[0-9]+\.[0-9]+(\.[0-9]+|-latest)?$/,
  maxLength: 32,
  message: 'must be a version such as 1.31, 1.31.1 or 1.31-latest',
};

const supportedMinors = istioVersions.map((version) => version.minor).join(', ');
const newest = istioVersions[0].patch;

/** What a MeshOperator asks for. Every field may be left out. */
export const meshOperatorSpecSchema = z
  .strictObject({
    version: textOf(versionRule)
      .optional()
      .describe(
        `Istio version: a minor (\`1.31\`, \`1.31-latest\`) or a patch of it (\`1.31.1\`). Supported minors: ${supportedMinors}. Default: ${newest}.`,
      ),
    hub: imageHub()
      .optional()
      .describe('Registry and path of the images. Default: `registry.istio.io/release`.'),
    tag: imageTag().optional().describe('Tag of the images. Default: the patch version.'),
    profile: z
      .enum(profileNames)
      .optional()
      .describe(
        'Set of defaults: `default` (istiod and one ingress gateway), `minimal` (istiod alone), `demo` (small requests, access logs, full tracing, more gateway ports), `ambient` (istiod, the CNI agent and ztunnel), `openshift` (default, with the CNI agent, for OpenShift), `preview` (default, with what Istio tries out), `stable` (default, and objects may only use what Istio calls stable), `remote` (for an istiod in another cluster), `empty` (nothing). Default: `default`.',
      ),
    revision: textOf(revisionRule)
      .optional()
      .describe(
        'Name of this control plane beside others. Absent for the default one. Cannot be changed: another revision is another MeshOperator.',
      ),
    revisionTags: z
      .array(textOf(revisionRule))
      .max(64, 'must not have more than 64 tags')
      .optional()
      .describe(
        'Further names by which namespaces and pods choose this control plane in `istio.io/rev`; `default` makes it the one of `istio-injection=enabled`.',
      ),
    revisionTagScope: revisionTagScopeSchema
      .optional()
      .describe(
        'Namespaces in which the tags count, while another revision has the same tags for others. Set by upgrades that are `RevisionBased`, on the MeshOperators that they make.',
      ),
    imagePullSecrets: z
      .array(secretName())
      .optional()
      .describe('Names of Secrets that the images are pulled with.'),
    meshConfig: z
      .record(z.string(), z.unknown())
      .meta({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
      .optional()
      .describe(
        "Istio's MeshConfig, merged over the profile's: objects key by key, lists as a whole. Every field name and type is checked.",
      ),
    components: componentsSchema.optional().describe('The parts of the mesh.'),
    sidecarInjector: sidecarInjectorSchema
      .optional()
      .describe('Which pods get a sidecar, and what is put into them.'),
    certificateAuthority: certificateAuthoritySchema
      .optional()
      .describe('Who signs the certificates of the mesh, and when that is replaced.'),
    telemetry: telemetrySchema
      .optional()
      .describe('What proxies tell of the traffic: access logs, spans and metrics.'),
    security: securitySchema.optional().describe('Who may call whom, and how it is encrypted.'),
    networkPolicy: networkPolicySchema
      .optional()
      .describe(
        'NetworkPolicies for istiod, the injector, gateways, and members of a tenant: what the mesh needs passes, all else does not.',
      ),
    tenancy: tenancySchema
      .optional()
      .describe('Makes it the control plane of a tenant: for some namespaces alone, apart from all others.'),
    multiCluster: multiClusterSchema
      .optional()
      .describe('The place of this cluster in a mesh of several, and the ways into the others.'),
    values: valuesSchema
      .optional()
      .describe("Values of Istio's Helm charts; only those listed here have an effect."),
    upgrade: upgradeSchema
      .optional()
      .describe('How another `version` gets into the mesh, and into its workloads.'),
    historyLimit: integer(0, 100)
      .optional()
      .describe(
        'How many specs are kept in which the mesh has been Ready, for `mesh-operator rollback`. Default: `10`.',
      ),
    paused: pauseSchema
      .optional()
      .describe('While it is given the operator changes nothing of this mesh, deletion excepted.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: '(has(self.revision) ? self.revision : "") == (has(oldSelf.revision) ? oldSelf.revision : "")',
        message: 'revision cannot be changed: create another MeshOperator for another revision',
      },
      {
        rule: '(has(self.upgrade) && has(self.upgrade.strategy) ? self.upgrade.strategy : "InPlace") == (has(oldSelf.upgrade) && has(oldSelf.upgrade.strategy) ? oldSelf.upgrade.strategy : "InPlace")',
        message: 'upgrade.strategy cannot be changed: create another MeshOperator with the other one',
      },
      {
        rule: '(has(self.tenancy) ? self.tenancy.tenant : "") == (has(oldSelf.tenancy) ? oldSelf.tenancy.tenant : "")',
        message: 'tenancy.tenant cannot be changed: create another MeshOperator for another tenant',
      },
      {
        rule: '(has(self.multiCluster) && has(self.multiCluster.configCluster) ? self.multiCluster.configCluster : "") == (has(oldSelf.multiCluster) && has(oldSelf.multiCluster.configCluster) ? oldSelf.multiCluster.configCluster : "")',
        message:
          'multiCluster.configCluster cannot be changed: create another MeshOperator for another cluster',
      },
    ],
  });

export type MeshOperatorSpec = z.infer<typeof meshOperatorSpecSchema>;
