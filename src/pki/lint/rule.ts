import type { Bundle } from './bundle.ts';
import type { BundleCertificate } from './bundle-certificate.ts';
import type { Finding } from './finding.ts';

/** Looks at one side of a certificate of a bundle; gives what is wrong with it, and never throws. */
export type CertificateRule = (
  certificate: BundleCertificate,
  bundle: Bundle,
  now: Date,
) => readonly Finding[];

/** Looks at what the files and certificates of a bundle are to each other; never throws. */
export type BundleRule = (bundle: Bundle) => readonly Finding[];
