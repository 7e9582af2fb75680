import { type BundleCertificate, placesOf } from '../bundle-certificate.ts';
import type { BundleRule } from '../rule.ts';
import { signingKeyOf } from '../signing-key.ts';

/** The key file holds the key of the certificate that signs. */
export const keyMatchFindings: BundleRule = ({ layout, files, chain }) => {
  const file = files.find(({ name }) => name === layout?.key);
  const key = file === undefined ? undefined : signingKeyOf(file);
  const signer = chain?.path[0];
  if (file === undefined || key === undefined || !('keys' in key) || signer === undefined) return [];
  if (signer.x509.checkPrivateKey(key.keys.privateKey)) return [];
  const owner = chain?.path.find(({ x509 }) => x509.checkPrivateKey(key.keys.privateKey));
  return [
    {
      ...{ severity: 'error', rule: 'KeyMismatch', where: file.name },
      problem: `It is not the key of ${placesOf(signer)}${ownedBy(owner)}: istiod does not start with it`,
      fix: 'Take the key that the certificate was made with, or have a certificate issued for this key.',
    },
  ];
};

function ownedBy(owner: BundleCertificate | undefined): string {
  return owner === undefined ? '' : `, but that of ${placesOf(owner)}`;
}
