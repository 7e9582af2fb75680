import { z } from 'zod';
import { checkedByOperatorAlone, cidr, dnsLabel, dnsName, port, quantity } from './field-format.ts';
import { labelSelectorSchema } from './pod-scheduling.ts';

/** As many as a status can name. */
const maxNamespaces = 1000;

const quantities = () => z.record(z.string(), quantity()).optional();

const limitSchema = z
  .strictObject({
    type: z.enum(['Container', 'Pod', 'PersistentVolumeClaim']).describe('What it limits.'),
    default: quantities().describe('Limits of containers that set none.'),
    defaultRequest: quantities().describe('Requests of containers that set none.'),
    min: quantities().describe('Least that may be asked for.'),
    max: quantities().describe('Most that may be asked for.'),
    maxLimitRequestRatio: quantities().describe('How many times its request a limit may be.'),
  })
  .meta(checkedByOperatorAlone);

/** What proxies can tell a host by; over TLS by the name that the client asks for. */
const egressProtocols = ['HTTP', 'HTTP2', 'GRPC', 'TLS', 'TCP'] as const;

const egressSchema = z.strictObject({
  host: dnsName().describe('Name of the host, as callers ask for it.'),
  ports: z
    .array(
      z.strictObject({
        port: port().describe('Port of the host.'),
        protocol: z
          .enum(egressProtocols)
          .describe(
            'What is spoken there. `TLS` is that of the caller. `TCP` has no names: what goes to `cidrs` is let through.',
          ),
      }),
    )
    .min(1, 'must have a port')
    .max(16, 'must not have more than 16 ports')
    .describe('Where it listens.'),
  cidrs: z
    .array(cidr())
    .max(100, 'must not have more than 100 ranges')
    .optional()
    .describe(
      'Its addresses: NetworkPolicies of members let through what goes there. Default: everywhere, on these ports. Required with `TCP`.',
    ),
});

/** A control plane of its own for some namespaces of the cluster. */
export const tenancySchema = z.strictObject({
  tenant: dnsLabel().describe(
    'Name of the tenant, of which there is one in the cluster; cannot be changed. Namespaces belong to it that carry it as label `meshoperator.dev/tenant`.',
  ),
  members: z
    .strictObject({
      selector: labelSelectorSchema
        .optional()
        .describe('Namespaces by label; an empty selector takes all that carry the label of the tenant.'),
      namespaces: z
        .array(dnsLabel())
        .max(maxNamespaces, `must not have more than ${maxNamespaces} names`)
        .optional()
        .describe('Further namespaces by name.'),
    })
    .describe(
      'Namespaces that the tenant wants. They become members where they carry the label of the tenant as well.',
    ),
  isolation: z
    .enum(['Strict', 'Open'])
    .optional()
    .describe(
      '`Strict`: proxies reach nothing but what the tenant knows (`REGISTRY_ONLY`). `Open`: proxies pass on what they do not know. Default: `Strict`.',
    ),
  egress: z
    .array(egressSchema)
    .max(100, 'must not have more than 100 hosts')
    .optional()
    .describe('Hosts outside that members may call with `Strict`, beside what the tenant knows.'),
  quota: quantities().describe('`spec.hard` of a ResourceQuota in each member.'),
  limits: z.array(limitSchema).optional().describe('`spec.limits` of a LimitRange in each member.'),
});

export type Tenancy = z.infer<typeof tenancySchema>;
export type TenantEgress = NonNullable<Tenancy['egress']>[number];
