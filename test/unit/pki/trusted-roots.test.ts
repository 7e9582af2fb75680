import { describe, expect, test } from 'vitest';
import { buildCertificate, serialOf } from '../../../src/pki/certificate-builder.ts';
import { generateKeyPair, privateKeyPem } from '../../../src/pki/key-pair.ts';
import { bundlePemOf, lastingRoot, noticeAt, readTrustedRoots } from '../../../src/pki/trusted-roots.ts';
import { dayMs, firstDay as now } from '../../support/authority-states.ts';

const keys = await generateKeyPair('ECDSA-P256');

/** A self-signed root that begins and ends so many days from now. */
function aRoot({ from = -1, until = 365, trustDomain = '' } = {}): string {
  const uri = { type: 6, value: `spiffe://${trustDomain}` };
  return buildCertificate(
    {
      commonName: `root ${from} ${until}`,
      serial: serialOf(Buffer.from(`${from} ${until} of a test `.padEnd(16))),
      notBefore: new Date(now.getTime() + from * dayMs),
      notAfter: new Date(now.getTime() + until * dayMs),
      extensions: [
        { name: 'basicConstraints', critical: true, cA: true },
        { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
        ...(trustDomain === '' ? [] : [{ name: 'subjectAltName', altNames: [uri] }]),
      ],
    },
    keys,
  );
}

function read(...parts: readonly string[]) {
  return readTrustedRoots('roots.pem', parts.join(''), now);
}

describe('a bundle', () => {
  test('is its certificates alone, in their order, whatever is written between them', () => {
    const [one, two] = [aRoot(), aRoot({ until: 30 })];

    const { roots = [] } = read('# first\n', two, '\n# second\n', one);

    expect(bundlePemOf(roots)).toBe(`${two}${one}`);
  });

  test('tells the trust domain of a root that has one', () => {
    const { roots = [] } = read(aRoot({ trustDomain: 'example.org' }), aRoot({ until: 3 }));

    expect(roots.map(({ trustDomain }) => trustDomain)).toEqual(['example.org', undefined]);
  });

  test('may hold a root that has ended or is not valid yet beside one that is valid', () => {
    const reading = read(aRoot({ from: -9, until: -1 }), aRoot(), aRoot({ from: 5 }));

    expect(reading.problem).toBeUndefined();
    expect(reading.roots).toHaveLength(3);
  });

  const leaf = buildCertificate(
    {
      commonName: 'leaf',
      serial: serialOf(Buffer.alloc(16)),
      notBefore: now,
      notAfter: new Date(now.getTime() + dayMs),
      extensions: [{ name: 'basicConstraints', critical: true, cA: false }],
    },
    keys,
  );

  test.each([
    { what: 'nothing', text: '', says: 'holds no certificate' },
    { what: 'a root that has ended', text: aRoot({ from: -9, until: -1 }), says: 'has expired' },
    { what: 'a root that is not valid yet', text: aRoot({ from: 5 }), says: 'not valid before' },
    { what: 'a certificate that is no authority', text: leaf, says: 'no authority' },
    { what: 'a private key', text: `${aRoot()}${privateKeyPem(keys)}`, says: 'private key' },
    { what: 'half a certificate', text: `${aRoot()}${aRoot().slice(0, 200)}`, says: 'has no end' },
  ])('is refused when it holds $what', ({ text, says }) => {
    const { roots, problem } = read(text);

    expect(roots).toBeUndefined();
    expect(problem).toContain(says);
    expect(problem).not.toContain(privateKeyPem(keys).split('\n')[1]);
  });
});

test('the root that ends last is the one to warn of', () => {
  const { roots = [] } = read(aRoot({ until: 3 }), aRoot({ until: 300 }), aRoot({ until: 30 }));

  expect(lastingRoot(roots).notAfter).toEqual(new Date(now.getTime() + 300 * dayMs));
});

test.each([
  { from: 0, until: 3650, noticeDays: 30 },
  { from: 0, until: 100, noticeDays: 30 },
  { from: 0, until: 1, noticeDays: 0.3 },
])(
  'a root of $until days is worth a warning $noticeDays days before its end',
  ({ from, until, noticeDays }) => {
    const { roots = [] } = read(aRoot({ from, until }));

    expect(noticeAt(lastingRoot(roots))).toEqual(new Date(now.getTime() + (until - noticeDays) * dayMs));
  },
);
