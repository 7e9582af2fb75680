import { z } from 'zod';
import { cidr, dnsLabel, dnsName, goDuration, labels, port, type TextRule, textOf } from './field-format.ts';
import { prometheusAddress } from './prometheus.ts';

/** A name, or the beginning or end of one with `*` in the place of the rest (Istio's AuthorizationPolicy). */
const matchRule: TextRule = {
  pattern: /^(\*|\*?[^\s*]+|[^\s*]+\*)$/,
  maxLength: 512,
  message: 'must be a value without blanks, with * at its beginning, at its end, or alone',
};

/** Braces are for Istio's templates of paths, which have `*` in the middle. */
const pathRule: TextRule = {
  pattern: /^(\*|\/[^\s*{}]*\*?|\*[^\s*{}]+)$/,
  maxLength: 1024,
  message: 'must be a path that begins with /, with * at its beginning, at its end, or alone, and no { or }',
};

/** As issuers publish it; some tell apart by a query. */
const keyAddressRule: TextRule = {
  pattern:
    /^https?:\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(:[1-9][0-9]{0,4})?(\/[^\s?#]*)?(\?[^\s#]*)?$/,
  maxLength: 1024,
  message:
    'must be an http or https address, for example https://login.example.com/keys (no user, no fragment)',
};

const methodRule: TextRule = {
  pattern: /^[A-Z]+$/,
  maxLength: 32,
  message: 'must be an HTTP method in capitals, for example GET',
};

const headerRule: TextRule = {
  pattern: /^[-A-Za-z0-9_]+$/,
  maxLength: 128,
  message: 'must be the name of a header',
};

const matches = () => z.array(textOf(matchRule)).min(1).optional();

const saysSomething = (side: object) => Object.keys(side).length > 0;

const mtlsMode = () => z.enum(['STRICT', 'PERMISSIVE', 'DISABLE']);

/** How `STRICT` comes to where plaintext is taken today. */
const migrationSchema = z.strictObject({
  prometheus: prometheusAddress(),
  onPlaintext: z
    .enum(['Wait', 'Ignore'])
    .optional()
    .describe(
      '`Wait` keeps `PERMISSIVE` wherever somebody has called in plaintext in the window, or nobody knows; `Ignore` asks nobody, and cuts them off. Default: `Wait`.',
    ),
  window: goDuration().optional().describe('How long nobody must have called in plaintext. Default: `1h`.'),
});

const mtlsSchema = z.strictObject({
  mode: mtlsMode()
    .optional()
    .describe(
      'Of every workload of the mesh: `STRICT` takes mutual TLS alone, `PERMISSIVE` plaintext as well, `DISABLE` plaintext alone. Default: that of Istio, `PERMISSIVE`.',
    ),
  namespaces: z
    .array(
      z.strictObject({
        namespace: dnsLabel().describe('Name of the namespace.'),
        mode: mtlsMode().describe('Of its workloads.'),
      }),
    )
    .optional()
    .describe('Namespaces with a mode of their own.'),
  workloads: z
    .array(
      z.strictObject({
        name: dnsLabel().describe('Name of the policy, unique in its namespace.'),
        namespace: dnsLabel().describe('Namespace of the workload.'),
        labels: labels().describe('Labels of its pods.'),
        mode: mtlsMode().optional().describe('Of its ports. Default: that of the namespace.'),
        ports: z
          .array(
            z.strictObject({
              port: port().describe('Port of the container.'),
              mode: mtlsMode().describe('Of this port.'),
            }),
          )
          .optional()
          .describe('Ports with a mode of their own.'),
      }),
    )
    .optional()
    .describe('Workloads with a mode of their own.'),
  migration: migrationSchema
    .optional()
    .describe(
      'Has `STRICT` wait, where plaintext is taken today, until nobody calls in plaintext any more. Default: it is in force at once, whoever is cut off.',
    ),
});

const allowSchema = z.strictObject({
  name: dnsLabel().describe('Name of the policy, unique in its namespace.'),
  namespace: dnsLabel()
    .optional()
    .describe(
      'Where it counts. Default: in the whole mesh, where its gateways take nothing else either, unless `defaultDeny` has them pass on what arrives.',
    ),
  labels: labels().optional().describe('Labels of the pods it is for. Default: all, gateways among them.'),
  from: z
    .strictObject({
      namespaces: matches().describe('Namespaces of callers.'),
      principals: matches().describe(
        'Identities of callers by their certificates, for example `cluster.local/ns/shop/sa/web`.',
      ),
      requestPrincipals: matches().describe('Issuer and subject of the token, as `ISSUER/SUBJECT`.'),
      ipBlocks: z.array(cidr()).min(1).optional().describe('Addresses of callers.'),
    })
    .refine(saysSomething, 'must say who may: leave it out for everybody')
    .optional()
    .describe('Who may; all that is given must hold. Default: everybody.'),
  to: z
    .strictObject({
      hosts: matches().describe('Host names of requests.'),
      methods: z.array(textOf(methodRule)).min(1).optional().describe('HTTP methods.'),
      paths: z.array(textOf(pathRule)).min(1).optional().describe('Paths of requests.'),
      ports: z.array(port()).min(1).optional().describe('Ports of the container.'),
    })
    .refine(saysSomething, 'must say what they may: leave it out for everything')
    .optional()
    .describe('What they may; all that is given must hold. Default: everything.'),
});

const authorizationSchema = z.strictObject({
  defaultDeny: z
    .boolean()
    .optional()
    .describe(
      "Whether a request is refused that no policy allows. The mesh's own gateways pass on what arrives, where it is decided. Default: `false`.",
    ),
  allow: z
    .array(allowSchema)
    .optional()
    .describe('Requests that are allowed. Whoever has one allows nothing else.'),
});

const jwtSchema = z.strictObject({
  name: dnsLabel().describe('Name of the policy, unique in its namespace.'),
  namespace: dnsLabel().optional().describe('Where tokens are looked at. Default: in the whole mesh.'),
  labels: labels().optional().describe('Labels of the pods that look at them. Default: all.'),
  issuer: textOf({
    pattern: /^\S+$/,
    maxLength: 512,
    message: 'must be the issuer as tokens name it, without blanks',
  }).describe('Claim `iss` of the tokens.'),
  jwksUri: textOf(keyAddressRule)
    .optional()
    .describe(
      "Where its keys are. Default: found by the issuer's OpenID configuration, unless `jwks` is given.",
    ),
  jwks: z
    .string()
    .max(65536)
    .optional()
    .describe('Its public keys, a JSON Web Key Set (RFC 7517, section 5).'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Audiences of which a token must name one. Default: any.'),
  fromHeaders: z
    .array(
      z.strictObject({
        name: textOf(headerRule).describe('Name of the header.'),
        prefix: z.string().optional().describe('What is before the token, for example `Bearer `.'),
      }),
    )
    .min(1)
    .optional()
    .describe('Headers that hold tokens. Default: `Authorization` with `Bearer `.'),
  forward: z
    .boolean()
    .optional()
    .describe('Whether the token is passed on to the workload. Default: `false`.'),
  required: z
    .boolean()
    .optional()
    .describe(
      'Whether requests without a token are refused; one with a bad token always is. Connections that are not HTTP are refused then, too. Default: `false`.',
    ),
});

const tlsSchema = z.strictObject({
  minVersion: z
    .enum(['TLSV1_2', 'TLSV1_3'])
    .optional()
    .describe('Least version of TLS that proxies and gateways take. Default: `TLSV1_2`.'),
  cipherSuites: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('Cipher suites for TLS 1.2, by their OpenSSL names. Default: those of Istio.'),
});

const egressSchema = z.strictObject({
  gateway: dnsLabel().describe('Name of one of `components.egressGateways`.'),
  hosts: z
    .array(
      z.strictObject({
        host: dnsName().describe('Name of the host.'),
        port: port().optional().describe('Port that takes TLS. Default: `443`.'),
      }),
    )
    .min(1)
    .describe('Hosts outside the mesh that may be called, by TLS of the caller.'),
});

/** Who may call whom in the mesh, and how it is encrypted; each is rendered as a resource of Istio. */
export const securitySchema = z.strictObject({
  mtls: mtlsSchema.optional().describe('Mutual TLS between workloads.'),
  authorization: authorizationSchema.optional().describe('Which requests are allowed.'),
  jwt: z.array(jwtSchema).optional().describe('Issuers of JSON Web Tokens that requests may carry.'),
  tls: tlsSchema.optional().describe('TLS versions and cipher suites, of mutual TLS and of gateways.'),
  egress: egressSchema
    .optional()
    .describe(
      'Lets workloads call nothing outside the mesh but these hosts, and these through an egress gateway. A workload that evades its proxy is stopped by a NetworkPolicy alone.',
    ),
});

export type Security = z.infer<typeof securitySchema>;
export type Mtls = NonNullable<Security['mtls']>;
export type Allow = z.infer<typeof allowSchema>;
export type Jwt = z.infer<typeof jwtSchema>;
export type Egress = z.infer<typeof egressSchema>;
