import { z } from 'zod';
import { keyAlgorithms } from '../key-algorithms.ts';
import { externalAuthoritySchema } from './external-authority.ts';
import { dnsName, goDuration, secretName, type TextRule, textOf } from './field-format.ts';
import { pauseSchema } from './pause.ts';
import { spireAuthoritySchema } from './spire-authority.ts';

const cronRule: TextRule = {
  pattern: /^\S+( \S+){4}$/,
  maxLength: 128,
  message: 'must be a cron schedule of five fields, in UTC, for example "0 3 1 * *"',
};

const certificateSchema = (what: string, lifetime: string) =>
  z.strictObject({
    algorithm: z
      .enum(keyAlgorithms)
      .optional()
      .describe(`Kind of the key of ${what}. Default: \`ECDSA-P256\`.`),
    lifetime: goDuration()
      .optional()
      .describe(`How long ${what} is valid, in units up to hours. Default: \`${lifetime}\`.`),
  });

const triggerSchema = (what: string) =>
  z.strictObject({
    schedule: textOf(cronRule)
      .optional()
      .describe(`When ${what} is replaced: a cron schedule in UTC. Default: by its lifetime alone.`),
    threshold: z
      .int()
      .min(1, 'must be a percentage from 1 to 90')
      .max(90, 'must be a percentage from 1 to 90')
      .optional()
      .describe(
        `It is also replaced when less than this percentage of its lifetime is left. Default: \`33\`.`,
      ),
  });

/** Who signs the certificates of a mesh, and when that is replaced. */
export const certificateAuthoritySchema = z.strictObject({
  provider: z
    .enum(['SelfSigned', 'PluggedIn', 'CertManager', 'External', 'Spire', 'Istiod'])
    .optional()
    .describe(
      'Where roots and intermediates come from: `SelfSigned` makes both; `PluggedIn` takes what a Secret holds; `CertManager` has an issuer of cert-manager sign intermediates; `External` leaves signing to a service that proxies ask instead of istiod; `Spire` has SPIRE issue the certificates of workloads, and makes both for istiod alone; `Istiod` leaves it to istiod, and nothing is rotated. Default: `SelfSigned`.',
    ),
  pluggedIn: z
    .strictObject({
      secretName: secretName().describe(
        'Secret in the namespace of the MeshOperator, in the layout of `cacerts` or of type `kubernetes.io/tls` with `ca.crt`.',
      ),
    })
    .optional()
    .describe('For provider `PluggedIn`. The Secret is watched; what fails `ca lint` is refused.'),
  external: externalAuthoritySchema.optional().describe('For provider `External`.'),
  spire: spireAuthoritySchema.optional().describe('For provider `Spire`.'),
  certManager: z
    .strictObject({
      issuerRef: z
        .strictObject({
          name: dnsName().describe('Name of the issuer.'),
          kind: z
            .enum(['Issuer', 'ClusterIssuer'])
            .optional()
            .describe(
              'Its kind; an `Issuer` is one of the namespace of the MeshOperator. Default: `Issuer`.',
            ),
          group: dnsName().optional().describe('Its API group. Default: `cert-manager.io`.'),
        })
        .describe('The issuer that signs intermediates.'),
    })
    .optional()
    .describe(
      'For provider `CertManager`. The operator makes the keys and orders by CertificateRequests; the root is the one of the issuer.',
    ),
  root: certificateSchema('the root', '87600h').optional().describe('The root certificate.'),
  intermediate: certificateSchema('an intermediate', '8760h')
    .optional()
    .describe('The certificate that istiod signs with.'),
  rotation: z
    .strictObject({
      root: triggerSchema('the root').optional().describe('When the root is replaced.'),
      intermediate: triggerSchema('the intermediate')
        .optional()
        .describe('When the intermediate is replaced.'),
      soak: goDuration()
        .optional()
        .describe('How long all gates of a phase must have been open before the next begins. Default: `2m`.'),
      absentMembers: z
        .strictObject({
          proceedAfter: goDuration().describe(
            'How long another cluster may hold a phase. Then the rotation goes on without it, and its proxies and those of this cluster refuse each other until its operator has caught up.',
          ),
        })
        .optional()
        .describe(
          'What becomes of a rotation that another cluster of the mesh does not answer. Default: it is held for as long as it takes.',
        ),
      paused: pauseSchema
        .optional()
        .describe('While it is given no rotation begins, and one under way stays in its phase.'),
    })
    .optional()
    .describe('When the authority is replaced, and how carefully.'),
});

export type CertificateAuthority = z.infer<typeof certificateAuthoritySchema>;
