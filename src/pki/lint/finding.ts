/** Every rule by its name; `docs/guides/ca-lint.md` says why each is there. */
export const lintRules = [
  'MissingFile',
  'TooLarge',
  'Unreadable',
  'UnreadableKey',
  'MisplacedPrivateKey',
  'MisplacedBlock',
  'MissingLineBreak',
  'OldVersion',
  'NotAnAuthority',
  'MayNotSign',
  'RestrictedPurpose',
  'PathTooLong',
  'DuplicateSerial',
  'NegativeSerial',
  'ChainOrder',
  'ChainIncomplete',
  'UnknownRoot',
  'UnrelatedCertificate',
  'BadSignature',
  'KeyMismatch',
  'Expired',
  'NotYetValid',
  'OutlivesIssuer',
  'EndsSoon',
  'WeakKey',
  'WeakSignature',
  'MissingKeyIdentifier',
  'KeyIdentifierMismatch',
  'RootNotSelfSigned',
  'SeveralRoots',
  'DifferentRoots',
] as const;
export type LintRule = (typeof lintRules)[number];

/** Something about an authority that breaks a mesh (`error`), or will or may (`warning`). Never holds key material. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly rule: LintRule;
  /** Files and certificates in them: `ca-cert.pem, cert-chain.pem #1 (O=cluster.local, CN=Intermediate CA)`. */
  readonly where: string;
  readonly problem: string;
  readonly fix: string;
  /** Lines for a shell in the folder of the files, when the fix can be written so. */
  readonly commands?: readonly string[];
}
