import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { type Asn1, derOf, parseDer, sequence } from './asn1.ts';

/** Who a certificate is for. Names of more than 64 characters are cut (RFC 5280 appendix A). */
export interface CertificateName {
  readonly commonName: string;
  readonly organization?: string;
}

/** The name, organization first. */
export function distinguishedName({ commonName, organization }: CertificateName): Asn1 {
  const attributes = [
    ...(organization === undefined ? [] : [{ type: '2.5.4.10', value: organization }]),
    { type: '2.5.4.3', value: commonName },
  ].map(({ type, value }) => ({
    type,
    value: [...value].slice(0, 64).join(''),
    // The types of node-forge take the tag of a string for its class.
    valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class,
  }));
  return forge.pki.distinguishedNameToAsn1({ attributes });
}

/** SubjectPublicKeyInfo. */
export function publicKeyInfo(key: KeyObject): Asn1 {
  return parseDer(key.export({ type: 'spki', format: 'der' }));
}

/**
 * The SEQUENCE of extensions that are given as node-forge has them. It knows how most are written, but fills them in only
 * as a part of a certificate of its own.
 */
export function extensionList(extensions: readonly object[]): Asn1 {
  const holder = forge.pki.createCertificate();
  holder.setExtensions(extensions.map((extension) => ({ ...extension })));
  const { certificateExtensionToAsn1 } = forge.pki as unknown as {
    readonly certificateExtensionToAsn1: (filled: object) => Asn1;
  };
  return sequence(...holder.extensions.map((extension) => certificateExtensionToAsn1(extension)));
}

/** PEM with this label (RFC 7468). */
export function pemOf(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST', value: Asn1): string {
  const lines =
    derOf(value)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
