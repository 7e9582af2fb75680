import { describe, expect, it } from 'vitest';
import { generateKeyPair, keyPairOf } from '../../../../src/pki/key-pair.ts';
import type { Finding } from '../../../../src/pki/lint/finding.ts';
import { lintBundle, lintInputs } from '../../../../src/pki/lint/lint-bundle.ts';
import { issueLeaf, leafHost } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { openssl } from '../../../support/openssl.ts';
import { filesAfter } from '../../../support/shell.ts';
import { verifyWithGo } from '../../../support/verify-chains.ts';

const rootSubject = "-subj '/O=Example/CN=Root CA'";
const ownSubject = "-subj '/O=Example/CN=Intermediate CA'";

const rootOfOneCommand = [
  `openssl req -x509 -newkey rsa:2048 -nodes -keyout root-key.pem -out root-cert.pem -days 3650 ${rootSubject}`,
];
const rootOfTwoCommands = [
  `openssl req -new -newkey rsa:2048 -nodes -keyout root-key.pem -out root.csr ${rootSubject}`,
  'openssl x509 -req -in root.csr -signkey root-key.pem -out root-cert.pem -days 3650',
];
/** The recipe that goes around: what the request says of extensions is dropped. */
const intermediate = [
  `openssl req -new -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.csr ${ownSubject} -addext basicConstraints=critical,CA:TRUE`,
  'openssl x509 -req -in ca.csr -CA root-cert.pem -CAkey root-key.pem -set_serial 1 -out ca-cert.pem -days 365',
];

const recipes = [
  {
    name: 'a root of req -x509',
    lines: [...rootOfOneCommand, ...intermediate, 'cp ca-cert.pem cert-chain.pem'],
    errors: ['error OldVersion ca-cert.pem, cert-chain.pem'],
  },
  {
    name: 'the root in the chain',
    lines: [...rootOfOneCommand, ...intermediate, 'cat ca-cert.pem root-cert.pem > cert-chain.pem'],
    errors: ['error OldVersion ca-cert.pem, cert-chain.pem #1'],
  },
  {
    name: 'a root of the same recipe',
    lines: [...rootOfTwoCommands, ...intermediate, 'cp ca-cert.pem cert-chain.pem'],
    errors: ['error OldVersion root-cert.pem', 'error OldVersion ca-cert.pem, cert-chain.pem'],
  },
  {
    name: 'a root of the same recipe in the chain',
    lines: [...rootOfTwoCommands, ...intermediate, 'cat ca-cert.pem root-cert.pem > cert-chain.pem'],
    errors: [
      'error OldVersion cert-chain.pem #2, root-cert.pem',
      'error OldVersion ca-cert.pem, cert-chain.pem #1',
    ],
  },
  {
    name: 'the layout of kubernetes.io/tls',
    lines: [
      ...[...rootOfTwoCommands, ...intermediate],
      'mv ca-cert.pem tls.crt; mv ca-key.pem tls.key; mv root-cert.pem ca.crt',
    ],
    errors: ['error OldVersion ca.crt', 'error OldVersion tls.crt'],
  },
];

describe('openssl req and openssl x509 -req without -extfile', () => {
  it.each(recipes)(
    'with $name is refused, and repaired by the commands of its fix',
    async (recipe) => {
      const broken = await filesAfter({}, recipe.lines);

      const findings = lintBundle(broken, new Date());
      const repaired = await filesAfter(broken, commandsOf(findings));

      expect(findingLines(findings).filter((line) => line.startsWith('error'))).toEqual(recipe.errors);
      for (const { rule, problem, commands } of findings.filter(({ severity }) => severity === 'error')) {
        expect(rule).toBe('OldVersion');
        expect(problem).toContain('X.509 v1');
        expect(problem).toContain('what "openssl x509 -req" makes without -extfile');
        expect(commands?.some((command) => command.includes('-extfile ca.ext'))).toBe(true);
      }
      expect(lintBundle(repaired, new Date())).toEqual([]);
    },
    60_000,
  );

  it('made an authority that no client takes, and the commands make one that Go and openssl do', async () => {
    const lines = [...rootOfTwoCommands, ...intermediate, 'cp ca-cert.pem cert-chain.pem'];
    const broken = await filesAfter({}, lines);
    const repaired = await filesAfter(broken, commandsOf(lintBundle(broken, new Date())));
    const leafKeys = await generateKeyPair('ECDSA-P256');
    const chainOf = (files: Readonly<Record<string, string>>) => {
      const { 'ca-cert.pem': certPem = '', 'ca-key.pem': keyPem = '', 'cert-chain.pem': chain = '' } = files;
      const leaf = issueLeaf({ certPem, keys: keyPairOf(keyPem) }, leafKeys);
      return { roots: files['root-cert.pem'] ?? '', shown: leaf + chain, dnsName: leafHost };
    };

    const [before, after] = await verifyWithGo([chainOf(broken), chainOf(repaired)]);
    const verified = await openssl(
      repaired,
      ...['verify', '-x509_strict', '-CAfile', 'root-cert.pem', 'ca-cert.pem'],
    );

    expect(before).toMatch(/not authorized to sign/);
    expect(after).toBe('');
    expect(verified).toBe('ca-cert.pem: OK\n');
  });

  it('is refused in a file that stands alone, with names for what only its owner knows', async () => {
    const broken = await filesAfter({}, [...rootOfOneCommand, ...intermediate]);
    const text = broken['ca-cert.pem'] ?? '';

    const [report] = lintInputs([{ name: "certs/it's mine.pem", text }], new Date());
    const [finding] = report?.findings ?? [];
    const repaired = await filesAfter(
      {
        "it's mine.pem": text,
        'key.pem': broken['ca-key.pem'] ?? '',
        'issuer-cert.pem': broken['root-cert.pem'] ?? '',
        'issuer-key.pem': broken['root-key.pem'] ?? '',
      },
      finding?.commands ?? [],
    );

    expect(finding?.fix).toBe(
      'Issue it again with its own name and key and the extensions of an authority. key.pem is its private key. issuer-cert.pem is the certificate of its issuer, alone. issuer-key.pem is the private key of its issuer.',
    );
    const again = { name: 'repaired.pem', text: repaired["it's mine.pem"] ?? '' };
    expect(lintInputs([again], new Date())).toEqual([{ input: 'repaired.pem', findings: [] }]);
  });
});

describe('other fixes that issue a certificate again', () => {
  const lasting = (days: number, ...extensions: readonly string[]) => [
    ...rootOfOneCommand,
    `printf '%s\\n' ${extensions.join(' ')} > own.ext`,
    `openssl req -new -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.csr ${ownSubject}`,
    `openssl x509 -req -in ca.csr -CA root-cert.pem -CAkey root-key.pem -set_serial 1 -extfile own.ext -out ca-cert.pem -days ${days}`,
    'cp ca-cert.pem cert-chain.pem',
  ];

  const good = ['basicConstraints=CA:TRUE', 'keyUsage=keyCertSign'];
  const twentyYears = rootOfOneCommand.map((line) => line.replace('3650', '7300'));

  it.each([
    ['that is no authority', lasting(365, 'basicConstraints=CA:FALSE'), 'NotAnAuthority'],
    ['that may not sign', lasting(365, 'basicConstraints=CA:TRUE', 'keyUsage=cRLSign'), 'MayNotSign'],
    ['for servers alone', lasting(365, ...good, 'extendedKeyUsage=serverAuth'), 'RestrictedPurpose'],
    ['that outlives its issuer', lasting(4000, ...good), 'OutlivesIssuer'],
    ['of a root alone', lasting(365, ...good), 'MayNotSign'],
    ['of a root that has to last', [...twentyYears, ...lasting(5000, ...good).slice(1)], 'MayNotSign'],
  ])(
    'repair a certificate %s',
    async (_name, lines, rule) => {
      const broken = await filesAfter({}, lines);

      const findings = lintBundle(broken, new Date());
      const repaired = await filesAfter(broken, commandsOf(findings));

      expect(findings.map((finding) => finding.rule)).toContain(rule);
      expect(lintBundle(repaired, new Date())).toEqual([]);
    },
    60_000,
  );
});

/** The commands of all fixes, as a reader runs them: each script once. */
function commandsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ commands = [] }) => commands.join('\n')))];
}
