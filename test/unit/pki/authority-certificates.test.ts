import { randomBytes, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeyAlgorithm, keyAlgorithms } from '../../../src/api/key-algorithms.ts';
import { issueIntermediate, issueRoot } from '../../../src/pki/authority-certificates.ts';
import { buildCertificate, serialOf } from '../../../src/pki/certificate-builder.ts';
import { splitCertificates } from '../../../src/pki/certificate-facts.ts';
import { generateKeyPair, type KeyPair, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { parseCertificate } from '../../../src/pki/parsed-certificate.ts';
import { type Authority, anAuthority, issueLeaf, leafHost } from '../../support/authorities.ts';
import { loopbackHandshake } from '../../support/loopback-handshake.ts';
import { openssl } from '../../support/openssl.ts';
import { verifyWithGo } from '../../support/verify-chains.ts';

const day = 24 * 3_600_000;
const now = new Date('2026-03-01T12:00:00.750Z');
const names = { commonName: 'Root CA', organization: 'cluster.local' };

let keys: KeyPair;
let otherKeys: KeyPair;

beforeAll(async () => {
  keys = await generateKeyPair('ECDSA-P256');
  otherKeys = await generateKeyPair('ECDSA-P256');
});

function aRoot(lifetimeMs = 3650 * day, random: Uint8Array = randomBytes(16)): string {
  return issueRoot({ ...names, keys, random, now, lifetimeMs }).certPem;
}

function anIntermediate(issuerPem: string, lifetimeMs = 365 * day, at = now) {
  return issueIntermediate({
    ...{ issuer: { certPem: issuerPem, keys }, keys: otherKeys, commonName: 'Intermediate CA' },
    ...{ organization: 'cluster.local', random: randomBytes(16), now: at, lifetimeMs },
  });
}

interface Pair {
  readonly root: KeyAlgorithm;
  readonly intermediate: KeyAlgorithm;
}

const pairs = keyAlgorithms.flatMap((root) =>
  keyAlgorithms.map((intermediate): Pair => ({ root, intermediate })),
);

describe('chains of every pair of key algorithms', () => {
  const authorities = new Map<Pair, Authority>();
  let leafKeys: KeyPair;

  beforeAll(async () => {
    const made = await Promise.all(
      keyAlgorithms.map(async (algorithm) => {
        const [root, intermediate] = [await generateKeyPair(algorithm), await generateKeyPair(algorithm)];
        return [algorithm, { root, intermediate }] as const;
      }),
    );
    const pool = Object.fromEntries(made) as Record<KeyAlgorithm, Record<keyof Pair, KeyPair>>;
    for (const pair of pairs) {
      const asked = { root: pool[pair.root].root, intermediate: pool[pair.intermediate].intermediate };
      const authority = await anAuthority({
        root: { keys: asked.root },
        intermediate: { keys: asked.intermediate },
      });
      authorities.set(pair, authority);
    }
    leafKeys = await generateKeyPair('ECDSA-P256');
  });

  function authorityOf(pair: Pair): Authority {
    const authority = authorities.get(pair);
    if (authority === undefined) throw new Error('no authority was made for this pair');
    return authority;
  }

  function leafOf({ intermediate, intermediateKeys }: Authority): string {
    return issueLeaf({ certPem: intermediate.certPem, keys: intermediateKeys }, leafKeys);
  }

  it.each(pairs)('verify with openssl: $root signs $intermediate', async (pair) => {
    const { root, intermediate, ...rest } = authorityOf(pair);
    const files = {
      'root.pem': root.certPem,
      'intermediate.pem': intermediate.certPem,
      'leaf.pem': leafOf({ root, intermediate, ...rest }),
    };
    const verify = (...args: readonly string[]) =>
      openssl(files, 'verify', '-x509_strict', '-check_ss_sig', '-CAfile', 'root.pem', ...args);

    expect(await verify('root.pem')).toBe('root.pem: OK\n');
    expect(await verify('intermediate.pem')).toBe('intermediate.pem: OK\n');
    expect(
      await verify('-purpose', 'sslserver', '-untrusted', 'intermediate.pem', '-show_chain', 'leaf.pem'),
    ).toContain('leaf.pem: OK\n');
  });

  it.each(pairs)('verify with Node, also over TLS: $root signs $intermediate', async (pair) => {
    const authority = authorityOf(pair);
    const leafPem = leafOf(authority);
    const [root, intermediate, leaf] = [authority.root.certPem, authority.intermediate.certPem, leafPem].map(
      (pem) => new X509Certificate(pem),
    ) as [X509Certificate, X509Certificate, X509Certificate];

    const outcome = await loopbackHandshake({
      ...{ keyPem: privateKeyPem(leafKeys), shown: leafPem + authority.intermediate.chainPem },
      ...{ trusted: authority.root.certPem, host: leafHost },
    });

    expect(outcome).toBe('verified');
    for (const [issued, issuer] of [
      [root, root],
      [intermediate, root],
      [leaf, intermediate],
    ] as const) {
      expect(issued.checkIssued(issuer)).toBe(true);
      expect(issued.verify(issuer.publicKey)).toBe(true);
    }
    expect(leaf.verify(root.publicKey)).toBe(false);
  });

  it('verify with Go, and no chain verifies under the root of another', async () => {
    const own = pairs.map((pair) => {
      const authority = authorityOf(pair);
      const shown = leafOf(authority) + authority.intermediate.chainPem;
      return { roots: authority.root.certPem, shown, dnsName: leafHost };
    });
    const foreign = own.map((chain, index) => ({ ...chain, roots: own.at(index - 1)?.roots ?? '' }));

    const complaints = await verifyWithGo([...own, ...foreign]);

    expect(complaints.slice(0, own.length)).toEqual(own.map(() => ''));
    for (const complaint of complaints.slice(own.length)) expect(complaint).toMatch(/unknown authority/);
  });
});

describe('a chain with a signature of another key', () => {
  it('verifies with none of openssl, Node and Go', async () => {
    const { root, rootKeys, intermediate } = await anAuthority();
    const forger = await generateKeyPair('ECDSA-P256');
    const forged = issueLeaf({ certPem: intermediate.certPem, keys: forger }, forger);
    const keyPem = privateKeyPem(forger);
    const shown = forged + intermediate.chainPem;

    const withOpenssl = await openssl(
      { 'root.pem': root.certPem, 'chain.pem': intermediate.certPem, 'leaf.pem': forged },
      ...['verify', '-CAfile', 'root.pem', '-untrusted', 'chain.pem', 'leaf.pem'],
    ).catch(String);
    const withNode = await loopbackHandshake({ keyPem, shown, trusted: root.certPem, host: leafHost });
    const [withGo] = await verifyWithGo([{ roots: root.certPem, shown, dnsName: leafHost }]);

    expect(withOpenssl).toMatch(/signature failure/);
    expect(withNode).toMatch(/signature/);
    expect(withGo).toMatch(/ECDSA verification failure/);
    expect(new X509Certificate(forged).verify(rootKeys.publicKey)).toBe(false);
  });
});

describe('issueRoot', () => {
  it('gives a v3 authority that may only sign, with whole seconds from five minutes before now', async () => {
    const { certPem, keyPem } = issueRoot({
      ...{ ...names, keys, random: randomBytes(16), now, lifetimeMs: 3650 * day },
    });
    const { x509, version, basicConstraints, keyUsage, ...identifiers } = parseCertificate(certPem);
    const text = await openssl({ 'root.pem': certPem }, 'x509', '-in', 'root.pem', '-noout', '-text');

    expect(version).toBe(3);
    expect(basicConstraints).toEqual({ authority: true });
    expect(keyUsage).toEqual(new Set(['keyCertSign', 'cRLSign']));
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE\n/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(identifiers.authorityKeyIdentifier).toEqual(identifiers.subjectKeyIdentifier);
    expect(x509.validFromDate).toEqual(new Date('2026-03-01T11:55:00Z'));
    expect(x509.validToDate).toEqual(new Date('2036-02-27T12:00:00Z'));
    expect(keyPem).toBe(privateKeyPem(keys));
  });

  it('names each root after its serial, so that no two have one name', () => {
    const roots = Array.from({ length: 50 }, () => new X509Certificate(aRoot()));

    for (const { subject, serialNumber } of roots) {
      expect(subject).toBe(`O=cluster.local\nCN=Root CA ${serialNumber.slice(0, 8).toLowerCase()}`);
    }
    expect(new Set(roots.map(({ subject }) => subject)).size).toBe(50);
  });

  it('cuts names that are too long, but not what makes them unique', () => {
    const { certPem } = issueRoot({
      ...{ commonName: 'c'.repeat(80), organization: 'o'.repeat(80), keys, random: randomBytes(16) },
      ...{ now, lifetimeMs: day },
    });
    const { subject, serialNumber } = new X509Certificate(certPem);

    const digits = serialNumber.slice(0, 8).toLowerCase();
    expect(subject).toBe(`O=${'o'.repeat(64)}\nCN=${'c'.repeat(55)} ${digits}`);
  });

  it('writes years from 2050 on so that openssl reads them', async () => {
    const certPem = aRoot(40 * 365 * day);

    const end = await openssl({ 'root.pem': certPem }, 'x509', '-in', 'root.pem', '-noout', '-enddate');

    expect(end).toBe('notAfter=Feb 19 12:00:00 2066 GMT\n');
  });

  it.each([
    ['only zeros', new Uint8Array(16)],
    ['only ones', new Uint8Array(16).fill(0xff)],
  ])('has a positive serial of %s too', (_name, random) => {
    const serial = new X509Certificate(aRoot(day, random)).serialNumber;

    expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it('has serials that are positive and never the same', () => {
    const serials = Array.from({ length: 300 }, () => new X509Certificate(aRoot()).serialNumber);

    expect(serials.filter((serial) => !/^[4-7][0-9A-F]{31}$/.test(serial))).toEqual([]);
    expect(new Set(serials).size).toBe(300);
  });
});

describe('issueIntermediate', () => {
  it('signs leaves alone, and points to its issuer', () => {
    const rootPem = aRoot();

    const { certPem, keyPem, chainPem } = anIntermediate(rootPem);

    const [root, intermediate] = [parseCertificate(rootPem), parseCertificate(certPem)];
    expect(intermediate.version).toBe(3);
    expect(intermediate.basicConstraints).toEqual({ authority: true, pathLength: 0 });
    expect(intermediate.keyUsage).toEqual(new Set(['keyCertSign', 'cRLSign']));
    expect(intermediate.issuer).toEqual(root.subject);
    expect(intermediate.subject).not.toEqual(root.subject);
    expect(intermediate.authorityKeyIdentifier).toEqual(root.subjectKeyIdentifier);
    expect(intermediate.subjectKeyIdentifier).not.toEqual(root.subjectKeyIdentifier);
    expect(keyPem).toBe(privateKeyPem(otherKeys));
    expect(chainPem).toBe(certPem);
  });

  it.each([
    ['a shorter life than its issuer', 365 * day, now, '2026-03-01T11:55:00Z', '2027-03-01T12:00:00Z'],
    ['the end of its issuer', 9999 * day, now, '2026-03-01T11:55:00Z', '2036-02-27T12:00:00Z'],
    [
      'the start of its issuer',
      365 * day,
      new Date(now.getTime() - 60_000),
      '2026-03-01T11:55:00Z',
      '2027-03-01T11:59:00Z',
    ],
  ])('has %s', (_name, lifetimeMs, at, notBefore, notAfter) => {
    const { x509 } = parseCertificate(anIntermediate(aRoot(), lifetimeMs, at).certPem);

    expect(x509.validFromDate).toEqual(new Date(notBefore));
    expect(x509.validToDate).toEqual(new Date(notAfter));
  });

  it('has a chain of what is between it and the root, without the root', () => {
    const rootPem = aRoot();
    const between = buildCertificate(
      {
        ...{ commonName: 'Between', serial: serialOf(randomBytes(16)) },
        ...{ notBefore: now, notAfter: new Date(now.getTime() + 1000 * day) },
        extensions: [{ name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 1 }],
      },
      keys,
      { certPem: rootPem, keys },
    );

    const { certPem, chainPem } = anIntermediate(`${between}${rootPem}`);

    expect(splitCertificates(chainPem)).toEqual([certPem, between]);
  });

  it('copies the name and the key identifier of an issuer that openssl has made', async () => {
    const keyPem = privateKeyPem(keys);
    const rootPem = await openssl(
      { 'key.pem': keyPem, 'req.cnf': '[req]\ndistinguished_name = name\n[name]\n' },
      ...[
        'req',
        '-config',
        'req.cnf',
        '-x509',
        '-new',
        '-key',
        'key.pem',
        '-days',
        '100',
        '-utf8',
        '-multivalue-rdn',
      ],
      ...['-subj', '/C=DE/O=Größe+OU=Netz/CN=Wurzel', '-addext', 'basicConstraints=critical,CA:TRUE'],
      ...['-addext', 'subjectKeyIdentifier=01:02:03:04'],
    );

    const { certPem } = anIntermediate(rootPem, 30 * day, new Date());

    const [root, intermediate] = [parseCertificate(rootPem), parseCertificate(certPem)];
    expect(new X509Certificate(rootPem).raw.includes(root.subject)).toBe(true);
    expect(new X509Certificate(certPem).raw.includes(root.subject)).toBe(true);
    expect(intermediate.issuer).toEqual(root.subject);
    expect(intermediate.authorityKeyIdentifier).toEqual(Buffer.from('01020304', 'hex'));
    const verified = await openssl(
      { 'root.pem': rootPem, 'intermediate.pem': certPem },
      ...['verify', '-CAfile', 'root.pem', 'intermediate.pem'],
    );
    expect(verified).toBe('intermediate.pem: OK\n');
  });

  it('is refused by an issuer that has expired', () => {
    const rootPem = aRoot(day);

    expect(() => anIntermediate(rootPem, day, new Date(now.getTime() + 2 * day))).toThrow(
      /^The authority O=cluster.local, CN=Root CA \w{8} cannot sign an intermediate: it has expired at 2026-03-02T12:00:00.000Z$/,
    );
  });

  it('is refused by an issuer that may sign leaves alone', () => {
    const { certPem } = anIntermediate(aRoot());

    const attempt = () =>
      issueIntermediate({
        ...{ issuer: { certPem, keys: otherKeys }, commonName: 'Too deep', keys },
        ...{ random: randomBytes(16), now, lifetimeMs: day },
      });

    expect(attempt).toThrow(/may sign leaves alone/);
  });

  it('is refused with keys that are not the issuer’s', () => {
    const rootPem = aRoot();

    const attempt = () =>
      issueIntermediate({
        ...{ issuer: { certPem: rootPem, keys: otherKeys }, commonName: 'Strange', keys: otherKeys },
        ...{ random: randomBytes(16), now, lifetimeMs: day },
      });

    expect(attempt).toThrow(/its certificate is of another key/);
  });

  it.each([
    ['no authority', [{ name: 'basicConstraints', critical: true, cA: false }], /lacks CA:TRUE/],
    [
      'not to sign',
      [
        { name: 'basicConstraints', critical: true, cA: true },
        { name: 'keyUsage', critical: true, cRLSign: true },
      ],
      /lacks keyCertSign/,
    ],
  ])('is refused by an issuer that is %s', (_name, extensions, why) => {
    const template = { commonName: 'Root CA', serial: serialOf(randomBytes(16)), extensions };
    const certPem = buildCertificate(
      { ...template, notBefore: now, notAfter: new Date(now.getTime() + day) },
      keys,
    );

    expect(() => anIntermediate(certPem, day)).toThrow(why);
  });
});
