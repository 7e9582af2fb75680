import { describe, expect, it } from 'vitest';
import { lintBundle } from '../../../../src/pki/lint/lint-bundle.ts';
import { anAuthority, authorityFiles, issueLeaf, leafHost } from '../../../support/authorities.ts';
import { findingLines } from '../../../support/finding-lines.ts';
import { flawedCertificate } from '../../../support/flawed-certificate.ts';
import { verifyWithGo } from '../../../support/verify-chains.ts';

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3_600_000);
const tooMany = /too many intermediates/;

/** A root that allows this many authorities below it, one below it that allows so many, and the one that signs. */
async function chainBelow(rootAllows: number | undefined, betweenAllows: number | undefined) {
  const authority = await anAuthority();
  const { rootKeys, intermediateKeys } = authority;
  const authorityWith = (allowed: number | undefined) => ({
    basicConstraints: { cA: true, ...(allowed === undefined ? {} : { pathLenConstraint: allowed }) },
  });
  const root = flawedCertificate(
    { commonName: 'Root', notAfter: inDays(500), ...authorityWith(rootAllows) },
    rootKeys,
  );
  const between = flawedCertificate(
    { commonName: 'Between', notAfter: inDays(400), ...authorityWith(betweenAllows) },
    rootKeys,
    { certPem: root, keys: rootKeys },
  );
  const signer = flawedCertificate({ commonName: 'Signer', notAfter: inDays(300) }, intermediateKeys, {
    ...{ certPem: between, keys: rootKeys },
  });
  const leaf = issueLeaf({ certPem: signer, keys: intermediateKeys }, rootKeys);
  const files = authorityFiles(authority, {
    ...{ 'ca-cert.pem': signer, 'cert-chain.pem': signer + between, 'root-cert.pem': root },
  });
  return { files, seen: { roots: root, shown: leaf + signer + between, dnsName: leafHost } };
}

describe('PathTooLong', () => {
  it.each([
    [2, 1, [], /^$/],
    [undefined, undefined, [], /^$/],
    [1, 1, ['error PathTooLong root-cert.pem'], tooMany],
    [2, 0, ['error PathTooLong cert-chain.pem #2'], tooMany],
    [0, 0, ['error PathTooLong root-cert.pem', 'error PathTooLong cert-chain.pem #2'], tooMany],
  ])(
    'judges pathlen %s above pathlen %s as Go does',
    async (rootAllows, betweenAllows, expected, complaint) => {
      const { files, seen } = await chainBelow(rootAllows, betweenAllows);

      const found = findingLines(lintBundle(files, new Date()));
      const [goes] = await verifyWithGo([seen]);

      expect(found).toEqual(expected);
      expect(goes).toMatch(complaint);
    },
  );
});
